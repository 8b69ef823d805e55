/** A run as its page shows it, read from its record and read on where the record has grown. */
import { statSync } from 'node:fs';
import { nextTurn } from '../../base/async.ts';
import { errorDetail, R2poError } from '../../base/errors.ts';
import { isModulePath } from '../../base/module-path.ts';
import { isSection } from '../../config/layers.ts';
import type { Config, LlmConfig } from '../../config/schema.ts';
import { findEnv } from '../../envs/registry.ts';
import { buildPolicy } from '../../policies/index.ts';
import { readRun, type StoredRun } from '../../runs/folder/read-run.ts';
import type { EventOf, RunEvent } from '../../runs/journal/events.ts';
import { eventsName, RecordFile } from '../../runs/journal/journal.ts';
import { RunTotals } from '../../runs/journal/totals.ts';
import { costOfRun } from '../../runs/models/cost.ts';
import { type RunUnits, resolveUnits } from '../../runs/resolve-units.ts';
import type { CallRow, Iteration, RunPage, RunUpdate } from '../api/run.ts';
import { thinned } from '../api/thinned.ts';
import { OptimiserReplay } from './optimiser-replay.ts';

type Candidate = Iteration['candidates'][number];
type Span = RunPage['spans'][number];

/** ms after which other requests get their turn while a long record is read. */
const turnMs = 20;

const outcome = (value: number | null | undefined): number | null =>
  value === null || value === undefined || !Number.isFinite(value) ? null : value;
const interval = (ci95: readonly [number, number] | null | undefined): [number | null, number | null] | null =>
  ci95 ? [outcome(ci95[0]), outcome(ci95[1])] : null;
const inMs = (seconds: number): number => Math.round(1000 * seconds) / 1000;

export function callRowOf({ seq, iteration, purpose, attempt, reply }: EventOf<'llm_call'>): CallRow {
  const { usage } = reply;
  return {
    ...{ seq, iteration, purpose, attempt },
    model: reply.answeredBy || reply.model,
    promptTokens: usage.promptTokens,
    completionTokens: usage.completionTokens,
    cachedTokens: usage.cachedTokens,
    reasoningTokens: usage.reasoningTokens,
    latencySeconds: reply.latencySeconds,
    finish: reply.finish,
    requests: reply.requests,
    problem: null,
  };
}

function candidateOf(
  { candidate, params, summary, adjustments }: EventOf<'evaluated'>,
  byOptimiser: boolean,
): Candidate {
  const episode = ({ seed, return: value, length }: typeof summary.median_episode) => ({
    ...{ seed, length },
    return: outcome(value),
  });
  return {
    label: candidate,
    params: [...params],
    mean: outcome(summary.mean),
    ci95: interval(summary.ci95),
    std: summary.std,
    episodes: summary.episodes,
    success: outcome(summary.success.rate),
    episode: {
      median: episode(summary.median_episode),
      worst: episode(summary.worst_episode),
      best: episode(summary.best_episode),
    },
    adjustments: [...adjustments],
    byOptimiser,
  };
}

/** A candidate of a log that does not state more than its mean. */
const bareCandidate = ({ label, params, mean }: EventOf<'iteration'>['candidates'][number]): Candidate => ({
  ...{ label, params: [...params], mean: outcome(mean) },
  ...{ ci95: null, std: null, episodes: 0, success: null, episode: null, adjustments: [], byOptimiser: false },
});

/** What a step waited for. */
const kinds: Readonly<Partial<Record<RunEvent['type'], Span['kind']>>> = {
  llm_call: 'model',
  warmup: 'evaluation',
  evaluated: 'evaluation',
  generation: 'evaluation',
  refined: 'evaluation',
  sensitivity: 'evaluation',
  rechecked: 'evaluation',
};

/** The iteration under way. */
interface Draft {
  readonly evaluated: Map<string, Candidate>;
  paired: Iteration['paired'];
  generation: Iteration['generation'];
  calls: number[];
  /** whether an optimiser made the parameters that are evaluated next */
  isOptimised: (params: readonly number[]) => boolean;
}

const isNever = (): boolean => false;
const emptyDraft = (): Draft => ({
  ...{ evaluated: new Map(), paired: null, generation: null, calls: [] },
  isOptimised: isNever,
});

const areEqual = (a: readonly number[], b: readonly number[]): boolean => a.every((value, i) => value === b[i]);

interface FoundUnits {
  readonly units: RunUnits | null;
  /** why there are none, in words; null: there are, or the run is a training by another program */
  readonly without: string | null;
}

const isModule = (name: unknown): name is string => typeof name === 'string' && isModulePath(name);

