/** `r2po analyze`: statistics of critics and their edits over the iterations of runs. */
import type { Command } from 'commander';
import { analyses } from '../report/analyses/index.ts';
import type { Io } from './io.ts';
import { brokenError } from './left-out.ts';
import { addOutputOptions, helpList, trustEnvOption } from './options.ts';
import { showAnalysis } from './show-analysis.ts';

interface Options {
  readonly allowMixed?: boolean;
  readonly csv?: string;
  readonly json?: boolean;
}

export function define(command: Command, io: Io): void {
  command
    .description('Analyses the recorded iterations of runs; plays no episodes and calls no model.')
    .argument('<kind>', analyses.map(({ id }) => id).join(', '))
    .argument('<run...>', 'run folders, or folders of run folders')
    .addOption(trustEnvOption())
    .option('--csv <file>', 'write a row per iteration: number and size of the changes, effect, category (edits)')
    .option('--allow-mixed', 'pool runs of the offline optimiser with runs of language models')
    .addHelpText('after', helpList('Kinds', analyses));
  addOutputOptions(command, io).action(async (kind: string, paths: string[], options: Options) =>
    analyze(kind, paths, options, io),
  );
}

async function analyze(kind: string, paths: readonly string[], options: Options, io: Io): Promise<void> {
  const { document, leftOut } = await showAnalysis(kind, paths, options, io);
  if (options.json) io.printJson(document);
  const broken = brokenError('analyze', leftOut);
  if (broken) throw broken;
}
