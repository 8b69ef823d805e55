/** Whether the files beside a record follow from it. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { inertCsvLine } from '../../base/csv-line.ts';
import { errorDetail, R2poError } from '../../base/errors.ts';
import { counted } from '../../base/plain-number.ts';
import { policyDocument } from '../../policies/policy-file.ts';
import { parseRunFile, readRunBytes } from '../folder/files.ts';
import { metricsCsv } from '../folder/metrics.ts';
import { scalarFileOf } from '../folder/run-files.ts';
import type { RunSummary } from '../folder/summary.ts';
import { KeptIterations, trajectoriesName, trajectoryName } from '../folder/trajectories.ts';
import { type Difference, firstDifference } from '../journal/difference.ts';
import type { KeptPolicy } from '../journal/totals.ts';
import type { RunUnits } from '../resolve-units.ts';
import { type Check, type CheckName, differs, holds, notChecked } from './check.ts';
import type { KeptIteration, ReadRecord } from './read-record.ts';

/** What a file holds, or the check that ends with it. */
export type Read<T> = { readonly value: T } | { readonly check: Check };

/**
 * Reads a file of a run. A missing one is a difference, unless the process of the run may have been killed before it wrote
 * it (`isSettled` false).
 */
export function readFor<T>(
  check: CheckName,
  { folder, name, isSettled }: { readonly folder: string; readonly name: string; readonly isSettled: boolean },
  read: (path: string) => T,
): Read<T> {
  const path = join(folder, name);
  if (!existsSync(path)) {
    const remedy = 'resuming the run writes it';
    return {
      check: isSettled
        ? differs(check, `expected the file ${name}, found none; ${remedy} again`)
        : notChecked(check, `${name} is not there yet; ${remedy}`),
    };
  }
  try {
    return { value: read(path) };
  } catch (error) {
    if (!(error instanceof R2poError)) throw error;
    return { check: differs(check, error.detail) };
  }
}

export const readJsonFile = (path: string): unknown => parseRunFile(path, 'JSON', JSON.parse);

/**
 * The first difference among the keys that both have: earlier versions wrote fewer, and their files are checked by a schema
 * of what must be there.
 */
function sharedDifference(expected: unknown, got: unknown, path = ''): Difference | null {
  const isRecord = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isRecord(expected) || !isRecord(got)) return firstDifference(expected, got, path);
  for (const key of Object.keys(expected)) {
    if (!Object.hasOwn(got, key)) continue;
    const found = sharedDifference(expected[key], got[key], path === '' ? key : `${path}.${key}`);
    if (found) return found;
  }
  return null;
}

/** Compares a summary, as it was read, with the one that follows from the record; null: they are equal. */
export function summaryDifference(expected: RunSummary, written: unknown): string | null {
  const found = sharedDifference(JSON.parse(JSON.stringify(expected)), written);
  return found && `expected ${found.path} ${found.expected}, which follows from the record, got ${found.got}`;
}

/** Rows by the names of their columns; of the known columns only. */
function cellsOf(text: string): { readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] } {
  const [header = '', ...lines] = text.split('\n');
  return { columns: header.split(','), rows: lines.filter((line) => line !== '').map((line) => line.split(',')) };
}

/** `isComplete`: whether there must be a row for each iteration. */
export function checkMetrics(text: string, { totals, iterationSeqs }: ReadRecord, isComplete: boolean): Check {
  const written = cellsOf(text);
  const expected = cellsOf(metricsCsv(totals.rows.from(0)));
  const at = new Map(written.columns.map((name, column) => [name, column]));
  // A process that was killed while it appended a row may have left a part of it.
  const isTorn = !isComplete && (written.rows.at(-1)?.length ?? 0) < written.columns.length;
  const rows = isTorn ? written.rows.slice(0, -1) : written.rows;
  const place = (row: number) => `metrics.csv:${row + 2}`;
  for (const [i, cells] of rows.entries()) {
    const row = expected.rows[i];
    if (!row)
      return differs('metrics', `${place(i)}: expected ${counted(expected.rows.length, 'row')}, got ${rows.length}`);
    for (const [column, name] of expected.columns.entries()) {
      const own = at.get(name);
      if (own === undefined || cells[own] === row[column]) continue;
      const seq = iterationSeqs[i] ?? null;
      return differs('metrics', `${place(i)}: expected ${name} "${row[column]}", got "${cells[own] ?? ''}"`, seq);
    }
  }
  if (isComplete && rows.length < expected.rows.length) {
    return differs('metrics', `metrics.csv: expected ${counted(expected.rows.length, 'row')}, got ${rows.length}`);
  }
  const missing = ['iteration', 'kept', 'mean', 'best'].find((name) => !at.has(name));
  if (missing)
    return differs('metrics', `metrics.csv: expected a column "${missing}", found ${inertCsvLine([...at.keys()])}`);
  return holds('metrics', `${counted(rows.length, 'row')} of metrics.csv follow from the record`);
}

