/** Files that ship beside the code: shaders, configurations, descriptions, and the built worker entry points. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorCode, R2poError } from '../errors.ts';

/** The package root, the same for `src/` (tests) and `dist/` (installed): the nearest folder upwards with `shaders/`. */
const packageRoot: string = (() => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!(existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'shaders')))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new R2poError('assets', 'found no package root above this file; reinstall the package');
    folder = parent;
  }
  return folder;
})();

/** Absolute path of a shipped file, given relative to the package root with forward slashes. */
export function assetPath(file: string): string {
  return join(packageRoot, ...file.split('/'));
}

/** This module is in `src/` (tests) or in `dist/` (installed), in a bundle at another depth. */
const codeFolder = relative(packageRoot, fileURLToPath(import.meta.url)).split(sep)[0]!;

/** Absolute path of a data file beside the code, given relative to `src/` with forward slashes: the build copies it to `dist/`. */
export function besideCode(file: string): string {
  return assetPath(`${codeFolder}/${file}`);
}

/** Text of a shipped file. */
export function readAsset(file: string): string {
  try {
    return readFileSync(assetPath(file), 'utf8');
  } catch (cause) {
    throw new R2poError('assets', `expected the shipped file "${file}", found none; reinstall the package`, {
      cause,
    });
  }
}

let ownVersion: string | null = null;

/** Version of this package. */
export function programVersion(): string {
  ownVersion ??= (JSON.parse(readAsset('package.json')) as { version: string }).version;
  return ownVersion;
}

/** Version of an installed package, null where it is missing. */
export function packageVersion(name: string): string | null {
  try {
    return (createRequire(import.meta.url)(`${name}/package.json`) as { version: string }).version;
  } catch (error) {
    if (errorCode(error) === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}
