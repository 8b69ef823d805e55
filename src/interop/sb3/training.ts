/** An SB3 training being imported: its subject, and the events written for it from either kind of file. */
import { unknownName } from '../../base/errors.ts';
import type { Env } from '../../envs/env.ts';
import { envs } from '../../envs/index.ts';
import type { ImportLog } from '../common/import-log.ts';
import type { ImportedJournal } from '../common/imported-journal.ts';
import type { FoundTraining } from './find.ts';
import { algorithmIn, envIn, methodNamed, methodOf, numberIn } from './subject.ts';

export interface ImportTrainingOptions {
  readonly runsDir: string;
  /** null: read from the files or folders */
  readonly env: Env | null;
  /** algorithm; null: read from the files or folders */
  readonly method: string | null;
  /** training episodes per mean */
  readonly window: number;
  readonly argv: readonly string[];
  readonly now: number;
}

export interface TrainingSubject {
  readonly env: Env;
  /** `sb3/ppo` */
  readonly method: string;
  readonly seed: number;
}

export interface Training {
  readonly subject: TrainingSubject;
  /** s since 1970 */
  readonly start: number;
  /** episodes per mean; null: not in the files */
  readonly episodes: number | null;
  /** description of the rewards, and whether they come from evaluations */
  readonly rewards: string;
  readonly evaluated: boolean;
  /** facts missing in the files */
  readonly unknown: readonly string[];
  /** contents of `config.yaml` */
  readonly settings: Readonly<{ [key: string]: unknown }>;
  /** Appends the iterations and completes the import log. */
  readonly read: (journal: ImportedJournal) => Promise<TrainingOutcome>;
}

export interface TrainingOutcome {
  readonly iterations: number;
  /** why the training ended early; null: it did not, as far as known */
  readonly stopped: string | null;
}

export const unknownOfAll = [
  'seed: the number of the folder',
  'options of the environment: those that it has by default',
  'policies: not part of these files',
] as const;

/** Maximum number of means, which are kept in memory. */
export const maxIterations = 100_000;

/** Appends an iteration with a mean but no policy. */
export function appendMean(
  journal: ImportedJournal,
  iteration: number,
  mean: number,
  why: string,
  logged?: Extract<Parameters<ImportedJournal['append']>[0], { type: 'iteration' }>['logged'],
): void {
  journal.append({
    type: 'iteration',
    iteration,
    kept: 'proposal',
    why,
    candidates: [{ label: 'proposal', params: [], mean }],
    trial: null,
    ...(logged && { logged }),
  });
}

/** What the files state about a training, apart from its folder names; null: not stated. */
export interface StatedSubject {
  readonly env: string | null;
  readonly algorithm: string | null;
  /** folder names, innermost last */
  readonly names: readonly string[];
}

/** From the options, else the files, else the folder names. Null when none of them does, which is logged. */
export function subjectOf(
  found: FoundTraining,
  stated: StatedSubject,
  options: Pick<ImportTrainingOptions, 'env' | 'method'>,
  importLog: ImportLog,
): TrainingSubject | null {
  const [path] = found.files;
  const folderNames = found.names.join('/');
  const statedEnv = envs.find(({ id }) => id === stated.env) ?? null;
  const env = options.env ?? (stated.env === null ? (envIn(found.names) ?? envIn(stated.names)) : statedEnv);
  if (!env) {
    const known = envs.map(({ id }) => id);
    importLog.skip(path!, {
      expected: 'an environment of r2po in the file or in the name of a folder, or --env',
      found: stated.env === null ? folderNames : unknownName('environment', stated.env, known),
    });
    return null;
  }
  if (stated.env !== null && stated.env !== env.id)
    importLog.notes.push(`taken for ${env.id}; the file says ${stated.env}`);
  const named = stated.algorithm === null ? null : methodNamed(stated.algorithm);
  const inNames = algorithmIn(found.names);
  const method = options.method !== null ? methodOf(options.method) : (named ?? (inNames && methodOf(inNames)));
  if (method === null) {
    const expected = 'a folder named after an algorithm, such as ppo/run_1, or --method with its name';
    importLog.skip(path!, { expected, found: folderNames });
    return null;
  }
  return { env, method, seed: numberIn(found.names.at(-1) ?? '') };
}
