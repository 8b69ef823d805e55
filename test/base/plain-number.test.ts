/** Numbers in texts: as people write them. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { plainNumber, significant } from '../../src/base/plain-number.ts';

it.each([
  [1234.5, 3, '1230'],
  [0.12345, 3, '0.123'],
  [1e-12, 3, '0'],
  [-1e-12, 3, '0'],
  [-0.5, 2, '-0.5'],
  [-0, 4, '0'],
  [123456789, 4, '123500000'],
  [1.5e22, 2, '15000000000000000000000'],
  [0.000123456789, 6, '0.000123457'],
  [0.00000123456, 6, '0.000001235'],
  [Number.NaN, 3, 'NaN'],
])('%d to %i digits is %s', (value, digits, text) => {
  expect(significant(value, digits)).toBe(text);
});

it('rounds to digits first and to nine decimals then, without zeros at the end', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), fc.integer({ min: 1, max: 12 }), (value, digits) => {
      const text = Number(value.toPrecision(digits))
        .toFixed(9)
        .replace(/\.?0+$/, '');
      expect(significant(value, digits)).toBe(text === '-0' ? '0' : text);
    }),
    { numRuns: 5000 },
  );
});

it('writes any number so that it reads back, without an exponent', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 }), (value) => {
      if (Math.abs(value) < 1e-80 && value !== 0) return;
      const text = plainNumber(value);
      expect(text).not.toMatch(/e/);
      expect(Number(text)).toBe(value + 0);
    }),
  );
});
