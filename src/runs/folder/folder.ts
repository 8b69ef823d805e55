/** Run folders: creates new ones without overwriting, and finds the one to resume. */
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { quotedCommand } from '../../base/command-line.ts';
import { errorCode, UsageError } from '../../base/errors.ts';
import { jsonText } from '../../base/json.ts';
import { cannotUse, faultWords } from '../../base/machine-fault.ts';
import { claimFolder, clearDeadDraftsOnce, draftName, replaceFile, syncFolder } from '../../base/node/atomic-file.ts';
import { makeFolder } from '../../base/node/make-folder.ts';
import { byNaturalOrder, listFolder } from '../../base/node/walk.ts';
import { earlierDefaults } from '../../config/earlier.ts';
import { configName, manifestName } from '../../config/recorded.ts';
import { openConfig } from '../../config/resolve.ts';
import { asksModels, type Config, modelOf } from '../../config/schema.ts';
import { findEnv } from '../../envs/registry.ts';
import { findMethod, methodId } from '../../methods/index.ts';
import { eventsName } from '../journal/journal.ts';
import { withListPrices, withPricesOf } from '../models/cost.ts';
import { differingKeys, runHash } from './identity.ts';
import { lostError, lostFiles, restoreLost } from './lost-files.ts';
import { type BranchOrigin, type Manifest, newManifest, readManifest } from './manifest.ts';
import { recordedSource } from './module-source.ts';

export interface RunLocation {
  readonly runsDir: string;
  /** folder name given by the user; null: made from the configuration */
  readonly name: string | null;
}

/** A folder name that is valid on every system, and not a path. */
const plainName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;

export function checkName(name: string): void {
  if (plainName.test(name)) return;
  throw new UsageError('--name', `expected a folder name of letters, digits, ".", "_" and "-", got "${name}"`);
}

/** The folder of a configuration among others: `cartpole-r2po-s3-1a2b3c4d` */
export function runFolderName(config: Config): string {
  const hash = runHash(config).slice(0, 8);
  return `${findEnv(config.env).folder}-${methodId(config.method)}-s${config.seed}-${hash}`;
}

/** The first events of another run, with which a branch begins. */
export interface RunStart {
  readonly origin: BranchOrigin;
  /** name of the folder of the branch */
  readonly name: string;
  /** Writes the record of the branch. */
  readonly write: (path: string) => void;
}

export interface NewRun {
  readonly config: Config;
  /** left out: the run begins with nothing */
  readonly start?: RunStart | undefined;
  /** text of `config.yaml` */
  readonly yaml: string;
  readonly argv: readonly string[];
  /** ms since 1970 */
  readonly now: number;
}

/** The run with the known prices of its models, which are frozen in its folder. */
export async function withPrices(run: NewRun): Promise<NewRun> {
  const config = await withListPrices(run.config);
  return config === run.config ? run : { ...run, config, yaml: stringify(config) };
}

/** Makes a hidden folder with the configuration and the manifest of a new run. */
function draftRun(runsDir: string, base: string, { config, yaml, argv, now, start }: NewRun): string {
  makeFolder(runsDir);
  clearDeadDraftsOnce(runsDir);
  const draft = draftName(join(runsDir, `.${base}`));
  mkdirSync(draft);
  replaceFile(join(draft, configName), yaml, 'durable');
  start?.write(join(draft, eventsName));
  const env = findEnv(config.env);
  const manifest = newManifest({
    ...(start && { branch: start.origin }),
    ...recordedSource(env, findMethod(config.method)),
    status: 'running',
    argv: [...argv],
    created: new Date(now).toISOString(),
    config_hash: runHash(config, start?.origin),
    env: env.id,
    method: methodId(config.method),
    seed: config.seed,
    backend: null,
    adapter: null,
    model: modelOf(config),
    model_kind: null,
    stopped: null,
  });
  replaceFile(join(draft, manifestName), jsonText(manifest), 'durable');
  return draft;
}

function cannotMake(runsDir: string, cause: unknown): unknown {
  if (cause instanceof UsageError) return cause;
  return cannotUse('--runs-dir', 'a folder that can be written to', runsDir, cause);
}

const takenName = (target: string): UsageError =>
  new UsageError(
    '--name',
    `expected a new folder, got "${target}", which exists; choose another name, or resume it with --resume`,
  );

