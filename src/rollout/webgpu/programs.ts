/** Which files make up which program. Nothing here or below knows an environment or a policy by name. */
import { readAsset } from '../../base/assets.ts';
import type { Env } from '../../envs/env.ts';
import type { Policy } from '../../policies/policy.ts';
import { envDeclarations, policyDeclarations } from './layout.ts';
import { link, type Program, type SourceFile } from './link.ts';

/** Reads a shader by its path under the package root; tests pass their own to run a changed copy. */
export type ReadShader = (path: string) => string;

function libraries(read: ReadShader): SourceFile[] {
  const file = (path: string, declares: string[]): SourceFile => ({ path, text: read(path), declares });
  return [
    file('shaders/lib/f64.wgsl', ['F64']),
    file('shaders/lib/pcg64.wgsl', ['Rng', 'rng_seed', 'rng_random', 'rng_uniform']),
    file('shaders/lib/trig.wgsl', ['trig_sincos']),
  ];
}

function envFiles(env: Env, read: ReadShader): SourceFile[] {
  const path = `shaders/envs/${env.folder}.wgsl`;
  return [
    { path: `${env.id} (declarations)`, text: envDeclarations(env) },
    { path, text: read(path), declares: ['env_reset', 'env_observe', 'env_step'] },
  ];
}

/** How outputs become an action: chosen by what the policy puts out and what the environment takes. */
function actionFile(env: Env, policy: Policy): string {
  if (policy.output === 'action') return 'shaders/actions/direct.wgsl';
  return env.action.kind === 'discrete' ? 'shaders/actions/argmax.wgsl' : 'shaders/actions/clip.wgsl';
}

/** The program that plays (and records) episodes of one policy kind in one environment. */
export function rolloutProgram(env: Env, policy: Policy, read: ReadShader = readAsset): Program {
  const policyPath = `shaders/policies/${policy.kind}.wgsl`;
  const actionPath = actionFile(env, policy);
  return link([
    ...envFiles(env, read),
    { path: `${policy.kind} (declarations)`, text: policyDeclarations(policy) },
    { path: policyPath, text: read(policyPath), declares: ['PolicyMemory', 'policy_load', 'policy_act'] },
    { path: actionPath, text: read(actionPath), declares: ['select_action'] },
    { path: 'shaders/rollout.wgsl', text: read('shaders/rollout.wgsl'), declares: ['play'] },
    ...libraries(read),
  ]);
}

/** The program for single transitions and start states. */
export function probeProgram(env: Env, read: ReadShader = readAsset): Program {
  return link([
    ...envFiles(env, read),
    { path: 'shaders/probe.wgsl', text: read('shaders/probe.wgsl'), declares: ['transitions', 'resets'] },
    ...libraries(read),
  ]);
}
