/** Policy kinds by the shared suite, and what is special to each; the rule from outputs to actions. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/base/errors.ts';
import { Generator } from '../../src/base/rng/generator.ts';
import { cartpole } from '../../src/envs/cartpole/index.ts';
import { type ActionSpace, observationSize, type Row, type Spaces } from '../../src/envs/env.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { buildPolicy, policyKinds } from '../../src/policies/index.ts';
import { linear } from '../../src/policies/linear.ts';
import { mlp } from '../../src/policies/mlp.ts';
import { allowsParameter, type Policy, policyValues, shaderExpansion } from '../../src/policies/policy.ts';
import { projectedMlp } from '../../src/policies/projected-mlp.ts';
import { randomFeatures } from '../../src/policies/random-features.ts';
import { tabular } from '../../src/policies/tabular.ts';
import { argmax, clipToBox } from '../../src/rollout/cpu/actions.ts';
import { type PolicyCase, suiteForPolicy } from '../suites/policy.ts';

const row = (name: string): Row => ({ name, meaning: name, unit: '1', low: -9, high: 9 });
const rows = (letter: string, n: number) => Array.from({ length: n }, (_, i) => row(`${letter}${i}`));
const spaces = (inputs: number, action: ActionSpace): Spaces => ({
  observation: { kind: 'vector', rows: rows('o', inputs) },
  action,
});
const box = (n: number): ActionSpace => ({ kind: 'box', rows: rows('a', n) });
const discrete = (n: number): ActionSpace => ({ kind: 'discrete', meanings: rows('do ', n).map((r) => r.name) });

const linearCases: readonly PolicyCase[] = [
  { name: '1 input, box 1', spaces: spaces(1, box(1)), options: {} },
  { name: '2 inputs, 3 actions', spaces: spaces(2, discrete(3)), options: {} },
  { name: '3 inputs, 2 actions, no bias', spaces: spaces(3, discrete(2)), options: { bias: false } },
  { name: '4 inputs, 2 actions', spaces: spaces(4, discrete(2)), options: { bias: true } },
  { name: '4 inputs, box 3, no bias', spaces: spaces(4, box(3)), options: { bias: false } },
  { name: '5 inputs, 3 actions', spaces: spaces(5, discrete(3)), options: {} },
  { name: '9 inputs, box 2', spaces: spaces(9, box(2)), options: {} },
];

describe('linear', () => {
  suiteForPolicy(linear, linearCases, (params, obs, { action }, options) => {
    const n = action.kind === 'box' ? action.rows.length : action.meanings.length;
    const bias = options.bias !== false;
    return Array.from({ length: n }, (_, j) => {
      const sum = obs.reduce((total, value, i) => total + value * params[i * n + j]!, 0);
      return bias ? sum + params[obs.length * n + j]! : sum;
    });
  });

  it('lays parameters out as states x actions, then one bias per action', () => {
    const policy = buildPolicy('linear', cartpole);
    expect(policy.paramCount).toBe(10);
    expect(policy.paramNames.slice(0, 3)).toEqual([
      'weight x -> action 0',
      'weight x -> action 1',
      'weight x_dot -> action 0',
    ]);
    expect(policy.paramNames.slice(8)).toEqual(['bias action 0', 'bias action 1']);
    const outputs = new Float64Array(2);
    policy.act(Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), Float64Array.of(1, 10, 100, 1000), outputs);
    expect(Array.from(outputs)).toEqual([1 + 30 + 500 + 7000 + 9, 2 + 40 + 600 + 8000 + 10]);
  });

  it('has no bias parameters without bias, nor any in the sums that shaders are given', () => {
    const policy = buildPolicy('linear', cartpole, { bias: false });
    expect(policy.paramCount).toBe(8);
    expect(policy.paramNames.some((name) => name.startsWith('bias'))).toBe(false);
    const written = (p: Policy) => p.expressions?.(['a', 'b', 'c', 'd'], (k) => `w[${k}]`);
    expect(written(policy)?.[1]).toBe('a * w[1] + b * w[3] + c * w[5] + d * w[7]');
    expect(written(buildPolicy('linear', cartpole))?.[1]).toBe('a * w[1] + b * w[3] + c * w[5] + d * w[7] + w[9]');
  });

  it('gives a shader the scores ahead of that of the first action', () => {
    const { shaderForm } = buildPolicy('linear', cartpole);
    const params = Float64Array.of(1, 2, 3, 5, 7, 11, 13, 17, -3e38, 3e38);
    expect([...shaderForm!.expand(params)]).toEqual([1, 2, 4, 4, 3.4028234663852886e38]);
    expect(shaderForm!.expressions(['a', 'b', 'c', 'd'], (k) => `w[${k}]`)).toEqual([
      '0.0',
      'a * w[0] + b * w[1] + c * w[2] + d * w[3] + w[4]',
    ]);
    const three = buildPolicy('linear', findEnv('MountainCar-v0')).shaderForm!;
    expect([...three.expand(Float64Array.of(1, 2, 4, 10, 30, 70, 5, 6, 9))]).toEqual([1, 3, 20, 60, 1, 4]);
    expect(three.expressions(['x', 'v'], (k) => `w[${k}]`)[2]).toBe('x * w[1] + v * w[3] + w[5]');
    const box = buildPolicy('linear', findEnv('Pendulum-v1')).shaderForm!;
    expect(box.expressions(['c', 's', 'r'], (k) => `w[${k}]`)).toEqual(['c * w[0] + s * w[1] + r * w[2] + w[3]']);
    expect([...box.expand(Float64Array.of(4, 3, 2, 1))]).toEqual([4, 3, 2, 1]);
  });

  it('refuses a bias that is neither true nor false', () => {
    expect(() => linear.build(cartpole, { bias: 'no' })).toThrow(
      'expected option "bias" to be true or false, got "no"',
    );
  });

  it('draws warm-up parameters with one decimal', () => {
    const drawn = buildPolicy('linear', cartpole).sample(Generator.from(3), 3);
    expect(Array.from(drawn)).toEqual(Array.from(drawn, (value) => Number(value.toFixed(1))));
  });

  it('does not act on numbered states', () => {
    const grid: Spaces = { observation: { kind: 'discrete', n: 16, meaning: 'cell' }, action: discrete(4) };
    expect(observationSize(grid.observation)).toBe(1);
    expect(linear.accepts(grid)).toContain('numbered states');
    expect(linear.accepts(cartpole)).toBeNull();
  });
});

describe('tabular', () => {
  const numbered = (n: number, action: ActionSpace): Spaces => ({
    observation: { kind: 'discrete', n, meaning: 'cell' },
    action,
  });
  const ruled: ActionSpace = { kind: 'discrete', meanings: ['resign', 'hit', 'pass', 'double'], againstRules: [0, 2] };
  const cases: readonly PolicyCase[] = [
    { name: '16 states, 4 actions', spaces: numbered(16, discrete(4)), options: {} },
    { name: '11 states, 2 of 4 actions allowed', spaces: numbered(11, ruled), options: {} },
  ];
  suiteForPolicy(tabular, cases, (params, [state]) => [Math.trunc(params[state!]!)]);

  it('has one parameter per state and leaves out illegal actions', () => {
    const policy = tabular.build(numbered(11, ruled), {});
    expect(policy.paramCount).toBe(11);
    expect(policy.paramNames[7]).toBe('action in state 7');
    expect(policy.values).toEqual({ kind: 'choice', values: [1, 3] });
  });

  it('drops fractions towards zero, also of negative numbers', () => {
    const policy = tabular.build(numbered(5, discrete(3)), {});
    const values = policyValues(policy, Float64Array.of(1.9999, -0.75, 2, 0.5, -0));
    expect(Array.from(values)).toEqual([1, 0, 2, 0, 0]);
    const allowed = [2.9, -0.9, 3, -1, 2 ** 40].map((value) => allowsParameter(policy.values, value));
    expect(allowed).toEqual([true, true, false, false, false]);
  });

  it('draws every allowed action equally often', () => {
    const policy = tabular.build(numbered(6000, ruled), {});
    const drawn = policy.sample(Generator.from(12), 3);
    const share = drawn.filter((value) => value === 3).length / drawn.length;
    // Five standard deviations of a fair coin.
    expect(Math.abs(share - 0.5)).toBeLessThan((5 * 0.5) / Math.sqrt(6000));
  });

  it('acts on numbered states with numbered actions only', () => {
    expect(tabular.accepts(numbered(4, discrete(2)))).toBeNull();
    expect(tabular.accepts(numbered(4, box(2)))).toContain('numbered actions');
    expect(tabular.accepts(cartpole)).toContain('numbered state');
  });
});

/** One layer after the other, as plainly as possible. */
function network(
  values: readonly number[],
  sizes: readonly number[],
  inputs: readonly number[],
  activation: (x: number) => number,
): number[] {
  let at = 0;
  let layer = [...inputs];
  for (let l = 1; l < sizes.length; l++) {
    const from = layer;
    const weights = at;
    const biases = at + from.length * sizes[l]!;
    layer = Array.from({ length: sizes[l]! }, (_, k) => {
      const sum = from.reduce((total, value, i) => total + value * values[weights + i * sizes[l]! + k]!, 0);
      const y = sum + values[biases + k]!;
      return l < sizes.length - 1 ? activation(y) : y;
    });
    at = biases + sizes[l]!;
  }
  expect(at).toBe(values.length);
  return layer;
}

