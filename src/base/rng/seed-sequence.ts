/**
 * NumPy's SeedSequence: spreads an integer seed of any size over four 32-bit words.
 *
 * Source: M. E. O'Neill, "Developing a seed_seq Alternative" (2015), with the constants of NumPy 2.4
 * (`numpy/random/bit_generator.pyx`). Spawn keys are not supported.
 */
import { UsageError } from '../errors.ts';

/** A seed: a non-negative integer, or a list of them. Numbers above 2^53 must be given as bigint. */
export type Entropy = number | bigint | readonly (number | bigint)[];

export const POOL_WORDS = 4;

const MIX_START = 0x43b0d7e5;
const MIX_STEP = 0x931e8875;
const OUTPUT_START = 0x8b51f9dd;
const OUTPUT_STEP = 0x58f38ded;
const MIX_LEFT = 0xca01f9dd;
const MIX_RIGHT = 0x4973f715;

/** One round of the running hash; the caller moves its constant on to `constant * step` afterwards. */
function hash(value: number, constant: number, step: number): number {
  const v = Math.imul(value ^ constant, Math.imul(constant, step));
  return v ^ (v >>> 16);
}

function mix(left: number, right: number): number {
  const v = Math.imul(MIX_LEFT, left) - Math.imul(MIX_RIGHT, right);
  return v ^ (v >>> 16);
}

/** Fills `pool [4]` from the first `count` words of `words`, least significant word first. */
export function mixEntropy(words: Uint32Array, count: number, pool: Uint32Array): void {
  let constant = MIX_START;
  for (let i = 0; i < POOL_WORDS; i++) {
    pool[i] = hash(i < count ? words[i]! : 0, constant, MIX_STEP);
    constant = Math.imul(constant, MIX_STEP);
  }
  for (let from = 0; from < POOL_WORDS; from++) {
    for (let to = 0; to < POOL_WORDS; to++) {
      if (from === to) continue;
      pool[to] = mix(pool[to]!, hash(pool[from]!, constant, MIX_STEP));
      constant = Math.imul(constant, MIX_STEP);
    }
  }
  for (let i = POOL_WORDS; i < count; i++) {
    for (let to = 0; to < POOL_WORDS; to++) {
      pool[to] = mix(pool[to]!, hash(words[i]!, constant, MIX_STEP));
      constant = Math.imul(constant, MIX_STEP);
    }
  }
}

/** Fills `out` with the words that a generator is seeded with. */
export function expandPool(pool: Uint32Array, out: Uint32Array): void {
  let constant = OUTPUT_START;
  for (let i = 0; i < out.length; i++) {
    out[i] = hash(pool[i % POOL_WORDS]!, constant, OUTPUT_STEP);
    constant = Math.imul(constant, OUTPUT_STEP);
  }
}

/** The refusal of a seed; apart from the checks so that these stay small enough to be inlined. */
export function badSeed(value: unknown): UsageError {
  return new UsageError(
    'seed',
    `expected a whole number from 0 to 2^53 - 1 or a non-negative bigint, got ${String(value)}; choose another seed`,
  );
}

function pushWords(value: number | bigint, words: number[]): void {
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) throw badSeed(value);
  let rest = BigInt(value);
  if (rest < 0n) throw badSeed(value);
  do {
    words.push(Number(rest & 0xffff_ffffn));
    rest >>= 32n;
  } while (rest > 0n);
}

/** The 32-bit words of an integer, low first; a list's words one after another. Throws UsageError on anything else. */
export function entropyWords(entropy: Entropy): Uint32Array {
  const words: number[] = [];
  const values: readonly (number | bigint)[] = typeof entropy === 'object' ? entropy : [entropy];
  if (!Array.isArray(values)) throw badSeed(entropy);
  for (const value of values) pushWords(value, words);
  return Uint32Array.from(words);
}

/** NumPy's `SeedSequence`: entropy mixed into a pool of four 32-bit words. */
export class SeedSequence {
  /** the mixed words `[4]` */
  readonly pool: Uint32Array = new Uint32Array(POOL_WORDS);

  constructor(entropy: Entropy) {
    const words = entropyWords(entropy);
    mixEntropy(words, words.length, this.pool);
  }

  /** NumPy's `generate_state(n, uint32)`. */
  generateState32(n: number): Uint32Array {
    const out = new Uint32Array(n);
    expandPool(this.pool, out);
    return out;
  }

  /** NumPy's `generate_state(n, uint64)`: pairs of 32-bit words, low half first. */
  generateState64(n: number): bigint[] {
    const halves = this.generateState32(2 * n);
    return Array.from({ length: n }, (_, i) => (BigInt(halves[2 * i + 1]!) << 32n) | BigInt(halves[2 * i]!));
  }
}
