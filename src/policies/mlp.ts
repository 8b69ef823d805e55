/**
 * A network with one or two hidden layers. Parameters lie layer by layer: weights (inputs x units, row by row), then
 * biases.
 */

import { type OptionRule, readOptions } from '../base/option-rules.ts';
import {
  acceptsVector,
  activations,
  foldIntoLayer,
  inputNames,
  layersOf,
  maxHidden,
  networkFields,
  outputNames,
  shapeFor,
  valueCount,
} from './network.ts';
import { type Policy, type PolicyKind, roundedNormals } from './policy.ts';

const rules = {
  hidden: {
    fallback: [8] as readonly number[],
    expected: `a list of one or two layer sizes in 1 ... ${maxHidden}`,
    fits: (value) =>
      Array.isArray(value) &&
      (value.length === 1 || value.length === 2) &&
      value.every((size) => Number.isInteger(size) && size >= 1 && size <= maxHidden),
  } satisfies OptionRule<readonly number[]>,
  activation: {
    fallback: 'tanh' as (typeof activations)[number],
    expected: activations.join(' or '),
    fits: (value) => activations.some((name) => name === value),
  } satisfies OptionRule<(typeof activations)[number]>,
};

export const mlp: PolicyKind = {
  id: 'mlp',
  title: 'a small network: hidden layers with an activation, then one linear output per action',
  accepts: acceptsVector,

  build(spaces, given): Policy {
    const options = readOptions('mlp', given, rules);
    const shape = shapeFor(spaces, options.hidden, options.activation);
    const hiddenNames = options.hidden.map((size, l) =>
      Array.from({ length: size }, (_, k) => (options.hidden.length === 1 ? `hidden ${k}` : `hidden ${l + 1}.${k}`)),
    );
    const names = [inputNames(spaces), ...hiddenNames, outputNames(spaces.action)];
    const paramCount = valueCount(shape);
    return {
      kind: 'mlp',
      options,
      paramCount,
      paramNames: layersOf(shape).flatMap((_, l) => [
        ...names[l]!.flatMap((from) => names[l + 1]!.map((to) => `weight ${from} -> ${to}`)),
        ...names[l + 1]!.map((to) => `bias ${to}`),
      ]),
      ...networkFields(shape),
      foldFilter: (params, mean, scale) => foldIntoLayer(params, mean, scale, shape.hidden[0]!),
      sample: (rng, spread) => roundedNormals(rng, paramCount, spread),
    };
  },
};
