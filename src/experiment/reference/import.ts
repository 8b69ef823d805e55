/**
 * A log of the Python reference as a run folder of ours. What cannot be read is left out and accounted for by file. The
 * result is marked as imported: it has no requests and no seeds by which it could be resumed or replayed.
 */
import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  createWriteStream,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createGzip } from 'node:zlib';
import { exitCodes, R2poError, UsageError } from '../../base/errors.ts';
import { estimateTokens } from '../../base/tokens.ts';
import { resolveConfig, shippedConfigs } from '../../config/resolve.ts';
import type { Env } from '../../envs/env.ts';
import { findEnv } from '../../envs/index.ts';
import { findMethod } from '../../methods/index.ts';
import type { CandidateLabel } from '../../methods/method.ts';
import { endCauses } from '../../rollout/backend.ts';
import { type Summary, summarise } from '../../stats/summary.ts';
import { asRecorded } from '../event-schema.ts';
import type { EventBody, LoggedTotals } from '../events.ts';
import { replaceFile } from '../files.ts';
import { configName } from '../folder.ts';
import { runHash } from '../identity.ts';
import { eventsName } from '../journal.ts';
import { newManifest } from '../manifest.ts';
import { type Plan, planRun } from '../plan.ts';
import { RunFiles } from '../run-files.ts';
import { Tally } from '../tally.ts';
import { cannotRead, type Problem, type Rollouts, readOverallLog, readRollouts, readText, type Tee } from './files.ts';
import { type FoundRun, listFolder } from './find.ts';
import {
  episodeFolder,
  type Layout,
  type LayoutId,
  type LoggedMethod,
  layoutOf,
  layouts,
  loggedMethods,
  logName,
  parametersName,
  readExperimentName,
  reasoningName,
  reportFolder,
  runFolder,
  warmupFile,
  warmupFolder,
} from './layout.ts';
import { type Exchange, readKeys, readNumber, readReasoning, readReplyParams, readTable } from './text.ts';

export const importFormat = 'r2po reference, commit 9449c38';
/** Beside the record: the rollouts as they were logged, for a record holds no steps. */
export const rolloutsFolder = 'rollouts';

/** What the log does not say. */
const unknown = [
  'seeds: those of the events count the rollouts, that of the run is its number',
  'end causes: taken from the lengths',
  'settings: those published for the method',
  'tokens: estimated from the texts',
  'times of the events: made from the logged seconds',
] as const;

export interface SkippedFile extends Problem {
  readonly path: string;
}

export interface ImportOptions {
  readonly runsDir: string;
  /** an id; null: told by the folder's name */
  readonly env: string | null;
  readonly method: string | null;
  /** what answered, which the log does not say */
  readonly model: string;
  readonly argv: readonly string[];
  readonly now: number;
}

export interface ImportedRun {
  readonly source: string;
  /** where it is now; null when nothing of it could be used */
  readonly folder: string | null;
  /** true: the same log had been imported before, and nothing was written */
  readonly already: boolean;
  readonly env: string | null;
  readonly method: string | null;
  readonly layout: LayoutId | null;
  readonly iterations: number;
  readonly files_read: number;
  readonly files_skipped: readonly SkippedFile[];
  /** decisions that the log left open */
  readonly notes: readonly string[];
}

/** In place of a backend: the episodes were played by the reference. */
export const importedBackend = 'python-reference';

/** The copy of a rollout file in the run folder. */
export function rolloutsName(iteration: number, candidate: CandidateLabel): string {
  return `iteration-${String(iteration).padStart(4, '0')}-${candidate}.txt.gz`;
}

/** The copy of a warm-up's file. */
export function warmupName(index: number): string {
  return `warmup-${String(index).padStart(4, '0')}.txt.gz`;
}

/** The files of one run on their way: what was read, what not, and the digest of all of it. */
class Reader {
  readonly digest: Hash = createHash('sha256');
  readonly skipped: SkippedFile[] = [];
  readonly notes: string[] = [];
  read = 0;

  begin(path: string): void {
    this.digest.update(`\0${path}\0`);
  }
  done(path: string, problem: Problem | null): void {
    if (problem) this.skip(path, problem);
    else this.read += 1;
  }
  skip(path: string, { expected, found }: Problem): void {
    this.skipped.push({ path, expected, found });
  }
}

