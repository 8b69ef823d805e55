/** Several parameter sets in one reply: what is read as a set, and that no number is made up or mixed between sets. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReplySpec } from '../../../src/llm/reply/parse.ts';
import { parseSets } from '../../../src/llm/reply/parse-sets.ts';

const spec: ReplySpec = { count: 3, values: { kind: 'real' }, low: -7, high: 9, decimals: 2, outOfRange: 'refuse' };
const line = (params: readonly number[]) => params.map((value, i) => `params[${i}]: ${value}`).join(', ');
const paramsOf = (reply: string, wanted: number, of = spec) =>
  parseSets(reply, wanted, of).sets.map((set) => set.params);

const number = fc.integer({ min: -700, max: 900 }).map((value) => value / 100);
const sets = fc.array(fc.array(number, { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 6 });

describe('several sets in one reply', () => {
  it('are read from lines and from JSON, in their order', () => {
    fc.assert(
      fc.property(sets, (all) => {
        const zero = all.map((params) => params.map((value) => value + 0));
        expect(paramsOf(`${all.map(line).join('\n')}\nThey lie far apart.`, all.length)).toEqual(zero);
        expect(paramsOf(JSON.stringify({ sets: all, why: 'far apart' }), all.length)).toEqual(zero);
        expect(paramsOf(`Set 1:\n- ${all.map(line).join('\nSet 2:\n- ')}`, all.length)).toEqual(zero);
      }),
      { numRuns: 60 },
    );
  });

  it('are never more than were asked for, and never hold a number that is not allowed', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), sets, fc.integer({ min: 1, max: 4 }), (noise, all, wanted) => {
        const found = paramsOf(`${noise}\n${all.map(line).join(`\n${noise}\n`)}`, wanted);
        expect(found.length).toBeLessThanOrEqual(wanted);
        for (const value of found.flat()) expect(value >= -7 && value <= 9).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('are read from JSON objects of named numbers, and from no object that says more', () => {
    const named = (params: readonly number[]) =>
      Object.fromEntries(params.map((value, i) => [`params[${i}]`, value] as const));
    const all = [
      [1, 2, 3],
      [4, 5, -1],
    ] as const;
    expect(paramsOf(JSON.stringify({ sets: all.map(named), why: 'far apart' }), 2)).toEqual(all);
    const measured = { sets: all.map((params) => ({ ...named(params), mean_reward: -9 })) };
    expect(paramsOf(JSON.stringify(measured), 2)).toEqual([]);
  });

  it('are what the heading above them says, for each of them', () => {
    const [old, older, own] = [
      [6, 6, 6],
      [5, 5, 5],
      [1, 2, 3],
    ] as const;
    for (const form of [line, (params: readonly number[]) => `[${params.join(', ')}]`]) {
      expect(paramsOf(`Previous best:\n${form(old)}\n${form(older)}\nNew:\n${form(own)}`, 3)).toEqual([own]);
      expect(paramsOf(`Sets that are not in the list:\n${form(own)}\n${form(old)}`, 3)).toEqual([own, old]);
      expect(paramsOf(`Best so far:\n${form(old)}\n\n${form(own)}`, 3)).toEqual([own]);
    }
  });

  it('count without those that are incomplete or out of range, which are named', () => {
    const reply = ['params[0]: 1, params[1]: 2', line([1, 2, 3]), line([1, 2, 10]), line([4, 5, 6])].join('\n');
    expect(parseSets(reply, 4, spec)).toMatchObject({
      sets: [{ params: [1, 2, 3] }, { params: [4, 5, 6] }],
      problem: expect.stringMatching(/^In set 1: params\[2\] is missing/),
    });
    expect(parseSets('nothing', 2, spec)).toMatchObject({
      sets: [],
      problem: expect.stringContaining('no parameters'),
    });
    expect(parseSets(line([1, 2, 3]), 2, spec)).toMatchObject({ sets: [{ params: [1, 2, 3] }], problem: null });
  });

  it('are read from JSON that names parameters or lists in its words', () => {
    for (const why of [
      'raising params[0] = 2 helped',
      'params[0]: the first',
      'better than [7, 8, 9]',
      'x\nparams[0]: 5',
    ]) {
      const reply = {
        why,
        sets: [
          [1, 2, 3],
          [2, 3, 4],
          [3, 4, 5],
        ],
      };
      for (const text of [JSON.stringify(reply), `Sure, params[0]: see below.\n${JSON.stringify(reply, null, 1)}`]) {
        expect(parseSets(text, 4, spec)).toMatchObject({
          sets: reply.sets.map((params) => ({ params })),
          problem: null,
        });
      }
    }
  });

  it('are not what a heading or a line calls something else', () => {
    const [first, second] = [line([1, 2, 3]), line([4, 5, 6])];
    expect(paramsOf(`Gradient:\n${first}\nSet 1:\n${second}`, 2)).toEqual([[4, 5, 6]]);
    expect(paramsOf(`Set 1:\n${first}\n\nForbidden:\n${second}`, 2)).toEqual([[1, 2, 3]]);
    expect(paramsOf('Gradient: [1, 2, 3]\nSet 1: [4, 5, 6]', 2)).toEqual([[4, 5, 6]]);
    expect(paramsOf('Set 1: [1, 2, 3]\nSet 2: [4, 5, 6] * 2', 2)).toEqual([[1, 2, 3]]);
    expect(paramsOf('1. [1, 2, 3]\n2. [4, 5, 6]', 2)).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(paramsOf('{"points": [[1, 2, 3], [4, 5, 6]]}', 2)).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });

  it('are not taken from reasoning', () => {
    expect(paramsOf(`<think>${line([9, 9, 9])}</think>\n${line([1, 2, 3])}\n${line([4, 5, 6])}`, 2)).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });
});