/** What a configuration names. Modules of the user are not loaded: reading a run runs no code out of it. */
async function unitsOf(stored: StoredRun, written: unknown): Promise<FoundUnits> {
  if (stored.manifest.imported?.training) return { units: null, without: null };
  const { env, method } = (written ?? {}) as { readonly env?: unknown; readonly method?: unknown };
  if (isModule(env)) {
    const without = `the environment is the module "${env}", which is not loaded here: "r2po eval" plays the policies`;
    return { units: null, without };
  }
  if (isModule(method)) {
    const without = `the method is the module "${method}", which is not loaded here: what it read from replies is not shown`;
    return { units: null, without };
  }
  try {
    return { units: resolveUnits(await stored.config()), without: null };
  } catch (error) {
    if (!(error instanceof R2poError)) throw error;
    return { units: null, without: `this version cannot use the configuration of the run: ${errorDetail(error)}` };
  }
}

/** What the policies of a run are and where they play, also where its method is not known here; null: not known. */
function playedOf(written: unknown, units: RunUnits | null): Pick<RunUnits, 'env' | 'policy'> | null {
  if (units !== null) return units;
  const {
    env: id,
    env_options: envOptions,
    policy,
  } = (written ?? {}) as Partial<Pick<Config, 'env' | 'env_options' | 'policy'>>;
  if (typeof id !== 'string' || !isSection(policy)) return null;
  try {
    const env = findEnv(id, envOptions);
    return { env, policy: buildPolicy(policy.kind, env, policy.options) };
  } catch (error) {
    if (error instanceof R2poError) return null;
    throw error;
  }
}

/** The end of a list that is in the order of iterations: what comes behind one of them. */
function behind<T extends { readonly iteration: number }>(list: readonly T[], after: number): T[] {
  return list.slice(list.findLastIndex(({ iteration }) => iteration <= after) + 1);
}

export class RunReading {
  readonly stored: StoredRun;
  readonly units: RunUnits | null;
  /** why there are no units, in words; null: there are, or the run is a training by another program */
  readonly withoutUnits: string | null;
  readonly played: Pick<RunUnits, 'env' | 'policy'> | null;
  /** content of `config.yaml`, unchecked; null: it cannot be read */
  readonly written: unknown;
  readonly totals = new RunTotals({ keepsRows: false });
  /** of a long run a part, see `thinned` */
  iterations: Iteration[] = [];
  calls: CallRow[] = [];
  spans: Span[] = [];
  every = 1;
  readonly warmup: RunPage['warmup'] = [];
  readonly optimiser: OptimiserReplay | null;
  /** counts the readings that found something new */
  revision = 0;
  /** why the record is read no further; null: it is whole */
  problem: string | null = null;
  readonly #record: RecordFile;
  readonly #chosen: number | null;
  #draft = emptyDraft();
  #seen = '';
  #reading: Promise<void> | null = null;

  private constructor(stored: StoredRun, written: unknown, { units, without }: FoundUnits, chosen: number | null) {
    this.stored = stored;
    this.#chosen = chosen;
    this.written = written;
    this.units = units;
    this.withoutUnits = without;
    this.played = stored.manifest.imported?.training ? null : playedOf(written, units);
    this.#record = new RecordFile(stored.folder);
    this.optimiser = units === null ? null : OptimiserReplay.of(units);
  }

  /**
   * `chosen`: number of an iteration that is not left out, nor are its neighbours; null: none. Throws an `R2poError` for a
   * folder that is no run.
   */
  static async open(folder: string, chosen: number | null): Promise<RunReading> {
    const stored = readRun(folder);
    let written: unknown = null;
    try {
      written = stored.writtenConfig();
    } catch (error) {
      if (!(error instanceof R2poError)) throw error;
    }
    return new RunReading(stored, written, await unitsOf(stored, written), chosen);
  }

  /** A notice about the end of the record that was left out; null: none was. */
  get torn(): string | null {
    return this.#record.torn;
  }

