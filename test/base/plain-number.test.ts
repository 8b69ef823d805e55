/** Numbers in texts: as people write them. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { estimateText, plainNumber, roundedBy, significant } from '../../src/base/plain-number.ts';

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

it.each([
  [0.31, 12.3456, '12.35'],
  [0.31, 12, '12.00'],
  [31, 1234.5, '1235'],
  [3.1, 1234.56, '1234.6'],
  [0.0996, 1.23456, '1.23'],
  [0.31, -0.001, '0.00'],
  [0, 1234.56789, '1234.6'],
  [null, 1234.56789, '1234.6'],
  [Number.POSITIVE_INFINITY, 2.5, '2.5'],
  [0.5, -1.23456e150, '-1.2346e+150'],
  [null, 1e300, '1e+300'],
  [null, 123456e15, '123460000000000000000'],
  [1, Number.NaN, 'NaN'],
])('with a standard error of %d, %d is %s', (error, value, text) => {
  expect(roundedBy(error, 5)(value)).toBe(text);
});

it('rounds by at most a twentieth of the standard error, or to a whole number, and prints no digit beyond', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1e-7, max: 1e6, noNaN: true }),
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      (error, value) => {
        const text = roundedBy(error, 5)(value);
        const [, decimals = ''] = text.split('.');
        expect(Math.abs(Number(text) - value)).toBeLessThanOrEqual(Math.max(0.0501 * error, decimals === '' ? 0.5 : 0));
        if (decimals !== '') expect(10 ** -decimals.length).toBeGreaterThan(0.0099 * error);
      },
    ),
  );
});

it('gives an interval the decimals of its number', () => {
  expect(estimateText(12.3456, [11.9, 12.79], 5)).toBe('12.35 [11.90, 12.79]');
  expect(estimateText(12.3456, null, 3)).toBe('12.3');
});
