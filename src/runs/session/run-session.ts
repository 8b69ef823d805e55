/** A session of a run: from the opening of its journal to its end, an interruption or a failure. */
import type { ExitCode } from '../../base/errors.ts';
import { counted } from '../../base/plain-number.ts';
import { isSection } from '../../config/layers.ts';
import { asksModels } from '../../config/schema.ts';
import type { FailedRequest } from '../../llm/chat.ts';
import { changedLimits, hasStoppedAtBudget, type ResumedLimits, resumedLimits } from '../control/limits.ts';
import { RunSteering, type SteeredRun } from '../control/steering.ts';
import { requireRun } from '../folder/folder.ts';
import { runHash } from '../folder/identity.ts';
import { environmentFacts, type Manifest } from '../folder/manifest.ts';
import { readRun } from '../folder/read-run.ts';
import type { RunFiles } from '../folder/run-files.ts';
import type { RunSummary } from '../folder/summary.ts';
import type { EventBody, RunEvent } from '../journal/events.ts';
import type { Journal } from '../journal/journal.ts';
import type { RecordEnd } from '../journal/record.ts';
import type { StepLog } from '../journal/steps.ts';
import { RunTotals } from '../journal/totals.ts';
import { failedUsage } from '../models/calls.ts';
import { checkPrices, unpricedModels } from '../models/cost.ts';
import { kindOf, namesOf } from '../models/models.ts';
import { nothingPlayable, nothingUsable } from '../models/unusable.ts';
import type { OpenUnits } from '../resolve-units.ts';
import type { RunOptions } from '../run.ts';
import { type BudgetLimits, type BudgetUse, checkBudget, reachedLimits, useOf, withinTime } from './budget.ts';
import { JournalSteps } from './journal-steps.ts';
import { ProgressReporter } from './progress.ts';
import { Saver } from './saver.ts';
import { SearchLength } from './search-length.ts';

/** The limits that a session begins with, after what earlier ones changed and reached. */
function limitsOf(
  { config }: OpenUnits,
  { folder, lifts = [] }: RunOptions,
  events: readonly RunEvent[],
  totals: RunTotals,
): ResumedLimits {
  const changed = changedLimits(events);
  const written = changed === null ? {} : readRun(folder).writtenConfig();
  const hasStopped = hasStoppedAtBudget(events);
  return resumedLimits({
    given: config.budget,
    written: isSection(written) && isSection(written.budget) ? written.budget : {},
    changed,
    stopping: (limits) => (hasStopped ? reachedLimits(limits, useOf(config, totals)) : []),
    lifts,
  });
}

export class RunSession {
  readonly totals = new RunTotals();
  readonly steps: StepLog;
  readonly length: SearchLength;
  /** requests of calls that have no reply yet */
  readonly failed = new Set<FailedRequest>();
  /** fires when the run is to stop; undefined: nothing stops it */
  readonly signal: AbortSignal | undefined;
  readonly #units: OpenUnits;
  readonly #argv: readonly string[];
  readonly #journal: Journal;
  readonly #files: RunFiles;
  readonly #progress: ProgressReporter;
  readonly #saver: Saver<RunSummary>;
  readonly #log: RunOptions['log'];
  readonly #iterations: () => number;
  #manifest: Manifest;
  /** how far the record goes that the totals are those of */
  #end: RecordEnd;
  /** the latest event that is being written: others than the driver write, too */
  #appending: Promise<unknown> = Promise.resolve();
  readonly #steering: RunSteering | null;
  readonly #limits: ResumedLimits;
  readonly #backendWhy: string | null;
  /** of a resumed run whose iterations all went without a usable reply: the number with those that it has again */
  readonly #lengthened: { readonly iterations: number; readonly from: number } | null;

