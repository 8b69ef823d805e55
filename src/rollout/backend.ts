/** The one interface of all rollout backends. Nothing here knows how episodes are played. */
import { having } from '../base/arguments.ts';
import type { Env } from '../envs/env.ts';
import type { Policy } from '../policies/policy.ts';
import type { Episodes, ProbeInput, ProbeOutput, RolloutJob, Trace } from './job.ts';
import type { Measured, StatisticsRequest } from './statistics.ts';

export const backendIds = ['webgpu', 'wasm', 'cpu', 'gpujs'] as const;
export type BackendId = (typeof backendIds)[number];

/** The values of `--backend`. */
export const backendChoices = ['auto', ...backendIds] as const;
/** A backend by name, or `auto`. */
export type BackendChoice = (typeof backendChoices)[number];

/** Options of a call that plays episodes. */
export interface PlayOptions {
  /** An abort rejects with the signal's reason, between two dispatches or slices. */
  readonly signal?: AbortSignal;
  /** Fill `gpuSeconds`, at the cost of some latency. */
  readonly timing?: boolean;
  /** Called now and then with the finished share of the call, 0 ... 1. */
  readonly onProgress?: (share: number) => void;
  /** the caller reads the outcomes at once, before other code runs: their memory may be used again */
  readonly transient?: boolean;
}

/** Whether a program has passed one. */
export const aBackend = having('an open backend, as openBackend gives it', 'measure');

/** What plays jobs. `close` it at the end: workers and devices keep a process alive. */
export interface Backend {
  /** its name in results and in `--backend` */
  readonly id: BackendId;
  /** name of the GPU adapter or its substitute; null on the cpu */
  readonly adapter: string | null;
  /** null when it plays this policy in this environment, else why not; `policy` null asks for the environment alone */
  supports(env: Env, policy: Policy | null): string | null;
  /** Returns every outcome: of at most `maxEpisodes`. */
  play(job: RolloutJob, options?: PlayOptions): Promise<Episodes>;
  /**
   * Returns only the statistics of each candidate: of at most `maxMeasuredEpisodes` in all.
   * @throws R2poError when a return is not finite
   */
  measure(job: RolloutJob, request: StatisticsRequest, options?: PlayOptions): Promise<Measured>;
  /** Plays one episode of one candidate again while recording; its return equals the played one bit for bit. */
  trace(job: RolloutJob, candidate: number, episode: number): Promise<Trace>;
  /** Start states of the episode seeds `seed ... seed + count - 1`. */
  resets(env: Env, seed: number, count: number): Promise<number[][]>;
  /** Single transitions from given states. */
  probe(env: Env, inputs: readonly ProbeInput[]): Promise<ProbeOutput[]>;
  /** Ends its workers or its device; it cannot be used any more. */
  close(): Promise<void>;
}
