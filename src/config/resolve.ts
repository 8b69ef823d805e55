/** From the command line to a checked configuration. Precedence: defaults < files < overrides < options. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { stringify } from 'yaml';
import { UsageError } from '../base/errors.ts';
import type { InputText } from '../base/input-text.ts';
import { isModulePath } from '../base/module-path.ts';
import { envs } from '../envs/index.ts';
import { loadEnv, loadRecordedEnv } from '../envs/node/load.ts';
import { stepLimitKey } from '../envs/options.ts';
import { isRegisteredMethod, methods, moduleOfMethod } from '../methods/index.ts';
import { loadMethod, loadRecordedMethod } from '../methods/node/load.ts';
import { crossCheck, normalize } from './cross-check.ts';
import { earlierDefaults } from './earlier.ts';
import { isSection, type Layer, layerOf, merge, mergeLayers, parseLayer, readLayers } from './layers.ts';
import { leaves } from './leaves.ts';
import { idleKeys } from './no-effect.ts';
import { applyOverrides, type Override, parseOverrides } from './overrides.ts';
import { describeIssues, foreignMessage, type Problem } from './problems.ts';
import { asksModels, type Config, keysOf, knownKeys, schemaDefaults, schemaFor } from './schema.ts';
import { readSource } from './shipped.ts';

/** Options that set a key of the configuration; undefined: not given. They take precedence over overrides. */
export interface ConfigFlags {
  readonly env?: string | undefined;
  readonly seed?: number | undefined;
  readonly backend?: string | undefined;
  readonly model?: string | undefined;
  readonly maxCalls?: number | undefined;
  readonly maxTokens?: number | undefined;
  readonly maxTime?: number | undefined;
  readonly maxCost?: number | undefined;
  readonly maxEpisodes?: number | undefined;
}

const flagKeys: Readonly<Record<keyof ConfigFlags, { readonly option: string; readonly path: readonly string[] }>> = {
  env: { option: '--env', path: ['env'] },
  seed: { option: '--seed', path: ['seed'] },
  backend: { option: '--backend', path: ['evaluation', 'backend'] },
  model: { option: '--model', path: ['model'] },
  maxCalls: { option: '--max-calls', path: ['budget', 'max_calls'] },
  maxTokens: { option: '--max-tokens', path: ['budget', 'max_tokens'] },
  maxTime: { option: '--max-time', path: ['budget', 'max_time_s'] },
  maxCost: { option: '--max-cost', path: ['budget', 'max_cost_usd'] },
  maxEpisodes: { option: '--max-episodes', path: ['budget', 'max_episodes'] },
};

function flagOverrides(flags: ConfigFlags): Override[] {
  return (Object.keys(flagKeys) as (keyof ConfigFlags)[])
    .filter((flag) => flags[flag] !== undefined)
    .map((flag) => ({ path: flagKeys[flag].path, value: flags[flag], label: flagKeys[flag].option }));
}

/** Dotted names of what a command states itself. */
export function statedKeys(overrideTexts: readonly string[], flags: ConfigFlags = {}): ReadonlySet<string> {
  const stated = [...parseOverrides(overrideTexts), ...flagOverrides(flags)];
  return new Set(stated.flatMap(({ path, value }) => leaves(value, path.join('.')).map(([key]) => key)));
}

export interface ResolvedConfig {
  readonly config: Config;
  /** name of the file, and the overrides in order */
  readonly origin: { readonly file: string; readonly overrides: readonly string[] };
  /** the text of a file that resolves to the same configuration */
  readonly yaml: string;
  /** Whether the value of a key stands in a run folder or a job, and not in the command or in a file of the user. */
  isRecorded(path: readonly string[]): boolean;
}

/** A configuration file that has been read; it can be resolved with several sets of overrides. */
export interface ConfigFile {
  /** name in messages */
  readonly name: string;
  /** Throws a `UsageError` that lists every problem. */
  resolve(overrideTexts?: readonly string[], flags?: ConfigFlags, onIdle?: OnIdle): Promise<ResolvedConfig>;
}

function startsWith(path: readonly string[], prefix: readonly string[]): boolean {
  return prefix.length <= path.length && prefix.every((key, i) => key === path[i]);
}

