/** Statistics of one candidate's episodes, with the same definitions on every backend. */
import { R2poError } from '../base/errors.ts';
import { meanOf, RunningSquares } from '../base/moments.ts';
import { placeRanks } from '../base/order-statistics.ts';
import { type CountedEpisodes, EpisodeCounts, type EpisodeTotals } from './episode-counts.ts';
import { type EndCause, endCauses, firstSeed, type Played, type RolloutJob } from './job.ts';
import { Nearest, type OutcomeTotals, type PickedOutcome } from './outcome-counts.ts';

/** Representative episodes; ties go to the first. `median` and `mean`: the episode with the closest return. */
export const episodePicks = ['median', 'mean', 'worst', 'best', 'first'] as const;
/** One of `episodePicks`. */
export type EpisodePick = (typeof episodePicks)[number];

export interface StatisticsRequest {
  /** an episode with at least this return is a success */
  readonly successThreshold: number;
  /** 0-based ranks of the requested returns, ascending and distinct, at most `maxRanks` */
  readonly ranks: readonly number[];
}

/** The GPU counts so many at once. */
export const maxRanks = 10;

export interface Statistics {
  readonly episodes: number;
  readonly mean: number;
  /** sample variance (n - 1); NaN for a single episode */
  readonly variance: number;
  /** the middle return, or the mean of the two middle ones */
  readonly median: number;
  /** the returns at the requested ranks */
  readonly ordered: readonly number[];
  readonly picks: Readonly<Record<EpisodePick, PickedOutcome>>;
  readonly successes: number;
  readonly ends: Readonly<Record<EndCause, number>>;
  /** environment steps of all episodes, and of the shortest and the longest one */
  readonly steps: number;
  readonly shortest: number;
  readonly longest: number;
}

/** The outcomes of each candidate summed up. */
export interface Measured extends Played {
  /** mean return per candidate `[P]` */
  readonly means: Float64Array;
  /** `candidate` in 0 ... P - 1 */
  of(candidate: number): Statistics;
}

/** Of fewer episodes the memory of the counts would cost more than the order. */
export const countedEpisodes = 4096;

/** A return is infinite or NaN, and must not enter any comparison. */
export class BrokenReturnError extends R2poError {}

export function brokenReturn(value: number, seed: number): BrokenReturnError {
  return new BrokenReturnError(
    'stats',
    `expected finite returns, got ${value} in the episode with seed ${seed}; ` +
      'the state became infinite or NaN, try smaller parameters',
  );
}

/** What playing gives; null where a return is infinite or NaN. */
export async function unlessBroken<T>(playing: Promise<T>): Promise<T | null> {
  try {
    return await playing;
  } catch (error) {
    if (error instanceof BrokenReturnError) return null;
    throw error;
  }
}

/** The two middle ranks of `n` values, equal for an odd `n`. */
export function middleRanks(n: number): readonly [number, number] {
  // Not by shifts, which take 2^31 for a negative number.
  return [Math.floor((n - 1) / 2), Math.floor(n / 2)];
}

/**
 * Statistics of the episodes of one candidate: `returns [E]`, `lengths [E]` in steps, `ends [E]` as indices into
 * `endCauses`; episode 0 has the seed `firstSeed`. `totals`: what was counted of them. Throws when there is no episode or a
 * return is not finite.
 */
export function statisticsOf(
  returns: Float64Array,
  lengths: Uint32Array,
  ends: Uint8Array,
  firstSeed: number,
  { successThreshold, ranks }: StatisticsRequest,
  totals?: EpisodeTotals,
): Statistics {
  const n = returns.length;
  if (n === 0) throw new R2poError('stats', 'expected at least one episode, got none');
  const counts = new EpisodeCounts(successThreshold, n >= countedEpisodes);
  if (totals) counts.merge(totals, 0);
  else counts.add({ returns, lengths, ends }, 0);
  const { outcomes, returns: values } = counts;
  if (outcomes.broken !== null) throw brokenReturn(returns[outcomes.broken]!, firstSeed + outcomes.broken);
  const mean = values?.wholeMean() ?? meanOf(returns);
  const squares = new RunningSquares(mean);
  if (values) squares.addCounted(values.ascending());
  else squares.add(returns);
  const [low, high] = middleRanks(n);
  const order: ReturnOrder = values ?? orderOf(returns, [...ranks, low, high]);
  const median = (order.at(low) + order.at(high)) / 2;
  const picked = (target: number): PickedOutcome => {
    const index = order.nearest(target);
    return { index, return: returns[index]!, length: lengths[index]! };
  };
  return {
    mean,
    variance: n > 1 ? squares.sum / (n - 1) : NaN,
    median,
    ordered: ranks.map((rank) => order.at(rank)),
    ...countedStatistics(outcomes, { median: picked(median), mean: picked(mean) }),
  };
}

/** The returns at some ranks, and the index of the first one that is closest to a number. */
export interface ReturnOrder {
  at(rank: number): number;
  nearest(target: number): number;
}

function orderOf(returns: Float64Array, ranks: readonly number[]): ReturnOrder {
  const ordered = new Float64Array(returns);
  placeRanks(
    ordered,
    [...ranks].sort((x, y) => x - y),
  );
  const nearest = (target: number): number => {
    const search = new Nearest(target);
    search.add(returns);
    return search.index;
  };
  return { at: (rank) => ordered[rank]!, nearest };
}

/** The statistics that `counts` gives, with the two picks that need all returns. */
export function countedStatistics(
  counts: OutcomeTotals,
  nearest: { readonly median: PickedOutcome; readonly mean: PickedOutcome },
): Pick<Statistics, 'episodes' | 'picks' | 'successes' | 'ends' | 'steps' | 'shortest' | 'longest'> {
  const { episodes, worst, best, first, successes, steps, shortest, longest } = counts;
  const ends = Object.fromEntries(endCauses.map((cause, code) => [cause, counts.ends[code]])) as Statistics['ends'];
  return { episodes, picks: { ...nearest, worst, best, first }, successes, ends, steps, shortest, longest };
}

/** Statistics of each candidate of raw outcomes. */
export function statisticsOfEach(
  { returns, lengths, ends, totals }: CountedEpisodes,
  job: RolloutJob,
  request: StatisticsRequest,
): Statistics[] {
  const { candidates, episodes } = job;
  return candidates.map((_, c) => {
    const seed = firstSeed(job, c);
    const [from, to] = [c * episodes, (c + 1) * episodes];
    const own = [returns.subarray(from, to), lengths.subarray(from, to), ends.subarray(from, to)] as const;
    return statisticsOf(...own, seed, request, totals);
  });
}

/** One entry per candidate. */
export function measuredFrom(statistics: readonly Statistics[], played: Played): Measured {
  const { steps, seconds, gpuSeconds, compileSeconds } = played;
  const means = Float64Array.from(statistics, ({ mean }) => mean);
  return { steps, seconds, gpuSeconds, compileSeconds, means, of: (candidate) => statistics[candidate]! };
}
