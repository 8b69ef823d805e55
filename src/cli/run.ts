/** `r2po run`: one search run, from a configuration to a run folder. */
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { quotedCommand } from '../base/command-line.ts';
import { UsageError } from '../base/errors.ts';
import { significant } from '../base/plain-number.ts';
import { earlierDefaults } from '../config/earlier.ts';
import { configName as configFileName } from '../config/recorded.ts';
import { openConfig, resolveConfig, statedKeys } from '../config/resolve.ts';
import type { Config } from '../config/schema.ts';
import { figureName } from '../report/curves/run-chart.ts';
import { progressLine } from '../report/progress.ts';
import { modelLabel } from '../report/tables/run-table.ts';
import type { Backend, BackendChoice } from '../rollout/backend.ts';
import { limitKeys } from '../runs/control/limits.ts';
import { workOf } from '../runs/expected-work.ts';
import {
  createRunFolder,
  findRunToResume,
  type RunLocation,
  refuseImported,
  requireRun,
} from '../runs/folder/folder.ts';
import { lostError, lostFiles } from '../runs/folder/lost-files.ts';
import { type Manifest, readManifest, usedBackend, usedModels } from '../runs/folder/manifest.ts';
import { compareJournal } from '../runs/folder/missing.ts';
import type { RunSummary } from '../runs/folder/summary.ts';
import type { IterationRow } from '../runs/journal/iteration-rows.ts';
import type { WithBackend } from '../runs/lost-trajectories.ts';
import { withListPrices } from '../runs/models/cost.ts';
import type { RunModels } from '../runs/models/models.ts';
import { refuseRecordedEndpoints } from '../runs/models/recorded-endpoints.ts';
import { llmUnits, type OpenUnits, type RunUnits, resolveUnits } from '../runs/resolve-units.ts';
import { executeRun, restoreSummary } from '../runs/run.ts';
import type { BudgetLimits, ResumeCommand } from '../runs/session/budget.ts';
import type { RunProgress } from '../runs/session/progress.ts';
import { withBackend } from './backend.ts';
import { withInterrupts } from './interrupt.ts';
import type { Io } from './io.ts';
import {
  adapterOption,
  addOutputOptions,
  backendOption,
  countOption,
  maxCostOption,
  refuseBeside,
  resumeCommandOf,
  secondsOption,
  seedOption,
  trustEnvOption,
  trustMethodOption,
} from './options.ts';
import { loggedIterations } from './progress.ts';
import { printRun, printStopped } from './show-run.ts';
import { watchCalls } from './waiting.ts';
import { openWatch } from './watch.ts';

