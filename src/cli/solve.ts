/** `r2po solve`: the exact optimum of an environment with numbered observations and actions. */
import type { Command } from 'commander';
import { UsageError } from '../base/errors.ts';
import { jsonText } from '../base/json.ts';
import { replaceFile } from '../base/node/atomic-file.ts';
import { checkOutputFile, prepareOutputFolder } from '../base/node/output-folder.ts';
import { significant } from '../base/plain-number.ts';
import type { Env, EnvOptions } from '../envs/env.ts';
import { openEnv } from '../envs/node/load.ts';
import { solveTable, unlimitedMean } from '../optimisers/exact/solve.ts';
import { stepTable, type TableModel, tableModel } from '../optimisers/exact/table-model.ts';
import { buildPolicy } from '../policies/index.ts';
import { policyDocument } from '../policies/policy-file.ts';
import { defaultStepCap } from '../rollout/job.ts';
import { maxEpisodeSteps } from '../rollout/job-checks.ts';
import { envOption } from './env-option.ts';
import type { Io } from './io.ts';
import {
  adapterOption,
  addOutputOptions,
  countOption,
  refuseWithout,
  secondsOption,
  trustEnvOption,
} from './options.ts';
import { checkStepCap } from './step-cap.ts';

interface Options {
  readonly envOption: EnvOptions;
  readonly maxSteps?: number;
  readonly maxTime: number;
  readonly out?: string;
  readonly runsDir?: string;
  readonly name?: string;
  readonly adapter?: string;
  readonly json?: boolean;
}

const defaultSeconds = 60;

export function define(command: Command, io: Io): void {
  command
    .description(
      'Computes the best table of actions of an environment under its step limit, the best policy that also knows the ' +
        'time, and the best one without a limit. Nothing is played, unless a run is asked for. Of a random number from ' +
        '[0, 1), results that take less than 1/256 of its values (1/4096 at the start of an episode, 1/64 after another ' +
        'random number) may be missed.',
    )
    .argument('<env>', 'environment with numbered observations and actions, or the path of an environment module')
    .addOption(envOption())
    .addOption(trustEnvOption())
    .addOption(countOption('--max-steps', 'a lower step limit than that of the environment', maxEpisodeSteps))
    .addOption(
      secondsOption('--max-time', 'stop the search for the best table after this many seconds').default(defaultSeconds),
    )
    .option('--out <file>', 'write the best table as a policy file')
    .option('--runs-dir <dir>', 'also play the best table as a run in this folder (with --name: runs)')
    .option('--name <name>', 'also play the best table as a run of this name')
    .addOption(adapterOption());
  addOutputOptions(command, io).action(async (env: string, options: Options, self: Command) => {
    if (options.name === undefined && options.runsDir === undefined) refuseWithout(self, '--name', ['--adapter']);
    await solve(env, options, io);
  });
}

/** Relative to the values, what their different sums and the last sweep may take from them. */
const rounding = 1e-9;

/**
 * A policy that knows the time is at least as good as the best table, whatever the last digits say. So is one without a
 * limit where the difference is one of rounding: with costs of steps it may be worse, as it cannot wait for the end.
 */
function inOrder(table: number, timed: number, free: number | null) {
  const timeDependent = Math.max(table, timed);
  const isRounding = free !== null && Math.abs(timeDependent - free) <= rounding * Math.max(1, Math.abs(timeDependent));
  return { timeDependent, unlimited: isRounding ? Math.max(free, timeDependent) : free };
}

/** Without a limit, more states may be looked at than within it; the value is shown beside the others and not worth minutes. */
const mostUnlimitedStates = 10_000;

/** Mean return of the best policy without a step limit; null: unknown. */
function unlimitedOf(env: Env, model: TableModel, isOver: () => boolean): number | null {
  if (model.isClosed) return unlimitedMean(model, isOver);
  try {
    return unlimitedMean(tableModel(env, Number.POSITIVE_INFINITY, mostUnlimitedStates), isOver);
  } catch (error) {
    if (error instanceof UsageError) return null;
    throw error;
  }
}

async function solve(name: string, options: Options, io: Io): Promise<void> {
  const env = await openEnv(name, options.envOption);
  checkStepCap(env, options.maxSteps);
  const isRun = options.runsDir !== undefined || options.name !== undefined;
  const { out, runsDir = 'runs', name: runName } = options;
  if (out !== undefined) checkOutputFile('--out', out);
  if (runName !== undefined) (await import('../runs/folder/folder.ts')).checkNewFolder({ runsDir, name: runName });
  if (isRun) prepareOutputFolder('--runs-dir', runsDir);
  const { model, limit } = stepTable(env, options.maxSteps ?? defaultStepCap(env) ?? null);
  const end = performance.now() + 1000 * options.maxTime;
  const isOver = (): boolean => performance.now() > end;
  // First: it takes a moment in most environments, and the search for the best table often all the time.
  const found = unlimitedOf(env, model, isOver);
  /** partial tables that were looked at */
  let work = 0;
  const solution = solveTable(model, limit, () => {
    if (isOver()) return true;
    work += 1;
    return false;
  });
  const { params, mean, exact, bound } = solution;
  const { timeDependent, unlimited } = inOrder(mean, solution.timeDependent, found);
  if (out !== undefined) {
    const of = { env: env.module ?? env.id, env_options: env.options };
    replaceFile(out, jsonText(policyDocument(buildPolicy('tabular', env), params, of)), 'durable');
  }
  if (!exact) {
    const gap = significant(bound - mean, 3);
    io.warn(`the search for the best table ended after ${options.maxTime} s: no table is better by more than ${gap}`);
  }
  const run = isRun
    ? await (await import('./solve-run.ts')).recordSolution({ env, limit, work: exact ? null : work }, options, io)
    : null;
  if (options.json) {
    io.printJson({
      ...(run !== null && { run }),
      env: env.id,
      env_options: env.options,
      step_limit: limit,
      stationary: { mean, params, exact, bound },
      time_dependent: { mean: timeDependent },
      unlimited: unlimited === null ? null : { mean: unlimited },
    });
    return;
  }
  const shown = (value: number): string => significant(value, 6);
  const rows = [
    ['step limit', String(limit)],
    ['best table of actions', `${shown(mean)}${exact ? ' (exact)' : ` (best found; at most ${shown(bound)})`}`],
    ['best policy that knows the time', shown(timeDependent)],
    ['best policy without a step limit', unlimited === null ? 'unknown' : shown(unlimited)],
    ['table', params.join(' ')],
  ];
  io.print(io.table({ columns: [{ title: env.id }, { title: 'mean return' }], rows }));
}
