/** What the episodes of one candidate amount to, as plain numbers; every backend gives them, by the same definitions. */
import { R2poError } from '../base/errors.ts';
import { moments } from '../base/moments.ts';
import { placeRanks } from '../base/select.ts';
import {
  type EndCause,
  type Episodes,
  endCauses,
  firstSeed,
  type Measured,
  type Played,
  type PlayOptions,
  partOfJob,
  type RolloutJob,
} from './backend.ts';

/** Episodes that stand for the others; of equal ones the first. `median` and `mean`: whose return is closest to it. */
export const episodePicks = ['median', 'mean', 'worst', 'best', 'first'] as const;
export type EpisodePick = (typeof episodePicks)[number];

/** What is wanted of every candidate. */
export interface StatisticsRequest {
  /** an episode with at least this return is a success */
  readonly successThreshold: number;
  /** 0-based ranks of the returns that are wanted, ascending, none twice, at most `mostRanks` */
  readonly ranks: readonly number[];
}

/** What a GPU keeps count of at a time. */
export const mostRanks = 10;

export interface PickedOutcome {
  /** 0 ... episodes - 1 */
  readonly index: number;
  readonly return: number;
  readonly length: number;
}

export interface Statistics {
  readonly episodes: number;
  readonly mean: number;
  /** sample variance (n - 1); NaN for a single episode */
  readonly variance: number;
  /** the middle return, or the mean of the two middle ones */
  readonly median: number;
  /** the returns at the ranks that were asked for */
  readonly ordered: readonly number[];
  readonly picks: Readonly<Record<EpisodePick, PickedOutcome>>;
  readonly successes: number;
  readonly ends: Readonly<Record<EndCause, number>>;
  /** environment steps of all episodes, and of the shortest and the longest one */
  readonly steps: number;
  readonly shortest: number;
  readonly longest: number;
}

/** The error for a return that is no number: no comparison may ever see it. */
export function brokenReturn(value: number, seed: number): R2poError {
  return new R2poError(
    'stats',
    `expected finite returns, got ${value} in the episode with seed ${seed}; ` +
      'the policy drove the environment out of its numbers, try smaller parameters',
  );
}

/** The two middle ranks of `n` values, the same one for an odd number. */
export function middleRanks(n: number): readonly [number, number] {
  // Not by shifts, which take 2^31 for a negative number.
  return [Math.floor((n - 1) / 2), Math.floor(n / 2)];
}

/**
 * Statistics of the episodes of one candidate: `returns [E]`, `lengths [E]` in steps, `ends [E]` as indices into
 * `endCauses`; episode 0 has the seed `firstSeed`. Throws when there is no episode or a return is not finite.
 */
export function statisticsOf(
  returns: Float64Array,
  lengths: Uint32Array,
  ends: Uint8Array,
  firstSeed: number,
  { successThreshold, ranks }: StatisticsRequest,
): Statistics {
  const n = returns.length;
  if (n === 0) throw new R2poError('stats', 'expected at least one episode, got none');
  const tally = countAll(returns, lengths, ends, successThreshold);
  if (tally.broken >= 0) throw brokenReturn(returns[tally.broken], firstSeed + tally.broken);
  const { mean, variance } = moments(returns);
  const ordered = new Float64Array(returns);
  const [low, high] = middleRanks(n);
  placeRanks(
    ordered,
    [...ranks, low, high].sort((x, y) => x - y),
  );
  const median = (ordered[low] + ordered[high]) / 2;
  const picked = (index: number): PickedOutcome => ({ index, return: returns[index], length: lengths[index] });
  return {
    episodes: n,
    mean,
    variance,
    median,
    ordered: ranks.map((rank) => ordered[rank]),
    picks: {
      median: picked(nearestIndex(returns, median)),
      mean: picked(nearestIndex(returns, mean)),
      worst: picked(tally.worst),
      best: picked(tally.best),
      first: picked(0),
    },
    successes: tally.successes,
    ends: Object.fromEntries(endCauses.map((cause, code) => [cause, tally.ends[code]])) as Record<EndCause, number>,
    steps: tally.steps,
    shortest: tally.shortest,
    longest: tally.longest,
  };
}

/** Statistics of each candidate of raw outcomes. */
export function statisticsOfEach(
  { returns, lengths, ends }: Episodes,
  job: RolloutJob,
  request: StatisticsRequest,
): Statistics[] {
  const { candidates, episodes } = job;
  return candidates.map((_, c) => {
    const seed = firstSeed(job, c);
    const [from, to] = [c * episodes, (c + 1) * episodes];
    return statisticsOf(returns.subarray(from, to), lengths.subarray(from, to), ends.subarray(from, to), seed, request);
  });
}

/** Most episodes that are played before they are summed up, but for those of one candidate. */
const groupEpisodes = 2 ** 22;

/**
 * For a backend that brings every outcome to the host: plays some candidates after the other and keeps of each only its
 * statistics, so that memory does not grow with their number.
 */
export async function statisticsByPlaying(
  play: (job: RolloutJob, options: PlayOptions) => Promise<Episodes>,
  job: RolloutJob,
  request: StatisticsRequest,
  options: PlayOptions = {},
): Promise<Measured> {
  const started = performance.now();
  const size = Math.max(1, Math.floor(groupEpisodes / job.episodes));
  const groups: Statistics[][] = [];
  let steps = 0;
  let gpuSeconds: number | null = 0;
  let compileSeconds: number | null = 0;
  for (let from = 0; from < job.candidates.length; from += size) {
    const part = partOfJob(job, from, from + size);
    const played = await play(part, options);
    groups.push(statisticsOfEach(played, part, request));
    steps += played.steps;
    gpuSeconds = sumOf(gpuSeconds, played.gpuSeconds);
    compileSeconds = sumOf(compileSeconds, played.compileSeconds);
  }
  const seconds = (performance.now() - started) / 1000;
  return measuredFrom(groups.flat(), { steps, seconds, gpuSeconds, compileSeconds });
}

/** One entry per candidate. */
export function measuredFrom(statistics: readonly Statistics[], played: Played): Measured {
  const { steps, seconds, gpuSeconds, compileSeconds } = played;
  const means = Float64Array.from(statistics, ({ mean }) => mean);
  return { steps, seconds, gpuSeconds, compileSeconds, means, of: (candidate) => statistics[candidate] };
}

/** Unknown as soon as one of the two is. */
const sumOf = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b);

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
