/** The process that trains: `python/train.py` in its folder, what it says, and how it is stopped. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';
import { R2poError } from '../base/errors.ts';
import { jsonText } from '../base/json.ts';
import { besideCode } from '../base/node/assets.ts';
import { replaceFile } from '../base/node/atomic-file.ts';
import { readRegularText } from '../base/node/read-file.ts';
import type { BaselineConfig } from './settings.ts';

const jobName = 'job.json';
const errorsName = 'stderr.log';

const count = z.int().min(0);
/** How far a training is. `training_mean`: of its latest 20 episodes; null before the first */
const figures = { episodes: count, steps: count, seconds: z.number().min(0), training_mean: z.number().nullable() };
export const figuresSchema = z.object({ index: count, ...figures });
export type TrainingFigures = Omit<z.output<typeof figuresSchema>, 'index'>;

/** A line of the trainer. Other fields are for people. */
const line = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('started'),
    versions: z.record(z.string(), z.string()),
    resumed: z.boolean(),
    index: count,
    ...figures,
  }),
  z.object({ type: z.literal('progress'), ...figures }),
  z.object({
    type: z.literal('snapshot'),
    index: count.min(1),
    file: z.string().regex(/^snapshots\/\d+\.zip$/),
    ...figures,
  }),
  z.object({ type: z.literal('checkpoint'), index: count, exact: z.boolean(), ...figures }),
  z.object({ type: z.literal('stopped'), ...figures }),
  z.object({ type: z.literal('finished'), ...figures }),
  z.object({ type: z.literal('failed'), kind: z.string(), detail: z.string() }),
]);
export type TrainerLine = z.output<typeof line>;

/** Seconds between checkpoints; a replay buffer of a million steps takes seconds to write. */
const checkpointSeconds = 300;

/** What `train.py` reads. */
export function jobOf(config: BaselineConfig): Readonly<Record<string, unknown>> {
  const { sb3, env, seed, evaluation } = config;
  const inEpisodes = sb3.training_episodes !== null;
  return {
    env,
    algorithm: sb3.algorithm,
    policy: sb3.policy,
    seed,
    n_envs: sb3.n_envs,
    max_steps: evaluation.max_steps,
    hyperparams: sb3.hyperparameters,
    normalize: sb3.normalize,
    episodes: sb3.training_episodes,
    steps: sb3.training_steps,
    every_episodes: inEpisodes ? sb3.every : null,
    every_steps: inEpisodes ? null : sb3.every,
    ...sb3.defects,
    checkpoint_seconds: checkpointSeconds,
  };
}

export function writeJob(folder: string, config: BaselineConfig): void {
  replaceFile(join(folder, jobName), jsonText(jobOf(config)), 'durable');
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** A training under way. */
export class Trainer {
  readonly #child: Child;
  readonly #folder: string;
  readonly #ended: Promise<{ readonly code: number | null; readonly error: Error | null }>;
  #failure: R2poError | null = null;

  /** `folder`: with `job.json`. */
  constructor(python: string, folder: string) {
    this.#folder = folder;
    const errors = openSync(join(folder, errorsName), 'a');
    try {
      this.#child = spawn(python, ['-u', besideCode('baselines/python/train.py'), folder], {
        stdio: ['pipe', 'pipe', errors],
        env: { ...process.env, PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1' },
        windowsHide: true,
      }) as Child;
    } finally {
      closeSync(errors);
    }
    // EPIPE: it has ended already.
    this.#child.stdin.on('error', () => {});
    this.#ended = new Promise((resolve) => {
      this.#child.on('error', (error) => resolve({ code: null, error }));
      this.#child.on('close', (code) => resolve({ code, error: null }));
    });
  }

  /** Asks for a checkpoint and the end; the lines go on until then. */
  stop(): void {
    if (this.#child.stdin.writable) this.#child.stdin.end('stop\n');
  }

  /** For a reader that does not read to the end: asks for the end, and waits for nothing. */
  end(): void {
    this.stop();
    // Nobody reads what it says; a full pipe would keep it.
    this.#child.stdout.resume();
  }

  /** What it says until its end. Throws an `R2poError` with its own words when it fails. */
  async *lines(): AsyncGenerator<TrainerLine> {
    let isWhole = false;
    for await (const text of createInterface({ input: this.#child.stdout })) {
      const parsed = parsedLine(text);
      if (parsed === null) {
        throw new R2poError('training', `expected a line of train.py, got "${text.slice(0, 100)}"; use another Python`);
      }
      if (parsed.type === 'failed') this.#failure = failureOf(parsed, this.#folder);
      isWhole ||= parsed.type === 'finished' || parsed.type === 'stopped';
      yield parsed;
    }
    const { code, error } = await this.#ended;
    if (this.#failure) throw this.#failure;
    if (error) throw new R2poError('training', `cannot start Python: ${error.message}`, { cause: error });
    if (code === 0 && isWhole) return;
    throw new R2poError(
      'training',
      `expected the training to end by itself, got ${code === null ? 'a signal that killed it' : `exit code ${code}`}` +
        `${lastWords(this.#folder)}`,
    );
  }
}

function parsedLine(text: string): TrainerLine | null {
  try {
    return line.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** `: last line of stderr; all of it is in "..."` */
function lastWords(folder: string): string {
  const path = join(folder, errorsName);
  try {
    const last = readRegularText(path).trimEnd().split('\n').at(-1) ?? '';
    return `${last === '' ? '' : `: ${last.slice(0, 300)}`}; what Python said is in "${path}"`;
  } catch {
    return '';
  }
}

/** The parameters or returns are infinite or NaN, or Stable-Baselines3 refuses the settings: so it would be where it is resumed. */
export class BrokenTrainingError extends R2poError {}

function failureOf({ kind, detail }: Extract<TrainerLine, { type: 'failed' }>, folder: string): R2poError {
  const before = existsSync(join(folder, 'checkpoint'))
    ? 'the last checkpoint is from before'
    : 'no checkpoint was due yet';
  const remedies: Readonly<Record<string, string>> = {
    nan: `${before}; lower hyperparameters.learning_rate in a new run`,
    settings: 'begin a new run with other hyperparameters',
    disk: 'make room, or choose another --runs-dir',
  };
  const remedy = remedies[kind] ?? `what Python said is in "${join(folder, errorsName)}"`;
  const Kind = kind === 'nan' || kind === 'settings' ? BrokenTrainingError : R2poError;
  return new Kind('training', `the training failed: ${detail}; ${remedy}`);
}