/** What a folder of the reference is about, before its files are read. */
interface Subject {
  readonly env: Env;
  readonly method: LoggedMethod;
  readonly layout: Layout;
}

function detect(run: FoundRun, options: ImportOptions, reader: Reader): Subject | null {
  const names = run.source.split('/');
  const told = names.map(readExperimentName);
  const env = options.env === null ? (told.find((name) => name.env)?.env ?? null) : findEnv(options.env);
  if (!env) {
    reader.skip(run.folder, {
      expected: 'a folder <environment>_<method>/run_<n>, such as cartpole_props/run_1, or --env',
      found: run.source,
    });
    return null;
  }
  const found = layouts.find((layout) => hasFilesOf(run.folder, layout)) ?? null;
  const wanted = options.method ?? told.find((name) => name.method)?.method?.id;
  let method = loggedMethods.find(({ id }) => id === wanted) ?? null;
  if (method && found && method.layout !== found.id) {
    reader.notes.push(`the folder is called as one of ${method.id} and has the files of the ${found.id} layout`);
    if (options.method === null) method = null;
  }
  if (!method) {
    if (found) method = loggedMethods.find((m) => m.layout === found.id) ?? null;
    if (!method) {
      reader.skip(run.folder, { expected: 'the files of a method, or --method', found: 'none' });
      return null;
    }
    reader.notes.push(`method ${method.id} by the files alone; say which one it is with --method`);
  }
  return { env, method, layout: found ?? layoutOf(method.layout) };
}

/** By its first iterations: a run has one layout. */
function hasFilesOf(folder: string, layout: Layout): boolean {
  const wanted = [...(layout.outcome ? [layout.outcome] : []), ...layout.candidates.map((c) => c.rollouts)];
  // What two layouts share decides nothing.
  const own = layout.id === 'critic-only' ? [layout.outcome as string] : wanted;
  try {
    const episodes = listFolder(folder).filter((e) => e.isDirectory() && episodeFolder.test(e.name));
    return episodes.slice(0, 5).some(({ name }) => own.some((file) => existsSync(join(folder, name, file))));
  } catch {
    return false;
  }
}

async function configFor(subject: Subject, run: FoundRun, model: string, facts: Facts): Promise<Resolved> {
  const { env, method } = subject;
  const base = `${env.folder}/${method.id}`;
  const rest = run.source.split('/').map((name) => readExperimentName(name).rest);
  const variant = ['projected-mlp', 'random-features']
    .filter((kind) => rest.some((text) => text.includes(kind.slice(0, 9).replace('-', '_'))))
    .map((kind) => `${base}-${kind}`)
    .find((name) => shippedConfigs().includes(name));
  const overrides = [
    `iterations=${Math.max(1, facts.iterations)}`,
    `warmup.policies=${facts.warmups}`,
    `evaluation.episodes=${facts.episodes}`,
  ];
  const flags = { seed: runNumber(run), model };
  try {
    return await resolveConfig(variant ?? base, [...overrides, 'settings=published'], flags);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return await resolveConfig(base, overrides, flags);
  }
}
type Resolved = Awaited<ReturnType<typeof resolveConfig>>;

interface Facts {
  readonly iterations: number;
  readonly warmups: number;
  /** per evaluation */
  readonly episodes: number;
}

function runNumber({ source }: FoundRun): number {
  const name = source.split('/').at(-1) ?? '';
  return Number(runFolder.exec(name)?.[1] ?? 0);
}

/** Appends events with times that never go back. */
class Record {
  readonly tally = new Tally();
  private readonly fd: number;
  private readonly origin: number;
  private time = 0;
  private seq = 0;

  constructor(path: string, origin: number) {
    this.fd = openSync(path, 'wx');
    this.origin = origin;
  }

  /** `seconds` since the start */
  at(seconds: number): void {
    this.time = Math.max(this.time, Math.min(Math.max(seconds, 0), 1e9));
  }

  append(body: EventBody): void {
    const time = new Date(this.origin + this.time * 1000).toISOString();
    const { line, event } = asRecorded({ ...body, time, seq: this.seq });
    writeFileSync(this.fd, line);
    this.seq += 1;
    this.tally.add(event);
  }

