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
    [undefined as unknown as string, request, 'expected a name as the optimiser, got nothing; known: random-search'],
  ])('names what is wrong with %s and %j', (id, asked, message) => {
    expect(() => openOptimiser(id, asked)).toThrow(message);
  });

  it.each(['cma-es', 'sep-cma-es'])('refuses more parameters than fit in memory with %s', (id) => {
    expect(() => openOptimiser(id, { dimension: 2 ** 50 }).ask()).toThrow(
      '[openOptimiser] expected a dimension that fits in memory, got 1125899906842624; lower it',
    );
  });

  it('names what is wrong with a bigint', () => {
    expect(() => openOptimiser('cma-es', wrong({ dimension: 2n }))).toThrow('as "request.dimension", got 2n');
  });

  it('names what is wrong with a state', () => {
    const saved = openOptimiser('cem', request).save();
    const { best: _best, ...others } = saved;
    for (const state of [{}, others, { ...saved, more: 1 }] as SavedAskTell[]) {
      expect(() => openOptimiser('cem', request, state)).toThrow(UsageError);
    }
    expect(() => openOptimiser('cem', request, {} as SavedAskTell)).toThrow('"saved.optimisation", got nothing');
    expect(() => openOptimiser('cem', request, null as unknown as SavedAskTell)).toThrow(
      'expected what "save" gave as "saved", got null',
    );
  });

  it('refuses the state of another request, which earlier versions did not save', () => {
    const search = openOptimiser('cem', request);
    search.tell(search.ask().map(bowl));
    const saved = search.save();
    for (const [other, message] of [
      [{ ...request, seed: 8 }, 'expected the state of a search with the seed 8, got one with 1099511627779; open it'],
      [{ ...request, high: 4 }, 'the high 4, got one with 5'],
      [{ ...request, settings: { population: 7 } }, 'a search with the settings {'],
    ] as const) {
      expect(() => openOptimiser('cem', other, saved)).toThrow(message);
    }
    const { request: _, ...earlier } = saved;
    expect(openOptimiser('cem', request, earlier).ask()).toEqual(search.ask());
    const longer = { ...earlier, best: { params: [1, 2, 3, 4], value: 5 } };
    expect(() => openOptimiser('cem', request, longer)).toThrow('expected 3 parameters in "saved.best", got 4');
  });

  it('learns nothing from what is no number, and waits for others', () => {
    const search = openOptimiser('cma-es', request);
    const { length } = search.ask();
    const filled = (value: unknown) => Array.from({ length }, (_, i) => (i === 2 ? value : 1)) as number[];
    const refused: [unknown, string][] = [
      [filled(Promise.resolve(1)), '[tell] expected a number as "values[2]", got {}'],
      [filled('1'), 'as "values[2]", got "1"'],
      [filled(null), 'as "values[2]", got null'],
      [filled([1]), 'as "values[2]", got [1]'],
      [filled(1n), 'as "values[2]", got 1n'],
      [new Array(length), 'as "values[0]", got nothing'],
      [undefined, '[tell] expected a list of numbers as "values", got nothing'],
      ['1'.repeat(length), 'expected a list of numbers as "values"'],
      [new BigInt64Array(length), 'expected a list of numbers as "values"'],
    ];
    for (const [values, message] of refused) {
      expect(() => search.tell(values as number[])).toThrow(UsageError);
      expect(() => search.tell(values as number[])).toThrow(message);
    }
    expect(search.generations).toBe(0);
    search.tell(filled(Number.NaN));
    expect(search.generations).toBe(1);
  });

  it('gives copies of its candidates and of the best', () => {
    const [search, untouched] = [openOptimiser('cma-es', request), openOptimiser('cma-es', request)];
    for (const one of [search, untouched]) {
      const asked = one.ask();
      const values = asked.map(bowl);
      if (one === search) for (const params of asked) params.fill(9);
      one.tell(values);
    }
    (search.best!.params as number[]).fill(9);
    expect(search.best).toEqual(untouched.best);
    expect(search.ask()).toEqual(untouched.ask());
  });
});
