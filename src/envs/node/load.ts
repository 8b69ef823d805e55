/** Environments from the user's own files: a module that exports what `defineEnv` gives, and a `.wgsl` beside it. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UsageError } from '../../base/errors.ts';
import { isModulePath } from '../../base/module-path.ts';
import { sourceDigest } from '../../base/node/module-source.ts';
import { readRegularText } from '../../base/node/read-file.ts';
import { UserModules } from '../../base/node/user-modules.ts';
import type { Env, EnvOptions, ShaderText } from '../env.ts';
import { envs } from '../index.ts';
import { findEnv, registerEnv, withEnvOptions } from '../registry.ts';

const unit = '--env';
const modules = new UserModules({
  unit,
  noun: 'an environment',
  trustOption: '--trust-env',
  provided: { name: 'r2po-webgpu/env', load: () => import('../authoring.ts') },
});

const shaderPath = (module: string, env: Env): string => join(dirname(module), `${env.folder}.wgsl`);

function shaderBeside(module: string, env: Env): ShaderText {
  const path = shaderPath(module, env);
  try {
    // WGSL has no byte order mark, which some editors write.
    return { path, text: readRegularText(path).replace(/^\uFEFF/, '') };
  } catch (cause) {
    throw new UsageError(env.id, `expected the environment's shader "${path}", cannot read it; write it`, cause);
  }
}

function isEnv(value: unknown): value is Env {
  return typeof value === 'object' && value !== null && 'dynamics' in value && 'params' in value && 'id' in value;
}

/** Digest of the source of each loaded module and its shader, by its path. */
const digests = new Map<string, string>();

/** Lets run folders and jobs use the environment at `path`, which the user names. Throws a usage error when it is missing. */
export function trustEnv(path: string): void {
  modules.trust(path);
}

/**
 * Loads the environment at `path`, which the user names: a module (JavaScript or TypeScript) or a folder with an index
 * file. `findEnv` knows it by its absolute path. Its default export, or its one export that is an environment, counts.
 * Throws a usage error when there is none, or when its id is that of an environment of this package.
 */
export async function loadEnv(path: string): Promise<Env> {
  return await importEnv(modules.trust(path));
}

/**
 * As `loadEnv`, for a path out of a run folder or a job. The module that the user has named is loaded, also where the path
 * is a link to it. Throws an `UntrustedModuleError` for any other module.
 */
export async function loadRecordedEnv(path: string): Promise<Env> {
  const { file, recorded } = modules.trusted(path);
  return await importEnv(file, recorded);
}

/** Digest of the source that the environment was loaded from; null: an environment of this package. */
export function sourceOf({ module }: Env): string | null {
  return module === null ? null : (digests.get(module) ?? null);
}

/** Digest of the module alone, which plays on the cpu; null: an environment of this package. */
export function codeOf({ module }: Env): string | null {
  return module === null ? null : modules.digestOf(module);
}

/** `name`: the path by which `findEnv` knows it. */
async function importEnv(file: string, name = file): Promise<Env> {
  const env = await modules.importOne(file, isEnv, 'defineEnv');
  if (envs.some(({ id }) => id === env.id)) {
    throw new UsageError(
      unit,
      `expected an id of its own in "${file}", got "${env.id}", which is ours; choose another`,
    );
  }
  digests.set(file, sourceDigest(file, shaderPath(file, env)));
  return registerEnv(env, { name, module: file, shader: () => shaderBeside(file, env) });
}

/** `findEnv` for names and paths that the user names; a path is loaded first. */
export async function openEnv(name: string, options: EnvOptions = {}): Promise<Env> {
  if (isModulePath(name)) return withEnvOptions(await loadEnv(name), options);
  try {
    return findEnv(name, options);
  } catch (error) {
    // `examples/thermostat` is no name, and looks like a path to everybody.
    if (!(error instanceof UsageError) || !existsSync(name)) throw error;
    throw new UsageError(unit, `expected the name of an environment or a path, got "${name}"; write ./${name}`, error);
  }
}
