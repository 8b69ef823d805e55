/** The settings of a method from the configuration of a run. */
import type { Env } from '../envs/env.ts';
import type { SearchSettings } from '../methods/settings.ts';
import type { Config, LlmConfig } from './schema.ts';

/** How the candidates of any run are played. */
export type EpisodeSettings = Pick<SearchSettings, 'evaluationEpisodes' | 'maxSteps' | 'successThreshold'>;

/** `env` is the environment of the configuration, with the default success threshold. */
export function episodeSettings({ evaluation }: Pick<Config, 'evaluation'>, env: Env): EpisodeSettings {
  return {
    successThreshold: successThreshold(evaluation, env),
    evaluationEpisodes: evaluation.episodes,
    maxSteps: evaluation.max_steps,
  };
}

/** The settings of a search with language models. */
export function toSettings(config: LlmConfig, env: Env): SearchSettings {
  const { parameters, prompt, search, critic, warmup } = config;
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
    ...episodeSettings(config, env),
    trajectoryTokens: critic.trajectory_tokens,
    statistics: critic.statistics,
    historyExcerpts: critic.history_excerpts,
    sensitivityEpisodes: critic.sensitivity_episodes,
    selection: config.selection,
    historyWindow: search.history,
    duplicates: search.duplicates,
    ...(search.proposals && { proposals: search.proposals }),
    ...(search.proposals_by && { proposalsBy: search.proposals_by }),
    repairTurns: search.repair_turns,
    warmupPolicies: warmup.policies,
    warmupSpread: warmup.spread,
    warmupInside: warmup.inside,
    warmupDir: warmup.dir,
  };
}

function successThreshold({ success_threshold, success_tolerance }: Config['evaluation'], env: Env): number {
  const threshold = success_threshold ?? env.success.threshold;
  return threshold - success_tolerance * Math.max(1, Math.abs(threshold));
}
