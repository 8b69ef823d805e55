/** Environments by name: those of this package, and those that were registered at run time. */
import { aRecord, aText, checkArgument } from '../base/arguments.ts';
import { UsageError, unknownName } from '../base/errors.ts';
import { isModulePath } from '../base/module-path.ts';
import type { Env, EnvOptions, ShaderText } from './env.ts';
import { envs } from './index.ts';
import { type EnvOptionRules, stepLimitKey, stepLimitRule, withStepLimit } from './options.ts';
import { withOrigin } from './origin.ts';

/** Environments that were loaded from a module, by the absolute path that names it; see node/load.ts. */
const loaded = new Map<string, Env>();

/** Makes `findEnv` know an environment by the file that it comes from, `module`, and by `name`, a path to that file. */
export function registerEnv(
  env: Env,
  { name, module, shader }: { readonly name: string; readonly module: string; readonly shader: () => ShaderText },
): Env {
  const here = (e: Env, options = e.options): Env =>
    withOrigin({ ...e, options, module, shader: e.shader ?? shader, withOptions }, 'module');
  // A worker thread builds the environment again from its options, so it has those that it was built from, also where
  // the module leaves them out.
  const withOptions =
    env.withOptions &&
    ((given: EnvOptions): Env => {
      const made = env.withOptions!(given);
      return here(made, { ...made.options, ...given });
    });
  const registered = here(env);
  for (const path of [name, module]) loaded.set(path, registered);
  return registered;
}

/** Whether the environment reads the step limit itself, among its own options. */
const readsStepLimit = ({ optionRules, options, withOptions }: Env): boolean =>
  stepLimitKey in optionRules || (withOptions !== null && stepLimitKey in options);

/** What each option of the environment may be, the step limit included, as far as it has rules. */
export function optionRulesOf(env: Env): EnvOptionRules {
  return readsStepLimit(env) ? env.optionRules : { ...env.optionRules, [stepLimitKey]: stepLimitRule(env.timeLimit) };
}

/** `env` with these options, of which every environment has the step limit. Throws a usage error for ones it does not know. */
export function withEnvOptions(env: Env, options: EnvOptions): Env {
  const given = Object.keys(options);
  if (given.length === 0) return env;
  if (stepLimitKey in options && !readsStepLimit(env)) {
    const { [stepLimitKey]: limit, ...others } = options;
    return withStepLimit(withEnvOptions(env, others), limit);
  }
  if (!env.withOptions)
    throw new UsageError(env.id, `takes no options but ${stepLimitKey}, got "${given.join('", "')}"; remove them`);
  return env.withOptions(options);
}

/**
 * The environment with this id or folder name, or the loaded one with this absolute path, built with these options.
 * Throws a usage error with the nearest known id, or for options that it does not take.
 */
export function findEnv(name: string, options: EnvOptions = {}): Env {
  checkArgument('findEnv', 'name', name, aText);
  checkArgument('findEnv', 'options', options, aRecord);
  const env = loaded.get(name) ?? envs.find((e) => e.id === name || e.folder === name);
  if (!env && isModulePath(name))
    throw new UsageError('envs', `expected the loaded environment "${name}"; load it before`);
  if (!env) {
    const known = envs.map((e) => e.id);
    throw new UsageError('envs', `${unknownName('environment', name, known)}; see "r2po list envs"`);
  }
  return withEnvOptions(env, options);
}
