/** Writes the page with the data of runs as files that open from disk: browsers load classic scripts from there, and nothing else. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { throwIfInterrupted } from '../../base/async.ts';
import { errorDetail, R2poError, UsageError } from '../../base/errors.ts';
import { jsonText } from '../../base/json.ts';
import { cannotUse } from '../../base/machine-fault.ts';
import { programVersion } from '../../base/node/assets.ts';
import { prepareOutputFolder } from '../../base/node/output-folder.ts';
import { visibleJson } from '../../base/printable.ts';
import type { ModelKind } from '../../llm/chat.ts';
import { exportedMark, exportScript, servedMark } from '../api/export.ts';
import type { RunIndex, RunRow } from '../api/index-of-runs.ts';
import type { ExportedComparisons } from '../api/requests.ts';
import { CallPages } from './call-pages.ts';
import { comparisonOf, mostCompared } from './comparison.ts';
import { dataText } from './data-text.ts';
import { IndexOfRuns } from './index-of-runs.ts';
import { indexPage, type PageFile } from './page-files.ts';
import { runPageOf } from './run-page.ts';
import { RunReadings } from './run-reading.ts';
import type { RunRoot } from './run-root.ts';

/** In every export, so that one is known. */
const markName = 'r2po-view.json';
const dataFolder = 'data';
/** Kinds of models whose runs are reported apart from those of the offline optimiser. */
const ofModels = ['model', 'replay'] as const satisfies readonly ModelKind[];
/** Texts of calls of one run, characters: a run of thousands of calls may have sent gigabytes. */
const mostCallText = 128 * 2 ** 20;

