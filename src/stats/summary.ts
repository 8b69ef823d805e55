/** What the episodes of one candidate amount to. */
import { R2poError } from '../base/errors.ts';
import { type EndCause, endCauses } from '../rollout/backend.ts';
import { meanInterval, moments } from './intervals.ts';
import { placeRanks } from './select.ts';

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
  const tally = countAll(returns, lengths, ends, successThreshold);
  if (tally.broken >= 0) {
    const { broken } = tally;
    throw new R2poError(
      'stats',
      `expected finite returns, got ${returns[broken]} in the episode with seed ${firstSeed + broken}; ` +
        'the policy drove the environment out of its numbers, try smaller parameters',
    );
  }
  const { worst, best, steps, successes } = tally;
  const ordered = new Float64Array(returns);
  const levels = quantileLevels.map(Number);
  placeRanks(
    ordered,
    [...levels.flatMap((q) => ranksOf(n, q)), (n - 1) >> 1, n >> 1].sort((x, y) => x - y),
  );
  const { mean, variance } = moments(returns);
  const std = n > 1 ? Math.sqrt(variance) : null;
  const stderr = std === null ? null : std / Math.sqrt(n);
  const median = (ordered[(n - 1) >> 1] + ordered[n >> 1]) / 2;
  const picked = (index: number): PickedEpisode => ({
    index,
    seed: firstSeed + index,
    return: returns[index],
    length: lengths[index],
  });
  return {
    episodes: n,
    mean,
    std,
    stderr,
    ci95: stderr === null ? null : meanInterval(mean, stderr, n),
    min: returns[worst],
    max: returns[best],
    median,
    quantiles: Object.fromEntries(quantileLevels.map((level) => [level, quantile(ordered, Number(level))])) as {
      [level in (typeof quantileLevels)[number]]: number;
    },
    success: { threshold: successThreshold, count: successes, rate: successes / n },
    length: { mean: steps / n, min: tally.shortest, max: tally.longest },
    ends: Object.fromEntries(endCauses.map((cause, code) => [cause, tally.ends[code]])) as Record<EndCause, number>,
    median_episode: picked(nearestIndex(returns, median)),
    mean_episode: picked(nearestIndex(returns, mean)),
    worst_episode: picked(worst),
    best_episode: picked(best),
    first_episode: picked(0),
    steps,
  };
}

/** The neighbours of the `q` quantile of `n` values, by their ranks. */
function ranksOf(n: number, q: number): [number, number] {
  const below = Math.floor(q * (n - 1));
  return [below, Math.min(below + 1, n - 1)];
}

/** The `q` quantile, linear between neighbours (NumPy's default method); its `ranksOf` must be in their places. */
export function quantile(ordered: Float64Array, q: number): number {
  const [below, above] = ranksOf(ordered.length, q);
  return ordered[below] + (q * (ordered.length - 1) - below) * (ordered[above] - ordered[below]);
}

export function pickOf(summary: Summary, pick: EpisodePick): PickedEpisode {
  return summary[`${pick}_episode`];
}

/** First index whose value is closest to `target`. */
function nearestIndex(values: Float64Array, target: number): number {
  let best = 0;
  let nearest = Math.abs(values[0] - target);
  for (let i = 1; i < values.length; i++) {
    const distance = Math.abs(values[i] - target);
    if (distance < nearest) {
      nearest = distance;
      best = i;
    }
  }
  return best;
}

/** What one look at each episode gives. */
function countAll(returns: Float64Array, lengths: Uint32Array, ends: Uint8Array, successThreshold: number) {
  const counts = new Uint32Array(endCauses.length);
  let [worst, best, broken, successes, steps, shortest, longest] = [0, 0, -1, 0, 0, lengths[0], lengths[0]];
  for (let i = 0; i < returns.length; i++) {
    const value = returns[i];
    if (!Number.isFinite(value) && broken < 0) broken = i;
    if (value < returns[worst]) worst = i;
    if (value > returns[best]) best = i;
    if (value >= successThreshold) successes++;
    const length = lengths[i];
    steps += length;
    if (length < shortest) shortest = length;
    if (length > longest) longest = length;
    counts[ends[i]]++;
  }
  return { worst, best, broken, successes, steps, shortest, longest, ends: counts };
}
