/** A configuration file and the files that it extends, merged. */
import { UsageError } from '../base/errors.ts';
import type { InputText } from '../base/input-text.ts';
import { shown } from '../base/shown.ts';
import { parseYaml, type YamlText } from './yaml-text.ts';

export interface Source extends InputText {
  /** absolute; of a composed configuration, the path its file would have */
  readonly path: string;
  /** base of its relative paths */
  readonly folder: string;
  /** true: out of a run folder or a job, which somebody else may have made; false: the user names it */
  readonly isRecorded: boolean;
  /** true: a file of this package, whose settings are those of an environment for all methods */
  readonly isShipped: boolean;
}

export interface Layer extends YamlText, Pick<Source, 'name' | 'folder' | 'isRecorded' | 'isShipped'> {}

type Section = Record<string, unknown>;

/** Without a limit, files that each extend two others multiply. */
const maxFiles = 20;

/** Sections that are replaced, not merged: the options of one policy kind mean nothing to another. */
const replaced: readonly string[] = ['policy', 'env_options'];

export function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Throws a `UsageError` unless the file is a mapping. */
export function parseLayer({ name, text, ...of }: Omit<Source, 'path'>): Layer {
  const yaml = parseYaml('config', { name, text });
  if (isSection(yaml.value)) return { ...yaml, name, ...of };
  const got = yaml.value === null || yaml.value === undefined ? 'nothing' : shown(yaml.value);
  throw new UsageError('config', `${yaml.locate([], 'value')}: expected a mapping of keys to values, got ${got}`);
}

/**
 * The layers of a configuration, extended files first. `extends` is a path relative to the folder of the file, the name of
 * a shipped configuration, or a list of them. Later layers take precedence, and the file itself comes last.
 */
export async function readLayers(
  source: Source,
  read: (nameOrPath: string, from: Source) => Promise<Source>,
): Promise<Layer[]> {
  const layers: Layer[] = [];
  const visit = async (from: Source, chain: readonly Source[]): Promise<void> => {
    const layer = parseLayer(from);
    const at = layer.locate(['extends'], 'value');
    for (const nameOrPath of extended(layer)) {
      if (from.isRecorded) throw new UsageError('config', `${at}: expected no "extends" in the configuration of a run`);
      const next = await readExtended(at, () => read(nameOrPath, from));
      const start = chain.findIndex(({ path }) => path === next.path);
      if (start >= 0) {
        const names = [...chain.slice(start), next].map(({ name }) => name);
        throw new UsageError(
          'config',
          `${at}: expected files that do not extend each other, got ${names.join(' -> ')}`,
        );
      }
      await visit(next, [...chain, next]);
    }
    layers.push(layer);
    if (layers.length > maxFiles) {
      throw new UsageError('config', `${at}: expected at most ${maxFiles} files, got more`);
    }
  };
  await visit(source, [source]);
  return layers;
}

/** Adds the location `at` of the `extends` entry to the error of `read`. */
async function readExtended(at: string, read: () => Promise<Source>): Promise<Source> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError('config', `${at}: ${error.detail}; change "extends"`, error);
  }
}

function extended(layer: Layer): string[] {
  const value = (layer.value as Section).extends;
  const paths = value === undefined ? [] : Array.isArray(value) ? value : [value];
  for (const path of paths) {
    if (typeof path === 'string' && path.trim() !== '') continue;
    const at = layer.locate(['extends'], 'value');
    throw new UsageError(
      'config',
      `${at}: expected a path, the name of a shipped configuration, or a list of them in "extends", got ${shown(path)}`,
    );
  }
  return paths;
}

/** Merges `over` into a copy of `base`: sections key by key; other values are replaced. */
export function merge(base: Section, over: Section): Section {
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = Object.hasOwn(base, key) ? base[key] : undefined;
    const joined = isSection(value) && isSection(below) && !replaced.includes(key) ? merge(below, value) : value;
    Object.defineProperty(result, key, { value: joined, enumerable: true, configurable: true, writable: true });
  }
  return result;
}

/** All layers merged, without `extends`. */
export function mergeLayers(layers: readonly Layer[]): Section {
  const { extends: _, ...rest } = layers.reduce<Section>((base, layer) => merge(base, layer.value as Section), {});
  return rest;
}

/** The layer that sets `path`: the last that contains it, or its longest prefix. */
export function layerOf(layers: readonly Layer[], path: readonly string[]): Layer {
  const depth = ({ value }: Layer): number => {
    let section: unknown = value;
    for (const [i, key] of path.entries()) {
      if (!isSection(section) || !Object.hasOwn(section, key)) return i;
      section = section[key];
    }
    return path.length;
  };
  return layers.reduce((a, b) => (depth(b) >= depth(a) ? b : a));
}
