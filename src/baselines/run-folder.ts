/** Folders of trainings: made like those of searches, and marked as trainings that this program started. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { errorCode, UsageError } from '../base/errors.ts';
import { jsonText } from '../base/json.ts';
import { cannotUse } from '../base/machine-fault.ts';
import { claimFolder, clearDeadDraftsOnce, draftName, replaceFile, syncFolder } from '../base/node/atomic-file.ts';
import { makeFolder } from '../base/node/make-folder.ts';
import { listFolder } from '../base/node/walk.ts';
import { isSection } from '../config/layers.ts';
import { leaves } from '../config/leaves.ts';
import { configName, manifestName } from '../config/recorded.ts';
import { findEnv } from '../envs/registry.ts';
import { readRunYaml } from '../runs/folder/files.ts';
import { checkName } from '../runs/folder/folder.ts';
import { type Manifest, newManifest, readManifest } from '../runs/folder/manifest.ts';
import { type BaselineConfig, baselineHash } from './settings.ts';

/** `imported.layout` of these runs. */
export const baselineLayout = 'baseline';
export const format = 'Stable-Baselines3';

/** `cartpole-sb3-ppo-s3-1a2b3c4d` */
function baselineFolderName(config: BaselineConfig): string {
  const { folder } = findEnv(config.env);
  return `${folder}-${config.method.replace('/', '-')}-s${config.seed}-${baselineHash(config).slice(0, 8)}`;
}

function manifestOf(config: BaselineConfig, argv: readonly string[], now: number): Manifest {
  const hash = baselineHash(config);
  const { evaluation, sb3 } = config;
  const charged = sb3.budget === 'evaluated-episodes' ? 'training and evaluation' : 'training alone';
  const raw = sb3.defects.raw_evaluation ? ', on observations that are not normalised' : '';
  return newManifest({
    status: 'running',
    argv: [...argv],
    created: new Date(now).toISOString(),
    config_hash: hash,
    env: config.env,
    method: config.method,
    seed: config.seed,
    backend: null,
    adapter: null,
    model: 'none',
    model_kind: null,
    stopped: null,
    imported: {
      format,
      layout: baselineLayout,
      source: `${config.env}/${config.method}`,
      digest: hash,
      training: {
        rewards: `means of ${evaluation.episodes} evaluation episodes each${raw}; episodes and steps count ${charged}`,
        evaluated: true,
        resume: 'r2po baseline',
        identity: hash,
      },
    },
  });
}

const note =
  '# A training with Stable-Baselines3: its hyperparameters and budget. "r2po baseline" repeats it from its name and settings.\n';

function draftOf(runsDir: string, base: string, config: BaselineConfig, argv: readonly string[], now: number): string {
  makeFolder(runsDir);
  clearDeadDraftsOnce(runsDir);
  const draft = draftName(join(runsDir, `.${base}`));
  mkdirSync(draft);
  mkdirSync(join(draft, 'training'));
  replaceFile(join(draft, configName), `${note}${stringify(config)}`, 'durable');
  replaceFile(join(draft, manifestName), jsonText(manifestOf(config, argv, now)), 'durable');
  return draft;
}

export interface BaselinePlace {
  readonly runsDir: string;
  /** folder name given by the user; null: made from the settings */
  readonly name: string | null;
  /** true: where another process has made a folder for these settings since, that one is meant; left out: false */
  readonly isShared?: boolean;
}

/** Makes the folder of a new training. A taken name gets a number, one given by the user is refused. Throws a usage error. */
export function createBaselineFolder(
  { runsDir, name, isShared = false }: BaselinePlace,
  config: BaselineConfig,
  argv: readonly string[],
  now: number,
): string {
  if (name !== null) checkName(name);
  const base = name ?? baselineFolderName(config);
  try {
    const draft = draftOf(runsDir, base, config, argv, now);
    for (let number = 1; ; number++) {
      const target = join(runsDir, number === 1 ? base : `${base}-${number}`);
      if (claimFolder(draft, target)) {
        syncFolder(runsDir);
        return target;
      }
      const known = isShared ? knownBaseline(runsDir, config) : null;
      if (known) {
        rmSync(draft, { recursive: true, force: true });
        return known.folder;
      }
      if (name === null) continue;
      rmSync(draft, { recursive: true, force: true });
      throw new UsageError(
        '--name',
        `expected a new folder, got "${target}", which exists; choose another name, or add --resume`,
      );
    }
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw cannotUse('--runs-dir', 'a folder that can be written to', runsDir, cause);
  }
}

