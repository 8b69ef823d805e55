/**
 * Layouts that the host shares with the shaders: declarations made from an environment's and a policy's records,
 * and the words of the environment's parameter buffer. Structs in buffers hold only f32 and u32, so word k is
 * at byte 4k.
 */
import { zigguratTables } from '../../../base/rng/ziggurat.ts';
import { type ActionSpace, actionSize, type Env, observationSize } from '../../../envs/env.ts';
import { fieldName } from '../../../envs/wgsl-names.ts';
import { type Policy, shaderExpansion } from '../../../policies/policy.ts';

/** What to do where an F64 is expected and an f32 is given. */
export const exactAdvice = 'list the constant under "exact" in the environment, which makes it an F64';

/** A number as a WGSL f32 literal that reads back to the nearest f32. */
function f32Literal(value: number): string {
  const text = String(Math.fround(value));
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}

function actionDeclarations(space: ActionSpace): string[] {
  if (space.kind === 'discrete') {
    return [
      'alias Action = u32;',
      'fn action_to_array(a: Action) -> array<f32, ACTION_DIM> { return array<f32, ACTION_DIM>(f32(a)); }',
      'fn action_from_array(a: array<f32, ACTION_DIM>) -> Action { return u32(a[0]); }',
    ];
  }
  const bounds = (values: number[]): string => `array<f32, ACTION_DIM>(${values.map(f32Literal).join(', ')})`;
  return [
    'alias Action = array<f32, ACTION_DIM>;',
    `const ACTION_LOW = ${bounds(space.rows.map((r) => r.low))};`,
    `const ACTION_HIGH = ${bounds(space.rows.map((r) => r.high))};`,
    'fn action_to_array(a: Action) -> array<f32, ACTION_DIM> { return a; }',
    'fn action_from_array(a: array<f32, ACTION_DIM>) -> Action { return a; }',
  ];
}

/**
 * Sizes, types and conversions that follow from the environment's rows. `fromAnyState`: steps start in given states, and
 * not only in those that an episode reaches.
 */
export function envDeclarations(env: Env, fromAnyState: boolean): string {
  const state = env.state.map((r) => r.name);
  const memory = env.memory.map((r) => r.name);
  const exact = new Set(env.exact);
  return [
    `const STATE_DIM: u32 = ${env.state.length}u;`,
    `const OBS_DIM: u32 = ${observationSize(env.observation)}u;`,
    `const ACTION_DIM: u32 = ${actionSize(env.action)}u;`,
    `const STEP_DRAWS: u32 = ${env.stepDraws}u;`,
    `const FROM_ANY_STATE: bool = ${fromAnyState};`,
    ...(env.table.length > 0
      ? [
          `const ENV_TABLE_SIZE: u32 = ${env.table.length}u;`,
          `const ENV_TABLE = array<u32, ${env.table.length}>(${env.table.map((v) => `${v}u`).join(', ')});`,
        ]
      : []),
    'alias Obs = array<f32, OBS_DIM>;',
    ...actionDeclarations(env.action),
    'struct EnvParams {',
    ...Object.keys(env.params).map((name) => `  ${fieldName(name)}: ${exact.has(name) ? 'F64' : 'f32'},`),
    // A struct has a member, and a buffer a word.
    ...(Object.keys(env.params).length === 0 ? ['  unused: f32,'] : []),
    '}',
    'struct EnvState {',
    ...[...state, ...memory].map((name) => `  ${name}: f32,`),
    '}',
    'struct Transition {',
    '  state: EnvState,',
    '  reward: f32,',
    '  terminated: bool,',
    '}',
    'fn state_to_array(s: EnvState) -> array<f32, STATE_DIM> {',
    `  return array<f32, STATE_DIM>(${state.map((name) => `s.${name}`).join(', ')});`,
    '}',
    'fn state_from_array(a: array<f32, STATE_DIM>) -> EnvState {',
    `  return EnvState(${[...state.map((_, i) => `a[${i}]`), ...memory.map(() => '0.0')].join(', ')});`,
    '}',
  ].join('\n');
}

