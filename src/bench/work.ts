/** The work of a bench: one policy in one environment. */
import { UsageError } from '../base/errors.ts';
import { Generator } from '../base/rng/generator.ts';
import type { Env } from '../envs/env.ts';
import { policyKinds } from '../policies/index.ts';
import type { Policy } from '../policies/policy.ts';
import type { Backend } from '../rollout/backend.ts';
import { defaultStepCap, type RolloutJob } from '../rollout/job.ts';

export interface BenchWork {
  readonly env: Env;
  readonly policy: Policy;
  readonly params: Float64Array;
  /** step cap for an environment without its own limit */
  readonly maxSteps: number | null;
}

/** The first policy kind that fits `env`, with the random parameters that give the longest episodes. */
export async function longPlayingWork(env: Env, backend: Backend): Promise<BenchWork> {
  const kind = policyKinds.find((k) => k.accepts(env) === null);
  if (kind === undefined) {
    throw new UsageError(env.id, 'expected spaces that a policy kind can act in, found none; see "r2po list policies"');
  }
  const policy = kind.build(env, {});
  const maxSteps = defaultStepCap(env);
  const longest = async (candidates: readonly Float64Array[], episodes: number): Promise<Float64Array[]> => {
    const { lengths } = await backend.play({ env, policy, candidates, episodes, seed: 0, maxSteps });
    const total = (c: number): number => lengths.subarray(c * episodes, (c + 1) * episodes).reduce((a, b) => a + b, 0);
    const steps = candidates.map((params, c) => ({ params, total: total(c) }));
    return steps.sort((a, b) => b.total - a.total).map(({ params }) => params);
  };
  // Episodes of ten steps would measure resets. All candidates are tried briefly, the best ones longer.
  const rng = Generator.from(7);
  const all = Array.from({ length: 512 }, () => policy.sample(rng, 3));
  const [params] = await longest((await longest(all, 1)).slice(0, 16), 32);
  return { env, policy, params: params!, maxSteps };
}

/** A job of candidates with equal parameters, so that each is the same work. */
export function jobOf({ env, policy, params, maxSteps }: BenchWork, episodes: number, candidates = 1): RolloutJob {
  return { env, policy, candidates: Array.from({ length: candidates }, () => params), episodes, seed: 0, maxSteps };
}
