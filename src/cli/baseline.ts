/** `r2po baseline`: a training with Stable-Baselines3 as a run, evaluated and reported like any other. */

import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { quotedCommand } from '../base/command-line.ts';
import { UsageError } from '../base/errors.ts';
import { significant } from '../base/plain-number.ts';
import { algorithms } from '../baselines/algorithms.ts';
import { workOfTraining } from '../baselines/expected-work.ts';
import { installedPython, installPlan, namedPython, openPython, planLines } from '../baselines/python-environment.ts';
import { createBaselineFolder, findBaseline, isBaseline, openBaseline } from '../baselines/run-folder.ts';
import { type BaselineConfig, resolveBaseline, usesMujoco } from '../baselines/settings.ts';
import { type BaselineProgress, executeBaseline } from '../baselines/training-run.ts';
import { shippedConfigs } from '../config/shipped.ts';
import { progressLine, shortCount } from '../report/progress.ts';
import type { Backend, BackendChoice } from '../rollout/backend.ts';
import { readManifest, usedBackend } from '../runs/folder/manifest.ts';
import { withBackend } from './backend.ts';
import { withInterrupts } from './interrupt.ts';
import type { Io } from './io.ts';
import { adapterOption, addOutputOptions, backendOption, helpList, refuseBeside, seedOption } from './options.ts';
import { loggedIterations } from './progress.ts';
import { printRun, printStopped } from './show-run.ts';

