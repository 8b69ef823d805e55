/** Finds trials by their parameters. */
import type { Trial } from './method.ts';

const smallest = 64;

/** -0 is 0, and equal numbers have equal bits then. */
function hashOf(params: readonly number[]): number {
  const halves = new Int32Array(Float64Array.from(params, (value) => value + 0).buffer);
  let hash = 0;
  for (const half of halves) {
    hash = Math.imul(hash ^ half, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}

const isSame = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);

/** Places of the trials of a list by their parameters, as a hash table with open addressing: a few bytes a trial. */
class TrialIndex {
  /** place + 1; 0: free */
  #slots = new Int32Array(smallest);
  #different = 0;
  /** trials that were added, from the first on */
  #length = 0;

  /** Adds the trials that it does not have yet. */
  addNew(trials: readonly Trial[]): void {
    for (; this.#length < trials.length; this.#length++) {
      if (2 * this.#different >= this.#slots.length) this.#grow(trials);
      const slot = this.#slotOf(trials, trials[this.#length]!.params);
      if (this.#slots[slot] !== 0) continue;
      this.#slots[slot] = this.#length + 1;
      this.#different += 1;
    }
  }

  find(trials: readonly Trial[], params: readonly number[]): number | null {
    const place = this.#slots[this.#slotOf(trials, params)]!;
    return place === 0 ? null : place - 1;
  }

  /** The slot of these parameters, or the free one that is theirs. */
  #slotOf(trials: readonly Trial[], params: readonly number[]): number {
    const last = this.#slots.length - 1;
    let slot = hashOf(params) & last;
    while (this.#slots[slot] !== 0 && !isSame(trials[this.#slots[slot]! - 1]!.params, params)) slot = (slot + 1) & last;
    return slot;
  }

  #grow(trials: readonly Trial[]): void {
    const before = this.#slots;
    this.#slots = new Int32Array(2 * before.length);
    for (const place of before) {
      if (place !== 0) this.#slots[this.#slotOf(trials, trials[place - 1]!.params)] = place;
    }
  }
}

/** Each reply of a long run is compared with thousands of trials: a list that grows is not read again from its start. */
const indices = new WeakMap<readonly Trial[], TrialIndex>();

/**
 * Place of the first trial with these parameters in `trials`, a list that only grows, and `played` behind it, from 0; null:
 * none. It takes as long as there are trials that the calls before with this list had not seen.
 */
export function knownTrial(
  trials: readonly Trial[],
  played: readonly Trial[],
  params: readonly number[],
): number | null {
  const index = indices.get(trials) ?? new TrialIndex();
  indices.set(trials, index);
  index.addNew(trials);
  const known = index.find(trials, params);
  if (known !== null) return known;
  const here = played.findIndex((trial) => params.every((value, i) => value === trial.params[i]));
  return here < 0 ? null : trials.length + here;
}
