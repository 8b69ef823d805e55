/**
 * Linear policy: y_j = sum_i obs_i W_ij (+ b_j). Parameters are W row by row (states x outputs), then the biases.
 */
import { UsageError } from '../base/errors.ts';
import { observationSize, type Spaces } from '../envs/env.ts';
import type { Policy, PolicyKind, PolicyOptions, ShaderForm } from './policy.ts';

/** inputs that `unrolled` writes out */
const UNROLLED = 4;

function readBias(options: PolicyOptions): boolean {
  for (const key of Object.keys(options)) {
    if (key !== 'bias') throw new UsageError('linear', `expected only the option "bias", got "${key}"; remove it`);
  }
  const bias = options.bias ?? true;
  if (typeof bias !== 'boolean') {
    throw new UsageError('linear', `expected option "bias" to be true or false, got ${JSON.stringify(bias)}`);
  }
  return bias;
}

function outputNames(spaces: Spaces): string[] {
  const { action } = spaces;
  return action.kind === 'discrete' ? action.meanings.map((_, i) => `action ${i}`) : action.rows.map((r) => r.name);
}

type WrittenSum = (
  observed: readonly string[],
  value: (index: number) => string,
  column: number,
  columns: number,
) => string;

/** Largest f32. */
const largest = 3.4028234663852886e38;

/**
 * Of scores only the order counts: those of the other actions ahead of the first, whose own is zero. The differences of
 * the parameters are taken in float64 here, and a step has one sum less to make.
 */
function aheadOfFirst(rows: number, outputs: number, written: WrittenSum): ShaderForm {
  const columns = outputs - 1;
  return {
    count: rows * columns,
    expand(params) {
      const ahead = new Float64Array(rows * columns);
      for (let row = 0; row < rows; row++) {
        for (let j = 0; j < columns; j++) {
          const difference = params[row * outputs + j + 1] - params[row * outputs];
          ahead[row * columns + j] = Math.min(Math.max(difference, -largest), largest);
        }
      }
      return ahead;
    },
    expressions: (observed, value) => [
      '0.0',
      ...Array.from({ length: columns }, (_, j) => written(observed, value, j, columns)),
    ],
  };
}

export const linear: PolicyKind = {
  id: 'linear',
  title: 'linear in the observation, one output per action',

  accepts: ({ observation }) =>
    observation.kind === 'vector' ? null : 'it reads a vector observation, and this environment has numbered states',

  build(spaces, options): Policy {
    const bias = readBias(options);
    const { observation } = spaces;
    const inputs = observationSize(observation);
    const outputs = outputNames(spaces);
    const outputCount = outputs.length;
    const plain: Policy['act'] = (params, obs, out) => {
      for (let j = 0; j < outputCount; j++) {
        let sum = 0;
        let k = j;
        for (let i = 0; i < inputs; i++, k += outputCount) sum += obs[i] * params[k];
        out[j] = bias ? sum + params[k] : sum;
      }
    };
    // The same sum in the same order, with the first inputs written out: it saves a quarter of a CartPole step.
    const unrolled: Policy['act'] = (params, obs, out) => {
      const o0 = obs[0];
      const o1 = obs[1];
      const o2 = obs[2];
      const o3 = obs[3];
      for (let j = 0; j < outputCount; j++) {
        let k = j + 2 * outputCount;
        let sum = o0 * params[j] + o1 * params[j + outputCount] + o2 * params[k] + o3 * params[k + outputCount];
        k += 2 * outputCount;
        for (let i = UNROLLED; i < inputs; i++, k += outputCount) sum += obs[i] * params[k];
        out[j] = bias ? sum + params[k] : sum;
      }
    };
    const paramCount = (inputs + (bias ? 1 : 0)) * outputCount;
    /** The sum of a column of a matrix with so many. */
    const written: WrittenSum = (observed, value, column, columns) => {
      const terms = observed.map((entry, i) => `${entry} * ${value(i * columns + column)}`);
      return [...terms, ...(bias ? [value(inputs * columns + column)] : [])].join(' + ');
    };
    const expressions: Policy['expressions'] = (observed, parameter) =>
      outputs.map((_, j) => written(observed, parameter, j, outputCount));
    const inputNames = observation.kind === 'vector' ? observation.rows.map((r) => r.name) : ['state'];
    return {
      kind: 'linear',
      options: { bias },
      paramCount,
      paramNames: [
        ...inputNames.flatMap((i) => outputs.map((o) => `weight ${i} -> ${o}`)),
        ...(bias ? outputs.map((o) => `bias ${o}`) : []),
      ],
      values: { kind: 'real' },
      output: 'scores',
      outputCount,
      shaderConstants: {},

      expressions,
      shaderForm:
        spaces.action.kind === 'discrete' && outputCount > 1
          ? aheadOfFirst(inputs + (bias ? 1 : 0), outputCount, written)
          : { count: paramCount, expand: (params) => params, expressions },

      act: inputs >= UNROLLED ? unrolled : plain,

      sample(rng, spread) {
        const n = (inputs + (bias ? 1 : 0)) * outputCount;
        return Float64Array.from({ length: n }, () => Math.round(rng.standardNormal() * spread * 10) / 10);
      },
    };
  },
};