/** Throws the usage errors that `createRunFolder` would throw for the name, before the work whose result it is for. */
export function checkNewFolder({ runsDir, name }: { readonly runsDir: string; readonly name: string }): void {
  checkName(name);
  const target = join(runsDir, name);
  if (existsSync(target)) throw takenName(target);
}

/**
 * Makes the folder of a new run, with its configuration and its manifest inside, in one step: a process that is killed
 * meanwhile leaves no half-made run. A taken name gets a number (`-2`), one given by the user is refused.
 * Returns the path. Throws a usage error when the folder cannot be made.
 */
export function createRunFolder({ runsDir, name }: RunLocation, run: NewRun): string {
  if (name !== null) checkName(name);
  const base = name ?? runFolderName(run.config);
  try {
    const draft = draftRun(runsDir, base, run);
    for (let number = 1; ; number++) {
      const target = join(runsDir, number === 1 ? base : `${base}-${number}`);
      if (claimFolder(draft, target)) {
        syncFolder(runsDir);
        return target;
      }
      if (name !== null) {
        rmSync(draft, { recursive: true, force: true });
        throw takenName(target);
      }
    }
  } catch (cause) {
    throw cannotMake(runsDir, cause);
  }
}

/**
 * The folder of a configuration, created when it is missing. Its name is the same on every machine. Throws a
 * usage error when it cannot be made, or its name is taken by another configuration.
 */
export function ensureRunFolder(runsDir: string, run: NewRun): string {
  const name = run.start?.name ?? runFolderName(run.config);
  const target = join(runsDir, name);
  try {
    if (!existsSync(target)) {
      const draft = draftRun(runsDir, name, run);
      if (claimFolder(draft, target)) syncFolder(runsDir);
      else rmSync(draft, { recursive: true, force: true });
    }
  } catch (cause) {
    throw cannotMake(runsDir, cause);
  }
  const { config_hash: found } = requireRun(target);
  const wanted = runHash(run.config, run.start?.origin);
  if (found === wanted) return target;
  throw new UsageError(
    'run folder',
    `expected the run ${wanted} in "${target}", got ${found}; move that folder away, or choose another --runs-dir`,
  );
}

/** The configuration that a run folder was made for. Throws a usage error when it is missing or damaged. */
export async function readRunConfig(folder: string): Promise<Config> {
  const file = await openConfig(join(folder, configName), earlierDefaults);
  return (await file.resolve()).config;
}

/** The manifest of a folder that must be a run. */
export function requireRun(folder: string): Manifest {
  const manifest = readManifest(folder);
  if (manifest) return manifest;
  const found = statSync(folder, { throwIfNoEntry: false }) ? `no ${manifestName} in it` : 'no such folder';
  throw new UsageError('run folder', `expected a run folder at "${folder}", got ${found}; see "r2po run --help"`);
}

/** Refuses an imported training, which has rewards but no policy, prompts or configuration of ours. */
export function refuseTraining(folder: string, { imported }: Manifest, unit: string): void {
  if (!imported?.training) return;
  const { format, layout, training } = imported;
  const rest =
    training.resume === undefined
      ? `an imported training (${format}, ${layout}) that has rewards only; read it with "r2po report" or "r2po export --format csv"`
      : `a training with ${format}, whose record has rewards only; resume it with "${quotedCommand(['baseline', folder, '--resume'])}", ` +
        'play its policy with "r2po eval --policy", or read it with "r2po report"';
  throw new UsageError(unit, `expected a run with policies, got "${folder}", ${rest}`);
}

/** Refuses an imported run: its calls cannot be made again. */
export function refuseImported(folder: string, manifest: Manifest, unit: string): void {
  refuseTraining(folder, manifest, unit);
  const { imported } = manifest;
  if (!imported) return;
  throw new UsageError(
    unit,
    `expected a run of this program, got "${folder}", which was imported from a log (${imported.format}, ` +
      `${imported.layout}) and has no requests and seeds to repeat; read it with "r2po export"`,
  );
}

export interface KnownRun {
  readonly folder: string;
  readonly manifest: Manifest;
}

