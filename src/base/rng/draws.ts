/** The random draws of an environment: from a generator, or from a list of recorded draws. */
import { UsageError } from '../errors.ts';

/** Random numbers of an episode, those of NumPy's `default_rng(seed)` in their order. */
export interface Draws {
  /** in [0, 1) */
  random(): number;
  /** in [low, high) */
  uniform(low: number, high: number): number;
  /** a whole number in [low, high) */
  integers(low: number, high: number): number;
  /** a whole number in [0, n) */
  choice(n: number): number;
  /** of the standard normal distribution */
  standardNormal(): number;
}

/** Gives out recorded results in their order. Throws a `UsageError` when none is left, or for one that no generator gives. */
export class RecordedDraws implements Draws {
  readonly #values: readonly number[];
  #next = 0;

  constructor(values: readonly number[]) {
    this.#values = values;
  }

  #taken(expected: string, fits: (value: number) => boolean): number {
    if (this.#next >= this.#values.length) {
      throw new UsageError('draws', `expected another random number after ${this.#values.length}, got none; add it`);
    }
    const value = this.#values[this.#next++]!;
    if (!fits(value)) {
      throw new UsageError('draws', `expected random number ${this.#next} to be ${expected}, got ${value}`);
    }
    return value;
  }

  random(): number {
    return this.#taken('at least 0 and below 1', (value) => value >= 0 && value < 1);
  }

  uniform(low: number, high: number): number {
    return this.#taken(`in ${low} ... ${high}`, (value) => value >= low && value <= high);
  }

  integers(low: number, high: number): number {
    const fits = (value: number) => Number.isInteger(value) && value >= low && value < high;
    return this.#taken(`a whole number in ${low} ... ${high - 1}`, fits);
  }

  choice(n: number): number {
    return this.integers(0, n);
  }

  standardNormal(): number {
    return this.#taken('a number', (value) => !Number.isNaN(value));
  }
}

/** Records the draws of a generator, for a replay by `RecordedDraws`. */
export class RecordingDraws implements Draws {
  /** what was drawn, in order; the caller may empty it */
  values: number[] = [];
  readonly #from: Draws;

  constructor(from: Draws) {
    this.#from = from;
  }

  #kept(value: number): number {
    this.values.push(value);
    return value;
  }

  random(): number {
    return this.#kept(this.#from.random());
  }

  uniform(low: number, high: number): number {
    return this.#kept(this.#from.uniform(low, high));
  }

  integers(low: number, high: number): number {
    return this.#kept(this.#from.integers(low, high));
  }

  choice(n: number): number {
    return this.#kept(this.#from.choice(n));
  }

  standardNormal(): number {
    return this.#kept(this.#from.standardNormal());
  }
}
