/** One search run in its folder: opens the record, runs the search on it, keeps the other files up to date. */
import { interruption } from '../base/async.ts';
import { type ExitCode, exitCodes, InterruptedError, ModelError, R2poError, UsageError } from '../base/errors.ts';
import type { Config } from '../config/schema.ts';
import type { Env } from '../envs/env.ts';
import type { Method } from '../methods/method.ts';
import { promptVersion } from '../methods/prompts/version.ts';
import type { SearchSettings } from '../methods/settings.ts';
import type { Policy } from '../policies/policy.ts';
import type { Backend } from '../rollout/backend.ts';
import type { CallState } from './models/calls.ts';
import { costOfRun } from './models/cost.ts';
import type { EventBody, RunEvent } from './journal/events.ts';
import { refuseImported, requireRun } from './folder/folder.ts';
import { runHash } from './folder/identity.ts';
import { Journal } from './journal/journal.ts';
import { isStep, type StepLog, type StepEvent } from './journal/steps.ts';
import { LostLockError, watchLock } from './journal/lock.ts';
import { environmentFacts, type Manifest } from './folder/manifest.ts';
import { kindOf, namesOf, type RunModels } from './models/models.ts';
import { RunFiles } from './folder/run-files.ts';
import { runSearch } from './drivers/llm-search.ts';
import type { RunSummary } from './folder/summary.ts';
import { RunTotals } from './journal/totals.ts';
import { nothingUsable, UnusableError } from './models/unusable.ts';

/** What is told after every event, and once before the first when a run is resumed. */
export interface Progress {
  /** null: nothing has been done in this session yet */
  readonly event: RunEvent | null;
  readonly totals: RunTotals;
  /** that the run will have */
  readonly iterations: number;
  /** s until the iterations are done, from the pace of this session; null before its first one */
  readonly etaSeconds: number | null;
}

export interface ExperimentOptions {
  readonly config: Config;
  readonly settings: SearchSettings;
  readonly env: Env;
  readonly policy: Policy;
  readonly method: Method;
  readonly models: RunModels;
  readonly backend: Backend;
  /** made by `createRunFolder` */
  readonly folder: string;
  /** false: the folder must hold no events yet; true: it may */
  readonly resume: boolean;
  /** what the user types to go on, quoted in the message of every stop */
  readonly resumeCommand: string;
  readonly argv: readonly string[];
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: Progress) => void;
  /** hears how each call gets on, and null when it has ended */
  readonly onCall?: (call: CallState | null) => void;
  /** a line for the user, such as a torn line that was dropped */
  readonly onNotice?: (text: string) => void;
  /** a line of a model: waits, parameters left out, who answers instead */
  readonly log?: (text: string) => void;
  /** ms since 1970 */
  readonly now?: () => number;
}

/** Refuses to go on with another device or model than the record was made with: the results would be a mixture. */
function checkSameMeans({ backend, models, onNotice }: ExperimentOptions, totals: RunTotals): void {
  const refuse = (what: string, before: string, now: string, option: string): never => {
    throw new UsageError(
      '--resume',
      `expected the ${what} of the earlier part, "${before}", got "${now}"; add ${option}${before}, or start a new run`,
    );
  };
  if (totals.backend !== null && totals.backend !== backend.id)
    refuse('backend', totals.backend, backend.id, '--backend ');
  const { search, critic } = namesOf(models);
  if (totals.models !== null) {
    const before = totals.models;
    if (before.search !== search) refuse('model', before.search, search, '--model ');
    if (before.critic !== critic) refuse('model of the critic', before.critic, critic, 'llm.critic.model=');
  }
  if (totals.backend !== null && totals.adapter !== backend.adapter) {
    onNotice?.(`the earlier part of this run was played on "${totals.adapter}", now it is "${backend.adapter}"`);
  }
  if (totals.sessions > 0 && totals.prompts !== promptVersion) {
    const before = totals.prompts === null ? 'an older version' : `version ${totals.prompts}`;
    onNotice?.(
      `the earlier part of this run was asked with ${before} of the prompts, now it is version ${promptVersion}`,
    );
  }
}

/** A running session: the record with its totals and files. */
class Session {
  readonly totals = new RunTotals();
  readonly steps: StepLog;
  private readonly options: ExperimentOptions;
  private readonly journal: Journal;
  private readonly files: RunFiles;
  private readonly recorded: readonly StepEvent[];
  private readonly now: () => number;
  private position = 0;
  private manifest: Manifest;
  /** the latest writing of the other files */
  private saving: Promise<unknown> = Promise.resolve();
  /** ms since 1970 and iterations done when this session began to do something; null before */
  private start: { readonly time: number; readonly iterations: number } | null = null;

