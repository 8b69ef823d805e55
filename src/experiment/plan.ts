/** From a configuration to the units that it names. */
import type { Config } from '../config/schema.ts';
import { toSettings } from '../config/settings.ts';
import type { Env } from '../envs/env.ts';
import { findEnv } from '../envs/index.ts';
import { findMethod } from '../methods/index.ts';
import type { Method } from '../methods/method.ts';
import type { SearchSettings } from '../methods/settings.ts';
import { buildPolicy } from '../policies/index.ts';
import type { Policy } from '../policies/policy.ts';
import { checkPrice } from './cost.ts';

export interface Plan {
  readonly config: Config;
  readonly env: Env;
  readonly policy: Policy;
  readonly method: Method;
  readonly settings: SearchSettings;
}

/** Throws a usage error when something that the configuration names does not exist or fit. */
export function planRun(config: Config): Plan {
  checkPrice(config);
  const env = findEnv(config.env, config.env_options);
  return {
    config,
    env,
    policy: buildPolicy(config.policy.kind, env, config.policy.options),
    method: findMethod(config.method),
    settings: toSettings(config, env),
  };
}
