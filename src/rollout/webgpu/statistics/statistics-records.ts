/** The records that shaders/statistics.wgsl leaves per candidate, and what they say. */
import { endCauses, firstSeed, type RolloutJob } from '../../job.ts';
import type { PickedOutcome } from '../../outcome-counts.ts';
import {
  brokenReturn,
  type EpisodePick,
  maxRanks,
  middleRanks,
  type Statistics,
  type StatisticsRequest,
} from '../../statistics.ts';
import { stepsIn } from '../episodes/outcome-word.ts';
import { picks, picksAt, pickWords, ranksAt, recordSize } from './statistics-declarations.ts';

/** Returns whose exponent is this are infinite or no number. */
const brokenExponent = 0x7f800000;

/** Ranks as the program takes them: with the two in the middle, and filled up by repeating the last one. */
export interface Ranks {
  readonly all: readonly number[];
  /** where in `all` the middle ones are */
  readonly middle: readonly [number, number];
}

export function ranksOf(episodes: number, { ranks }: StatisticsRequest): Ranks {
  const [low, high] = middleRanks(episodes);
  const all = [...new Set([...ranks, low, high])].sort((a, b) => a - b);
  if (all.length > maxRanks) throw new Error(`expected at most ${maxRanks} ranks, got ${all.length}`);
  const middle = [all.indexOf(low), all.indexOf(high)] as const;
  return { all: [...all, ...Array(maxRanks - all.length).fill(all[all.length - 1])], middle };
}

/** The order of f32 numbers as that of unsigned integers: `order_key` of the lowest f32 that is at least `value`. */
export function keyAtLeast(value: number): number {
  // No return is at least a NaN.
  if (Number.isNaN(value)) return 0xffffffff;
  const view = new DataView(new ArrayBuffer(4));
  // Adding zero turns -0 into 0.
  view.setFloat32(0, value + 0);
  const bits = view.getUint32(0);
  const key = bits >= 0x80000000 ? ~bits >>> 0 : (bits | 0x80000000) >>> 0;
  return view.getFloat32(0) < value ? key + 1 : key;
}

/** One job's records, as they come in. */
export class StatisticsRecords {
  readonly #words: Uint32Array;
  readonly #floats: Float32Array;
  /** two words, and the double that they are */
  readonly #pair = new Uint32Array(2);
  readonly #double = new Float64Array(this.#pair.buffer);
  readonly #episodes: number;
  readonly #ranks: Ranks;
  readonly #asked: readonly number[];

  constructor(candidates: number, episodes: number, request: StatisticsRequest) {
    this.#words = new Uint32Array(candidates * recordSize);
    this.#floats = new Float32Array(this.#words.buffer);
    this.#episodes = episodes;
    this.#ranks = ranksOf(episodes, request);
    this.#asked = request.ranks.map((rank) => this.#ranks.all.indexOf(rank));
  }

  /** Takes over the records of the candidates from `first` on. */
  set(first: number, words: Uint32Array): void {
    this.#words.set(words, first * recordSize);
  }

  /** Steps of `count` candidates from `first` on. */
  steps(first: number, count: number): number {
    let sum = 0;
    for (let c = first; c < first + count; c++) sum += this.#integer64(c * recordSize + 8);
    return sum;
  }

  /** Picked episodes whose outcome was not at hand when the record was made, by their index. */
  missing(candidate: number): number[] {
    const found = picks.flatMap((_, i) => {
      const at = this.#pickAt(candidate, i);
      return stepsIn(this.#words[at + 2]!) === 0 ? [this.#words[at]!] : [];
    });
    return [...new Set(found)];
  }

  /** Fills in an outcome that was missing, both words as the program has them. */
  fill(candidate: number, index: number, outcome: Uint32Array): void {
    picks.forEach((_, i) => {
      const at = this.#pickAt(candidate, i);
      if (this.#words[at] === index) this.#words.set(outcome, at + 1);
    });
  }

  /** Throws when a return is infinite or no number: such are lower or higher than all others. */
  check(job: Pick<RolloutJob, 'candidates' | 'seed'>): void {
    const extremes = [picks.indexOf('worst'), picks.indexOf('best')];
    for (let c = 0; c < job.candidates.length; c++) {
      for (const pick of extremes) {
        const at = this.#pickAt(c, pick) + 1;
        const isBroken = (this.#words[at]! & brokenExponent) === brokenExponent;
        if (isBroken) throw brokenReturn(this.#floats[at]!, firstSeed(job, c) + this.#words[at - 1]!);
      }
    }
  }

  /** Mean return of each candidate. */
  means(): Float64Array {
    const means = new Float64Array(this.#words.length / recordSize);
    for (let c = 0; c < means.length; c++) means[c] = this.#float64(c * recordSize);
    return means;
  }

  of(candidate: number): Statistics {
    const words = this.#words;
    const at = candidate * recordSize;
    const n = this.#episodes;
    const rank = (i: number): number => this.#floats[at + ranksAt + i]!;
    const [low, high] = this.#ranks.middle;
    return {
      episodes: n,
      mean: this.#float64(at),
      variance: n > 1 ? this.#float64(at + 2) / (n - 1) : NaN,
      median: (rank(low) + rank(high)) / 2,
      ordered: this.#asked.map(rank),
      picks: Object.fromEntries(picks.map((pick, i) => [pick, this.#picked(candidate, i)])) as Record<
        EpisodePick,
        PickedOutcome
      >,
      successes: words[at + 4]!,
      ends: Object.fromEntries(endCauses.map((cause, code) => [cause, words[at + 5 + code]])) as Statistics['ends'],
      steps: this.#integer64(at + 8),
      shortest: words[at + 10]!,
      longest: words[at + 11]!,
    };
  }

  #pickAt(candidate: number, pick: number): number {
    return candidate * recordSize + picksAt + pickWords * pick;
  }

  #picked(candidate: number, pick: number): PickedOutcome {
    const at = this.#pickAt(candidate, pick);
    return { index: this.#words[at]!, return: this.#floats[at + 1]!, length: stepsIn(this.#words[at + 2]!) };
  }

  #integer64(at: number): number {
    return this.#words[at]! + 2 ** 32 * this.#words[at + 1]!;
  }

  #float64(at: number): number {
    this.#pair[0] = this.#words[at]!;
    this.#pair[1] = this.#words[at + 1]!;
    return this.#double[0]!;
  }
}
