/**
 * The shipped configurations, and where the text of a configuration comes from. `<environment>/<method>` is composed of
 * `configs/<environment>/defaults.yaml` and `configs/methods/<method>.yaml`, unless a file of that name exists.
 */
import { dirname, join, normalize, resolve, sep } from 'node:path';
import { nearest, UsageError } from '../base/errors.ts';
import { isModulePath } from '../base/module-path.ts';
import { assetPath } from '../base/node/assets.ts';
import { listFolder } from '../base/node/walk.ts';
import { envs } from '../envs/index.ts';
import { methods } from '../methods/index.ts';
import { optimiserOf } from '../methods/optimiser-method.ts';
import { kindOfPath, readFileInput, readInput } from './input.ts';
import type { Source } from './layers.ts';
import { isInRunFolder } from './recorded.ts';

const suffix = '.yaml';
const methodsFolder = 'methods';
/** Settings of an environment for all methods. */
const defaultsName = 'defaults';

const namesIn = (folder: string): string[] =>
  listFolder(assetPath(join('configs', folder)))
    .files.filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, -suffix.length));

/** Whether an optimiser searches the parameters of the environment's policy: a table where states are numbered. */
function isSearched(folder: string, method: string): boolean {
  const known = methods.find(({ id }) => id === method);
  const optimiser = known ? optimiserOf(known) : null;
  const env = envs.find((one) => one.folder === folder);
  if (optimiser === null || env === undefined) return true;
  return optimiser.searches.includes(env.observation.kind === 'discrete' ? 'choice' : 'real');
}

/** Names of the shipped configurations, as `r2po run` takes them: `cartpole/r2po`. */
export function shippedConfigs(): string[] {
  return composedConfigs().filter((name) => isSearched(...(name.split('/') as [string, string])));
}

/** Those and the ones whose optimiser does not fit the environment, which say so when they are resolved. */
function composedConfigs(): string[] {
  const methods = namesIn(methodsFolder);
  return listFolder(assetPath('configs'))
    .folders.filter((folder) => folder !== methodsFolder)
    .flatMap((folder) => {
      const own = namesIn(folder);
      const composed = own.includes(defaultsName) ? methods : [];
      const names = new Set([...own, ...composed].filter((name) => name !== defaultsName));
      return [...names].map((name) => `${folder}/${name}`);
    })
    .sort();
}

/**
 * `cartpole/./my-method.ts`: the settings of an environment with a method of the user, whose path is relative to the working
 * directory. Null: no such name.
 */
function withOwnMethod(name: string): Source | null {
  const [, folder = '', method = ''] = /^([a-z0-9-]+)\/(.+)$/.exec(name) ?? [];
  if (!isModulePath(method)) return null;
  if (kindOfPath(assetPath(join('configs', folder, `${defaultsName}${suffix}`))) !== 'file') return null;
  const [usual] = methods;
  const base = `extends: [${defaultsName}${suffix}, ../${methodsFolder}/${usual!.id}${suffix}]\n`;
  return {
    name,
    text: `${base}method: ${JSON.stringify(resolve(method))}\n`,
    path: resolve(name),
    folder: assetPath(`configs/${folder}`),
    isRecorded: false,
    isShipped: false,
  };
}

/** Whether a path is that of a file of this package. */
const isShippedPath = (path: string): boolean => resolve(path).startsWith(assetPath('configs') + sep);

async function readShipped(name: string): Promise<Source> {
  const shown = `configs/${name}`;
  const path = assetPath(`configs/${name}${suffix}`);
  if (kindOfPath(path) === 'file') return readFile(`${shown}${suffix}`, path);
  const [folder, method] = name.split('/');
  const text = `extends: [${defaultsName}${suffix}, ../${methodsFolder}/${method}${suffix}]\n`;
  return { name: shown, text, path, folder: assetPath(`configs/${folder}`), isRecorded: false, isShipped: true };
}

/** `read`: how the file may be given */
async function readFile(
  name: string,
  path: string,
  read: typeof readInput | typeof readFileInput = readFileInput,
): Promise<Source> {
  const { text } = await read('config', path, 'a configuration file');
  const kept = { isRecorded: isInRunFolder(path), isShipped: isShippedPath(path) };
  return { name, text, path: resolve(path), folder: dirname(path), ...kept };
}

/**
 * Reads the file at a path, or else the shipped configuration of that name. `from`: the extending file; paths are relative to
 * its folder. Throws a `UsageError` with the nearest name.
 */
export async function readSource(nameOrPath: string, from?: Source): Promise<Source> {
  const path = from ? resolve(from.folder, nameOrPath) : nameOrPath;
  const found = kindOfPath(path);
  const isFile = found === 'file';
  if (!isFile && composedConfigs().includes(nameOrPath)) return readShipped(nameOrPath);
  const own = isFile || found === 'folder' ? null : withOwnMethod(nameOrPath);
  if (own !== null) return own;
  const shipped = isFile ? [] : shippedConfigs();
  // Clearly a path: reading it reports the error.
  if (isFile || found === 'folder' || /\.ya?ml$|^\.{0,2}[/\\]/.test(nameOrPath)) {
    const { name, ...source } = await readFile(path, path, from ? readFileInput : readInput);
    return { ...source, name: from ? normalize(join(dirname(from.name), nameOrPath)) : name };
  }
  const near = nearestShipped(nameOrPath, shipped);
  throw new UsageError(
    'config',
    `expected the path of a configuration file or the name of a shipped one, got "${nameOrPath}"; ` +
      `${near ? `did you mean "${near}"? ` : ''}shipped are <environment>/<method>: ${sameFolder(shipped, nameOrPath).join(', ')}`,
  );
}

/** For the name of an environment alone, its settings for the first method. */
function nearestShipped(name: string, shipped: readonly string[]): string | null {
  const homes = envs.flatMap(({ id, folder }) => [
    { name: id, folder },
    { name: folder, folder },
  ]);
  const known = homes.map((home) => home.name);
  const found = homes.find((home) => home.name === name) ?? homes[known.indexOf(nearest(name, known) ?? '')];
  const [first] = methods;
  return name.includes('/') || found === undefined ? nearest(name, shipped) : `${found.folder}/${first!.id}`;
}

/** The shipped configurations of the environment in `name`, or the folders of all environments. */
function sameFolder(shipped: readonly string[], name: string): string[] {
  const folder = (path: string): string => path.split('/')[0]!;
  const same = shipped.filter((path) => folder(path) === folder(name));
  return same.length > 0 ? same : [...new Set(shipped.map((path) => `${folder(path)}/...`))];
}
