/** The runs of a sweep in one process: some at a time, on shared backends and models. */
import { R2poError } from '../base/errors.ts';
import { ensureRunFolder, indexRuns, type KnownRun, withPrices } from '../runs/folder/folder.ts';
import type { RunSummary } from '../runs/folder/summary.ts';
import { BusyError } from '../runs/journal/lock.ts';
import { isOrderlyStop } from '../runs/journal/totals.ts';
import { RunPool } from '../runs/run-pool.ts';
import type { RunProgress } from '../runs/session/progress.ts';
import type { SweepRun } from './expand.ts';

/**
 * How a run stands at the end of a sweep. `stopped` can go on where it stands: a budget, an endpoint that is gone, an
 * interruption. `busy`: another process has it. `waiting`: it was not begun.
 */
export type SweepRunOutcome = 'finished' | 'stopped' | 'failed' | 'busy' | 'waiting';

export interface RunResult {
  readonly run: SweepRun;
  /** null where none was made */
  readonly folder: string | null;
  readonly outcome: SweepRunOutcome;
  /** true: it was finished before this sweep */
  readonly already: boolean;
  /** of a run that was finished now; else it is in the folder */
  readonly summary: RunSummary | null;
  /** why it is not finished; null when it is, and when nothing went wrong */
  readonly error: R2poError | null;
}

/** What is told whenever a run begins, gets on, or ends. */
export interface SweepState {
  readonly runs: number;
  readonly finished: number;
  /** of those the ones that were finished before */
  readonly already: number;
  /** stopped, failed or busy */
  readonly unfinished: number;
  readonly running: readonly Running[];
  /** s until the last one ends, from the pace so far; null before the first iteration */
  readonly etaSeconds: number | null;
  /** the run that has ended just now */
  readonly ended: RunResult | null;
}

export interface Running {
  readonly run: SweepRun;
  readonly folder: string;
  /** null before its first event */
  readonly progress: RunProgress | null;
}

export interface SweepOptions {
  readonly runs: readonly SweepRun[];
  readonly runsDir: string;
  /** most runs at a time */
  readonly jobs: number;
  /** begin no other run after one that did not finish */
  readonly failFast: boolean;
  readonly argv: readonly string[];
  /** the command that goes on with the sweep */
  readonly command: string;
  readonly signal?: AbortSignal;
  readonly note: (text: string) => void;
  readonly onState?: (state: SweepState) => void;
  /** ms since 1970 */
  readonly now?: () => number;
}

export interface SweepResult {
  /** in the order of the runs */
  readonly results: readonly RunResult[];
  /** evaluations that the runs asked for, and the calls that they were played in */
  readonly sharing: { readonly requests: number; readonly calls: number };
  readonly seconds: number;
}

/**
 * Runs what is not finished: a run that was broken off goes on where it stands, and one that fails does not keep the
 * others from going on. Throws only for what is wrong with all of them: a missing adapter, an unknown model.
 */
export async function sweepHere(options: SweepOptions): Promise<SweepResult> {
  const sweep = new Sweep(options);
  try {
    return await sweep.run();
  } finally {
    await sweep.close();
  }
}

/** Runs that ask for the same things need but one check. */
function distinctNeeds(runs: readonly SweepRun[]): SweepRun[] {
  const needs = new Map<string, SweepRun>();
  for (const run of runs) {
    const { seed: _seed, iterations: _iterations, ...rest } = run.config;
    const key = JSON.stringify(rest);
    if (!needs.has(key)) needs.set(key, run);
  }
  return [...needs.values()];
}

class Sweep {
  readonly #options: SweepOptions;
  readonly #pool: RunPool;
  readonly #now: () => number;
  readonly #results = new Map<string, RunResult>();
  readonly #running = new Map<string, Running>();
  readonly #counts = { finished: 0, already: 0, unfinished: 0 };
  /** of all runs that were not finished before, and how many of them were done in this process */
  #iterations = 0;
  #done = 0;
  #begun = 0;
  #halted = false;

