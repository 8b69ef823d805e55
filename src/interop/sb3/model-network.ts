/** The layers of the network that acts, out of a model's tensors. */
import { type Activation, activations } from '../../policies/network.ts';
import { Damaged } from '../reference/files.ts';
import type { StateDict, Tensor } from './tensors.ts';

/** Weights row by row (inputs x units), as our policies have them. */
export interface Layer {
  readonly inputs: number;
  readonly units: number;
  readonly weights: readonly number[];
  readonly biases: readonly number[];
}

export interface TrainedNetwork {
  readonly inputs: number;
  readonly outputs: number;
  readonly layers: readonly Layer[];
  readonly activation: Activation;
  /** the outputs go through a hyperbolic tangent, and are scaled to the box of actions */
  readonly squashed: boolean;
  /** what the outputs are cut to before they are squashed; null: nothing */
  readonly limit: number | null;
}

/** Where a family of algorithms has the network that acts. */
interface Family {
  /** a tensor that only this family has */
  readonly mark: RegExp;
  /** the layers, in order: numbered ones of a sequence, then single ones */
  readonly sequence: string;
  readonly last?: string;
  readonly activation: Activation;
  readonly squashed: (model: {
    readonly state: StateDict;
    readonly kwargs: Readonly<Record<string, unknown>>;
  }) => boolean;
  /** of the outputs, unless `clip_mean` says another one */
  readonly limit?: number;
}

const families: readonly Family[] = [
  // PPO, A2C, TRPO, MaskablePPO
  {
    mark: /^action_net\.weight$/,
    sequence: 'mlp_extractor.policy_net',
    last: 'action_net',
    activation: 'tanh',
    squashed: ({ kwargs }) => kwargs.squash_output === true || kwargs.squash_output === 'True',
  },
  // DQN
  { mark: /^q_net\.q_net\./, sequence: 'q_net.q_net', activation: 'relu', squashed: () => false },
  // QR-DQN
  { mark: /^quantile_net\./, sequence: 'quantile_net.quantile_net', activation: 'relu', squashed: () => false },
  // SAC, TQC
  {
    mark: /^actor\.mu\.weight$/,
    sequence: 'actor.latent_pi',
    last: 'actor.mu',
    activation: 'relu',
    squashed: () => true,
  },
  // TD3, DDPG
  { mark: /^actor_target\.mu\.\d+\.weight$/, sequence: 'actor.mu', activation: 'relu', squashed: () => true },
  // SAC and TQC with state-dependent exploration, which cuts the mean
  {
    mark: /^actor\.latent_pi\./,
    sequence: 'actor.latent_pi',
    last: 'actor.mu.0',
    activation: 'relu',
    squashed: () => true,
    limit: 2,
  },
  // ARS: a last module without tensors is the hyperbolic tangent
  {
    mark: /^action_net\.0\.weight$/,
    sequence: 'action_net',
    activation: 'relu',
    squashed: ({ state }) => {
      const numbers = (names: Iterable<string>) =>
        [...names].flatMap((name) => /^action_net\.(\d+)(?:\.weight)?$/.exec(name)?.[1] ?? []).map(Number);
      return Math.max(...numbers(state.modules)) > Math.max(...numbers(state.tensors.keys()));
    },
  },
];

/** Tensors of networks that no policy kind here can be, and what they are. */
const others: readonly (readonly [RegExp, string])[] = [
  [/lstm/, 'a recurrent network'],
  [/features_extractor\..*weight$/, 'a network that extracts features of images or dictionaries'],
  [/running_mean|running_var/, 'a network with batch normalisation'],
];

const maxHiddenLayers = 2;

function layerOf(weight: Tensor, bias: Tensor | undefined): Layer {
  const [units, inputs] = weight.shape as [number, number];
  if (weight.shape.length !== 2 || (bias && (bias.shape.length !== 1 || bias.shape[0] !== units))) {
    throw new Damaged('the weights and biases of a layer', 'tensors of other shapes');
  }
  const weights = Array.from({ length: inputs * units }, (_, at) => {
    return weight.values[(at % units) * inputs + Math.floor(at / units)]!;
  });
  return { inputs, units, weights, biases: bias ? [...bias.values] : Array.from({ length: units }, () => 0) };
}

