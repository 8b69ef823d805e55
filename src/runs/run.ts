/** One run in its folder: opens the journal, lets the driver take its steps, and keeps the other files up to date. */
import { interruption } from '../base/async.ts';
import { exitCodes, InterruptedError, ModelError, R2poError, UsageError } from '../base/errors.ts';
import { userFault } from '../base/node/user-fault.ts';
import { counted } from '../base/plain-number.ts';
import type { Trace } from '../rollout/job.ts';
import { BrokenReturnError } from '../rollout/statistics.ts';
import { sharedParts } from './branch/shared-parts.ts';
import type { RunListeners } from './drivers/driver.ts';
import { refuseImported, requireRun } from './folder/folder.ts';
import { compareJournal, refusalOf } from './folder/missing.ts';
import { changedSource } from './folder/module-source.ts';
import { keepBeforeRepair } from './folder/repair.ts';
import { RunFiles } from './folder/run-files.ts';
import type { RunSummary } from './folder/summary.ts';
import { TrajectoryFiles } from './folder/trajectories.ts';
import { Journal, type OpenOptions } from './journal/journal.ts';
import { LostLockError, watchLock } from './journal/lock.ts';
import { type RunTotals, totalsOf } from './journal/totals.ts';
import { restoreTrajectories, type WithBackend } from './lost-trajectories.ts';
import { namesOf } from './models/models.ts';
import { UnusableError } from './models/unusable.ts';
import type { OpenUnits, RunUnits } from './resolve-units.ts';
import { BudgetError, type BudgetLimits, type ResumeCommand } from './session/budget.ts';
import type { RunProgress } from './session/progress.ts';
import { RunSession } from './session/run-session.ts';

export interface KeptPolicy {
  readonly iteration: number;
  /** mean return in the search */
  readonly mean: number;
  readonly trace: () => Promise<Trace>;
}

export interface RunOptions extends RunListeners {
  /** made by `createRunFolder` */
  readonly folder: string;
  /** false: the folder must hold no events yet; true: it may */
  readonly resume: boolean;
  /** true: a journal that holds less than the other files say is continued, and these files are kept aside */
  readonly repair?: boolean;
  /** limits of the configuration that hold no more where they have stopped the run; left out: none */
  readonly lifts?: readonly (keyof BudgetLimits)[];
  /** what the user types to resume, quoted in the message of every stop */
  readonly resumeCommand: ResumeCommand;
  readonly argv: readonly string[];
  /** why the backend is this one, where that was left to `auto`; null: it was asked for, or recorded */
  readonly backendWhy?: string | null;
  readonly signal?: AbortSignal | undefined;
  /** called after every event */
  readonly onProgress?: (progress: RunProgress) => void;
  /** a policy that an iteration of this session kept, with the episode that represents it */
  readonly onKept?: ((kept: KeptPolicy) => void) | undefined;
  /** ms since 1970, of a clock that nobody sets meanwhile */
  readonly now?: () => number;
  /** true: other processes of the user can pause and stop the run, and change its budget */
  readonly steerable?: boolean;
}

/**
 * Refuses to resume with another device, model, environment or method than the journal was written with: the results would be a
 * mixture.
 */
function checkSameMeans(
  { env, method, backend, models, driver }: OpenUnits,
  { folder, onNotice }: RunOptions,
  totals: RunTotals,
): void {
  const refuse = (what: string, before: string, now: string, option: string): never => {
    throw new UsageError(
      '--resume',
      `expected the ${what} of the earlier part, "${before}", got "${now}"; add ${option}${before}, or start a new run`,
    );
  };
  const changed = totals.sessions > 0 ? changedSource(requireRun(folder), env, method) : null;
  if (changed !== null) {
    const remedy = 'restore the source, or start a new run';
    throw new UsageError('--resume', `expected the code of the earlier part, but ${changed}; ${remedy}`);
  }
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
  if (totals.sessions > 0 && totals.prompts !== driver.promptVersion) {
    const before = totals.prompts === null ? 'an older version' : `version ${totals.prompts}`;
    onNotice?.(
      `the earlier part of this run was asked with ${before} of the prompts, now it is version ${driver.promptVersion}`,
    );
  }
}

/**
 * Compares the journal with the other files, and returns how to open it. Throws a usage error for a journal that holds less,
 * or, to repair it, says what was lost and keeps the old files before anything is changed.
 */
