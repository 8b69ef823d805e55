import { readFileSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { Generator } from '../../../src/base/rng/generator.ts';
import { describeGpu } from '../../support/gpu.ts';
import { closeKernelDevice, runKernel } from '../../support/kernel.ts';

interface GoldenSeed {
  readonly seed: string;
  readonly state: string;
  readonly inc: string;
  readonly raw64: string[];
  readonly random: number[];
  readonly integers_0_3: number[];
  readonly choice_pm5_then_uniform_pm5: number[];
  readonly 'uniform_pm0.05': number[];
}

const seeds = (
  JSON.parse(readFileSync(new URL('../../golden/pcg64.json', import.meta.url), 'utf8')) as { seeds: GoldenSeed[] }
).seeds;

const view = new DataView(new ArrayBuffer(8));

/** [low, high] words of a double. */
function wordsOf(value: number): [number, number] {
  view.setFloat64(0, value);
  return [view.getUint32(4), view.getUint32(0)];
}

function doubleOf(lo: number, hi: number): number {
  view.setUint32(4, lo);
  view.setUint32(0, hi);
  return view.getFloat64(0);
}

function floatBits(value: number): number {
  view.setFloat32(0, value);
  return view.getUint32(0);
}

const limbs = (hex: string): number[] =>
  hex
    .match(/.{8}/g)!
    .map((word) => Number.parseInt(word, 16))
    .reverse();

afterAll(closeKernelDevice);

describeGpu('pcg64.wgsl draws what NumPy draws, for every golden seed', () => {
  const files = ['lib/f64.wgsl', 'lib/pcg64.wgsl'];
  const seedWords = Uint32Array.from(
    seeds.flatMap(({ seed }) => [0n, 32n, 64n, 96n].map((bit) => Number((BigInt(seed) >> bit) & 0xffff_ffffn))),
  );

  /** Runs `body` with a freshly seeded `rng` per golden seed; it calls `put(word)` `words` times. */
  async function draw(words: number, body: string): Promise<number[][]> {
    const code = `
      var<private> at: u32;
      fn put(word: u32) {
        output[at] = word;
        at += 1u;
      }
      fn put_double(value: F64) {
        put(value.lo);
        put(value.hi);
      }
      fn kernel(i: u32) {
        at = i * ${words}u;
        var rng = rng_seed_words(array<u32, 4>(input[4u * i], input[4u * i + 1u], input[4u * i + 2u], input[4u * i + 3u]));
        ${body}
      }`;
    const outputWords = words * seeds.length;
    const result = new Uint32Array(
      await runKernel({ files, code, input: seedWords, outputWords, invocations: seeds.length }),
    );
    return seeds.map((_seed, i) => [...result.subarray(i * words, (i + 1) * words)]);
  }

  const bounds = (value: number): string => {
    const [lo, hi] = wordsOf(value);
    return `F64(${lo}u, ${hi}u)`;
  };

  it('state and increment', async () => {
    const drawn = await draw(
      8,
      'for (var k = 0; k < 4; k++) { put(rng.state[k]); } for (var k = 0; k < 4; k++) { put(rng.increment[k]); }',
    );
    expect(drawn).toEqual(seeds.map((entry) => [...limbs(entry.state), ...limbs(entry.inc)]));
  });

  it('rng_seed is rng_seed_words for 64-bit seeds', async () => {
    const short = seeds.filter(({ seed }) => BigInt(seed) < 2n ** 64n);
    const drawn = await draw(
      2,
      'var short_seed = rng_seed(input[4u * i], input[4u * i + 1u]); let bits = rng_next64(&short_seed); put(bits.x); put(bits.y);',
    );
    expect(drawn.slice(0, short.length)).toEqual(short.map((entry) => limbs(entry.raw64[0]!)));
    expect(short.some(({ seed }) => BigInt(seed) >= 2n ** 32n)).toBe(true);
  });

  it('raw 64-bit output', async () => {
    const drawn = await draw(
      16,
      'for (var k = 0; k < 8; k++) { let bits = rng_next64(&rng); put(bits.x); put(bits.y); }',
    );
    expect(drawn).toEqual(seeds.map((entry) => entry.raw64.flatMap(limbs)));
  });

  it('random: every bit of the double, and its nearest f32', async () => {
    const drawn = await draw(
      48,
      `
      for (var k = 0; k < 16; k++) { put_double(rng_random(&rng)); }
      rng = rng_seed_words(array<u32, 4>(input[4u * i], input[4u * i + 1u], input[4u * i + 2u], input[4u * i + 3u]));
      for (var k = 0; k < 16; k++) { put(bitcast<u32>(rng_random_f32(&rng))); }`,
    );
    expect(drawn).toEqual(seeds.map((entry) => [...entry.random.flatMap(wordsOf), ...entry.random.map(floatBits)]));
  });

  it('a fraction is below a bound where random() is, also where they differ in the last bit', async () => {
    const fractions = [1 / 3, (1 - 1 / 3) / 2, 2 / 3, 0.5, 0.75 + 2 ** -53, 2 ** -31, 1 - 2 ** -53, 0.1];
    const code = fractions.map((bound) => `put(u32(rng_fraction_below(draw, ${bounds(bound)})));`).join('\n');
    const drawn = await draw(
      8 * fractions.length,
      `for (var k = 0; k < 8; k++) { let draw = rng_fraction(&rng); ${code} }`,
    );
    expect(drawn).toEqual(
      seeds.map((entry) => entry.random.slice(0, 8).flatMap((x) => fractions.map((b) => +(x < b)))),
    );

    // The draws next to each bound: whole numbers of 2^-53.
    const near = fractions.flatMap((bound) =>
      [-1, 0, 1].map((i) => ({ bound, draw: Math.floor(bound * 2 ** 53) + i })),
    );
    const compare = near.map(({ bound, draw }) => {
      const [lo, hi] = [draw % 2 ** 32, Math.floor(draw / 2 ** 32)];
      return `put(u32(rng_fraction_below(vec2u(${lo}u, ${hi}u), ${bounds(bound)})));`;
    });
    const [compared] = await draw(near.length, compare.join('\n'));
    expect(compared).toEqual(near.map(({ bound, draw }) => +(draw / 2 ** 53 < bound)));
  });

  it('uniform: the float64 result rounded to f32', async () => {
    const drawn = await draw(
      4,
      `for (var k = 0; k < 4; k++) { put(bitcast<u32>(rng_uniform(&rng, ${bounds(-0.05)}, ${bounds(0.05)}))); }`,
    );
    expect(drawn).toEqual(seeds.map((entry) => entry['uniform_pm0.05'].map(floatBits)));
  });

  it('integers, and a half-word that stays pending through uniforms', async () => {
    const drawn = await draw(
      16,
      `
      for (var k = 0; k < 8; k++) { put(rng_integers(&rng, 3u)); }
      rng = rng_seed_words(array<u32, 4>(input[4u * i], input[4u * i + 1u], input[4u * i + 2u], input[4u * i + 3u]));
      for (var k = 0; k < 4; k++) {
        put(rng_integers(&rng, 2u));
        put(bitcast<u32>(rng_uniform(&rng, ${bounds(-5)}, ${bounds(5)})));
      }`,
    );
    expect(drawn).toEqual(
      seeds.map((entry) => [
        ...entry.integers_0_3,
        ...entry.choice_pm5_then_uniform_pm5.map((value, k) =>
          k % 2 === 0 ? (value === 5 ? 1 : 0) : floatBits(value),
        ),
      ]),
    );
  });

  it('integers of ranges that redraw often, or draw nothing', async () => {
    const sizes = [3221225472, 1, 2147483649, 4294967295, 6, 3221225472, 2147483649];
    const drawn = await draw(
      sizes.length,
      `var sizes = array<u32, ${sizes.length}>(${sizes.map((n) => `${n}u`).join(', ')});
       for (var k = 0; k < ${sizes.length}; k++) { put(rng_integers(&rng, sizes[k])); }`,
    );
    const expected = seeds.map(({ seed }) => {
      const rng = Generator.from(BigInt(seed));
      return sizes.map((n) => rng.integers(0, n));
    });
    expect(drawn).toEqual(expected);
  });
});

describeGpu('f64.wgsl computes what JavaScript computes', () => {
  /** Two 53-bit integers whose product ends in 2^52 + c or 2^51 + c, with a small odd c of either sign. */
  function nearTie(rng: Generator): [number, number] {
    const modulus = 2n ** 53n;
    const a = 2n ** 52n + 2n * BigInt(rng.next32()) + 1n;
    let inverse = a; // right to 3 bits; each round doubles them
    for (let round = 0; round < 5; round++) inverse = (inverse * (2n - a * inverse)) % modulus;
    const c = BigInt(2 * rng.integers(-40, 40) + 1);
    const b = BigInt.asUintN(53, (2n ** BigInt(rng.integers(51, 53)) + c) * inverse);
    return [Number(a), Number(b)];
  }

  /** Operand pairs that meet every case: random bits, ties, cancellation, far apart, powers of two, zeros. */
  function operands(count: number): Float64Array {
    const rng = Generator.from(20_240_601);
    const pairs = new Float64Array(2 * count);
    const bits = (exponentLow: number, exponentHigh: number): number => {
      const sign = rng.integers(0, 2) * 0x8000_0000;
      const exponent = (1023 + rng.integers(exponentLow, exponentHigh)) * 0x10_0000;
      return doubleOf(rng.next32(), sign + exponent + rng.integers(0, 0x10_0000));
    };
    const short = (places: number): number => rng.integers(-(2 ** places), 2 ** places);
    for (let i = 0; i < count; i++) {
      let a = bits(-60, 60);
      let b: number;
      switch (i % 9) {
        case 0:
          b = bits(-60, 60);
          break;
        case 1: // close together: the difference cancels
          b = -a * (1 + short(3) * 2 ** -52);
          break;
        case 2: // a tie in the sum, or just off it
          b =
            (2 * short(1) + 1) * 2 ** (Math.floor(Math.log2(Math.abs(a))) - 53) * (1 + rng.integers(-1, 2) * 2 ** -52);
          break;
        case 3: // products of short numbers: ties and exact results
          a = short(27);
          b = short(27);
          break;
        case 4: // all ones and a little more: carries all the way
          a = 2 ** 53 - 1 - rng.integers(0, 4);
          b = short(3) * 2 ** rng.integers(-3, 4);
          break;
        case 5:
          b = 2 ** rng.integers(-60, 60) * (rng.integers(0, 2) === 0 ? 1 : -1);
          break;
        case 6: // zeros of both signs
          a = rng.integers(0, 3) === 0 ? a : short(1) * 0;
          b = rng.integers(0, 2) === 0 ? 0 : -0;
          break;
        case 7: // a product whose low half is a tie, or a few units of its last place off it
          [a, b] = nearTie(rng);
          break;
        default:
          b = bits(-500, -400);
          a = bits(400, 500);
      }
      pairs[2 * i] = a;
      pairs[2 * i + 1] = b;
    }
    return pairs;
  }

  it('multiply, add and less-than, exactly, on 200,000 pairs', async () => {
    const count = 200_000;
    const pairs = operands(count);
    const words = 5;
    const result = new Uint32Array(
      await runKernel({
        files: ['lib/f64.wgsl'],
        code: `
          fn kernel(i: u32) {
            let a = F64(input[4u * i], input[4u * i + 1u]);
            let b = F64(input[4u * i + 2u], input[4u * i + 3u]);
            let product = f64_mul(a, b);
            let sum = f64_add(a, b);
            output[${words}u * i] = product.lo;
            output[${words}u * i + 1u] = product.hi;
            output[${words}u * i + 2u] = sum.lo;
            output[${words}u * i + 3u] = sum.hi;
            output[${words}u * i + 4u] = select(0u, 1u, f64_less(a, b)) | select(0u, 2u, f64_less(b, a));
          }`,
        input: new Uint32Array(pairs.buffer),
        outputWords: words * count,
        invocations: count,
      }),
    );
    const wrong: string[] = [];
    for (let i = 0; i < count; i++) {
      const a = pairs[2 * i]!;
      const b = pairs[2 * i + 1]!;
      const product = doubleOf(result[words * i]!, result[words * i + 1]!);
      const sum = doubleOf(result[words * i + 2]!, result[words * i + 3]!);
      const order = (a < b ? 1 : 0) + (b < a ? 2 : 0);
      if (!Object.is(product, a * b)) wrong.push(`${a} * ${b} = ${product}`);
      if (!Object.is(sum, a + b)) wrong.push(`${a} + ${b} = ${sum}`);
      if (result[words * i + 4] !== order) wrong.push(`order of ${a} and ${b}`);
    }
    expect(wrong.slice(0, 10)).toEqual([]);
  });

  it('to f32, exactly: ties, subnormal and too large results included', async () => {
    const rng = Generator.from(811);
    const count = 100_000;
    const values = Float64Array.from({ length: count }, (_value, i) => {
      const sign = rng.integers(0, 2) === 0 ? 1 : -1;
      const float = Math.fround((rng.random() + 0.5) * 2 ** rng.integers(-149, 128));
      const unit = 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(float) || 1))) - 23);
      switch (i % 4) {
        case 0: // a tie between two floats, and its neighbours
          return sign * (float + unit / 2) * (1 + rng.integers(-1, 2) * 2 ** -52);
        case 1:
          return sign * (rng.random() + 0.5) * 2 ** rng.integers(-160, 135);
        case 2:
          return sign * 2 ** rng.integers(-152, 130);
        default:
          return sign * rng.integers(0, 3) * (rng.random() + 1) * 2 ** -150;
      }
    });
    const result = new Uint32Array(
      await runKernel({
        files: ['lib/f64.wgsl'],
        code: 'fn kernel(i: u32) { output[i] = f64_to_f32_bits(F64(input[2u * i], input[2u * i + 1u])); }',
        input: new Uint32Array(values.buffer),
        outputWords: count,
        invocations: count,
      }),
    );
    const wrong: string[] = [];
    values.forEach((value, i) => {
      if (result[i] !== floatBits(value)) wrong.push(`${value}: ${result[i]!.toString(16)}`);
    });
    expect(wrong.slice(0, 10)).toEqual([]);
  });
});

