/** What the episodes of one candidate amount to. */
import { R2poError } from '../base/errors.ts';
import { type EndCause, endCauses } from '../rollout/backend.ts';
import { meanInterval, moments } from './intervals.ts';

export const quantileLevels = ['0.05', '0.25', '0.5', '0.75', '0.95'] as const;

/** Episodes that stand for the others; of equal ones the first. `median` and `mean`: whose return is closest to it. */
export const episodePicks = ['median', 'mean', 'worst', 'best', 'first'] as const;
export type EpisodePick = (typeof episodePicks)[number];

export interface PickedEpisode {
  readonly index: number;
  readonly seed: number;
  readonly return: number;
  readonly length: number;
}

/** Statistics of one candidate over its episodes. Field names are those of `r2po eval --json`. */
export interface Summary {
  readonly episodes: number;
  readonly mean: number;
  /** sample standard deviation (n - 1); null for a single episode */
  readonly std: number | null;
  readonly stderr: number | null;
  /** Student t interval of the mean; null for a single episode */
  readonly ci95: readonly [number, number] | null;
  readonly min: number;
  readonly max: number;
  /** the middle return, or the mean of the two middle ones */
  readonly median: number;
  /** linear interpolation between neighbours, as NumPy's default */
  readonly quantiles: Readonly<Record<(typeof quantileLevels)[number], number>>;
  readonly success: { readonly threshold: number; readonly count: number; readonly rate: number };
  readonly length: { readonly mean: number; readonly min: number; readonly max: number };
  readonly ends: Readonly<Record<EndCause, number>>;
  readonly median_episode: PickedEpisode;
  readonly mean_episode: PickedEpisode;
  readonly worst_episode: PickedEpisode;
  readonly best_episode: PickedEpisode;
  readonly first_episode: PickedEpisode;
  readonly steps: number;
}

export interface SummaryOptions {
  /** seed of episode 0; episode i has seed `firstSeed + i` */
  readonly firstSeed: number;
  /** an episode with at least this return is a success */
  readonly successThreshold: number;
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
  const n = returns.length;
  if (n === 0) throw new R2poError('stats', 'expected at least one episode, got none');
  const broken = returns.findIndex((r) => !Number.isFinite(r));
  if (broken >= 0) {
    throw new R2poError(
      'stats',
      `expected finite returns, got ${returns[broken]} in the episode with seed ${firstSeed + broken}; ` +
        'the policy drove the environment out of its numbers, try smaller parameters',
    );
  }
  const sorted = returns.toSorted();
  const { mean, variance } = moments(returns);
  const std = n > 1 ? Math.sqrt(variance) : null;
  const stderr = std === null ? null : std / Math.sqrt(n);
  const median = (sorted[(n - 1) >> 1] + sorted[n >> 1]) / 2;
  const picked = (index: number): PickedEpisode => ({
    index,
    seed: firstSeed + index,
    return: returns[index],
    length: lengths[index],
  });
  const successes = returns.reduce((count, r) => count + (r >= successThreshold ? 1 : 0), 0);
  const steps = lengths.reduce((sum, length) => sum + length, 0);
  return {
    episodes: n,
    mean,
    std,
    stderr,
    ci95: stderr === null ? null : meanInterval(mean, stderr, n),
    min: sorted[0],
    max: sorted[n - 1],
    median,
    quantiles: Object.fromEntries(quantileLevels.map((level) => [level, quantile(sorted, Number(level))])) as {
      [level in (typeof quantileLevels)[number]]: number;
    },
    success: { threshold: successThreshold, count: successes, rate: successes / n },
    length: {
      mean: steps / n,
      min: lengths.reduce((a, b) => Math.min(a, b)),
      max: lengths.reduce((a, b) => Math.max(a, b)),
    },
    ends: countEnds(ends),
    median_episode: picked(nearestIndex(returns, median)),
    mean_episode: picked(nearestIndex(returns, mean)),
    worst_episode: picked(returns.indexOf(sorted[0])),
    best_episode: picked(returns.indexOf(sorted[n - 1])),
    first_episode: picked(0),
    steps,
  };
}

/** The `q` quantile of ascending values, linear between neighbours (NumPy's default method). */
export function quantile(sorted: Float64Array, q: number): number {
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

export function pickOf(summary: Summary, pick: EpisodePick): PickedEpisode {
  return summary[`${pick}_episode`];
}

/** First index whose value is closest to `target`. */
function nearestIndex(values: Float64Array, target: number): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) {
    if (Math.abs(values[i] - target) < Math.abs(values[best] - target)) best = i;
  }
  return best;
}

function countEnds(ends: Uint8Array): Record<EndCause, number> {
  const counts = endCauses.map(() => 0);
  for (const end of ends) counts[end]++;
  return Object.fromEntries(endCauses.map((cause, code) => [cause, counts[code]])) as Record<EndCause, number>;
}