export interface ExportOptions {
  readonly root: RunRoot;
  readonly page: ReadonlyMap<string, PageFile>;
  readonly folder: string;
  readonly note: (text: string) => void;
  readonly warn: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface Exported {
  readonly folder: string;
  readonly runs: number;
  readonly files: number;
  readonly bytes: number;
}

/** A script that gives the page the value of a key. Nothing in it can end the script or is invisible. */
export function dataScript(key: string, value: unknown): string {
  const inert = (text: string): string => visibleJson(text).replaceAll('<', '\\u003c');
  return `r2po_data(${inert(JSON.stringify(key))}, ${inert(dataText(value))});\n`;
}

/** Throws a usage error for a folder that holds something else than an export of ours. */
function prepare(folder: string, page: ExportOptions['page']): void {
  prepareOutputFolder('--export', folder);
  const found = readdirSync(folder);
  if (found.length > 0 && !found.includes(markName)) {
    throw new UsageError(
      '--export',
      `expected a new or empty folder, or an earlier export, got "${folder}" with other files; choose another folder`,
    );
  }
  writeFileSync(join(folder, markName), jsonText({ r2po: programVersion() }));
  rmSync(join(folder, dataFolder), { recursive: true, force: true });
  for (const name of page.keys()) rmSync(join(folder, name), { force: true });
  mkdirSync(join(folder, dataFolder));
}

/** Writes scripts; those with the same name are one file, which is complete when the next one begins. */
class ScriptWriter {
  readonly #folder: string;
  files = 0;
  bytes = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  write(key: string, value: unknown): number {
    const text = dataScript(key, value);
    const path = join(this.#folder, exportScript(key));
    if (!existsSync(path)) this.files += 1;
    writeFileSync(path, text, { flag: 'a' });
    this.bytes += Buffer.byteLength(text);
    return text.length;
  }

  /** A file of the page. */
  copy(name: string, content: Buffer | string): void {
    writeFileSync(join(this.#folder, name), content);
    this.files += 1;
    this.bytes += Buffer.byteLength(content);
  }
}

async function writeRuns(options: ExportOptions, index: IndexOfRuns, scripts: ScriptWriter): Promise<string[]> {
  const { note, warn, signal } = options;
  const readings = new RunReadings(1);
  const calls = new CallPages();
  const written: string[] = [];
  for (const { id } of index.rows()) {
    throwIfInterrupted(signal);
    const found = await index.find(id);
    if (found === null || options.root.filesOf(found.folder).problem !== null) continue;
    const key = `/api/runs/${encodeURIComponent(id)}`;
    try {
      const reading = await readings.read(found.folder);
      scripts.write(key, runPageOf(reading, found.row));
      written.push(id);
      let text = 0;
      for (const { seq } of reading.calls) {
        throwIfInterrupted(signal);
        if (text > mostCallText) {
          warn(
            `${id}: the texts of its calls from event ${seq} on are left out, as they are more than ${mostCallText} characters`,
          );
          break;
        }
        const page = await calls.read(reading, seq);
        if (page !== null) text += scripts.write(`${key}/calls/${seq}`, page);
      }
      note(`wrote ${id}`);
    } catch (error) {
      if (signal.aborted || !(error instanceof R2poError)) throw error;
      warn(`${id}: ${errorDetail(error)}`);
    }
  }
  calls.close();
  return written;
}

/** Throws a usage error for a folder that cannot be written to or holds something else. */
export async function writeExport(options: ExportOptions): Promise<Exported> {
  const { root, page, folder, warn } = options;
  const html = page.get(indexPage)!.read().toString('utf8');
  if (!html.includes(servedMark)) {
    throw new R2poError(
      'view',
      `expected ${servedMark} in ${indexPage} of the page, found none; build it again: npm run build`,
    );
  }
  try {
    prepare(folder, page);
    const index = new IndexOfRuns(root);
    await index.refreshChecked();
    const scripts = new ScriptWriter(folder);
    for (const file of page.values()) {
      scripts.copy(file.name, file.name === indexPage ? html.replace(servedMark, exportedMark) : file.read());
    }
    const written = await writeRuns(options, index, scripts);
    scripts.write('/api/runs', {
      version: programVersion(),
      ...{ root: root.path, problem: index.problem, revision: '' },
      can: { follow: false, evaluate: false, steer: false },
      machine: null,
      runs: index.rows(),
    } satisfies RunIndex);
    const readable = index.rows().filter(({ id, status }) => status !== 'damaged' && written.includes(id));
    await writeComparisons(options, index, readable, scripts);
    return { folder, runs: written.length, files: scripts.files, bytes: scripts.bytes };
  } catch (error) {
    if (error instanceof R2poError) throw error;
    warn(`"${folder}" holds a part of the export`);
    throw cannotUse('--export', 'a folder that can be written to', folder, error);
  }
}

/**
 * The comparisons of an export: all runs, and those of each environment; those of language models and of the offline
 * optimiser apart, which no report pools.
 */
function comparedSets(rows: readonly RunRow[]): ExportedComparisons {
  const envs = [...new Set(rows.map(({ env }) => env))];
  const sets = [
    { title: 'all runs', members: rows },
    ...(envs.length > 1 ? envs : []).map((env) => ({ title: env, members: rows.filter((row) => row.env === env) })),
  ];
  return sets.flatMap(({ title, members }) => {
    const isOf = (...kinds: readonly string[]) => members.some(({ modelKind }) => kinds.includes(modelKind));
    const without = (...kinds: readonly string[]): string[] =>
      members.filter(({ modelKind }) => !kinds.includes(modelKind)).map(({ id }) => id);
    if (!isOf('offline') || !isOf(...ofModels)) return [{ title, runs: without() }];
    return [
      { title: `${title}, language models`, runs: without('offline') },
      { title: `${title}, offline optimiser`, runs: without(...ofModels) },
    ];
  });
}

async function writeComparisons(
  { warn, signal }: ExportOptions,
  index: IndexOfRuns,
  rows: readonly RunRow[],
  scripts: ScriptWriter,
): Promise<void> {
  const written: ExportedComparisons = [];
  for (const set of rows.length === 0 ? [] : comparedSets(rows)) {
    throwIfInterrupted(signal);
    const { title, runs } = set;
    if (runs.length > mostCompared) {
      warn(`the comparison of ${title} is left out: ${runs.length} runs, at most ${mostCompared}`);
      continue;
    }
    const found = await Promise.all(runs.map(async (id) => ({ id, folder: (await index.find(id))?.folder ?? '' })));
    try {
      const there = found.filter(({ folder }) => folder !== '');
      scripts.write(`/api/compare/${written.length}`, await comparisonOf(there, []));
      written.push(set);
    } catch (error) {
      if (!(error instanceof R2poError)) throw error;
      warn(`the comparison of ${title} is left out: ${errorDetail(error)}`);
    }
  }
  scripts.write('/api/compare', written);
}
