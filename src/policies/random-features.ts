/**
 * A linear readout of a frozen layer of random features: phi = tanh(A clip(x / obs_scale, -obs_clip, obs_clip) + c),
 * output = output_gain (Theta phi + beta). A and c are drawn by NumPy's `RandomState(seed)`: A = randn / sqrt(inputs),
 * then c uniform in [-0.1, 0.1), as in the R2PO reference (variant `random_feature_tanh`, commit 9449c38).
 * Parameters: Theta row by row (all features of output 0, then of output 1, ...), then beta.
 */
import { finiteNumber, positiveNumber, readOptions, wholeNumber } from '../base/option-rules.ts';
import { RandomState } from '../base/rng/mt19937.ts';
import { clipTo } from './clip.ts';
import { acceptsVector, maxHidden, networkFields, outputNames, shapeFor, valueCount } from './network.ts';
import { definePolicyKind, type Policy, roundedNormals } from './policy.ts';

const OFFSET_RANGE = 0.1;

const rules = {
  hidden: wholeNumber(1, maxHidden, 8),
  seed: wholeNumber(0, 2 ** 32 - 1, 1000),
  obs_scale: positiveNumber(3),
  obs_clip: positiveNumber(5),
  output_gain: positiveNumber(0.5),
  low: finiteNumber(-2),
  high: finiteNumber(2),
};

export const randomFeatures = definePolicyKind({
  id: 'random-features',
  runSeedBase: 1000,
  title: 'a linear readout of fixed random tanh features of the observation',
  accepts: acceptsVector,

  build(spaces, given): Policy {
    const options = readOptions('random-features', given, rules);
    const { hidden, seed, obs_scale, obs_clip, output_gain, low, high } = options;
    const cut = clipTo('random-features', low, high);
    const shape = shapeFor(spaces, [hidden], 'tanh', { clipped: true });
    const { inputs, outputs } = shape;
    const random = new RandomState(seed);
    const weights = random.normalMatrix(hidden, inputs).map((value) => value / Math.sqrt(inputs));
    const offsets = Float64Array.from({ length: hidden }, () => random.uniform(-OFFSET_RANGE, OFFSET_RANGE));
    const paramCount = outputs * (hidden + 1);
    const names = outputNames(spaces.action);
    return {
      kind: 'random-features',
      options,
      paramCount,
      paramNames: [
        ...names.flatMap((name) => Array.from({ length: hidden }, (_, k) => `weight feature ${k} -> ${name}`)),
        ...names.map((name) => `bias ${name}`),
      ],
      ...networkFields(shape),

      /** The same function as a plain network: scale and gain are taken into the weights, the clip into its bounds. */
      expansion: {
        count: valueCount(shape),
        expand(params) {
          const values: number[] = [];
          for (let i = 0; i < inputs; i++) {
            for (let k = 0; k < hidden; k++) values.push(weights[k * inputs + i]! / obs_scale);
          }
          values.push(...offsets);
          for (let k = 0; k < hidden; k++) {
            for (let j = 0; j < outputs; j++) values.push(output_gain * params[j * hidden + k]!);
          }
          for (let j = 0; j < outputs; j++) values.push(output_gain * params[outputs * hidden + j]!);
          const limit = obs_scale * obs_clip;
          for (const bound of [-limit, limit]) values.push(...Array.from({ length: inputs }, () => bound));
          return Float64Array.from(values);
        },
      },

      sample: (rng, spread) => roundedNormals(rng, paramCount, spread, cut),
    };
  },
});
