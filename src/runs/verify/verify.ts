/**
 * Verifies a run: whether its record holds, the other files follow from it, its numbers can be, and its best policy gives its
 * mean again. Reads only.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { aText, checkArgument, having } from '../../base/arguments.ts';
import { errorDetail, R2poError } from '../../base/errors.ts';
import { isModulePath } from '../../base/module-path.ts';
import { counted } from '../../base/plain-number.ts';
import { configName, manifestName } from '../../config/recorded.ts';
import { envs } from '../../envs/index.ts';
import type { Backend } from '../../rollout/backend.ts';
import { readRunFile } from '../folder/files.ts';
import { runHash } from '../folder/identity.ts';
import { type Manifest, readManifest } from '../folder/manifest.ts';
import { readMetrics } from '../folder/metrics.ts';
import { missingFrom } from '../folder/missing.ts';
import { changedSource } from '../folder/module-source.ts';
import { StoredRun } from '../folder/read-run.ts';
import { type RunFacts, type RunSummary, runSummarySchema, summarize } from '../folder/summary.ts';
import { firstDifference } from '../journal/difference.ts';
import { eventsName } from '../journal/journal.ts';
import type { RunTotals } from '../journal/totals.ts';
import { type RunUnits, resolveUnits } from '../resolve-units.ts';
import { type Check, type CheckName, checkNames, differs, holds, notChecked } from './check.ts';
import { ConsistencyCheck, type Limits, limitsOf } from './consistency.ts';
import {
  checkBest,
  checkMetrics,
  checkScalars,
  checkTrajectories,
  type Read,
  readFor,
  readJsonFile,
  summaryDifference,
} from './derived-files.ts';
import { playAgain } from './played-again.ts';
import { type ReadRecord, readRecord } from './read-record.ts';

/** What `r2po verify` found out about a run. */
export interface VerifyReport {
  readonly folder: string;
  /** number of the record's format, and its events; null: there is no record */
  readonly record: { readonly format: number; readonly events: number } | null;
  readonly checks: readonly Check[];
  /** the one with the first event that differs; null: nothing differs */
  readonly difference: Check | null;
}

export interface VerifyOptions {
  /** Gives what plays the episodes of a run that was played on `backend`; null, with the reason: nothing can. */
  readonly open: (backend: string) => Promise<Backend | { readonly reason: string }>;
  readonly signal?: AbortSignal | undefined;
  /** The checks of a training that only what trains can make: its settings and its policy are not in the record. */
  readonly checkTraining?: (
    training: { readonly run: StoredRun; readonly record: ReadRecord },
    options: VerifyOptions,
  ) => Promise<readonly Check[]>;
}

/** The units that the configuration of a run names, or why there are none here. */
type FoundUnits = { readonly units: RunUnits } | { readonly reason: string; readonly isDifference: boolean };

/** Whether this program has trained, so that it has played the episodes of the record. */
const isOwnTraining = ({ imported }: Manifest): boolean => imported?.training?.resume !== undefined;

async function unitsOf(run: StoredRun): Promise<FoundUnits> {
  if (run.manifest.imported?.training) {
    const what = isOwnTraining(run.manifest) ? 'the record of a training' : 'an imported training';
    return { reason: `${what} has rewards only`, isDifference: false };
  }
  try {
    return { units: resolveUnits(await run.config()) };
  } catch (error) {
    if (!(error instanceof R2poError)) throw error;
    return { reason: error.detail, isDifference: !namesModule(run) };
  }
}

/** Whether the configuration names a module of the user, which may be another one here, or none. */
function namesModule(run: StoredRun): boolean {
  try {
    const { env, method } = (run.writtenConfig() ?? {}) as { readonly env?: unknown; readonly method?: unknown };
    return [env, method].some((name) => typeof name === 'string' && isModulePath(name));
  } catch {
    return false;
  }
}

/** What a run that is not verified at all gets, beside the check that failed. */
function rest(made: readonly Check[], reason: string): Check[] {
  const done = new Set(made.map(({ check }) => check));
  return [...made, ...checkNames.filter((name) => !done.has(name)).map((name) => notChecked(name, reason))];
}

function reportOf(folder: string, record: ReadRecord | null, checks: readonly Check[]): VerifyReport {
  const found = checks.filter(({ result }) => result === 'differs');
  const [first = null] = found.toSorted((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity) || 0);
  const order = (name: CheckName) => checkNames.indexOf(name);
  return {
    folder,
    record: record && { format: record.format, events: record.end.events },
    checks: checks.toSorted((a, b) => order(a.check) - order(b.check)),
    difference: first,
  };
}