/**
 * The files merged, with `settings: published` including their section `published` for the method. Throws a `UsageError` if
 * there is none.
 */
function withPublished(layers: readonly Layer[], overrides: readonly Override[]): Record<string, unknown> {
  const { published, ...files } = mergeLayers(layers);
  const asked = applyOverrides(files, overrides) as { settings?: unknown; method?: unknown };
  if (asked.settings !== 'published') return files;
  const given = overrides.findLast(({ path }) => path.join('.') === 'settings');
  // The configuration of a run folder has been resolved with these settings.
  if (published === undefined && given === undefined) return files;
  const { method } = asked;
  if (typeof method === 'string' && isSection(published) && isSection(published[method])) {
    return { ...merge(files, published[method]) };
  }
  const at = given?.label ?? layerOf(layers, ['settings']).locate(['settings'], 'value');
  const known = isSection(published) ? `known: ${Object.keys(published).join(', ')}; ` : '';
  const remedy = `${known}use "settings: fair", or add them under "published"`;
  throw new UsageError('config', `${at}: expected published settings of "${method}", found none; ${remedy}`);
}

/**
 * The files without what they extend says about methods of another kind: the settings of an environment hold for all
 * methods. `last`: the file itself, whose keys must have an effect. `own`: the keys of the method's kind.
 */
function withoutForeign(
  files: Record<string, unknown>,
  last: Layer,
  own: ReadonlySet<string>,
  path: readonly string[] = [],
): Record<string, unknown> {
  const kept = Object.entries(files).flatMap(([key, value]): [string, unknown][] => {
    const inner = [...path, key];
    const dotted = inner.join('.');
    if (own.has(dotted)) return [[key, isSection(value) ? withoutForeign(value, last, own, inner) : value]];
    return knownKeys.has(dotted) && !contains(last.value, inner) ? [] : [[key, value]];
  });
  return Object.fromEntries(kept);
}

function contains(value: unknown, path: readonly string[]): boolean {
  const [key, ...rest] = path;
  if (key === undefined) return true;
  return isSection(value) && Object.hasOwn(value, key) && contains(value[key], rest);
}

/**
 * Checks a configuration text with overrides. Throws a `UsageError` that lists every problem with file, line and column, or
 * with the override that caused it.
 */
export function parseConfig(input: InputText, overrides: readonly Override[] = []): Config {
  return parseLayers(
    [parseLayer({ ...input, folder: dirname(input.name), isRecorded: true, isShipped: false })],
    overrides,
  );
}

/** Whether the user has chosen the step cap: neither the published settings nor a recorded run. */
function choosesSteps(layers: readonly Layer[], overrides: readonly Override[], config: Config): boolean {
  const path = ['evaluation', 'max_steps'];
  if (overrides.some((o) => startsWith(path, o.path) || startsWith(o.path, path))) return true;
  return !(asksModels(config) && config.settings === 'published') && !layerOf(layers, path).isRecorded;
}

/** Refuses a configuration with problems, each in one line that begins with its place. */
function refuse(lines: readonly string[]): void {
  if (lines.length === 0) return;
  throw new UsageError('config', lines.length === 1 ? lines[0]! : `${lines.length} problems\n  ${lines.join('\n  ')}`);
}

/** The overrides that a run of the method's kind reads; where `onIdle` gets those without an effect, the others too. */
function readOverrides(
  given: readonly Override[],
  own: ReadonlySet<string>,
  method: string,
  onIdle?: OnIdle,
): readonly Override[] {
  if (!onIdle) return given;
  return given.filter(({ path, label }) => {
    const key = path.join('.');
    if (own.has(key) || !knownKeys.has(key)) return true;
    onIdle({ key, place: label, message: foreignMessage(key, method), isOverride: true });
    return false;
  });
}

const idOf = (name: unknown): unknown => envs.find(({ id, folder }) => name === id || name === folder)?.id ?? name;

/** Facts of an environment with its default options. */
const envFacts = [
  ['search', 'optimum'],
  ['critic', 'conservative_threshold'],
  ['evaluation', 'success_threshold'],
  ['evaluation', 'max_steps'],
] as const;

