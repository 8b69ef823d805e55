/** Plays batch after batch of a job on consecutive seeds, on one executor or, when that fails, on the next. */
import { automaticOrder, type Executor, type ExecutorId, executorTitles, type OpenExecutor } from './executors.ts';
import type { Batch, PlayJob } from './host.ts';
import { Tally, type TallyView } from './tally.ts';

/** The interval has long been narrow then, and the returns take 8 MB. */
export const mostEpisodes = 2 ** 20;
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
    this.#threshold = threshold;
    this.#restart({ problem });
  }

  /** null: the first that works of the automatic order */
  choose(id: ExecutorId | null): void {
    if (id === this.#chosen && this.#executor !== null) return;
    this.#chosen = id;
    this.#executor?.close();
    this.#executor = null;
    const { [id ?? 'cpu']: _, ...failures } = this.#view.failures;
    this.#restart({ executor: null, notice: null, problem: null, failures: id === null ? {} : failures });
  }

  /** A paused session still plays the first batch, so that there is something to see. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.#wake();
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
      const rests = this.#tally.episodes > 0 && (this.#isPaused || this.#tally.episodes >= mostEpisodes);
      if (job === null || this.#view.problem !== null || rests) {
        if (rests) this.#emit({ status: this.#tally.episodes >= mostEpisodes ? 'finished' : 'paused' });
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
    try {
      batch = await executor.play({ ...job, seed: job.seed + this.#tally.episodes }, this.#abort.signal);
    } catch (error) {
      if (version === this.#version && !this.#isClosed) this.#fail(executor, error);
      return;
    }
    if (version !== this.#version || this.#isClosed) return;
    this.#count(batch);
    await this.#parts.nextFrame();
  }

  #count(batch: Batch): void {
    const isFirst = this.#tally.episodes === 0;
    this.#tally.add(batch.returns);
    this.#played.steps += batch.steps;
    this.#played.seconds += batch.seconds;
    const now = this.#parts.now();
    this.#redraws = [...this.#redraws.filter((at) => at > now - redrawWindow), now];
    const [oldest] = this.#redraws;
    const span = (now - oldest!) / 1000;
    this.#emit({
      tally: this.#tally.view(),
      ...(isFirst && { first: batch }),
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
