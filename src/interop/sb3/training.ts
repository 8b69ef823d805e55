/** An SB3 training being imported: its subject, and the events written for it from either kind of file. */
import { errorDetail, UsageError, unknownName } from '../../base/errors.ts';
import type { Env } from '../../envs/env.ts';
import { envs } from '../../envs/index.ts';
import { findEnv } from '../../envs/registry.ts';
import type { ImportLog } from '../common/import-log.ts';
import type { ImportedJournal } from '../common/imported-journal.ts';
import type { EvaluationFigures } from './evaluations.ts';
import type { FoundTraining } from './find.ts';
import type { EpisodeFigures } from './plausible.ts';
import { algorithmIn, envIn, methodNamed, methodOf, numberIn, statedEnv } from './subject.ts';
import type { ZooFiles } from './zoo-files.ts';

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
  /** options of the environment, of which rl-zoo writes those that are not the default ones; null: not in the files */
  readonly envOptions: Readonly<Record<string, unknown>> | null;
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
  /** what the files of a training have in common while it grows; null: nothing that is sure */
  readonly identity: string | null;
  /** SB3's own evaluations beside the training episodes; null: none */
  readonly evaluations: EvaluationFigures | null;
  /** Appends the iterations and completes the import log. */
  readonly read: (journal: ImportedJournal) => Promise<TrainingOutcome>;
}

export interface TrainingOutcome {
  readonly iterations: number;
  /** why the training ended early; null: it did not, as far as known */
  readonly stopped: string | null;
  /** what cannot come from the environment as it is here, in words */
  readonly flags: readonly Flag[];
  /** of all episodes; null: not in the files */
  readonly played: EpisodeFigures | null;
}

/** A kind of contradiction between a training and the environment, and how often it occurred. */
export interface Flag {
  readonly kind: string;
  readonly detail: string;
}

/** Facts that the files of a training do not have. */
export function unknownFacts({ args }: ZooFiles, { envOptions }: TrainingSubject): string[] {
  return [
    ...(typeof args?.seed === 'number' ? [] : ['seed: the number of the folder']),
    ...(envOptions === null ? ['options of the environment: those that it has by default'] : []),
    'policies: not part of these files',
  ];
}

/** The hyperparameters of rl-zoo's `config.yml`, and whether the options of the environment are known. */
export function zooSettings({ hyperparams }: ZooFiles, { envOptions }: TrainingSubject) {
  return { env_options: envOptions ?? 'unknown', ...(hyperparams && { hyperparams }) };
}

/** For `rewards` where the options of the environment are not known. */
export const optionsWords = ({ env, envOptions }: TrainingSubject): string =>
  envOptions === null && env.withOptions ? '; options of the environment unknown, taken for those by default' : '';

/** A later import of the same training starts with the same episode at the same time. */
export function growingIdentity({ env, method }: TrainingSubject, start: number | null, first: unknown): string | null {
  return start === null || first === undefined ? null : JSON.stringify([env.id, method, start, first]);
}

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
  /** ids, of which all must agree */
  readonly envs: readonly string[];
  readonly algorithm: string | null;
  /** folder names, innermost last */
  readonly names: readonly string[];
  readonly zoo: ZooFiles;
}

/** The environment from the files, else the options, else the folder names. Null where they contradict, which is logged. */
function environmentOf(
  found: FoundTraining,
  stated: StatedSubject,
  wanted: Env | null,
  importLog: ImportLog,
): Env | null {
  const skip = (expected: string, text: string): null => {
    importLog.skip(found.files[0]!, { expected, found: text });
    return null;
  };
  const ids = [...new Set(stated.envs)];
  const known = ids.map((id) => ({ id, stated: statedEnv(id) }));
  const named = [...new Set(known.map((one) => one.stated?.env.id ?? one.id))];
  if (named.length > 1) return skip('files of one environment', named.join(', '));
  const [only] = known;
  if (wanted && only && only.stated?.env.id !== wanted.id) {
    return skip(`${wanted.id}, as --env says`, `files of ${only.id}; leave out --env`);
  }
  if (only?.stated?.renamed)
    importLog.notes.push(`${only.id} has the dynamics of ${only.stated.env.id}, which it is taken for`);
  const env = only ? (only.stated?.env ?? null) : (wanted ?? envIn(found.names) ?? envIn(stated.names));
  if (env) return env;
  return skip(
    'an environment of r2po in the file or in the name of a folder, or --env',
    only
      ? unknownName(
          'environment',
          only.id,
          envs.map(({ id }) => id),
        )
      : found.names.join('/'),
  );
}

/** The environment with the options of `args.yml`; null for ones that it does not have, which is logged. */
function withStatedOptions(
  env: Env,
  options: TrainingSubject['envOptions'],
  path: string,
  importLog: ImportLog,
): Env | null {
  const given = Object.fromEntries(Object.entries(options ?? {}).filter(([key]) => key !== 'render_mode'));
  if (Object.keys(given).length === 0) return env;
  try {
    return findEnv(env.id, given as Parameters<typeof findEnv>[1]);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    importLog.skip(path, { expected: `options that ${env.id} has here`, found: errorDetail(error) });
    return null;
  }
}

/** From the files, else the options, else the folder names. Null when none of them does, which is logged. */
export function subjectOf(
  found: FoundTraining,
  stated: StatedSubject,
  options: Pick<ImportTrainingOptions, 'env' | 'method'>,
  importLog: ImportLog,
): TrainingSubject | null {
  const [path] = found.files;
  const { args } = stated.zoo;
  const inArgs = typeof args?.env === 'string' ? [args.env] : [];
  const plain = environmentOf(found, { ...stated, envs: [...stated.envs, ...inArgs] }, options.env, importLog);
  if (!plain) return null;
  const kwargs = args?.env_kwargs;
  const envOptions = args === null ? null : typeof kwargs === 'object' && kwargs !== null ? { ...kwargs } : {};
  const env = withStatedOptions(plain, envOptions, path!, importLog);
  if (!env) return null;
  const algorithm = stated.algorithm ?? (typeof args?.algo === 'string' ? args.algo : null);
  const named = algorithm === null ? null : methodNamed(algorithm);
  const inNames = algorithmIn(found.names);
  const method = options.method !== null ? methodOf(options.method) : (named ?? (inNames && methodOf(inNames)));
  if (method === null) {
    const expected = 'a folder named after an algorithm, such as ppo/run_1, or --method with its name';
    importLog.skip(path!, { expected, found: found.names.join('/') });
    return null;
  }
  const seed = args?.seed;
  const drawn = typeof seed === 'number' && Number.isSafeInteger(seed) && seed >= 0;
  return { env, method, seed: drawn ? seed : numberIn(found.names.at(-1) ?? ''), envOptions };
}