interface Options {
  readonly seed?: number;
  readonly python?: string;
  readonly backend?: BackendChoice;
  readonly adapter?: string;
  readonly runsDir: string;
  readonly name?: string;
  readonly resume?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function define(command: Command, io: Io): void {
  command
    .description(
      'Trains a policy with Stable-Baselines3 in a Python environment of its own, which is installed when it is missing. ' +
        'The training is recorded as a run: evaluated by r2po during the training, re-checked, resumed and reported.',
    )
    .argument(
      '<training>',
      '<environment>/<algorithm>, such as cartpole/ppo or cartpole/zoo/ppo, or with --resume a run folder',
    )
    .argument(
      '[overrides...]',
      'settings with YAML values: settings=zoo episodes=1000 hyperparameters.learning_rate=0.001',
    )
    .addOption(seedOption('seed of the run'))
    .option('--python <path>', 'Python that has the packages, instead of an environment of its own (or R2PO_PYTHON)')
    .addOption(backendOption())
    .addOption(adapterOption())
    .option('--runs-dir <dir>', 'folder for run folders', 'runs')
    .option('--name <name>', 'name of the run folder (default: derived from the settings)')
    .option('--resume', 'resume the latest unfinished training with these settings, or that of --name')
    .option('--dry-run', 'print what would be installed and trained, and exit')
    .addHelpText('after', helpList('Algorithms', algorithms));
  addOutputOptions(command, io).action(async (name: string, overrides: string[], options: Options, self: Command) =>
    baseline(name, overrides, options, self, io),
  );
}

interface Asked {
  readonly config: BaselineConfig;
  /** of the training to resume; null: a new one */
  readonly folder: string | null;
}

async function baseline(
  name: string,
  overrides: readonly string[],
  options: Options,
  command: Command,
  io: Io,
): Promise<void> {
  const { config, folder } = await askedFor(name, overrides, options, command);
  if (options.dryRun) return showPlan(config, options, io);
  await withInterrupts(io, 'the training', async (signal) => {
    const note = (text: string) => io.note(text);
    const python = await openPython({ python: options.python, note, mujoco: usesMujoco(config), signal });
    const manifest = folder === null ? null : readManifest(folder);
    const choice = usedBackend(manifest) ?? config.evaluation.backend;
    const train = async (backend: Backend, backendWhy: string | null): Promise<void> => {
      const argv = process.argv.slice(2);
      const place = { runsDir: options.runsDir, name: options.name ?? null };
      const target = folder ?? createBaselineFolder(place, config, argv, Date.now());
      io.note(`run folder: ${target}`);
      io.note(`hyperparameters: ${config.sb3.source}`);
      const resumeCommand = quotedCommand(['baseline', target, '--resume', ...pythonArguments(options)]);
      const onNotice = (text: string) => io.warn(text);
      const onProgress = statusOf(io);
      const run = { folder: target, python, backend, backendWhy, argv, resumeCommand, signal, onNotice, onProgress };
      const summary = await executeBaseline(run)
        .catch((error: unknown) => {
          printStopped(target, error, options, io);
          throw error;
        })
        .finally(() => io.status(null));
      const { writeRunFigure } = await import('../report/curves/run-chart.ts');
      io.note(`figure: ${await writeRunFigure(target, summary)}`);
      printRun(target, summary, options, io);
    };
    await withBackend(choice, options.adapter, io, train, workOfTraining(config));
  });
}

const pythonArguments = ({ python }: Options): string[] => (python === undefined ? [] : ['--python', python]);

async function askedFor(
  name: string,
  overrides: readonly string[],
  options: Options,
  command: Command,
): Promise<Asked> {
  if (existsSync(name) && isBaseline(readManifest(name))) {
    if (!options.resume) {
      throw new UsageError(
        'baseline',
        `expected <environment>/<algorithm>, got the run folder "${name}"; add --resume to resume it`,
      );
    }
    if (options.name !== undefined) {
      throw new UsageError('--name', `expected it without a run folder, got both "${options.name}" and "${name}"`);
    }
    refuseBeside(command, 'a run folder', (flag) => ['--backend', '--runs-dir'].includes(flag));
    const given = [...overrides, ...(options.seed === undefined ? [] : [`--seed ${options.seed}`])];
    if (given.length > 0) {
      throw new UsageError(
        '--resume',
        `expected no settings with a run folder, which has its own, got ${given.join(' ')}; leave them out`,
      );
    }
    const { folder, config } = openBaseline(name);
    return { folder, config };
  }
  refuseRunOfSearch(name);
  refuseSearch(name);
  const backend = options.backend === undefined ? [] : [`evaluation.backend=${options.backend}`];
  const config = await resolveBaseline(name, [...overrides, ...backend], options.seed);
  if (!options.resume) return { config, folder: null };
  const { folder } = findBaseline({ runsDir: options.runsDir, name: options.name ?? null }, config);
  return { config, folder };
}

/** A run folder that is no training is no name of one either. */
function refuseRunOfSearch(name: string): void {
  const manifest = existsSync(name) ? readManifest(name) : null;
  if (manifest === null) return;
  const made = manifest.imported ? 'of an import, which nothing continues' : 'of a search';
  const remedy = manifest.imported
    ? 'see "r2po report"'
    : `resume it with: ${quotedCommand(['run', name, '--resume'])}`;
  throw new UsageError(
    'baseline',
    `expected <environment>/<algorithm>, got "${name}", the run folder ${made}; ${remedy}`,
  );
}

/** Throws a usage error with the command for a name that only a search has. */
function refuseSearch(name: string): void {
  const method = name.split('/')[1];
  if (!shippedConfigs().includes(name) || algorithms.some(({ id }) => id === method)) return;
  throw new UsageError(
    'baseline',
    `expected a training, got "${name}", a search; use: ${quotedCommand(['run', name])}`,
  );
}

async function showPlan(config: BaselineConfig, options: Options, io: Io): Promise<void> {
  const mujoco = usesMujoco(config);
  // A named one is checked as it would be for the training.
  const isNamed = namedPython(options) !== null;
  const known = isNamed ? await openPython({ ...options, note: (text) => io.note(text), mujoco }) : installedPython();
  const plan = known === null ? await installPlan({ ...options, note: () => {}, mujoco }) : null;
  if (options.json) {
    io.printJson({ config, python: known, install: plan });
    return;
  }
  io.print(known === null ? `would install:\n${planLines(plan!).join('\n')}` : `Python: ${known}`);
  io.print(`\nwould train:\n${stringify(config).trimEnd()}`);
}

/** One line with the evaluations and, between them, the news of the training. */
function statusOf(io: Io): (progress: BaselineProgress) => void {
  const isLogged = loggedIterations();
  return ({ event, totals, iterations, etaSeconds, training }) => {
    const line = [
      progressLine({ event, totals, iterations, etaSeconds }),
      ...(training === null || event?.type === 'rechecked' ? [] : [trainingText(training)]),
    ].join(' | ');
    if (io.live) io.status(line);
    else if (event?.type === 'iteration' && isLogged({ event, totals, iterations, etaSeconds })) io.note(line);
  };
}

/** `training: 310 episodes, 52.1k steps, return 212` */
function trainingText({ episodes, steps, training_mean: mean }: NonNullable<BaselineProgress['training']>): string {
  const recent = mean === null ? '' : `, return ${significant(mean, 4)}`;
  return `training: ${shortCount(episodes)} episodes, ${shortCount(steps)} steps${recent}`;
}