  #state(): string {
    const found = statSync(this.stored.path(eventsName), { throwIfNoEntry: false });
    return found ? `${found.ino} ${found.size} ${found.mtimeMs}` : '';
  }

  /** Whether the record has been replaced or repaired: it must be read from its start. */
  get isStale(): boolean {
    return this.#state() !== this.#seen && (this.problem !== null || this.#record.isReplaced);
  }

  /** Reads what is new in the record. */
  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const state = this.#state();
    if (state === this.#seen || this.problem !== null) return;
    const record = this.#record;
    const before = record.lines.count;
    let turn = performance.now();
    try {
      for (const event of record.walk((bytes, value) => record.lines.read(bytes, value))) {
        if (event !== null) this.#add(event);
        if (performance.now() - turn < turnMs) continue;
        await nextTurn();
        turn = performance.now();
      }
    } catch (error) {
      if (!(error instanceof R2poError)) throw error;
      this.problem = errorDetail(error);
    }
    this.#seen = state;
    if (record.lines.count > before || this.problem !== null) this.revision += 1;
  }

  #add(event: RunEvent): void {
    const before = this.totals.wallSeconds;
    this.totals.add(event);
    this.#addSpan(event, before);
    this.optimiser?.add(event);
    const draft = this.#draft;
    switch (event.type) {
      case 'warmup':
        this.warmup.push({ params: [...event.params], return: outcome(event.return) });
        break;
      case 'llm_call':
        this.calls.push(callRowOf(event));
        draft.calls.push(event.seq);
        break;
      case 'parse_failed': {
        const { iteration, purpose, attempt } = event;
        const failed = this.calls.findLast(
          (call) => call.iteration === iteration && call.purpose === purpose && call.attempt === attempt,
        );
        if (failed) failed.problem = event.problem;
        break;
      }
      case 'generation':
        draft.generation = event.means.map(outcome);
        draft.isOptimised = (made) => !event.proposed?.some(({ params }) => areEqual(params, made));
        break;
      case 'refined':
        draft.isOptimised = (made) => areEqual(event.params, made);
        break;
      case 'evaluated': {
        draft.evaluated.set(event.candidate, candidateOf(event, draft.isOptimised(event.params)));
        draft.isOptimised = isNever;
        const { paired } = event;
        if (paired) draft.paired = { ...paired, ci95: interval(paired.ci95) };
        break;
      }
      case 'iteration':
        this.#addIteration(event);
        break;
    }
  }

  #addIteration(event: EventOf<'iteration'>): void {
    const { evaluated, paired, generation, calls } = this.#draft;
    const row = this.totals.latest!;
    this.iterations.push({
      iteration: event.iteration,
      kept: event.kept,
      why: event.why,
      candidates: event.candidates.map((played) => evaluated.get(played.label) ?? bareCandidate(played)),
      paired,
      mean: outcome(row.mean),
      best: outcome(row.best),
      calls,
      generation,
      episodes: row.episodes,
      steps: row.steps,
      tokens: row.prompt_tokens + row.completion_tokens,
      costUsd: outcome(this.#cost()),
      seconds: inMs(row.wall_s),
    });
    this.#draft = emptyDraft();
    const shown = thinned(this, this.#chosen)?.parts;
    if (shown !== undefined) Object.assign(this, shown);
  }

  #cost(): number | null {
    const prices = (this.written as { readonly prices?: LlmConfig['prices'] } | null)?.prices ?? {};
    return costOfRun({ prices }, this.totals);
  }

  /** Time between sessions is left out, as in the wall time of a run. */
  #addSpan(event: RunEvent, before: number): void {
    const end = event.type === 'branched' ? before : this.totals.wallSeconds;
    const current = (this.iterations.at(-1)?.iteration ?? 0) + (event.type === 'warmup' ? 0 : 1);
    const isNamed = 'iteration' in event && event.type !== 'rechecked' && event.type !== 'branched';
    const iteration = isNamed
      ? event.iteration
      : this.iterations.length === 0 && event.type === 'run_started'
        ? 0
        : current;
    const kind = kinds[event.type] ?? 'other';
    // Calls that are made side by side overlap.
    const start = event.type === 'llm_call' ? Math.max(0, end - event.reply.latencySeconds) : before;
    if (start - before >= 0.001) this.#pushSpan({ kind: 'other', iteration, start: inMs(before), end: inMs(start) });
    if (end - start >= 0.0005) this.#pushSpan({ kind, iteration, start: inMs(start), end: inMs(end) });
  }

  #pushSpan(span: Span): void {
    const last = this.spans.at(-1);
    if (last?.kind === span.kind && last.iteration === span.iteration && last.end === span.start) last.end = span.end;
    else this.spans.push(span);
  }

  /** Whether an iteration with this number is shown. */
  has(iteration: number): boolean {
    return this.iterations.some((one) => one.iteration === iteration);
  }

  /** What is new behind an iteration. */
  updateAfter(after: number): Omit<RunUpdate, 'row'> {
    return {
      iterations: behind(this.iterations, after),
      calls: behind(this.calls, after),
      spans: behind(this.spans, after),
      every: this.every,
      optimiser: this.optimiser?.stateAfter(after) ?? null,
    };
  }
}

/** Runs that were read lately; a long record takes a second to read. */
export class RunReadings {
  readonly #kept = new Map<string, Promise<RunReading>>();
  readonly #most: number;

  constructor(most = 6) {
    this.#most = most;
  }

  /**
   * The run in a folder with everything that its record holds now; `near`: number of an iteration that is not to be left
   * out, nor its neighbours.
   */
  async read(folder: string, near: number | null = null): Promise<RunReading> {
    const whole = await this.#read(folder, folder, null);
    const last = whole.iterations.at(-1)?.iteration ?? 0;
    if (near === null || near > last || whole.every === 1 || whole.has(near)) return whole;
    return this.#read(`${folder} near ${near}`, folder, near);
  }

  async #read(key: string, folder: string, chosen: number | null): Promise<RunReading> {
    const known = this.#kept.get(key);
    const opened = known !== undefined && !(await known).isStale ? known : RunReading.open(folder, chosen);
    this.#kept.delete(key);
    this.#kept.set(key, opened);
    for (const other of this.#kept.keys()) {
      if (this.#kept.size <= this.#most) break;
      this.#kept.delete(other);
    }
    try {
      const reading = await opened;
      await reading.refresh();
      return reading;
    } catch (error) {
      this.#kept.delete(key);
      throw error;
    }
  }
}
