/** From a configuration to the units that it names. */
import { R2poError } from '../base/errors.ts';
import type { Config, LlmConfig, OptimiserConfig } from '../config/schema.ts';
import { type EpisodeSettings, episodeSettings, toSettings } from '../config/settings.ts';
import type { Env } from '../envs/env.ts';
import { findEnv } from '../envs/registry.ts';
import { findMethod } from '../methods/index.ts';
import type { Method } from '../methods/method.ts';
import type { OptimiserMethod } from '../methods/optimiser-method.ts';
import type { SearchSettings } from '../methods/settings.ts';
import { buildPolicy } from '../policies/index.ts';
import type { Policy } from '../policies/policy.ts';
import type { Backend } from '../rollout/backend.ts';
import type { Driver } from './drivers/driver.ts';
import { drivers } from './drivers/index.ts';
import { checkPrices } from './models/cost.ts';
import type { RunModels } from './models/models.ts';

interface CommonUnits {
  readonly env: Env;
  readonly policy: Policy;
  /** named by the kind of the method */
  readonly driver: Driver;
}

/** What the configuration of a search with language models names. */
export interface LlmUnits extends CommonUnits {
  readonly kind: Method['kind'];
  readonly config: LlmConfig;
  readonly method: Method;
  readonly settings: SearchSettings;
}

/** What the configuration of a search with an optimiser names. */
export interface OptimiserUnits extends CommonUnits {
  readonly kind: OptimiserMethod['kind'];
  readonly config: OptimiserConfig;
  readonly method: OptimiserMethod;
  readonly settings: EpisodeSettings;
}

/** What a configuration names. */
export type RunUnits = LlmUnits | OptimiserUnits;

/** The units of a run with what plays its episodes and what answers its calls; null: nothing is asked. */
export type OpenUnits = RunUnits & { readonly backend: Backend; readonly models: RunModels | null };

function otherKind(expected: string, { method }: RunUnits): R2poError {
  return new R2poError('run', `expected a method of the kind ${expected}, got ${method.id}`);
}

export function llmUnits(units: RunUnits): LlmUnits {
  if (units.kind !== 'llm-search') throw otherKind('llm-search', units);
  return units;
}

export function optimiserUnits(units: RunUnits): OptimiserUnits {
  if (units.kind !== 'optimiser') throw otherKind('optimiser', units);
  return units;
}

function unitsOf(config: Config, common: CommonUnits): RunUnits {
  const { env } = common;
  const method = findMethod(config.method);
  if (method.kind === 'optimiser') {
    const settings = episodeSettings(config, env);
    return { ...common, kind: method.kind, config: config as OptimiserConfig, method, settings };
  }
  const asking = config as LlmConfig;
  return { ...common, kind: method.kind, config: asking, method, settings: toSettings(asking, env) };
}

/** The units of a configuration with the same environment, policy and kind of method. */
export function withConfig({ env, policy, driver }: RunUnits, config: Config): RunUnits {
  return unitsOf(config, { env, policy, driver });
}

/**
 * Resolves configurations. Those that name the same environment and the same policy get the same objects, by which a
 * backend knows what it has compiled and what it may play in one call.
 */
export class UnitCache {
  readonly #shared = new Map<string, Pick<RunUnits, 'env' | 'policy'>>();

  /** Throws a usage error when something that the configuration names does not exist or fit. */
  resolve(config: Config): RunUnits {
    checkPrices(config);
    const { env, policy } = this.#sharedOf(config);
    const method = findMethod(config.method);
    return unitsOf(config, { env, policy, driver: drivers[method.kind] });
  }

  #sharedOf({ env: id, env_options, policy: { kind, options } }: Config): Pick<RunUnits, 'env' | 'policy'> {
    const key = JSON.stringify([id, env_options, kind, options]);
    const known = this.#shared.get(key);
    if (known) return known;
    const env = findEnv(id, env_options);
    const shared = { env, policy: buildPolicy(kind, env, options) };
    this.#shared.set(key, shared);
    return shared;
  }
}

/** The units of a single run. */
export function resolveUnits(config: Config): RunUnits {
  return new UnitCache().resolve(config);
}
