/**
 * What backends that play shaders can play: a shader is found by a name, so what a program has changed in an object, or
 * written itself in JavaScript, is not in it.
 */
import { UsageError } from '../base/errors.ts';
import type { Env } from '../envs/env.ts';
import { envs } from '../envs/index.ts';
import { isNamed, originOf } from '../envs/origin.ts';
import { isBuilt, type Policy } from '../policies/policy.ts';
import type { BackendId } from './backend.ts';

/** Whether the shader of the environment is its own, and not that of this package under the same name. */
const hasShader = ({ shader, folder }: Env): boolean =>
  shader !== null || !envs.some((shipped) => shipped.folder === folder);

/**
 * Null when the code that the backend plays is that of these objects, else why it is not. `own`: the environment brings
 * that code itself.
 */
export function codeReason(
  backend: BackendId,
  env: Env,
  policy: Policy | null,
  own: boolean = hasShader(env),
): string | null {
  const fail = (expected: string): string =>
    `the backend "${backend}" expected ${expected}, got a changed or other object; use such a one, or the backend cpu`;
  if (!isNamed(env) && (originOf(env) === null || !own)) {
    return fail(
      `${env.id} as findEnv, loadEnv, or defineEnv with "${backend === 'gpujs' ? 'gpujs' : 'shader'}" gives it`,
    );
  }
  if (policy !== null && !isBuilt(policy)) return fail('a policy as buildPolicy gives it');
  return null;
}

/** Throws the reason of `codeReason` as a usage error. */
export function checkCode(backend: BackendId, env: Env, policy: Policy | null): void {
  const reason = codeReason(backend, env, policy);
  if (reason !== null) throw new UsageError('--backend', reason);
}