  constructor(units: OpenUnits, options: RunOptions, journal: Journal, files: RunFiles) {
    const { folder, argv, onProgress, now } = options;
    const { totals } = this;
    this.#units = units;
    this.#argv = argv;
    this.#backendWhy = options.backendWhy ?? null;
    this.#journal = journal;
    this.#files = files;
    this.#manifest = requireRun(folder);
    for (const event of journal.log.events) totals.add(event);
    this.#end = journal.log.end;
    this.steps = new JournalSteps(
      journal.log.events,
      async (type) => {
        await this.#begin();
        await this.#steering?.boundary(type);
      },
      (body) => this.#append(body),
    );
    this.length = new SearchLength(journal.log.events);
    this.#limits = limitsOf(units, options, journal.log.events, totals);
    const costLimit = this.#limits.limits.max_cost_usd ?? null;
    if (costLimit !== null) this.#checkPrice(costLimit);
    this.#log = options.log;
    this.#steering = options.steerable ? new RunSteering(this.#steered(options)) : null;
    this.signal = this.#steering?.signal ?? options.signal;
    const planned = units.driver.iterations(units);
    this.#iterations = () => this.length.changed ?? planned;
    this.#lengthened = this.#lengthen(planned);
    this.#progress = new ProgressReporter({ totals, iterations: this.#iterations, now, onProgress });
    this.#saver = new Saver(() => {
      journal.check();
      return files.write(totals, this.#end);
    });
  }

  /** A search that has had its iterations, and no usable reply in any, has as many again. */
  #lengthen(planned: number): { readonly iterations: number; readonly from: number } | null {
    const { rows, hasPlayed, firstProblem, status } = this.totals;
    if (status === 'finished' || hasPlayed || firstProblem === null || rows.length < this.#iterations()) return null;
    const iterations = rows.length + planned;
    return { iterations, from: this.length.change(iterations, rows.length + 1) };
  }

  get hasBegun(): boolean {
    return this.#progress.hasBegun;
  }

  #steered({ folder, log, signal }: RunOptions): SteeredRun {
    return {
      ...{ folder, log, signal, length: this.length, limits: this.#limits.limits },
      iterations: () => ({ done: this.totals.rows.length, of: this.#iterations() }),
      used: () => this.#used(),
      checkPrice: (limit) => this.#checkPrice(limit),
      record: (body) => this.#append(body),
    };
  }

  /** Throws a usage error for a limit of the cost that cannot be enforced: an unknown cost is below every limit. */
  #checkPrice(limit: number): void {
    const { config, models } = this.#units;
    if (!asksModels(config) || kindOf(models) === 'replay') return;
    // The models that answer now are named by the configuration, or are free ones that `auto` chose.
    const present = Object.values(namesOf(models));
    const others = unpricedModels(config, this.totals).filter((name) => !present.includes(name));
    checkPrices({ ...config, budget: { ...config.budget, max_cost_usd: limit } }, others);
  }

  #append(body: EventBody): Promise<RunEvent> {
    const appended = this.#appending.then(() => this.#appendNext(body));
    this.#appending = appended.catch(() => {});
    return appended;
  }

  async #appendNext(body: EventBody): Promise<RunEvent> {
    const event = await this.#journal.append(body);
    this.totals.add(event);
    this.#end = this.#journal.end;
    // Before the next event, so that no later state of the manifest is written over.
    if (event.type === 'control' && event.from_iteration !== undefined) await this.#saveManifest();
    this.#progress.report(event);
    return event;
  }

  /**
   * The record has ended: from here on things are done. Not earlier, so that a record that does not belong to this
   * configuration is refused without a new line in it.
   */
  async #begin(): Promise<void> {
    if (this.hasBegun) return;
    const { config, backend, models, driver } = this.#units;
    const names = namesOf(models);
    const resumed = this.totals.sessions > 0;
    this.#journal.forgetEvents();
    this.#progress.begin();
    if (resumed) this.#progress.report(null);
    await this.#append({
      type: 'run_started',
      resumed,
      config_hash: runHash(config, this.#manifest.branch),
      backend: backend.id,
      adapter: backend.adapter,
      model: names.search,
      model_kind: kindOf(models),
      models: names,
      ...(driver.promptVersion !== null && { prompts: driver.promptVersion }),
    });
    if (this.#lengthened !== null) {
      const { iterations, from } = this.#lengthened;
      const limits = { iterations };
      await this.#append({ type: 'control', optional: true, action: 'budget', limits, from_iteration: from });
      this.#log?.(`no reply of ${counted(from - 1, 'iteration')} could be used: the search has ${iterations} now`);
    }
    const { kept, notice } = this.#limits;
    if (kept !== null) await this.#append({ type: 'control', optional: true, action: 'budget', limits: kept });
    const why = this.#backendWhy !== null && { backend_why: this.#backendWhy };
    this.#manifest = { ...this.#manifest, ...environmentFacts(), ...why, argv: [...this.#argv], stopped: null };
    await this.#saveManifest();
    await this.#saver.save();
    if (notice !== null) this.#log?.(notice);
    await this.#steering?.listen();
  }

  /**
   * Throws when a budget is used up. Budgets are those of the whole run, over all of its sessions. `pending`: calls that are
   * being made and not recorded yet.
   */
  checkBudget(pending = 0): void {
    checkBudget(this.#currentLimits, this.#used(pending));
  }

  /** What `waiting` resolves with, or a rejection with `BudgetError` when the time of the run is used up first. */
  withinTime<T>(waiting: Promise<T>): Promise<T> {
    return withinTime(waiting, () => this.#currentLimits, this.#used());
  }

  get #currentLimits(): BudgetLimits {
    return this.#steering?.limits ?? this.#limits.limits;
  }

  #used(pending = 0): BudgetUse {
    return useOf(this.#units.config, this.totals, pending);
  }

  /** Nobody can steer the run any more; to be called when it ends, however it does. */
  close(): void {
    this.#steering?.close();
  }

  /** Starts to write the other files, once this session has done anything; the next writing reports a failure. */
  async saveMeanwhile(): Promise<void> {
    await this.#saver.saveMeanwhile();
  }

  async #saveManifest(): Promise<void> {
    const { status, backend, adapter, modelKind } = this.totals;
    const models = this.totals.models ?? undefined;
    const model = models?.search ?? this.#manifest.model;
    this.#manifest = { ...this.#manifest, status, backend, adapter, model, models, model_kind: modelKind };
    if (this.length.changed !== null) this.#manifest = { ...this.#manifest, iterations: this.length.changed };
    this.#journal.check();
    await this.#files.writeManifest(this.#manifest);
  }

  /** Throws where there is nothing to finish: nothing of any iteration could be used. */
  async finish(): Promise<RunSummary> {
    if (this.totals.status !== 'finished') {
      const { rows, hasPlayed, firstProblem } = this.totals;
      if (!hasPlayed) {
        throw firstProblem === null ? nothingPlayable(rows.length) : nothingUsable(rows.length, firstProblem);
      }
      await this.#begin();
      this.#steering?.end();
      await this.#append({ type: 'run_finished' });
    }
    const summary = await this.#saver.save();
    // Last: whoever reads `finished` finds everything else in place.
    await this.#saveManifest();
    return summary;
  }

  /** Records why the session ends; what was done stays, whatever else fails now. */
  async stop(reason: string, exitCode: ExitCode, callFailed: boolean): Promise<void> {
    this.#steering?.end();
    if (this.#journal.writable) {
      await this.#append({
        type: 'run_stopped',
        reason,
        exit_code: exitCode,
        ...(!callFailed && { call_failed: false }),
        ...(this.failed.size > 0 && { failed_requests: this.failed.size }),
        ...failedUsage(this.failed),
      });
    }
    this.#manifest = { ...this.#manifest, stopped: { reason, exit_code: exitCode } };
    // A failure of the latest writing is either the reason of this stop or matters less than it.
    await this.#saver.settle();
    await this.#saver.save();
    await this.#saveManifest();
  }
}
