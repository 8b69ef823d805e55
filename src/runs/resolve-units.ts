/** From a configuration to the units that it names. */
import type { Config } from '../config/schema.ts';
import { toSettings } from '../config/settings.ts';
import type { Env } from '../envs/env.ts';
import { findEnv } from '../envs/registry.ts';
import { findMethod } from '../methods/index.ts';
import type { Method } from '../methods/method.ts';
import type { SearchSettings } from '../methods/settings.ts';
import { buildPolicy } from '../policies/index.ts';
import type { Policy } from '../policies/policy.ts';
import type { Backend } from '../rollout/backend.ts';
import type { Driver } from './drivers/driver.ts';
import { drivers } from './drivers/index.ts';
import { checkPrices } from './models/cost.ts';
import type { RunModels } from './models/models.ts';

/** What a configuration names. */
export interface RunUnits {
  readonly config: Config;
  readonly env: Env;
  readonly policy: Policy;
  readonly method: Method;
  readonly settings: SearchSettings;
  /** named by the kind of the method */
  readonly driver: Driver;
}

/** The units of a run with what plays its episodes and what answers its calls. */
export interface OpenUnits extends RunUnits {
  readonly backend: Backend;
  readonly models: RunModels;
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
    return { config, env, policy, method, settings: toSettings(config, env), driver: drivers[method.kind] };
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
