/** Special functions and distributions against values of mpmath; `golden/record/special-functions.py` made the table. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  chiSquaredQuantile,
  normalTail,
  normalUpperQuantile,
  studentTails,
  studentUpperQuantile,
} from '../../src/stats/distributions.ts';
import { incompleteBeta, incompleteGamma, logGammaRatio } from '../../src/stats/special-functions.ts';

const table: Readonly<Record<string, readonly (readonly number[])[]>> = JSON.parse(
  readFileSync(new URL('../golden/special-functions.json', import.meta.url), 'utf8'),
);
const functions: Readonly<Record<string, (...args: number[]) => number>> = {
  logGammaRatio,
  incompleteGammaLower: (a, x) => incompleteGamma(a, x).lower,
  incompleteGammaUpper: (a, x) => incompleteGamma(a, x).upper,
  incompleteBeta,
  normalTail,
  normalUpperQuantile,
  studentTails,
  studentUpperQuantile,
  chiSquaredQuantile,
};

it('has a table for every function, and a function for every table', () => {
  expect(Object.keys(table)).toEqual(Object.keys(functions));
});

describe.each(Object.keys(functions))('%s', (name) => {
  it('has the tabulated values to a relative 1e-12', () => {
    const rows = table[name]!;
    expect(rows.length).toBeGreaterThan(7);
    const off = rows.flatMap((row) => {
      const value = functions[name]!(...row.slice(0, -1));
      const wanted = row[row.length - 1]!;
      const error = Math.abs(value - wanted) / Math.abs(wanted || 1);
      return error <= 1e-12 ? [] : [`${name}(${row.slice(0, -1).join(', ')}) = ${value}, not ${wanted}: ${error}`];
    });
    expect(off).toEqual([]);
  });
});

describe('the ends of the ranges', () => {
  it('are exact', () => {
    expect(incompleteGamma(2.5, 0)).toEqual({ lower: 0, upper: 1, density: 0 });
    expect(incompleteGamma(2.5, Infinity)).toEqual({ lower: 1, upper: 0, density: 0 });
    expect([incompleteBeta(0, 2, 3), incompleteBeta(1, 2, 3)]).toEqual([0, 1]);
    expect([studentTails(0, 7), studentTails(1e200, 7), studentTails(Infinity, 7)]).toEqual([1, 0, 0]);
    expect([normalTail(Infinity), normalTail(-Infinity), normalTail(50)]).toEqual([0, 1, 0]);
  });
});
