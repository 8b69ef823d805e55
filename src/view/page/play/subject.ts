/** What is played: the environment and the policy that a run, a link or a pasted file names. Runs beside the engine. */
import { UsageError } from '../../../base/errors.ts';
import { withConstants } from '../../../envs/constants.ts';
import type { Env } from '../../../envs/env.ts';
import { findEnv } from '../../../envs/registry.ts';
import { buildPolicy } from '../../../policies/index.ts';
import type { Policy, PolicyOptions } from '../../../policies/policy.ts';
import { SingleThreadBackend } from '../../../rollout/cpu/single-thread.ts';
import { defaultStepCap, type RolloutJob, type Trace } from '../../../rollout/job.ts';
import { openWasmBackend } from '../../../rollout/wasm/page.ts';
import type { RunPage } from '../../api/run.ts';

export type Playable = NonNullable<RunPage['playable']>;
/** Physics constants that are changed, by name. */
export type Constants = Readonly<Record<string, number>>;

export interface Subject {
  readonly env: Env;
  readonly policy: Policy;
  readonly maxSteps: number | null;
}

/** Throws a usage error for an environment, a policy or a constant that does not exist or fit. */
export function subjectOf(playable: Playable, constants: Constants = {}): Subject {
  if (!playable.known) {
    throw new UsageError(
      'play',
      `expected an environment of this package, got the module "${playable.env}", which a page cannot load; ` +
        'play the policy with r2po eval',
    );
  }
  const known = findEnv(playable.env, playable.envOptions);
  const env = Object.keys(constants).length === 0 ? known : withConstants(known, constants, 'constants');
  const { kind, options } = playable.policy;
  const policy = buildPolicy(kind, env, (options ?? {}) as PolicyOptions);
  return { env, policy, maxSteps: playable.maxSteps ?? defaultStepCap(env) };
}

export function jobOf(subject: Subject, params: ArrayLike<number>, seed: number, episodes: number): RolloutJob {
  return { ...subject, candidates: [Float64Array.from(params)], episodes, seed };
}

export interface PlayedEpisode {
  readonly trace: Trace;
  /** what played it here */
  readonly backend: 'cpu' | 'wasm';
  /** whether it has the return that was recorded, but for the last digits of a float64; null: none was */
  readonly asRecorded: boolean | null;
}

/**
 * Share of a return by which float64 may differ from what Node.js recorded: engines of JavaScript round sine, cosine and
 * powers differently in the last bit. Episodes in f32 differ by more.
 */
const lastDigits = 1e-9;

const isRecorded = (played: number, recorded: number): boolean =>
  Math.abs(played - recorded) <= lastDigits * Math.abs(recorded);

/**
 * Plays one episode and records it, in float64; where that does not give the recorded return, by the shaders on
 * WebAssembly, which compute in f32 as a GPU does. When neither does, the episode in float64.
 */
export async function playEpisode(
  subject: Subject,
  params: ArrayLike<number>,
  seed: number,
  recorded: number | null,
): Promise<PlayedEpisode> {
  const job = jobOf(subject, params, seed, 1);
  const trace = await new SingleThreadBackend().trace(job, 0, 0);
  if (recorded === null) return { trace, backend: 'cpu', asRecorded: null };
  if (isRecorded(trace.return, recorded)) return { trace, backend: 'cpu', asRecorded: true };
  try {
    const other = await openWasmBackend().trace(job, 0, 0);
    if (other.return === recorded) return { trace: other, backend: 'wasm', asRecorded: true };
  } catch {
    // No WebAssembly: there is nothing else to try.
  }
  return { trace, backend: 'cpu', asRecorded: false };
}
