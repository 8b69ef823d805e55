/** A training on its way in: what it was of, and what is written of it whatever it was read from. */
import { unknownName } from '../../base/errors.ts';
import type { Env } from '../../envs/env.ts';
import { envs } from '../../envs/index.ts';
import type { ImportLog } from '../common/import-log.ts';
import type { ImportedJournal } from '../common/imported-journal.ts';
import type { FoundTraining } from './find.ts';
import { algorithmIn, envIn, methodNamed, methodOf, numberIn } from './subject.ts';

export interface ImportTrainingOptions {
  readonly runsDir: string;
  /** null: as the files or the folders say */
  readonly env: Env | null;
  /** algorithm; null: as the files or the folders say */
  readonly method: string | null;
  /** training episodes of which one mean is made */
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
  /** of which each mean is; null where the files do not say it */
  readonly episodes: number | null;
  /** what the rewards are, in words, and if they are of evaluations */
  readonly rewards: string;
  readonly evaluated: boolean;
  /** what the files do not say */
  readonly unknown: readonly string[];
  /** goes into `config.yaml` */
  readonly settings: Readonly<{ [key: string]: unknown }>;
  /** Appends the iterations and completes the account. */
  readonly read: (journal: ImportedJournal) => Promise<TrainingOutcome>;
}

export interface TrainingOutcome {
  readonly iterations: number;
  /** why it did not end as it was meant to; null when it did, or nothing says that it did not */
  readonly stopped: string | null;
}

export const unknownOfAll = [
  'seed: the number of the folder',
  'options of the environment: those that it has by default',
  'policies: not part of these files',
] as const;

/** As many means are kept in memory. */
export const maxIterations = 100_000;

/** An iteration of which a mean is known and no policy. */
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

/** What the files say of a training beside the names of its folders; null for what they do not. */
export interface StatedSubject {
  readonly env: string | null;
  readonly algorithm: string | null;
  /** names of folders, the innermost last */
  readonly names: readonly string[];
}

/** By what was asked for, else by what the files say, else by the folders. Null, and accounted for, when none does. */
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
    importLog.skip(path, {
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
    const expected = 'a folder that is called after an algorithm, such as ppo/run_1, or --method with its name';
    importLog.skip(path, { expected, found: folderNames });
    return null;
  }
  return { env, method, seed: numberIn(found.names.at(-1) ?? '') };
}
