/** A WebGPU device that reports its failures. Where its adapter comes from is up to the caller. */

import { sleep } from '../../base/async.ts';
import { DeviceError, R2poError } from '../../base/errors.ts';
import type { PageAdapter, PageDevice } from './page-types.ts';

export interface AdapterReport {
  /** one line: vendor, architecture, device and driver if available */
  readonly name: string;
  /** a CPU emulates the GPU: right numbers, but slow */
  readonly software: boolean;
  readonly timestamps: boolean;
}

/** An open WebGPU device, and whether it still works. */
export interface GpuDevice {
  /** the device itself */
  readonly device: PageDevice;
  /** name of its adapter, and what it can do */
  readonly adapter: AdapterReport;
  /** Whether the device was lost or raised an error: nothing that it computes is of use. */
  readonly failed: boolean;
  /** Throws when it has failed. */
  check(): void;
  /** The error to throw for a failed call: the loss or the failure of the device, else the call's own error. */
  reasonOf(error: unknown): Promise<Error>;
  /** Another device, opened as this one was. */
  reopen(): Promise<GpuDevice>;
  /** Destroys the device. */
  close(): void;
}

/** Throws `AdapterError` when there is no adapter. */
export type RequestAdapter = () => Promise<PageAdapter>;

/** `largest`: what the adapter can do; `guaranteed`: only what every WebGPU adapter can do. */
export type DeviceLimits = 'largest' | 'guaranteed';

const softwareNames = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i;

function describe(info: GPUAdapterInfo): { name: string; software: boolean } {
  const parts = [info.vendor, info.architecture, info.device, info.description].filter((p) => p);
  const name = parts.join(', ') || 'unnamed adapter';
  return { name, software: info.isFallbackAdapter || softwareNames.test(name) };
}

export function reportOf(adapter: PageAdapter): AdapterReport {
  return { ...describe(adapter.info), timestamps: adapter.features.has('timestamp-query') };
}

/** Grace period: a loss is reported shortly after the call that it made fail, s. */
const lossGraceSeconds = 0.1;

/**
 * Opens a device on an adapter from `navigator.gpu` or from Dawn. `requestAdapter` is called again for `reopen`: an adapter
 * gives one device.
 */
export async function openGpuDevice(requestAdapter: RequestAdapter, limits: DeviceLimits): Promise<GpuDevice> {
  const adapter = await requestAdapter();
  const report = reportOf(adapter);
  const device = await adapter.requestDevice({
    requiredFeatures: report.timestamps ? ['timestamp-query'] : [],
    requiredLimits:
      limits === 'guaranteed'
        ? {}
        : {
            maxBufferSize: adapter.limits.maxBufferSize,
            maxStorageBufferBindingSize: adapter.limits.maxStorageBufferBindingSize,
          },
  });
  let closed = false;
  let failure: R2poError | null = null;
  device.onuncapturederror = (event) => {
    // Not printed: it fails the next call.
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
      // Only failed calls wait for `lost`: each wait is kept in memory for as long as the device lives.
      await Promise.race([lost, sleep(lossGraceSeconds)]);
      return failure ?? new R2poError('webgpu', `expected results from the device, got: ${error}`, { cause: error });
    },
    reopen: () => openGpuDevice(requestAdapter, limits),
    close() {
      if (closed) return;
      closed = true;
      device.destroy();
    },
  };
}
