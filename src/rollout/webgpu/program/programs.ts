/** Which files make up which program. Nothing here or below knows an environment or a policy by name. */
import { type Env, observationSize } from '../../../envs/env.ts';
import type { Policy } from '../../../policies/policy.ts';
import { outcomeDeclarations } from '../episodes/outcome-word.ts';
import { statisticsDeclarations } from '../statistics/statistics-declarations.ts';
import { envDeclarations, policyDeclarations, zigguratDeclarations } from './declarations.ts';
import { link, type Program, type SourceFile } from './link.ts';

/** The text of a shader by its path under the package root. */
export type ReadShader = (path: string) => string;

/** Where random numbers come from: a generator, or a buffer of numbers that were drawn before. */
type DrawSource = 'shaders/lib/pcg64.wgsl' | 'shaders/lib/recorded-draws.wgsl';

function libraries(env: Env, read: ReadShader, draws: DrawSource): SourceFile[] {
  const file = (path: string, declares: string[]): SourceFile => ({ path, text: read(path), declares });
  return [
    file('shaders/lib/f64.wgsl', ['F64']),
    file(draws, [
      'Rng',
      'rng_seed',
      'rng_random',
      'rng_random_f32',
      'RngFraction',
      'rng_fraction',
      'rng_fraction_below',
      'rng_uniform',
      'rng_integers',
    ]),
    file('shaders/lib/trig.wgsl', ['trig_sincos']),
    file('shaders/lib/tanh.wgsl', ['tanh_accurate']),
    ...(env.normalDraws === true && draws === 'shaders/lib/pcg64.wgsl'
      ? [
          { path: 'ziggurat (tables)', text: zigguratDeclarations() },
          file('shaders/lib/ziggurat.wgsl', ['rng_standard_normal']),
        ]
      : []),
  ];
}

function envFiles(env: Env, read: ReadShader, fromAnyState: boolean): SourceFile[] {
  const shipped = `shaders/envs/${env.folder}.wgsl`;
  const own = env.shader?.() ?? null;
  const { path, text } = own ?? { path: shipped, text: read(shipped) };
  return [
    { path: `${env.id} (declarations)`, text: envDeclarations(env, fromAnyState) },
    { path, text, declares: ['env_reset', 'env_observe', 'env_step'], isForeign: own !== null },
    ...env.libraries.map((name) => {
      const library = `shaders/lib/${name}.wgsl`;
      return { path: library, text: read(library) };
    }),
  ];
}

/** How outputs become an action: chosen by what the policy puts out and what the environment takes. */
function actionFile(env: Env, policy: Policy): string {
  if (policy.output === 'action') return 'shaders/actions/direct.wgsl';
  return env.action.kind === 'discrete' ? 'shaders/actions/argmax.wgsl' : 'shaders/actions/clip.wgsl';
}

/** What a rollout can record: nothing, or an episode of which each invocation, or one of them, records a step. */
export type Recording = 'nothing' | 'a step each' | 'all steps';

/** The program that plays (and records) episodes of one policy kind in one environment. */
export function rolloutProgram(
  env: Env,
  policy: Policy,
  read: ReadShader,
  recording: Recording = 'a step each',
): Program {
  const policyPath = `shaders/policies/${policy.shader ?? policy.kind}.wgsl`;
  const actionPath = actionFile(env, policy);
  return link([
    ...envFiles(env, read, false),
    { path: `${policy.kind} (declarations)`, text: policyDeclarations(policy, observationSize(env.observation)) },
    { path: policyPath, text: read(policyPath), declares: ['PolicyMemory', 'policy_load', 'policy_act'] },
    { path: actionPath, text: read(actionPath), declares: ['select_action'] },
    { path: 'outcomes (declarations)', text: outcomeDeclarations() },
    { path: 'recording (declarations)', text: recordingDeclarations(recording) },
    { path: 'shaders/rollout.wgsl', text: read('shaders/rollout.wgsl'), declares: ['play'] },
    ...libraries(env, read, 'shaders/lib/pcg64.wgsl'),
  ]);
}

const recordingDeclarations = (recording: Recording): string =>
  `const RECORDS = ${recording !== 'nothing'};\nconst RECORDS_STEPS = ${recording === 'all steps'};`;

/** The program for start states, or for single transitions whose random numbers are given. */
export function probeProgram(env: Env, what: 'resets' | 'transitions', read: ReadShader): Program {
  const path = `shaders/${what}.wgsl`;
  return link([
    ...envFiles(env, read, what === 'transitions'),
    { path, text: read(path), declares: [what] },
    ...libraries(env, read, what === 'resets' ? 'shaders/lib/pcg64.wgsl' : 'shaders/lib/recorded-draws.wgsl'),
  ]);
}

/** The program that sums up what was played; it knows neither environment nor policy. */
export function statisticsProgram(read: ReadShader): Program {
  const paths = ['shaders/statistics.wgsl', 'shaders/lib/f64.wgsl', 'shaders/lib/f64-sums.wgsl'];
  return link([
    { path: 'outcomes (declarations)', text: outcomeDeclarations() },
    { path: 'statistics (declarations)', text: statisticsDeclarations() },
    ...paths.map((path) => ({ path, text: read(path) })),
  ]);
}
