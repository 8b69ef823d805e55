/**
 * The totals of a run. Every number that a run reports is a function of its events alone, so that all files of a run
 * folder can be rebuilt and a resumed run reports the same as an uninterrupted one.
 */
import { type ExitCode, exitCodes } from '../../base/errors.ts';
import type { Summary } from '../../evaluation/summary.ts';
import type { ModelKind, Usage } from '../../llm/chat.ts';
import type { CandidateLabel, Purpose } from '../../methods/method.ts';
import type { PaidTokens } from '../models/cost.ts';
import type { EventOf, RunEvent } from './events.ts';
import { type IterationRow, IterationRows } from './iteration-rows.ts';

export const runStatuses = ['running', 'finished', 'stopped', 'failed'] as const;
export type RunStatus = (typeof runStatuses)[number];

/** What one model answered. Tokens of caches and of reasoning: null where no endpoint said. */
export interface ModelCounts extends PaidTokens {
  readonly calls: number;
  readonly reasoningTokens: number | null;
  /** USD of the replies whose endpoint said what they cost */
  readonly saidUsd: number;
  /** of the replies, and the requests without one, whose endpoint did not say what they cost */
  readonly unsaid: PaidTokens & { readonly calls: number };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
/** Counted in place: a long run has many replies. */
type Counting = Mutable<Omit<ModelCounts, 'unsaid'>> & { readonly unsaid: Mutable<ModelCounts['unsaid']> };

const noTokens = { calls: 0, promptTokens: 0, completionTokens: 0, cachedTokens: null, cacheWriteTokens: null };
const noCounts = (): Counting => ({ ...noTokens, reasoningTokens: null, saidUsd: 0, unsaid: { ...noTokens } });

function plus(a: number | null, b: number | null): number | null {
  return a === null ? b : a + (b ?? 0);
}

function addUsage(to: Counting['unsaid'], usage: Usage, calls: number): void {
  to.calls += calls;
  to.promptTokens += usage.promptTokens;
  to.completionTokens += usage.completionTokens;
  to.cachedTokens = plus(to.cachedTokens, usage.cachedTokens);
  to.cacheWriteTokens = plus(to.cacheWriteTokens, usage.cacheWriteTokens);
}

/** `replies`: 0 for a request that got none, and is billed all the same. */
function addBilled(counts: Counting, usage: Usage, replies: 0 | 1): void {
  addUsage(counts, usage, replies);
  counts.reasoningTokens = plus(counts.reasoningTokens, usage.reasoningTokens);
  counts.saidUsd += usage.costUsd ?? 0;
  if (usage.costUsd === undefined) addUsage(counts.unsaid, usage, 1);
}

const orderlyStops: readonly number[] = [
  exitCodes.model,
  exitCodes.budget,
  exitCodes.interrupted,
  exitCodes.terminated,
] satisfies readonly ExitCode[];

/** A stop after which `--resume` continues as if it had not happened. */
export function isOrderlyStop(exitCode: number): boolean {
  return orderlyStops.includes(exitCode);
}

export interface KeptPolicy {
  readonly iteration: number;
  readonly params: readonly number[];
  readonly mean: number;
  /** null where an imported log has lost its episodes */
  readonly summary: Summary | null;
}

export class RunTotals {
  status: RunStatus = 'running';
  /** read from the log of another program */
  imported = false;
  backend: string | null = null;
  adapter: string | null = null;
  /** version of the texts of the latest session's prompts; null where the record does not say */
  prompts: number | null = null;
  /** name of what answers the calls of each purpose */
  models: Readonly<Record<Purpose, string>> | null = null;
  modelKind: ModelKind | null = null;
  /** start of the first session, ms since 1970 */
  startTime: number | null = null;
  /** number of sessions: 1 and one for each resume */
  sessions = 0;
  readonly rows = new IterationRows();
  /** of the iteration that ended last */
  latest: IterationRow | null = null;
  /** whether an iteration has played a candidate */
  hasPlayed = false;
  /** of the highest kept mean; ties go to the last, as in the re-check */
  best: KeptPolicy | null = null;
  rechecked: Pick<EventOf<'rechecked'>, 'iteration' | 'params' | 'summary' | 'holdout'> | null = null;
  /** means of the kept policies */
  readonly kept = { count: 0, sum: 0, last: null as number | null };
  readonly llm = { failedCalls: 0, unusable: 0, seconds: 0 };
  /** of all models together */
  get answered(): ModelCounts {
    return this.#answered;
  }
  /** by the name of the model that answered, in the order of their first replies */
  get byModel(): ReadonlyMap<string, ModelCounts> {
    return this.#byModel;
  }
  /** why the first unusable reply was refused */
  firstProblem: string | null = null;
  /** played by the search: warm-up, evaluations and sensitivity, not the re-check */
  episodes = 0;
  steps = 0;
  /** iterations with several candidates: whether one after the first was kept */
  readonly revisions = { accepted: 0, rejected: 0 };
  /** waits until it is told to go on */
  paused = false;
  readonly #answered = noCounts();
  readonly #byModel = new Map<string, Counting>();
  private finishedSessions = 0;
  private sessionStart = 0;
  /** of this session, ms */
  private pausedMs = 0;
  private lastTime = 0;
  /** iteration of the population whose best member is evaluated next; null: none is */
  private generation: number | null = null;
  /** whether a numeric optimiser answered calls that a branch took from another run */
  private branchedFromOffline = false;
  /** summaries of the iteration under way */
  private evaluated = new Map<CandidateLabel, Summary>();
  private readonly keepsRows: boolean;

