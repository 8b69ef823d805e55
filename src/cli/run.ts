/** `r2po run`: one search run, from a configuration to a run folder. */
import { type Command, Option } from 'commander';
import { stringify } from 'yaml';
import { UsageError } from '../base/errors.ts';
import { earlierDefaults } from '../config/earlier.ts';
import { openConfig, resolveConfig } from '../config/resolve.ts';
import type { Config } from '../config/schema.ts';
import { progressLine } from '../report/progress.ts';
import { modelLabel, runRows } from '../report/tables/run-table.ts';
import type { BackendChoice } from '../rollout/backend.ts';
import { openBackend } from '../rollout/node/open.ts';
import {
  createRunFolder,
  type FoundRun,
  findRunToResume,
  type RunPlace,
  readRunConfig,
  requireRun,
} from '../runs/folder/folder.ts';
import { type Manifest, usedBackend, usedModels } from '../runs/folder/manifest.ts';
import type { RunSummary } from '../runs/folder/summary.ts';
import { withListPrices } from '../runs/models/cost.ts';
import type { RunModels } from '../runs/models/models.ts';
import { type RunUnits, resolveUnits } from '../runs/resolve-units.ts';
import { executeRun, restoreSummary } from '../runs/run.ts';
import type { RunProgress } from '../runs/session/progress.ts';
import { listenForInterrupts } from './interrupt.ts';
import type { Io } from './io.ts';
import { addOutputOptions, backendOption, countOption, positiveNumber, quotedCommand, seedOption } from './options.ts';
import { watchCalls } from './waiting.ts';

