/** CMA-ES against pycma: the same numbers from the same population, and as many evaluations on test functions. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Generator } from '../../src/base/rng/generator.ts';
import { Box } from '../../src/optimisers/cma-es/box.ts';
import { cmaEs } from '../../src/optimisers/cma-es/cma-es.ts';
import { DiagonalShape } from '../../src/optimisers/cma-es/diagonal-shape.ts';
import { FullShape } from '../../src/optimisers/cma-es/full-shape.ts';
import { defaultPopulation, meanNormalLength } from '../../src/optimisers/cma-es/rates.ts';
import { Strategy } from '../../src/optimisers/cma-es/strategy.ts';
import { Optimisation } from '../../src/optimisers/optimiser.ts';

const read = (name: string) => JSON.parse(readFileSync(join('test/golden/optimisers', name), 'utf8'));

interface ToldRun {
  readonly diagonal: boolean;
  readonly n: number;
  readonly population: number;
  readonly start: number[];
  readonly sigma0: number;
  readonly generations: readonly { solutions: number[][]; values: number[]; outside: number[] }[];
  readonly mean: number[];
  readonly sigma: number;
  readonly path: number[];
  readonly sigmaPath: number[];
  readonly covariance?: number[];
  readonly scales?: number[];
}

interface CountedRun {
  readonly function: 'sphere' | 'rosenbrock' | 'ellipsoid';
  readonly diagonal: boolean;
  readonly n: number;
  readonly start: number;
  readonly sigma: number;
  readonly target: number;
  readonly median: number;
  readonly evaluations: number[];
}

const noLimit = { least: 0, most: Number.POSITIVE_INFINITY };

function strategy(diagonal: boolean, n: number, population: number, start: ArrayLike<number>, sigma: number): Strategy {
  return new Strategy(
    {
      dimension: n,
      population,
      sigma,
      maxGenerations: 1e9,
      deviations: noLimit,
      openShape: (size) => (diagonal ? new DiagonalShape(n, size, null) : new FullShape(n, size, null)),
    },
    Float64Array.from(start),
    null,
  );
}

function expectClose(got: ArrayLike<number>, expected: readonly number[]): void {
  const size = Math.max(...expected.map(Math.abs));
  const worst = Math.max(...expected.map((value, i) => Math.abs(got[i]! - value)));
  expect(got.length).toBe(expected.length);
  expect(worst / size).toBeLessThan(1e-9);
}

const functions: Record<CountedRun['function'] | 'rastrigin', (x: Float64Array) => number> = {
  sphere: (x) => x.reduce((sum, value) => sum + value ** 2, 0),
  ellipsoid: (x) => x.reduce((sum, value, i) => sum + 10 ** ((6 * i) / (x.length - 1)) * value ** 2, 0),
  rosenbrock: (x) => {
    let sum = 0;
    for (let i = 0; i + 1 < x.length; i++) sum += 100 * (x[i]! ** 2 - x[i + 1]!) ** 2 + (1 - x[i]!) ** 2;
    return sum;
  },
  rastrigin: (x) => x.reduce((sum, value) => sum + value ** 2 - 10 * Math.cos(2 * Math.PI * value) + 10, 0),
};

function evaluationsToTarget(run: CountedRun, seed: number): number {
  const population = defaultPopulation(run.n);
  const search = strategy(run.diagonal, run.n, population, new Float64Array(run.n).fill(run.start), run.sigma);
  const members = Array.from({ length: population }, () => new Float64Array(run.n));
  const rng = Generator.from(seed);
  const f = functions[run.function];
  for (let evaluations = population; evaluations < 100_000; evaluations += population) {
    search.sample(rng, members);
    const costs = Float64Array.from(members, f);
    search.tell(members, costs, () => false);
    if (Math.min(...costs) <= run.target) return evaluations;
  }
  return Number.POSITIVE_INFINITY;
}

const median = (values: number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
};

describe('CMA-ES', () => {
  const { runs } = read('cma-tells.json') as { runs: ToldRun[] };

  it.each(runs)(
    'has the state of pycma after 50 tells (diagonal: $diagonal, n = $n, population $population)',
    (run) => {
      const search = strategy(run.diagonal, run.n, run.population, run.start, run.sigma0);
      for (const { solutions, values, outside } of run.generations) {
        search.shape.refresh();
        const members = solutions.map((x) => Float64Array.from(x));
        search.tell(members, Float64Array.from(values), (k) => outside.includes(k));
      }
      expect(run.generations).toHaveLength(50);
      expectClose(search.mean, run.mean);
      expectClose([search.sigma], [run.sigma]);
      expectClose(search.path, run.path);
      expectClose(search.sigmaPath, run.sigmaPath);
      const { shape } = search;
      if (shape instanceof FullShape) expectClose(shape.covariance, run.covariance!);
      if (shape instanceof DiagonalShape) expectClose(shape.scales, run.scales!);
    },
  );

  const counted = read('cma-evaluations.json') as {
    runs: CountedRun[];
    rastrigin: {
      n: number;
      low: number;
      high: number;
      sigma: number;
      target: number;
      budget: number;
      seeds: number;
      solved: number;
    };
  };

  it.each(counted.runs)('needs as many evaluations as pycma on $function (diagonal: $diagonal)', (run) => {
    const own = median(run.evaluations.map((_, seed) => evaluationsToTarget(run, seed)));
    expect(run.evaluations).toHaveLength(30);
    expect(own / run.median).toBeGreaterThan(0.8);
    expect(own / run.median).toBeLessThan(1.2);
  });

  it('solves Rastrigin with BIPOP as often as pycma within the same budget', () => {
    const { n, low, high, sigma, target, budget, seeds, solved } = counted.rastrigin;
    const problem = { space: { kind: 'real', dimension: n, low, high, decimals: null }, foldFilter: null } as const;
    const settings = cmaEs.settings.parse({ sigma, start: 'random', restarts: 'bipop' });
    let own = 0;
    for (let seed = 0; seed < seeds; seed++) {
      const search = Optimisation.start(cmaEs, { ...problem, observationSize: 0 }, settings);
      const rng = Generator.from(seed);
      for (let evaluations = 0, found = false; !found; ) {
        const population = search.ask(rng);
        evaluations += population.length;
        if (evaluations > budget) break;
        const costs = population.map(functions.rastrigin);
        found = Math.min(...costs) <= target;
        if (found) own += 1;
        search.tell(costs.map((cost) => -cost));
      }
    }
    // Two binomial shares of `seeds` runs each differ by more than this in 1 of 100 cases.
    const share = (own + solved) / (2 * seeds);
    expect(Math.abs(own - solved) / seeds).toBeLessThan(
      2.58 * Math.sqrt((2 * share * (1 - share)) / seeds) + 1 / seeds,
    );
  });

  it('has a diagonal matrix of more scales than a call takes arguments', () => {
    const shape = new DiagonalShape(200_000, 20, null);
    shape.scale(7, 3);
    expect(shape.condition()).toBe(9);
  });

  it('knows the mean length of a standard normal vector', () => {
    expect(meanNormalLength(1)).toBeCloseTo(Math.sqrt(2 / Math.PI), 15);
    expect(meanNormalLength(4)).toBeCloseTo(1.87997120597326, 13);
  });

  it('maps every number into the box, and numbers of the box to themselves and back', () => {
    const box = new Box({ low: -6, high: 6 });
    for (let x = -60; x <= 60; x += 0.37) {
      const inside = box.inside(x);
      expect(Math.abs(inside)).toBeLessThanOrEqual(6);
      expect(box.inside(box.outside(inside))).toBeCloseTo(inside, 12);
    }
    expect([box.inside(2.5), box.inside(-5.1), box.inside(6.3), box.inside(-6.3)]).toEqual([2.5, -5.1, 6, -6]);
  });
});
