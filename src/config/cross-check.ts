/** Checks beyond the schema: combinations of keys, and the options of the environment and the policy. */
import { UsageError } from '../base/errors.ts';
import type { Env } from '../envs/env.ts';
import { missingDescription } from '../envs/node/description.ts';
import { stepLimitKey } from '../envs/options.ts';
import { findEnv } from '../envs/registry.ts';
import { findMethod, methodId, methodName } from '../methods/index.ts';
import { buildPolicy, policyKinds } from '../policies/index.ts';
import type { PolicyOptions } from '../policies/policy.ts';
import { refinementKey, refinementOf, startOptimisation } from './optimisation.ts';
import type { Problem } from './problems.ts';
import { asksModels, type Config, type LlmConfig } from './schema.ts';

function parameterProblems(config: Config): Problem[] {
  const { low, high, decimals: given } = config.parameters;
  const decimals = asksModels(config) || config.optimiser.grid ? given : null;
  const lowPath = ['parameters', 'low'];
  const also = [
    ['parameters', 'high'],
    ['parameters', 'decimals'],
  ];
  if (low >= high) {
    return [
      {
        path: lowPath,
        at: 'value',
        also,
        message: `expected "parameters.low" below "parameters.high", got ${low} and ${high}`,
      },
    ];
  }
  const scale = decimals === null ? null : 10 ** decimals;
  if (scale !== null && Math.floor(high * scale) <= Math.ceil(low * scale)) {
    const message = `expected at least two values in ${low} ... ${high} with "parameters.decimals" ${decimals}; raise it or widen the range`;
    return [{ path: ['parameters', 'decimals'], at: 'value', also: [lowPath, ...also], message }];
  }
  return [];
}

function policyProblems({ policy: { kind, options } }: Config, env: Env): Problem[] {
  const reason = policyKinds.find((k) => k.id === kind)?.accepts(env) ?? null;
  if (reason !== null) {
    const also = [['env']];
    return [
      { path: ['policy', 'kind'], at: 'value', also, message: `a ${kind} policy cannot act in ${env.id}: ${reason}` },
    ];
  }
  try {
    buildPolicy(kind, env, options);
    return [];
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const path = ['policy', 'options'];
    return [{ path, at: 'value', also: [path], message: `in the options of a ${kind} policy: ${error.detail}` }];
  }
}

/** A step cap or a step limit that the other one leaves without effect. */
function stepProblems({ evaluation: { max_steps: cap } }: Config, env: Env): Problem[] {
  const { timeLimit: limit, id } = env;
  if (cap === null || limit === null) return [];
  const path = ['evaluation', 'max_steps'];
  const also = [path, ['env'], ['env_options']];
  if (cap > limit) {
    const message =
      `expected "evaluation.max_steps" to be null or at most ${limit}, the step limit of ${id}, got ${cap}, which has no ` +
      `effect; for longer episodes, remove it and set env_options.${stepLimitKey}`;
    return [{ path, at: 'value', also, message }];
  }
  if (cap === limit || !Object.hasOwn(env.options, stepLimitKey)) return [];
  const message =
    `expected "evaluation.max_steps" to be null with env_options.${stepLimitKey} ${limit}, got ${cap}, which leaves that ` +
    'without effect; set it to null, or remove the option';
  return [{ path, at: 'value', also, message }];
}

function evaluationProblems({ evaluation }: Config, env: Env): Problem[] {
  const problems: Problem[] = [];
  const { max_steps, success_threshold } = evaluation;
  if (env.timeLimit === null && max_steps === null) {
    const message = `expected "evaluation.max_steps" to be set, because ${env.id} has no step limit, got null`;
    problems.push({ path: ['evaluation', 'max_steps'], at: 'value', message });
  }
  const [lowest, highest] = env.returnRange;
  if (success_threshold !== null && (success_threshold < lowest || success_threshold > highest)) {
    const message = `expected "evaluation.success_threshold" to be a possible return of ${env.id} (${lowest} ... ${highest}), got ${success_threshold}`;
    problems.push({ path: ['evaluation', 'success_threshold'], at: 'value', message });
  }
  return problems;
}

function selectionProblems({ selection, method: id }: LlmConfig): Problem[] {
  const { candidates } = findMethod(id);
  if (selection === 'mean' || candidates.length <= 2) return [];
  const message = `expected "selection" mean, as a paired test compares two candidates, got ${selection} with the ${candidates.length} candidates of ${methodId(id)}`;
  return [{ path: ['selection'], at: 'value', also: [['method']], message }];
}

/** Episodes that a search of an optimiser may take, where they are limited, with those of each candidate. */
interface OptimiserEpisodes {
  readonly limit: number;
  readonly perCandidate: number;
  /** dotted key of the latter */
  readonly key: string;
}

function optimiserEpisodes(config: Config): OptimiserEpisodes | null {
  if (!asksModels(config)) {
    return { limit: config.optimiser.episodes, perCandidate: config.evaluation.episodes, key: 'evaluation.episodes' };
  }
  const refinement = refinementOf(config);
  return refinement && { limit: refinement.episodes, perCandidate: refinement.each, key: refinementKey };
}

