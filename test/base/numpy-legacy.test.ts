/** NumPy's legacy generator, LAPACK's QR signs, and the policies that are built on both, against recorded numbers. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/base/errors.ts';
import { orthonormalColumns } from '../../src/base/linear-algebra.ts';
import { RandomState } from '../../src/base/rng/mt19937.ts';
import type { Row, Spaces } from '../../src/envs/env.ts';
import { type PolicyKind, type PolicyOptions, policyValues } from '../../src/policies/policy.ts';
import { projectedMlp } from '../../src/policies/projected-mlp.ts';
import { randomFeatures } from '../../src/policies/random-features.ts';

interface PolicyRecord {
  readonly inputs: number;
  readonly outputs: number;
  readonly options: PolicyOptions;
  readonly params: number[];
  readonly obs: number[];
  readonly y: number[];
}

/** Made with NumPy 2.4.6 (RandomState, linalg.qr) and the formulas in plain NumPy. */
const golden = JSON.parse(readFileSync(new URL('../golden/numpy-legacy.json', import.meta.url), 'utf8')) as {
  draws: {
    seed: number;
    randn_7: number[];
    then_uniform_5: number[];
    then_randn_3: number[];
    after_2000_randn_random_4: number[];
  }[];
  qr: { seed: number; rows: number; columns: number; q: number[] }[];
  projected_mlp: PolicyRecord[];
  random_features: PolicyRecord[];
};

/** The C library's `log` and JavaScript's may round differently: a unit or two in the last place of a normal. */
const normalTolerance = 5e-16;
const qrTolerance = 1e-14;
const outputTolerance = 1e-13;

function expectClose(got: ArrayLike<number>, wanted: readonly number[], tolerance: number): void {
  expect(got.length).toBe(wanted.length);
  wanted.forEach((value, i) => {
    expect(Math.abs(got[i]! - value), `entry ${i}`).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(value)));
  });
}

const draw = (n: number, one: () => number) => Array.from({ length: n }, one);

describe('RandomState', () => {
  it.each(golden.draws)('draws what NumPy draws: seed $seed', (record) => {
    const rng = new RandomState(record.seed);
    expectClose(
      draw(7, () => rng.standardNormal()),
      record.randn_7,
      normalTolerance,
    );
    // Seven normals leave the eighth pending, through the uniforms.
    expect(draw(5, () => rng.uniform(-0.1, 0.1))).toEqual(record.then_uniform_5);
    expectClose(
      draw(3, () => rng.standardNormal()),
      record.then_randn_3,
      normalTolerance,
    );
    for (let i = 0; i < 2000; i++) rng.standardNormal();
    expect(draw(4, () => rng.random())).toEqual(record.after_2000_randn_random_4);
  });

  it('starts with the published numbers of the default seeds', () => {
    expect(new RandomState(0).random()).toBe(0.5488135039273248);
    expect(new RandomState(0).standardNormal()).toBeCloseTo(1.764052345967664, 14);
    const rng = new RandomState(42);
    expectClose(
      draw(3, () => rng.standardNormal()),
      [0.4967141530112327, -0.13826430117118466, 0.6476885381006925],
      normalTolerance,
    );
  });

  it.each([-1, 2 ** 32, 0.5, NaN])('refuses the seed %s', (seed) => {
    expect(() => new RandomState(seed)).toThrow(UsageError);
  });
});

describe('orthonormalColumns', () => {
  it.each(golden.qr)(
    'is what numpy.linalg.qr gives, signs included: $rows x $columns',
    ({ seed, rows, columns, q }) => {
      const matrix = new RandomState(seed).normalMatrix(rows, columns);
      expectClose(orthonormalColumns(matrix, rows, columns), q, qrTolerance);
    },
  );

  it('has orthonormal columns that span the matrix, with the sign of every diagonal entry of R turned', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.nat(6), fc.nat(2 ** 31), (columns, extra, seed) => {
        const rows = columns + extra;
        const a = new RandomState(seed).normalMatrix(rows, columns);
        const q = orthonormalColumns(a, rows, columns);
        const dot = (x: Float64Array, j: number, y: Float64Array, k: number): number => {
          let sum = 0;
          for (let i = 0; i < rows; i++) sum += x[i * columns + j]! * y[i * columns + k]!;
          return sum;
        };
        for (let j = 0; j < columns; j++) {
          for (let k = 0; k < columns; k++) {
            expect(dot(q, j, q, k)).toBeCloseTo(j === k ? 1 : 0, 12);
            if (j > k) expect(dot(q, j, a, k)).toBeCloseTo(0, 10);
          }
          // a_j - Q Q' a_j = 0
          for (let i = 0; i < rows; i++) {
            let rest = a[i * columns + j]!;
            for (let k = 0; k < columns; k++) rest -= q[i * columns + k]! * dot(q, k, a, j);
            expect(rest).toBeCloseTo(0, 10);
          }
        }
        // The first column of R is the negative of the sign of the first entry, unless there is nothing to reflect.
        if (rows > 1) expect(Math.sign(dot(q, 0, a, 0))).toBe(-Math.sign(a[0]!));
      }),
      { numRuns: 60 },
    );
  });

  it('keeps the sign of a column that has nothing below its diagonal', () => {
    expect(Array.from(orthonormalColumns(Float64Array.of(3, 5, 0, -2), 2, 2))).toEqual([1, 0, 0, 1]);
  });

  it('refuses a matrix with more columns than rows', () => {
    expect(() => orthonormalColumns(new Float64Array(6), 2, 3)).toThrow(UsageError);
  });
});

const row = (name: string): Row => ({ name, meaning: name, unit: '1', low: -9, high: 9 });
const rows = (letter: string, n: number) => Array.from({ length: n }, (_, i) => row(`${letter}${i}`));

function outputsOf(kind: PolicyKind, { inputs, outputs, options, params, obs }: PolicyRecord): Float64Array {
  const spaces: Spaces = {
    observation: { kind: 'vector', rows: rows('o', inputs) },
    action: { kind: 'box', rows: rows('a', outputs) },
  };
  const policy = kind.build(spaces, options);
  const out = new Float64Array(policy.outputCount);
  policy.act(policyValues(policy, Float64Array.from(params)), Float64Array.from(obs), out);
  return out;
}

describe('projected-mlp', () => {
  it.each(golden.projected_mlp)('acts as the formula in NumPy, with cut coordinates: $inputs inputs', (record) => {
    expect(Math.max(...record.params)).toBeGreaterThan(6);
    expectClose(outputsOf(projectedMlp, record), record.y, outputTolerance);
  });
});

describe('random-features', () => {
  it.each(golden.random_features)('acts as the formula in NumPy, with a clipped input: $inputs inputs', (record) => {
    expectClose(outputsOf(randomFeatures, record), record.y, outputTolerance);
  });
});