/**
 * Facts that a file of this package states of its environment, where the user has chosen another environment or other options:
 * they are left out, unless the user sets them. The published settings are kept as they are.
 */
function ofAnotherEnv(layers: readonly Layer[], given: readonly Override[]): Override[] {
  const shipped = mergeLayers(layers.filter(({ isShipped }) => isShipped));
  const own = layers.filter((layer) => !layer.isShipped && !isWrittenOut(layer)).map(({ value }) => value);
  const chosen = (...path: string[]): boolean =>
    own.some((value) => valueAt(value, path) !== undefined) ||
    given.some(
      (o) =>
        startsWith(o.path, path) ||
        (startsWith(path, o.path) && valueAt(o.value, path.slice(o.path.length)) !== undefined),
    );
  const { env, settings } = applyOverrides(mergeLayers(layers), given) as Record<string, unknown>;
  if (settings === 'published') return [];
  const isOther = idOf(env) !== idOf(shipped.env);
  if (shipped.env === undefined || !(isOther || chosen('env_options'))) return [];
  return envFacts.flatMap((path) => {
    const stated = valueAt(shipped, path) ?? null;
    const stays = path[1] === 'max_steps' && !isOther && !chosen('env_options', stepLimitKey);
    return stated === null || stays || chosen(...path) ? [] : [{ path, value: null, label: path.join('.') }];
  });
}

function parseLayers(layers: readonly Layer[], given: readonly Override[], onIdle?: OnIdle): Config {
  const files = withPublished(layers, given);
  const asked = applyOverrides(files, given) as { readonly method?: unknown };
  const schema = schemaFor(asked);
  const overrides = readOverrides(given, keysOf(schema), String(asked.method), onIdle);
  const dropped = ofAnotherEnv(layers, given).filter(({ path }) => keysOf(schema).has(path.join('.')));
  const raw = applyOverrides(withoutForeign(files, layers.at(-1)!, keysOf(schema)), [...dropped, ...overrides]);
  const parsed = schema.safeParse(raw);
  const checked = parsed.success ? (parsed.data as unknown as Config) : null;
  const problems: Problem[] = checked
    ? crossCheck(checked, choosesSteps(layers, overrides, checked))
    : describeIssues(parsed.error!.issues, raw);
  refuse(
    problems.map(({ path, at, also = [], message, secret }) => {
      const origin = overrides.findLast(
        (o) => startsWith(path, o.path) || also.some((about) => startsWith(about, o.path) || startsWith(o.path, about)),
      );
      const label = secret ? origin?.label.replace(/=.*$/s, '=...)') : origin?.label;
      return `${label ?? layerOf(layers, path).locate(path, at)}: ${message}`;
    }),
  );
  const config = normalize(checked!);
  const idle = chosenIdle(layers, overrides, config);
  refuse(idle.flatMap(({ place, message, isOverride }) => (isOverride && onIdle ? [] : [`${place}: ${message}`])));
  if (onIdle) for (const one of idle) onIdle(one);
  return config;
}

/** A setting of the user without an effect on the run. */
export interface ChosenIdle {
  readonly key: string;
  /** the override, or the place in the file */
  readonly place: string;
  readonly message: string;
  readonly isOverride: boolean;
}

/** Gets the overrides without an effect, which are refused where it is left out. */
export type OnIdle = (idle: ChosenIdle) => void;

/** The value at `path`; undefined: there is none. */
function valueAt(value: unknown, path: readonly string[]): unknown {
  let section = value;
  for (const key of path) {
    if (!isSection(section) || !Object.hasOwn(section, key)) return undefined;
    section = section[key];
  }
  return section;
}

/** Whether `value` sets what is at `path` to something else than `before`. */
function changes(value: unknown, path: readonly string[], before: unknown): boolean {
  const set = valueAt(value, path);
  return set !== undefined && JSON.stringify(set) !== JSON.stringify(before);
}

/** Whether a layer is the configuration of a run with all its keys, where nobody has chosen each of them. */
function isWrittenOut({ isRecorded, value }: Layer): boolean {
  return isRecorded || leaves(schemaDefaults).every(([key]) => valueAt(value, key.split('.')) !== undefined);
}