/** The files beside a record, read before it: a process that writes the run appends to the record first. */
interface Written {
  readonly summary: Read<unknown>;
  readonly parsed: RunSummary | null;
  readonly metrics: Read<string>;
  readonly best: Read<unknown>;
}

function writtenFiles(folder: string, isSettled: boolean): Written {
  const file = (name: string) => ({ folder, name, isSettled });
  const summary = readFor('summary', file('summary.json'), (path) => {
    const raw = readJsonFile(path);
    const parsed = runSummarySchema.safeParse(raw);
    if (parsed.success) return { raw, parsed: parsed.data };
    const [issue] = parsed.error.issues;
    throw new R2poError('run folder', `summary.json: "${issue?.path.join('.')}" ${issue?.message}`);
  });
  return {
    summary: 'value' in summary ? { value: summary.value.raw } : summary,
    parsed: 'value' in summary ? summary.value.parsed : null,
    metrics: readFor('metrics', file('metrics.csv'), (path) => {
      readMetrics(path);
      return readRunFile(path);
    }),
    best: readFor('best', file('best.json'), readJsonFile),
  };
}

/** Compares the summary with those that follow from the record, as it is read. */
class SummaryComparison {
  /** null: equal to one of them */
  difference: string | null = 'the record has no event';
  readonly #written: unknown;
  readonly #facts: RunFacts;
  readonly #env: string | undefined;
  readonly #mark: number | null;
  readonly #isSettled: boolean;
  #isEqual = false;

  /** `mark`: lines of the record when it was made; null: it does not say, and all of them or, unless settled, any number count. */
  constructor(written: unknown, facts: RunFacts, env: string | undefined, mark: number | null, isSettled: boolean) {
    this.#isSettled = isSettled;
    this.#written = withoutRecord(written);
    this.#facts = facts;
    this.#env = env;
    this.#mark = mark;
  }

