/** An optimiser on a function of one's own. */
import { describe, expect, it } from 'vitest';
import { openOptimiser } from '../../src/optimisers/ask-tell.ts';
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

  it('names what is wrong', () => {
    expect(() => openOptimiser('cma', request)).toThrow(/did you mean "cma-es"|did you mean/);
    expect(() => openOptimiser('cma-es', { dimension: 0 })).toThrow(/a whole number of parameters from 1/);
    expect(() => openOptimiser('cma-es', { dimension: 2, low: 1, high: 1 })).toThrow(/low end below its high end/);
    expect(() => openOptimiser('cma-es', { dimension: 2, settings: { populaton: 3 } })).toThrow(/populaton/);
    expect(() => openOptimiser('ars', { dimension: 2, settings: { version: 'v2' } })).toThrow(/\[/);
  });
});