const outputCount = (action: ActionSpace) => (action.kind === 'box' ? action.rows.length : action.meanings.length);

describe('mlp', () => {
  const cases: readonly PolicyCase[] = [
    { name: 'defaults, 4 inputs', spaces: spaces(4, discrete(2)), options: {} },
    { name: '1 input, 3 relu units, box 2', spaces: spaces(1, box(2)), options: { hidden: [3], activation: 'relu' } },
    { name: '3 inputs, 5 and 2 units', spaces: spaces(3, discrete(3)), options: { hidden: [5, 2] } },
    {
      name: '2 inputs, 2 and 6 relu units',
      spaces: spaces(2, box(1)),
      options: { hidden: [2, 6], activation: 'relu' },
    },
    { name: '9 inputs, 64 and 64 units', spaces: spaces(9, box(1)), options: { hidden: [64, 64] } },
    { name: '3 inputs, 5 units, squashed box 2', spaces: spaces(3, box(2)), options: { hidden: [5], output: 'tanh' } },
    {
      name: '2 inputs in bounds, 3 relu units, squashed box 1',
      spaces: spaces(2, box(1)),
      options: { hidden: [3], activation: 'relu', output: 'tanh', input_low: [-1, 0.5], input_high: [2, 3] },
    },
  ];
  suiteForPolicy(mlp, cases, (params, obs, { action }, options) => {
    const hidden = (options.hidden ?? [8]) as number[];
    const relu = options.activation === 'relu';
    const [low, high] = [options.input_low, options.input_high] as (number[] | undefined)[];
    const seen = obs.map((value, i) => (low && high ? Math.min(Math.max(value, low[i]!), high[i]!) : value));
    const sizes = [obs.length, ...hidden, outputCount(action)];
    const outputs = network(params, sizes, seen, relu ? (x) => Math.max(x, 0) : Math.tanh);
    if (options.output !== 'tanh' || action.kind !== 'box') return outputs;
    return outputs.map((value, j) => {
      const row = action.rows[j]!;
      return row.low + (row.high - row.low) / 2 + ((row.high - row.low) / 2) * Math.tanh(value);
    });
  });

  it('lays parameters out layer by layer, weights before biases', () => {
    const policy = buildPolicy('mlp', cartpole, { hidden: [2, 3] });
    expect(policy.paramCount).toBe(4 * 2 + 2 + 2 * 3 + 3 + 3 * 2 + 2);
    expect(policy.paramNames.slice(0, 3)).toEqual([
      'weight x -> hidden 1.0',
      'weight x -> hidden 1.1',
      'weight x_dot -> hidden 1.0',
    ]);
    expect(policy.paramNames.slice(8, 11)).toEqual([
      'bias hidden 1.0',
      'bias hidden 1.1',
      'weight hidden 1.0 -> hidden 2.0',
    ]);
    expect(policy.paramNames.slice(-4)).toEqual([
      'weight hidden 2.2 -> action 0',
      'weight hidden 2.2 -> action 1',
      'bias action 0',
      'bias action 1',
    ]);
    expect(buildPolicy('mlp', cartpole, { hidden: [2] }).paramNames[0]).toBe('weight x -> hidden 0');
  });

  it('keeps no memory of the call before', () => {
    const policy = buildPolicy('mlp', cartpole, { hidden: [7, 5] });
    const params = policy.sample(Generator.from(8), 1);
    const act = (obs: Float64Array) => {
      const out = new Float64Array(2);
      policy.act(params, obs, out);
      return Array.from(out);
    };
    const first = act(Float64Array.of(1, -2, 0.5, 3));
    expect(act(Float64Array.of(-9, 4, 7, 1))).not.toEqual(first);
    expect(act(Float64Array.of(1, -2, 0.5, 3))).toEqual(first);
  });

  it.each([[[]], [[4, 4, 4]], [[0]], [[513]], [[2.5]], [4], ['8']])('refuses the hidden layers %j', (hidden) => {
    expect(() => mlp.build(cartpole, { hidden })).toThrow(
      `expected option "hidden" to be a list of one or two layer sizes in 1 ... 512, got ${JSON.stringify(hidden)}`,
    );
  });

  it('refuses bounds that do not fit, and a squashed choice', () => {
    const bounds = { input_low: [0, 0, 0, 0], input_high: [1, 1, 1] };
    expect(() => mlp.build(cartpole, bounds)).toThrow('with 4 bounds each, the lower ones not above the upper ones');
    expect(() => mlp.build(cartpole, { output: 'tanh' })).toThrow('to be linear, as the actions are numbered');
    expect(() => mlp.build(cartpole, { output_limit: 2 })).toThrow('"output_limit" with output: tanh, got 2');
    // Records of earlier versions have the first two alone.
    expect(buildPolicy('mlp', cartpole).options).toEqual({ hidden: [8], activation: 'tanh' });
  });

  it('refuses an activation that it does not know', () => {
    expect(() => mlp.build(cartpole, { activation: 'sigmoid' })).toThrow('to be tanh or relu, got "sigmoid"');
  });
});