  constructor(options: SweepOptions) {
    this.#options = options;
    this.#pool = new RunPool({ note: options.note, jobs: Math.min(options.jobs, options.runs.length) });
    this.#now = options.now ?? Date.now;
  }

  async run(): Promise<SweepResult> {
    const { runs, runsDir, jobs } = this.#options;
    this.#begun = this.#now();
    const known = indexRuns(runsDir);
    const open = runs.filter((run) => {
      const found = known.get(run.id);
      if (found?.manifest.status !== 'finished') return true;
      const { folder } = found;
      this.#keep({ run, folder, outcome: 'finished', already: true, summary: null, error: null });
      return false;
    });
    for (const { config } of distinctNeeds(open)) await this.#pool.check(config);
    this.#iterations = open.reduce((sum, { config }) => sum + config.iterations, 0);
    const waiting = open[Symbol.iterator]();
    const work = async (): Promise<void> => {
      for (const run of waiting) {
        if (this.#halted || this.#options.signal?.aborted) return;
        await this.#finish(run, known.get(run.id) ?? null);
      }
    };
    this.#report(null);
    await Promise.all(Array.from({ length: Math.min(jobs, open.length) }, work));
    const none = { folder: null, outcome: 'waiting', already: false, summary: null, error: null } as const;
    return {
      results: runs.map((run) => this.#results.get(run.id) ?? { run, ...none }),
      sharing: await this.#pool.sharing(),
      seconds: (this.#now() - this.#begun) / 1000,
    };
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #finish(run: SweepRun, known: KnownRun | null): Promise<void> {
    const result = await this.#attempt(run, known);
    this.#running.delete(run.id);
    this.#keep(result);
    if (result.outcome !== 'finished' && this.#options.failFast) this.#halted = true;
    this.#report(result);
  }

  async #attempt(run: SweepRun, known: KnownRun | null): Promise<RunResult> {
    const { runsDir, argv, command, signal, note } = this.#options;
    const { config, yaml } = run;
    let folder = known?.folder ?? null;
    const end = (outcome: SweepRunOutcome, summary: RunSummary | null, error: R2poError | null): RunResult => {
      return { run, folder, outcome, already: false, summary, error };
    };
    try {
      folder ??= ensureRunFolder(runsDir, await withPrices({ config, yaml, argv, now: this.#now() }));
      const name = folder;
      let rows = 0;
      const onProgress = (progress: RunProgress): void => {
        const before = rows;
        rows = progress.totals.rows.length;
        // What was on record is no work of this process.
        if (progress.event !== null) this.#done += rows - before;
        else this.#iterations -= rows;
        this.#running.set(run.id, { run, folder: name, progress });
        this.#report(null);
      };
      this.#running.set(run.id, { run, folder, progress: null });
      this.#report(null);
      const onNotice = (text: string): void => note(`${name}: ${text}`);
      const given = { config, folder, argv, resumeCommand: command, onProgress, onNotice, log: onNotice };
      return end('finished', await this.#pool.run({ ...given, ...(signal && { signal }) }), null);
    } catch (thrown) {
      if (!(thrown instanceof R2poError)) {
        const reason = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
        return end('failed', null, new R2poError('sweep', `unexpected failure: ${reason}`, { cause: thrown }));
      }
      return end(outcomeOf(thrown), null, thrown);
    }
  }

  #keep(result: RunResult): void {
    this.#results.set(result.run.id, result);
    if (result.outcome !== 'finished') this.#counts.unfinished += 1;
    else {
      this.#counts.finished += 1;
      if (result.already) this.#counts.already += 1;
    }
  }

  #report(ended: RunResult | null): void {
    const elapsed = (this.#now() - this.#begun) / 1000;
    this.#options.onState?.({
      runs: this.#options.runs.length,
      ...this.#counts,
      running: [...this.#running.values()],
      etaSeconds: this.#done === 0 ? null : (elapsed * (this.#iterations - this.#done)) / this.#done,
      ended,
    });
  }
}

function outcomeOf(error: R2poError): SweepRunOutcome {
  if (error instanceof BusyError) return 'busy';
  return isOrderlyStop(error.exitCode) ? 'stopped' : 'failed';
}