interface Options {
  readonly env?: string;
  readonly seed?: number;
  readonly backend?: BackendChoice;
  readonly model?: string;
  readonly runsDir: string;
  readonly name?: string;
  readonly resume?: boolean;
  readonly maxCalls?: number;
  readonly maxTokens?: number;
  readonly maxTime?: number;
  readonly maxCost?: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function define(command: Command, io: Io): void {
  command
    .description('Searches for a policy with a language model, and keeps a record that can be resumed and replayed.')
    .argument('<config>', 'configuration file, or the name of a shipped one: cartpole/r2po')
    .argument('[overrides...]', 'dotted keys with YAML values: evaluation.episodes=4096')
    .option('--env <id>', 'another environment than the configuration names, or the path of a module that defines one')
    .addOption(seedOption('seed of the run'))
    .addOption(backendOption())
    .option('--model <name>', 'what answers the prompts, see "r2po list models"')
    .option('--runs-dir <dir>', 'where run folders are made', 'runs')
    .option('--name <name>', 'name of the run folder; made from the configuration when left out')
    .option('--resume', 'go on with the newest unfinished run of this configuration, or with the one of --name')
    .addOption(countOption('--max-calls', 'stop, resumable, after this many model calls', Number.MAX_SAFE_INTEGER))
    .addOption(countOption('--max-tokens', 'stop, resumable, after this many tokens', Number.MAX_SAFE_INTEGER))
    .addOption(
      new Option(
        '--max-cost <usd>',
        'stop, resumable, at this cost; needs a price, known or in the configuration',
      ).argParser(positiveNumber('--max-cost', 'USD')),
    )
    .option('--dry-run', 'say what the run would take, and do nothing')
    .addOption(
      new Option('--max-time <s>', 'stop, resumable, after this many seconds').argParser(
        positiveNumber('--max-time', 'seconds'),
      ),
    );
  addOutputOptions(command, io).action(async (config: string, overrides: string[], options: Options) =>
    run(config, overrides, options, io),
  );
}

async function run(configName: string, overrides: readonly string[], options: Options, io: Io): Promise<void> {
  const { config: asked } = await resolveConfig(configName, overrides, options);
  if (options.dryRun) {
    const { showEstimate } = await import('./run-estimate.ts');
    await showEstimate(resolveUnits(await withListPrices(asked)), options.json === true, io);
    return;
  }
  const place = { runsDir: options.runsDir, name: options.name ?? null };
  const earlier = options.resume ? await resumed(place, asked, await asEarlier(configName, overrides, options)) : null;
  const units = resolveUnits(earlier?.config ?? (await withListPrices(asked)));
  const manifest = earlier === null ? null : requireRun(earlier.folder);
  if (earlier !== null && manifest?.status === 'finished') {
    io.note(`${earlier.folder} is finished; this is what it found`);
    report(earlier.folder, await restoreSummary(earlier.folder, earlier.config, units.policy), options, io);
    return;
  }
  await play({ units, place, folder: earlier?.folder ?? null, manifest }, options, io);
}

interface Prepared {
  readonly units: RunUnits;
  readonly place: RunPlace;
  /** of the run to go on with; null: a new one */
  readonly folder: string | null;
  readonly manifest: Manifest | null;
}

async function play({ units, place, folder: earlier, manifest }: Prepared, options: Options, io: Io): Promise<void> {
  const interruption = listenForInterrupts(io, 'the run');
  const note = (text: string) => io.note(text);
  try {
    const backend = await openBackend(usedBackend(manifest) ?? units.config.evaluation.backend, note);
    try {
      const unsupported = backend.supports(units.env, units.policy);
      if (unsupported !== null) throw new UsageError('evaluation.backend', unsupported);
      const { opener } = await import('../runs/models/models.ts');
      const models = await units.driver.openModels(units, opener(units.config, note), usedModels(manifest));
      for (const line of modelLines(models)) io.note(line);
      await warnOfContexts(units, models, io);
      const argv = process.argv.slice(2);
      // Only now `auto` has a name.
      const config = earlier === null ? await withListPrices(units.config, answering(models)) : units.config;
      const folder = earlier ?? createRunFolder(place, { config, yaml: stringify(config), argv, now: Date.now() });
      io.note(`run folder: ${folder}`);
      const shown = statusOf(io);
      try {
        const open = { ...units, config, backend, models };
        const summary = await executeRun(open, {
          folder,
          resume: earlier !== null,
          resumeCommand: resumeCommand(argv),
          argv,
          signal: interruption.signal,
          onProgress: shown.onProgress,
          onCall: shown.onCall,
          onNotice: (text) => io.warn(text),
          log: note,
        });
        io.status(null);
        const { writeRunFigure } = await import('../report/curves/run-chart.ts');
        io.note(`figure: ${await writeRunFigure(folder, summary)}`);
        report(folder, summary, options, io);
      } finally {
        shown.dispose();
      }
    } finally {
      await backend.close();
    }
  } finally {
    interruption.dispose();
  }
}

/** The run to go on with, at the prices that it was begun with where the configuration names none. */
async function resumed(place: RunPlace, asked: Config, asEarlier: Config): Promise<FoundRun> {
  const { folder, config } = await findRunToResume(place, asked, asEarlier);
  const frozen = { ...config, prices: { ...(await readRunConfig(folder)).prices, ...config.prices } };
  return { folder, config: config.budget.max_cost_usd === null ? frozen : await withListPrices(frozen) };
}

/** Names of all models that may answer. */
function answering({ search, critic }: RunModels): string[] {
  return [...new Set([...search.models, ...critic.models].map(({ id }) => id))];
}

/** Warns before the first call of prompts that will outgrow the context; looks only where a language model answers. */
async function warnOfContexts(units: RunUnits, models: RunModels, io: Io): Promise<void> {
  if (models.search.first.kind !== 'model' && models.critic.first.kind !== 'model') return;
  const { estimateOf } = await import('./run-estimate.ts');
  const { contextsOf, outgrown } = await import('../runs/models/context.ts');
  const contexts = await contextsOf(models, units.config);
  if (contexts.every(({ tokens }) => tokens === null)) return;
  for (const warning of outgrown(contexts, await estimateOf(units))) io.warn(warning);
}

/** The configuration as an earlier version would have meant it. */
async function asEarlier(configName: string, overrides: readonly string[], options: Options): Promise<Config> {
  const file = await openConfig(configName, earlierDefaults);
  return (await file.resolve(overrides, options)).config;
}

/** What answers: one line, or one for each purpose, and what answers when it cannot be used. */
function modelLines({ search, critic }: RunModels): string[] {
  const label = ({ first, models }: RunModels['search']): string => {
    const others = models.slice(1).map(({ id }) => id);
    return `${modelLabel(first.id, first.kind)}${others.length === 0 ? '' : `, else ${others.join(', ')}`}`;
  };
  if (search.first.id === critic.first.id) return [`model: ${label(search)}`];
  return [`model of the search: ${label(search)}`, `model of the critic: ${label(critic)}`];
}

/** What the user types to go on. */
function resumeCommand(argv: readonly string[]): string {
  return quotedCommand([...argv.filter((arg) => arg !== '--resume'), '--resume']);
}

/** On a terminal a line of the run and one of the call under way, else a line per iteration and per long wait. */
function statusOf(io: Io) {
  let progress: RunProgress | null = null;
  const draw = (): void => {
    const lines = [progress && progressLine(progress), waiting.line()].filter((line) => line !== null);
    io.status(lines.length === 0 ? null : lines.join('\n'));
  };
  const waiting = watchCalls(io, draw);
  return {
    onProgress(next: RunProgress): void {
      progress = next;
      if (next.event === null) io.note(`resumed after ${next.totals.rows.length} of ${next.iterations} iterations`);
      if (io.live) draw();
      else if (next.event?.type === 'iteration') io.note(progressLine(next));
    },
    onCall: waiting.onCall,
    dispose: waiting.dispose,
  };
}

function report(folder: string, summary: RunSummary, options: Options, io: Io): void {
  if (options.json) {
    io.printJson(summary);
    return;
  }
  const columns = [{ title: `${summary.env} ${summary.method}` }, { title: `seed ${summary.seed}` }];
  io.print(io.table({ columns, rows: runRows(summary) }));
  io.print(`\nrun folder: ${folder}`);
}
