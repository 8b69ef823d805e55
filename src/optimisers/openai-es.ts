/** OpenAI-ES: a natural evolution strategy with mirrored sampling, ranks in place of returns, and Adam. */
import { z } from 'zod';
import { between, choice, flag, positive, whole } from '../base/schema-fields.ts';
import { type Algorithm, type Optimiser, type Problem, requireReal } from './optimiser.ts';
import type { StateReader } from './saved-state.ts';
import { clamp, fittedVector, middleVector, normalVector, type RealSpace, starts, startVector } from './space.ts';

const settings = z.strictObject({
  pairs: whole(1, 100_000).default(10).describe('mirrored pairs of candidates per generation'),
  sigma: positive(1e6, 'number').default(0.5).describe('standard deviation of the candidates around the parameters'),
  learning_rate: positive(1e6, 'number').default(0.1).describe('learning rate'),
  method: choice(['adam', 'sgd']).default('adam').describe('how the estimated gradient becomes a step'),
  weight_decay: between(0, 1).default(0.005).describe('factor of the parameters in the gradient that shrinks them'),
  ranks: flag()
    .default(true)
    .describe('true: returns are replaced by centred ranks in -0.5 ... 0.5; false: by their distance from the mean'),
  start: choice(starts).default('centre').describe('first parameters: the middle of the box, or drawn from it'),
});
type Settings = z.output<typeof settings>;

/** Defaults of Adam (Kingma and Ba 2015), as the authors' program has them. */
const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/**
 * Ranks of the returns, scaled to -0.5 ... 0.5; equal returns share the mean of their ranks, so that their order in the
 * population does not make a gradient.
 */
export function centredRanks(returns: Float64Array): Float64Array {
  const order = Array.from(returns.keys()).sort((a, b) => returns[a]! - returns[b]! || a - b);
  const ranks = new Float64Array(returns.length);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to + 1 < order.length && returns[order[to + 1]!] === returns[order[from]!]) to++;
    for (let at = from; at <= to; at++) ranks[order[at]!] = (from + to) / 2 / (order.length - 1) - 0.5;
    from = to + 1;
  }
  return ranks;
}

class OpenAiEs implements Algorithm {
  readonly #space: RealSpace;
  readonly #settings: Settings;
  #params: Float64Array | null;
  #noise: Float64Array[];
  readonly #momentum: Float64Array;
  readonly #squares: Float64Array;
  #steps: number;

  constructor(problem: Problem, given: Settings, saved: StateReader | null) {
    this.#space = requireReal('openai-es', problem);
    this.#settings = given;
    const { dimension } = this.#space;
    this.#params = saved?.vectorOrNull('params', dimension) ?? null;
    this.#noise = saved?.vectors('noise', dimension) ?? [];
    this.#momentum = saved?.vector('momentum', dimension) ?? new Float64Array(dimension);
    this.#squares = saved?.vector('squares', dimension) ?? new Float64Array(dimension);
    this.#steps = saved?.number('steps') ?? 0;
  }

  get population(): number {
    return 2 * this.#settings.pairs;
  }

  ask(...[rng]: Parameters<Algorithm['ask']>): Float64Array[] {
    const { pairs, sigma, start } = this.#settings;
    this.#params ??= startVector(this.#space, start, rng);
    const params = this.#params;
    this.#noise = Array.from({ length: pairs }, () => normalVector(this.#space.dimension, rng));
    return this.#noise.flatMap((noise) =>
      [1, -1].map((sign) =>
        fittedVector(
          params.map((value, i) => value + sign * sigma * noise[i]!),
          this.#space,
        ),
      ),
    );
  }

  /** theta + alpha / (n sigma) * sum of F_i epsilon_i over the n candidates (algorithm 1), with a weight decay. */
  tell(returns: Float64Array): void {
    const { sigma, learning_rate, method, weight_decay } = this.#settings;
    const fitness = this.#fitness(returns);
    const params = this.#params!;
    const gradient = params.map((value, i) => {
      let sum = 0;
      for (const [k, noise] of this.#noise.entries()) sum += (fitness[2 * k]! - fitness[2 * k + 1]!) * noise[i]!;
      return sum / (returns.length * sigma) - weight_decay * value;
    });
    const step = method === 'adam' ? this.#adamStep(gradient) : gradient;
    this.#params = params.map((value, i) => clamp(value + learning_rate * step[i]!, this.#space));
  }

  #fitness(returns: Float64Array): Float64Array {
    if (this.#settings.ranks) return centredRanks(returns);
    const mean = returns.reduce((sum, value) => sum + value, 0) / returns.length;
    return returns.map((value) => value - mean);
  }

  #adamStep(gradient: Float64Array): Float64Array {
    this.#steps += 1;
    const scale = Math.sqrt(1 - adam.beta2 ** this.#steps) / (1 - adam.beta1 ** this.#steps);
    return gradient.map((slope, i) => {
      this.#momentum[i] = adam.beta1 * this.#momentum[i]! + (1 - adam.beta1) * slope;
      this.#squares[i] = adam.beta2 * this.#squares[i]! + (1 - adam.beta2) * slope * slope;
      return (scale * this.#momentum[i]!) / (Math.sqrt(this.#squares[i]!) + adam.epsilon);
    });
  }

  centre(): Float64Array {
    return fittedVector(this.#params ?? middleVector(this.#space), this.#space);
  }

  save() {
    return {
      params: this.#params,
      noise: this.#noise,
      momentum: this.#momentum,
      squares: this.#squares,
      steps: this.#steps,
    };
  }
}

export const openAiEs: Optimiser<Settings> = {
  id: 'openai-es',
  title: 'OpenAI-ES: gradient estimates from mirrored perturbations, by centred ranks, with Adam',
  about: 'A natural evolution strategy with a fixed spread.',
  paper:
    'T. Salimans et al., "Evolution Strategies as a Scalable Alternative to Reinforcement Learning", arXiv 1703.03864 (2017)',
  settings,
  searches: ['real'],
  takesOutside: false,
  needsObservations: () => false,
  open: (problem, given, saved) => new OpenAiEs(problem, given, saved),
};