export const isBaseline = (manifest: Manifest | null): boolean => manifest?.imported?.layout === baselineLayout;

export interface FoundBaseline {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly config: BaselineConfig;
}

/** The training in a run folder. Throws a usage error where there is none. */
export function openBaseline(folder: string): FoundBaseline {
  const manifest = readManifest(folder);
  if (!manifest || !isBaseline(manifest)) {
    throw new UsageError(
      'baseline',
      `expected the run folder of a training, got "${folder}"; see "r2po run --help" for searches`,
    );
  }
  const path = join(folder, configName);
  const config = readRunYaml(path);
  const isOurs = isSection(config) && isSection(config.evaluation);
  if (isOurs && baselineHash(config as unknown as BaselineConfig) === manifest.config_hash) {
    return { folder, manifest, config: config as unknown as BaselineConfig };
  }
  throw new UsageError(
    'baseline',
    `expected in "${path}" the settings that the training began with, got others; restore the file, or start a new run`,
  );
}

export type KnownBaseline = Omit<FoundBaseline, 'config'>;

/** The trainings in a folder of runs; their settings are not read. */
function baselinesIn(runsDir: string): KnownBaseline[] {
  let names: readonly string[];
  try {
    names = listFolder(runsDir, true).folders;
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return [];
    throw cannotUse('--runs-dir', 'a folder that can be read', runsDir, cause);
  }
  return names.flatMap((name) => {
    const folder = join(runsDir, name);
    try {
      const manifest = name.startsWith('.') ? null : readManifest(folder);
      return manifest && isBaseline(manifest) ? [{ folder, manifest }] : [];
    } catch (error) {
      if (error instanceof UsageError) return [];
      throw error;
    }
  });
}

/** `sb3.every (1 there, 5 here)` for all that differs. */
function differing(there: BaselineConfig, here: BaselineConfig): string {
  const [before, after] = [new Map(leaves(there)), new Map(leaves(here))];
  const keys = [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key));
  return keys
    .map((key) => `${key} (${before.get(key) ?? 'not set'} there, ${after.get(key) ?? 'not set'} here)`)
    .join(', ');
}

/**
 * The training to resume: the named one, else the newest unfinished one of these settings, else a finished one. Throws a usage
 * error that says what differs where there is none.
 */
export function findBaseline({ runsDir, name }: BaselinePlace, config: BaselineConfig): FoundBaseline {
  const hash = baselineHash(config);
  const all = name === null ? baselinesIn(runsDir) : [openBaseline(join(runsDir, name))];
  const same = all.filter(({ manifest }) => manifest.config_hash === hash);
  const byAge = same.toSorted((a, b) => b.manifest.created.localeCompare(a.manifest.created));
  const chosen = byAge.find(({ manifest }) => manifest.status !== 'finished') ?? byAge[0];
  if (chosen) return openBaseline(chosen.folder);
  const near = all.find(({ manifest }) => manifest.env === config.env && manifest.method === config.method);
  const hint = near ? `; "${near.folder}" differs in ${differing(openBaseline(near.folder).config, config)}` : '';
  throw new UsageError(
    '--resume',
    `expected a training with these settings under "${runsDir}", got none${hint}; start one without --resume`,
  );
}

/** The training with these settings, if it is there; any other is not looked at. */
export function knownBaseline(runsDir: string, config: BaselineConfig): KnownBaseline | null {
  const hash = baselineHash(config);
  const same = baselinesIn(runsDir).filter(({ manifest }) => manifest.config_hash === hash);
  return same.find(({ manifest }) => manifest.status === 'finished') ?? same[0] ?? null;
}
