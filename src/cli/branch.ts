/** `r2po branch`: goes on from an iteration of a run with other settings, and compares with how the run itself went on. */
import type { Command } from 'commander';
import { significant } from '../base/plain-number.ts';
import type { BranchEffect } from '../runs/branch/effect.ts';
import type { Branch, Parent } from '../runs/branch/make-branch.ts';
import { usedBackend } from '../runs/folder/manifest.ts';
import type { RunResult } from '../sweep/local.ts';
import { withBackend } from './backend.ts';
import { withInterrupts } from './interrupt.ts';
import type { Io } from './io.ts';
import {
  adapterOption,
  addOutputOptions,
  countOption,
  jobsOf,
  jobsOption,
  maxCostOption,
  resumeCommandOf,
  secondsOption,
  seedOption,
  trustEnvOption,
  trustMethodOption,
  wholeNumber,
} from './options.ts';
import { againOf, notFinished, showState } from './run-many.ts';

interface Options {
  readonly at: number;
  readonly repeat: number;
  readonly seed?: number;
  readonly model?: string;
  readonly adapter?: string;
  readonly runsDir: string;
  readonly name?: string;
  readonly jobs?: number;
  readonly maxCalls?: number;
  readonly maxTokens?: number;
  readonly maxTime?: number;
  readonly maxCost?: number;
  readonly maxEpisodes?: number;
  readonly json?: boolean;
}

const maxRepeat = 10_000;

export function define(command: Command, io: Io): void {
  const at = command
    .createOption('--at <n>', 'the last iteration that the branch shares with the run')
    .argParser(wholeNumber('--at', 0, Number.MAX_SAFE_INTEGER))
    .makeOptionMandatory();
  command
    .description(
      'Makes a run that begins with the record of another one up to an iteration and goes on with other settings: model, ' +
        'prompts, thresholds, seed. Then it compares the best policies of both continuations on the same fresh episodes. ' +
        'The same command again resumes unfinished branches.',
    )
    .argument('<run>', 'run folder; it is only read')
    .argument('[overrides...]', 'dotted keys with YAML values: critic.conservative_threshold=400')
    .addOption(at)
    .addOption(
      countOption(
        '--repeat',
        'branches with the seeds s, s + 1, ..., where s is that of the run or of --seed',
        maxRepeat,
      ).default(1),
    )
    .addOption(seedOption('seed of the iterations of the branch (default: that of the run)'))
    .option('--model <name>', 'model that answers the prompts of the branch (default: that of the run)')
    .addOption(adapterOption())
    .option('--runs-dir <dir>', 'folder for run folders', 'runs')
    .option('--name <name>', 'name of the run folder, with -1, -2, ... for several (default: derived from the run)')
    .addOption(trustEnvOption())
    .addOption(trustMethodOption())
    .addOption(jobsOption())
    .addOption(countOption('--max-calls', 'stop after this many model calls, shared ones included'))
    .addOption(countOption('--max-tokens', 'stop after this many tokens, shared ones included'))
    .addOption(maxCostOption())
    .addOption(countOption('--max-episodes', 'stop after this many episodes, shared ones included'))
    .addOption(secondsOption('--max-time', 'stop after this many seconds, those of the shared iterations included'));
  addOutputOptions(command, io).action(async (run: string, overrides: string[], options: Options) =>
    branch(run, overrides, options, io),
  );
}

async function branch(folder: string, overrides: readonly string[], options: Options, io: Io): Promise<void> {
  const { planBranches } = await import('../runs/branch/make-branch.ts');
  const { at: iteration, repeat, name = null, seed, model } = options;
  const { maxCalls, maxTokens, maxTime, maxCost, maxEpisodes } = options;
  const flags = { seed, model, maxCalls, maxTokens, maxTime, maxCost, maxEpisodes };
  const { parent, branches } = await planBranches({
    ...{ folder, iteration, repeat, name, overrides, flags },
    now: Date.now(),
  });
  const argv = process.argv.slice(2);
  await withInterrupts(io, 'the branches', async (signal) => {
    const { sweepHere } = await import('../sweep/local.ts');
    const { results } = await sweepHere({
      runs: branches,
      runsDir: options.runsDir,
      jobs: jobsOf(options.jobs),
      failFast: false,
      adapter: options.adapter ?? null,
      ...{ argv, command: resumeCommandOf(argv), signal },
      note: (text) => io.note(text),
      onState: (state) => showState(state, io),
    });
    io.status(null);
    const effect = await effectOf({ parent, branches, results }, options, io, signal);
    show({ folder, iteration, results, effect }, options, io);
    if (signal.aborted) throw signal.reason;
    const open = results.filter(({ outcome }) => outcome !== 'finished');
    const [only] = results;
    if (open.length > 0 && results.length === 1 && only?.error) throw only.error;
    if (open.length > 0) throw notFinished(open, results.length, againOf(argv, open));
  });
}

