/**
 * Linear policy: y_j = sum_i obs_i W_ij (+ b_j). Parameters are W row by row (states x outputs), then the biases.
 */
import { type OptionRule, readOptions } from '../base/option-rules.ts';
import { observationSize } from '../envs/env.ts';
import { acceptsVector, foldIntoLayer, inputNames, outputNames } from './network.ts';
import { definePolicyKind, type Policy, roundedNormals, type ShaderForm } from './policy.ts';

/** inputs that `unrolled` writes out */
const UNROLLED = 4;

const rules = {
  bias: {
    fallback: true as boolean,
    expected: 'true or false',
    fits: (value) => typeof value === 'boolean',
  } satisfies OptionRule<boolean>,
};

type WrittenSum = (
  observed: readonly string[],
  value: (index: number) => string,
  column: number,
  columns: number,
) => string;

/** Largest f32. */
const largest = 3.4028234663852886e38;

/**
 * Only the order of scores counts, so they are taken relative to that of the first action, which becomes zero. The
 * differences of the parameters are computed in float64 here, which saves a step one sum.
 */
function aheadOfFirst(rows: number, outputs: number, written: WrittenSum): ShaderForm {
  const columns = outputs - 1;
  return {
    count: rows * columns,
    expand(params) {
      const ahead = new Float64Array(rows * columns);
      for (let row = 0; row < rows; row++) {
        for (let j = 0; j < columns; j++) {
          const difference = params[row * outputs + j + 1]! - params[row * outputs]!;
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

export const linear = definePolicyKind({
  id: 'linear',
  title: 'linear in the observation, one output per action',

  accepts: acceptsVector,

  build(spaces, options): Policy {
    const { bias } = readOptions('linear', options, rules);
    const inputs = observationSize(spaces.observation);
    const outputs = outputNames(spaces.action);
    const outputCount = outputs.length;
    const plain: Policy['act'] = (params, obs, out) => {
      for (let j = 0; j < outputCount; j++) {
        let sum = 0;
        let k = j;
        for (let i = 0; i < inputs; i++, k += outputCount) sum += obs[i]! * params[k]!;
        out[j] = bias ? sum + params[k]! : sum;
      }
    };
    // The same sum in the same order, with the first inputs written out: it saves a quarter of a CartPole step.
    const unrolled: Policy['act'] = (params, obs, out) => {
      const o0 = obs[0]!;
      const o1 = obs[1]!;
      const o2 = obs[2]!;
      const o3 = obs[3]!;
      for (let j = 0; j < outputCount; j++) {
        let k = j + 2 * outputCount;
        let sum = o0 * params[j]! + o1 * params[j + outputCount]! + o2 * params[k]! + o3 * params[k + outputCount]!;
        k += 2 * outputCount;
        for (let i = UNROLLED; i < inputs; i++, k += outputCount) sum += obs[i]! * params[k]!;
        out[j] = bias ? sum + params[k]! : sum;
      }
    };
    const paramCount = (inputs + (bias ? 1 : 0)) * outputCount;
    /** The sum of one column of a matrix with `columns` columns. */
    const written: WrittenSum = (observed, value, column, columns) => {
      const terms = observed.map((entry, i) => `${entry} * ${value(i * columns + column)}`);
      return [...terms, ...(bias ? [value(inputs * columns + column)] : [])].join(' + ');
    };
    const expressions: Policy['expressions'] = (observed, parameter) =>
      outputs.map((_, j) => written(observed, parameter, j, outputCount));
    return {
      kind: 'linear',
      options: { bias },
      paramCount,
      paramNames: [
        ...inputNames(spaces).flatMap((i) => outputs.map((o) => `weight ${i} -> ${o}`)),
        ...(bias ? outputs.map((o) => `bias ${o}`) : []),
      ],
      matrix: { rows: [...inputNames(spaces), ...(bias ? ['bias'] : [])], columns: outputs },
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

      ...(bias && { foldFilter: (params, mean, scale) => foldIntoLayer(params, mean, scale, outputCount) }),

      sample: (rng, spread) => roundedNormals(rng, paramCount, spread),
    };
  },
});
