/** Texts from outside, which a spreadsheet must show and not run. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inertCsvLine } from '../../src/base/csv-line.ts';
import { inertLine, inertText } from '../../src/base/printable.ts';
import { anyText } from '../support/any-text.ts';

const cellOf = (cell: string | number): string => inertCsvLine([cell]).slice(0, -1);

describe('a text in a CSV file', () => {
  it.each(['=1+1', '+1+cmd', '-2+3', '@SUM(A1)', '-a', '  =1', '＝1', '\t=1', '\r=1'])('is no formula: %j', (text) => {
    expect(cellOf(text)).toMatch(/^'/);
  });

  it.each(['-1.5', '+.5', '-1e-7', '-104 ± 3 [-110, -98]', '-3 [-5e2, -1]', '-5 %', 'a=b', ''])(
    'stays a number, or what it was: %j',
    (text) => expect(cellOf(text)).toBe(text.includes(',') ? `"${text}"` : text),
  );

  it('of a number is that number', () => {
    expect(inertCsvLine([-1, -0.5, 2e-9, null])).toBe('-1,-0.5,2e-9,\n');
  });

  it('has no control characters and no reversed direction, and cannot open another cell', () => {
    expect(cellOf('a\u0000\u001b[31m\u202eb;c')).toBe('"a[31mb;c"');
    fc.assert(
      fc.property(anyText(), (text) => {
        expect(cellOf(text).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
        expect(inertLine(text)).not.toMatch(/\p{Cc}/u);
        expect(inertText(inertText(text))).toBe(inertText(text));
      }),
    );
  });
});
