/** `r2po reproduce`: the runs behind a table of the paper, and the table. */
import type { Command } from 'commander';
import { UsageError } from '../base/errors.ts';
import type { ReportOptions } from '../report/report.ts';
import { findPaperPlan, paperPlans, publishedSeeds } from '../sweep/paper-plans.ts';
import type { Io } from './io.ts';
import { addSweepOptions, runAll, runsOf, type SweepCommandOptions } from './run-many.ts';
import { showAnalysis } from './show-analysis.ts';
import { showPlan } from './sweep-plan.ts';

interface Options extends SweepCommandOptions {
  readonly seeds: string;
  readonly settings: string;
}

export function define(command: Command, io: Io): void {
  const width = Math.max(...paperPlans.map(({ id }) => id.length));
  command
    .description(
      'Makes the runs behind a table of the paper (arXiv 2605.08315) that are not there yet, and prints the table with ' +
        'the published numbers beside it and what differs. --dry-run says what it takes: models cost time and money.',
    )
    .argument('<name>', paperPlans.map(({ id }) => id).join(', '))
    .argument('[overrides...]', 'dotted keys with YAML values, for a smaller rehearsal: iterations=5')
    .option('--seeds <range>', 'seeds of the runs; as many were published', publishedSeeds)
    .option(
      '--settings <which>',
      'published: those of the reference for each method; fair: the same for all',
      'published',
    )
    .addHelpText(
      'after',
      `\nNames:\n${paperPlans.map(({ id, title }) => `  ${id.padEnd(width)}  ${title}`).join('\n')}`,
    );
  addSweepOptions(command, io).action(async (name: string, overrides: string[], options: Options) =>
    reproduce(name, overrides, options, io),
  );
}

async function reproduce(name: string, overrides: readonly string[], options: Options, io: Io): Promise<void> {
  const plan = findPaperPlan(name);
  if (options.model === undefined) {
    throw new UsageError(
      '--model',
      'expected the model to run with, got none; published was "ollama/gpt-oss:20b", and "offline" (a numeric optimiser, ' +
        'not a language model) rehearses the plan without one',
    );
  }
  const { parseAxes } = await import('../config/axes.ts');
  const axes = parseAxes([...overrides, `settings=${options.settings}`, `seed=${options.seeds}`]);
  const runs = await runsOf({ configs: plan.configs, axes }, options);
  if (options.dryRun) return showPlan(runs, plan.by, options, io);
  const report: Partial<ReportOptions> = { by: plan.by, published: true, reward: 'mean', allowMixed: false };
  const { document, folders, failure } = await runAll(runs, report, options, io);
  const analysed: unknown[] = [];
  // Of a plan that is broken off, why it was is what counts; what is there can be analysed by itself.
  for (const kind of failure === null ? plan.analyses : []) {
    analysed.push(await showAnalysis(kind, folders, { json: options.json ?? false }, io));
  }
  if (options.json) io.printJson({ plan: plan.id, ...document, analyses: analysed });
  if (failure) throw failure;
}
