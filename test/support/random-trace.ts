/** An episode of a random policy of an environment. */
import { Generator } from '../../src/base/rng/generator.ts';
import type { Env } from '../../src/envs/env.ts';
import { buildPolicy, policyKinds } from '../../src/policies/index.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import type { Trace } from '../../src/rollout/job.ts';

const cpu = openCpuBackend({ threads: 1 });

export async function randomTrace(env: Env, seed: number): Promise<Trace> {
  const kind = policyKinds.find((k) => k.accepts(env) === null);
  const policy = buildPolicy(kind?.id ?? 'linear', env);
  const candidates = [policy.sample(Generator.from(seed), 3)];
  return cpu.trace({ env, policy, candidates, episodes: 1, seed, maxSteps: env.timeLimit ?? 40 }, 0, 0);
}
