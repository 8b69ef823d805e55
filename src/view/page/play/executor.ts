/** What can play episodes for this page. */
import type { Batch, PlayJob } from './host.ts';

export const executorIds = ['webgpu', 'wasm', 'cpu', 'machine'] as const;
export type ExecutorId = (typeof executorIds)[number];

/** Tried in this order when the reader has not chosen; the machine of the server is used only when it is chosen. */
export const automaticOrder: readonly ExecutorId[] = ['webgpu', 'wasm', 'cpu'];

export const executorTitles: Readonly<Record<ExecutorId, string>> = {
  webgpu: 'WebGPU of this browser',
  wasm: 'shaders on WebAssembly, in a worker',
  cpu: 'float64, in a worker',
  machine: 'machine of the server',
};

export interface Executor {
  readonly id: ExecutorId;
  /** adapter or thread, for people */
  readonly where: string;
  play(job: PlayJob, signal: AbortSignal): Promise<Batch>;
  close(): void;
}

export type OpenExecutor = (id: ExecutorId) => Promise<Executor>;
