/**
 * A network with one hidden layer of tanh units whose weights lie in a random subspace: the parameters are coordinates
 * z1 and z2, and the values of layer i are scale Q_i z_i, where Q_i has orthonormal columns. The Q_i are the reduced QR
 * factors of matrices drawn by NumPy's `RandomState(seed).randn`, first layer first, as in the R2PO reference (variant
 * `projected_mlp_qr`, commit 9449c38), so that a seed means the same subspace there and here.
 */

import { UsageError } from '../base/errors.ts';
import { orthonormalColumns, scaledProduct } from '../base/linear-algebra.ts';
import { finiteNumber, type OptionRule, positiveNumber, readOptions, wholeNumber } from '../base/option-rules.ts';
import { RandomState } from '../base/rng/mt19937.ts';
import { clipTo } from './clip.ts';
import { acceptsVector, layersOf, maxHidden, networkFields, shapeFor, valueCount } from './network.ts';
import { definePolicyKind, type Policy, roundedNormals } from './policy.ts';

const rules = {
  hidden: wholeNumber(1, maxHidden, 4),
  latent: {
    fallback: [5, 5] as readonly number[],
    expected: 'a list of two positive whole numbers, the coordinates of each layer',
    fits: (value) => Array.isArray(value) && value.length === 2 && value.every((n) => Number.isInteger(n) && n >= 1),
  } satisfies OptionRule<readonly number[]>,
  seed: wholeNumber(0, 2 ** 32 - 1, 1000),
  scale: positiveNumber(1),
  low: finiteNumber(-6),
  high: finiteNumber(6),
};

export const projectedMlp = definePolicyKind({
  id: 'projected-mlp',
  runSeedBase: 3000,
  title: 'a small tanh network whose weights are fixed orthonormal combinations of few coordinates',
  accepts: acceptsVector,

  build(spaces, given): Policy {
    const options = readOptions('projected-mlp', given, rules);
    const { hidden, latent, seed, scale, low, high } = options;
    const shape = shapeFor(spaces, [hidden], 'tanh');
    const random = new RandomState(seed);
    const layers = layersOf(shape).map(({ inputs, units }, l) => {
      const values = (inputs + 1) * units;
      const coordinates = latent[l]!;
      if (coordinates > values) {
        throw new UsageError(
          'projected-mlp',
          `expected at most ${values} coordinates for the ${values} values of layer ${l + 1}, got ${coordinates}; ` +
            'lower option "latent" or raise "hidden"',
        );
      }
      return {
        coordinates,
        values,
        basis: orthonormalColumns(random.normalMatrix(values, coordinates), values, coordinates),
      };
    });
    const paramCount = latent[0]! + latent[1]!;
    const cut = clipTo('projected-mlp', low, high);
    return {
      kind: 'projected-mlp',
      options,
      paramCount,
      paramNames: layers.flatMap(({ coordinates }, l) =>
        Array.from({ length: coordinates! }, (_, k) => `layer ${l + 1}, coordinate ${k}`),
      ),
      ...networkFields(shape),

      /** The reference cuts coordinates to the range when it installs a policy. */
      expansion: {
        count: valueCount(shape),
        expand(params) {
          const z = params.map(cut);
          const expanded = new Float64Array(valueCount(shape));
          let from = 0;
          let at = 0;
          for (const { coordinates, values, basis } of layers) {
            scaledProduct(basis, z, from, coordinates!, scale, expanded.subarray(at, at + values));
            from += coordinates!;
            at += values;
          }
          return expanded;
        },
      },

      sample: (rng, spread) => roundedNormals(rng, paramCount, spread, cut),
    };
  },
});
