/**
 * Statistics for backends that bring every outcome to the host, in bounded memory: many candidates are played in groups,
 * and many episodes of one candidate in parts.
 */
import { RunningMean, RunningSquares } from '../base/moments.ts';
import { RankSearch, rankPasses } from '../base/multi-pass-ranks.ts';
import type { PlayOptions } from './backend.ts';
import { type CountedEpisodes, type CountingOptions, EpisodeCounts } from './episode-counts.ts';
import { type Episodes, firstSeed, type Played, partOfJob, type RolloutJob } from './job.ts';
import { Nearest, type PickedOutcome } from './outcome-counts.ts';
import {
  brokenReturn,
  countedEpisodes,
  countedStatistics,
  type Measured,
  measuredFrom,
  middleRanks,
  type ReturnOrder,
  type Statistics,
  type StatisticsRequest,
  statisticsOfEach,
} from './statistics.ts';

export type Play = (job: RolloutJob, options: CountingOptions) => Promise<CountedEpisodes>;

/** Which outcomes a part holds: of this candidate, from this episode on. */
export interface PartOf {
  readonly candidate: number;
  readonly first: number;
}

/** Receives every outcome once, in order; awaited. */
export type OutcomeSink = (outcomes: Episodes, part: PartOf) => Promise<void>;

export interface HostStatisticsOptions extends PlayOptions {
  readonly sink?: OutcomeSink;
  /** maximum number of episodes of a part */
  readonly part?: number;
  /** bytes that the returns of one candidate may take; beyond, episodes are played again for each pass over them */
  readonly memory?: number;
}

/** Outcomes that are in memory at a time, 13 bytes each: enough that waking the workers takes no time. */
const defaultPart = 2 ** 20;
/** As on a GPU. */
const defaultMemory = 2 ** 30;

/** As `Backend.measure`: plays what the job asks for and keeps of each candidate only its statistics. */
export async function hostStatistics(
  play: Play,
  job: RolloutJob,
  request: StatisticsRequest,
  options: HostStatisticsOptions = {},
): Promise<Measured> {
  const { part = defaultPart, sink, onProgress } = options;
  const started = performance.now();
  const total = job.candidates.length;
  const spent = new Spent();
  const statistics: Statistics[] = [];
  const size = sink ? 1 : Math.max(1, Math.floor(part / job.episodes));
  for (let from = 0; from < total; from += size) {
    const some = partOfJob(job, from, from + size);
    const given = within(options, (share) => onProgress?.((from + share * some.candidates.length) / total));
    if (job.episodes <= part) {
      const played = await play(some, { ...given, ...countingOf(some, request) });
      given.onProgress?.(1);
      spent.add(played);
      for (const one of statisticsOfEach(played, some, request)) statistics.push(one);
      await sink?.(played, { candidate: from, first: 0 });
    } else {
      statistics.push(
        await new StreamedStatistics(play, some, request, { ...options, ...given, part }, spent).run(from),
      );
    }
  }
  return measuredFrom(statistics, { ...spent.played, seconds: (performance.now() - started) / 1000 });
}

/** Threads that play many episodes count them, too. */
function countingOf({ candidates, episodes }: RolloutJob, { successThreshold }: StatisticsRequest): CountingOptions {
  return candidates.length === 1 && episodes >= countedEpisodes ? { countSuccesses: successThreshold } : {};
}

/** The options of an inner call, with its own progress callback. */
function within({ signal, timing, sink }: HostStatisticsOptions, onProgress: (share: number) => void): PlayOptions {
  // A sink may need the outcomes for longer.
  return { ...(signal && { signal }), timing: timing ?? false, transient: !sink, onProgress };
}

/** The sums of several calls. */
class Spent {
  played: Omit<Played, 'seconds'> = { steps: 0, gpuSeconds: 0, compileSeconds: 0 };

  add({ steps, gpuSeconds, compileSeconds }: Played): void {
    const { played } = this;
    this.played = {
      steps: played.steps + steps,
      gpuSeconds: sumOf(played.gpuSeconds, gpuSeconds),
      compileSeconds: sumOf(played.compileSeconds, compileSeconds),
    };
  }
}