/** The tables of `shaders/lib/ziggurat.wgsl`. */
export function zigguratDeclarations(): string {
  const { tailStart, layerWidth, innerCount, density } = zigguratTables();
  const words = (value: number): string => {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value);
    return `${view.getUint32(4)}u, ${view.getUint32(0)}u`;
  };
  const layers = Array.from(layerWidth, (width, i) => {
    const count = `${innerCount[i]! % 2 ** 32}u, ${Math.floor(innerCount[i]! / 2 ** 32)}u`;
    return `vec4u(${count}, ${words(width * 2 ** 53)})`;
  });
  const edges = Array.from(
    density,
    (value, i) => `vec4u(${words(value)}, ${words(i === 0 ? 0 : density[i - 1]! - value)})`,
  );
  return [
    `const ZIGGURAT_TAIL = F64(${words(tailStart)});`,
    `const ZIGGURAT_TAIL_INVERSE = F64(${words(1 / tailStart)});`,
    `const ZIGGURAT_LAYERS = array<vec4u, ${layers.length}>(${layers.join(', ')});`,
    `const ZIGGURAT_EDGES = array<vec4u, ${edges.length}>(${edges.join(', ')});`,
  ].join('\n');
}

/**
 * Sizes, constants and functions that follow from the policy. The functions are loops written out, with which an episode
 * is several times faster where the compiler does not do that itself, as SwiftShader's.
 */
export function policyDeclarations(policy: Policy, inputs: number): string {
  const observed = Array.from({ length: inputs }, (_, i) => `(*obs)[${i}]`);
  const expressions = policy.shaderForm?.expressions(observed, (i) => `(*memory).weights[${i}]`);
  const others = Array.from({ length: policy.outputCount - 1 }, (_, i) => i + 1);
  return [
    `const PARAM_COUNT: u32 = ${shaderExpansion(policy).count}u;`,
    `const OUTPUT_DIM: u32 = ${policy.outputCount}u;`,
    'alias Outputs = array<f32, OUTPUT_DIM>;',
    // The index of the highest output, the first one on a tie.
    'fn highest_output(outputs: ptr<function, Outputs>) -> u32 {',
    '  var best = 0u;',
    '  var score = (*outputs)[0];',
    ...others.map((i) => `  if ((*outputs)[${i}] > score) { best = ${i}u; score = (*outputs)[${i}]; }`),
    '  return best;',
    '}',
    ...(expressions
      ? [
          'fn policy_expressions(memory: ptr<function, PolicyMemory>, obs: ptr<function, Obs>) -> Outputs {',
          `  return Outputs(${expressions.join(', ')});`,
          '}',
        ]
      : []),
    ...Object.entries(policy.shaderConstants).map(([name, value]) =>
      typeof value === 'boolean' ? `const ${name}: bool = ${value};` : `const ${name}: u32 = ${value}u;`,
    ),
  ].join('\n');
}

/** The words of `EnvParams`: f32 bits, or the two words (low first) of a float64 that must arrive to the last bit. */
export function envParamWords(env: Env): Uint32Array<ArrayBuffer> {
  const exact = new Set(env.exact);
  const words: number[] = [];
  const scratch = new DataView(new ArrayBuffer(8));
  for (const [name, value] of Object.entries(env.params)) {
    if (exact.has(name)) {
      scratch.setFloat64(0, value);
      words.push(scratch.getUint32(4), scratch.getUint32(0));
    } else {
      scratch.setFloat32(0, value);
      words.push(scratch.getUint32(0));
    }
  }
  return Uint32Array.from(words.length === 0 ? [0] : words);
}

/** Low and high word of a seed. */
export function seedWords(seed: number): readonly [number, number] {
  return [seed >>> 0, Math.floor(seed / 2 ** 32)];
}
