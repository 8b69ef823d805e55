/**
 * A network with one or two hidden layers. Parameters lie layer by layer: weights (inputs x units, row by row), then
 * biases. Inputs may be cut to bounds, and outputs squashed into the box of actions, as networks are trained elsewhere.
 */

import { UsageError } from '../base/errors.ts';
import { type OptionRule, type OptionValues, readOptions } from '../base/option-rules.ts';
import type { Spaces } from '../envs/env.ts';
import {
  acceptsVector,
  activations,
  foldIntoLayer,
  inputNames,
  layersOf,
  networkFields,
  outputNames,
  shapeFor,
  valueCount,
  weightCount,
} from './network.ts';
import { definePolicyKind, type Expansion, type Policy, type PolicyOptions, roundedNormals } from './policy.ts';

/** Widest hidden layer: the shader keeps one layer in the memory of an invocation, of which WGSL gives 8 KiB. */
export const maxHidden = 512;

/** One bound per entry of the observation; null: none. */
const bounds = {
  fallback: null as readonly number[] | null,
  expected: 'null or a list with a finite number for each entry of the observation',
  fits: (value) => value === null || (Array.isArray(value) && value.every((bound) => Number.isFinite(bound))),
} satisfies OptionRule<readonly number[] | null>;

const outputForms = ['linear', 'tanh'] as const;

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
  /** `tanh`: squashed, and scaled from [-1, 1] to the range of each entry of the action */
  output: {
    fallback: 'linear' as (typeof outputForms)[number],
    expected: outputForms.join(' or '),
    fits: (value) => outputForms.some((name) => name === value),
  } satisfies OptionRule<(typeof outputForms)[number]>,
  /** bound of the outputs before they are squashed, as networks with state-dependent exploration have one */
  output_limit: {
    fallback: null as number | null,
    expected: 'null or a number above 0',
    fits: (value) => value === null || (typeof value === 'number' && Number.isFinite(value) && value > 0),
  } satisfies OptionRule<number | null>,
  input_low: bounds,
  input_high: bounds,
};

/** The bounds of the inputs, lower ones first; null: none. Throws a usage error for ones that do not fit. */
function inputBounds(
  spaces: Spaces,
  low: readonly number[] | null,
  high: readonly number[] | null,
): readonly number[] | null {
  if (low === null && high === null) return null;
  const count = inputNames(spaces).length;
  if (low?.length !== count || high?.length !== count || low.some((bound, i) => bound > high[i]!)) {
    throw new UsageError(
      'mlp',
      `expected options "input_low" and "input_high" with ${count} bounds each, the lower ones not above the upper ones, ` +
        `got ${JSON.stringify(low)} and ${JSON.stringify(high)}`,
    );
  }
  return [...low, ...high];
}

/** Middle and half of the range of each entry of the action; null for linear outputs. */
function outputRange({ action }: Spaces, output: (typeof outputForms)[number]): readonly number[] | null {
  if (output === 'linear') return null;
  if (action.kind !== 'box') {
    throw new UsageError('mlp', 'expected option "output" to be linear, as the actions are numbered, got "tanh"');
  }
  const halves = action.rows.map(({ low, high }) => (high - low) / 2);
  return [...action.rows.map(({ low, high }) => low + (high - low) / 2), ...halves];
}

/** The bound of each output; none where there is no limit. Throws a usage error for a limit of outputs that are not squashed. */
function outputLimits(outputs: number, { output, output_limit: limit }: OptionValues<typeof rules>): readonly number[] {
  if (limit === null) return [];
  if (output === 'tanh') return Array.from({ length: outputs }, () => limit);
  throw new UsageError('mlp', `expected option "output_limit" with output: tanh, got ${limit} with output: ${output}`);
}

/** Without the options that change nothing, as records of earlier versions have them. */
function givenOptions({ hidden, activation, ...rest }: OptionValues<typeof rules>): PolicyOptions {
  const given = Object.entries(rest).filter(([key, value]) => value !== rules[key as keyof typeof rest].fallback);
  return { hidden, activation, ...Object.fromEntries(given) };
}

export const mlp = definePolicyKind({
  id: 'mlp',
  title: 'a small network: hidden layers with an activation, then one linear output per action',
  accepts: acceptsVector,

  build(spaces, given): Policy {
    const options = readOptions('mlp', given, rules);
    const clip = inputBounds(spaces, options.input_low, options.input_high);
    const range = outputRange(spaces, options.output);
    const shape = shapeFor(spaces, options.hidden, options.activation, {
      clipped: clip !== null,
      squashed: range !== null,
      limited: options.output_limit !== null,
    });
    const hiddenNames = options.hidden.map((size, l) =>
      Array.from({ length: size }, (_, k) => (options.hidden.length === 1 ? `hidden ${k}` : `hidden ${l + 1}.${k}`)),
    );
    const names = [inputNames(spaces), ...hiddenNames, outputNames(spaces.action)];
    const paramCount = weightCount(shape);
    const constants = [...(clip ?? []), ...(range ?? []), ...outputLimits(shape.outputs, options)];
    const expansion: Expansion = {
      count: valueCount(shape),
      expand(params) {
        const values = new Float64Array(valueCount(shape));
        values.set(params);
        values.set(constants, paramCount);
        return values;
      },
    };
    return {
      kind: 'mlp',
      options: givenOptions(options),
      paramCount,
      paramNames: layersOf(shape).flatMap((_, l) => [
        ...names[l]!.flatMap((from) => names[l + 1]!.map((to) => `weight ${from} -> ${to}`)),
        ...names[l + 1]!.map((to) => `bias ${to}`),
      ]),
      ...networkFields(shape),
      // Bounds are those of plain inputs.
      ...(clip === null && {
        foldFilter: (params: Float64Array, mean: ArrayLike<number>, scale: ArrayLike<number>) =>
          foldIntoLayer(params, mean, scale, shape.hidden[0]!),
      }),
      ...(constants.length > 0 && { expansion }),
      sample: (rng, spread) => roundedNormals(rng, paramCount, spread),
    };
  },
});
