/** From what stands on the command line to one checked configuration: defaults < file < overrides < options. */
import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { assetPath } from '../base/assets.ts';
import { nearest, UsageError } from '../base/errors.ts';
import { isEnvPath } from '../envs/index.ts';
import { loadEnv } from '../envs/load.ts';
import { crossCheck, normalize } from './cross-check.ts';
import { type InputText, kindOfPath, readInput } from './input.ts';
import { applyOverrides, type Override, parseOverrides } from './overrides.ts';
import { describeIssues, type Problem, showValue } from './problems.ts';
import { type Config, configSchema } from './schema.ts';
import { parseYaml } from './yaml-text.ts';

/** Options that set a key of the configuration; undefined: not given. They win over overrides. */
export interface ConfigFlags {
  readonly env?: string | undefined;
  readonly seed?: number | undefined;
  readonly backend?: string | undefined;
  readonly model?: string | undefined;
  readonly maxCalls?: number | undefined;
  readonly maxTokens?: number | undefined;
  readonly maxTime?: number | undefined;
}

const flagKeys: Readonly<Record<keyof ConfigFlags, { readonly option: string; readonly path: readonly string[] }>> = {
  env: { option: '--env', path: ['env'] },
  seed: { option: '--seed', path: ['seed'] },
  backend: { option: '--backend', path: ['evaluation', 'backend'] },
  model: { option: '--model', path: ['model'] },
  maxCalls: { option: '--max-calls', path: ['budget', 'max_calls'] },
  maxTokens: { option: '--max-tokens', path: ['budget', 'max_tokens'] },
  maxTime: { option: '--max-time', path: ['budget', 'max_time_s'] },
};

function flagOverrides(flags: ConfigFlags): Override[] {
  return (Object.keys(flagKeys) as (keyof ConfigFlags)[])
    .filter((flag) => flags[flag] !== undefined)
    .map((flag) => ({ path: flagKeys[flag].path, value: flags[flag], label: flagKeys[flag].option }));
}

export interface ResolvedConfig {
  readonly config: Config;
  /** the file, as messages call it, and what was laid over it, in order */
  readonly origin: { readonly file: string; readonly overrides: readonly string[] };
  /** the resolved configuration as a file that loads back to the same one */
  readonly yaml: string;
}

/** Names of the shipped configurations, as `r2po run` takes them: `cartpole/r2po`. */
export function shippedConfigs(): string[] {
  const root = assetPath('configs');
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => readdirSync(join(root, name)).map((file) => `${name}/${file}`))
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();
}

/** A file of that path, or else a shipped configuration of that name. Throws a `UsageError` with the nearest name. */
async function readConfig(nameOrPath: string): Promise<InputText> {
  const read = (path: string) => readInput('config', path, 'a configuration file');
  const local = kindOfPath(nameOrPath);
  if (local === 'file') return read(nameOrPath);
  const shipped = shippedConfigs();
  if (shipped.includes(nameOrPath)) {
    const file = `configs/${nameOrPath}.yaml`;
    return { ...(await read(assetPath(file))), name: file };
  }
  // Clearly meant as a path: say why it cannot be read.
  if (local === 'folder' || /\.ya?ml$|^\.{0,2}[/\\]/.test(nameOrPath)) return read(nameOrPath);
  const near = nearest(nameOrPath, shipped);
  throw new UsageError(
    'config',
    `expected the path of a configuration file or the name of a shipped one, got "${nameOrPath}"; ` +
      `${near ? `did you mean "${near}"? ` : ''}shipped: ${shipped.join(', ')}`,
  );
}

function startsWith(path: readonly string[], prefix: readonly string[]): boolean {
  return prefix.length <= path.length && prefix.every((key, i) => key === path[i]);
}

/**
 * Checks a configuration text with overrides laid over it. Throws a `UsageError` that lists every problem with its
 * file, line and column, or with the override that it came from.
 */
export function parseConfig(input: InputText, overrides: readonly Override[] = []): Config {
  const file = parseYaml('config', input);
  const isMapping = typeof file.value === 'object' && file.value !== null && !Array.isArray(file.value);
  if (!isMapping) {
    const got = file.value === null || file.value === undefined ? 'nothing' : showValue(file.value);
    throw new UsageError('config', `${file.locate([], 'value')}: expected a mapping of keys to values, got ${got}`);
  }
  const raw = applyOverrides(file.value, overrides);
  const parsed = configSchema.safeParse(raw);
  const problems: Problem[] = parsed.success ? crossCheck(parsed.data) : describeIssues(parsed.error.issues, raw);
  if (problems.length > 0) {
    const lines = problems.map(({ path, at, also = [], message }) => {
      const origin = overrides.findLast(
        (o) => startsWith(path, o.path) || also.some((about) => startsWith(about, o.path) || startsWith(o.path, about)),
      );
      return `${origin?.label ?? file.locate(path, at)}: ${message}`;
    });
    throw new UsageError('config', lines.length === 1 ? lines[0] : `${lines.length} problems\n  ${lines.join('\n  ')}`);
  }
  return normalize(parsed.data as Config);
}

/**
 * Loads the environment where it is named by a path, and gives its absolute path as an override. A path in a file is
 * relative to the file's folder, one on the command line to the working directory.
 */
async function loadNamedEnv(input: InputText, overrides: readonly Override[]): Promise<Override[]> {
  const given = overrides.findLast(({ path }) => path.join('.') === 'env');
  const file = parseYaml('config', input);
  const value = given ? given.value : (file.value as { env?: unknown } | null)?.env;
  if (typeof value !== 'string' || !isEnvPath(value)) return [];
  const label = given?.label ?? file.locate(['env'], 'value');
  try {
    const { module } = await loadEnv(given ? value : resolve(dirname(input.name), value));
    return [{ path: ['env'], value: module, label }];
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError('config', `${label}: ${error.detail}`, error);
  }
}

/**
 * The configuration of a command line: `CONFIG key=value ... --flags`. CONFIG is a path or the name of a shipped
 * configuration. Throws a `UsageError` for everything that is wrong with it.
 */
export async function resolveConfig(
  nameOrPath: string,
  overrideTexts: readonly string[] = [],
  flags: ConfigFlags = {},
): Promise<ResolvedConfig> {
  const input = await readConfig(nameOrPath);
  const overrides = [...parseOverrides(overrideTexts), ...flagOverrides(flags)];
  const config = parseConfig(input, [...overrides, ...(await loadNamedEnv(input, overrides))]);
  return { config, origin: { file: input.name, overrides: overrides.map((o) => o.label) }, yaml: stringify(config) };
}
