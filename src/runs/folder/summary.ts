/** `summary.json`, derived from the totals of a run. */
import { z } from 'zod';
import type { Immutable } from '../../base/immutable.ts';
import type { Config, LlmConfig } from '../../config/schema.ts';
import { findEnv } from '../../envs/registry.ts';
import type { Summary } from '../../evaluation/summary.ts';
import { modelKinds } from '../../llm/chat.ts';
import { methodId } from '../../methods/index.ts';
import type { RecordEnd } from '../journal/record.ts';
import { type ModelCounts, type RunTotals, runStatuses } from '../journal/totals.ts';
import { costOfRun } from '../models/cost.ts';

/** The defaults of newer fields are their values in files of earlier versions. */
const tokens = {
  calls: z.number(),
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  /** of the prompt tokens those that a cache had, and that were written to one; null where no endpoint said */
  cached_tokens: z.number().nullable().default(null),
  cache_write_tokens: z.number().nullable().default(null),
  /** of the completion tokens; null where no endpoint said */
  reasoning_tokens: z.number().nullable().default(null),
};
const modelSummary = z.object(tokens);
export type ModelSummary = Immutable<z.output<typeof modelSummary>>;

/** A policy on episodes that the search did not play. */
const played = z.object({
  episodes: z.number(),
  mean: z.number(),
  ci95: z.tuple([z.number(), z.number()]).nullable(),
});

const playedOf = ({ episodes, mean, ci95 }: Summary): z.output<typeof played> => ({
  episodes,
  mean,
  ci95: ci95 && [...ci95],
});

/** Content of `summary.json`. Rewards are means over evaluation episodes; null before the first. */
export const runSummarySchema = z
  .object({
    status: z.enum(runStatuses),
    /** true for a run that was read from the log of another program; left out for any other */
    imported: z.boolean().optional(),
    env: z.string(),
    method: z.string(),
    /** what answers the search calls */
    model: z.string(),
    /** what answers the calls of each purpose; those of the search for both where there is no critic */
    models: z.object({ search: z.string(), critic: z.string() }).optional(),
    model_kind: z.enum(modelKinds),
    seed: z.number(),
    /** completed */
    iterations: z.number(),
    /** mean, highest and last of the kept means */
    mean_reward: z.number().nullable(),
    best_reward: z.number().nullable(),
    final_reward: z.number().nullable(),
    best: z
      .object({
        iteration: z.number(),
        params: z.array(z.number()),
        mean: z.number(),
        /** the same policy on fresh seeds: the number to report */
        rechecked: played.nullable(),
        /** the same policy on the held-out seeds; left out where the run plays none */
        holdout: played.optional(),
      })
      .nullable(),
    llm: z.object({
      /** of all models together; `calls`: answered ones, repair turns included */
      ...tokens,
      /** requests that were tried again, and calls that were given up */
      failed_calls: z.number(),
      unusable_replies: z.number(),
      /** by the name of the model that answered: a chain of fallbacks, or search and critic, may have several */
      by_model: z.record(z.string(), modelSummary).default({}),
      seconds: z.number(),
      /** by the prices of the configuration; null without one */
      cost_usd: z.number().nullable(),
    }),
    /** of the search: warm-up and evaluations, not the re-check */
    episodes: z.number(),
    steps: z.number(),
    /** of all sessions */
    wall_s: z.number(),
    backend: z.string(),
    adapter: z.string().nullable(),
    /** the record that it was made from: its lines, and the digest of the last one; earlier versions do not have it */
    record: z.object({ events: z.number(), digest: z.string().nullable() }).optional(),
  })
  .transform(({ models, ...summary }) => ({
    ...summary,
    models: models ?? { search: summary.model, critic: summary.model },
  }));

/** `summary.json`; docs/run-folders.md describes each field. */
export type RunSummary = Immutable<z.output<typeof runSummarySchema>>;

function countsOf(counts: ModelCounts): ModelSummary {
  return {
    calls: counts.calls,
    prompt_tokens: counts.promptTokens,
    completion_tokens: counts.completionTokens,
    cached_tokens: counts.cachedTokens,
    cache_write_tokens: counts.cacheWriteTokens,
    reasoning_tokens: counts.reasoningTokens,
  };
}

/** The facts of a summary that are not in the events. */
export type RunFacts = Pick<Config, 'env' | 'method' | 'seed'> & {
  /** left out where no model is asked */
  readonly model?: LlmConfig['model'];
  readonly prices?: LlmConfig['prices'];
  readonly evaluation: Pick<Config['evaluation'], 'backend'>;
};

/** `record`: how far the record goes that the totals are those of; `env`: where it is known by more than its name */
export function summarize(
  config: RunFacts,
  totals: RunTotals,
  record: RecordEnd,
  env = findEnv(config.env).id,
): RunSummary {
  const { best, rechecked, llm, answered, byModel, rows, kept } = totals;
  const { model: configured = 'none' } = config;
  const { calls, ...counts } = countsOf(answered);
  return {
    status: totals.status,
    ...(totals.imported && { imported: true }),
    env,
    method: methodId(config.method),
    model: totals.model ?? configured,
    models: totals.models ?? { search: configured, critic: configured },
    model_kind: totals.modelKind ?? 'model',
    seed: config.seed,
    iterations: rows.length,
    mean_reward: kept.count === 0 ? null : kept.sum / kept.count,
    best_reward: best?.mean ?? null,
    final_reward: kept.last,
    best: best && {
      iteration: best.iteration,
      params: best.params,
      mean: best.mean,
      rechecked: rechecked && playedOf(rechecked.summary),
      ...(rechecked?.holdout && { holdout: playedOf(rechecked.holdout.summary) }),
    },
    llm: {
      calls,
      failed_calls: llm.failedCalls,
      unusable_replies: llm.unusable,
      ...counts,
      by_model: Object.fromEntries([...byModel].map(([name, counts]) => [name, countsOf(counts)])),
      seconds: llm.seconds,
      cost_usd: costOfRun({ prices: config.prices ?? {} }, totals),
    },
    episodes: totals.episodes,
    steps: totals.steps,
    wall_s: totals.wallSeconds,
    backend: totals.backend ?? config.evaluation.backend,
    adapter: totals.adapter,
    record,
  };
}
