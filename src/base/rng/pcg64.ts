/**
 * PCG64 (XSL-RR 128/64) as NumPy seeds and runs it.
 *
 * Source: M. E. O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for Random Number
 * Generation" (2014); seeding as in NumPy 2.4. The 128-bit state is kept as four 32-bit limbs, low first. A product of
 * a 32-bit limb and a 16-bit part of the multiplier stays below 2^48, so that the column sums are exact in doubles:
 * no BigInt, and no allocation after construction.
 */
import { badSeed, type Entropy, entropyWords, expandPool, mixEntropy, POOL_WORDS } from './seed-sequence.ts';

// The multiplier 0x2360ed051fc65da44385df649fccf645 in 16-bit parts, low first.
const M0 = 0xf645;
const M1 = 0x9fcc;
const M2 = 0xdf64;
const M3 = 0x4385;
const M4 = 0x5da4;
const M5 = 0x1fc6;
const M6 = 0xed05;
const M7 = 0x2360;

const B16 = 0x1_0000;
const B32 = 0x1_0000_0000;

export class Pcg64 {
  /** Upper half of the last `next64`, as a signed 32-bit integer: V8 makes an object of what is larger. */
  hi = 0;
  /** lower half of the last `next64`, signed too */
  lo = 0;
  /** four limbs, low first */
  readonly state: Uint32Array = new Uint32Array(4);
  /** four limbs, low first */
  readonly increment: Uint32Array = new Uint32Array(4);

  /** A seed that is not used yet: many episodes draw nothing, and mixing a seed costs as much as some steps. */
  private due = -1;
  private readonly entropy = new Uint32Array(2);
  private readonly pool = new Uint32Array(POOL_WORDS);
  private readonly words = new Uint32Array(8);

  /** Restarts from any seed. */
  seedFrom(entropy: Entropy): void {
    const words = entropyWords(entropy);
    this.due = -1;
    mixEntropy(words, words.length, this.pool);
    this.restart();
  }

  /** Restarts from one number, reusing all storage. */
  seed(seed: number): void {
    if (!Number.isSafeInteger(seed) || seed < 0) throw badSeed(seed);
    this.due = seed;
  }

  private mixSeed(seed: number): void {
    this.due = -1;
    // A leading zero word mixes like a missing one.
    this.entropy[0] = seed;
    this.entropy[1] = seed / B32;
    mixEntropy(this.entropy, 2, this.pool);
    this.restart();
  }

  private restart(): void {
    const { state, increment, words } = this;
    expandPool(this.pool, words);
    // The 64-bit words come most significant first, each low half first: words 0-3 are the start, 4-7 the stream.
    increment[0] = (words[6]! << 1) | 1;
    increment[1] = (words[7]! << 1) | (words[6]! >>> 31);
    increment[2] = (words[4]! << 1) | (words[7]! >>> 31);
    increment[3] = (words[5]! << 1) | (words[4]! >>> 31);
    // The first step from zero leaves the increment; then the start is added.
    let sum = increment[0] + words[2]!;
    state[0] = sum;
    sum = increment[1] + words[3]! + (sum >= B32 ? 1 : 0);
    state[1] = sum;
    sum = increment[2] + words[0]! + (sum >= B32 ? 1 : 0);
    state[2] = sum;
    state[3] = increment[3] + words[1]! + (sum >= B32 ? 1 : 0);
    this.advance();
  }

  private advance(): void {
    const { state, increment } = this;
    const s0 = state[0]!;
    const s1 = state[1]!;
    const s2 = state[2]!;
    const s3 = state[3]!;
    // Column k holds the products of weight 2^(16k), below 2^51.
    const c0 = increment[0]! + s0 * M0;
    const c1 = s0 * M1;
    const c2 = increment[1]! + s0 * M2 + s1 * M0;
    const c3 = s0 * M3 + s1 * M1;
    const c4 = increment[2]! + s0 * M4 + s1 * M2 + s2 * M0;
    const c5 = s0 * M5 + s1 * M3 + s2 * M1;
    const c6 = increment[3]! + s0 * M6 + s1 * M4 + s2 * M2 + s3 * M0;
    const c7 = s0 * M7 + s1 * M5 + s2 * M3 + s3 * M1;
    // An odd column lies across two limbs. It is cut first, for all limbs at once: what has to wait for the limb below is
    // then one carry each.
    const h1 = Math.floor(c1 / B16);
    const h3 = Math.floor(c3 / B16);
    const h5 = Math.floor(c5 / B16);
    const l0 = c0 + (c1 - h1 * B16) * B16;
    const l1 = c2 + h1 + (c3 - h3 * B16) * B16 + Math.floor(l0 / B32);
    const l2 = c4 + h3 + (c5 - h5 * B16) * B16 + Math.floor(l1 / B32);
    const l3 = c6 + h5 + ((c7 << 16) >>> 0) + Math.floor(l2 / B32);
    state[0] = l0;
    state[1] = l1;
    state[2] = l2;
    state[3] = l3;
  }

  /** Draws 64 bits into `hi` and `lo`. */
  next64(): void {
    if (this.due >= 0) this.mixSeed(this.due);
    this.advance();
    const { state } = this;
    const top = state[3]!;
    const high = top ^ state[1]!;
    const low = state[2]! ^ state[0]!;
    const rotation = top >>> 26;
    const swap = rotation >= 32;
    const a = swap ? high : low;
    const b = swap ? low : high;
    const r = rotation & 31;
    // Two shifts, because a shift by 32 would be a shift by 0.
    this.lo = (a >>> r) | ((b << 1) << (31 - r));
    this.hi = (b >>> r) | ((a << 1) << (31 - r));
  }
}