  constructor(options: ExperimentOptions, journal: Journal, files: RunFiles) {
    this.options = options;
    this.journal = journal;
    this.files = files;
    this.now = options.now ?? Date.now;
    this.manifest = requireRun(options.folder);
    const { events } = journal.log;
    for (const event of events) this.totals.add(event);
    this.recorded = events.filter(isStep);
    this.steps = {
      next: async () => {
        const event = this.recorded[this.position];
        if (event === undefined) {
          await this.begin();
          return null;
        }
        this.position += 1;
        return event;
      },
      append: async (body) => (await this.append(body)) as StepEvent,
    };
  }

  get isFinished(): boolean {
    return this.totals.status === 'finished';
  }

  get hasBegun(): boolean {
    return this.start !== null;
  }

  private async append(body: EventBody): Promise<RunEvent> {
    const event = await this.journal.append(body);
    this.totals.add(event);
    this.report(event);
    return event;
  }

  private report(event: RunEvent | null): void {
    const { config, onProgress } = this.options;
    const done = this.totals.rows.length;
    let etaSeconds: number | null = null;
    if (this.start && done > this.start.iterations) {
      const pace = (this.now() - this.start.time) / 1000 / (done - this.start.iterations);
      etaSeconds = pace * (config.iterations - done);
    }
    onProgress?.({ event, totals: this.totals, iterations: config.iterations, etaSeconds });
  }

  /**
   * The record has ended: from here on things are done. Not earlier, so that a record that does not belong to this
   * configuration is refused without a new line in it.
   */
  async begin(): Promise<void> {
    if (this.start) return;
    const { config, backend, models, argv } = this.options;
    const names = namesOf(models);
    const resumed = this.totals.sessions > 0;
    this.start = { time: this.now(), iterations: this.totals.rows.length };
    if (resumed) this.report(null);
    await this.append({
      type: 'run_started',
      resumed,
      config_hash: runHash(config),
      backend: backend.id,
      adapter: backend.adapter,
      model: names.search,
      model_kind: kindOf(models),
      models: names,
      prompts: promptVersion,
    });
    this.manifest = { ...this.manifest, ...environmentFacts(), argv: [...argv], stopped: null };
    await this.saveManifest();
    await this.save();
  }

  /** Budgets are those of the whole run, over all of its sessions. */
  checkBudget(): void {
    const { config } = this.options;
    const { max_calls, max_tokens, max_time_s, max_cost_usd } = config.budget;
    const { answered, tokens, wallSeconds } = this.totals;
    const check = (used: number, limit: number | null, what: string, option: string) => {
      if (limit === null || used < limit) return;
      throw new R2poError(
        'budget',
        `the budget of ${limit} ${what} is used up (${Number(used.toPrecision(4))}); allow more with ${option}`,
        { exitCode: exitCodes.budget },
      );
    };
    check(answered.calls, max_calls, 'model calls', '--max-calls');
    check(tokens, max_tokens, 'tokens', '--max-tokens');
    check(wallSeconds, max_time_s, 'seconds', '--max-time');
    const cost = costOfRun(config, this.totals);
    check(cost ?? 0, max_cost_usd, 'USD', '--max-cost');
  }

  async save(): Promise<RunSummary> {
    await this.saved();
    this.journal.check();
    const written = this.files.write(this.totals);
    this.saving = written;
    return await written;
  }

  /** Throws what the latest writing failed with. */
  private async saved(): Promise<void> {
    await this.saving;
  }

  /** Begins to write the state of now; the search goes on meanwhile, and hears of a failure at the next call. */
  async saveMeanwhile(): Promise<void> {
    await this.saved();
    this.journal.check();
    this.saving = this.files.write(this.totals);
    // Heard at the next call, which may be a while.
    this.saving.catch(() => {});
  }

  private async saveManifest(): Promise<void> {
    const { status, backend, adapter, modelKind } = this.totals;
    const models = this.totals.models ?? undefined;
    const model = models?.search ?? this.manifest.model;
    this.manifest = { ...this.manifest, status, backend, adapter, model, models, model_kind: modelKind };
    this.journal.check();
    await this.files.writeManifest(this.manifest);
  }