  close(): void {
    fsyncSync(this.fd);
    closeSync(this.fd);
  }
}

/** Closes with the episodes of the record, so that no half-written copy stays. */
async function withCopy<T>(path: string, use: (tee: Pick<Tee, 'copy'>) => Promise<T>): Promise<T> {
  const gzip = createGzip({ level: 6 });
  const file = createWriteStream(path);
  gzip.pipe(file);
  try {
    return await use({ copy: gzip as unknown as NonNullable<Tee['copy']> });
  } finally {
    gzip.end();
    await once(file, 'close');
  }
}

function summaryOf({ returns, lengths }: Rollouts, { env, settings }: Plan): Summary {
  const cap = settings.maxSteps ?? Number.POSITIVE_INFINITY;
  const limit = env.timeLimit ?? Number.POSITIVE_INFINITY;
  const cause = (length: number) => (length >= limit ? 'truncated' : length >= cap ? 'capped' : 'terminated');
  return summarise(
    Float64Array.from(returns),
    Uint32Array.from(lengths),
    Uint8Array.from(lengths, (length) => endCauses.indexOf(cause(length))),
    { firstSeed: 0, successThreshold: settings.successThreshold },
  );
}

interface ReadCandidate {
  readonly label: CandidateLabel;
  readonly rollouts: Rollouts | null;
  readonly params: readonly number[];
  readonly mean: number;
  readonly summary: Summary | null;
}

/** Logged to four decimals. */
function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= 6e-5 + 1e-9 * Math.abs(b);
}

