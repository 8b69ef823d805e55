/** Where a measurement was made, as far as the machine tells. */
import { execFile } from 'node:child_process';
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { packageVersion } from '../base/node/assets.ts';
import type { AdapterReport } from '../rollout/webgpu/device.ts';

export interface NvidiaGpu {
  readonly name: string;
  readonly driver: string;
  /** clock of its processors when it was asked, and the highest, MHz; null where it does not say */
  readonly clock: number | null;
  readonly highestClock: number | null;
}

export interface Machine {
  readonly cpu: string;
  readonly threads: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  /** null without one */
  readonly adapter: string | null;
  /** version of the package that holds Dawn; null without an adapter */
  readonly dawn: string | null;
  /** a CPU pretends to be a GPU */
  readonly software: boolean;
  /** the adapter has a clock of its own */
  readonly timestamps: boolean;
  /** what `nvidia-smi` says; empty where there is none */
  readonly nvidia: readonly NvidiaGpu[];
  /** processes that ran on average in the minute before the measurement; null where the system does not count them */
  readonly loadBefore: number | null;
}

/** Above this, something else is at work and a measurement says little. */
export const quietLoad = 0.5;

/** Processes that ran on average in the last minute; null on a system that does not count them. */
export function currentLoad(): number | null {
  return platform() === 'win32' ? null : loadavg()[0];
}

/** `loadBefore`: the `currentLoad` before anything was measured. */
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

/** Best effort: a machine without the program has none of its GPUs, and one that hangs is not waited for. */
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
    return { name, driver, clock: clock ?? null, highestClock: highestClock ?? null };
  });
}