  /** Throws where there is nothing to finish: no reply of any iteration could be used. */
  async finish(): Promise<RunSummary> {
    if (!this.isFinished) {
      const { rows, firstProblem } = this.totals;
      if (rows.every(({ candidates }) => Object.keys(candidates).length === 0)) {
        throw nothingUsable(rows.length, firstProblem);
      }
      await this.begin();
      await this.append({ type: 'run_finished' });
    }
    const summary = await this.save();
    // Last: whoever reads `finished` finds everything else in place.
    await this.saveManifest();
    return summary;
  }

  /** Records why the session ends; what was done stays, whatever else fails now. */
  async stop(reason: string, exitCode: ExitCode, callFailed: boolean): Promise<void> {
    if (this.journal.writable) {
      await this.append({
        type: 'run_stopped',
        reason,
        exit_code: exitCode,
        ...(!callFailed && { call_failed: false }),
      });
    }
    this.manifest = { ...this.manifest, stopped: { reason, exit_code: exitCode } };
    // What it failed with is why this is called, or matters less than what is.
    await this.saving.catch(() => {});
    this.saving = Promise.resolve();
    await this.save();
    await this.saveManifest();
  }
}

/** true for what a call throws when the user's signal reached it, in whatever words it says so */
function comesFromSignal(thrown: unknown, signal: AbortSignal): boolean {
  return (
    thrown === signal.reason ||
    thrown instanceof InterruptedError ||
    thrown instanceof ModelError ||
    (thrown instanceof Error && thrown.name === 'AbortError')
  );
}

/**
 * Puts the stop on record, unless the record is another's by now. Where that fails too, the first failure is the one to
 * tell; the record is whole anyway.
 */
async function recordStop(session: Session, error: unknown, onNotice: ExperimentOptions['onNotice']): Promise<void> {
  if (error instanceof LostLockError) return;
  const reason = error instanceof Error ? error.message : String(error);
  try {
    const exitCode = error instanceof R2poError ? error.exitCode : exitCodes.failed;
    await session.stop(reason, exitCode, !(error instanceof UnusableError));
  } catch (second) {
    if (!(second instanceof R2poError)) throw second;
    onNotice?.(second.message);
  }
}

/** What is thrown to the user: the same failure, with the way to go on. */
function withResumeHint(error: R2poError, command: string): R2poError {
  if (error.exitCode === exitCodes.usage || error instanceof LostLockError) return error;
  if (error instanceof UnusableError && !error.resumable) return error;
  const { unit, detail, exitCode } = error;
  return new R2poError(unit, `${detail}; resume with: ${command}`, { exitCode, cause: error });
}

/**
 * Runs a search to its end and returns its summary; a finished run only gets its files back. Everything that was done
 * before is taken from the record.
 *
 * Throws what stopped it (a model that cannot be used, a budget, an interruption, a failed device, a full disk) after
 * putting it on record, with the command to resume in the message; a usage error when the record is damaged, in use, or
 * made with another configuration, device or model.
 */
export async function runExperiment(options: ExperimentOptions): Promise<RunSummary> {
  const { folder, resume, signal, config, policy } = options;
  refuseImported(folder, requireRun(folder), '--resume');
  const stale = await watchLock(folder, options);
  const journal = Journal.open(folder, options.now, { stale });
  try {
    const { log } = journal;
    if (log.torn !== null) options.onNotice?.(log.torn);
    if (!resume && log.events.length > 0) {
      throw new UsageError('run folder', `expected no events in "${folder}", got ${log.events.length}; use --resume`);
    }
    const files = new RunFiles(folder, config, policy);
    const session = new Session(options, journal, files);
    checkSameMeans(options, session.totals);
    try {
      await runSearch({
        ...options,
        steps: session.steps,
        checkBudget: () => session.checkBudget(),
        onIteration: async ({ iteration }, trace) => {
          if (trace) await files.writeTrajectory(iteration, trace);
          if (session.hasBegun) await session.saveMeanwhile();
        },
      });
      return await session.finish();
    } catch (thrown) {
      const error = signal?.aborted && comesFromSignal(thrown, signal) ? interruption(signal) : thrown;
      if (session.hasBegun) await recordStop(session, error, options.onNotice);
      throw error instanceof R2poError ? withResumeHint(error, options.resumeCommand) : error;
    }
  } finally {
    journal.close();
  }
}

/** The summary of a finished run, from its record alone; its files are written anew. */
export async function restoreSummary(folder: string, config: Config, policy: Policy): Promise<RunSummary> {
  const journal = Journal.open(folder, Date.now, { stale: await watchLock(folder) });
  try {
    const totals = new RunTotals();
    for (const event of journal.log.events) totals.add(event);
    return await new RunFiles(folder, config, policy).write(totals);
  } finally {
    journal.close();
  }
}