async function opening(units: OpenUnits, options: RunOptions): Promise<OpenOptions> {
  const { folder, onNotice } = options;
  const compared = compareJournal(folder);
  const { reader, missing, log } = compared;
  if (missing.length === 0) return { reader };
  if (!options.repair) throw refusalOf(folder, compared);
  // Before anything is set aside: the rest of a branch does not follow from a record that ends before it begins.
  sharedParts(units, log.events, requireRun(folder));
  const { answered, rows } = totalsOf(log.events);
  const whole = Math.max(
    answered.calls + compared.lostCalls,
    (await units.driver.estimate(units, units.backend)).calls,
  );
  const onLocked = (): void => {
    const kept = keepBeforeRepair(folder, Date.now());
    onNotice?.(
      `${missing.join('; ')}; the old files are in "${kept}"; continuing after ${counted(rows.length, 'iteration')}: about ` +
        `${counted(whole - answered.calls, 'model call')}, of which ${compared.lostCalls} had been made`,
    );
  };
  return { reader, onLocked };
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

/** Why this process has the folder no more, of which whatever else failed is a consequence; null: it has it. */
function lossOf(journal: Journal): LostLockError | null {
  try {
    journal.check();
    return null;
  } catch (error) {
    if (error instanceof LostLockError) return error;
    if (error instanceof R2poError) return null;
    throw error;
  }
}

/**
 * Records the stop, unless another process writes the journal by now. If that fails too, the first failure is the one to
 * report; the journal is complete anyway.
 */
async function recordStop(session: RunSession, error: unknown, onNotice: RunOptions['onNotice']): Promise<void> {
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

/** What is thrown to the user: the same failure, with the command to resume. */
function withResumeHint(error: R2poError, command: ResumeCommand): R2poError {
  if (error.exitCode === exitCodes.usage || error instanceof LostLockError) return error;
  const { unit, detail, exitCode } = error;
  if (error instanceof BrokenReturnError) {
    // Resumed, it would play the same episode again.
    const advice = 'start a new run, with parameters.low and parameters.high closer to 0';
    return new R2poError(unit, `${detail}; ${advice}`, { exitCode, cause: error });
  }
  const exhausted = error instanceof BudgetError ? error.exhausted : null;
  return new R2poError(unit, `${detail}; resume with: ${command(exhausted)}`, { exitCode, cause: error });
}

/**
 * Runs to the end and returns the summary; a finished run only gets its files back. Everything that was done before is
 * taken from the journal.
 *
 * Throws what stopped it (a model that cannot be used, a budget, an interruption, a failed device, a full disk) after
 * recording it, with the command to resume in the message; a usage error when the journal is damaged, in use, holds less than
 * the other files say, or was written with another configuration, device or model.
 */
export async function executeRun(units: OpenUnits, options: RunOptions): Promise<RunSummary> {
  const { folder, resume, log, onCall, onNotice, now = () => performance.now() } = options;
  refuseImported(folder, requireRun(folder), '--resume');
  const how = await opening(units, options);
  const stale = await watchLock(folder, options);
  const journal = Journal.open(folder, options.now, { ...how, stale });
  let session: RunSession | null = null;
  try {
    const { events, torn } = journal.log;
    if (torn !== null) onNotice?.(torn);
    if (!resume && events.length > 0) {
      throw new UsageError('run folder', `expected no events in "${folder}", got ${events.length}; use --resume`);
    }
    const files = new RunFiles(folder, units.config, units.policy);
    const trajectories = new TrajectoryFiles(folder, { keepsAll: journal.log.format === 1 });
    const running = new RunSession(units, options, journal, files);
    session = running;
    const { signal } = running;
    checkSameMeans(units, options, running.totals);
    const shared = sharedParts(units, events, requireRun(folder));
    /** when the files were written last, ms */
    let saved = Number.NEGATIVE_INFINITY;
    try {
      await units.driver.run({
        units,
        ...(shared.length > 0 && { shared }),
        steps: running.steps,
        length: running.length,
        folder,
        signal,
        log,
        onCall,
        onNotice,
        checkBudget: (pending) => running.checkBudget(pending),
        failed: running.failed,
        withinTime: (waiting) => running.withinTime(waiting),
        onIteration: async ({ iteration, trial }, trace) => {
          if (trace && trial) trajectories.add(iteration, trial.mean, trace);
          // Not before: which of the journal's iterations are kept is known at its end.
          if (!running.hasBegun) return;
          if (trace && trial) options.onKept?.({ iteration, mean: trial.mean, trace });
          if (now() - saved < 1000 * units.driver.saveIntervalSeconds) return;
          saved = now();
          await trajectories.save();
          await running.saveMeanwhile();
        },
      });
      await trajectories.save();
      return await running.finish();
    } catch (thrown) {
      const stopped = signal?.aborted && comesFromSignal(thrown, signal) ? interruption(signal) : thrown;
      const error = lossOf(journal) ?? userFault(stopped) ?? stopped;
      if (running.hasBegun) await recordStop(running, error, onNotice);
      throw error instanceof R2poError ? withResumeHint(error, options.resumeCommand) : error;
    }
  } finally {
    session?.close();
    journal.close();
  }
}

/**
 * The summary of a finished run, from its journal alone; its files are written anew. Lost trajectories are played again with
 * `withBackend`; where that fails, `onNotice` says so. Throws a usage error, and changes nothing, when the journal holds
 * less than the files say.
 */
export async function restoreSummary(
  folder: string,
  units: RunUnits,
  withBackend: WithBackend,
  onNotice?: RunOptions['onNotice'],
): Promise<RunSummary> {
  const compared = compareJournal(folder);
  if (compared.missing.length > 0) throw refusalOf(folder, compared);
  const journal = Journal.open(folder, undefined, { reader: compared.reader, stale: await watchLock(folder) });
  try {
    const { log } = journal;
    const summary = await new RunFiles(folder, units.config, units.policy).write(totalsOf(log.events), journal.end);
    try {
      await restoreTrajectories(folder, log, units, withBackend);
    } catch (error) {
      if (!(error instanceof R2poError)) throw error;
      onNotice?.(`trajectories of "${folder}" are missing, and cannot be played again: ${error.detail}`);
    }
    return summary;
  } finally {
    journal.close();
  }
}
