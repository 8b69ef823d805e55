/** A configuration file with the files that it extends, and what they say together. */
import { dirname, join, normalize, resolve } from 'node:path';
import { UsageError } from '../base/errors.ts';
import type { InputText } from './input.ts';
import { showValue } from './problems.ts';
import { parseYaml, type YamlText } from './yaml-text.ts';

/** A text with the folder that its relative paths start from. */
export interface Source extends InputText {
  readonly folder: string;
}

export interface Layer extends YamlText {
  readonly name: string;
  readonly folder: string;
}

type Section = Record<string, unknown>;

/** No chain of people's files is longer; one that is runs in a circle. */
const mostFiles = 20;

/** Sections that are one thing: a file that sets one replaces it, as the options of one kind mean nothing to another. */
const whole: readonly string[] = ['policy', 'env_options'];

export function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The file as a layer. Throws a `UsageError` where it is no mapping. */
export function parseLayer({ name, text, folder }: Source): Layer {
  const yaml = parseYaml('config', { name, text });
  if (isSection(yaml.value)) return { ...yaml, name, folder };
  const got = yaml.value === null || yaml.value === undefined ? 'nothing' : showValue(yaml.value);
  throw new UsageError('config', `${yaml.locate([], 'value')}: expected a mapping of keys to values, got ${got}`);
}

/**
 * The layers of a configuration, what is extended first. `extends: defaults.yaml` or a list of paths, each from the
 * folder of the file; later ones win, and the file itself wins over all of them.
 */
export async function readLayers(source: Source, read: (path: string) => Promise<InputText>): Promise<Layer[]> {
  const layers: Layer[] = [];
  let files = 0;
  const visit = async (from: Source): Promise<void> => {
    const layer = parseLayer(from);
    for (const path of extended(layer)) {
      files++;
      const name = join(dirname(layer.name), path);
      const at = layer.locate(['extends'], 'value');
      if (files > mostFiles) {
        throw new UsageError('config', `${at}: expected at most ${mostFiles} files, got more; does one extend itself?`);
      }
      const file = resolve(layer.folder, path);
      let input: InputText;
      try {
        input = await read(file);
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        throw new UsageError('config', `${at}: ${error.detail}`, error);
      }
      await visit({ text: input.text, name: normalize(name), folder: dirname(file) });
    }
    layers.push(layer);
  };
  await visit(source);
  return layers;
}

function extended(layer: Layer): string[] {
  const value = (layer.value as Section).extends;
  const paths = value === undefined ? [] : Array.isArray(value) ? value : [value];
  for (const path of paths) {
    if (typeof path === 'string' && path.trim() !== '') continue;
    const at = layer.locate(['extends'], 'value');
    throw new UsageError(
      'config',
      `${at}: expected the path of a file or a list of paths in "extends", got ${showValue(path)}`,
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
