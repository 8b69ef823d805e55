/**
 * A network in float64, the twin of shaders/policies/mlp.wgsl: one or two hidden layers with an activation, then a linear
 * layer. Its values lie layer by layer: weights (inputs x units, row by row), then biases. With `clipped`, the bounds of
 * the inputs follow, all lower ones before all upper ones; with `squashed`, the middles and then the half ranges to which
 * the hyperbolic tangents of the outputs are scaled; with `limited`, the bounds that the outputs are cut to before that.
 */
import { type ActionSpace, observationSize, type Spaces } from '../envs/env.ts';
import type { Policy } from './policy.ts';

export const activations = ['tanh', 'relu'] as const;
export type Activation = (typeof activations)[number];

export interface NetworkShape {
  readonly inputs: number;
  /** units of each hidden layer; one or two entries */
  readonly hidden: readonly number[];
  readonly outputs: number;
  readonly activation: Activation;
  readonly clipped: boolean;
  readonly squashed: boolean;
  /** only where they are squashed */
  readonly limited: boolean;
}

/** Widest hidden layer of a network whose weights follow from few parameters. */
export const maxHidden = 64;

/** Inputs and units of each layer, in order. */
export function layersOf({ inputs, hidden, outputs }: NetworkShape): { inputs: number; units: number }[] {
  const sizes = [inputs, ...hidden, outputs];
  return sizes.slice(1).map((units, i) => ({ inputs: sizes[i]!, units }));
}

/** How many weights and biases the network has. */
export function weightCount(shape: NetworkShape): number {
  return layersOf(shape).reduce((sum, { inputs, units }) => sum + (inputs + 1) * units, 0);
}

/** How many values the network has. */
export function valueCount(shape: NetworkShape): number {
  const { inputs, outputs, clipped, squashed, limited } = shape;
  return weightCount(shape) + (clipped ? 2 * inputs : 0) + (squashed ? 2 * outputs : 0) + (limited ? outputs : 0);
}

/** What all policies with such a network share; their shader is `shaders/policies/mlp.wgsl`. */
export function networkFields(shape: NetworkShape) {
  return {
    values: { kind: 'real' },
    output: 'scores',
    outputCount: shape.outputs,
    shader: 'mlp',
    shaderConstants: {
      NETWORK_HIDDEN_1: shape.hidden[0]!,
      NETWORK_HIDDEN_2: shape.hidden[1] ?? 0,
      NETWORK_RELU: shape.activation === 'relu',
      NETWORK_CLIPPED: shape.clipped,
      NETWORK_SQUASHED: shape.squashed,
      NETWORK_LIMITED: shape.limited,
    },
    act: networkAct(shape),
  } satisfies Partial<Policy>;
}

/** The function from the network's values and an observation to its outputs. It reuses its memory: one call at a time. */
function networkAct(shape: NetworkShape): Policy['act'] {
  const { inputs, outputs, clipped, squashed, limited } = shape;
  const layers = layersOf(shape);
  const relu = shape.activation === 'relu';
  const low = weightCount(shape);
  const high = low + inputs;
  const middle = clipped ? high + inputs : low;
  const half = middle + outputs;
  const limit = half + outputs;
  const entering = new Float64Array(inputs);
  const units = shape.hidden.map((size) => new Float64Array(size));
  return (values, observation, out) => {
    for (let i = 0; i < inputs; i++) {
      const seen = observation[i]!;
      entering[i] = clipped ? Math.min(Math.max(seen, values[low + i]!), values[high + i]!) : seen;
    }
    let from = entering;
    let at = 0;
    for (let l = 0; l < units.length; l++) {
      const to = units[l]!;
      affine(values, at, from, to);
      for (let k = 0; k < to.length; k++) to[k] = relu ? Math.max(to[k]!, 0) : Math.tanh(to[k]!);
      at += (layers[l]!.inputs + 1) * layers[l]!.units;
      from = to;
    }
    affine(values, at, from, out);
    if (!squashed) return;
    for (let j = 0; j < outputs; j++) {
      const bound = limited ? values[limit + j]! : Infinity;
      out[j] = values[middle + j]! + values[half + j]! * Math.tanh(Math.min(Math.max(out[j]!, -bound), bound));
    }
  };
}

/**
 * Folds a filter of the inputs into a layer: weights `[inputs x units]` row by row at the start of `params`, then biases
 * `[units]`. The layer then gives for x what it gave for (x - mean) / scale.
 */
export function foldIntoLayer(
  params: Float64Array,
  mean: ArrayLike<number>,
  scale: ArrayLike<number>,
  units: number,
): Float64Array {
  const folded = params.slice();
  const inputs = mean.length;
  for (let i = 0; i < inputs; i++) {
    for (let k = 0; k < units; k++) {
      const weight = params[i * units + k]! / scale[i]!;
      folded[i * units + k] = weight;
      folded[inputs * units + k]! -= weight * mean[i]!;
    }
  }
  return folded;
}

/** to = from W + b, with W and b from `at` on. */
function affine(values: Float64Array, at: number, from: Float64Array, to: Float64Array): void {
  const inputs = from.length;
  const units = to.length;
  const bias = at + inputs * units;
  for (let k = 0; k < units; k++) {
    let sum = 0;
    for (let i = 0, w = at + k; i < inputs; i++, w += units) sum += from[i]! * values[w]!;
    to[k] = sum + values[bias + k]!;
  }
}

/** Names of the actions or action entries that a policy has one output for. */
export function outputNames(action: ActionSpace): string[] {
  return action.kind === 'discrete' ? action.meanings.map((_, i) => `action ${i}`) : action.rows.map((r) => r.name);
}

/** Names of the observation's entries. */
export function inputNames(spaces: Spaces): string[] {
  return spaces.observation.kind === 'vector' ? spaces.observation.rows.map((r) => r.name) : [];
}

export function shapeFor(
  spaces: Spaces,
  hidden: readonly number[],
  activation: Activation,
  {
    clipped = false,
    squashed = false,
    limited = false,
  }: Partial<Pick<NetworkShape, 'clipped' | 'squashed' | 'limited'>> = {},
) {
  const inputs = observationSize(spaces.observation);
  const outputs = outputNames(spaces.action).length;
  return { inputs, hidden, outputs, activation, clipped, squashed, limited } satisfies NetworkShape;
}

/** The reason why a network cannot read an observation; null when it can. */
export function acceptsVector({ observation }: Spaces): string | null {
  return observation.kind === 'vector'
    ? null
    : 'it reads a vector observation, and this environment has numbered states';
}