/** Reads one iteration's folder into events. Returns false when it was not finished. */
async function importIteration(
  reader: Reader,
  record: Record,
  plan: Plan,
  subject: Subject,
  place: { readonly folder: string; readonly draft: string; readonly iteration: number; readonly apiBefore: number },
  logged: LoggedTotals | undefined,
): Promise<boolean> {
  const { layout, method } = subject;
  const { folder, draft, iteration } = place;
  const path = (name: string): string => join(folder, name);
  let present = new Set<string>();
  try {
    present = new Set(listFolder(folder).map((entry) => entry.name));
  } catch (error) {
    // A row without its folder still says what was kept.
    reader.skip(folder, { expected: 'the folder of an iteration', found: cannotRead(error) });
  }
  const known = new Set([parametersName, reasoningName, layout.outcome, ...layout.candidates.map((c) => c.rollouts)]);
  for (const name of present) {
    if (!known.has(name)) reader.skip(path(name), { expected: `a file of the ${layout.id} layout`, found: 'another' });
  }
  const text = async (name: string): Promise<string | null> => {
    if (!present.has(name)) return null;
    reader.begin(`${iteration}/${name}`);
    const read = await readText(path(name), reader.digest);
    if ('text' in read) return read.text;
    reader.skip(path(name), read);
    return null;
  };

  const outcomeText = layout.outcome === null ? null : await text(layout.outcome);
  const outcome = outcomeText === null ? new Map<string, string>() : readKeys(outcomeText);
  const winnerName = outcome.get('winner');
  let kept: CandidateLabel | null =
    layout.candidates.length === 1
      ? 'proposal'
      : winnerName !== undefined && Object.hasOwn(layout.winners, winnerName)
        ? layout.winners[winnerName]
        : null;
  if (layout.outcome !== null && outcomeText !== null) {
    const readable =
      kept !== null && layout.candidates.some(({ reward }) => readNumber(outcome.get(reward) ?? '') !== null);
    reader.done(
      path(layout.outcome),
      readable ? null : { expected: 'a winner and the rewards', found: 'a text without them' },
    );
  }

  const reasoning = await text(reasoningName);
  const exchanges = reasoning === null ? null : readReasoning(layout.id, reasoning);
  if (reasoning !== null) {
    const problem = exchanges ? null : { expected: 'prompts and replies', found: 'a text without their marks' };
    reader.done(path(reasoningName), problem);
  }
  const count = plan.policy.paramCount;
  const isTable = plan.policy.values.kind === 'choice';
  const printedText = await text(parametersName);
  const table = isTable && printedText !== null ? readTable(printedText, count) : null;
  if (printedText !== null) {
    const wrong = isTable && !table ? { expected: `a table of ${count} states`, found: 'another text' } : null;
    reader.done(path(parametersName), wrong);
  }

  const candidates: ReadCandidate[] = [];
  for (const [position, { label, rollouts: name, reward }] of layout.candidates.entries()) {
    const told = readNumber(outcome.get(reward) ?? '');
    let rollouts: Rollouts | null = null;
    let seen: readonly number[] | null = null;
    if (present.has(name)) {
      reader.begin(`${iteration}/${name}`);
      const copy = join(draft, rolloutsFolder, rolloutsName(iteration, label));
      const read = await withCopy(copy, (tee) => readRollouts(path(name), { digest: reader.digest, ...tee }));
      let { problem } = read;
      seen = read.rollouts.params;
      if (problem === null) {
        const mean = summaryOf(read.rollouts, plan).mean;
        const others = candidates[0]?.rollouts?.returns.length;
        const here = read.rollouts.returns.length;
        const expected = told ?? (kept === label && logged ? logged.reward : null);
        if (expected !== null && !near(mean, expected)) {
          problem = { expected: `rollouts with the logged mean ${expected}`, found: `the mean ${mean}` };
        } else if (others !== undefined && here !== others) {
          problem = { expected: `${others} rollouts, as of the proposal`, found: `${here}` };
        }
      }
      reader.done(path(name), problem);
      if (problem === null) rollouts = read.rollouts;
      else rmSync(copy, { force: true });
    }
    const summary = rollouts && summaryOf(rollouts, plan);
    const mean = summary?.mean ?? (kept === label && logged ? logged.reward : told);
    // The critic's reply was never played, or all of it is lost.
    if (mean === null) continue;
    const reply = exchanges?.[position]?.reply;
    const printedHere =
      table && (method.printed === 'kept' ? kept === label : position === layout.candidates.length - 1);
    const replied = reply === undefined ? null : readReplyParams(reply, count, isTable ? method.tabular : 'first');
    const params = seen ?? (printedHere ? table : null) ?? replied ?? [];
    candidates.push({ label, rollouts, params, mean, summary });
  }

  if (kept === null && logged && candidates.length > 0) {
    // The outcome file is lost: the row tells which one was kept.
    kept = candidates.findLast(({ mean }) => near(mean, logged.reward))?.label ?? null;
  }
  if (kept !== null && !candidates.some(({ label }) => label === kept)) kept = null;
  const finished = logged !== undefined || (kept !== null && (layout.outcome === null || outcomeText !== null));
  if (!finished || candidates.length === 0) {
    const found = candidates.length === 0 ? 'no evaluation' : 'an iteration that breaks off';
    reader.skip(folder, { expected: `a row in ${logName} and a finished iteration`, found });
    return false;
  }

  const seconds = logged ? Math.max(0, logged.api_s - place.apiBefore) : 0;
  if (exchanges) {
    for (const { purpose, prompt, reply } of exchanges) {
      record.append(callOf(iteration, purpose, prompt, reply, seconds / exchanges.length));
    }
  }
  for (const { label, params, rollouts, summary } of candidates) {
    if (!rollouts || !summary) continue;
    const { returns, lengths } = rollouts;
    const played = { params, adjustments: [], seed: 0, summary, paired: null, rollouts: { returns, lengths } };
    record.append({ type: 'evaluated', iteration, candidate: label, ...played });
  }
  if (logged) record.at(logged.cpu_s + logged.api_s);
  const won = candidates.find(({ label }) => label === kept);
  record.append({
    type: 'iteration',
    iteration,
    kept,
    why:
      kept === null ? 'the log does not say which was kept' : `the log says so${winnerName ? `: ${winnerName}` : ''}`,
    candidates: candidates.map(({ label, params, mean }) => ({ label, params, mean })),
    trial: won ? { kind: 'iteration', params: won.params, mean: won.mean } : null,
    ...(logged && { logged }),
  });
  return true;
}

function callOf(
  iteration: number,
  purpose: Exchange['purpose'],
  prompt: string,
  text: string,
  latencySeconds: number,
): EventBody {
  const usage = { promptTokens: estimateTokens(prompt), completionTokens: estimateTokens(text), estimated: true };
  return {
    type: 'llm_call',
    iteration,
    purpose,
    attempt: 0,
    request: { messages: [{ role: 'user', content: prompt }], temperature: null, seed: null },
    reply: { text, usage, latencySeconds, requests: 1, model: 'unknown', finishReason: null, dropped: [] },
  };
}

