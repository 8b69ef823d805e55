/**
 * The draws of NumPy's `Generator(PCG64(seed))` that the environments use, bit for bit (NumPy 2.4). So an episode with
 * seed s starts, and goes on, as it does in Gymnasium after `reset(seed=s)`.
 */
import { UsageError } from '../errors.ts';
import type { Draws } from './draws.ts';
import { Pcg64 } from './pcg64.ts';
import type { Entropy } from './seed-sequence.ts';
import { zigguratTables } from './ziggurat.ts';

const TWO_32 = 0x1_0000_0000;
const ULP_BELOW_ONE = 2 ** -53;

/** The numbers of NumPy's `default_rng(seed)`, a `Generator` of `PCG64`, bit for bit. */
export class Generator implements Draws {
  private readonly bits = new Pcg64();
  /** The upper half of a 64-bit draw of which `next32` has given out the lower; other draws leave it pending. */
  private pending = 0;
  private hasPending = false;

  private constructor() {}

  /** A generator seeded as `numpy.random.default_rng(entropy)`. Throws UsageError on a seed that is no such integer. */
  static from(entropy: Entropy): Generator {
    const generator = new Generator();
    generator.bits.seedFrom(entropy);
    return generator;
  }

  /** Restarts as `Generator.from(seed)` would, reusing all storage. `seed` is a whole number from 0 to 2^53 - 1. */
  reseed(seed: number): void {
    this.bits.seed(seed);
    this.hasPending = false;
  }

  /** A uniform integer in [0, 2^32). */
  next32(): number {
    return this.signed32() >>> 0;
  }

  /** The same bits as a signed integer. */
  private signed32(): number {
    if (this.hasPending) {
      this.hasPending = false;
      return this.pending;
    }
    this.bits.next64();
    this.pending = this.bits.hi;
    this.hasPending = true;
    return this.bits.lo;
  }

  /** A multiple of 2^-53 in [0, 1). */
  random(): number {
    const { bits } = this;
    bits.next64();
    return ((bits.hi >>> 0) * 0x20_0000 + (bits.lo >>> 11)) * ULP_BELOW_ONE;
  }

  /** low + (high - low) * random(). Rounding may return `high` itself, as in NumPy. */
  uniform(low: number, high: number): number {
    return low + (high - low) * this.random();
  }

  /**
   * A uniform integer in [low, high), by Lemire's method on 32-bit draws ("Fast Random Integer Generation in an
   * Interval", 2019). A range of one value draws nothing. Ranges above 2^32 values are not supported.
   */
  integers(low: number, high: number): number {
    const n = high - low;
    checkRange(low, high);
    if (n === 1) return low;
    if (n === TWO_32) return low + this.next32();
    let draw = this.signed32();
    let fraction = Math.imul(draw, n) >>> 0;
    if (fraction < n) {
      const biased = (TWO_32 - n) % n;
      while (fraction < biased) {
        draw = this.signed32();
        fraction = Math.imul(draw, n) >>> 0;
      }
    }
    return low + productHigh(draw, n);
  }

  /** The index that `choice` of a list of `n` entries picks: a uniform integer in [0, n). */
  choice(n: number): number {
    return this.integers(0, n);
  }

  /** A draw from N(0, 1), by a ziggurat of 256 layers (Marsaglia and Tsang, 2000; layout as in NumPy). */
  standardNormal(): number {
    const { layerWidth, innerCount, density, tailStart } = zigguratTables();
    const { bits } = this;
    for (;;) {
      bits.next64();
      const layer = bits.lo & 0xff;
      const magnitude = (bits.hi & 0x1fff_ffff) * 0x80_0000 + (bits.lo >>> 9);
      const tailNegative = (bits.lo & 0x2_0000) !== 0;
      const distance = magnitude * layerWidth[layer]!;
      const x = (bits.lo & 0x100) !== 0 ? -distance : distance;
      if (magnitude < innerCount[layer]!) return x;
      if (layer === 0) {
        for (;;) {
          const beyond = -(1 / tailStart) * Math.log1p(-this.random());
          const height = -Math.log1p(-this.random());
          if (height + height > beyond * beyond) return tailNegative ? -(tailStart + beyond) : tailStart + beyond;
        }
      }
      const step = density[layer - 1]! - density[layer]!;
      if (step * this.random() + density[layer]! < Math.exp(-0.5 * x * x)) return x;
    }
  }
}

/** floor(a b / 2^32) of two unsigned 32-bit integers, exactly; `signed` is a as a signed integer. */
function productHigh(signed: number, b: number): number {
  const a = signed >>> 0;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  return Math.floor((a * bHigh + Math.floor((a * bLow) / 0x1_0000)) / 0x1_0000);
}

/** Throws a usage error unless whole numbers can be drawn from `low` ... `high - 1`. */
export function checkRange(low: number, high: number): void {
  const n = high - low;
  if (n >= 1 && n <= TWO_32 && Number.isSafeInteger(low) && Number.isSafeInteger(high)) return;
  throw new UsageError(
    'rng',
    `expected whole numbers low < high at most 2^32 apart, got low ${low} and high ${high}; choose another range`,
  );
}