function optimiserProblems(config: Config, env: Env): Problem[] {
  const { policy: named } = config;
  if (policyProblems(config, env).length > 0 || parameterProblems(config).length > 0) return [];
  const policy = buildPolicy(named.kind, env, named.options);
  const problem = (path: string[], message: string): Problem[] => [
    { path, at: 'value', also: [['method'], ['policy']], message },
  ];
  try {
    const { population } = startOptimisation(config, env, policy);
    const episodes = optimiserEpisodes(config);
    const generation = population * (episodes?.perCandidate ?? 0);
    if (episodes === null || generation <= episodes.limit) return [];
    return problem(
      ['optimiser', 'episodes'],
      `expected "optimiser.episodes" of at least ${generation}, one generation of ${population} candidates with ` +
        `${episodes.perCandidate} episodes each, got ${episodes.limit}; raise it, or lower the population or ${episodes.key}`,
    );
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return problem(['optimiser'], `in the settings of ${methodId(config.method)}: ${error.detail}`);
  }
}

function promptProblems({ prompt }: LlmConfig, env: Env): Problem[] {
  // A missing text of full knowledge is a broken installation or environment; reading it reports that.
  if (prompt.knowledge !== 'reference') return [];
  const missing = missingDescription(env, prompt.knowledge);
  if (missing === null) return [];
  const message =
    `expected a description of ${env.id} in "${missing}" for "prompt.knowledge" ${prompt.knowledge}, found none; ` +
    'write it, or set prompt.knowledge to full or none';
  return [{ path: ['prompt', 'knowledge'], at: 'value', also: [['env']], message }];
}

/** Names of fields for secrets, which must not be written into the run folders with the configuration. */
const secretName = /^(?:api[-_]?key|authorization|token|access[-_]?token|bearer|password|secret|x-api-key)$/i;

/** Paths of the names of secrets in a value, at any depth. */
function secretPaths(value: unknown, path: readonly string[]): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const own = [...path, name];
    return !Array.isArray(value) && secretName.test(name) ? [own] : secretPaths(inner, own);
  });
}

function secretProblems({ llm }: LlmConfig): Problem[] {
  const bodies = [
    { path: ['llm', 'extra_body'], body: llm.extra_body },
    { path: ['llm', 'search', 'extra_body'], body: llm.search.extra_body },
    { path: ['llm', 'critic', 'extra_body'], body: llm.critic.extra_body },
  ];
  return bodies.flatMap(({ path: section, body }) =>
    secretPaths(body, section).map((path): Problem => {
      const message = `expected no key or password in "${section.join('.')}", got "${path.slice(section.length).join('.')}"; set an environment variable, and send it with llm.headers as $VARIABLE`;
      return { path, at: 'key', message, secret: true };
    }),
  );
}

/**
 * All problems of a configuration that has passed the schema. `ownSteps`: whether its step cap is chosen by the user, and
 * not that of the reference or of a recorded run, which may be without effect.
 */
export function crossCheck(config: Config, ownSteps: boolean): Problem[] {
  let env: Env;
  try {
    env = findEnv(config.env, config.env_options);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const path = ['env_options'];
    return [{ path, at: 'value', also: [path, ['env']], message: `in the options of ${config.env}: ${error.detail}` }];
  }
  return [
    ...(asksModels(config) ? secretProblems(config) : []),
    ...parameterProblems(config),
    ...policyProblems(config, env),
    ...evaluationProblems(config, env),
    ...(ownSteps ? stepProblems(config, env) : []),
    ...(asksModels(config) ? [...selectionProblems(config), ...promptProblems(config, env)] : []),
    ...(config.optimiser ? optimiserProblems(config, env) : []),
  ];
}

/** Options of the policy; for a kind that draws random numbers, with a seed derived from that of the run by default. */
function runOptions({ policy: { kind, options }, seed }: Config): PolicyOptions {
  const base = policyKinds.find(({ id }) => id === kind)?.runSeedBase;
  if (base === undefined || Object.hasOwn(options, 'seed')) return options;
  return { ...options, seed: (base + seed + 1) % 2 ** 32 };
}

/** One proposal is what a search asks for anyway: such a run is the same run. */
function withoutDefaults(config: Config): Config {
  if (!asksModels(config) || config.search.proposals !== 1) return config;
  const { proposals: _one, ...search } = config.search;
  return { ...config, search };
}

/** The configuration in canonical form: ids or absolute module paths of environment and method, complete policy options. */
export function normalize(config: Config): Config {
  const env = findEnv(config.env, config.env_options);
  const policy = buildPolicy(config.policy.kind, env, runOptions(config));
  return {
    ...withoutDefaults(config),
    env: env.module ?? env.id,
    method: methodName(findMethod(config.method)),
    env_options: env.options as Config['env_options'],
    policy: { kind: policy.kind, options: policy.options },
  };
}
