/** Steps of ARS and OpenAI-ES against the equations of their papers, computed with NumPy. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RecordedDraws } from '../../src/base/rng/draws.ts';
import { ars } from '../../src/optimisers/ars.ts';
import { MomentCollector, mergeMoments } from '../../src/optimisers/observation-moments.ts';
import { centredRanks, openAiEs } from '../../src/optimisers/openai-es.ts';
import { Optimisation, type Problem } from '../../src/optimisers/optimiser.ts';
import { stateToJson } from '../../src/optimisers/saved-state.ts';
import { foldIntoLayer } from '../../src/policies/network.ts';

const golden = JSON.parse(readFileSync('test/golden/optimisers/gradient-steps.json', 'utf8'));

const problem = (dimension: number): Problem => ({
  space: { kind: 'real', dimension, low: -1000, high: 1000, decimals: null },
  foldFilter: null,
  observationSize: 3,
});

function expectEqual(got: ArrayLike<number>, expected: readonly number[]): void {
  expect(got.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs(got[i]! - value)).toBeLessThan(1e-12 * Math.max(1, Math.abs(value)));
  });
}

/** An optimisation whose parameters are `params`. */
function at(optimiser: typeof ars | typeof openAiEs, params: number[], settings: object): Optimisation {
  const fresh = Optimisation.start(
    optimiser as typeof ars,
    problem(params.length),
    optimiser.settings.parse(settings) as never,
  );
  const saved = fresh.save();
  const state = { ...(saved.state as object), params: stateToJson(Float64Array.from(params)) };
  return Optimisation.restore(
    optimiser as typeof ars,
    problem(params.length),
    optimiser.settings.parse(settings) as never,
    { ...saved, state },
  );
}

describe('ARS', () => {
  it.each(['ars', 'arsAll'])('takes the step of the paper (%s)', (name) => {
    const { params, deltas, plus, minus, top, step, noise, moved } = golden[name];
    const settings = { directions: deltas.length, top_directions: top, step_size: step, noise };
    const search = at(ars, params, settings);
    const population = search.ask(new RecordedDraws(deltas.flat()));
    expectEqual(
      population[2]!,
      params.map((value: number, i: number) => value + noise * deltas[1][i]),
    );
    expectEqual(
      population[3]!,
      params.map((value: number, i: number) => value - noise * deltas[1][i]),
    );
    search.tell(plus.flatMap((value: number, k: number) => [value, minus[k]]));
    expectEqual(search.centre(), moved);
  });

  it('takes the same step from returns of any size', () => {
    const { params, deltas, plus, minus, top, step, noise } = golden.ars;
    const settings = { directions: deltas.length, top_directions: top, step_size: step, noise };
    const moved = (scale: number): Float64Array => {
      const search = at(ars, params, settings);
      search.ask(new RecordedDraws(deltas.flat()));
      search.tell(plus.flatMap((value: number, k: number) => [scale * value, scale * minus[k]]));
      return search.centre();
    };
    const own = moved(1);
    for (const power of [-900, -600, -300, 10, 300, 600, 1000]) expect(moved(2 ** power)).toEqual(own);
  });

  it('V2 folds the filter of the observations into weights and biases', () => {
    const { observations, params, folded, mean, std } = golden.filter;
    const [first, second] = [new MomentCollector(3), new MomentCollector(3)];
    observations.forEach((row: number[], i: number) => {
      (i < 70 ? first : second).add(row);
    });
    const moments = mergeMoments(first.moments, second.moments);
    expectEqual(moments.mean, mean);
    expectEqual(
      moments.squares.map((sum) => Math.sqrt(sum / (moments.count - 1))),
      std,
    );
    expectEqual(foldIntoLayer(Float64Array.from(params), mean, std, 2), folded);
  });

  it('V2 refuses a policy without biases', () => {
    const settings = ars.settings.parse({ version: 'v2' });
    expect(() => Optimisation.start(ars as never, problem(4), settings)).toThrow('policy.options.bias=true');
  });
});

describe('OpenAI-ES', () => {
  it.each([0, 1])('takes the steps of the paper (record %i)', (index) => {
    const { method, start, sigma, rate, decay, generations } = golden.es[index];
    const pairs = generations[0].noise.length;
    const search = at(openAiEs, start, { method, sigma, learning_rate: rate, weight_decay: decay, pairs });
    for (const { noise, returns, params } of generations) {
      search.ask(new RecordedDraws(noise.flat()));
      search.tell(returns);
      expectEqual(search.centre(), params);
    }
  });

  it('gives equal returns equal ranks, so that a flat population makes no gradient', () => {
    expect([...centredRanks(Float64Array.of(4, 4, 4, 4))]).toEqual([0, 0, 0, 0]);
    expect([...centredRanks(Float64Array.of(9, 2, 5, 5))]).toEqual([0.5, -0.5, 0, 0]);
  });
});
