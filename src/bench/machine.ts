/** Describes the machine of a measurement, as far as it can be queried. */
import { execFile } from 'node:child_process';
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { packageVersion } from '../base/node/assets.ts';
import type { AdapterReport } from '../rollout/webgpu/device.ts';

export interface NvidiaGpu {
  readonly name: string;
  readonly driver: string;
  /** current and maximum clock, MHz; null: not reported */
  readonly clock: number | null;
  readonly highestClock: number | null;
}

export interface Machine {
  readonly cpu: string;
  readonly threads: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  /** null: no adapter */
  readonly adapter: string | null;
  /** version of the package with Dawn; null: no adapter */
  readonly dawn: string | null;
  /** a software adapter, which runs on the CPU */
  readonly software: boolean;
  /** the adapter supports timestamp queries */
  readonly timestamps: boolean;
  /** GPUs listed by `nvidia-smi`; empty without it */
  readonly nvidia: readonly NvidiaGpu[];
  /** load average of the minute before the measurement; null: not supported by the system */
  readonly loadBefore: number | null;
}

/** Above this load, other processes distort the measurement. */
export const quietLoad = 0.5;

/** Load average of the last minute; null: not supported by the system. */
export function currentLoad(): number | null {
  return platform() === 'win32' ? null : loadavg()[0]!;
}

/** `loadBefore`: `currentLoad` before the first measurement. */
export async function machineFacts(adapter: AdapterReport | null, loadBefore: number | null): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    threads: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    adapter: adapter?.name ?? null,
    dawn: adapter && packageVersion('webgpu'),
    software: adapter?.software ?? false,
    timestamps: adapter?.timestamps ?? false,
    nvidia: await nvidiaGpus(),
    loadBefore,
  };
}

/** Best effort: empty when `nvidia-smi` is missing or hangs. */
async function nvidiaGpus(): Promise<NvidiaGpu[]> {
  const fields = 'name,driver_version,clocks.sm,clocks.max.sm';
  const args = [`--query-gpu=${fields}`, '--format=csv,noheader,nounits'];
  try {
    const { stdout } = await promisify(execFile)('nvidia-smi', args, { timeout: 5000 });
    return readNvidiaGpus(stdout);
  } catch {
    return [];
  }
}

/** One GPU per line: name, driver, clock, highest clock. */
export function readNvidiaGpus(text: string): NvidiaGpu[] {
  const lines = text.split('\n').filter((line) => line.includes(','));
  return lines.map((line) => {
    const [name, driver, ...clocks] = line.split(',').map((part) => part.trim());
    const [clock, highestClock] = clocks.map((mhz) => (/^\d+$/.test(mhz) ? Number(mhz) : null));
    return { name: name!, driver: driver!, clock: clock ?? null, highestClock: highestClock ?? null };
  });
}
