import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/base/errors.ts';
import { Generator } from '../../src/base/rng/generator.ts';
import { Pcg64 } from '../../src/base/rng/pcg64.ts';
import { SeedSequence } from '../../src/base/rng/seed-sequence.ts';
import { zigguratTables } from '../../src/base/rng/ziggurat.ts';

interface GoldenSeed {
  readonly seed: string;
  readonly pool: number[];
  readonly seed_words: string[];
  readonly state: string;
  readonly inc: string;
  readonly raw64: string[];
  readonly random: number[];
  readonly integers_0_3: number[];
  readonly choice_123: number[];
  readonly choice_pm5_then_uniform_pm5: number[];
  readonly 'uniform_pm0.05': number[];
  readonly standard_normal: number[];
  readonly 'uniform_pm0.1_x3_then_normal_x3': number[];
}

const golden = JSON.parse(readFileSync(new URL('../golden/pcg64.json', import.meta.url), 'utf8')) as {
  seeds: GoldenSeed[];
};

const hex = (limbsLowFirst: Iterable<number>): string =>
  [...limbsLowFirst]
    .map((limb) => (limb >>> 0).toString(16).padStart(8, '0'))
    .reverse()
    .join('');

/** FNV-1a over the bytes of the doubles. */
function fingerprint(values: Float64Array): number {
  let hash = 0x811c9dc5;
  for (const byte of new Uint8Array(values.buffer)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

describe.each(golden.seeds.map((entry) => [entry.seed, entry] as const))(
  'seed %s gives what NumPy gives',
  (_, entry) => {
    const seed = BigInt(entry.seed);
    const fresh = (): Generator => Generator.from(seed);

    it('SeedSequence: pool and generator words', () => {
      const sequence = new SeedSequence(seed);
      expect([...sequence.pool]).toEqual(entry.pool);
      expect(sequence.generateState64(4).map((word) => word.toString(16).padStart(16, '0'))).toEqual(entry.seed_words);
    });

    it('PCG64: state, increment, raw output', () => {
      const bits = new Pcg64();
      bits.seedFrom(seed);
      expect(hex(bits.state)).toBe(entry.state);
      expect(hex(bits.increment)).toBe(entry.inc);
      for (const raw of entry.raw64) {
        bits.next64();
        expect(hex([bits.lo, bits.hi])).toBe(raw);
      }
    });

    it('random, integers and uniform', () => {
      const forRandom = fresh();
      expect(entry.random.map(() => forRandom.random())).toEqual(entry.random);
      const forIntegers = fresh();
      expect(entry.integers_0_3.map(() => forIntegers.integers(0, 3))).toEqual(entry.integers_0_3);
      const forChoice = fresh();
      expect(entry.choice_123.map(() => [1, 2, 3][forChoice.choice(3)])).toEqual(entry.choice_123);
      const forUniform = fresh();
      expect(entry['uniform_pm0.05'].map(() => forUniform.uniform(-0.05, 0.05))).toEqual(entry['uniform_pm0.05']);
    });

    it('a half-word stays pending through uniform draws', () => {
      const rng = fresh();
      const drawn = entry.choice_pm5_then_uniform_pm5.map((_value, i) =>
        i % 2 === 0 ? [-5, 5][rng.choice(2)] : rng.uniform(-5, 5),
      );
      expect(drawn).toEqual(entry.choice_pm5_then_uniform_pm5);
    });

    it('standard normals, alone and after uniforms', () => {
      const alone = fresh();
      expect(entry.standard_normal.map(() => alone.standardNormal())).toEqual(entry.standard_normal);
      const mixed = entry['uniform_pm0.1_x3_then_normal_x3'];
      const rng = fresh();
      expect(mixed.map((_value, i) => (i < 3 ? rng.uniform(-0.1, 0.1) : rng.standardNormal()))).toEqual(mixed);
    });
  },
);

describe('SeedSequence', () => {
  // Expected words: numpy.random.SeedSequence(...).generate_state(...) of NumPy 2.4.6.
  it('concatenates the words of a list', () => {
    const words = new SeedSequence([5, 2 ** 40, 0, 7, 2n ** 70n]).generateState32(5);
    expect([...words]).toEqual([4090276131, 2956236502, 3875468445, 3050991691, 3701712876]);
    expect([...new SeedSequence([1, 2]).pool]).toEqual([615921835, 1931706477, 1546868242, 1792754689]);
  });

  it('mixes in the words beyond 128 bits', () => {
    const words = new SeedSequence(2n ** 200n + 12345n).generateState64(2);
    expect(words).toEqual([5188473266492889640n, 1782550200721783414n]);
  });

  it.each([-1, 1.5, 2 ** 53, Number.NaN, Infinity, -3n, [4, -1], '7', null, undefined, {}])('refuses %s', (entropy) => {
    expect(() => new SeedSequence(entropy as number)).toThrow(UsageError);
  });
});

describe('Generator', () => {
  const seeds = fc.oneof(fc.maxSafeNat(), fc.nat(), fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER));

  it('reseed(s) restarts as from(s), in any state', () => {
    fc.assert(
      fc.property(seeds, seeds, fc.nat(3), (first, second, drawsBefore) => {
        const reused = Generator.from(first);
        for (let i = 0; i < drawsBefore; i++) reused.next32();
        reused.reseed(second);
        const fresh = Generator.from(second);
        const list = Generator.from([second]);
        for (let i = 0; i < 3; i++) {
          const expected = fresh.next32();
          expect(reused.next32()).toBe(expected);
          expect(list.next32()).toBe(expected);
        }
        expect(reused.random()).toBe(fresh.random());
      }),
    );
  });

  it.each([-1, 0.5, 2 ** 53, Number.NaN])('reseed refuses %s', (seed) => {
    expect(() => Generator.from(3).reseed(seed)).toThrow(UsageError);
  });

  it('uniform stays between its bounds', () => {
    const bound = fc.double({ noNaN: true, min: -1e300, max: 1e300 });
    fc.assert(
      fc.property(seeds, bound, bound, (seed, a, b) => {
        const low = Math.min(a, b);
        const high = Math.max(a, b);
        const value = Generator.from(seed).uniform(low, high);
        expect(value).toBeGreaterThanOrEqual(low);
        expect(value).toBeLessThanOrEqual(high);
      }),
    );
  });

  it('integers are whole and in [low, high)', () => {
    const low = fc.integer({ min: -(2 ** 40), max: 2 ** 40 });
    fc.assert(
      fc.property(seeds, low, fc.oneof(fc.nat(9), fc.nat({ max: 2 ** 32 - 1 })), (seed, from, more) => {
        const value = Generator.from(seed).integers(from, from + 1 + more);
        expect(Number.isSafeInteger(value)).toBe(true);
        expect(value).toBeGreaterThanOrEqual(from);
        expect(value).toBeLessThanOrEqual(from + more);
      }),
    );
  });

  // Expected values: numpy.random.default_rng(77), one generator for all draws, in this order.
  it('integers of ranges up to 2^32, with redraws', () => {
    const rng = Generator.from(77);
    const sizes = [3, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 1, 2 ** 32, 3 * 2 ** 30, 10 ** 9, 3 * 2 ** 30, 2 ** 31 + 1];
    expect(sizes.map((n) => rng.integers(-5, n - 5))).toEqual([
      -5, 1687776776, 1183632757, 3416320237, 1047491824, 2786478690, 334453201, 3119426742, 1956859856,
    ]);
  });

  it('a range of one value draws nothing', () => {
    const rng = Generator.from(11);
    expect(rng.integers(8, 9)).toBe(8);
    expect(rng.choice(1)).toBe(0);
    expect(rng.random()).toBe(Generator.from(11).random());
  });

  it.each([
    [3, 3],
    [4, 3],
    [0, 2 ** 32 + 1],
    [0.5, 3],
    [0, 2.5],
    [Number.NaN, 3],
    [2 ** 53, 2 ** 53 + 2],
  ])('integers refuses [%s, %s)', (low, high) => {
    expect(() => Generator.from(1).integers(low, high)).toThrow(UsageError);
  });

  it('a wide range keeps the 32-bit draw whole', () => {
    const rng = Generator.from(5);
    const twin = Generator.from(5);
    for (let i = 0; i < 4; i++) expect(rng.integers(-7, 2 ** 32 - 7)).toBe(twin.next32() - 7);
  });
});

describe('ziggurat', () => {
  // Fingerprints of the tables in NumPy 2.4.6 (numpy/random/src/distributions/ziggurat_constants.h) read as doubles.
  it('has the tables that NumPy ships, to the last bit', () => {
    const { layerWidth, innerCount, density } = zigguratTables();
    expect(fingerprint(layerWidth)).toBe(0x47741264);
    expect(fingerprint(innerCount)).toBe(0xe5e8235b);
    expect(fingerprint(density)).toBe(0x14814d84);
  });

  it('reaches the tail and the wedges as NumPy does', () => {
    // Sums over numpy.random.default_rng(987654321012345).standard_normal(20000): about 5 draws in the tail, 270 in wedges.
    const rng = Generator.from(987654321012345);
    let beyondTail = 0;
    let sum = 0;
    let largest = 0;
    for (let i = 0; i < 20000; i++) {
      const x = rng.standardNormal();
      if (Math.abs(x) > zigguratTables().tailStart) beyondTail++;
      if (Math.abs(x) > Math.abs(largest)) largest = x;
      sum += x;
    }
    expect({ beyondTail, sum, largest }).toEqual({
      beyondTail: 5,
      sum: 203.54127728632042,
      largest: -4.192107154332078,
    });
  });
});