async function importWarmups(reader: Reader, record: Record, plan: Plan, run: FoundRun, draft: string): Promise<void> {
  const folder = join(run.folder, warmupFolder);
  if (!existsSync(folder)) return;
  let names: string[];
  try {
    names = listFolder(folder).map((entry) => entry.name);
  } catch (error) {
    reader.skip(folder, { expected: 'a folder of warm-ups', found: cannotRead(error) });
    return;
  }
  for (const name of names) {
    const path = join(folder, name);
    const index = warmupFile.exec(name)?.[1];
    if (index === undefined) {
      reader.skip(path, { expected: 'warmup_rollout_<i>.txt', found: 'another file' });
      continue;
    }
    reader.begin(`${warmupFolder}/${name}`);
    const copy = join(draft, rolloutsFolder, warmupName(Number(index)));
    const { rollouts, problem } = await withCopy(copy, (tee) => readRollouts(path, { digest: reader.digest, ...tee }));
    reader.done(path, problem);
    if (problem) {
      rmSync(copy, { force: true });
      continue;
    }
    // A folder of a user's own warm-ups may hold several rollouts in a file; their mean stands for them.
    const { mean, length, ends } = summaryOf(rollouts, plan);
    const end = endCauses.find((cause) => ends[cause] > 0) ?? endCauses[0];
    const played = { return: mean, length: Math.round(length.mean), end };
    record.append({
      type: 'warmup',
      index: Number(index),
      params: rollouts.params ?? [],
      seed: Number(index),
      ...played,
    });
  }
}

/** Evaluations of this many episodes: those of the first file that is whole. */
async function countEpisodes(run: FoundRun, layout: Layout, episodes: readonly number[]): Promise<number> {
  for (const episode of episodes.slice(0, 5)) {
    for (const { rollouts } of layout.candidates) {
      const path = join(run.folder, `episode_${episode}`, rollouts);
      if (!existsSync(path)) continue;
      const { rollouts: read, problem } = await readRollouts(path, { digest: createHash('sha256') });
      if (problem === null) return read.returns.length;
    }
  }
  return 20;
}