describe('projected-mlp', () => {
  const wide = { low: -60, high: 60 };
  const cases: readonly PolicyCase[] = [
    { name: 'defaults with a wide range', spaces: spaces(4, discrete(2)), options: wide },
    {
      name: '8 inputs, box 2, other options',
      spaces: spaces(8, box(2)),
      options: { ...wide, hidden: 3, latent: [4, 6], seed: 3001, scale: 2 },
    },
  ];
  const valuesOf = (params: readonly number[], where: Spaces, options: PolicyCase['options']) =>
    Array.from(policyValues(projectedMlp.build(where, options), Float64Array.from(params)));
  suiteForPolicy(projectedMlp, cases, (params, obs, where, options) => {
    const sizes = [obs.length, (options.hidden ?? 4) as number, outputCount(where.action)];
    return network(valuesOf(params, where, options), sizes, obs, Math.tanh);
  });

  it('stretches its coordinates by the scale and keeps their length, layer by layer', () => {
    const where = spaces(8, box(2));
    const policy = projectedMlp.build(where, { scale: 3, latent: [5, 4] });
    const params = Float64Array.of(1, -2, 3, 0.5, -1, 2, 4, -3, 1);
    const values = policyValues(policy, params);
    expect(values.length).toBe(8 * 4 + 4 + 4 * 2 + 2);
    expect(shaderExpansion(policy).count).toBe(values.length);
    const norm = (x: Float64Array) => Math.hypot(...x);
    expect(norm(values.subarray(0, 36))).toBeCloseTo(3 * norm(params.subarray(0, 5)), 12);
    expect(norm(values.subarray(36))).toBeCloseTo(3 * norm(params.subarray(5)), 12);
  });

  it('cuts coordinates and draws to its range', () => {
    const policy = projectedMlp.build(spaces(8, box(2)), { low: -1, high: 2 });
    const at = (value: number) => policyValues(policy, new Float64Array(10).fill(value));
    expect(at(50)).toEqual(at(2));
    expect(at(-50)).toEqual(at(-1));
    expect(at(1.9)).not.toEqual(at(2));
    const drawn = Array.from({ length: 50 }, (_, seed) => [...policy.sample(Generator.from(seed), 3)]).flat();
    expect([Math.min(...drawn), Math.max(...drawn)]).toEqual([-1, 2]);
  });

  it('refuses more coordinates than a layer has values, and an empty range', () => {
    expect(() => projectedMlp.build(spaces(2, box(1)), { hidden: 1 })).toThrow(
      'expected at most 3 coordinates for the 3 values of layer 1, got 5',
    );
    expect(() => projectedMlp.build(cartpole, { low: 2, high: 2 })).toThrow('"low" below "high"');
  });
});

