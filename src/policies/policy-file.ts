/** Policy files: `{ "kind", "params", "options", "name", "env", "env_options" }`, one policy of one environment. */
import { nearest, R2poError, UsageError } from '../base/errors.ts';
import { type InputText, locationOf } from '../base/input-text.ts';
import { parseJson } from '../base/json-text.ts';
import type { Env, EnvOptions } from '../envs/env.ts';
import { buildPolicy } from './index.ts';
import { allowsParameter, type Policy, type PolicyOptions } from './policy.ts';

const unit = 'policy';
const keys = ['kind', 'params', 'options', 'name', 'env', 'env_options'] as const;
/** A name must fit into a table. */
const maxNameLength = 200;

/** The document in a policy file; keys are those of the file. */
export interface PolicyDocument {
  /** id of the environment, or the path of its module; left out: not known */
  readonly env?: string;
  readonly env_options?: EnvOptions;
  readonly kind: string;
  readonly params: readonly number[];
  readonly options?: PolicyOptions;
  readonly name?: string;
}

/** A policy with its parameters. */
export interface LoadedPolicy {
  /** file and line, or run folder, for messages */
  readonly source: string;
  /** its own name, null without one */
  readonly name: string | null;
  readonly policy: Policy;
  /** `[paramCount]` */
  readonly params: Float64Array;
}

/** A JSON document that does not even claim to be a policy. */
export class NotPolicyError extends UsageError {}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  const text = String(value);
  return `the ${typeof value} ${typeof value === 'string' ? JSON.stringify(text.slice(0, 40)) : text}`;
}

/** Checks the shape of a policy document; whether it fits an environment is checked by `parsePolicy`. */
function readDocument(input: InputText): PolicyDocument {
  const document = parseJson(unit, input);
  const isObject = typeof document === 'object' && document !== null;
  const claims = isObject && ('kind' in document || 'params' in document);
  const fail = (message: string): never => {
    throw new (claims ? UsageError : NotPolicyError)(unit, `${locationOf(input)}: ${message}`);
  };
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    fail(`expected { "kind": ..., "params": [...] }, got ${describe(document)}`);
  }
  const record = document as Record<string, unknown>;
  for (const key of Object.keys(record)) {
    if ((keys as readonly string[]).includes(key)) continue;
    const near = nearest(key, keys);
    fail(`unknown key "${key}"; ${near ? `did you mean "${near}"?` : `known: ${keys.join(', ')}`}`);
  }
  const { kind, params, options, name } = record;
  if (typeof kind !== 'string') fail(`expected "kind" to be the name of a policy kind, got ${describe(kind)}`);
  if (!Array.isArray(params)) fail(`expected "params" to be a list of numbers, got ${describe(params)}`);
  (params as unknown[]).forEach((value, index) => {
    // The GPU computes in f32, where a larger number is infinite.
    if (typeof value !== 'number' || !Number.isFinite(Math.fround(value))) {
      fail(`expected a finite number (in f32) at params[${index}], got ${describe(value)}`);
    }
  });
  if (options !== undefined && (typeof options !== 'object' || options === null || Array.isArray(options))) {
    fail(`expected "options" to be an object, got ${describe(options)}`);
  }
  if (name !== undefined && (typeof name !== 'string' || name.trim() === '' || name.length > maxNameLength)) {
    fail(`expected "name" to be a text of 1 to ${maxNameLength} characters, got ${describe(name)}`);
  }
  const { env, env_options: envOptions } = record;
  if (env !== undefined && (typeof env !== 'string' || env === '')) {
    fail(`expected "env" to be the name of an environment, got ${describe(env)}`);
  }
  if (
    envOptions !== undefined &&
    (typeof envOptions !== 'object' || envOptions === null || Array.isArray(envOptions))
  ) {
    fail(`expected "env_options" to be an object, got ${describe(envOptions)}`);
  }
  if (envOptions !== undefined && env === undefined) fail('expected "env" beside "env_options", got none; add it');
  return record as unknown as PolicyDocument;
}

/** An environment that a policy file, a run or a line names. */
export interface NamedEnv {
  /** what names it, for messages */
  readonly source: string;
  /** id, or absolute path of a module */
  readonly env: string;
  readonly options: EnvOptions;
}

/** The environment that a policy document names; null: none. Throws a `UsageError` for a text that is no document. */
export function namedEnv(input: InputText): NamedEnv | null {
  const { env, env_options: options = {} } = readDocument(input);
  return env === undefined ? null : { source: locationOf(input), env, options };
}

/**
 * The policy in a text, fitted to an environment. Throws a `UsageError` that names the file and the parameter. `build`
 * may cache policies.
 */
export function parsePolicy(input: InputText, env: Env, build = buildPolicy): LoadedPolicy {
  const { kind, params, options, name = null } = readDocument(input);
  const location = locationOf(input);
  let policy: Policy;
  try {
    policy = build(kind, env, options ?? {});
  } catch (cause) {
    if (!(cause instanceof R2poError)) throw cause;
    throw new UsageError(unit, `${location}: ${cause.detail}`, cause);
  }
  if (params.length !== policy.paramCount) {
    throw new UsageError(
      unit,
      `${location}: expected ${policy.paramCount} params for a ${policy.kind} policy in ${env.id}, got ${params.length}`,
    );
  }
  const { values } = policy;
  params.forEach((value, index) => {
    if (values.kind === 'choice' && !allowsParameter(values, value)) {
      throw new UsageError(
        unit,
        `${location}: expected one of ${values.values.join(', ')} at params[${index}] (${policy.paramNames[index]}), got ${value}`,
      );
    }
  });
  return { source: location, name, policy, params: Float64Array.from(params) };
}

/** The content of a policy file, which `parsePolicy` reads. `of`: the environment, as configurations name it. */
export function policyDocument(
  policy: Policy,
  params: ArrayLike<number>,
  of: { readonly env: string; readonly env_options: EnvOptions },
): PolicyDocument {
  const { env, env_options } = of;
  return { env, env_options, kind: policy.kind, params: Array.from(params), options: policy.options };
}
