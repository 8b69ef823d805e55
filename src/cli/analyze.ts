/** `r2po analyze`: statistics over the iterations of runs: of critics and their edits, and of how searches move. */
import type { Command } from 'commander';
import { UsageError } from '../base/errors.ts';
import { checkOutputFile } from '../base/node/output-folder.ts';
import { analysisKinds, findAnalysisKind } from '../report/analyses/index.ts';
import { maxEpisodes } from '../rollout/job-checks.ts';
import type { Io } from './io.ts';
import { brokenError } from './left-out.ts';
import {
  adapterOption,
  addOutputOptions,
  backendOption,
  countOption,
  helpList,
  refuseBeside,
  trustEnvOption,
  trustMethodOption,
  wholeNumber,
} from './options.ts';
import { pictureFormats } from './picture-file.ts';
import { showAnalysis } from './show-analysis.ts';
import { defaultReplay, type SearchOptions, showSearch } from './show-search.ts';

interface Options extends SearchOptions {
  readonly allowMixed?: boolean;
}

export function define(command: Command, io: Io): void {
  command
    .description('Analyses the recorded iterations of runs; calls no model. Only "search" plays episodes.')
    .argument('<kind>', analysisKinds.map(({ id }) => id).join(', '))
    .argument('<run...>', 'run folders, or folders of run folders')
    .addOption(trustEnvOption())
    .addOption(trustMethodOption())
    .option(
      '--csv <file>',
      'write a row per iteration: number and size of the changes, effect, category (edits, search)',
    )
    .option('--allow-mixed', 'pool runs of the offline optimiser with runs of language models (not of search)')
    .option('--picture <file>', `search: draw steps, drift and acceptance (${pictureFormats})`)
    .option(
      '--replay <episodes>',
      `search: episodes on which rejected candidates are played again (default: ${defaultReplay.episodes}; 0: none)`,
      wholeNumber('--replay', 0, maxEpisodes),
    )
    .addOption(
      countOption(
        '--pairs',
        `search: rejected candidates of a run that are played again (default: ${defaultReplay.pairs})`,
        10_000,
      ),
    )
    .addOption(backendOption())
    .addOption(adapterOption())
    .addHelpText('after', helpList('Kinds', analysisKinds));
  addOutputOptions(command, io).action(async (kind: string, paths: string[], options: Options, self: Command) => {
    if (options.replay === 0) {
      refuseBeside(self, '--replay 0', (flag) => ['--pairs', '--backend', '--adapter'].includes(flag));
    }
    await analyze(kind, paths, options, io);
  });
}

/** Options of one of the two kinds of analyses only. */
const ofMoves = ['picture', 'replay', 'pairs', 'backend', 'adapter'] as const;
const ofPairs = ['allowMixed'] as const;

const flagOf = (key: string): string => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

function refuse(kind: string, key: string | undefined, reason: string): void {
  if (key !== undefined) throw new UsageError(flagOf(key), `expected it without "${kind}", ${reason}; leave it out`);
}

async function analyze(kind: string, paths: readonly string[], options: Options, io: Io): Promise<void> {
  const analysis = findAnalysisKind(kind);
  const given = <K extends keyof Options>(keys: readonly K[]) => keys.find((key) => options[key] !== undefined);
  if (analysis.reads === 'moves') refuse(kind, given(ofPairs), 'which pools no runs');
  else refuse(kind, given(ofMoves), 'which draws no picture and plays no episodes');
  for (const name of ['csv', 'picture'] as const) {
    const path = options[name];
    if (path !== undefined) checkOutputFile(flagOf(name), path);
  }
  const { document, leftOut } =
    analysis.reads === 'moves'
      ? await showSearch(paths, options, io)
      : await showAnalysis(analysis, paths, options, io);
  if (options.json) io.printJson(document);
  const broken = brokenError('analyze', leftOut);
  if (broken) throw broken;
}
