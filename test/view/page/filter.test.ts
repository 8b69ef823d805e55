import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunRow } from '../../../src/view/api/index-of-runs.ts';
import { fields, grouped, sorted } from '../../../src/view/page/runs/fields.ts';
import { parseFilter } from '../../../src/view/page/runs/filter.ts';

const now = Date.parse('2026-03-10T12:00:00Z');
const rowOf = (changes: Partial<RunRow>): RunRow => ({
  id: 'cartpole-r2po-s3',
  status: 'finished',
  problem: null,
  env: 'CartPole-v1',
  method: 'r2po',
  model: 'gpt-oss:120b',
  modelKind: 'model',
  seed: 3,
  iterations: 30,
  planned: 40,
  best: 412.5,
  bestCi95: [400, 425],
  rechecked: null,
  episodes: 900,
  steps: 81_000,
  calls: 61,
  tokens: 12_500,
  costUsd: 0.25,
  wallSeconds: 95,
  started: '2026-03-10T09:00:00Z',
  updated: '2026-03-10T11:00:00Z',
  sparkline: [],
  branch: null,
  ...changes,
});
const row = rowOf({});
const matches = (text: string, of = row): boolean => {
  const filter = parseFilter(text, now);
  expect(filter.problems).toEqual([]);
  return filter.matches(of);
};

describe('the filter of the list of runs', () => {
  it.each([
    ['', true],
    ['env=cartpole-v1', true],
    ['env=CartPole', false],
    ['env:pole', true],
    ['env=Cart*', true],
    ['env=*pole*1', true],
    ['env=*pole', false],
    ['env="Cart*"', false],
    ['env=Acrobot-v1,CartPole-v1', true],
    ['env!=Acrobot-v1,CartPole-v1', false],
    ['model="gpt-oss:120b"', true],
    ['model=gpt-oss:120b', true],
    ['best>400 best<=412.5', true],
    ['best>412.5', false],
    ['tokens>12k tokens<0.1M', true],
    ['duration>1min duration<0.1h', true],
    ['cost<=$0.25', true],
    ['seed=1,3', true],
    ['seed!=3', false],
    ['rechecked>0', false],
    ['updated<2h', true],
    ['updated<30min', false],
    ['started>2026-03-10 started<2026-03-11', true],
    ['r2po cart', true],
    ['-props -method=props', true],
    ['-r2po', false],
    ['status:failed', false],
  ])('understands %s', (text, expected) => {
    expect(matches(text)).toBe(expected);
  });

  it('finds with status:failed what something stopped and what cannot be read', () => {
    expect(matches('status:failed', rowOf({ status: 'stopped', problem: 'the endpoint answered 401' }))).toBe(true);
    expect(matches('status:failed', rowOf({ status: 'damaged', problem: 'config.yaml: no such file' }))).toBe(true);
    expect(matches('status:failed', rowOf({ status: 'stopped', problem: null }))).toBe(false);
    expect(matches('problem:401', rowOf({ status: 'stopped', problem: 'the endpoint answered 401' }))).toBe(true);
  });

  it.each([
    ['ennv=x', 'unknown key "ennv"; did you mean "env"?'],
    ['best>many', 'best is a number: expected one after ">", got "many"'],
    ['env>3', 'env is a text: write env=3 (equal) or env:3 (contains)'],
    ['best>', '"best>" has no value after ">"'],
    ['=3', '"=3" has no key before "="'],
    ['updated=today', 'updated is a time: compare it with < or >'],
    ['updated<soon', 'updated is a time: expected a date or an age such as 5min or 2h, got "soon"'],
    ['updated<5m', 'updated is a time: expected a date or an age such as 5min or 2h, got "5m"'],
    ['updated<5k', 'got "5k"'],
    ['duration>5m', 'duration is a time: expected s, min, h or d, as in 5min, got "5m"'],
    ['"open', 'a quote is open'],
  ])('says what is wrong with %s, and goes on with the other terms', (text, problem) => {
    const filter = parseFilter(`method=props ${text}`, now);
    expect(filter.problems).toHaveLength(1);
    expect(filter.problems[0]).toContain(problem);
    expect(filter.matches(row)).toBe(false);
  });

  it('takes any text without an exception, and finds each run by its quoted name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), fc.string({ minLength: 1 }), (text, id) => {
        parseFilter(text, now).matches(row);
        const name = id.replaceAll('"', "'");
        expect(parseFilter(`run="${name}"`, now)).toMatchObject({ problems: [] });
        expect(matches(`run="${name}"`, rowOf({ id: name }))).toBe(true);
        expect(matches(`-run="${name}"`, rowOf({ id: name }))).toBe(false);
      }),
    );
  });

  it('compares numbers as numbers', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e6, max: 1e6 }), fc.integer({ min: -1e6, max: 1e6 }), (best, limit) => {
        for (const [operator, expected] of [
          ['<', best < limit],
          ['<=', best <= limit],
          ['>', best > limit],
          ['>=', best >= limit],
          ['=', best === limit],
          ['!=', best !== limit],
        ] as const) {
          expect(matches(`best${operator}${limit}`, rowOf({ best }))).toBe(expected);
        }
      }),
    );
  });
});

describe('the order of the list of runs', () => {
  const rows = [rowOf({ id: 'a', best: 3 }), rowOf({ id: 'b', best: null }), rowOf({ id: 'c', best: 20 })];
  it('has runs without a value last, upwards and downwards', () => {
    expect(sorted(rows, 'best', false).map(({ id }) => id)).toEqual(['a', 'c', 'b']);
    expect(sorted(rows, 'best', true).map(({ id }) => id)).toEqual(['c', 'a', 'b']);
  });

  it('has every field, and loses no run', () => {
    for (const { key } of fields) expect(new Set(sorted(rows, key, true))).toEqual(new Set(rows));
  });

  it('groups by several fields', () => {
    const groups = grouped([...rows, rowOf({ id: 'd', method: 'props' })], ['env', 'method']);
    expect(groups.map(({ name, rows: members }) => [name, members.length])).toEqual([
      ['CartPole-v1 · props', 1],
      ['CartPole-v1 · r2po', 3],
    ]);
  });
});
