/**
 * Environments from the user's own files: a module that exports what `defineEnv` gives, and a `.wgsl` beside it. Loading one
 * runs its code, so a path counts only where the user names it; a run folder or a job may come from somebody else.
 */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from '../../base/errors.ts';
import { readRegularText } from '../../base/node/read-file.ts';
import type { Env, EnvOptions, ShaderText } from '../env.ts';
import { envs } from '../index.ts';
import { findEnv, isEnvPath, registerEnv, withEnvOptions } from '../registry.ts';
import { sourceDigest } from './source.ts';

const unit = '--env';
const entries = ['index.ts', 'index.js', 'index.mjs'];

/** The module that a path means: the file itself, or the index file of a folder. */
function modulePath(path: string): string {
  const full = resolve(path);
  const found = statSync(full, { throwIfNoEntry: false });
  if (found === undefined) {
    const remedy = 'give the path of a .ts or .js file, or of a folder with an index.ts';
    throw new UsageError(unit, `expected an environment's module at "${path}", found nothing; ${remedy}`);
  }
  if (found.isFile()) return full;
  if (!found.isDirectory()) {
    throw new UsageError(unit, `expected an environment's module at "${path}", got a pipe or a device; name a file`);
  }
  const entry = entries.map((name) => join(full, name)).find((file) => existsSync(file));
  if (entry === undefined) {
    throw new UsageError(unit, `expected one of ${entries.join(', ')} in the folder "${path}", found none; add one`);
  }
  return entry;
}

async function importModule(file: string): Promise<Record<string, unknown>> {
  // Reads TypeScript too, and gives every file the `defineEnv` of this program, wherever the file lies.
  const { createJiti } = await import('jiti');
  const authoring = await import('../authoring.ts');
  const jiti = createJiti(import.meta.url, { fsCache: false, virtualModules: { 'r2po-webgpu/env': authoring } });
  try {
    return await jiti.import<Record<string, unknown>>(file);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(unit, `cannot use the environment's module "${file}": ${text}`, cause);
  }
}

const shaderPath = (module: string, env: Env): string => join(dirname(module), `${env.folder}.wgsl`);

function shaderBeside(module: string, env: Env): ShaderText {
  const path = shaderPath(module, env);
  try {
    return { path, text: readRegularText(path) };
  } catch (cause) {
    throw new UsageError(env.id, `expected the environment's shader "${path}", cannot read it; write it`, cause);
  }
}

function isEnv(value: unknown): value is Env {
  return typeof value === 'object' && value !== null && 'dynamics' in value && 'params' in value && 'id' in value;
}

/** A run folder or a job names a module that the user of this process has not named. */
export class UntrustedModuleError extends UsageError {}

/** The modules that the user has named in this process, as named, by their real paths. */
const trusted = new Map<string, string>();
/** Digest of the source of each loaded module, by its path. */
const digests = new Map<string, string>();

/** Lets run folders and jobs use the environment at `path`, which the user names. Throws a usage error when it is missing. */
export function trustEnv(path: string): void {
  const file = modulePath(path);
  trusted.set(realpathSync(file), file);
}

/**
 * Loads the environment at `path`, which the user names: a module (JavaScript or TypeScript) or a folder with an index
 * file. `findEnv` knows it by its absolute path. Its default export, or its one export that is an environment, counts.
 * Throws a usage error when there is none, or when its id is that of an environment of this package.
 */
export async function loadEnv(path: string): Promise<Env> {
  trustEnv(path);
  return await importEnv(modulePath(path));
}

/**
 * As `loadEnv`, for a path out of a run folder or a job. The module that the user has named is loaded, also where the path
 * is a link to it. Throws an `UntrustedModuleError` for any other module.
 */
export async function loadRecordedEnv(path: string): Promise<Env> {
  const recorded = modulePath(path);
  const file = trusted.get(realpathSync(recorded));
  if (file === undefined) {
    throw new UntrustedModuleError(
      unit,
      `expected an environment that this command names, got the module "${recorded}" out of a record, and loading it ` +
        `runs its code; read it, then add --trust-env ${recorded}`,
    );
  }
  return await importEnv(file, recorded);
}

/** Digest of the source that the environment was loaded from; null: an environment of this package. */
export function sourceOf({ module }: Env): string | null {
  return module === null ? null : (digests.get(module) ?? null);
}

/** `name`: the path by which `findEnv` knows it. */
async function importEnv(file: string, name = file): Promise<Env> {
  const exported = await importModule(file);
  const found = isEnv(exported.default) ? [exported.default] : [...new Set(Object.values(exported).filter(isEnv))];
  if (found.length !== 1) {
    const names = Object.keys(exported).join(', ') || 'nothing';
    throw new UsageError(
      unit,
      `expected "${file}" to export one environment made by defineEnv, as its default; it exports ${names}`,
    );
  }
  const [env] = found;
  if (envs.some(({ id }) => id === env!.id)) {
    throw new UsageError(
      unit,
      `expected an id of its own in "${file}", got "${env!.id}", which is ours; choose another`,
    );
  }
  digests.set(file, sourceDigest(file, shaderPath(file, env!)));
  return registerEnv(env!, { name, module: file, shader: () => shaderBeside(file, env!) });
}

/** `findEnv` for names and paths that the user names; a path is loaded first. */
export async function openEnv(name: string, options: EnvOptions = {}): Promise<Env> {
  return isEnvPath(name) ? withEnvOptions(await loadEnv(name), options) : findEnv(name, options);
}