  /** `keepsRows`: false for a reader that needs the latest row alone */
  constructor({ keepsRows = true }: { readonly keepsRows?: boolean } = {}) {
    this.keepsRows = keepsRows;
  }

  /** s of all sessions, from the start of each to its last event, without the time that it was paused */
  get wallSeconds(): number {
    // An imported run has an event before its first session.
    if (this.sessions === 0) return 0;
    return this.finishedSessions + Math.max(0, this.lastTime - this.sessionStart - this.pausedMs) / 1000;
  }

  /** s that this session was paused, up to the last event */
  get pausedSeconds(): number {
    return this.pausedMs / 1000;
  }

  /** name of what answers the search calls */
  get model(): string | null {
    return this.models?.search ?? null;
  }

  get tokens(): number {
    return this.answered.promptTokens + this.answered.completionTokens;
  }

  add(event: RunEvent): void {
    if (event.type === 'branched') {
      // Its time is not that of a session.
      this.addBranch();
      return;
    }
    const time = Date.parse(event.time);
    if (event.type === 'run_started') {
      this.finishedSessions = this.wallSeconds;
      this.sessionStart = time;
      this.pausedMs = 0;
      this.paused = false;
    }
    if (this.paused) this.pausedMs += Math.max(0, time - this.lastTime);
    this.lastTime = time;
    switch (event.type) {
      case 'imported':
        this.imported = true;
        break;
      case 'run_started':
        this.status = 'running';
        this.sessions += 1;
        this.startTime ??= time;
        this.backend = event.backend;
        this.adapter = event.adapter;
        this.models = event.models ?? { search: event.model, critic: event.model };
        this.modelKind = this.branchedFromOffline ? 'offline' : event.model_kind;
        this.prompts = event.prompts ?? null;
        break;
      case 'warmup':
        // A recorded trial was played by another search.
        if (event.recorded === undefined) this.addPlayed(1, event.length);
        break;
      case 'llm_call': {
        const { reply, purpose } = event;
        const name = reply.answeredBy || (this.models?.[purpose] ?? reply.model);
        this.#addBilled(name, reply.usage, 1);
        this.#addFailed(event);
        this.llm.failedCalls += Math.max(0, reply.requests - 1);
        this.llm.seconds += reply.latencySeconds;
        break;
      }
      case 'parse_failed':
        this.llm.unusable += 1;
        this.firstProblem ??= event.problem;
        break;
      case 'evaluated':
        this.evaluated.set(event.candidate, event.summary);
        // The episodes of a member of a population were counted with it.
        if (this.generation !== event.iteration) this.addPlayed(event.summary.episodes, event.summary.steps);
        this.generation = null;
        break;
      case 'generation':
        this.generation = event.means.every(Number.isNaN) ? null : event.iteration;
        this.addPlayed(event.means.length * event.episodes, event.steps);
        break;
      case 'refined':
        this.addPlayed(event.episodes, event.steps);
        break;
      case 'sensitivity':
        this.addPlayed((event.effects.length + 1) * event.episodes, event.steps);
        break;
      case 'iteration':
        this.addIteration(event);
        break;
      case 'rechecked':
        this.rechecked = event;
        break;
      case 'control':
        if (event.action !== 'budget') this.paused = event.action === 'pause';
        break;
      case 'run_finished':
        this.status = 'finished';
        break;
      case 'run_stopped':
        this.paused = false;
        this.status = isOrderlyStop(event.exit_code) ? 'stopped' : 'failed';
        this.llm.failedCalls +=
          event.failed_requests ?? (event.exit_code === exitCodes.model && event.call_failed !== false ? 1 : 0);
        this.#addFailed(event);
        break;
    }
  }

