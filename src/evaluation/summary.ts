/** The summary of one candidate's episodes. */
import { neighbours, quantile } from '../base/order-statistics.ts';
import type { EndCause } from '../rollout/job.ts';
import { type EpisodePick, type Statistics, statisticsOf } from '../rollout/statistics.ts';
import { meanInterval } from '../stats/intervals.ts';

export const quantileLevels = ['0.05', '0.25', '0.5', '0.75', '0.95'] as const;

export interface PickedEpisode {
  readonly index: number;
  readonly seed: number;
  readonly return: number;
  readonly length: number;
}

/** Statistics of one candidate over its episodes. Field names are those of `r2po eval --json`. */
export interface Summary {
  /** number of episodes */
  readonly episodes: number;
  /** mean return */
  readonly mean: number;
  /** sample standard deviation (n - 1); null for a single episode */
  readonly std: number | null;
  /** standard error of the mean; null for a single episode */
  readonly stderr: number | null;
  /** Student t interval of the mean; null for a single episode */
  readonly ci95: readonly [number, number] | null;
  /** lowest return */
  readonly min: number;
  /** highest return */
  readonly max: number;
  /** the middle return, or the mean of the two middle ones */
  readonly median: number;
  /** linear interpolation between neighbours, as NumPy's default */
  readonly quantiles: Readonly<Record<(typeof quantileLevels)[number], number>>;
  /** episodes with a return of at least the threshold */
  readonly success: {
    /** least return of a success */
    readonly threshold: number;
    /** number of successes */
    readonly count: number;
    /** their share, 0 ... 1 */
    readonly rate: number;
  };
  /** steps per episode */
  readonly length: {
    /** mean length */
    readonly mean: number;
    /** length of the shortest one */
    readonly min: number;
    /** length of the longest one */
    readonly max: number;
  };
  /** episodes by what ended them */
  readonly ends: Readonly<Record<EndCause, number>>;
  /** the episode nearest the median return */
  readonly median_episode: PickedEpisode;
  /** the episode nearest the mean return */
  readonly mean_episode: PickedEpisode;
  /** the episode with the lowest return */
  readonly worst_episode: PickedEpisode;
  /** the episode with the highest return */
  readonly best_episode: PickedEpisode;
  /** the episode of the first seed */
  readonly first_episode: PickedEpisode;
  /** steps of all episodes */
  readonly steps: number;
}

export interface SummaryOptions {
  /** seed of episode 0; episode i has seed `firstSeed + i` */
  readonly firstSeed: number;
  /** an episode with at least this return is a success */
  readonly successThreshold: number;
}

/** The ranks of the returns that a summary of `n` episodes is made from. */
export function summaryRanks(n: number): number[] {
  const ranks = quantileLevels.flatMap((level) => neighbours(n, Number(level)));
  return [...new Set(ranks)].sort((a, b) => a - b);
}

/** The summary of one candidate from its statistics, which must hold the `summaryRanks`. */
export function summaryOf(statistics: Statistics, { firstSeed, successThreshold }: SummaryOptions): Summary {
  const { episodes: n, mean, variance, median, picks, ordered } = statistics;
  const std = n > 1 ? Math.sqrt(variance) : null;
  const stderr = std === null ? null : std / Math.sqrt(n);
  const ranks = summaryRanks(n);
  const picked = (pick: EpisodePick): PickedEpisode => {
    const { index, ...outcome } = picks[pick];
    return { index, seed: firstSeed + index, ...outcome };
  };
  return {
    episodes: n,
    mean,
    std,
    stderr,
    ci95: stderr === null ? null : meanInterval(mean, stderr, n),
    min: picks.worst.return,
    max: picks.best.return,
    median,
    quantiles: Object.fromEntries(
      quantileLevels.map((level) => [level, quantile(n, Number(level), (rank) => ordered[ranks.indexOf(rank)]!)]),
    ) as { [level in (typeof quantileLevels)[number]]: number },
    success: { threshold: successThreshold, count: statistics.successes, rate: statistics.successes / n },
    length: { mean: statistics.steps / n, min: statistics.shortest, max: statistics.longest },
    ends: statistics.ends,
    median_episode: picked('median'),
    mean_episode: picked('mean'),
    worst_episode: picked('worst'),
    best_episode: picked('best'),
    first_episode: picked('first'),
    steps: statistics.steps,
  };
}

/**
 * Summarises the episodes of one candidate: `returns [E]`, `lengths [E]` in steps, `ends [E]` as indices into
 * `endCauses`. Throws when there is no episode or a return is not finite, so that no comparison ever sees a NaN.
 */
export function summarise(
  returns: Float64Array,
  lengths: Uint32Array,
  ends: Uint8Array,
  options: SummaryOptions,
): Summary {
  const { firstSeed, successThreshold } = options;
  const request = { successThreshold, ranks: summaryRanks(returns.length) };
  return summaryOf(statisticsOf(returns, lengths, ends, firstSeed, request), options);
}

export function pickOf(summary: Summary, pick: EpisodePick): PickedEpisode {
  return summary[`${pick}_episode`];
}

/** The statistics of a document: `episodes` stands elsewhere there, and the median episode is the only single one. */
export function summaryStatistics(summary: Summary) {
  const { episodes: _, mean_episode, worst_episode, best_episode, first_episode, ...rest } = summary;
  return rest;
}
