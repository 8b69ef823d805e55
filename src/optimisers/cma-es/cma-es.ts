/** CMA-ES over a box of parameters, with a full or a diagonal covariance matrix, restarts and candidates of others. */
import { z } from 'zod';
import type { Draws } from '../../base/rng/draws.ts';
import { choice, positive, whole } from '../../base/schema-fields.ts';
import { vectorsOf } from '../../base/vectors.ts';
import { type Algorithm, type Distribution, type Optimiser, type Problem, requireReal } from '../optimiser.ts';
import type { State, StateReader } from '../saved-state.ts';
import { fitted, middleVector, type RealSpace, starts, startVector } from '../space.ts';
import { Box } from './box.ts';
import { DiagonalShape } from './diagonal-shape.ts';
import { FullShape } from './full-shape.ts';
import { defaultPopulation } from './rates.ts';
import { defaultMaxGenerations, Restarts, type RunPlan, restartKinds } from './restarts.ts';
import { Strategy, type StrategyOptions } from './strategy.ts';

const settings = z.strictObject({
  population: whole(2, 1_000_000)
    .nullable()
    .default(null)
    .describe('candidates per generation; null: 4 + floor(3 ln n) for n parameters'),
  sigma: positive(1e6, 'number').default(2).describe('first step size'),
  start: choice(starts).default('centre').describe('first mean: the middle of the box, or drawn from it'),
  restarts: choice(restartKinds)
    .default('none')
    .describe(
      'what follows a run that has converged: nothing, twice the population, or also runs of small populations',
    ),
});
type Settings = z.output<typeof settings>;

/** As pycma: standard deviations of at most this share of the box. */
const widestShare = 1 / 3;
/** Standard deviations of at least this share of the distance of two grid values, so that the search does not stall. */
const gridShare = 0.2;

type OpenShape = (n: number) => StrategyOptions['openShape'];

class CmaEs implements Algorithm {
  readonly #space: RealSpace;
  readonly #start: Float64Array | undefined;
  readonly #settings: Settings;
  readonly #box: Box;
  readonly #openShape: StrategyOptions['openShape'];
  readonly #restarts: Restarts;
  #plan: RunPlan;
  /** null: the first mean is not drawn yet */
  #strategy: Strategy | null;
  /** members of the population asked for, before they are fitted into the box; the last `#outside` are of others */
  #members: Float64Array[];
  #outside: number;
  #stopped: number;

  constructor(id: string, openShape: OpenShape, problem: Problem, given: Settings, saved: StateReader | null) {
    this.#space = requireReal(id, problem);
    this.#start = problem.start;
    this.#settings = given;
    this.#box = new Box(this.#space);
    const { dimension: n } = this.#space;
    this.#openShape = openShape(n);
    const population = given.population ?? defaultPopulation(n);
    const first = { population, sigmaFactor: 1, maxGenerations: defaultMaxGenerations(n, population) };
    this.#restarts = new Restarts(given.restarts, first, saved?.inner('restarts') ?? null);
    const plan = saved?.inner('plan') ?? null;
    this.#plan = plan
      ? {
          population: plan.number('population'),
          sigmaFactor: plan.number('sigmaFactor'),
          maxGenerations: plan.number('maxGenerations'),
        }
      : first;
    this.#members = saved?.vectors('members', n) ?? [];
    this.#outside = saved?.number('outside') ?? 0;
    this.#stopped = saved?.number('stopped') ?? 0;
    const strategy = saved?.innerOrNull('strategy') ?? null;
    this.#strategy = strategy && new Strategy(this.#options(), middleVector(this.#space), strategy);
  }

