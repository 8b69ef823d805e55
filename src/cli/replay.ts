/** `r2po replay`: repeats a run from its recorded replies and compares it with its record. */

import type { Command } from 'commander';
import { DiffersError } from '../base/errors.ts';
import { counted } from '../base/plain-number.ts';
import { type BackendChoice, backendChoices } from '../rollout/backend.ts';
import { openRecordedRun, type RecordedRun, type ReplayReport, replayRun } from '../runs/replay.ts';
import { withBackend } from './backend.ts';
import { withInterrupts } from './interrupt.ts';
import type { Io } from './io.ts';
import { adapterOption, addOutputOptions, backendOption, trustEnvOption, trustMethodOption } from './options.ts';

interface Options {
  readonly backend?: BackendChoice;
  readonly adapter?: string;
  readonly reworded?: boolean;
  readonly json?: boolean;
}

export function define(command: Command, io: Io): void {
  command
    .description('Repeats a run from its recorded replies, without a model, and compares every result with the record.')
    .argument('<run>', 'run folder')
    .addOption(backendOption())
    .addOption(adapterOption())
    .addOption(trustEnvOption())
    .addOption(trustMethodOption())
    .option('--reworded', 'continue with the recorded reply even if a prompt has changed since');
  addOutputOptions(command, io).action(async (folder: string, options: Options) => replay(folder, options, io));
}

async function replay(folder: string, options: Options, io: Io): Promise<void> {
  const recorded = await openRecordedRun(folder);
  if (recorded.log.torn !== null) io.warn(recorded.log.torn);
  if (recorded.changed !== null) io.warn(recorded.changed);
  const choice = options.backend ?? backendChoices.find((name) => name === recorded.backend) ?? 'auto';
  const prompts = options.reworded ? 'may-differ' : 'must-match';
  await withInterrupts(io, 'the replay', (signal) =>
    withBackend(choice, options.adapter, io, async (backend) => {
      const report = await replayRun(recorded, backend, { prompts, signal });
      show(recorded, backend.id, report, options, io);
    }),
  );
}

function show(run: RecordedRun, backend: string, report: ReplayReport, options: Options, io: Io): void {
  const { difference, complete } = report;
  if (options.json) {
    io.printJson({
      run: run.folder,
      backend,
      recorded_backend: run.backend,
      equal: difference === null,
      difference,
      complete,
      warmups: report.warmups,
      calls: report.calls,
      reworded_prompts: report.rewordedPrompts,
      evaluations: report.evaluations,
      iterations: report.iterations,
      rechecked: report.rechecked,
    });
  } else {
    const rows = [
      ['warm-up episodes', String(report.warmups)],
      ['replies', String(report.calls)],
      ['evaluations', String(report.evaluations)],
      ['iterations', String(report.iterations)],
      ['re-check', report.rechecked ? '1' : complete ? 'none' : 'not recorded yet'],
    ];
    const title =
      difference === null ? `equal to the record, on ${backend}` : `equal up to the difference, on ${backend}`;
    io.print(io.table({ columns: [{ title: run.folder }, { title }], rows }));
  }
  if (report.rewordedPrompts > 0) {
    io.warn(`${counted(report.rewordedPrompts, 'prompt')} changed since the run; the recorded replies were used`);
  }
  if (difference !== null) {
    throw new DiffersError('replay', `${run.folder} ${difference}; the record was played on ${run.backend}`);
  }
}