/** `isComplete`: whether it must be the best policy of all iterations, not of some first ones. */
export function checkBest(
  written: unknown,
  { bests }: ReadRecord,
  { policy, config }: Pick<RunUnits, 'policy' | 'config'>,
  isComplete: boolean,
): Check {
  const namesEnv = typeof written === 'object' && written !== null && 'env' in written;
  const document = (params: KeptPolicy['params']) => {
    const { env, env_options, ...rest } = policyDocument(policy, params, config);
    // Earlier versions wrote no environment.
    return JSON.parse(JSON.stringify(namesEnv ? { env, env_options, ...rest } : rest));
  };
  const differences = bests
    .slice(isComplete ? -1 : 0)
    .toReversed()
    .map(({ params }: KeptPolicy) => firstDifference(document(params), written));
  if (differences.includes(null)) return holds('best', 'best.json is the best kept policy');
  const [first] = differences;
  return differs('best', `best.json: expected ${first?.path} ${first?.expected}, got ${first?.got}`);
}

/** `isComplete`: whether it must have all iterations. A missing file is no difference: nothing else is made from it. */
export function checkScalars(folder: string, { totals }: ReadRecord, isComplete: boolean): Check {
  const check = 'tensorboard';
  const expected = scalarFileOf(totals);
  if (expected === null) return notChecked(check, 'the run has not begun');
  const { name, bytes } = expected;
  const read = readFor(check, { folder, name, isSettled: false }, readRunBytes);
  if ('check' in read) return read.check;
  const { value: written } = read;
  const common = Math.min(bytes.length, written.length);
  const isSame = bytes.subarray(0, common).equals(written.subarray(0, common));
  if (isSame && (!isComplete || bytes.length === written.length))
    return holds(check, `${name} follows from the record`);
  return differs(check, `${name}: expected the scalars of the record, got others; resuming the run writes them`);
}

function trajectoryProblem(folder: string, { iteration, shown }: KeptIteration): string | null {
  const name = join(trajectoriesName, trajectoryName(iteration));
  const document = readJsonFile(join(folder, name)) as Record<string, unknown> | null;
  if (shown === null) return null;
  const { index: _, ...expected } = shown;
  const got = { seed: document?.seed, return: document?.return, length: document?.length };
  const steps = Array.isArray(document?.steps) ? document.steps.length : 0;
  const difference = firstDifference({ ...expected, steps: shown.length }, { ...got, steps });
  return difference && `${name}: expected ${difference.path} ${difference.expected}, got ${difference.got}`;
}

/** Trajectories of kept policies: those that a run keeps are there, and show the recorded episodes. */
export function checkTrajectories(
  folder: string,
  { kept, format, iterationSeqs }: ReadRecord,
  isComplete: boolean,
): Check {
  const wanted = new Map(kept.map((one) => [one.iteration, one]));
  const choice = new KeptIterations();
  for (const { iteration, mean } of format === 1 ? [] : kept) {
    const old = choice.add(iteration, mean);
    if (old !== null) wanted.delete(old);
  }
  const there = existsSync(join(folder, trajectoriesName)) ? readdirSync(join(folder, trajectoriesName)) : [];
  let checked = 0;
  for (const one of wanted.values()) {
    const name = trajectoryName(one.iteration);
    if (!there.includes(name)) {
      if (!isComplete) continue;
      return differs('trajectories', `expected the file ${join(trajectoriesName, name)}, found none`);
    }
    let problem: string | null;
    try {
      problem = trajectoryProblem(folder, one);
    } catch (error) {
      problem = errorDetail(error);
    }
    if (problem !== null) return differs('trajectories', problem, iterationSeqs[one.iteration - 1] ?? null);
    checked += 1;
  }
  return holds('trajectories', `${counted(checked, 'median episode')} of kept policies`);
}
