/** What holds for every optimiser, whatever its mathematics. */
import { describe, expect, it } from 'vitest';
import { Generator } from '../../src/base/rng/generator.ts';
import { cannotSearch, findOptimiser, optimisers } from '../../src/optimisers/index.ts';
import { Optimisation, type Optimiser, type Problem, type SavedOptimisation } from '../../src/optimisers/optimiser.ts';
import type { RealSpace, SearchSpace } from '../../src/optimisers/space.ts';
import { foldIntoLayer } from '../../src/policies/network.ts';

const box: RealSpace = { kind: 'real', dimension: 8, low: -6, high: 6, decimals: null };
const table: SearchSpace = { kind: 'choice', dimension: 7, values: [0, 2, 3] };
const problem = (space: SearchSpace): Problem => ({
  space,
  // Three inputs and two outputs.
  foldFilter: (params, mean, scale) => foldIntoLayer(params, mean, scale, 2),
  observationSize: 3,
});

const goal = (i: number): number => 3 * ((i % 3) - 1);

/** A slope, a plateau and a tie: what the returns of policies look like. */
function returnOf(params: Float64Array): number {
  const distance = params.reduce((sum, value, i) => sum + (value - goal(i)) ** 2, 0);
  return Math.max(-60, -Math.round(distance * 8) / 8);
}

const variants: { optimiser: Optimiser; settings: object; space: SearchSpace; name: string }[] = [
  ...optimisers.flatMap((optimiser) =>
    [box, table]
      .filter(({ kind }) => optimiser.searches.includes(kind))
      .map((space) => ({ optimiser, settings: {}, space, name: `${optimiser.id}, ${space.kind}` })),
  ),
  ...[
    { id: 'random-search', settings: { around: 'best', sigma: 0.7 } },
    { id: 'ars', settings: { version: 'v2', top_directions: 3 } },
    { id: 'openai-es', settings: { method: 'sgd', ranks: false } },
    { id: 'cma-es', settings: { restarts: 'bipop', start: 'random' } },
    { id: 'sep-cma-es', settings: { restarts: 'ipop' } },
  ].map(({ id, settings }) => ({
    optimiser: findOptimiser(id),
    settings,
    space: box,
    name: `${id} ${JSON.stringify(settings)}`,
  })),
];

function start(
  { optimiser, settings, space }: (typeof variants)[number],
  decimals: number | null = null,
): Optimisation {
  const searched = space.kind === 'real' ? { ...space, decimals } : space;
  return Optimisation.start(optimiser, problem(searched), optimiser.settings.parse(settings));
}

const observed = (generation: number) => ({
  count: 5,
  mean: [generation, 1, -2],
  squares: [4, 0.3 * generation, 9],
});

function play(search: Optimisation, from: number, to: number, value = returnOf): number {
  let best = Number.NEGATIVE_INFINITY;
  for (let generation = from; generation < to; generation++) {
    const returns = search.ask(Generator.from([7, generation])).map(value);
    best = Math.max(best, ...returns);
    search.tell(returns, observed(generation));
  }
  return best;
}

describe.each(variants)('$name', (variant) => {
  it('continues to the last bit from a state saved in the middle of a generation', () => {
    const [whole, halted] = [start(variant), start(variant)];
    play(whole, 0, 12);
    play(halted, 0, 5);
    halted.ask(Generator.from([7, 5]));
    const saved = JSON.parse(JSON.stringify(halted.save())) as SavedOptimisation;
    const { optimiser, settings, space } = variant;
    const resumed = Optimisation.restore(optimiser, problem(space), optimiser.settings.parse(settings), saved);
    play(resumed, 5, 12);
    expect(resumed.generations).toBe(12);
    expect(JSON.stringify(resumed.save())).toBe(JSON.stringify(whole.save()));
    const next = whole.ask(Generator.from([7, 12]));
    resumed.ask(Generator.from([7, 12])).forEach((params, k) => {
      expect(params.every((entry, i) => Object.is(entry, next[k]![i]))).toBe(true);
    });
  });

  it('stays in its space when all returns are equal, and when they are not finite', () => {
    const broken = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1];
    for (const value of [() => 3, () => Number.NaN, (_: Float64Array, k = 0) => broken[k % 4]!]) {
      const search = start(variant);
      for (let generation = 0; generation < 8; generation++) {
        const population = search.ask(Generator.from([1, generation]));
        expect(population.every((params) => params.every(Number.isFinite))).toBe(true);
        search.tell(population.map((params, k) => value(params, k)));
      }
      expect(search.centre().every(Number.isFinite)).toBe(true);
    }
  });

  it('finds better parameters than its first ones', () => {
    const search = start(variant);
    const first = Math.max(...search.ask(Generator.from([7, 0])).map(returnOf));
    expect(play(search, 0, 60)).toBeGreaterThan(first + 1);
  });

  it('refuses another number of returns, and returns before candidates', () => {
    const search = start(variant);
    expect(() => search.tell([1])).toThrow('expected "ask" before each "tell"');
    const { length } = search.ask(Generator.from(1));
    expect(() => search.tell(new Array(length + 1).fill(1))).toThrow(`expected ${length} returns`);
  });
});

