/** What the evaluations and the re-check of a training will play: `--backend auto` follows from it where there is no GPU. */
import { findEnv } from '../envs/registry.ts';
import { buildPolicy } from '../policies/index.ts';
import type { PolicyOptions } from '../policies/policy.ts';
import { type ExpectedWork, valuesPerStep } from '../rollout/auto.ts';
import type { Algorithm } from './algorithms.ts';
import type { BaselineConfig } from './settings.ts';

/** The smallest policies of each class by default: which one it is, only the trainer knows. */
const smallest: Readonly<Record<Algorithm['policy'], { readonly kind: string; readonly options: PolicyOptions }>> = {
  MlpPolicy: { kind: 'mlp', options: { hidden: [64, 64] } },
  LinearPolicy: { kind: 'linear', options: {} },
};

function valuesOf({ sb3 }: BaselineConfig, env: ExpectedWork['env']): number {
  if (env.observation.kind === 'discrete') return 0;
  const { kind, options } = sb3.policy in smallest ? smallest[sb3.policy as Algorithm['policy']] : smallest.MlpPolicy;
  return valuesPerStep(buildPolicy(kind, env, options));
}

export function workOfTraining(config: BaselineConfig): ExpectedWork {
  const { iterations, evaluation, recheck } = config;
  const env = findEnv(config.env);
  return {
    env,
    values: valuesOf(config, env),
    episodes: iterations * evaluation.episodes + recheck.episodes,
    maxSteps: evaluation.max_steps,
  };
}
