/** `r2po reproduce`: executes the runs behind a table of the paper, and prints the table. */
import type { Command } from 'commander';
import { UsageError } from '../base/errors.ts';
import { findAnalysis } from '../report/analyses/index.ts';
import type { ReportOptions } from '../report/report.ts';
import type { LeftOut } from '../runs/folder/find-runs.ts';
import { findPaperPlan, paperPlans, publishedSeeds } from '../sweep/paper-plans.ts';
import type { Io } from './io.ts';
import { brokenError } from './left-out.ts';
import { helpList } from './options.ts';
import { addSweepOptions, runAll, runsOf, type SweepCommandOptions } from './run-many.ts';
import { showAnalysis } from './show-analysis.ts';
import { showPlan } from './sweep-plan.ts';

interface Options extends SweepCommandOptions {
  readonly seeds: string;
  readonly settings: string;
}

export function define(command: Command, io: Io): void {
  command
    .description(
      'Executes the missing runs for a table of the paper (arXiv 2605.08315), and prints the table with the published ' +
        'numbers and the known differences. Estimate time and cost with --dry-run first.',
    )
    .argument('<name>', paperPlans.map(({ id }) => id).join(', '))
    .argument('[overrides...]', 'dotted keys with YAML values, for a smaller trial: iterations=5')
    .option('--seeds <range>', 'seeds of the runs; the default has as many as were published', publishedSeeds)
    .option(
      '--settings <which>',
      'published: settings of the reference for each method; fair: the same settings for all methods',
      'published',
    )
    .addHelpText('after', helpList('Names', paperPlans));
  addSweepOptions(command, io).action(async (name: string, overrides: string[], options: Options) =>
    reproduce(name, overrides, options, io),
  );
}

async function reproduce(name: string, overrides: readonly string[], options: Options, io: Io): Promise<void> {
  const plan = findPaperPlan(name);
  if (options.model === undefined) {
    throw new UsageError(
      '--model',
      'expected the model to run with, got none; the paper used "ollama/gpt-oss:20b"; for a trial without a language ' +
        'model use "offline", a numeric optimiser',
    );
  }
  const { parseAxes } = await import('../config/axes.ts');
  const axes = parseAxes([...overrides, `settings=${options.settings}`, `seed=${options.seeds}`]);
  const runs = await runsOf({ configs: plan.configs, axes }, options);
  if (options.dryRun) return showPlan(runs, plan.by, options, io);
  const report: Partial<ReportOptions> = { by: plan.by, published: true, reward: 'mean', allowMixed: false };
  const { document, folders, failure } = await runAll(runs, report, options, io);
  const analysed: unknown[] = [];
  // The failure matters more than analyses of part of the runs, which r2po analyze can make.
  const leftOut: LeftOut[] = [];
  for (const kind of failure === null ? plan.analyses : []) {
    const shown = await showAnalysis(findAnalysis(kind), folders, { json: options.json ?? false }, io);
    analysed.push(shown.document);
    leftOut.push(...shown.leftOut);
  }
  if (options.json) io.printJson({ plan: plan.id, ...document, analyses: analysed });
  if (failure) throw failure;
  const broken = brokenError('reproduce', leftOut);
  if (broken) throw broken;
}
