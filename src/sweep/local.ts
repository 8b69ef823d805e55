/** Runs a sweep in one process: a few runs in parallel, on shared backends and models. */
import { join } from 'node:path';
import { sleep } from '../base/async.ts';
import { R2poError } from '../base/errors.ts';
import { machineFault } from '../base/machine-fault.ts';
import { prepareOutputFolder } from '../base/node/output-folder.ts';
import { counted } from '../base/plain-number.ts';
import { ensureRunFolder, indexRuns, type KnownRun, withPrices } from '../runs/folder/folder.ts';
import { readManifest } from '../runs/folder/manifest.ts';
import { isFinished } from '../runs/folder/missing.ts';
import type { RunSummary } from '../runs/folder/summary.ts';
import { heartbeatMs } from '../runs/journal/heartbeat.ts';
import { BusyError, canAwait } from '../runs/journal/lock.ts';
import { isOrderlyStop } from '../runs/journal/totals.ts';
import { RunPool } from '../runs/run-pool.ts';
import type { ResumeCommand } from '../runs/session/budget.ts';
import type { RunProgress } from '../runs/session/progress.ts';
import type { SweepRun } from './expand.ts';
import { drawMissingFigure, lacksFigure } from './missing-figure.ts';

/**
 * State of a run at the end of a sweep. `stopped`: can be resumed, after a budget, a failed endpoint or an
 * interruption. `busy`: another process runs it. `waiting`: not started.
 */
export type SweepRunOutcome = 'finished' | 'stopped' | 'failed' | 'busy' | 'waiting';

export interface RunResult<R = SweepRun> {
  readonly run: R;
  /** null: none was made */
  readonly folder: string | null;
  readonly outcome: SweepRunOutcome;
  /** true: finished before this sweep */
  readonly already: boolean;
  /** summary of a run that finished now; null: see the folder */
  readonly summary: RunSummary | null;
  /** why the run is not finished; null: no error */
  readonly error: R2poError | null;
}

/** Whether a run ended without its result, and not because another process has it. */
export const isFailure = ({ outcome }: Pick<RunResult, 'outcome'>): boolean =>
  outcome === 'stopped' || outcome === 'failed';

/** State reported whenever a run starts, progresses or ends. */
export interface SweepState {
  readonly runs: number;
  readonly finished: number;
  /** those of `finished` that were finished before this sweep */
  readonly already: number;
  /** stopped, failed or busy */
  readonly unfinished: number;
  readonly running: readonly Running[];
  /** estimated remaining time from the pace so far, s; null before the first iteration */
  readonly etaSeconds: number | null;
  /** the run that has just ended */
  readonly ended: RunResult<Pick<SweepRun, 'id'>> | null;
}

export interface Running {
  readonly run: Pick<SweepRun, 'id'>;
  readonly folder: string;
  /** null before its first event */
  readonly progress: RunProgress | null;
}

export interface SweepOptions {
  readonly runs: readonly SweepRun[];
  readonly runsDir: string;
  /** maximum parallel runs */
  readonly jobs: number;
  /** WebGPU adapter by name or number; null: the one that Dawn offers */
  readonly adapter?: string | null;
  /** stop starting runs after the first failure */
  readonly failFast: boolean;
  readonly argv: readonly string[];
  /** the command that resumes the sweep */
  readonly command: ResumeCommand;
  readonly signal?: AbortSignal;
  readonly note: (text: string) => void;
  readonly onState?: (state: SweepState) => void;
}

export interface SweepResult {
  /** in run order */
  readonly results: readonly RunResult[];
  /** evaluations requested by the runs, and the batched calls that played them */
  readonly sharing: { readonly requests: number; readonly calls: number };
  readonly seconds: number;
}

/**
 * Runs all unfinished runs: interrupted runs are resumed, and a failed run does not stop the others. Throws only for
 * errors that concern all runs, such as a missing adapter or an unknown model.
 */
export async function sweepHere(options: SweepOptions): Promise<SweepResult> {
  const sweep = new Sweep(options);
  try {
    return await sweep.run();
  } finally {
    await sweep.close();
  }
}

/** One run for each distinct set of requirements, to check each set once. */
function distinctNeeds(runs: readonly SweepRun[]): SweepRun[] {
  const needs = new Map<string, SweepRun>();
  for (const run of runs) {
    const key = JSON.stringify({ ...run.config, seed: 0, iterations: 0 });
    if (!needs.has(key)) needs.set(key, run);
  }
  return [...needs.values()];
}

class Sweep {
  readonly #options: SweepOptions;
  readonly #pool: RunPool;
  readonly #results = new Map<string, RunResult>();
  readonly #running = new Map<string, Running>();
  readonly #counts = { finished: 0, already: 0, unfinished: 0 };
  /** iterations of all runs not finished before, and how many of them this process has played */
  #iterations = 0;
  #done = 0;
  #started = 0;
  #halted = false;

  constructor(options: SweepOptions) {
    this.#options = options;
    this.#pool = new RunPool({ ...options, jobs: Math.min(options.jobs, options.runs.length) });
  }

