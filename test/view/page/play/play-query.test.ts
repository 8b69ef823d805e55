import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { executorIds } from '../../../../src/view/page/play/executor.ts';
import {
  candidateOf,
  changed,
  type PlayQuery,
  parsePlayQuery,
  playQueryChanges,
} from '../../../../src/view/page/play/play-query.ts';
import { chosenSeed, recordedEpisodes, recordedReturn } from '../../../../src/view/page/play/replay-choice.ts';

const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const name = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9]{0,12}$/);
const object = fc.dictionary(name, fc.oneof(fc.boolean(), fc.integer(), fc.string()), {
  maxKeys: 3,
  noNullPrototype: true,
});
const states: fc.Arbitrary<PlayQuery> = fc.record({
  run: fc.option(fc.string({ minLength: 1 })),
  candidate: fc.option(fc.constant('12/revision')),
  env: fc.option(name),
  envOptions: object,
  kind: fc.option(name),
  options: object,
  params: fc.option(fc.array(number, { minLength: 1, maxLength: 20 })),
  constants: fc.dictionary(name, number, { maxKeys: 4, noNullPrototype: true }),
  seed: fc.nat(),
  episodes: fc.integer({ min: 1, max: 2 ** 17 }),
  executor: fc.option(fc.constantFrom(...executorIds)),
  isPaused: fc.boolean(),
  problems: fc.constant({}),
});

/** As route.ts writes changes to a query. */
function written(state: PlayQuery, before: URLSearchParams): URLSearchParams {
  const query = new URLSearchParams(before);
  for (const [key, value] of Object.entries(playQueryChanges(state, before))) {
    query.delete(key);
    if (value !== null && value !== '') query.append(key, String(value));
  }
  return new URLSearchParams(query.toString());
}

describe('the address of the playground', () => {
  it('gives every state back, whatever it said before', () => {
    fc.assert(
      fc.property(states, states, (state, other) => {
        const before = written(other, new URLSearchParams('step=7'));
        const query = written(state, before);
        expect(parsePlayQuery(query)).toEqual({ ...state, params: state.params?.map((value) => value + 0) ?? null });
        expect(query.get('step')).toBe('7');
      }),
    );
  });

  it('names each value that it cannot read, until another one is given', () => {
    const bad = {
      ...{ params: '1_NaN_3', seed: '-1', episodes: '1e9', on: 'gpu', paused: 'yes' },
      ...{ env_options: '{"a":', policy_options: '[1]', 'c.gravity': '', 'c.length': '1m' },
    };
    const state = parsePlayQuery(new URLSearchParams(bad));
    expect(state.problems).toEqual({
      params: 'params: expected numbers joined by "_", of which number 2 is none, got "1_NaN_3"',
      seed: 'seed: expected a whole number from 0 to 9007197107257343, got "-1"',
      episodes: 'episodes: expected a whole number from 1 to 131072, got "1e9"',
      executor: 'on: expected one of webgpu, wasm, cpu, machine, got "gpu"',
      isPaused: 'paused: expected 1 or 0, got "yes"',
      envOptions: 'env_options: expected an object in JSON, got "{"a":"',
      options: 'policy_options: expected an object in JSON, got "[1]"',
      constants: 'c.gravity: expected a number, got ""; c.length: expected a number, got "1m"',
    });
    const later = changed(changed(state, { params: [1], seed: 5 }), { isPaused: true });
    expect(Object.keys(later.problems)).toEqual(['constants', 'envOptions', 'options', 'episodes', 'executor']);
    expect(changed(later, { problems: {} }).problems).toEqual({});
  });

  it('leaves what it cannot read at the default', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const query = new URLSearchParams();
        for (const key of ['params', 'c.gravity', 'seed', 'episodes', 'env_options', 'on']) query.set(key, text);
        const { params, constants, seed, episodes } = parsePlayQuery(query);
        for (const value of [...(params ?? []), ...Object.values(constants), seed, episodes]) {
          expect(Number.isFinite(value)).toBe(true);
        }
      }),
    );
  });

  it('leaves out parameters that are too many for an address', () => {
    const state = parsePlayQuery(new URLSearchParams());
    expect(
      playQueryChanges({ ...state, params: new Array(5000).fill(0.123) }, new URLSearchParams()).params,
    ).toBeNull();
  });
});

const episode = (seed: number) => ({ seed, return: 10 * seed, length: 5 });
const candidate = (label: string, mean: number | null, seed: number) => ({
  ...{
    label,
    mean,
    params: [mean ?? 0],
    ci95: null,
    std: null,
    episodes: 3,
    success: null,
    adjustments: [],
    byOptimiser: false,
  },
  episode: { median: episode(seed), worst: episode(seed + 1), best: episode(seed + 2) },
});

describe('the policy of a run', () => {
  const iteration = (n: number, kept: string | null, ...candidates: ReturnType<typeof candidate>[]) => ({
    ...{ iteration: n, kept, why: '', candidates, paired: null, mean: null, best: null, calls: [], generation: null },
    ...{ episodes: 0, steps: 0, tokens: 0, costUsd: null, seconds: 0 },
  });
  const iterations = [
    iteration(1, 'proposal', candidate('proposal', 5, 0), candidate('revision', 9, 10)),
    iteration(2, 'revision', candidate('proposal', 3, 20), candidate('revision', 7, 30)),
  ];

  it('is the kept one with the highest mean, unless the address names another', () => {
    expect(candidateOf({ iterations }, null)?.value).toBe('2/revision');
    expect(candidateOf({ iterations }, '1/revision')?.candidate.mean).toBe(9);
    expect(candidateOf({ iterations }, '3/proposal')).toBeUndefined();
  });

  it('is replayed on the median episode of the last candidate, or on what the address names', () => {
    const [first, second] = iterations[0]!.candidates;
    const recorded = recordedEpisodes([first!, second!]);
    expect(chosenSeed(null, recorded)).toBe(10);
    expect(chosenSeed('proposal-best', recorded)).toBe(2);
    expect(chosenSeed('1234', recorded)).toBe(1234);
    expect(chosenSeed('99999999999999999', recorded)).toBe(10);
    expect(recordedReturn(second!, 11)).toBe(110);
    expect(recordedReturn(second!, 77)).toBeNull();
  });
});