interface Options {
  readonly env?: string;
  readonly seed?: number;
  readonly backend?: BackendChoice;
  readonly adapter?: string;
  readonly model?: string;
  readonly runsDir: string;
  readonly name?: string;
  readonly resume?: boolean;
  readonly repair?: boolean;
  readonly maxCalls?: number;
  readonly maxTokens?: number;
  readonly maxTime?: number;
  readonly maxCost?: number;
  readonly watch?: boolean;
  readonly maxEpisodes?: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function define(command: Command, io: Io): void {
  command
    .description(
      'Searches for a policy with a language model or an optimiser. The run is recorded: it can be resumed and replayed.',
    )
    .argument(
      '<config>',
      'configuration file, the name of a shipped one (cartpole/r2po), or with --resume a run folder',
    )
    .argument('[overrides...]', 'dotted keys with YAML values: evaluation.episodes=4096')
    .option('--env <id>', 'environment instead of that of the configuration, or the path of an environment module')
    .addOption(seedOption('seed of the run'))
    .addOption(backendOption())
    .addOption(adapterOption())
    .option('--model <name>', 'model that answers the prompts (see "r2po list models")')
    .option('--runs-dir <dir>', 'folder for run folders', 'runs')
    .option('--name <name>', 'name of the run folder (default: derived from the configuration)')
    .addOption(trustEnvOption())
    .addOption(trustMethodOption())
    .option('--resume', 'resume the latest unfinished run of this configuration, or the run of --name')
    .option(
      '--repair',
      'with --resume: resume although events.jsonl holds less than the other files say; these are kept in before-repair-<time>/; ' +
        'a lost run.json or config.yaml is written again',
    )
    .addOption(countOption('--max-calls', 'stop after this many model calls; the run can be resumed'))
    .addOption(countOption('--max-tokens', 'stop after this many tokens; the run can be resumed'))
    .addOption(maxCostOption())
    .addOption(countOption('--max-episodes', 'stop after this many episodes; the run can be resumed'))
    .option('--watch', 'draw an episode of each kept policy in the terminal')
    .option('--dry-run', 'print the estimated cost and exit')
    .addOption(secondsOption('--max-time', 'stop after this many seconds; the run can be resumed'));
  addOutputOptions(command, io).action(async (config: string, overrides: string[], options: Options, self: Command) =>
    run(config, overrides, options, self, io),
  );
}

async function run(
  given: string,
  overrides: readonly string[],
  options: Options,
  command: Command,
  io: Io,
): Promise<void> {
  if (options.repair && !options.resume) {
    throw new UsageError('--repair', 'expected it together with --resume, got it alone; add --resume');
  }
  if (options.watch) requireTerminal(options, io);
  const { config: configName, place, lifts } = namedRun(given, overrides, options, command);
  const resolved = await resolveConfig(configName, overrides, options).catch(async (error: unknown) => {
    await refuseTraining(configName);
    throw error;
  });
  refuseRecordedEndpoints(resolved);
  const { config } = resolved;
  if (options.dryRun) {
    const { showEstimate } = await import('./run-estimate.ts');
    await showEstimate(resolveUnits(await withListPrices(config)), options.json === true, io);
    return;
  }
  const earlier = options.resume
    ? await findRunToResume(
        place,
        config,
        await asEarlier(configName, overrides, options),
        options.repair ? { argv: process.argv.slice(2) } : undefined,
      )
    : null;
  const units = resolveUnits(earlier?.config ?? (await withListPrices(config)));
  const manifest = earlier === null ? null : requireRun(earlier.folder);
  const repaired = earlier !== null && options.repair && compareJournal(earlier.folder).missing.length > 0;
  if (earlier !== null && manifest?.status === 'finished' && !repaired) {
    io.note(`${earlier.folder} is already finished; its result:`);
    const choice = usedBackend(manifest) ?? units.config.evaluation.backend;
    const withOwn: WithBackend = (use) => withBackend(choice, options.adapter, io, use, workOf(units));
    const summary = await restoreSummary(earlier.folder, units, withOwn, (text) => io.warn(text));
    // It is drawn last: a process that was killed there has left none.
    if (!existsSync(join(earlier.folder, figureName))) await draw(earlier.folder, summary, io);
    printRun(earlier.folder, summary, options, io);
    return;
  }
  await play({ units, place, lifts, folder: earlier?.folder ?? null, manifest }, options, io);
}

function requireTerminal({ json }: Options, io: Io): void {
  const got = json ? '--json' : io.quiet ? '--quiet' : io.live ? null : 'a pipe, a file or a terminal of a log';
  if (got !== null) {
    throw new UsageError('--watch', `expected a terminal to draw in, got ${got}; leave --watch out`);
  }
}

interface NamedRun {
  /** configuration file, or the name of a shipped one */
  readonly config: string;
  readonly place: RunLocation;
  /** limits that are lifted where they have stopped the run */
  readonly lifts: readonly (keyof BudgetLimits)[];
}

/** A configuration, or the folder of a run to resume. */
function namedRun(given: string, overrides: readonly string[], options: Options, command: Command): NamedRun {
  const manifest = existsSync(given) ? readManifest(given) : null;
  const lost = lostFiles(given);
  if (manifest === null && lost.length === 0) {
    return { config: given, lifts: [], place: { runsDir: options.runsDir, name: options.name ?? null } };
  }
  const config = join(given, configFileName);
  if (!options.resume) {
    throw new UsageError(
      'run',
      `expected a configuration, got the run folder "${given}"; add --resume to resume it, or start another run with ${config}`,
    );
  }
  // Its configuration is none of a search.
  if (manifest !== null) refuseImported(given, manifest, '--resume');
  if (lost.includes(configFileName)) throw lostError(given, lost);
  if (options.name !== undefined) {
    throw new UsageError('--name', `expected it without a run folder, got both "${options.name}" and "${given}"`);
  }
  refuseBeside(command, 'a run folder', (flag) => flag === '--runs-dir');
  const inside = ['.', '..'].includes(basename(given));
  const place = { runsDir: dirname(inside ? resolve(given) : given), name: basename(resolve(given)) };
  // What is resumed is the run, not the budget that an earlier command gave it.
  const stated = statedKeys(overrides, options);
  return { config, place, lifts: Object.values(limitKeys).filter((key) => !stated.has(`budget.${key}`)) };
}

/** Throws a usage error with the command for a name that only a training has. */
async function refuseTraining(name: string): Promise<void> {
  const { isTraining } = await import('../sweep/trainings.ts');
  if (existsSync(name) || !isTraining(name)) return;
  const command = quotedCommand(['baseline', name]);
  throw new UsageError(
    'config',
    `expected a search, got "${name}", a training with Stable-Baselines3; use: ${command}`,
  );
}

interface Prepared {
  readonly units: RunUnits;
  readonly place: RunLocation;
  readonly lifts: NamedRun['lifts'];
  /** of the run to resume; null: a new run */
  readonly folder: string | null;
  readonly manifest: Manifest | null;
}

async function play(
  { units, place, lifts, folder: earlier, manifest }: Prepared,
  options: Options,
  io: Io,
): Promise<void> {
  const note = (text: string) => io.note(text);
  const choice = usedBackend(manifest) ?? units.config.evaluation.backend;
  const run = async (backend: Backend, backendWhy: string | null, signal: AbortSignal): Promise<void> => {
    const unsupported = backend.supports(units.env, units.policy);
    if (unsupported !== null) throw new UsageError('evaluation.backend', unsupported);
    const { opener } = await import('../runs/models/models.ts');
    const models = await units.driver.openModels(units, opener(note), usedModels(manifest));
    for (const line of modelLines(models)) io.note(line);
    await warnOfContexts(units, models, earlier !== null, io);
    const argv = process.argv.slice(2);
    // `auto` is resolved now.
    const config = earlier === null ? await withListPrices(units.config, answering(models)) : units.config;
    const folder = earlier ?? createRunFolder(place, { config, yaml: stringify(config), argv, now: Date.now() });
    io.note(`run folder: ${folder}`);
    const watch = options.watch ? await openWatch(units.env, () => redraw(), io) : null;
    const { onProgress, onCall, redraw, rows, dispose } = statusOf(io, () => watch?.lines() ?? []);
    const log = { onProgress, onCall, onKept: watch?.onKept, onNotice: (text: string) => io.warn(text), log: note };
    const resumption = {
      resume: earlier !== null,
      lifts,
      repair: options.repair === true,
      resumeCommand: resumeCommand(argv),
    };
    const open = { ...units, config, backend, models } as OpenUnits;
    try {
      const summary = await executeRun(open, {
        ...{ folder, argv, backendWhy, signal, steerable: true },
        ...resumption,
        ...log,
      });
      io.status(null);
      await draw(folder, summary, io, rows());
      const flat = flatNote(summary, units.kind === 'llm-search' ? units.settings.optimum : null);
      if (flat !== null) io.note(flat);
      printRun(folder, summary, options, io);
    } catch (error) {
      printStopped(folder, error, options, io);
      throw error;
    } finally {
      dispose();
      watch?.dispose();
    }
  };
  await withInterrupts(io, 'the run', (signal) =>
    withBackend(choice, options.adapter, io, (backend, why) => run(backend, why, signal), workOf(units)),
  );
}

async function draw(folder: string, summary: RunSummary, io: Io, rows?: Iterable<IterationRow>): Promise<void> {
  const { writeRunFigure } = await import('../report/curves/run-chart.ts');
  io.note(`figure: ${await writeRunFigure(folder, summary, rows)}`);
}

function answering(models: RunModels | null): string[] {
  if (models === null) return [];
  const { search, critic } = models;
  return [...new Set([...search.models, ...critic.models].map(({ id }) => id))];
}

/** Warns, before the first call, about prompts that will exceed the context of a language model. */
async function warnOfContexts(units: RunUnits, models: RunModels | null, begun: boolean, io: Io): Promise<void> {
  if (models === null) return;
  if (models.search.first.kind !== 'model' && models.critic.first.kind !== 'model') return;
  const { estimateOf } = await import('./run-estimate.ts');
  const { contextsOf, outgrown } = await import('../runs/models/context.ts');
  const contexts = await contextsOf(models, llmUnits(units).config);
  if (contexts.every(({ tokens }) => tokens === null)) return;
  for (const warning of outgrown(contexts, await estimateOf(units, contexts), begun)) io.warn(warning);
}

/** The configuration with the defaults of earlier versions. */
async function asEarlier(configName: string, overrides: readonly string[], options: Options): Promise<Config> {
  const file = await openConfig(configName, earlierDefaults);
  return (await file.resolve(overrides, options)).config;
}

/** The model and its fallbacks: one line, or one for each purpose. */
function modelLines(models: RunModels | null): string[] {
  if (models === null) return [];
  const { search, critic } = models;
  const label = ({ first, models }: RunModels['search']): string => {
    const others = models.slice(1).map(({ id }) => id);
    return `${modelLabel(first.id, first.kind)}${others.length === 0 ? '' : `, else ${others.join(', ')}`}`;
  };
  if (search.first.id === critic.first.id) return [`model: ${label(search)}`];
  return [`model of the search: ${label(search)}`, `model of the critic: ${label(critic)}`];
}

function resumeCommand(argv: readonly string[]): ResumeCommand {
  return resumeCommandOf([...argv.filter((arg) => arg !== '--resume' && arg !== '--repair'), '--resume']);
}

/** On a terminal, status lines for the run and the current call; otherwise a line now and then. */
function statusOf(io: Io, picture: () => readonly string[]) {
  let progress: RunProgress | null = null;
  const isLogged = loggedIterations();
  const draw = (): void => {
    const lines = [...picture(), progress && progressLine(progress), waiting.line()].filter((line) => line !== null);
    io.status(lines.length === 0 ? null : lines.join('\n'));
  };
  const waiting = watchCalls(io, draw);
  return {
    onProgress(next: RunProgress): void {
      progress = next;
      if (next.event === null) io.note(`resumed after ${next.totals.rows.length} of ${next.iterations} iterations`);
      if (io.live) draw();
      else if (next.event?.type === 'iteration' && isLogged(next)) io.note(progressLine(next));
    },
    onCall: waiting.onCall,
    /** of the run so far; undefined: nothing was done */
    rows: () => progress?.totals.rows,
    redraw: draw,
    dispose: waiting.dispose,
  };
}

/** Why the offline model found nothing: it learns from returns only. Null: it did, or there was nothing to find. */
function flatNote(
  { model_kind: kind, iterations, mean_reward: mean, best_reward: best }: RunSummary,
  optimum: number | null,
) {
  const isFlat = kind === 'offline' && iterations > 1 && best !== null && mean === best;
  if (!isFlat || (optimum !== null && best >= optimum)) return null;
  return (
    `every iteration kept a mean return of ${significant(best, 5)}: the offline model learns from the returns of trials only, ` +
    'and equal ones tell it nothing. A language model reads the description and the episodes as well'
  );
}
