/** An optimiser on a function of one's own. */
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/base/errors.ts';
import { type AskTellRequest, openOptimiser, type SavedAskTell } from '../../src/optimisers/ask-tell.ts';
import { optimisers } from '../../src/optimisers/index.ts';

const bowl = (x: Float64Array): number => -x.reduce((sum, value, i) => sum + (value - i) ** 2, 0);
const request = { dimension: 3, low: -5, high: 5, seed: 2 ** 40 + 3 };

describe('openOptimiser', () => {
  it.each(optimisers.map(({ id }) => id))('maximises a function with %s', (id) => {
    const search = openOptimiser(id, request);
    for (let evaluations = 0; evaluations < 3000; evaluations += search.population) search.tell(search.ask().map(bowl));
    expect(search.best!.value).toBeGreaterThan(-1);
  });

  it.each(optimisers.map(({ id }) => id))('goes on through a long plateau with %s', (id) => {
    const search = openOptimiser(id, { dimension: 3 });
    while (search.generations < 1000) search.tell(search.ask().map(() => 0));
    for (const params of search.ask()) for (const entry of params) expect(Math.abs(entry)).toBeLessThanOrEqual(6);
  });

  it.each(['ipop', 'bipop'])('doubles the population nine times at most (%s)', (restarts) => {
    const search = openOptimiser('cma-es', { dimension: 3, settings: { population: 2, restarts } });
    let largest = 0;
    while (search.generations < 60) {
      const population = search.ask();
      largest = Math.max(largest, population.length);
      search.tell(population.map(() => 0));
    }
    expect(largest).toBe(1024);
  });

  it('goes on from its saved state to the last bit', () => {
    const whole = openOptimiser('cma-es', request);
    const first = openOptimiser('cma-es', request);
    for (const search of [whole, first]) for (let i = 0; i < 5; i++) search.tell(search.ask().map(bowl));
    const second = openOptimiser('cma-es', request, JSON.parse(JSON.stringify(first.save())));
    expect(second.best).toEqual(whole.best);
    expect(second.ask()).toEqual(whole.ask());
  });

  it('keeps the best of a population that was told after its state was restored', () => {
    const first = openOptimiser('cma-es', request);
    first.ask();
    const second = openOptimiser('cma-es', request, JSON.parse(JSON.stringify(first.save())));
    for (const search of [second, first]) search.tell(first.ask().map(bowl));
    expect(second.best).not.toBeNull();
    expect(second.best).toEqual(first.best);
  });

  it('takes as many parameters as fit in memory', () => {
    const search = openOptimiser('sep-cma-es', { dimension: 200_000, settings: { population: 4 } });
    for (let i = 0; i < 2; i++) search.tell(search.ask().map((_, k) => -k));
    expect(search.generations).toBe(2);
  });

  const wrong = (given: object) => given as unknown as AskTellRequest;
  it.each<[string, AskTellRequest, string]>([
    ['cma', request, 'did you mean "cma-es"'],
    ['exac', request, 'unknown optimiser "exac"; known: random-search'],
    ['cma-es', { dimension: 0 }, 'expected a whole number of parameters from 1 as "request.dimension", got 0'],
    ['cma-es', { dimension: 2, low: 1, high: 1 }, 'low end below its high end'],
    ['cma-es', { dimension: 2, low: -Infinity }, 'expected a finite number as "request.low", got -Infinity'],
    ['cma-es', { dimension: 2, high: Infinity }, 'expected a finite number as "request.high", got Infinity'],
    [
      'cma-es',
      wrong({ dimension: 2, seed: '7' }),
      'expected a whole number in 0 ... 9007199254740991 as "request.seed"',
    ],
    ['cma-es', { dimension: 2, decimals: 1.5 }, 'a whole number in 0 ... 12 or null as "request.decimals", got 1.5'],
    ['cma-es', { dimension: 2, decimals: 200 }, 'a whole number in 0 ... 12 or null as "request.decimals", got 200'],
    [
      'cma-es',
      wrong({ dimension: 2, population: 16 }),
      'unknown key in "request" "population"; known: dimension, low, high, decimals, seed, settings; settings of the optimiser',
    ],
    ['cma-es', { dimension: 2, settings: { populaton: 3 } }, 'did you mean "population"'],
    [
      'cma-es',
      { dimension: 2, settings: { population: 1 } },
      'expected a whole number in 2 ... 1000000 as "settings.pop',
    ],
    ['ars', { dimension: 2, settings: { version: 'v2' } }, '[ars]'],
  ])('names what is wrong with %s and %j', (id, asked, message) => {
    expect(() => openOptimiser(id, asked)).toThrow(message);
  });

  it('names what is wrong with a state', () => {
    const saved = openOptimiser('cem', request).save();
    const { best: _best, ...others } = saved;
    for (const state of [{}, others, { ...saved, more: 1 }] as SavedAskTell[]) {
      expect(() => openOptimiser('cem', request, state)).toThrow(UsageError);
    }
    expect(() => openOptimiser('cem', request, {} as SavedAskTell)).toThrow('"saved.optimisation", got nothing');
  });
});