/** The readable runs in a folder, newest first. Anything else in it is ignored. */
function listRuns(runsDir: string): KnownRun[] {
  let names: readonly string[];
  try {
    names = listFolder(runsDir, true).folders;
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return [];
    throw new UsageError('--runs-dir', `cannot read "${runsDir}": ${faultWords(cause)}`, cause);
  }
  const runs = names.flatMap((name): KnownRun[] => {
    if (name.startsWith('.')) return [];
    const folder = join(runsDir, name);
    try {
      const manifest = readManifest(folder);
      return manifest && !manifest.imported ? [{ folder, manifest }] : [];
    } catch (error) {
      if (error instanceof UsageError) return [];
      throw error;
    }
  });
  // Later folders of equal age have longer or higher names.
  return runs.sort(
    (a, b) => b.manifest.created.localeCompare(a.manifest.created) || byNaturalOrder(b.folder, a.folder),
  );
}

/** The runs of a folder by the hash of their configuration: a finished one first, else the newest. */
export function indexRuns(runsDir: string): Map<string, KnownRun> {
  const index = new Map<string, KnownRun>();
  for (const run of listRuns(runsDir)) {
    const { config_hash: hash, status } = run.manifest;
    const known = index.get(hash);
    if (!known || (status === 'finished' && known.manifest.status !== 'finished')) index.set(hash, run);
  }
  return index;
}

/** A run to resume, and the configuration that it resumes with. */
export interface FoundRun {
  readonly folder: string;
  readonly config: Config;
}

/** A run with the prices of its start, which its folder keeps, where the configuration sets no others. */
async function withStartPrices(folder: string, config: Config): Promise<FoundRun> {
  const frozen = withPricesOf(await readRunConfig(folder), config);
  const isLimited = asksModels(frozen) && frozen.budget.max_cost_usd !== null;
  return { folder, config: isLimited ? await withListPrices(frozen) : frozen };
}

/**
 * The run folder that `--resume` resumes: the named one, else the newest unfinished one of this configuration, else
 * its newest finished one. `asEarlier` is the configuration with the defaults of earlier versions: a run of such a version
 * resumes with it. `repair`: the command that has the named one get files back that it has lost; left out: it is refused.
 * Throws a usage error when there is none, or when the named one belongs to another configuration.
 */
export async function findRunToResume(
  { runsDir, name }: RunLocation,
  config: Config,
  asEarlier: Config = config,
  repair?: { readonly argv: readonly string[] },
): Promise<FoundRun> {
  const choicesOf = (branch?: BranchOrigin) =>
    [config, asEarlier].map((choice) => ({ hash: runHash(choice, branch), config: choice }));
  const choiceOf = ({ config_hash, branch }: Manifest) => choicesOf(branch).find(({ hash }) => hash === config_hash);
  const different = async (folder: string) => {
    try {
      const keys = differingKeys(await readRunConfig(folder), config);
      return keys.length === 0 ? 'its configuration file was changed' : keys.join(', ');
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      return `its configuration, which cannot be used here (${error.detail})`;
    }
  };
  if (name !== null) {
    checkName(name);
    const folder = join(runsDir, name);
    const lost = lostFiles(folder);
    if (lost.length > 0 && !repair) throw lostError(folder, lost);
    if (lost.length > 0) await restoreLost(folder, lost, [config, asEarlier], repair!.argv);
    const manifest = requireRun(folder);
    refuseImported(folder, manifest, '--resume');
    const choice = choiceOf(manifest);
    if (choice) return withStartPrices(folder, choice.config);
    throw new UsageError(
      '--resume',
      `"${folder}" is a run of another configuration: ${await different(folder)}; start a new run without --resume`,
    );
  }
  const runs = listRuns(runsDir);
  for (const choice of choicesOf()) {
    const same = runs.filter(({ manifest }) => manifest.config_hash === choice.hash);
    const chosen = same.find(({ manifest }) => manifest.status !== 'finished') ?? same[0];
    if (chosen) return withStartPrices(chosen.folder, choice.config);
  }
  const { id } = findEnv(config.env);
  const method = methodId(config.method);
  const near = runs.find(({ manifest }) => manifest.env === id && manifest.method === method);
  const hint = near ? `; "${near.folder}" differs in ${await different(near.folder)}` : '';
  throw new UsageError(
    '--resume',
    `expected a run of this configuration under "${runsDir}", got nothing to resume${hint}; start one without --resume`,
  );
}