  #addBilled(name: string, usage: Usage, replies: 0 | 1): void {
    const counts = this.#byModel.get(name) ?? noCounts();
    this.#byModel.set(name, counts);
    addBilled(counts, usage, replies);
    addBilled(this.#answered, usage, replies);
  }

  #addFailed({ failed_usage: used = [] }: EventOf<'llm_call' | 'run_stopped'>): void {
    for (const { model, usage } of used) this.#addBilled(model, usage, 0);
  }

  /** From here on another model may answer. */
  private addBranch(): void {
    this.status = 'running';
    this.paused = false;
    this.branchedFromOffline = this.modelKind === 'offline';
    this.models = null;
  }

  private addPlayed(episodes: number, steps: number): void {
    this.episodes += episodes;
    this.steps += steps;
  }

  private addIteration(event: EventOf<'iteration'>): void {
    const { iteration, kept, logged } = event;
    if (logged) {
      this.episodes = logged.episodes;
      this.steps = logged.steps;
    }
    const candidate = event.candidates.find((c) => c.label === kept);
    const summary = kept === null ? undefined : this.evaluated.get(kept);
    const mean = candidate?.mean ?? null;
    if (candidate && (this.best === null || candidate.mean >= this.best.mean)) {
      this.best = { iteration, params: candidate.params, mean: candidate.mean, summary: summary ?? null };
    }
    if (mean !== null) {
      this.kept.count += 1;
      this.kept.sum += mean;
      this.kept.last = mean;
    }
    const [first, ...revisions] = event.candidates;
    this.hasPlayed ||= first !== undefined;
    if (first && revisions.length > 0)
      this.revisions[kept === null || kept === first.label ? 'rejected' : 'accepted'] += 1;
    this.latest = {
      iteration,
      episodes: this.episodes,
      steps: this.steps,
      kept,
      mean,
      std: summary?.std ?? null,
      median: summary?.median ?? null,
      min: summary?.min ?? null,
      max: summary?.max ?? null,
      best: this.best?.mean ?? null,
      candidates: Object.fromEntries(event.candidates.map(({ label, mean: played }) => [label, played])),
      unusable_replies: this.llm.unusable,
      prompt_tokens: this.answered.promptTokens,
      completion_tokens: this.answered.completionTokens,
      llm_seconds: this.llm.seconds,
      wall_s: this.wallSeconds,
      llm_calls: this.answered.calls,
      cached_tokens: this.answered.cachedTokens,
      cache_write_tokens: this.answered.cacheWriteTokens,
      reasoning_tokens: this.answered.reasoningTokens,
    };
    if (this.keepsRows) this.rows.push(this.latest);
    this.evaluated = new Map();
  }
}

/** The totals of a whole journal. */
export function totalsOf(events: readonly RunEvent[]): RunTotals {
  const totals = new RunTotals();
  for (const event of events) totals.add(event);
  return totals;
}
