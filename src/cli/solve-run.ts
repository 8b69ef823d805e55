/** The solution of `r2po solve` as a run folder. */

import { stringify } from 'yaml';
import { quotedCommand } from '../base/command-line.ts';
import { configOfText } from '../config/resolve.ts';
import type { Env } from '../envs/env.ts';
import { exact } from '../optimisers/exact/exact.ts';
import { workOf } from '../runs/expected-work.ts';
import { createRunFolder } from '../runs/folder/folder.ts';
import { type OpenUnits, resolveUnits } from '../runs/resolve-units.ts';
import { executeRun } from '../runs/run.ts';
import { withBackend } from './backend.ts';
import { withInterrupts } from './interrupt.ts';
import type { Io } from './io.ts';

export interface Solved {
  readonly env: Env;
  readonly limit: number;
  /** partial tables after which the search for the best one ended; null: it is exact */
  readonly work: number | null;
}

interface Place {
  readonly runsDir?: string;
  readonly name?: string;
  readonly adapter?: string;
}

/** Episodes of the one evaluation; the re-check plays more. */
const episodes = 1000;

/**
 * Makes a run of the best table: an ordinary one, which computes the table once more and plays it. Returns its folder.
 */
export async function recordSolution({ env, limit, work }: Solved, place: Place, io: Io): Promise<string> {
  const text = stringify({
    env: env.module ?? env.id,
    env_options: env.options,
    method: exact.id,
    policy: { kind: 'tabular' },
    evaluation: { episodes, max_steps: env.timeLimit !== null && limit >= env.timeLimit ? null : limit },
    optimiser: { episodes, work },
  });
  const { config, yaml } = await configOfText('solve', text).resolve();
  const units = resolveUnits(config);
  const argv = process.argv.slice(2);
  const { runsDir = 'runs', name = null, adapter } = place;
  return await withInterrupts(io, 'the run', (signal) =>
    withBackend(
      config.evaluation.backend,
      adapter,
      io,
      async (backend, backendWhy) => {
        const folder = createRunFolder({ runsDir, name }, { config, yaml, argv, now: Date.now() });
        io.note(`run folder: ${folder}`);
        const open = { ...units, backend, models: null } as OpenUnits;
        const resumeCommand = () => quotedCommand(['run', folder, '--resume']);
        const onNotice = (line: string) => io.warn(line);
        await executeRun(open, { folder, argv, backendWhy, signal, resume: false, resumeCommand, onNotice });
        return folder;
      },
      workOf(units),
    ),
  );
}
