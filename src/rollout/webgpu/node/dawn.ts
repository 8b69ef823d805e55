/** WebGPU in Node: the adapters of Dawn. */
import { AdapterError } from '../../../base/errors.ts';
import { type AdapterReport, type DeviceLimits, type GpuDevice, openGpuDevice, reportOf } from '../device.ts';

export interface DeviceOptions {
  /** `auto`: the adapter that Dawn offers; `null`: Dawn's own that compiles everything and runs nothing */
  readonly adapter?: 'auto' | 'null';
  readonly limits?: DeviceLimits;
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
  return { adapter, report: reportOf(adapter) };
}

/** Opens a device. Throws `AdapterError` when there is no adapter. */
export function openDevice({ adapter = 'auto', limits = 'largest' }: DeviceOptions = {}): Promise<GpuDevice> {
  return openGpuDevice(async () => {
    const found = await findAdapter(adapter);
    if (found) return found.adapter;
    throw new AdapterError(
      'webgpu',
      'expected a WebGPU adapter, found none; install a Vulkan driver ("r2po doctor" says what is missing) or use --backend cpu',
    );
  }, limits);
}
