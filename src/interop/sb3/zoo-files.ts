/**
 * What rl-zoo writes beside a training: `args.yml`, the arguments of the command, and `config.yml`, the hyperparameters.
 * Both are ordered dictionaries that Python's YAML tags as objects; only plain values are taken.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../base/errors.ts';
import type { InputText } from '../../base/input-text.ts';
import { listFolder } from '../../base/node/walk.ts';
import { parseYaml } from '../../config/yaml-text.ts';
import type { ImportLog } from '../common/import-log.ts';
import { readText } from '../reference/files.ts';

const argsName = 'args.yml';
const settingsName = 'config.yml';

export interface ZooFiles {
  /** null: no readable `args.yml` */
  readonly args: Readonly<Record<string, unknown>> | null;
  /** null: no readable `config.yml` */
  readonly hyperparams: Readonly<Record<string, unknown>> | null;
}

/** The folder of the two files: rl-zoo puts them into one named after the environment. */
function settingsFolder(folder: string): string | null {
  const inside = listFolder(folder).folders.map((name) => join(folder, name));
  return (
    [folder, ...inside].find((path) => [argsName, settingsName].some((name) => existsSync(join(path, name)))) ?? null
  );
}

/** A dictionary out of pairs or of a mapping; null for anything else. */
function dictionary(value: unknown): Record<string, unknown> | null {
  if (Array.isArray(value)) {
    const pairs = value.length === 1 && Array.isArray(value[0]) && Array.isArray(value[0][0]) ? value[0] : value;
    const fits = pairs.every(
      (pair: unknown) => Array.isArray(pair) && pair.length === 2 && typeof pair[0] === 'string',
    );
    return fits ? Object.fromEntries(pairs as [string, unknown][]) : null;
  }
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
}

async function readDictionary(path: string, importLog: ImportLog): Promise<Record<string, unknown> | null> {
  if (!existsSync(path)) return null;
  const read = await readText(path, importLog.digest);
  if (!('text' in read)) {
    importLog.skip(path, read);
    return null;
  }
  const values = valuesIn({ name: path, text: read.text });
  importLog.done(path, values ? null : { expected: 'a dictionary of settings', found: 'another text' });
  return values;
}

function valuesIn(input: InputText): Record<string, unknown> | null {
  try {
    return dictionary(parseYaml('import', input, { tags: true }).value);
  } catch (error) {
    if (error instanceof UsageError) return null;
    throw error;
  }
}

/** Both files of the training in `folder`, as far as they are there and readable; problems are logged. */
export async function readZooFiles(folder: string, importLog: ImportLog): Promise<ZooFiles> {
  let place: string | null = null;
  try {
    place = settingsFolder(folder);
  } catch {
    // A folder that cannot be listed is reported where its logs are looked for.
  }
  if (place === null) return { args: null, hyperparams: null };
  return {
    args: await readDictionary(join(place, argsName), importLog),
    hyperparams: await readDictionary(join(place, settingsName), importLog),
  };
}