describe('random-features', () => {
  const wide = { low: -60, high: 60 };
  const cases: readonly PolicyCase[] = [
    { name: 'defaults with a wide range', spaces: spaces(8, box(2)), options: wide },
    {
      name: '5 inputs, 3 actions, other options',
      spaces: spaces(5, discrete(3)),
      options: { ...wide, hidden: 6, seed: 4, obs_scale: 0.5, obs_clip: 1.5, output_gain: 2 },
    },
  ];
  suiteForPolicy(randomFeatures, cases, (params, obs, where, options) => {
    const values = policyValues(randomFeatures.build(where, options), Float64Array.from(params));
    const limit = values[values.length - 1]!;
    const cut = obs.map((value) => Math.min(Math.max(value, -limit), limit));
    const sizes = [obs.length, (options.hidden ?? 8) as number, outputCount(where.action)];
    return network(Array.from(values.subarray(0, -2 * obs.length)), sizes, cut, Math.tanh);
  });

  it('lays the readout out action by action, then the biases', () => {
    const policy = randomFeatures.build(spaces(3, box(2)), { hidden: 2 });
    expect(policy.paramNames).toEqual([
      'weight feature 0 -> a0',
      'weight feature 1 -> a0',
      'weight feature 0 -> a1',
      'weight feature 1 -> a1',
      'bias a0',
      'bias a1',
    ]);
    const out = new Float64Array(2);
    policy.act(policyValues(policy, Float64Array.of(0, 0, 0, 0, 4, -6)), Float64Array.of(1, 2, 3), out);
    expect(Array.from(out)).toEqual([2, -3]);
  });

  it('draws within its range', () => {
    const policy = randomFeatures.build(spaces(3, box(2)), {});
    const drawn = Array.from({ length: 50 }, (_, seed) => [...policy.sample(Generator.from(seed), 3)]).flat();
    expect([Math.min(...drawn), Math.max(...drawn)]).toEqual([-2, 2]);
  });
});

