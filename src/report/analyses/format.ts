/** Cells that the tables of several analyses share. */

import { moments } from '../../base/moments.ts';
import { significant } from '../../base/plain-number.ts';
import { type Cell, type ColumnOf, left, right } from '../tables/table.ts';
import type { AnalysedRun } from './analysis.ts';

const digits = 4;

export function numberCell(value: number | null): Cell {
  return value === null || Number.isNaN(value) ? null : significant(value, digits);
}

/** `12 (34.3 %)` */
export function shareCell(count: number, of: number): string {
  return of === 0 ? String(count) : `${count} (${((100 * count) / of).toFixed(1)} %)`;
}

/** `1.53 (0.9 ... 2.7)` */
export function intervalCell(found: { estimate: number; ci95: readonly [number, number] | null } | null): Cell {
  if (found === null) return null;
  const estimate = significant(found.estimate, 3);
  return found.ci95 === null
    ? estimate
    : `${estimate} (${significant(found.ci95[0], 3)} ... ${significant(found.ci95[1], 3)})`;
}

/** A p value; tiny ones as a bound, to avoid exponents. */
export function pCell(p: number | null): Cell {
  if (p === null) return null;
  return p < 0.0001 ? '< 0.0001' : significant(p, 3);
}

/** null for no value. */
export function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : moments(values).mean;
}

/** The folder of a run, marked if unfinished. */
export function runCell({ folder, status }: Pick<AnalysedRun, 'folder' | 'status'>): string {
  return status === 'finished' ? folder : `${folder} (unfinished)`;
}

export const environmentColumn = left('environment', ({ env }: { readonly env: string }) => env);
export const methodColumn = left('method', ({ method }: { readonly method: string }) => method);
export const runsColumn = right('runs', ({ runs }: { readonly runs: number }) => runs);
/** The columns that identify a group of runs. */
export const groupColumns = [environmentColumn, methodColumn, runsColumn] satisfies ColumnOf<never>[];
