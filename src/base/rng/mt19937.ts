/**
 * NumPy's legacy `RandomState(seed)`: MT19937 with the draws `random_sample`, `uniform` and `randn`.
 *
 * Sources: M. Matsumoto and T. Nishimura, "Mersenne Twister" (1998), with their initialisation of 2002; normals by
 * Marsaglia's polar method, two at a time, in the order in which NumPy's legacy generator gives them out.
 */
import { UsageError } from '../errors.ts';

const WORDS = 624;
const SHIFT = 397;
const UPPER_BIT = 0x8000_0000;
const LOWER_BITS = 0x7fff_ffff;
const TWIST = 0x9908_b0df;
const SEED_STEP = 1_812_433_253;

export class RandomState {
  readonly #words = new Uint32Array(WORDS);
  #next = WORDS;
  /** The second normal of a pair that was drawn together. */
  #spare: number | null = null;

  /** `seed` is a whole number from 0 to 2^32 - 1, as in NumPy. Throws a `UsageError` on anything else. */
  constructor(seed: number) {
    if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
      throw new UsageError('rng', `expected a seed in 0 ... 2^32 - 1, got ${seed}; choose another seed`);
    }
    const words = this.#words;
    words[0] = seed;
    for (let i = 1; i < WORDS; i++) {
      const previous = words[i - 1]!;
      words[i] = Math.imul(SEED_STEP, previous ^ (previous >>> 30)) + i;
    }
  }

  /** A uniform integer in [0, 2^32). */
  next32(): number {
    if (this.#next === WORDS) this.#twist();
    let y = this.#words[this.#next++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c_5680;
    y ^= (y << 15) & 0xefc6_0000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #twist(): void {
    const words = this.#words;
    for (let i = 0; i < WORDS; i++) {
      const y = (words[i]! & UPPER_BIT) | (words[(i + 1) % WORDS]! & LOWER_BITS);
      words[i] = words[(i + SHIFT) % WORDS]! ^ (y >>> 1) ^ ((y & 1) === 0 ? 0 : TWIST);
    }
    this.#next = 0;
  }

  /** `random_sample()`: a multiple of 2^-53 in [0, 1), to the last bit. */
  random(): number {
    const high = this.next32() >>> 5;
    const low = this.next32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** low + (high - low) * random(), to the last bit. */
  uniform(low: number, high: number): number {
    return low + (high - low) * this.random();
  }

  /**
   * `randn()`: a draw from N(0, 1). About 3 of 100 differ from NumPy's by one or two units in the last place, where
   * `Math.log` rounds otherwise than the C library's `log`.
   */
  standardNormal(): number {
    if (this.#spare !== null) {
      const spare = this.#spare;
      this.#spare = null;
      return spare;
    }
    for (;;) {
      const x = 2 * this.random() - 1;
      const y = 2 * this.random() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      this.#spare = factor * x;
      return factor * y;
    }
  }

  /** `randn(rows, columns)`: a matrix, row by row. */
  normalMatrix(rows: number, columns: number): Float64Array {
    return Float64Array.from({ length: rows * columns }, () => this.standardNormal());
  }
}