interface Done {
  readonly parent: Parent;
  readonly branches: readonly Branch[];
  readonly results: readonly RunResult[];
}

/** The effect, or why there is none. */
type Effect = { readonly effect: BranchEffect; readonly folders: readonly string[] } | { readonly reason: string };

async function effectOf(
  { parent, branches, results }: Done,
  options: Options,
  io: Io,
  signal: AbortSignal,
): Promise<Effect> {
  const folders = results.flatMap(({ outcome, folder }) => (outcome === 'finished' && folder !== null ? [folder] : []));
  if (signal.aborted) return { reason: 'the command was interrupted' };
  if (folders.length === 0) return { reason: 'no branch is finished' };
  const { branchEffect } = await import('../runs/branch/effect.ts');
  const { readRun } = await import('../runs/folder/read-run.ts');
  const { resolveUnits } = await import('../runs/resolve-units.ts');
  const { config } = branches[0]!;
  const continuations = folders.map((folder) => ({ folder, events: readRun(folder).events().events }));
  const choice = usedBackend(readRun(folders[0]!).manifest) ?? config.evaluation.backend;
  const effect = await withBackend(choice, options.adapter, { ...io, note: () => {} }, (backend) =>
    branchEffect({
      units: resolveUnits(config),
      backend,
      parent: { ...parent, seed: parent.units.config.seed },
      branches: continuations,
      iteration: options.at,
      episodes: config.recheck.episodes,
      signal,
    }),
  );
  return effect === null ? { reason: `the run has no iteration behind ${options.at} yet` } : { effect, folders };
}

interface Shown {
  readonly folder: string;
  readonly iteration: number;
  readonly results: readonly RunResult[];
  readonly effect: Effect;
}

function show(shown: Shown, options: Options, io: Io): void {
  if (options.json) io.printJson(documentOf(shown));
  else print(shown, io);
}

function documentOf({ folder, iteration, results, effect: found }: Shown) {
  const effect = 'effect' in found ? found.effect : null;
  const of = (path: string | null) =>
    'folders' in found && path !== null ? found.effect.branches[found.folders.indexOf(path)] : undefined;
  return {
    run: folder,
    iteration,
    compared: effect && { iterations: effect.iterations, episodes: effect.episodes, seed: effect.seed },
    best: effect?.parent ?? null,
    branches: results.map(({ run, folder: path, outcome, already, error }) => ({
      folder: path,
      seed: run.config.seed,
      outcome,
      already,
      best: of(path)?.best ?? null,
      difference: of(path)?.test?.difference ?? null,
      ci95: of(path)?.test?.ci95 ?? null,
      p: of(path)?.test?.p ?? null,
      ...(error && { error: error.detail, exit_code: error.exitCode }),
    })),
    effect: effect?.effect ?? null,
    reason: 'reason' in found ? found.reason : null,
  };
}

const number = (value: number | undefined): string => (value === undefined ? '-' : significant(value, 6));

function interval(ci95: readonly [number, number] | null | undefined): string {
  return ci95 ? `${significant(ci95[0], 6)} ... ${significant(ci95[1], 6)}` : '-';
}

function print({ folder, iteration, results, effect: found }: Shown, io: Io): void {
  for (const { folder: path, outcome, already } of results) {
    io.print(`${path ?? 'no folder'}: ${outcome}${already ? ' before' : ''}`);
  }
  if ('reason' in found) {
    io.note(`not compared with "${folder}": ${found.reason}`);
    return;
  }
  const { iterations, episodes, parent, branches, effect } = found.effect;
  const rows = [
    [folder, '-', number(parent?.mean), '-', '-', '-'],
    ...branches.map(({ best, test }, i) => {
      const seed = results.find((result) => result.folder === found.folders[i])?.run.config.seed;
      const cells = [number(best?.mean), number(test?.difference), interval(test?.ci95), number(test?.p)];
      return [found.folders[i]!, String(seed), ...cells];
    }),
  ];
  const titles = ['run', 'seed', 'mean return', 'difference', '95 % interval', 'p'];
  io.print('');
  io.print(
    io.titledTable({
      title: `Best policies of the iterations ${iterations[0]} ... ${iterations[1]}, on ${episodes} common fresh episodes`,
      note: '',
      columns: titles.map((title) => ({ title })),
      rows,
    }),
  );
  if (effect === null) return;
  const { difference, ci95, n, over } = effect;
  const spread = ci95 === null ? 'which do not vary' : 'whose spread gives the interval';
  const what = over === 'branches' ? `mean of ${n} branches, ${spread}` : `${n} paired episodes`;
  const range = ci95 === null ? 'no interval' : `95 % interval ${interval(ci95)}`;
  io.print(
    io.wrapped(
      `\nEffect of the branch at iteration ${iteration}: ${significant(difference, 6)} (${range}; ${what}). ` +
        'The run is one continuation of its own settings.',
    ),
  );
}