/**
 * Keys that the user has changed for this run and that have no effect on it: in an override, or in a file of theirs that also
 * names what decides, or extends the one that does. Other files have settings that several runs share.
 */
function chosenIdle(layers: readonly Layer[], overrides: readonly Override[], config: Config): ChosenIdle[] {
  const found = new Map<string, ChosenIdle>();
  const files = mergeLayers(layers);
  for (const { key, decidedBy, reason } of idleKeys(config)) {
    const path = key.split('.');
    const unset = valueAt(schemaDefaults, path);
    const message = `expected no "${key}", which has no effect here: ${reason}; remove it`;
    const before = valueAt(files, path) ?? unset;
    const given = overrides.findLast(
      (o) =>
        (path.length < o.path.length && startsWith(o.path, path)) ||
        (startsWith(path, o.path) && changes(o.value, path.slice(o.path.length), before)),
    );
    if (given) {
      found.set(key, { key, place: given.label, message, isOverride: true });
      continue;
    }
    const deciding = decidedBy.map((name) => name.split('.'));
    if (deciding.some((by) => overrides.some((o) => startsWith(o.path, by) || startsWith(by, o.path)))) continue;
    const from = Math.max(
      0,
      ...deciding.map((by) => layers.findLastIndex(({ value }) => valueAt(value, by) !== undefined)),
    );
    const layer = layers.findLast(
      (one, i) => i >= from && !one.isShipped && !isWrittenOut(one) && changes(one.value, path, unset),
    );
    if (layer) found.set(key, { key, place: layer.locate(path, 'value'), message, isOverride: false });
  }
  return [...found.values()];
}

/** How the modules of a key are loaded; the absolute path of the loaded one is returned. */
interface ModuleKey {
  readonly key: 'env' | 'method';
  /** with its article */
  readonly noun: string;
  readonly isKnown: (name: string) => boolean;
  /** a path that the user names */
  readonly load: (path: string) => Promise<string | null>;
  /** a path out of a run folder or a job */
  readonly loadRecorded: (path: string) => Promise<string | null>;
}

const moduleKeys: readonly ModuleKey[] = [
  {
    key: 'env',
    noun: 'an environment',
    isKnown: (name) => envs.some(({ id, folder }) => name === id || name === folder),
    load: async (path) => (await loadEnv(path)).module,
    loadRecorded: async (path) => (await loadRecordedEnv(path)).module,
  },
  {
    key: 'method',
    noun: 'a method',
    isKnown: (name) => isRegisteredMethod(name) || methods.some(({ id }) => name === id),
    load: async (path) => moduleOfMethod(await loadMethod(path)),
    loadRecorded: async (path) => moduleOfMethod(await loadRecordedMethod(path)),
  },
];

/**
 * Loads an environment or a method given by a path, and returns its absolute path as an override. A path in a file is
 * relative to the folder of the file, a path on the command line to the working directory. A path in a run folder or a job
 * is loaded only if the user has named that module too.
 */
async function loadNamedModule(
  { key, noun, isKnown, load, loadRecorded }: ModuleKey,
  layers: readonly Layer[],
  overrides: readonly Override[],
): Promise<Override[]> {
  const given = overrides.findLast(({ path }) => path.join('.') === key);
  const layer = layerOf(layers, [key]);
  const value = given ? given.value : (layer.value as Record<string, unknown>)[key];
  if (typeof value !== 'string') return [];
  const label = given?.label ?? layer.locate([key], 'value');
  const path = given ? value : resolve(layer.folder, value);
  if (!isModulePath(value)) {
    // `docking` beside the folder of that name is no name of ours, and looks like a path to everybody.
    if (isKnown(value) || !existsSync(path)) return [];
    throw new UsageError(
      'config',
      `${label}: expected the name of ${noun} or a path, got "${value}"; write ./${value}`,
    );
  }
  try {
    const open = !given && layer.isRecorded ? loadRecorded : load;
    return [{ path: [key], value: await open(path), label }];
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError('config', `${label}: ${error.detail}`, error);
  }
}

const warmupDir = ['warmup', 'dir'];