/** Imports one run. Throws a usage error when the runs' folder cannot be written, or for an unknown environment. */
export async function importRun(run: FoundRun, options: ImportOptions): Promise<ImportedRun> {
  const reader = new Reader();
  const none = { folder: null, already: false, iterations: 0 };
  const result = (
    part: Pick<ImportedRun, 'folder' | 'already' | 'iterations'>,
    subject: Subject | null,
  ): ImportedRun => ({
    source: run.folder,
    ...part,
    env: subject?.env.id ?? null,
    method: subject?.method.id ?? null,
    layout: subject?.layout.id ?? null,
    files_read: reader.read,
    files_skipped: reader.skipped,
    notes: reader.notes,
  });
  const subject = detect(run, options, reader);
  if (!subject) return result(none, null);
  findMethod(subject.method.id);

  const entries = listFolder(run.folder);
  const episodes = entries
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => episodeFolder.exec(name)?.[1] ?? [])
    .map(Number);
  for (const { name } of entries) {
    const known = [logName, warmupFolder, reportFolder].includes(name) || episodeFolder.test(name);
    if (!known) reader.skip(join(run.folder, name), { expected: 'a file of a run', found: 'another' });
  }
  reader.digest.update(run.source);
  const logPath = join(run.folder, logName);
  let rows: ReadonlyMap<number, LoggedTotals> = new Map();
  if (existsSync(logPath)) {
    reader.begin(logName);
    const log = await readOverallLog(logPath, reader.digest);
    rows = log.rows;
    for (const problem of log.problems) reader.skip(logPath, problem);
    if (log.problems.length === 0) reader.read += 1;
  } else reader.skip(logPath, { expected: 'the overall log', found: 'no such file' });

  const iterations = [...new Set([...rows.keys(), ...episodes.map((k) => k + 1)])].sort((a, b) => a - b);
  if (iterations.length === 0) {
    reader.skip(run.folder, { expected: 'iterations', found: 'none' });
    return result(none, subject);
  }
  const warmupPath = join(run.folder, warmupFolder);
  const warmups = existsSync(warmupPath) && statSync(warmupPath).isDirectory() ? listFolder(warmupPath).length : 0;
  const { config, yaml } = await configFor(subject, run, options.model, {
    iterations: Math.min(iterations.length, 1_000_000),
    warmups: Math.min(warmups, 10_000),
    episodes: await countEpisodes(run, subject.layout, episodes),
  });
  const plan = planRun(config);

  const draft = openDraft(options.runsDir, run);
  try {
    const last = [...rows.values()].at(-1);
    const total = last ? Math.min(Math.max(0, last.cpu_s + last.api_s), 1e9) : 0;
    // Copies keep the time of the last write; without a log the folder's own stands in.
    const written = statSync(existsSync(logPath) ? logPath : run.folder).mtimeMs;
    const origin = Math.max(0, Math.floor(written - total * 1000));
    const record = new Record(join(draft, eventsName), origin);
    let imported = 0;
    let broken = false;
    try {
      const { layout } = subject;
      record.append({
        type: 'imported',
        format: importFormat,
        layout: layout.id,
        source: run.source,
        unknown: [...unknown],
      });
      record.append({
        type: 'run_started',
        resumed: false,
        config_hash: runHash(config),
        backend: importedBackend,
        adapter: null,
        model: options.model,
        model_kind: 'model',
      });
      await importWarmups(reader, record, plan, run, draft);
      let apiBefore = 0;
      for (const iteration of iterations) {
        const logged = rows.get(iteration);
        const folder = join(run.folder, `episode_${iteration - 1}`);
        const place = { folder, draft, iteration, apiBefore };
        const whole = await importIteration(reader, record, plan, subject, place, logged);
        if (whole) imported += 1;
        else broken = iteration === iterations.at(-1);
        if (logged) apiBefore = logged.api_s;
      }
      const reason = 'the log breaks off within an iteration';
      record.append(
        broken ? { type: 'run_stopped', reason, exit_code: exitCodes.interrupted } : { type: 'run_finished' },
      );
    } finally {
      record.close();
    }
    if (imported === 0) return result(none, subject);
    replaceFile(join(draft, configName), yaml, 'durable');
    const files = new RunFiles(draft, config, plan.policy);
    await files.write(record.tally);
    const digest = reader.digest.digest('hex');
    const { status, model } = record.tally;
    await files.writeManifest(
      newManifest({
        status,
        argv: [...options.argv],
        created: new Date(options.now).toISOString(),
        config_hash: runHash(config),
        env: plan.env.id,
        method: plan.method.id,
        seed: config.seed,
        backend: importedBackend,
        adapter: null,
        model: model ?? options.model,
        model_kind: 'model',
        stopped: null,
        imported: { format: importFormat, layout: subject.layout.id, source: run.source, digest },
      }),
    );
    const folder = join(options.runsDir, folderName(plan, run, digest));
    return result({ ...claim(draft, folder), iterations: imported }, subject);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** `cartpole-r2po-imported-run-1-1a2b3c4d`: the same log has the same name. */
function folderName({ env, method }: Plan, { source }: FoundRun, digest: string): string {
  const run = (source.split('/').at(-1) ?? '').replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, 60);
  return `${env.folder}-${method.id}-imported-${run}-${digest.slice(0, 8)}`;
}

function claim(draft: string, folder: string): Pick<ImportedRun, 'folder' | 'already'> {
  if (existsSync(folder)) return { folder, already: true };
  try {
    renameSync(draft, folder);
  } catch (cause) {
    if (existsSync(folder)) return { folder, already: true };
    throw new R2poError('import', `cannot make "${folder}": ${cannotRead(cause)}`, { cause });
  }
  return { folder, already: false };
}

function openDraft(runsDir: string, { source }: FoundRun): string {
  const draft = join(runsDir, `.import-${source.replaceAll(/[^A-Za-z0-9]+/g, '-')}.${process.pid}.tmp`);
  try {
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(join(draft, rolloutsFolder), { recursive: true });
  } catch (cause) {
    throw new UsageError(
      '--runs-dir',
      `expected a folder that can be written to, got "${runsDir}": ${cannotRead(cause)}`,
      cause,
    );
  }
  return draft;
}