describe('optimisers', () => {
  it.each(optimisers.filter(({ searches }) => searches.includes('real')))(
    '$id keeps to the grid if asked',
    (optimiser) => {
      const search = start({ optimiser, settings: {}, space: box, name: '' }, 1);
      for (let generation = 0; generation < 4; generation++) {
        const population = search.ask(Generator.from([1, generation]));
        for (const entry of population.flatMap((params) => [...params])) {
          expect(entry).toBe(Number(entry.toFixed(1)));
          expect(Math.abs(entry)).toBeLessThanOrEqual(6);
        }
        search.tell(population.map(returnOf));
      }
    },
  );

  it.each(optimisers)('$id has a paper and describes every setting', ({ paper, settings }) => {
    expect(paper).toMatch(/\((19|20)\d\d\)|(19|20)\d\d/);
    for (const schema of Object.values(settings.shape)) expect(schema.description).toBeTruthy();
  });

  it('that search no tables are refused with the names of those that do', () => {
    expect(cannotSearch(findOptimiser('cma-es'), table)).toBe(
      'expected a policy with numeric parameters for cma-es, got a table of actions; use one of random-search, hill-climbing, cem',
    );
    expect(cannotSearch(findOptimiser('cem'), table)).toBeNull();
  });

  it('refuse a box that holds fewer than two values of the grid, and a population of one', () => {
    const cma = findOptimiser('cma-es');
    const narrow = problem({ ...box, low: 0.01, high: 0.09, decimals: 1 });
    expect(() => Optimisation.start(cma, narrow, cma.settings.parse({}))).toThrow(
      'at least two numbers with 1 decimals',
    );
    for (const id of ['cma-es', 'sep-cma-es', 'cem', 'hill-climbing']) {
      expect(findOptimiser(id).settings.safeParse({ population: 1 }).error?.issues[0]?.message).toContain('2 ...');
    }
  });

  it('play injected candidates as they are, and learn from them', () => {
    const good = Float64Array.from({ length: 8 }, (_, i) => goal(i));
    for (const optimiser of optimisers) {
      const search = start({ optimiser, settings: {}, space: box, name: '' });
      if (!optimiser.takesOutside) {
        expect(() => search.inject([good])).toThrow('in pairs');
        continue;
      }
      search.inject([good]);
      const population = search.ask(Generator.from(4));
      expect([...population.at(-1)!]).toEqual([...good]);
      search.tell(population.map(returnOf));
      expect(() => search.inject([Float64Array.of(1)])).toThrow('expected 8 finite parameters, got 1');
    }
  });

  it('play what is proposed for a population before what waits for a place', () => {
    const vector = (first: number) => Float64Array.from({ length: 8 }, (_, i) => (i === 0 ? first : 0));
    const search = start({ optimiser: findOptimiser('cma-es'), settings: { population: 4 }, space: box, name: '' });
    search.inject([vector(1), vector(2)]);
    const first = search.ask(Generator.from(4), [vector(3), vector(4)]);
    expect(first.slice(1).map(([entry]) => entry)).toEqual([1, 3, 4]);
    search.tell(first.map(returnOf));
    expect(search.ask(Generator.from(5)).at(-1)![0]).toBe(2);
  });

  it.each(optimisers)('$id learns nothing where all candidates break', (optimiser) => {
    const search = start({ optimiser, settings: {}, space: box, name: '' });
    search.ask(Generator.from(1));
    const before = [...search.centre()];
    search.tell(new Array(search.population).fill(Number.NaN));
    expect([...search.centre()]).toEqual(before);
  });

  it.each(['random-search', 'hill-climbing'])('%s moves to no candidate that broke', (id) => {
    const search = start({ optimiser: findOptimiser(id), settings: {}, space: box, name: '' });
    const [first] = search.ask(Generator.from(2)).map((params) => [...params]);
    search.tell(Array.from({ length: search.population }, (_, k) => (k === 0 ? -7 : Number.NaN)));
    expect([...search.centre()]).toEqual(first);
  });

  it('restore no state of another optimiser', () => {
    const [cem, ars] = [findOptimiser('cem'), findOptimiser('ars')];
    const saved = start({ optimiser: cem, settings: {}, space: box, name: '' }).save();
    expect(() => Optimisation.restore(ars, problem(box), ars.settings.parse({}), saved)).toThrow(
      'of ars, got one of cem',
    );
    const wrong = { ...saved, state: { ...(saved.state as object), generation: 'x' } } as SavedOptimisation;
    expect(() => Optimisation.restore(cem, problem(box), cem.settings.parse({}), wrong)).toThrow('"generation"');
  });
});