describe('registry', () => {
  it('has kinds with different ids', () => {
    expect(new Set(policyKinds.map((kind) => kind.id)).size).toBe(policyKinds.length);
  });

  it('names the nearest kind for one it does not know', () => {
    expect(() => buildPolicy('liner', cartpole)).toThrow(UsageError);
    expect(() => buildPolicy('liner', cartpole)).toThrow('did you mean "linear"');
  });
});

describe('argmax', () => {
  it.each([
    { scores: [4, 4], index: 0 },
    { scores: [1, 7, 7, 2], index: 1 },
    { scores: [-5, -3, -8], index: 1 },
    { scores: [-0, 0], index: 0 },
    { scores: [-Infinity, -Infinity, -1e300], index: 2 },
    { scores: [3], index: 0 },
  ])('takes the first of the largest: $scores', ({ scores, index }) => {
    expect(argmax(Float64Array.from(scores))).toBe(index);
  });

  it('is the index that a search from the left finds', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 6 }), (scores) => {
        expect(argmax(Float64Array.from(scores))).toBe(scores.indexOf(Math.max(...scores)));
      }),
    );
  });
});

describe('clip to the box', () => {
  it('uses the bounds of each entry, which need not be symmetric', () => {
    const action = new Float64Array(4);
    clipToBox(Float64Array.of(-9, 9, 0.25, 6), Float64Array.of(-0.5, -2, -1, 5), Float64Array.of(3, 1.5, 1, 7), action);
    expect(Array.from(action)).toEqual([-0.5, 1.5, 0.25, 6]);
  });

  it('keeps NaN, so that it cannot pass as a bound', () => {
    const action = new Float64Array(1);
    clipToBox(Float64Array.of(NaN), Float64Array.of(-1), Float64Array.of(1), action);
    expect(action[0]).toBeNaN();
  });
});
