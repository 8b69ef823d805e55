/** Plays batch after batch of a job on consecutive seeds, on one executor or, when that fails, on the next. */

import type { Executor, OpenExecutor } from './executor.ts';
import { automaticOrder, type ExecutorId, executorTitles } from './executor.ts';
import type { Batch, PlayJob } from './host.ts';
import { Tally, type TallyView } from './tally.ts';

/** The interval is narrow long before, and the returns take 8 MB. */
export const mostEpisodes = 2 ** 20;
/** Episodes of one call, so that the page redraws often also where episodes are long. */
const smallestSlice = 64;
const firstSlice = 512;
/** a call should take between these, ms */
const sliceTime = { min: 50, max: 150 } as const;
/** time over which redraws are counted, ms */
const redrawWindow = 2000;

export interface SessionView {
  readonly status: 'opening' | 'playing' | 'paused' | 'finished' | 'failed';
  readonly executor: Pick<Executor, 'id' | 'where'> | null;
  /** executors that failed or could not be opened, with why */
  readonly failures: Readonly<Partial<Record<ExecutorId, string>>>;
  /** what the reader has to know: why another executor went on */
  readonly notice: string | null;
  /** why nothing is played */
  readonly problem: string | null;
  /** the first batch: the seeds from that of the job on */
  readonly first: Batch | null;
  readonly tally: TallyView | null;
  readonly stepsPerSecond: number | null;
  readonly redrawsPerSecond: number | null;
}

export interface SessionParts {
  readonly open: OpenExecutor;
  /** Resolves when the page may draw again. */
  readonly nextFrame: () => Promise<void>;
  readonly now: () => number;
  /** whether the job is at fault, so that no other executor would play it */
  readonly isUsage: (error: unknown) => boolean;
}

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Batches of consecutive seeds as one. */
function joined(batches: readonly Batch[]): Batch {
  const total = batches.reduce((sum, { returns }) => sum + returns.length, 0);
  const areKnown = batches.every(({ ends }) => ends !== null);
  const all = { returns: new Float64Array(total), lengths: new Uint32Array(total), ends: new Uint8Array(total) };
  let [at, steps, seconds] = [0, 0, 0];
  for (const batch of batches) {
    all.returns.set(batch.returns, at);
    all.lengths.set(batch.lengths, at);
    if (batch.ends !== null) all.ends.set(batch.ends, at);
    at += batch.returns.length;
    steps += batch.steps;
    seconds += batch.seconds;
  }
  return { ...all, ends: areKnown ? all.ends : null, steps, seconds };
}

