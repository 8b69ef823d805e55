/** Counts and picks that one pass over the outcomes gives; outcomes come in parts. */
import { endCauses } from './job.ts';

export interface PickedOutcome {
  /** 0 ... episodes - 1 */
  readonly index: number;
  readonly return: number;
  readonly length: number;
}

/** Counts, extremes and ends of some episodes of one candidate. */
export interface OutcomeTotals {
  readonly episodes: number;
  readonly successes: number;
  readonly steps: number;
  readonly shortest: number;
  readonly longest: number;
  /** ties go to the first */
  readonly worst: PickedOutcome;
  readonly best: PickedOutcome;
  readonly first: PickedOutcome;
  /** the first episode whose return is not finite */
  readonly broken: number | null;
  /** by the codes of `endCauses` */
  readonly ends: ArrayLike<number>;
}

/** The same of episodes that come in parts, in any order. */
export class OutcomeCounts implements OutcomeTotals {
  readonly #successThreshold: number;
  episodes = 0;
  successes = 0;
  steps = 0;
  shortest = Infinity;
  longest = 0;
  worst: PickedOutcome = { index: Infinity, return: Infinity, length: 0 };
  best: PickedOutcome = { index: Infinity, return: -Infinity, length: 0 };
  first: PickedOutcome = { index: Infinity, return: 0, length: 0 };
  broken: number | null = null;
  readonly ends = new Float64Array(endCauses.length);

  constructor(successThreshold: number) {
    this.#successThreshold = successThreshold;
  }

  /** Adds outcomes; the first of them is episode `from`. */
  add(returns: Float64Array, lengths: Uint32Array, ends: Uint8Array, from: number): void {
    if (returns.length === 0) return;
    const counts = new Uint32Array(this.ends.length);
    const successThreshold = this.#successThreshold;
    const n = returns.length;
    let [worst, best, broken] = [0, 0, -1];
    let [least, most] = [returns[0]!, returns[0]!];
    let [successes, steps, shortest, longest] = [0, 0, lengths[0]!, lengths[0]!];
    for (let i = 0; i < n; i++) {
      const value = returns[i]!;
      // 0 of finite numbers, else NaN.
      if (value - value !== 0 && broken < 0) broken = i;
      if (value < least) {
        least = value;
        worst = i;
      }
      if (value > most) {
        most = value;
        best = i;
      }
      // Without a branch, which the processor cannot foresee.
      successes += Number(value >= successThreshold);
      const length = lengths[i]!;
      steps += length;
      if (length < shortest) shortest = length;
      if (length > longest) longest = length;
      counts[ends[i]!]!++;
    }
    const picked = (i: number): PickedOutcome => ({ index: i, return: returns[i]!, length: lengths[i]! });
    const picks = { worst: picked(worst), best: picked(best), first: picked(0), broken: broken < 0 ? null : broken };
    this.merge({ ...picks, episodes: n, successes, steps, shortest, longest, ends: counts }, from);
  }

  /** Adds what was counted of other episodes; their episode 0 is episode `from` here. */
  merge({ worst, best, first, broken, ...counts }: OutcomeTotals, from: number): void {
    const moved = (pick: PickedOutcome): PickedOutcome => ({ ...pick, index: from + pick.index });
    const isEarlier = (pick: PickedOutcome, known: PickedOutcome): boolean => from + pick.index < known.index;
    const isEqual = (pick: PickedOutcome, known: PickedOutcome): boolean => pick.return === known.return;
    if (worst.return < this.worst.return || (isEqual(worst, this.worst) && isEarlier(worst, this.worst))) {
      this.worst = moved(worst);
    }
    if (best.return > this.best.return || (isEqual(best, this.best) && isEarlier(best, this.best))) {
      this.best = moved(best);
    }
    if (isEarlier(first, this.first)) this.first = moved(first);
    if (broken !== null) this.broken = Math.min(this.broken ?? Infinity, from + broken);
    this.episodes += counts.episodes;
    this.successes += counts.successes;
    this.steps += counts.steps;
    this.shortest = Math.min(this.shortest, counts.shortest);
    this.longest = Math.max(this.longest, counts.longest);
    for (const code of this.ends.keys()) this.ends[code]! += counts.ends[code]!;
  }
}

/** The first value that is closest to a target. */
export class Nearest {
  readonly #target: number;
  #distance = Infinity;
  #seen = 0;
  index = 0;
  value = 0;

  constructor(target: number) {
    this.#target = target;
  }

  add(values: Float64Array): void {
    const target = this.#target;
    let nearest = this.#distance;
    let best = -1;
    for (let i = 0; i < values.length; i++) {
      const distance = Math.abs(values[i]! - target);
      if (distance < nearest) {
        nearest = distance;
        best = i;
      }
    }
    if (best >= 0) {
      this.index = this.#seen + best;
      this.value = values[best]!;
      this.#distance = nearest;
    }
    this.#seen += values.length;
  }
}