  readonly onLine = (totals: RunTotals, lines: number): void => {
    if (lines === 0 || this.#isEqual || (this.#mark !== null && lines !== this.#mark)) return;
    const { record: _, ...expected } = summarize(this.#facts, totals, { events: lines, digest: null }, this.#env);
    this.difference = summaryDifference(expected as RunSummary, this.#written);
    this.#isEqual = this.difference === null && (this.#mark !== null || !this.#isSettled);
  };
}

/** How far the record goes is compared apart. */
function withoutRecord(written: unknown): unknown {
  if (typeof written !== 'object' || written === null) return written;
  const { record: _, ...others } = written as Record<string, unknown>;
  return others;
}

/** What a summary needs beside the record; without a configuration from the manifest, where the prices are not known. */
function factsOf(found: FoundUnits, { env, method, model, seed }: Manifest): { facts: RunFacts; env?: string } {
  if ('units' in found) return { facts: found.units.config };
  return { facts: { env, method, model, seed, prices: {}, evaluation: { backend: 'auto' } }, env };
}

function withoutCost(written: unknown): unknown {
  const { llm, ...others } = written as { readonly llm: Record<string, unknown> };
  const { cost_usd: _, ...counts } = llm;
  return { ...others, llm: counts };
}

/** Checks whether a run is as it was recorded, and plays its best policy again. Changes nothing. */
export async function verifyRun(folder: string, options: VerifyOptions): Promise<VerifyReport> {
  checkArgument('verifyRun', 'folder', folder, aText);
  checkArgument('verifyRun', 'options', options, having('an object with the function "open"', 'open'));
  let manifest: Manifest | null;
  try {
    manifest = readManifest(folder);
  } catch (error) {
    return withoutManifest(folder, errorDetail(error));
  }
  if (manifest === null) return withoutManifest(folder, `expected the file ${manifestName}, found none`);
  return await verifyStored(new StoredRun(folder, manifest), options);
}

/** Only the record can be read. */
function withoutManifest(folder: string, problem: string): VerifyReport {
  const record = readRecord(folder, {
    representative: 'median',
    consistency: new ConsistencyCheck(null, true),
    mark: null,
    onLine: () => {},
  });
  const checks = [differs('manifest', problem), ...(record.broken ? [brokenRecord(record)] : [])];
  return reportOf(folder, record, rest(checks, `${manifestName} cannot be read`));
}

function brokenRecord({ broken }: ReadRecord): Check {
  return differs('record', broken!.text, broken!.seq);
}

async function verifyStored(run: StoredRun, options: VerifyOptions): Promise<VerifyReport> {
  const { folder, manifest } = run;
  // Somebody may keep or send the record alone, from which the rest can be made.
  const isBare = !['summary.json', 'metrics.csv', 'best.json'].some((name) => existsSync(join(folder, name)));
  const isSettled = !isBare && (manifest.status === 'finished' || manifest.status === 'stopped');
  const found = await unitsOf(run);
  const units = 'units' in found ? found.units : null;
  const files = writtenFiles(folder, isSettled);
  const { facts, env } = factsOf(found, manifest);
  const mark = files.parsed?.record?.events ?? null;
  const written = 'value' in files.summary ? files.summary.value : {};
  const isPriced = units !== null || manifest.imported?.training !== undefined;
  const compared = isPriced || !files.parsed ? written : withoutCost(written);
  const comparison = new SummaryComparison(compared, facts, env, mark, isSettled);
  const limits = knownLimits(manifest, units);
  const record = readRecord(folder, {
    representative: units?.method.representative ?? 'median',
    consistency: new ConsistencyCheck(limits, manifest.imported !== undefined),
    mark,
    onLine: comparison.onLine,
  });
  const manifestCheck = checkManifest(run, found, record);
  if (record.broken) {
    const reason = `the record is damaged from seq ${record.broken.seq ?? 0} on`;
    return reportOf(folder, record, rest([brokenRecord(record), manifestCheck], reason));
  }
  const noUnits = (check: CheckName): Check => notChecked(check, 'reason' in found ? found.reason : '');
  const checks = [
    checkRecord(run, record, files, isSettled),
    manifestCheck,
    'check' in files.summary ? files.summary.check : checkSummary(comparison, record, mark, isSettled),
    'check' in files.metrics ? files.metrics.check : checkMetrics(files.metrics.value, record, isSettled),
    units ? bestCheck(files, record, units, isSettled) : noUnits('best'),
    checkScalars(folder, record, isSettled),
    units && !manifest.imported
      ? checkTrajectories(folder, record, isSettled && manifest.status === 'finished')
      : notChecked('trajectories', units ? 'an imported run has none' : noUnits('trajectories').detail),
    checkReturns(record, limits !== null, found, manifest),
    units ? await playedCheck(run, record, units, options) : noUnits('played again'),
  ];
  const isTraining = manifest.imported?.training !== undefined;
  const more = (isTraining && (await options.checkTraining?.({ run, record }, options))) || [];
  const known = new Map(more.map((one) => [one.check, one]));
  return reportOf(
    folder,
    record,
    checks.map((one) => (one.result === 'not checked' ? (known.get(one.check) ?? one) : one)),
  );
}

/** null: another program has played the episodes, or the environment is not known */
function knownLimits(manifest: Manifest, units: RunUnits | null): Limits | null {
  if (units && !manifest.imported) return limitsOf(units.env, units.settings.maxSteps);
  const env = isOwnTraining(manifest) && envs.find(({ id }) => id === manifest.env);
  return env ? limitsOf(env, null) : null;
}

function checkRecord({ folder, manifest }: StoredRun, record: ReadRecord, files: Written, isSettled: boolean): Check {
  const { totals, end, markDigest, torn, format } = record;
  if (!existsSync(join(folder, eventsName))) return differs('record', `expected the file ${eventsName}, found none`, 0);
  const { status, rows, answered, episodes, steps } = totals;
  const held = { status, rows, answered, episodes, steps, end, summaryDigest: markDigest };
  const metrics = 'value' in files.metrics ? readMetrics(join(folder, 'metrics.csv')) : null;
  const missing = missingFrom(held, { manifest, summary: files.parsed, metrics });
  if (missing.length > 0) {
    const stated = files.parsed?.record;
    const isOther = stated && stated.events > 0 && stated.events <= end.events && stated.digest !== markDigest;
    return differs('record', missing.join('; '), isOther ? stated.events - 1 : end.events);
  }
  if (torn !== null && isSettled) return differs('record', `${torn}, behind the end of the run`, end.events);
  const chain =
    format === 1 ? 'format 1 has no digests: a changed line cannot be told from others' : 'every digest holds';
  const what = `${counted(end.events, 'event')} of format ${format}; ${chain}`;
  return holds('record', torn === null ? what : `${what}; a torn last line is left out`);
}

/** Whether manifest and configuration are those of the record. */
function checkManifest({ manifest }: StoredRun, found: FoundUnits, record: ReadRecord): Check {
  const { totals, broken, configHash } = record;
  if ('reason' in found && found.isDifference) return differs('manifest', `${configName}: ${found.reason}`);
  if ('units' in found) {
    const { config, env, method } = found.units;
    const expected = {
      env: env.id,
      method: method.id,
      seed: config.seed,
      config_hash: runHash(config, manifest.branch),
    };
    const { env: id, method: name, seed, config_hash } = manifest;
    const difference = firstDifference(expected, { env: id, method: name, seed, config_hash });
    if (difference) {
      const { path, expected: want, got } = difference;
      return differs('manifest', `${manifestName}: expected ${path} ${want}, as ${configName} has it, got ${got}`);
    }
  }
  const branch = branchDifference(manifest, record);
  if (branch !== null) return differs('manifest', branch, record.branched?.event.seq ?? null);
  const { config_hash: hash } = manifest;
  if (!manifest.imported?.training && configHash !== null && configHash !== hash) {
    return differs(
      'manifest',
      `${manifestName}: expected config_hash "${configHash}", as the record has it, got "${hash}"`,
    );
  }
  const isFinished = totals.status === 'finished';
  const isOlder = manifest.status === 'running' && isFinished;
  // A process may be killed before it writes what its session found: that of a finished run it wrote at its start.
  if ((manifest.status !== 'running' || isFinished) && broken === null) {
    const { backend, adapter, modelKind, model } = totals;
    const status = isOlder ? 'running' : totals.status;
    const expected = { status, backend, adapter, model_kind: modelKind, ...(model !== null && { model }) };
    const { status: said, backend: on, adapter: card, model_kind, model: named } = manifest;
    const got = { status: said, backend: on, adapter: card, model_kind, ...(model !== null && { model: named }) };
    const difference = firstDifference(expected, got);
    if (difference) {
      const { path, expected: want, got: has } = difference;
      return differs('manifest', `${manifestName}: expected ${path} ${want}, as the record has it, got ${has}`);
    }
  }
  if ('reason' in found) return notChecked('manifest', found.reason);
  if (isOlder) {
    return notChecked(
      'manifest',
      `${manifestName} says "running", as a process leaves it that is killed at its end; resuming the run writes it again`,
    );
  }
  return holds('manifest', `${manifestName} and ${configName} agree with the record`);
}

/** Whether run.json and the record agree on where a branch begins, in words; null: they do. */
function branchDifference({ branch, imported }: Manifest, { branched, broken }: ReadRecord): string | null {
  // A log does not say where a branch begins.
  if (broken !== null || imported) return null;
  const found = branched && {
    ...{ run: branched.event.run, iteration: branched.event.iteration },
    record: { events: branched.event.seq, digest: branched.digest },
  };
  const difference = firstDifference(found, branch ?? null, 'branch');
  return (
    difference &&
    `${manifestName}: expected ${difference.path} ${difference.expected}, as the record has it, got ${difference.got}`
  );
}

function checkSummary(
  { difference }: SummaryComparison,
  { end }: ReadRecord,
  mark: number | null,
  isSettled: boolean,
): Check {
  if (mark !== null && mark > end.events) {
    return differs('summary', `summary.json was made from ${counted(mark, 'event')}, the record has ${end.events}`);
  }
  if (difference !== null) return differs('summary', `summary.json: ${difference}`);
  if (isSettled && mark !== null && mark < end.events) {
    return differs('summary', `summary.json was made from ${counted(mark, 'event')}, and the record goes on`, mark);
  }
  return holds('summary', 'summary.json follows from the record');
}

function bestCheck({ best }: Written, record: ReadRecord, units: RunUnits, isSettled: boolean): Check {
  const { policy } = units;
  const known = record.bests.filter(({ params }) => params.length === policy.paramCount);
  if (known.length === 0 || known.at(-1) !== record.bests.at(-1)) {
    return notChecked('best', 'the record has no parameters of a kept policy');
  }
  return 'check' in best ? best.check : checkBest(best.value, record, units, isSettled);
}

function checkReturns({ inconsistent }: ReadRecord, isLimited: boolean, found: FoundUnits, manifest: Manifest): Check {
  if (inconsistent) return differs('returns', inconsistent.text, inconsistent.seq);
  if (isLimited) return holds('returns', 'all returns are inside what the environment can give');
  const why = manifest.imported ? 'another program played the episodes' : 'reason' in found ? found.reason : '';
  return notChecked('returns', why);
}

async function playedCheck(
  { manifest }: StoredRun,
  record: ReadRecord,
  units: RunUnits,
  { open, signal }: VerifyOptions,
): Promise<Check> {
  const check = 'played again';
  if (manifest.imported) return notChecked(check, 'the log of another program has no seeds of its episodes');
  const { backend } = record.totals;
  if (backend === null) return notChecked(check, 'the run has not begun');
  const changed = changedSource(manifest, units.env, units.method);
  if (changed !== null) return notChecked(check, changed);
  const opened = await open(backend);
  return 'reason' in opened ? notChecked(check, opened.reason) : playAgain(record, units, opened, signal);
}