describeGpu('trig.wgsl', () => {
  const RANGE = 32 * Math.PI;

  /** Distance between neighbouring f32 numbers at `value`. */
  function unit(value: number): number {
    return 2 ** Math.max(-149, Math.floor(Math.log2(Math.abs(value))) - 23);
  }

  /** Largest error in units of the last place of the exact result. */
  async function worst(points: Float32Array, sincos = 'trig_sincos'): Promise<{ sin: number; cos: number }> {
    const count = points.length;
    const result = new Float32Array(
      await runKernel({
        files: ['lib/trig.wgsl'],
        code: `
          fn kernel(i: u32) {
            let x = bitcast<f32>(input[i]);
            output[2u * i] = bitcast<u32>(${sincos}(x).x);
            output[2u * i + 1u] = bitcast<u32>(${sincos}(x).y);
          }`,
        input: points,
        outputWords: 2 * count,
        invocations: count,
      }),
    );
    const error = { sin: 0, cos: 0 };
    for (let i = 0; i < count; i++) {
      const sin = Math.sin(points[i]!);
      const cos = Math.cos(points[i]!);
      // Written so that a NaN makes the maximum NaN.
      error.sin = Math.max(
        error.sin,
        sin === 0 ? Math.abs(result[2 * i]!) : Math.abs(result[2 * i]! - sin) / unit(sin),
      );
      error.cos = Math.max(error.cos, Math.abs(result[2 * i + 1]! - cos) / unit(cos));
    }
    return error;
  }

  const limit = 2;

  it('is within 2 units in the last place on a dense grid', async () => {
    const count = 1_000_000;
    const error = await worst(Float32Array.from({ length: count }, (_x, i) => RANGE * ((2 * i) / (count - 1) - 1)));
    expect(error.sin).toBeLessThan(limit);
    expect(error.cos).toBeLessThan(limit);
  });

  it('is within 2 units at random points of every magnitude', async () => {
    const rng = Generator.from(4099);
    const points = Float32Array.from({ length: 300_000 }, (_x, i) =>
      i % 2 === 0 ? rng.uniform(-RANGE, RANGE) : (rng.integers(0, 2) - 0.5) * 2 ** rng.uniform(-100, 7.6),
    );
    const error = await worst(points);
    expect(error.sin).toBeLessThan(limit);
    expect(error.cos).toBeLessThan(limit);
  });

  it('is within 2 units next to the multiples of pi/4, where sine, cosine or the reduction turn', async () => {
    const float = new Float32Array(1);
    const word = new Uint32Array(float.buffer);
    const points: number[] = [0];
    for (let k = -128; k <= 128; k++) {
      for (let step = -50; step <= 50; step++) {
        float[0] = (k * Math.PI) / 4;
        if (k !== 0) word[0]! += step;
        points.push(float[0]);
      }
    }
    const error = await worst(Float32Array.from(points));
    expect(error.sin).toBeLessThan(limit);
    expect(error.cos).toBeLessThan(limit);
  });

  it('is within a unit near 0, where it does without a reduction, and within 2 beyond', async () => {
    const near = await worst(
      Float32Array.from({ length: 400_001 }, (_x, i) => 0.21 * (i / 200_000 - 1)),
      'trig_sincos_near',
    );
    expect(near.sin).toBeLessThan(1);
    expect(near.cos).toBeLessThan(1);
    const beyond = await worst(
      Float32Array.from({ length: 100_000 }, (_x, i) => (i % 2 === 0 ? 1 : -1) * (0.2 + i * 1e-4)),
      'trig_sincos_near',
    );
    expect(beyond.sin).toBeLessThan(limit);
    expect(beyond.cos).toBeLessThan(limit);
  });
});
