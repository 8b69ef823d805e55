/** A configuration file with the files that it extends, and what they say together. */
import { UsageError } from '../base/errors.ts';
import type { InputText } from './input.ts';
import { showValue } from './problems.ts';
import { parseYaml, type YamlText } from './yaml-text.ts';

/** The text of a file. */
export interface Source extends InputText {
  /** absolute; of a composed configuration where its file would be */
  readonly path: string;
  /** where its relative paths start from */
  readonly folder: string;
}

export interface Layer extends YamlText {
  readonly name: string;
  readonly folder: string;
}

type Section = Record<string, unknown>;

/** More than any configuration needs; without a limit, files that each extend two others multiply. */
const maxFiles = 20;

/** Sections that are one thing: a file that sets one replaces it, as the options of one kind mean nothing to another. */
const whole: readonly string[] = ['policy', 'env_options'];

export function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The file as a layer. Throws a `UsageError` where it is no mapping. */
export function parseLayer({ name, text, folder }: Omit<Source, 'path'>): Layer {
  const yaml = parseYaml('config', { name, text });
  if (isSection(yaml.value)) return { ...yaml, name, folder };
  const got = yaml.value === null || yaml.value === undefined ? 'nothing' : showValue(yaml.value);
  throw new UsageError('config', `${yaml.locate([], 'value')}: expected a mapping of keys to values, got ${got}`);
}

/**
 * The layers of a configuration, what is extended first. `extends: defaults.yaml` or a list of paths, each from the folder
 * of the file, or names of shipped configurations; later ones win, and the file itself wins over all of them.
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

/** What `read` returns; its error is said at the entry `at` of the file that extends. */
async function readExtended(at: string, read: () => Promise<Source>): Promise<Source> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError('config', `${at}: ${error.detail}`, error);
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
      `${at}: expected a path, the name of a shipped configuration, or a list of them in "extends", got ${showValue(path)}`,
    );
  }
  return paths;
}

/** `over` laid over `base`: sections are joined key by key, everything else is replaced. */
export function merge(base: Section, over: Section): Section {
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = Object.hasOwn(base, key) ? base[key] : undefined;
    const joined = isSection(value) && isSection(below) && !whole.includes(key) ? merge(below, value) : value;
    Object.defineProperty(result, key, { value: joined, enumerable: true, configurable: true, writable: true });
  }
  return result;
}

/** What all layers say together, without `extends`. */
export function mergeLayers(layers: readonly Layer[]): Section {
  const { extends: _, ...rest } = layers.reduce<Section>((base, layer) => merge(base, layer.value as Section), {});
  return rest;
}

/** The layer that has the last word on `path`: the last that has it, or has most of it. */
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
