import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainNumber, significant } from '../../src/base/plain-number.ts';
import { estimateTokens } from '../../src/base/tokens.ts';
import type { Env } from '../../src/envs/env.ts';
import { trajectoryText } from '../../src/methods/prompts/episode-text.ts';
import type { EndCause, Trace } from '../../src/rollout/job.ts';

const row = (name: string) => ({ name, meaning: name, unit: 'm', low: -9, high: 9 });
const spaces: Pick<Env, 'observation' | 'action'> = {
  observation: { kind: 'vector', rows: [row('height'), row('speed')] },
  action: { kind: 'discrete', meanings: ['wait', 'jump'] },
};

function traceOf(length: number, end: EndCause = 'terminated'): Trace {
  const steps = Array.from({ length }, (_, i) => ({
    state: [777_000 + i, 888_000 + i],
    obs: [i + 0.123456, -1234.5 - i],
    action: [i % 2],
    reward: 0.25,
  }));
  return { env: 'toy', seed: 4, return: 0.25 * length, length, end, steps, finalState: [999_000, 999_001] };
}

const stepLines = (text: string) => text.split('\n').filter((line) => /^\d+ \|/.test(line));
const omitted = (text: string) => {
  const match = /^\.\.\. (\d+) steps? (?:is|are) left out here \((\d+)(?: to (\d+))?\)$/m.exec(text);
  return match && { count: Number(match[1]), first: Number(match[2]), last: Number(match[3] ?? match[2]) };
};

describe('numbers in texts', () => {
  it('has three significant digits and no exponent', () => {
    const cases: [number, string][] = [
      [1000, '1000'],
      [1234.5, '1230'],
      [0.123456, '0.123'],
      [-0.00012345, '-0.000123'],
      [1e-12, '0'],
      [-1e-12, '0'],
      [2.5e21, '2500000000000000000000'],
      [5, '5'],
      [9.999, '10'],
      [Number.NaN, 'NaN'],
      [-Infinity, '-Infinity'],
    ];
    for (const [value, text] of cases) expect(significant(value, 3)).toBe(text);
  });

  it('reads back exactly where every digit is wanted', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -1e15, max: 1e15 }), (value) => {
        const text = plainNumber(value);
        expect(text).not.toContain('e');
        // Beyond 100 decimals a number is written as close as toFixed can.
        expect(Math.abs(Number(text) - value)).toBeLessThanOrEqual(Math.abs(value) < 1e-80 ? 1e-100 : 0);
      }),
    );
    expect(plainNumber(1e-7)).toBe('0.0000001');
    expect(plainNumber(-1.25e-7)).toBe('-0.000000125');
  });
});

describe('trajectory text', () => {
  it('shows each step once: observation, action, reward, and no internal state', () => {
    const text = trajectoryText(traceOf(3), spaces, 1000);
    expect(text.split('\n')).toEqual([
      'return 0.75, length 3 steps',
      'end: terminated: the environment itself ended the episode after step 3',
      'step | observation before the step (height, speed) | action (number of the action) | reward',
      '1 | 0.123, -1230 | 0 | 0.25',
      '2 | 1.12, -1240 | 1 | 0.25',
      '3 | 2.12, -1240 | 0 | 0.25',
    ]);
  });

  it('names the cause of the end in true words', () => {
    expect(trajectoryText(traceOf(7, 'truncated'), spaces, 1000)).toContain(
      "end: truncated: the environment's own limit of 7 steps was reached",
    );
    expect(trajectoryText(traceOf(7, 'capped'), spaces, 1000)).toContain('end: capped: our limit of 7 steps');
    expect(trajectoryText(traceOf(7, 'capped'), spaces, 1000)).not.toContain('terminated');
  });

  it('writes numbered states and continuous actions', () => {
    const text = trajectoryText(
      { ...traceOf(1), steps: [{ state: [0], obs: [13], action: [0.5, -0.123456789], reward: 1000 }] },
      {
        observation: { kind: 'discrete', n: 16, meaning: 'field' },
        action: { kind: 'box', rows: [row('left'), row('right')] },
      },
      1000,
    );
    expect(text).toContain('(state number) | action (left, right)');
    expect(text).toContain('1 | 13 | 0.5, -0.123 | 1000');
  });

  it('keeps to the budget, keeps both ends, and counts exactly what it left out', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 100, max: 6000 }), (length, budget) => {
        const text = trajectoryText(traceOf(length), spaces, budget);
        const lines = stepLines(text);
        const gap = omitted(text);
        expect(estimateTokens(text)).toBeLessThanOrEqual(budget);
        expect(lines.at(0)).toMatch(/^1 \|/);
        expect(lines.at(-1)).toMatch(new RegExp(`^${length} \\|`));
        expect(lines.length + (gap?.count ?? 0)).toBe(length);
        if (!gap) return;
        const numbers = lines.map((line) => Number(line.split(' ')[0]));
        const shown = new Set(numbers);
        expect(gap.last - gap.first + 1).toBe(gap.count);
        for (let t = gap.first; t <= gap.last; t++) expect(shown.has(t)).toBe(false);
        const head = numbers.filter((t) => t < gap.first).length;
        expect(Math.abs(lines.length - 2 * head)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 60 },
    );
  });

  it('uses the budget: one more step at each end would not fit', () => {
    const text = trajectoryText(traceOf(500), spaces, 800);
    expect(omitted(text)).not.toBeNull();
    expect(estimateTokens(text)).toBeGreaterThan(800 - 30);
  });

  it('shows the last step even when the budget holds nothing', () => {
    const text = trajectoryText(traceOf(40), spaces, 1);
    expect(stepLines(text)).toHaveLength(1);
    expect(text).toMatch(/^40 \|/m);
    expect(omitted(text)).toEqual({ count: 39, first: 1, last: 39 });
  });
});
