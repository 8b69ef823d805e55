/** The settings of a method from the configuration of a run. */
import type { Env } from '../envs/env.ts';
import type { SearchSettings } from '../methods/settings.ts';
import type { Config } from './schema.ts';

/** `env` is the environment of the configuration, with the default success threshold. */
export function toSettings(config: Config, env: Env): SearchSettings {
  const { parameters, prompt, search, critic, warmup, evaluation } = config;
  return {
    prompt: {
      knowledge: prompt.knowledge,
      explanation: prompt.explanation,
      rewardDecimals: prompt.reward_decimals,
      countFrom: prompt.count_from,
    },
    iterations: config.iterations,
    parameters: {
      low: parameters.low,
      high: parameters.high,
      decimals: parameters.decimals,
      outOfRange: parameters.out_of_range,
    },
    optimum: search.optimum,
    stepSize: search.step_size,
    conservativeThreshold: critic.conservative_threshold,
    successThreshold: successThreshold(evaluation, env),
    trajectoryTokens: critic.trajectory_tokens,
    statistics: critic.statistics,
    historyExcerpts: critic.history_excerpts,
    sensitivityEpisodes: critic.sensitivity_episodes,
    selection: config.selection,
    historyWindow: search.history,
    duplicates: search.duplicates,
    repairTurns: search.repair_turns,
    warmupPolicies: warmup.policies,
    warmupSpread: warmup.spread,
    warmupInside: warmup.inside,
    warmupDir: warmup.dir,
    evaluationEpisodes: evaluation.episodes,
    maxSteps: evaluation.max_steps,
  };
}

function successThreshold({ success_threshold, success_tolerance }: Config['evaluation'], env: Env): number {
  const threshold = success_threshold ?? env.success.threshold;
  return threshold - success_tolerance * Math.max(1, Math.abs(threshold));
}
