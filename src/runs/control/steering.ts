/**
 * Steers a run from outside: pauses it at the next boundary of steps, lets it go on, stops it, and changes its budget. Each
 * action is an event of the record. What is asked for holds at once; events are written in the order of the requests.
 */
import { setMaxListeners } from 'node:events';
import { resolve } from 'node:path';
import { orInterrupted } from '../../base/async.ts';
import { quotedCommand } from '../../base/command-line.ts';
import { InterruptedError, UsageError } from '../../base/errors.ts';
import type { BodyOf } from '../journal/events.ts';
import type { StepType } from '../journal/steps.ts';
import type { BudgetLimits, BudgetUse } from '../session/budget.ts';
import type { SearchLength } from '../session/search-length.ts';
import { checkLimits, limitKeys, limitsText, namesIn, withLimits } from './limits.ts';
import type { LiveRun, NewLimits, RunRequest } from './messages.ts';
import { type ControlServer, listenForControl } from './server.ts';

/** The run that is steered. */
export interface SteeredRun {
  readonly folder: string;
  readonly length: SearchLength;
  /** of the configuration, or as an earlier session had them */
  readonly limits: BudgetLimits;
  /** completed iterations, and those that the search will have */
  iterations(): { readonly done: number; readonly of: number };
  used(): BudgetUse;
  /** Throws a usage error where the price that a limit of the cost needs is not known. */
  checkPrice(limit: number): void;
  record(body: BodyOf<'control'>): Promise<unknown>;
  /** a line for the user of the process */
  readonly log?: ((text: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const stepWords: Readonly<Record<StepType, string>> = {
  warmup: 'the episode of a warm-up policy',
  llm_call: 'the reply of the model',
  parse_failed: 'the reply of the model',
  evaluated: 'the episodes of a candidate',
  generation: 'the episodes of a population',
  refined: 'the refinement of a candidate',
  sensitivity: 'the sensitivity of the parameters',
  iteration: 'the end of the iteration',
  rechecked: 'the re-check',
};

/** Problems that the user of this process was told. */
const toldProblems = new Set<string>();

export class RunSteering {
  /** fires when the run is to stop: from here, or by the signal of the process */
  readonly signal: AbortSignal;
  readonly #run: SteeredRun;
  readonly #stop = new AbortController();
  #limits: BudgetLimits;
  #state: LiveRun['state'] = 'running';
  /** lets a paused run go on */
  #goOn: (() => void) | null = null;
  #step: StepType | null = null;
  #ended = false;
  #server: ControlServer | null = null;

  constructor(run: SteeredRun) {
    this.#run = run;
    this.#limits = run.limits;
    this.signal = run.signal ? AbortSignal.any([run.signal, this.#stop.signal]) : this.#stop.signal;
    // All requests of the run listen to it: many listeners are no leak.
    setMaxListeners(0, this.signal);
  }

  get limits(): BudgetLimits {
    return this.#limits;
  }

  /** Listens until `close`; a run that nobody can steer goes on, and says so once. */
  async listen(): Promise<void> {
    const server = await listenForControl(this.#run.folder, (request) => this.handle(request));
    if ('close' in server) {
      this.#server = server;
      return;
    }
    const text = `"r2po ctl" cannot steer runs of this process: no socket in ${server.problem}`;
    if (!toldProblems.has(text)) this.#run.log?.(text);
    toldProblems.add(text);
  }

  /** From here on nothing is recorded any more. */
  end(): void {
    this.#ended = true;
  }

  close(): void {
    this.end();
    this.#server?.close();
  }

  /** A boundary of steps, before a step of this type: waits here while the run is paused. */
  async boundary(next: StepType): Promise<void> {
    this.#step = next;
    if (this.#state !== 'pausing') return;
    this.#state = 'paused';
    this.#step = null;
    const paused = new Promise<void>((done) => {
      this.#goOn = done;
    });
    await this.#run.record({ type: 'control', optional: true, action: 'pause' });
    this.#run.log?.(`paused; go on with: ${quotedCommand(['ctl', 'continue', this.#run.folder])}`);
    await orInterrupted(paused, this.signal);
    this.#step = next;
  }

  /** Does what is asked and returns how the run is then. Throws a usage error for what cannot be done. */
  async handle(request: RunRequest): Promise<LiveRun> {
    if (request.action !== 'state' && this.#ended) {
      throw new UsageError('control', 'expected a run that goes on, got one that is ending');
    }
    switch (request.action) {
      case 'state':
        return this.#answer(this.#state);
      case 'pause':
        return this.#pause();
      case 'continue':
        return this.#continue();
      case 'stop':
        return this.#end();
      case 'budget': {
        const { action: _action, ...limits } = request;
        return this.#budget(limits);
      }
    }
  }

  #pause(): LiveRun {
    if (this.#state === 'paused') return this.#answer('paused before');
    if (this.#state === 'stopping') throw new UsageError('control', 'expected a run that goes on, got one that stops');
    this.#state = 'pausing';
    const message = `pauses after ${this.#stepText() ?? 'the step under way'}`;
    this.#run.log?.(message);
    return this.#answer(message);
  }

  async #continue(): Promise<LiveRun> {
    if (this.#state === 'stopping') throw new UsageError('control', 'expected a run that goes on, got one that stops');
    if (this.#state === 'running') return this.#answer('was not paused');
    const goOn = this.#goOn;
    const isTakenBack = this.#state === 'pausing';
    this.#state = 'running';
    this.#goOn = null;
    try {
      // A pause that is taken back before the run paused is on record all the same.
      const pause = isTakenBack && this.#run.record({ type: 'control', optional: true, action: 'pause' });
      await Promise.all([pause, this.#run.record({ type: 'control', optional: true, action: 'continue' })]);
    } finally {
      goOn?.();
    }
    this.#run.log?.('goes on');
    return this.#answer('goes on');
  }

  async #end(): Promise<LiveRun> {
    if (this.#state === 'stopping') return this.#answer('stops already');
    this.#state = 'stopping';
    try {
      await this.#run.record({ type: 'control', optional: true, action: 'stop' });
    } finally {
      this.#stop.abort(new InterruptedError('run', 'the run was stopped with "r2po ctl" or its page', 'SIGTERM'));
    }
    return this.#answer('stops; it can be resumed');
  }

  async #budget(limits: NewLimits): Promise<LiveRun> {
    const text = limitsText(limits);
    if (text === '') throw new UsageError('control', 'expected a limit, got none; add iterations=N or another one');
    const used = this.#run.used();
    checkLimits(limits, this.#limits, (name) => used[limitKeys[name]]);
    if (limits.cost != null) this.#run.checkPrice(limits.cost);
    const from = limits.iterations === undefined ? null : this.#changeLength(limits.iterations);
    this.#limits = withLimits(this.#limits, limits);
    const start = from === null ? {} : { from_iteration: from };
    await this.#run.record({ type: 'control', optional: true, action: 'budget', limits, ...start });
    this.#run.log?.(`new limits: ${text}`);
    return this.#answer(`new limits: ${text}`);
  }

  #changeLength(iterations: number): number {
    const { length } = this.#run;
    if (length.ended) {
      throw new UsageError(
        'control',
        'expected a search with an iteration left, got one whose best policy is being re-checked; ' +
          '"r2po branch RUN --at N iterations=M" makes a longer run of it',
      );
    }
    if (iterations < length.begun) {
      throw new UsageError(
        'control',
        `expected iterations of at least ${length.begun}, the one under way, got ${iterations}`,
      );
    }
    return length.change(iterations);
  }

  #stepText(): string | null {
    if (this.#step === null) return null;
    const { begun } = this.#run.length;
    const inside = begun > 0 && this.#step !== 'rechecked' ? ` (iteration ${begun})` : '';
    return `${stepWords[this.#step]}${inside}`;
  }

  #answer(message: string): LiveRun {
    const { done, of } = this.#run.iterations();
    const names = namesIn(this.#limits);
    const used = this.#run.used();
    return {
      folder: resolve(this.#run.folder),
      pid: process.pid,
      state: this.#state,
      message,
      step: this.#stepText(),
      iteration: done,
      iterations: of,
      used: Object.fromEntries(names.map((name) => [name, used[limitKeys[name]]])),
      limits: Object.fromEntries(names.map((name) => [name, this.#limits[limitKeys[name]] ?? null])),
    };
  }
}