/** null (unknown) when one of the two is null. */
const sumOf = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b);

/** The episodes of a job with one candidate in parts. The same statistics as `statisticsOf`, to the last bit. */
class StreamedStatistics {
  readonly #play: Play;
  readonly #job: RolloutJob;
  readonly #request: StatisticsRequest;
  readonly #options: HostStatisticsOptions & { readonly part: number };
  readonly #spent: Spent;
  /** the returns by parts, where they fit and are needed */
  readonly #held: (Float64Array | Float32Array)[] | null;
  #plays = 0;
  /** how often all episodes are played, as far as it is known */
  #passes = 1;
  #share = 0;

  constructor(
    play: Play,
    job: RolloutJob,
    request: StatisticsRequest,
    options: HostStatisticsOptions & { readonly part: number },
    spent: Spent,
  ) {
    this.#play = play;
    this.#job = job;
    this.#request = request;
    this.#options = options;
    this.#spent = spent;
    this.#held = job.episodes * Float64Array.BYTES_PER_ELEMENT <= (options.memory ?? defaultMemory) ? [] : null;
  }

  /** `candidate`: its index for the sink. */
  async run(candidate: number): Promise<Statistics> {
    const { episodes } = this.#job;
    const seed = firstSeed(this.#job, 0);
    const [low, high] = middleRanks(episodes);
    const ranks = [...new Set([...this.#request.ranks, low, high])];
    const counts = new EpisodeCounts(this.#request.successThreshold);
    const { outcomes: counted } = counts;
    let search: RankSearch | null = null;
    const running = new RunningMean();
    /** The first ones, which were not kept, and those that the search was not given. */
    let [unkept, unsearched] = [episodes, 0];
    for await (const { first, outcomes } of this.#parts()) {
      this.#spent.add(outcomes);
      const { returns, totals } = outcomes;
      if (totals) counts.merge(totals, first);
      else counts.add(outcomes, first);
      if (counted.broken !== null) throw brokenReturn(returns[counted.broken - first]!, seed + counted.broken);
      if (!search && !counts.returns) {
        search = new RankSearch(ranks);
        for (const before of this.#held ?? []) search.add(new Float64Array(before));
        unsearched = this.#held ? Math.min(unkept, first) : first;
        if (this.#held === null) this.#passes = rankPasses + 1;
      }
      search?.add(returns);
      // Counts of whole numbers give everything.
      if ((counts.returns?.wholeMean() ?? null) === null) {
        unkept = Math.min(unkept, first);
        this.#keep(returns, running);
      }
      await this.#options.sink?.(outcomes, { candidate, first });
    }
    const values = counts.returns;
    const wholeMean = values?.wholeMean() ?? null;
    if (wholeMean === null) {
      const later = this.#held?.splice(0) ?? [];
      for await (const { first, returns } of this.#firstParts(Math.max(unkept, unsearched))) {
        if (first < unsearched) search?.add(returns);
        if (first < unkept) this.#keep(returns, running);
      }
      this.#held?.push(...later);
      for (const returns of this.#held ?? []) running.add(returns);
    }
    const mean = wholeMean ?? running.mean;
    const squares = new RunningSquares(mean);
    if (values) squares.addCounted(values.ascending());
    const order = values ?? (await this.#searched(search!, mean, squares));
    const median = (order.at(low) + order.at(high)) / 2;
    return {
      mean,
      variance: episodes > 1 ? squares.sum / (episodes - 1) : NaN,
      median,
      ordered: this.#request.ranks.map((rank) => order.at(rank)),
      ...countedStatistics(counted, {
        median: await this.#outcomeAt(order.nearest(median)),
        mean: await this.#outcomeAt(order.nearest(mean)),
      }),
    };
  }

  #keep(returns: Float64Array, running: RunningMean): void {
    if (this.#held) this.#held.push(compact(returns));
    else running.add(returns);
  }

  /** Plays the first episodes again: counts of them seemed to be enough. */
  async *#firstParts(episodes: number): AsyncGenerator<{ readonly first: number; readonly returns: Float64Array }> {
    const { part } = this.#options;
    const silent = within(this.#options, () => undefined);
    for (let first = 0; first < episodes; first += part) {
      const some = { ...this.#job, episodes: Math.min(part, episodes - first), seed: firstSeed(this.#job, 0) + first };
      yield { first, returns: (await this.#play(some, silent)).returns };
    }
  }

  /** The further passes over all returns, after the first one of `search`. */
  async #searched(search: RankSearch, mean: number, squares: RunningSquares): Promise<ReturnOrder> {
    const [low, high] = middleRanks(this.#job.episodes);
    search.endPass();
    const nearMean = new Nearest(mean);
    for (let pass = 1; pass < rankPasses; pass++) {
      for await (const returns of this.#again()) {
        search.add(returns);
        if (pass > 1) continue;
        squares.add(returns);
        nearMean.add(returns);
      }
      search.endPass();
    }
    const median = (search.at(low) + search.at(high)) / 2;
    const nearMedian = new Nearest(median);
    const closest = Math.min(Math.abs(search.at(low) - median), Math.abs(search.at(high) - median));
    for await (const returns of this.#again()) {
      nearMedian.add(returns);
      // No later episode can be closer, and ties go to the first.
      if (Math.abs(nearMedian.value - median) === closest) break;
    }
    return { at: (rank) => search.at(rank), nearest: (target) => (target === mean ? nearMean : nearMedian).index };
  }

  /** Plays all episodes. The next part is played while the caller works on one. */
  async *#parts(): AsyncGenerator<{ readonly first: number; readonly outcomes: CountedEpisodes }> {
    const { episodes } = this.#job;
    const seed = firstSeed(this.#job, 0);
    const { part } = this.#options;
    const playPart = (first: number): Promise<CountedEpisodes> => {
      const count = Math.min(part, episodes - first);
      const some = { ...this.#job, episodes: count, seed: seed + first };
      const options = within(this.#options, (share) => this.#report(first + share * count));
      const played = this.#play(some, { ...options, ...countingOf(some, this.#request) });
      // Awaited below; until then this avoids an unhandled-rejection warning.
      played.catch(() => undefined);
      return played;
    };
    let next: Promise<CountedEpisodes> | null = playPart(0);
    try {
      for (let first = 0; next !== null; first += part) {
        const outcomes: CountedEpisodes = await next;
        // A short part reports no progress of its own.
        this.#report(Math.min(first + part, episodes));
        next = first + part < episodes ? playPart(first + part) : null;
        yield { first, outcomes };
      }
    } finally {
      await next?.catch(() => undefined);
    }
    this.#plays++;
  }

  /** All returns once more, by parts. */
  async *#again(): AsyncGenerator<Float64Array> {
    if (this.#held === null) {
      for await (const { outcomes } of this.#parts()) yield outcomes.returns;
      return;
    }
    for (const returns of this.#held) {
      this.#options.signal?.throwIfAborted();
      yield returns instanceof Float64Array ? returns : new Float64Array(returns);
    }
  }

  /** Its length was not kept. */
  async #outcomeAt(index: number): Promise<PickedOutcome> {
    const one = { ...this.#job, episodes: 1, seed: firstSeed(this.#job, 0) + index };
    const { returns, lengths } = await this.#play(
      one,
      within(this.#options, () => undefined),
    );
    return { index, return: returns[0]!, length: lengths[0]! };
  }

  /** Counts the passes too where they play the episodes again. */
  #report(played: number): void {
    // Never less than before, when a pass more turns out to be needed.
    this.#share = Math.max(this.#share, (this.#plays + played / this.#job.episodes) / this.#passes);
    this.#options.onProgress?.(this.#share);
  }
}

/** A copy, as f32 where no digit is lost: whole numbers, and all returns of a GPU. */
function compact(returns: Float64Array): Float64Array | Float32Array {
  const short = new Float32Array(returns.length);
  for (let i = 0; i < returns.length; i++) {
    short[i] = returns[i]!;
    if (short[i] !== returns[i]) return returns.slice();
  }
  return short;
}