  #options(): StrategyOptions {
    const { dimension, low, high, decimals } = this.#space;
    return {
      dimension,
      population: this.#plan.population,
      sigma: this.#settings.sigma * this.#plan.sigmaFactor,
      maxGenerations: this.#plan.maxGenerations,
      deviations: {
        least: decimals === null ? 0 : gridShare / 10 ** decimals,
        most: widestShare * (high - low),
      },
      openShape: this.#openShape,
    };
  }

  get population(): number {
    return this.#plan.population;
  }

  prepare(rng: Draws): void {
    const { start, restarts } = this.#settings;
    if (this.#strategy === null) {
      this.#strategy = new Strategy(this.#options(), this.#start ?? startVector(this.#space, start, rng), null);
    } else if (restarts !== 'none' && this.#stopped > 0) {
      this.#plan = this.#restarts.next(this.#stopped, rng);
      this.#stopped = 0;
      // From the same point a new run would often end in the same optimum.
      this.#strategy = new Strategy(this.#options(), startVector(this.#space, 'random', rng), null);
    }
  }

  ask(rng: Draws, outside: readonly Float64Array[]): Float64Array[] {
    const { dimension } = this.#space;
    const strategy = this.#strategy!;
    const own = vectorsOf(strategy.population - outside.length, dimension);
    strategy.sample(rng, own);
    this.#outside = outside.length;
    this.#members = [...own, ...outside.map((candidate) => candidate.map((value) => this.#box.outside(value)))];
    const played = vectorsOf(own.length, dimension);
    for (let k = 0; k < own.length; k++) this.#fit(own[k]!, played[k]!);
    return [...played, ...outside];
  }

  /** The vector that is played for one of the distribution. */
  #fit(member: Float64Array, played: Float64Array): Float64Array {
    const box = this.#box;
    const space = this.#space;
    for (let i = 0; i < member.length; i++) played[i] = fitted(box.inside(member[i]!), space);
    return played;
  }

  tell(returns: Float64Array): void {
    const strategy = this.#strategy!;
    const own = this.#members.length - this.#outside;
    const costs = returns.map((value) => -value);
    strategy.tell(this.#members, costs, (k) => k >= own);
    if (strategy.stop !== null) this.#stopped = strategy.generation * strategy.population;
  }

  centre(): Float64Array {
    const mean = this.#strategy?.mean ?? middleVector(this.#space);
    return this.#fit(mean, new Float64Array(mean.length));
  }

  distribution(): Distribution {
    const { dimension } = this.#space;
    const { shape, sigma } = this.#strategy!;
    // As before the next draws.
    shape.refresh();
    const deviations = Float64Array.from({ length: dimension }, (_, i) => sigma * Math.sqrt(shape.variance(i)));
    const axes = Array.from({ length: dimension }, (_, k) => {
      const axis = new Float64Array(dimension);
      if (!shape.axis(k, axis)) axis[k] = deviations[k]! / sigma;
      const length = Math.hypot(...axis);
      return { deviation: sigma * length, direction: axis.map((entry) => entry / length) };
    }).sort((a, b) => b.deviation - a.deviation);
    return { mean: this.centre(), sigma, deviations, axes };
  }

  save(): State {
    return {
      plan: { ...this.#plan },
      restarts: this.#restarts.save(),
      strategy: this.#strategy?.save() ?? null,
      members: this.#members,
      outside: this.#outside,
      stopped: this.#stopped,
    };
  }
}

const shared = {
  settings,
  searches: ['real'],
  takesOutside: true,
  needsObservations: () => false,
} as const satisfies Partial<Optimiser<Settings>>;

/** CMA-ES with a full covariance matrix (Hansen 2016), with the numbers of pycma. */
export const cmaEs: Optimiser<Settings> = {
  ...shared,
  id: 'cma-es',
  title: 'CMA-ES: a normal distribution with an adapted covariance matrix and step size',
  about: 'The numbers of pycma; restarts with larger populations (IPOP, BIPOP) on request.',
  paper: 'N. Hansen, "The CMA Evolution Strategy: A Tutorial", arXiv 1604.00772 (2016)',
  open: (problem, given, saved) =>
    new CmaEs('cma-es', (n) => (population, shape) => new FullShape(n, population, shape), problem, given, saved),
};

/** CMA-ES with a diagonal covariance matrix (Ros and Hansen 2008). */
export const sepCmaEs: Optimiser<Settings> = {
  ...shared,
  id: 'sep-cma-es',
  title: 'sep-CMA-ES: CMA-ES with a diagonal covariance matrix, which adapts faster',
  about: 'Parameters are drawn independently of one another, each with its own adapted spread.',
  paper:
    'R. Ros and N. Hansen, "A Simple Modification in CMA-ES Achieving Linear Time and Space Complexity", PPSN 2008',
  open: (problem, given, saved) =>
    new CmaEs(
      'sep-cma-es',
      (n) => (population, shape) => new DiagonalShape(n, population, shape),
      problem,
      given,
      saved,
    ),
};