/** The folder of recorded trials as an absolute path: in a file it is relative to the folder of the file. */
function absoluteWarmupDir(layers: readonly Layer[], overrides: readonly Override[]): Override[] {
  const given = overrides.findLast(({ path }) => startsWith(warmupDir, path));
  const layer = layerOf(layers, warmupDir);
  const section = given ? given.value : (layer.value as { warmup?: unknown }).warmup;
  const value = given?.path.length === 2 ? given.value : isSection(section) ? section.dir : null;
  if (typeof value !== 'string' || value === '') return [];
  const label = given?.label ?? layer.locate(warmupDir, 'value');
  return [{ path: warmupDir, value: given ? resolve(value) : resolve(layer.folder, value), label }];
}

/** Whether a key stands in a recorded layer, and no override replaces it. */
function isRecorded(layers: readonly Layer[], overrides: readonly Override[], path: readonly string[]): boolean {
  if (overrides.some((o) => startsWith(path, o.path) || startsWith(o.path, path))) return false;
  return layerOf(layers, path).isRecorded;
}

/**
 * Reads a file or a shipped configuration, and the files that it extends. `base` replaces the defaults of the schema.
 */
export async function openConfig(nameOrPath: string, base: object = {}): Promise<ConfigFile> {
  const source = await readSource(nameOrPath);
  return configFile(source.name, [defaultsLayer(base), ...(await readLayers(source, readSource))]);
}

/**
 * A configuration that a program has made, with the keys of a configuration file, `extends` included. Its paths are relative
 * to the working directory. `base` as in `openConfig`.
 */
export async function openConfigObject(value: object, base: object = {}): Promise<ConfigFile> {
  const name = 'config';
  const folder = resolve('.');
  const source = { name, text: stringify(value), path: resolve(name), folder, isRecorded: false, isShipped: false };
  return configFile(name, [defaultsLayer(base), ...(await readLayers(source, readSource))]);
}

/** A complete configuration text of a record, which cannot extend a file; `name` is its name in messages. */
export function configOfText(name: string, text: string): ConfigFile {
  return configFile(name, [parseLayer({ name, text, folder: '.', isRecorded: true, isShipped: false })]);
}

/** The checked configuration in a record, with the defaults of earlier versions. Its environment must be known: nothing is loaded. */
export function parseRecordedConfig(name: string, value: object): Config {
  const text = JSON.stringify(value);
  return parseLayers(
    [defaultsLayer(earlierDefaults), parseLayer({ name, text, folder: '.', isRecorded: true, isShipped: false })],
    [],
  );
}

function defaultsLayer(base: object): Layer {
  return parseLayer({ name: 'defaults', text: stringify(base), folder: '.', isRecorded: false, isShipped: true });
}

/** The method, before anything is checked. */
function methodNamed(layers: readonly Layer[], overrideTexts: readonly string[]): unknown {
  const given = overrideTexts.findLast((text) => text.startsWith('method='));
  return given === undefined ? mergeLayers(layers).method : given.slice('method='.length);
}

function configFile(name: string, layers: readonly Layer[]): ConfigFile {
  return {
    name,
    async resolve(overrideTexts = [], flags = {}, onIdle) {
      const own = keysOf(schemaFor({ method: methodNamed(layers, overrideTexts) }));
      const overrides = [...parseOverrides(overrideTexts, own), ...flagOverrides(flags)];
      const modules: Override[] = [];
      for (const key of moduleKeys) modules.push(...(await loadNamedModule(key, layers, overrides)));
      const paths = [...modules, ...absoluteWarmupDir(layers, overrides)];
      const config = parseLayers(layers, [...overrides, ...paths], onIdle);
      const origin = { file: name, overrides: overrides.map((o) => o.label) };
      return {
        config,
        origin,
        isRecorded: (path) => isRecorded(layers, overrides, path),
        // Slow, and rarely needed.
        get yaml() {
          return stringify(config);
        },
      };
    },
  };
}

/**
 * The configuration of a command line: `CONFIG key=value ... --flags`. CONFIG is a path or the name of a shipped
 * configuration. Throws a `UsageError` that lists every problem.
 */
export async function resolveConfig(
  nameOrPath: string,
  overrideTexts: readonly string[] = [],
  flags: ConfigFlags = {},
): Promise<ResolvedConfig> {
  return (await openConfig(nameOrPath)).resolve(overrideTexts, flags);
}
