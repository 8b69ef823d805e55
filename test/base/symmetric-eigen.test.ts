import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SymmetricEigen } from '../../src/base/symmetric-eigen.ts';

describe('symmetric eigendecomposition', () => {
  it('gives orthonormal vectors and ascending values that make the matrix again', () => {
    const entry = fc.double({ min: -1e3, max: 1e3, noNaN: true });
    const matrices = fc
      .integer({ min: 1, max: 9 })
      .chain((n) => fc.array(entry, { minLength: n * n, maxLength: n * n }));
    fc.assert(
      fc.property(matrices, (entries) => {
        const n = Math.sqrt(entries.length);
        const matrix = Float64Array.from(entries, (value, at) => {
          const [i, j] = [Math.floor(at / n), at % n];
          return i >= j ? value : entries[j * n + i]!;
        });
        const eigen = new SymmetricEigen(n);
        eigen.decompose(matrix);
        const { values, vectors } = eigen;
        const size = Math.max(...matrix.map(Math.abs)) + 2 ** -1022;
        for (let k = 1; k < n; k++) expect(values[k]).toBeGreaterThanOrEqual(values[k - 1]!);
        for (let i = 0; i < n; i++) {
          for (let j = 0; j < n; j++) {
            let product = 0;
            let dot = 0;
            for (let k = 0; k < n; k++) {
              product += vectors[i * n + k]! * values[k]! * vectors[j * n + k]!;
              dot += vectors[k * n + i]! * vectors[k * n + j]!;
            }
            expect(Math.abs(product - matrix[i * n + j]!)).toBeLessThan(1e-12 * size);
            expect(Math.abs(dot - (i === j ? 1 : 0))).toBeLessThan(1e-13 * n);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('knows the eigenvalues of a known matrix, and of one without off-diagonal entries', () => {
    const eigen = new SymmetricEigen(3);
    eigen.decompose(Float64Array.of(2, 0, 0, -1, 2, 0, 0, -1, 2));
    [2 - Math.SQRT2, 2, 2 + Math.SQRT2].forEach((value, k) => {
      expect(eigen.values[k]).toBeCloseTo(value, 14);
    });
    eigen.decompose(Float64Array.of(5, 0, 0, 0, -3, 0, 0, 0, 5));
    expect([...eigen.values]).toEqual([-3, 5, 5]);
  });

  it('refuses entries that are not finite', () => {
    expect(() => new SymmetricEigen(2).decompose(Float64Array.of(1, 0, Number.NaN, 1))).toThrow('row 1, column 0');
  });
});
