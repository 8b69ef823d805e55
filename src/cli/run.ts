/** `r2po run`: one search run, from a configuration to a run folder. */
import { type Command, Option } from 'commander';
import { UsageError } from '../base/errors.ts';
import { earlierDefaults } from '../config/earlier.ts';
import { openConfig, resolveConfig } from '../config/resolve.ts';
import type { Config } from '../config/schema.ts';
import { createRunFolder, findRunToResume, requireRun } from '../experiment/folder.ts';
import { usedBackend, usedModels } from '../experiment/manifest.ts';
import type { RunModels } from '../experiment/models.ts';
import { type Plan, planRun } from '../experiment/plan.ts';
import { type Progress, restoreSummary, runExperiment } from '../experiment/run.ts';
import type { RunSummary } from '../experiment/summary.ts';
import { progressLine } from '../report/progress.ts';
import { modelLabel, runRows } from '../report/run-table.ts';
import type { BackendChoice } from '../rollout/backend.ts';
import { openCpuBackend } from '../rollout/cpu/backend.ts';
import { openBackend } from '../rollout/open.ts';
import { listenForInterrupts } from './interrupt.ts';
import { formatTable, type Io } from './io.ts';
import { addOutputOptions, backendOption, countOption, positiveNumber, quotedCommand, seedOption } from './options.ts';

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
      new Option('--max-cost <usd>', 'stop, resumable, at this cost; needs a price in the configuration').argParser(
        positiveNumber('--max-cost', 'USD'),
      ),
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
  const { config: asked, yaml } = await resolveConfig(configName, overrides, options);
  if (options.dryRun) {
    await showEstimate(planRun(asked), options, io);
    return;
  }
  const place = { runsDir: options.runsDir, name: options.name ?? null };
  const found = options.resume
    ? await findRunToResume(place, asked, await asEarlier(configName, overrides, options))
    : null;
  const earlier = found?.folder ?? null;
  const config = found?.config ?? asked;
  const plan = planRun(config);
  const manifest = earlier === null ? null : requireRun(earlier);
  if (earlier !== null && manifest?.status === 'finished') {
    io.note(`${earlier} is finished; this is what it found`);
    report(earlier, await restoreSummary(earlier, config, plan.policy), options, io);
    return;
  }
  const interruption = listenForInterrupts(io, 'the run');
  try {
    const note = (text: string) => io.note(text);
    const backend = await openBackend(usedBackend(manifest) ?? config.evaluation.backend, note);
    try {
      const unsupported = backend.supports(plan.env, plan.policy);
      if (unsupported !== null) throw new UsageError('evaluation.backend', unsupported);
      const { opener, openModels } = await import('../experiment/models.ts');
      const models = await openModels(config, plan.method, opener(config, note), usedModels(manifest));
      for (const line of modelLines(models)) io.note(line);
      const argv = process.argv.slice(2);
      const folder = earlier ?? createRunFolder(place, { config, yaml, argv, now: Date.now() });
      io.note(`run folder: ${folder}`);
      const summary = await runExperiment({
        ...plan,
        backend,
        models,
        folder,
        resume: earlier !== null,
        resumeCommand: resumeCommand(argv),
        argv,
        signal: interruption.signal,
        onProgress: (progress) => showProgress(progress, io),
        onNotice: (text) => io.warn(text),
        log: note,
      });
      io.status(null);
      const { writeRunFigure } = await import('../report/run-figure.ts');
      io.note(`figure: ${await writeRunFigure(folder, summary)}`);
      report(folder, summary, options, io);
    } finally {
      await backend.close();
    }
  } finally {
    interruption.dispose();
  }
}

/** The configuration as an earlier version would have meant it. */
async function asEarlier(configName: string, overrides: readonly string[], options: Options): Promise<Config> {
  const file = await openConfig(configName, earlierDefaults);
  return (await file.resolve(overrides, options)).config;
}

/** Counts calls, episodes and tokens, and names the cost where the configuration has a price. */
async function showEstimate(plan: Plan, options: Options, io: Io): Promise<void> {
  const { estimateRun } = await import('../experiment/estimate.ts');
  const backend = openCpuBackend();
  const estimate = await estimateRun(plan, backend).finally(() => backend.close());
  const { config } = plan;
  if (options.json) {
    io.printJson({ env: plan.env.id, method: plan.method.id, model: config.model, ...estimate });
    return;
  }
  const { cost_usd: cost, price_date: date } = estimate;
  const count = (value: number): string => value.toLocaleString('en-US');
  const rows = [
    ['model calls', `${count(estimate.calls)}, repair turns apart`],
    ['episodes', `${count(estimate.episodes)}, and ${count(estimate.recheck_episodes)} to re-check the best policy`],
    ['prompt tokens', `about ${count(estimate.prompt_tokens)}`],
    ['completion tokens', `about ${count(estimate.completion_tokens)}, more from a model that thinks aloud`],
    [
      'cost',
      cost === null
        ? `unknown: no price of "${config.model}" under "prices"`
        : `about ${cost.toFixed(2)} USD at the prices of ${date}`,
    ],
  ];
  const title = `${plan.env.id}, ${plan.method.id}, ${config.model}`;
  io.print(formatTable([{ title }, { title: 'would take' }], rows, io.outColors));
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

/** One line that is drawn again on a terminal, else one line per iteration. */
function showProgress(progress: Progress, io: Io): void {
  const { event, tally } = progress;
  if (event === null) io.note(`resumed after ${tally.rows.length} of ${progress.iterations} iterations`);
  if (io.live) io.status(progressLine(progress));
  else if (event?.type === 'iteration') io.note(progressLine(progress));
}

function report(folder: string, summary: RunSummary, options: Options, io: Io): void {
  if (options.json) {
    io.printJson(summary);
    return;
  }
  const columns = [{ title: `${summary.env} ${summary.method}` }, { title: `seed ${summary.seed}` }];
  io.print(formatTable(columns, runRows(summary), io.outColors));
  io.print(`\nrun folder: ${folder}`);
}