export class PlaySession {
  readonly #parts: SessionParts;
  readonly #listeners = new Set<(view: SessionView) => void>();
  #view: SessionView = {
    status: 'opening',
    executor: null,
    failures: {},
    notice: null,
    problem: null,
    first: null,
    tally: null,
    stepsPerSecond: null,
    redrawsPerSecond: null,
  };
  #job: PlayJob | null = null;
  /** why there is no job */
  #jobProblem: string | null = null;
  #tally = new Tally(0);
  #threshold = 0;
  #version = 0;
  #abort = new AbortController();
  #isPaused = false;
  #isClosed = false;
  #chosen: ExecutorId | null = null;
  #executor: Executor | null = null;
  #played = { steps: 0, seconds: 0 };
  #redraws: number[] = [];
  #slice = firstSlice;
  /** parts of the first batch */
  #begun: Batch[] | null = [];
  #wake: () => void = () => {};

  constructor(parts: SessionParts) {
    this.#parts = parts;
    void this.#run();
  }

  get view(): SessionView {
    return this.#view;
  }

  subscribe(listener: (view: SessionView) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Begins again with this job; null: nothing to play. `problem`: why there is none. */
  setJob(job: PlayJob | null, threshold: number, problem: string | null = null): void {
    this.#job = job;
    this.#jobProblem = problem;
    this.#threshold = threshold;
    this.#restart({ problem });
  }

  /** null: the first that works of the automatic order */
  choose(id: ExecutorId | null): void {
    if (id === this.#chosen && this.#executor !== null) return;
    this.#chosen = id;
    this.#executor?.close();
    this.#executor = null;
    this.#slice = firstSlice;
    const { [id ?? 'cpu']: _, ...failures } = this.#view.failures;
    const problem = this.#jobProblem;
    this.#restart({ executor: null, notice: null, problem, failures: id === null ? {} : failures });
  }

  /** A paused session still plays the first batch, so that there is something to see. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.#wake();
  }

  /** Plays another job on what plays, between two batches. Rejects when nothing does. */
  async playAside(job: PlayJob, signal: AbortSignal): Promise<Batch> {
    if (this.#executor === null) throw new Error('nothing plays');
    return this.#executor.play(job, signal);
  }

  close(): void {
    this.#isClosed = true;
    this.#abort.abort();
    this.#executor?.close();
    this.#wake();
  }

  #restart(changes: Partial<SessionView>): void {
    this.#version++;
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#tally = new Tally(this.#threshold);
    this.#played = { steps: 0, seconds: 0 };
    this.#redraws = [];
    this.#begun = [];
    // The numbers of before stay until there are new ones: a page that empties at each move of a slider cannot be read.
    this.#emit(changes);
    this.#wake();
  }

  #emit(changes: Partial<SessionView>): void {
    this.#view = { ...this.#view, ...changes };
    for (const listener of [...this.#listeners]) listener(this.#view);
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const job = this.#job;
      const rests = this.#begun === null && (this.#isPaused || this.#tally.episodes >= mostEpisodes);
      if (job === null || this.#view.problem !== null || rests) {
        if (this.#view.problem !== null) this.#emit({ status: 'failed' });
        else if (rests) this.#emit({ status: this.#tally.episodes >= mostEpisodes ? 'finished' : 'paused' });
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      await this.#turn(job);
    }
  }

  async #turn(job: PlayJob): Promise<void> {
    const version = this.#version;
    const executor = this.#executor ?? (await this.#open(version));
    if (executor === null || version !== this.#version) return;
    if (this.#view.status !== 'playing') this.#emit({ status: 'playing' });
    let batch: Batch;
    const started = this.#parts.now();
    // The first batch ends at its last seed, however it is cut.
    const done = this.#tally.episodes;
    const episodes = Math.min(this.#slice, done < job.episodes ? job.episodes - done : job.episodes);
    try {
      batch = await executor.play({ ...job, seed: job.seed + done, episodes }, this.#abort.signal);
    } catch (error) {
      if (version === this.#version && !this.#isClosed) this.#fail(executor, error);
      return;
    }
    if (version !== this.#version || this.#isClosed) return;
    const took = this.#parts.now() - started;
    if (took < sliceTime.min && this.#slice < job.episodes) this.#slice *= 2;
    else if (took > sliceTime.max && this.#slice > smallestSlice) this.#slice /= 2;
    this.#count(batch, job);
    await this.#parts.nextFrame();
  }

  #count(batch: Batch, job: PlayJob): void {
    this.#tally.add(batch.returns);
    if (this.#begun !== null) this.#begun.push(batch);
    const first = this.#begun !== null && this.#tally.episodes >= job.episodes ? joined(this.#begun) : null;
    if (first !== null) this.#begun = null;
    this.#played.steps += batch.steps;
    this.#played.seconds += batch.seconds;
    const now = this.#parts.now();
    this.#redraws = [...this.#redraws.filter((at) => at > now - redrawWindow), now];
    const [oldest] = this.#redraws;
    const span = (now - oldest!) / 1000;
    this.#emit({
      tally: this.#tally.view(),
      ...(first !== null && { first }),
      stepsPerSecond: this.#played.seconds > 0 ? this.#played.steps / this.#played.seconds : null,
      redrawsPerSecond: span > 0 ? (this.#redraws.length - 1) / span : null,
    });
  }

  #fail(executor: Executor, error: unknown): void {
    if (this.#parts.isUsage(error)) {
      this.#emit({ status: 'failed', problem: words(error) });
      return;
    }
    executor.close();
    this.#executor = null;
    this.#chosen = null;
    const why = words(error);
    this.#restart({
      executor: null,
      failures: { ...this.#view.failures, [executor.id]: why },
      notice: `${executorTitles[executor.id]} failed: ${why}.`,
    });
  }

  /** null: none could be opened, or another was chosen meanwhile */
  async #open(version: number): Promise<Executor | null> {
    this.#emit({ status: 'opening' });
    const order = this.#chosen === null ? automaticOrder : [this.#chosen, ...automaticOrder];
    for (const id of order) {
      if (this.#view.failures[id] !== undefined) continue;
      try {
        const opened = await this.#parts.open(id);
        if (version !== this.#version || this.#isClosed) {
          opened.close();
          return null;
        }
        this.#executor = opened;
        this.#emit({ executor: { id: opened.id, where: opened.where } });
        return opened;
      } catch (error) {
        if (version !== this.#version) return null;
        this.#emit({
          failures: { ...this.#view.failures, [id]: words(error) },
          ...(id === this.#chosen && { notice: `${executorTitles[id]} cannot be used: ${words(error)}.` }),
        });
      }
    }
    this.#emit({
      status: 'failed',
      problem: 'this browser can play no episode: it starts neither a worker nor the engine',
    });
    return null;
  }
}
