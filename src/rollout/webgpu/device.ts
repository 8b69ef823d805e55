/** Opening and closing a WebGPU device in Node (Dawn), and making its failures loud. */
import { createRequire } from 'node:module';
import { sleep } from '../../base/async.ts';
import { AdapterError, DeviceError, R2poError } from '../../base/errors.ts';

export interface AdapterReport {
  /** one line: vendor, architecture, device and driver as far as they are told */
  readonly name: string;
  /** a CPU pretends to be a GPU: right numbers, no speed */
  readonly software: boolean;
  readonly timestamps: boolean;
}

export interface GpuDevice {
  readonly device: GPUDevice;
  readonly adapter: AdapterReport;
  /** Whether the device was lost or raised an error: nothing that it computes is of use. */
  readonly failed: boolean;
  /** Throws when it has failed. */
  check(): void;
  /** What to throw when a call on the device failed: that it was lost or what it reported, else the call's own error. */
  reasonOf(error: unknown): Promise<Error>;
  close(): void;
}

export interface DeviceOptions {
  /** `auto`: the adapter that Dawn offers; `null`: Dawn's own that compiles everything and runs nothing */
  readonly adapter?: 'auto' | 'null';
  /** `guaranteed`: only what every WebGPU adapter has, whatever this one can do */
  readonly limits?: 'largest' | 'guaranteed';
}

const softwareNames = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i;

function describe(info: GPUAdapterInfo): { name: string; software: boolean } {
  const parts = [info.vendor, info.architecture, info.device, info.description].filter((p) => p);
  const name = parts.join(', ') || 'unnamed adapter';
  return { name, software: info.isFallbackAdapter || softwareNames.test(name) };
}

/** Version of the `webgpu` package (Dawn), for manifests. */
export function dawnVersion(): string {
  const require = createRequire(import.meta.url);
  return (require('webgpu/package.json') as { version: string }).version;
}

/**
 * Dawn's root objects, one per set of flags, kept for as long as the process lives: the devices of a collected one die,
 * and what it still had scheduled then runs on freed memory.
 */
const instances = new Map<string, GPU>();

function instanceWith(webgpu: typeof import('webgpu'), flags: string[]): GPU {
  const key = flags.join(' ');
  const instance = instances.get(key) ?? webgpu.create(flags);
  instances.set(key, instance);
  return instance;
}

/** Returns null when there is no adapter. Timestamps are asked for unquantised, so that short dispatches can be timed. */
export async function findAdapter(
  kind: 'auto' | 'null' = 'auto',
): Promise<{ adapter: GPUAdapter; report: AdapterReport } | null> {
  let webgpu: typeof import('webgpu');
  try {
    webgpu = await import('webgpu');
  } catch (cause) {
    throw new AdapterError('webgpu', 'the package "webgpu" does not load on this platform; use --backend cpu', cause);
  }
  Object.assign(globalThis, webgpu.globals);
  const flags = ['disable-dawn-features=timestamp_quantization'];
  const gpu = instanceWith(webgpu, kind === 'null' ? ['backend=null', ...flags] : flags);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) return null;
  const { name, software } = describe(adapter.info);
  return {
    adapter,
    report: { name, software, timestamps: adapter.features.has('timestamp-query') },
  };
}

/** Grace period: a loss is reported shortly after the call that it made fail, s. */
const lossGraceSeconds = 0.1;

/** Opens a device. Throws `AdapterError` when there is no adapter. */
export async function openDevice(options: DeviceOptions = {}): Promise<GpuDevice> {
  const found = await findAdapter(options.adapter);
  if (!found) {
    throw new AdapterError(
      'webgpu',
      'expected a WebGPU adapter, found none; install a Vulkan driver ("r2po doctor" says what is missing) or use --backend cpu',
    );
  }
  const { adapter, report } = found;
  const device = await adapter.requestDevice({
    requiredFeatures: report.timestamps ? ['timestamp-query'] : [],
    requiredLimits:
      options.limits === 'guaranteed'
        ? {}
        : {
            maxBufferSize: adapter.limits.maxBufferSize,
            maxStorageBufferBindingSize: adapter.limits.maxStorageBufferBindingSize,
          },
  });
  let closed = false;
  let failure: R2poError | null = null;
  device.onuncapturederror = (event) => {
    // Otherwise Dawn prints it; here it fails the next call.
    event.preventDefault();
    failure ??= new DeviceError('webgpu', `the device reported: ${event.error.message}; nothing it computed is used`);
  };
  const lost = device.lost.then((info) => {
    if (closed) return;
    failure = new DeviceError(
      'webgpu',
      `the device "${report.name}" was lost (${info.reason}: ${info.message}); run again, or use --backend cpu`,
    );
  });
  return {
    device,
    adapter: report,
    get failed() {
      return failure !== null;
    },
    check() {
      if (failure) throw failure;
    },
    async reasonOf(error) {
      // No call waits on `lost` while all is well: it would keep something of each for as long as the device lives.
      await Promise.race([lost, sleep(lossGraceSeconds)]);
      return failure ?? new R2poError('webgpu', `expected results from the device, got: ${error}`, { cause: error });
    },
    close() {
      if (closed) return;
      closed = true;
      device.destroy();
    },
  };
}
