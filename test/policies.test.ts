/** Policy kinds by the shared suite, and what is special to each; the rule from outputs to actions. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../src/base/errors.ts';
import { Generator } from '../src/base/rng/generator.ts';
import { cartpole } from '../src/envs/cartpole/index.ts';
import { type ActionSpace, observationSize, type Row, type Spaces } from '../src/envs/env.ts';
import { buildPolicy, policyKinds } from '../src/policies/index.ts';
import { linear } from '../src/policies/linear.ts';
import { argmax, clipToBox } from '../src/rollout/cpu/actions.ts';
import { type PolicyCase, suiteForPolicy } from './suites/policy.ts';

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
      const sum = obs.reduce((total, value, i) => total + value * params[i * n + j], 0);
      return bias ? sum + params[obs.length * n + j] : sum;
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

  it('has no bias parameters without bias, and says so to its shader', () => {
    const policy = buildPolicy('linear', cartpole, { bias: false });
    expect(policy.paramCount).toBe(8);
    expect(policy.paramNames.some((name) => name.startsWith('bias'))).toBe(false);
    expect(policy.shaderConstants).toEqual({ LINEAR_BIAS: false });
    expect(buildPolicy('linear', cartpole).shaderConstants).toEqual({ LINEAR_BIAS: true });
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
