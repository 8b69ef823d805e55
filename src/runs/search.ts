/** A whole search from a program: `run('cartpole/r2po')`, as the command of that name makes it. */
import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import {
  type ArgumentRule,
  aFunction,
  aJsonValue,
  aRecord,
  aSignal,
  aText,
  checkArgument,
  checkFields,
  either,
  optional,
  trueOrFalse,
} from '../base/arguments.ts';
import { knownName, UsageError } from '../base/errors.ts';
import { maskSecrets } from '../base/secrets.ts';
import { earlierDefaults } from '../config/earlier.ts';
import { type ConfigFile, openConfig, openConfigObject } from '../config/resolve.ts';
import type { Env, EnvOptions } from '../envs/env.ts';
import { isNamed } from '../envs/origin.ts';
import { findEnv } from '../envs/registry.ts';
import { registerMethod } from '../methods/index.ts';
import type { Method } from '../methods/method.ts';
import { aBackend, type Backend, type BackendChoice, backendChoices } from '../rollout/backend.ts';
import { chooseBackend } from '../rollout/node/open.ts';
import { workOf } from './expected-work.ts';
import { createRunFolder, findRunToResume, requireRun } from './folder/folder.ts';
import { usedBackend, usedModels } from './folder/manifest.ts';
import type { RunSummary } from './folder/summary.ts';
import type { WithBackend } from './lost-trajectories.ts';
import { withListPrices } from './models/cost.ts';
import { opener } from './models/models.ts';
import { refuseRecordedEndpoints } from './models/recorded-endpoints.ts';
import { type OpenUnits, type RunUnits, resolveUnits } from './resolve-units.ts';
import { executeRun, type RunOptions, restoreSummary } from './run.ts';

/** A configuration in a program: the keys of a configuration file. `r2po schema` lists them all. */
export interface RunConfig {
  /** a shipped configuration such as `cartpole/r2po`, the path of a file, or several, of which later ones win */
  readonly extends?: string | readonly string[];
  /** an id, the path of an environment module, or what `loadEnv` or `findEnv` gave, with its options */
  readonly env?: string | Env;
  /** an id, the path of a method module, or a record that `defineMethod` made */
  readonly method?: string | Method;
  readonly model?: string;
  readonly seed?: number;
  readonly iterations?: number;
  readonly policy?: { readonly kind: string; readonly options?: Readonly<Record<string, unknown>> };
  /** the other keys and sections: `parameters`, `evaluation`, `search`, `critic`, `llm`, `budget`, `optimiser` ... */
  readonly [key: string]: unknown;
}

/** How `run` makes a run; everything may be left out. */
export interface SearchOptions extends Pick<RunOptions, 'onProgress' | 'onKept' | 'onNotice' | 'signal'> {
  /** folder for run folders; `runs` when left out */
  readonly runsDir?: string;
  /** name of the run folder; made from the configuration when left out */
  readonly name?: string;
  /** true: the latest unfinished run of this configuration, or that of `name`, goes on; a finished one gives its result */
  readonly resume?: boolean;
  /** dotted keys over the configuration: `{ 'evaluation.episodes': 4096 }` */
  readonly overrides?: Readonly<Record<string, unknown>>;
  /** what plays the episodes: an open backend, which stays open, or a name; left out: that of the configuration */
  readonly backend?: Backend | BackendChoice;
  /** gets the lines that the command prints: the backend, the model, the folder */
  readonly log?: (text: string) => void;
}

const optionRules = {
  runsDir: optional(aText),
  name: optional(aText),
  resume: optional(trueOrFalse),
  overrides: optional(aRecord),
  backend: optional(either(aBackend, aText)),
  log: optional(aFunction),
  onProgress: optional(aFunction),
  onKept: optional(aFunction),
  onNotice: optional(aFunction),
  signal: optional(aSignal),
} satisfies Record<keyof SearchOptions, ArgumentRule>;

/** A finished run. */
export interface SearchResult {
  /** path of the run folder */
  readonly folder: string;
  readonly summary: RunSummary;
}

/** An environment that a program gives as an object, in the words of a configuration that has `given` as its options. */
function namedEnv(env: Env, given: unknown): object {
  if (!isNamed(env) || Object.keys(env.changed).length > 0) {
    throw new UsageError(
      'run',
      'expected an id, the path of a module, or what loadEnv or findEnv gave as "env", got another object',
    );
  }
  const name = env.module ?? env.id;
  const has = (options: EnvOptions): boolean => isDeepStrictEqual(env.options, options);
  // Without options of its own, it may be given some.
  if (has(findEnv(name).options)) return { env: name };
  if (given !== undefined && !has(findEnv(name, given as EnvOptions).options)) {
    const [own, others] = [JSON.stringify(env.options), JSON.stringify(given)];
    throw new UsageError(
      'run',
      `expected the options of ${env.id} once, got ${own} in "env" and ${others} in "env_options"; remove "env_options"`,
    );
  }
  return { env: name, env_options: env.options };
}

