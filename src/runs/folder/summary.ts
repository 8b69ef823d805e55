/** `summary.json` and `metrics.csv`, made from what the events of a run add up to. */
import type { Config } from '../../config/schema.ts';
import { findEnv } from '../../envs/index.ts';
import { costOfRun } from '../models/cost.ts';
import type { ModelKind } from '../../llm/chat.ts';
import type { IterationRow, ModelCounts, RunStatus, RunTotals } from '../journal/totals.ts';

/** Content of `summary.json`. Rewards are means over evaluation episodes; null where there is none yet. */
export interface RunSummary {
  readonly status: RunStatus;
  /** true for a run that was read from the log of another program; left out for any other */
  readonly imported?: boolean;
  readonly env: string;
  readonly method: string;
  /** what answers the search calls */
  readonly model: string;
  /** what answers the calls of each purpose; those of the search stand for both where there is no critic */
  readonly models: { readonly search: string; readonly critic: string };
  readonly model_kind: ModelKind;
  readonly seed: number;
  /** completed */
  readonly iterations: number;
  /** mean, highest and last of the kept means */
  readonly mean_reward: number | null;
  readonly best_reward: number | null;
  readonly final_reward: number | null;
  readonly best: {
    readonly iteration: number;
    readonly params: readonly number[];
    readonly mean: number;
    /** the same policy on fresh seeds: the number to report */
    readonly rechecked: {
      readonly episodes: number;
      readonly mean: number;
      readonly ci95: readonly [number, number] | null;
    } | null;
  } | null;
  readonly llm: {
    /** answered calls, repair turns included */
    readonly calls: number;
    /** requests that were tried again, and calls that were given up */
    readonly failed_calls: number;
    readonly unusable_replies: number;
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    /** of the prompt tokens those that a cache had, and that were written to one; null where no endpoint said */
    readonly cached_tokens: number | null;
    readonly cache_write_tokens: number | null;
    /** of the completion tokens; null where no endpoint said */
    readonly reasoning_tokens: number | null;
    /** by the name of the model that answered: a chain of fallbacks, or search and critic, may have several */
    readonly by_model: Readonly<Record<string, ModelSummary>>;
    readonly seconds: number;
    /** by the prices of the configuration; null without one */
    readonly cost_usd: number | null;
  };
  /** of the search: warm-up and evaluations, not the re-check */
  readonly episodes: number;
  readonly steps: number;
  /** of all sessions */
  readonly wall_s: number;
  readonly backend: string;
  readonly adapter: string | null;
}

export interface ModelSummary {
  readonly calls: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly cached_tokens: number | null;
  readonly cache_write_tokens: number | null;
  readonly reasoning_tokens: number | null;
}

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

function average(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
}

/** What a summary says of a run beside its events. */
export type RunFacts = Pick<Config, 'env' | 'method' | 'model' | 'seed' | 'prices'> & {
  readonly evaluation: Pick<Config['evaluation'], 'backend'>;
};

export function summarize(config: RunFacts, totals: RunTotals): RunSummary {
  const { best, rechecked, llm, answered, byModel, rows } = totals;
  const { calls, ...tokens } = countsOf(answered);
  const kept = rows.flatMap((row) => (row.mean === null ? [] : [row.mean]));
  return {
    status: totals.status,
    ...(totals.imported && { imported: true }),
    env: findEnv(config.env).id,
    method: config.method,
    model: totals.model ?? config.model,
    models: totals.models ?? { search: config.model, critic: config.model },
    model_kind: totals.modelKind ?? 'model',
    seed: config.seed,
    iterations: rows.length,
    mean_reward: average(kept),
    best_reward: best?.mean ?? null,
    final_reward: kept.at(-1) ?? null,
    best: best && {
      iteration: best.iteration,
      params: best.params,
      mean: best.mean,
      rechecked: rechecked && {
        episodes: rechecked.summary.episodes,
        mean: rechecked.summary.mean,
        ci95: rechecked.summary.ci95,
      },
    },
    llm: {
      calls,
      failed_calls: llm.failedCalls,
      unusable_replies: llm.unusable,
      ...tokens,
      by_model: Object.fromEntries([...byModel].map(([name, counts]) => [name, countsOf(counts)])),
      seconds: llm.seconds,
      cost_usd: costOfRun(config, totals),
    },
    episodes: totals.episodes,
    steps: totals.steps,
    wall_s: totals.wallSeconds,
    backend: totals.backend ?? config.evaluation.backend,
    adapter: totals.adapter,
  };
}

/** Columns before and behind the means of the candidates; new ones go to the end, for readers that count columns. */
const columns = {
  first: ['iteration', 'episodes', 'steps', 'kept', 'mean', 'std', 'median', 'min', 'max', 'best'],
  last: [
    'unusable_replies',
    'prompt_tokens',
    'completion_tokens',
    'llm_seconds',
    'wall_s',
    'llm_calls',
    'cached_tokens',
    'cache_write_tokens',
    'reasoning_tokens',
  ],
} as const satisfies Record<string, readonly Exclude<keyof IterationRow, 'candidates'>[]>;

/** Candidates that always have a column; those of any other label come last. */
const fixedLabels = ['proposal', 'revision'];

/** One row per iteration; an empty cell where there is no value. */
export function metricsCsv(rows: readonly IterationRow[]): string {
  const labels = new Set(rows.flatMap(({ candidates }) => Object.keys(candidates)));
  const others = [...labels].filter((label) => !fixedLabels.includes(label));
  const cells = (row: IterationRow) => [
    ...columns.first.map((name) => row[name]),
    ...fixedLabels.map((label) => row.candidates[label]),
    ...columns.last.map((name) => row[name]),
    ...others.map((label) => row.candidates[label]),
  ];
  const header = [...columns.first, ...fixedLabels, ...columns.last, ...others].join(',');
  return [header, ...rows.map((row) => cells(row).map((cell) => cell ?? '').join(',')), ''].join('\n');
}
