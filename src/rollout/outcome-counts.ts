/** Counts and picks that one pass over the outcomes gives; outcomes come in parts. */
import { endCauses } from './job.ts';

export interface PickedOutcome {
  /** 0 ... episodes - 1 */
  readonly index: number;
  readonly return: number;
  readonly length: number;
}

/** Counts, extremes and ends of one candidate's episodes. */
export class OutcomeCounts {
  readonly #successThreshold: number;
  episodes = 0;
  successes = 0;
  steps = 0;
  shortest = 0;
  longest = 0;
  /** ties go to the first */
  worst: PickedOutcome = { index: 0, return: Infinity, length: 0 };
  best: PickedOutcome = { index: 0, return: -Infinity, length: 0 };
  first: PickedOutcome = { index: 0, return: 0, length: 0 };
  /** the first episode whose return is not finite */
  broken: number | null = null;
  /** by the codes of `endCauses` */
  readonly ends = new Float64Array(endCauses.length);

  constructor(successThreshold: number) {
    this.#successThreshold = successThreshold;
  }

  add(returns: Float64Array, lengths: Uint32Array, ends: Uint8Array): void {
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
    const picked = (i: number): PickedOutcome => ({
      index: this.episodes + i,
      return: returns[i]!,
      length: lengths[i]!,
    });
    if (this.episodes === 0) {
      this.first = picked(0);
      this.shortest = shortest;
    }
    if (returns[worst]! < this.worst.return) this.worst = picked(worst);
    if (returns[best]! > this.best.return) this.best = picked(best);
    if (broken >= 0) this.broken ??= this.episodes + broken;
    this.successes += successes;
    this.steps += steps;
    this.shortest = Math.min(this.shortest, shortest);
    this.longest = Math.max(this.longest, longest);
    counts.forEach((count, code) => {
      this.ends[code]! += count;
    });
    this.episodes += returns.length;
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