  async run(): Promise<SweepResult> {
    const { runs, runsDir, jobs } = this.#options;
    this.#started = performance.now();
    const known = indexRuns(runsDir);
    const undrawn: string[] = [];
    const open = runs.filter((run) => {
      const found = this.#knownOf(run, known);
      // One that only says so is refused as it is started, with the reason.
      if (!found || !isFinished(found)) return true;
      const { folder } = found;
      if (lacksFigure(folder, found.manifest)) undrawn.push(folder);
      this.#keep({ run, folder, outcome: 'finished', already: true, summary: null, error: null });
      return false;
    });
    for (const folder of undrawn) await drawMissingFigure(folder, this.#options.note);
    for (const { config } of distinctNeeds(open)) await this.#pool.check(config);
    if (open.length > 0) prepareOutputFolder('--runs-dir', runsDir);
    this.#iterations = open.reduce((sum, { config }) => sum + this.#pool.iterationsOf(config), 0);
    const waiting = open[Symbol.iterator]();
    const work = async (): Promise<void> => {
      for (const run of waiting) {
        if (this.#halted || this.#options.signal?.aborted) return;
        await this.#finish(run, this.#knownOf(run, known)?.folder ?? null);
      }
    };
    this.#report(null);
    await Promise.all(Array.from({ length: Math.min(jobs, open.length) }, work));
    await this.#awaitOthers();
    const none = { folder: null, outcome: 'waiting', already: false, summary: null, error: null } as const;
    return {
      results: runs.map((run) => this.#results.get(run.id) ?? { run, ...none }),
      sharing: await this.#pool.sharing(),
      seconds: (performance.now() - this.#started) / 1000,
    };
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /** The folder that a run was begun in. A branch has a name of its own. */
  #knownOf({ id, start }: SweepRun, index: ReadonlyMap<string, KnownRun>): KnownRun | undefined {
    if (start === undefined) return index.get(id);
    const folder = join(this.#options.runsDir, start.name);
    const manifest = readManifest(folder);
    return manifest?.config_hash === id ? { folder, manifest } : undefined;
  }

  /** Runs that another process plays: waits for their end, and continues those that it leaves unfinished. */
  async #awaitOthers(): Promise<void> {
    const { signal, note } = this.#options;
    const open = () => [...this.#results.values()].filter((result) => result.outcome === 'busy' && isAwaited(result));
    const count = open().length;
    if (count > 0) note(`waiting for ${counted(count, 'run')} of another process`);
    const period = heartbeatMs() / 1000;
    for (let others = open(); others.length > 0; others = open()) {
      if (this.#halted || signal?.aborted) return;
      await sleep(period, signal).catch(() => {});
      for (const { run, folder } of others) {
        if (this.#halted || signal?.aborted) return;
        const manifest = readManifest(folder!);
        if (manifest && isFinished({ folder: folder!, manifest })) {
          this.#keep({ run, folder, outcome: 'finished', already: true, summary: null, error: null });
          this.#report(null);
        } else await this.#finish(run, folder);
      }
    }
  }

  async #finish(run: SweepRun, known: string | null): Promise<void> {
    const result = await this.#attempt(run, known);
    this.#running.delete(run.id);
    // Said once.
    if (result.outcome === 'busy' && this.#results.get(run.id)?.outcome === 'busy') return;
    this.#keep(result);
    if (isFailure(result) && this.#options.failFast) this.#halted = true;
    this.#report(result);
  }

  async #attempt(run: SweepRun, known: string | null): Promise<RunResult> {
    const { runsDir, argv, command, signal, note } = this.#options;
    const { config, yaml, start } = run;
    let folder = known;
    const end = (outcome: SweepRunOutcome, summary: RunSummary | null, error: R2poError | null): RunResult => {
      return { run, folder, outcome, already: false, summary, error };
    };
    try {
      folder ??= ensureRunFolder(runsDir, await withPrices({ config, yaml, start, argv, now: Date.now() }));
      const name = folder;
      let rows = 0;
      const onProgress = (progress: RunProgress): void => {
        const before = rows;
        rows = progress.totals.rows.length;
        // Recorded iterations were not played by this process.
        if (progress.event !== null) this.#done += rows - before;
        else this.#iterations -= rows;
        this.#running.set(run.id, { run, folder: name, progress });
        this.#report(null);
      };
      this.#running.set(run.id, { run, folder, progress: null });
      this.#report(null);
      const onNotice = (text: string): void => note(`${name}: ${text}`);
      const given = {
        config,
        folder,
        argv,
        steerable: true,
        resumeCommand: command,
        onProgress,
        onNotice,
        log: onNotice,
      };
      const isUndrawn = lacksFigure(folder, readManifest(folder));
      const summary = await this.#pool.run({ ...given, ...(signal && { signal }) });
      if (isUndrawn) await drawMissingFigure(folder, note);
      return end('finished', summary, null);
    } catch (thrown) {
      const expected = thrown instanceof R2poError ? thrown : machineFault(thrown);
      if (expected !== null) return end(outcomeOf(expected), null, expected);
      const reason = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
      return end('failed', null, new R2poError('sweep', `unexpected failure: ${reason}`, { cause: thrown }));
    }
  }

  #keep(result: RunResult): void {
    if (this.#results.has(result.run.id)) this.#counts.unfinished -= 1;
    this.#results.set(result.run.id, result);
    if (result.outcome !== 'finished') this.#counts.unfinished += 1;
    else {
      this.#counts.finished += 1;
      if (result.already) this.#counts.already += 1;
    }
  }

  #report(ended: RunResult | null): void {
    const elapsed = (performance.now() - this.#started) / 1000;
    this.#options.onState?.({
      runs: this.#options.runs.length,
      ...this.#counts,
      running: [...this.#running.values()],
      etaSeconds: this.#done === 0 ? null : (elapsed * (this.#iterations - this.#done)) / this.#done,
      ended,
    });
  }
}

const isAwaited = ({ folder }: RunResult) => folder !== null && canAwait(folder);

function outcomeOf(error: R2poError): SweepRunOutcome {
  if (error instanceof BusyError) return 'busy';
  return isOrderlyStop(error.exitCode) ? 'stopped' : 'failed';
}
