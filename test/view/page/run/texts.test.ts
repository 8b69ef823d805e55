/** Differences of prompts, long texts, timelines, parameters and requests of the run view. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contrast, diverging, inkOn, parseColour, sequential } from '../../../../src/view/page/run/colours.ts';
import { cutText } from '../../../../src/view/page/run/cut-text.ts';
import { linesOf } from '../../../../src/view/page/run/optimiser-lines.ts';
import { actionMark, entriesOf, shapeOf } from '../../../../src/view/page/run/parameters-data.ts';
import { differenceOf, promptDifference } from '../../../../src/view/page/run/prompt-difference.ts';
import { branchBody, budgetBody } from '../../../../src/view/page/run/steer-requests.ts';
import { moved, rangeOf, secondsOf, spanAt, timeOf, zoomed } from '../../../../src/view/page/run/timeline.ts';

const lines = (count: number, name = 'line'): string =>
  Array.from({ length: count }, (_, i) => `${name} ${i}\n`).join('');

describe('the difference of two prompts', () => {
  it('shows what changed and hides the lines that are far from it', () => {
    const blocks = differenceOf(`${lines(50)}end\n`, `${lines(50)}trial 7: -0.5\nend\n`);
    expect(blocks).toEqual([
      { kind: 'gap', lines: 49, text: lines(49) },
      {
        kind: 'shown',
        pieces: [
          { kind: 'same', text: 'line 49\n' },
          { kind: 'added', text: 'trial 7: -0.5\n' },
          { kind: 'same', text: 'end\n' },
        ],
      },
    ]);
  });

  it('takes a number as one word', () => {
    const [block] = differenceOf('mean -0.223607 of 20\n', 'mean 0.410391 of 20\n');
    expect(block).toEqual({
      kind: 'shown',
      pieces: [
        { kind: 'same', text: 'mean ' },
        { kind: 'removed', text: '-0.223607' },
        { kind: 'added', text: '0.410391' },
        { kind: 'same', text: ' of 20\n' },
      ],
    });
  });

  it('loses nothing of either text', () => {
    const text = fc
      .array(fc.constantFrom('a', 'b 1', 'b 2', '', '<script>'), { maxLength: 12 })
      .map((all) => all.join('\n'));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const pieces = differenceOf(before, after).flatMap((block) =>
          block.kind === 'gap' ? [{ kind: 'same' as const, text: block.text }] : block.pieces,
        );
        const without = (kind: string) => pieces.filter((piece) => piece.kind !== kind).map((piece) => piece.text);
        expect(without('removed').join('')).toBe(after);
        expect(without('added').join('')).toBe(before);
      }),
    );
  });

  it('stays fast where nothing is alike', () => {
    const before = process.cpuUsage();
    const [head, block] = differenceOf(`same\n${lines(20_000, 'a')}`, `same\n${lines(20_000, 'b')}`);
    expect(block ?? head).toMatchObject({
      kind: 'shown',
      pieces: [{ kind: 'same' }, { kind: 'removed' }, { kind: 'added' }],
    });
    expect(process.cpuUsage(before).user).toBeLessThan(700_000);
  });

  it('shows a whole message that is the first of its purpose, or has no counterpart', () => {
    const messages = [{ role: 'user', content: 'a\nb' }];
    expect(promptDifference(messages, null)).toEqual([
      { role: 'user', added: 0, removed: 0, blocks: [{ kind: 'shown', pieces: [{ kind: 'same', text: 'a\nb' }] }] },
    ]);
    expect(promptDifference(messages, [{ role: 'system', content: 'a' }])).toMatchObject([{ added: 2, removed: 0 }]);
  });
});

describe('a long text', () => {
  it('is cut at the end of a line and never within a character', () => {
    expect(cutText('short', 100)).toBe('short');
    expect(cutText(`${'a'.repeat(90)}\n${'b'.repeat(90)}`, 100)).toBe('a'.repeat(90));
    expect(cutText('😀'.repeat(100), 51)).toBe('😀'.repeat(25));
  });
});

describe('the timeline', () => {
  const spans = [
    { kind: 'model' as const, iteration: 1, start: 0, end: 4 },
    { kind: 'evaluation' as const, iteration: 1, start: 4, end: 5 },
    { kind: 'model' as const, iteration: 2, start: 5, end: 8 },
    { kind: 'evaluation' as const, iteration: 1, start: 8, end: 10 },
  ];

  it('sums the waiting times and finds the span at a time', () => {
    expect(secondsOf(spans)).toEqual({ model: 7, evaluation: 3, other: 0 });
    expect([-1, 0, 4, 9.9, 10].map((time) => spanAt(spans, time))).toEqual([-1, 0, 1, 3, -1]);
    expect(timeOf(spans, 1)).toEqual({ from: 0, to: 5 });
    expect(timeOf(spans, 9)).toBeNull();
  });

  it('shows a part that never leaves the run', () => {
    const whole = rangeOf(spans);
    expect(zoomed(whole, whole, 0.5, 4)).toEqual({ from: 2, to: 7 });
    expect(zoomed({ from: 0, to: 2 }, whole, 100, 1)).toEqual(whole);
    expect(moved({ from: 6, to: 8 }, whole, 5)).toEqual({ from: 8, to: 10 });
    expect(rangeOf([])).toEqual({ from: 0, to: 1 });
  });
});

describe('parameters', () => {
  const names = { paramCount: 4, params: ['a', 'b', 'c', 'd'], matrix: null, grid: null, actions: null };

  it('are drawn on the grid or matrix that has as many cells, else listed', () => {
    expect(shapeOf({ ...names, grid: ['SF', 'HG'] }, 4)).toBe('grid');
    expect(shapeOf({ ...names, grid: ['SFF', 'HG'] }, 4)).toBe('list');
    expect(shapeOf({ ...names, matrix: { rows: ['x', 'y'], columns: ['u', 'v'] } }, 4)).toBe('matrix');
    expect(shapeOf(null, 4)).toBe('list');
  });

  it('change by the decimals that were written', () => {
    expect(entriesOf([0.3, 2], [0.1, 2], names).map(({ name, change }) => [name, change])).toEqual([
      ['a', 0.2],
      ['b', 0],
    ]);
    expect(entriesOf([1], null, null)[0]).toEqual({ index: 0, name: 'parameter 0', value: 1, change: null });
  });

  it('that are actions are arrows where they are directions', () => {
    const actions = ['move left', 'down', 'wait'];
    expect([0, 1, 2, 3].map((action) => actionMark(actions, action))).toEqual(['←', '↓', 'wai', '3']);
  });

  it('are no more lines than can be told apart', () => {
    const rows = [Array.from({ length: 100 }, (_, i) => i)];
    const shown = linesOf(rows);
    expect(shown).toHaveLength(12);
    expect([shown[0]!.index, shown.at(-1)!.index]).toEqual([0, 99]);
    expect(linesOf([])).toEqual([]);
  });
});

describe('colours of numbers', () => {
  it('leave their numbers readable', () => {
    const [low, middle, high] = ['#0072b2', '#f2f3f5', '#d55e00'].map(parseColour) as [never, never, never];
    fc.assert(
      fc.property(fc.double({ min: -1.5, max: 1.5 }), (value) => {
        const back = diverging(value, low, middle, high);
        expect(contrast(back, inkOn(back))).toBeGreaterThanOrEqual(4.5);
      }),
    );
  });

  it('read colours as style sheets have them, and bound their scales', () => {
    expect(parseColour('#fff')).toEqual([255, 255, 255]);
    expect(parseColour('rgb(1, 2, 3)')).toEqual([1, 2, 3]);
    expect(sequential(7)).toEqual(sequential(1));
    expect(sequential(Number.NaN)).toEqual(sequential(0));
  });
});

describe('requests to a run', () => {
  it('hold the limits that were written, and refuse what is no number', () => {
    expect(budgetBody({ iterations: ' 50 ', cost: '1.5', tokens: '' })).toEqual({
      body: { action: 'budget', iterations: 50, cost: 1.5 },
    });
    expect(budgetBody({ iterations: '1.5' })).toEqual({
      problem: 'iterations: expected a whole number above 0, got "1.5"',
    });
    expect(budgetBody({})).toHaveProperty('problem');
  });

  it('hold the settings of a branch line by line', () => {
    expect(branchBody(7, ' ollama/x ', 'search.step_size=0.5\n\nseed=3')).toEqual({
      body: { at: 7, model: 'ollama/x', settings: ['search.step_size=0.5', 'seed=3'] },
    });
    expect(branchBody(7, '', 'faster please')).toEqual({ problem: 'expected key=value, got "faster please"' });
    expect(branchBody(7, '', '--trust-env=x')).toEqual({ problem: 'expected key=value, got "--trust-env=x"' });
    expect(branchBody(7, '', '')).toEqual({ body: { at: 7, settings: [] } });
    const price = 'prices.ollama/qwen3:4b.prompt_per_million=0.5';
    expect(branchBody(7, '', price)).toEqual({ body: { at: 7, settings: [price] } });
  });
});