function layersOf({ tensors }: StateDict, { sequence, last }: Family): Layer[] {
  const numbers = [...tensors.keys()]
    .filter((name) => name.startsWith(`${sequence}.`) && name.endsWith('.weight'))
    .map((name) => Number(name.slice(sequence.length + 1, -'.weight'.length)))
    .sort((a, b) => a - b);
  if (!numbers.every(Number.isInteger)) throw new Damaged('a sequence of layers', 'another network');
  const names = [...numbers.map((n) => `${sequence}.${n}`), ...(last === undefined ? [] : [last])];
  const layers = names.map((name) => layerOf(tensors.get(`${name}.weight`)!, tensors.get(`${name}.bias`)));
  for (const [l, { inputs }] of layers.entries()) {
    if (l > 0 && layers[l - 1]!.units !== inputs) throw new Damaged('layers that follow each other', 'others');
  }
  if (layers.length - 1 > maxHiddenLayers) {
    throw new Damaged(`at most ${maxHiddenLayers} hidden layers`, String(layers.length - 1));
  }
  return layers;
}

/** Of quantiles of each action's value, the mean; the quantiles are the slower index. */
function meanOfQuantiles({ inputs, units, weights, biases }: Layer, actions: number): Layer {
  const quantiles = units / actions;
  if (!Number.isInteger(quantiles)) throw new Damaged('quantiles of each action', `${units} outputs`);
  const mean = (at: (output: number) => number, action: number) =>
    Array.from({ length: quantiles }, (_, q) => at(q * actions + action)).reduce((a, b) => a + b, 0) / quantiles;
  return {
    inputs,
    units: actions,
    weights: Array.from({ length: inputs * actions }, (_, at) =>
      mean((output) => weights[Math.floor(at / actions) * units + output]!, at % actions),
    ),
    biases: Array.from({ length: actions }, (_, action) => mean((output) => biases[output]!, action)),
  };
}

function activationOf(kwargs: Readonly<Record<string, unknown>>, standard: Activation): Activation {
  if (kwargs.activation_fn === undefined) return standard;
  const name = /\.(\w+)'>$/.exec(String(kwargs.activation_fn))?.[1]?.toLowerCase();
  const known = activations.find((activation) => activation === name);
  if (known) return known;
  throw new Damaged(`the activation ${activations.join(' or ')}`, String(kwargs.activation_fn).slice(0, 80));
}

/** The network of a model, and what it is squashed by. Throws `Damaged` for one that no policy kind here can be. */
export function networkOf(
  state: StateDict,
  data: {
    readonly policy_kwargs?: Readonly<Record<string, unknown>>;
    readonly action_space?: Readonly<Record<string, unknown>>;
  },
): TrainedNetwork {
  const names = [...state.tensors.keys()];
  const family = families.find(({ mark }) => names.some((name) => mark.test(name)));
  for (const [pattern, what] of others) {
    if (names.some((name) => pattern.test(name))) throw new Damaged('a network of plain layers', what);
  }
  if (!family) throw new Damaged('the network of an algorithm of Stable-Baselines3', 'other tensors');
  const kwargs = data.policy_kwargs ?? {};
  const plain = layersOf(state, family);
  const last = plain[plain.length - 1]!;
  const actions = Number(data.action_space?.n);
  const layers =
    family.sequence.startsWith('quantile') && last.units !== actions
      ? [...plain.slice(0, -1), meanOfQuantiles(last, actions)]
      : plain;
  return {
    inputs: layers[0]!.inputs,
    outputs: layers[layers.length - 1]!.units,
    layers,
    activation: layers.length === 1 ? family.activation : activationOf(kwargs, family.activation),
    squashed: family.squashed({ state, kwargs }),
    limit: family.limit === undefined ? null : Number(kwargs.clip_mean ?? family.limit),
  };
}