/** The text form of units that a program gives as objects. */
function named(config: RunConfig): object {
  const { env, method, ...others } = config;
  return {
    ...others,
    ...(env !== undefined && (typeof env === 'string' ? { env } : namedEnv(env, config.env_options))),
    ...(method !== undefined && { method: typeof method === 'string' ? method : registerMethod(method).id }),
  };
}

async function opened(config: string | RunConfig, base: object): Promise<ConfigFile> {
  return typeof config === 'string' ? openConfig(config, base) : openConfigObject(named(config), base);
}

interface Prepared {
  readonly units: RunUnits;
  /** of the run to resume; null: a new run */
  readonly folder: string | null;
  readonly backend: Backend;
  /** why `auto` chose it; null: it was asked for */
  readonly backendWhy: string | null;
}

async function play(prepared: Prepared, options: SearchOptions): Promise<SearchResult> {
  const { units, folder, backend, backendWhy } = prepared;
  const { runsDir = 'runs', name = null, log = () => {} } = options;
  const unsupported = backend.supports(units.env, units.policy);
  if (unsupported !== null) throw new UsageError('evaluation.backend', unsupported);
  const note = (text: string): void => log(maskSecrets(text));
  const used = folder === null ? null : usedModels(requireRun(folder));
  const models = await units.driver.openModels(units, opener(note), used);
  const { config } = units;
  const place = { runsDir, name };
  const made = folder ?? createRunFolder(place, { config, yaml: stringify(config), argv: [], now: Date.now() });
  note(`run folder: ${made}`);
  const summary = await executeRun({ ...units, backend, models } as OpenUnits, {
    ...options,
    folder: made,
    backendWhy,
    resume: folder !== null,
    resumeCommand: () => 'run(..., { resume: true })',
    argv: [],
    log: note,
    steerable: true,
  });
  return { folder: made, summary };
}

/**
 * Makes one search run and returns its folder and its summary. `config`: the name of a shipped configuration, the path of a
 * file, or the keys of one. The run is recorded as one of the command: `r2po replay`, `verify`, `report` and `view` read it.
 *
 * Throws a usage error that lists every problem of the configuration; what stopped the run (a model that cannot be used, a
 * budget, `signal`, a failed device) after it was recorded, so that `resume: true` goes on there.
 */
export async function run(config: string | RunConfig, options: SearchOptions = {}): Promise<SearchResult> {
  checkArgument('run', 'config', config, either(aText, aRecord));
  checkFields('run', 'options', options, optionRules);
  const { runsDir = 'runs', name = null, overrides = {}, backend, resume = false, log } = options;
  for (const [key, value] of Object.entries(overrides)) checkArgument('run', `overrides.${key}`, value, aJsonValue);
  const texts = Object.entries(overrides).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  const flags = typeof backend === 'string' ? { backend: knownName('run', 'backend', backend, backendChoices) } : {};
  const resolved = await (await opened(config, {})).resolve(texts, flags);
  refuseRecordedEndpoints(resolved);
  const asEarlier = async () => (await (await opened(config, earlierDefaults)).resolve(texts, flags)).config;
  const found = resume ? await findRunToResume({ runsDir, name }, resolved.config, await asEarlier()) : null;
  const units = resolveUnits(found?.config ?? (await withListPrices(resolved.config)));
  const manifest = found === null ? null : requireRun(found.folder);
  const choice = usedBackend(manifest) ?? units.config.evaluation.backend;
  const open = () => chooseBackend(choice, { note: log ?? (() => {}), work: workOf(units) });
  if (found !== null && manifest?.status === 'finished') {
    const withBackend: WithBackend = async (use) => {
      if (typeof backend === 'object') return use(backend);
      const own = await open();
      await use(own.backend).finally(() => own.backend.close());
    };
    const summary = await restoreSummary(found.folder, units, withBackend, options.onNotice);
    return { folder: found.folder, summary };
  }
  const folder = found?.folder ?? null;
  if (typeof backend === 'object') return await play({ units, folder, backend, backendWhy: null }, options);
  const own = await open();
  const prepared = { units, folder, backend: own.backend, backendWhy: own.why };
  return await play(prepared, options).finally(() => own.backend.close());
}
