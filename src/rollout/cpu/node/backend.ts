/** The float64 backend in Node: on the calling thread or on worker threads, with the same results on any number. */
import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { aNumber, checkFields, optional } from '../../../base/arguments.ts';
import { UsageError } from '../../../base/errors.ts';
import type { Backend } from '../../backend.ts';
import type { CountedEpisodes, CountingOptions } from '../../episode-counts.ts';
import type { RolloutJob } from '../../job.ts';
import { checkJob, maxEpisodes } from '../../job-checks.ts';
import { SingleThreadBackend } from '../single-thread.ts';
import { ThreadedPlay } from './threaded-play.ts';

export interface CpuOptions {
  /** maximum number of threads; default: as many as the machine runs in parallel */
  readonly threads?: number;
}

/** Assumed time of a step in an environment that was not played yet, s. */
const stepSeconds = 3e-8;

/**
 * V8 stops inlining into the episode loop after about a thousand bytes of code: enough for CartPole, half of what a
 * step of Acrobot or a draw of FrozenLake takes (a fifth and three fifths more speed). The flags hold for the process.
 */
function inlineWholeSteps(): void {
  setFlagsFromString('--max-inlined-bytecode-size=2000');
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=4000');
}

/** The number of threads to use. Throws a usage error when it is not a positive whole number. */
export function threadsOf(unit: string, given: number | undefined): number {
  const threads = given ?? availableParallelism();
  if (!Number.isSafeInteger(threads) || threads < 1) {
    throw new UsageError(unit, `expected a positive whole number of threads, got ${threads}`);
  }
  return threads;
}

/**
 * Opens the cpu backend. Results do not depend on `threads`: every episode is computed from its own seed, by the same
 * code. Throws a usage error when `threads` is not a positive whole number.
 */
export function openCpuBackend(options: CpuOptions = {}): Backend {
  checkFields('openCpuBackend', 'options', options, { threads: optional(aNumber) });
  const threads = threadsOf('cpu', options.threads);
  inlineWholeSteps();
  return new ThreadedBackend(threads);
}

class ThreadedBackend extends SingleThreadBackend {
  readonly #threaded: ThreadedPlay;

  constructor(threads: number) {
    super();
    this.#threaded = new ThreadedPlay({ threads, stepSeconds });
  }

  override async play(job: RolloutJob, options: CountingOptions = {}): Promise<CountedEpisodes> {
    this.checkOpen();
    checkJob(job, maxEpisodes);
    return this.#threaded.play(job, options, (given, own) => super.play(given, own));
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#threaded.close();
  }
}
