/** A session of a run: from the opening of its journal to its end, an interruption or a failure. */
import type { ExitCode } from '../../base/errors.ts';
import { requireRun } from '../folder/folder.ts';
import { runHash } from '../folder/identity.ts';
import { environmentFacts, type Manifest } from '../folder/manifest.ts';
import type { RunFiles } from '../folder/run-files.ts';
import type { RunSummary } from '../folder/summary.ts';
import type { EventBody, RunEvent } from '../journal/events.ts';
import type { Journal } from '../journal/journal.ts';
import type { RecordEnd } from '../journal/record.ts';
import type { StepLog } from '../journal/steps.ts';
import { RunTotals } from '../journal/totals.ts';
import { costOfRun } from '../models/cost.ts';
import { kindOf, namesOf } from '../models/models.ts';
import { nothingUsable } from '../models/unusable.ts';
import type { OpenUnits } from '../resolve-units.ts';
import type { RunOptions } from '../run.ts';
import { checkBudget } from './budget.ts';
import { JournalSteps } from './journal-steps.ts';
import { ProgressReporter } from './progress.ts';
import { Saver } from './saver.ts';

export class RunSession {
  readonly totals = new RunTotals();
  readonly steps: StepLog;
  readonly #units: OpenUnits;
  readonly #argv: readonly string[];
  readonly #journal: Journal;
  readonly #files: RunFiles;
  readonly #progress: ProgressReporter;
  readonly #saver: Saver<RunSummary>;
  #manifest: Manifest;
  /** how far the record goes that the totals are those of */
  #end: RecordEnd;

  constructor(units: OpenUnits, options: RunOptions, journal: Journal, files: RunFiles) {
    const { folder, argv, onProgress, now } = options;
    const { totals } = this;
    this.#units = units;
    this.#argv = argv;
    this.#journal = journal;
    this.#files = files;
    this.#manifest = requireRun(folder);
    for (const event of journal.log.events) totals.add(event);
    this.#end = journal.log.end;
    this.steps = new JournalSteps(
      journal.log.events,
      () => this.#begin(),
      (body) => this.#append(body),
    );
    this.#progress = new ProgressReporter({ totals, iterations: units.driver.iterations(units), now, onProgress });
    this.#saver = new Saver(() => {
      journal.check();
      return files.write(totals, this.#end);
    });
  }

  get hasBegun(): boolean {
    return this.#progress.hasBegun;
  }

  async #append(body: EventBody): Promise<RunEvent> {
    const event = await this.#journal.append(body);
    this.totals.add(event);
    this.#end = this.#journal.end;
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
    this.#manifest = { ...this.#manifest, ...environmentFacts(), argv: [...this.#argv], stopped: null };
    await this.#saveManifest();
    await this.#saver.save();
  }

  /**
   * Throws when a budget is used up. Budgets are those of the whole run, over all of its sessions. `pending`: calls that are
   * being made and not recorded yet.
   */
  checkBudget(pending = 0): void {
    const { config } = this.#units;
    const { answered, tokens, wallSeconds, episodes } = this.totals;
    checkBudget(config.budget, {
      max_calls: answered.calls + pending,
      max_tokens: tokens,
      max_time_s: wallSeconds,
      max_cost_usd: costOfRun(config, this.totals),
      max_episodes: episodes,
    });
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
    this.#journal.check();
    await this.#files.writeManifest(this.#manifest);
  }

  /** Throws where there is nothing to finish: no reply of any iteration could be used. */
  async finish(): Promise<RunSummary> {
    if (this.totals.status !== 'finished') {
      const { rows, firstProblem } = this.totals;
      if (rows.every(({ candidates }) => Object.keys(candidates).length === 0)) {
        throw nothingUsable(rows.length, firstProblem);
      }
      await this.#begin();
      await this.#append({ type: 'run_finished' });
    }
    const summary = await this.#saver.save();
    // Last: whoever reads `finished` finds everything else in place.
    await this.#saveManifest();
    return summary;
  }

  /** Records why the session ends; what was done stays, whatever else fails now. */
  async stop(reason: string, exitCode: ExitCode, callFailed: boolean): Promise<void> {
    if (this.#journal.writable) {
      await this.#append({
        type: 'run_stopped',
        reason,
        exit_code: exitCode,
        ...(!callFailed && { call_failed: false }),
      });
    }
    this.#manifest = { ...this.#manifest, stopped: { reason, exit_code: exitCode } };
    // A failure of the latest writing is either the reason of this stop or matters less than it.
    await this.#saver.settle();
    await this.#saver.save();
    await this.#saveManifest();
  }
}
