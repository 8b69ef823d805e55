/** Tables on terminals: lines fit, and nothing is cut. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createIo, type OutputStream } from '../../src/cli/io.ts';
import { type Table, textTable } from '../../src/report/tables/table.ts';

const word = fc.stringMatching(/^[a-z0-9./]{1,14}$/);
const text = fc.array(word, { maxLength: 6 }).map((words) => words.join(' '));
const table = fc.integer({ min: 1, max: 9 }).chain((count) =>
  fc.record({
    columns: fc.array(fc.record({ title: word, align: fc.constantFrom('left' as const, 'right' as const) }), {
      minLength: count,
      maxLength: count,
    }),
    rows: fc.array(fc.array(text, { minLength: count, maxLength: count }), { maxLength: 4 }),
  }),
);

describe('a table of a given width', () => {
  it('has no longer line, and every word of every cell', () => {
    fc.assert(
      fc.property(table, fc.integer({ min: 30, max: 120 }), (one, width) => {
        const drawn = textTable(one, { width });
        for (const line of drawn.split('\n')) expect(line.length).toBeLessThanOrEqual(width);
        const words = drawn.split(/\s+/);
        const counts = (list: readonly string[]) => (of: string) => list.filter((each) => each === of).length;
        const all = [...one.columns.map(({ title }) => title), ...one.rows.flat()].flatMap(
          (cell) => cell.match(/\S+/g) ?? [],
        );
        for (const each of all) expect(counts(words)(each)).toBeGreaterThanOrEqual(counts(all)(each));
      }),
      { numRuns: 200 },
    );
  });

  it('has the columns that identify a row by themselves, where no other has room beside them', () => {
    const columns = ['/', 'a', 'b', 'c', 'long'].map((title) => ({ title }));
    const rows = [['', '', '', '', '.aa/.aaa0a .....a/a']];
    const drawn = textTable({ columns, rows }, { width: 30 });
    expect(drawn).toMatch(/^\/ {2}a {2}b {2}c\n/);
    expect(drawn).toContain('.aa/.aaa0a .....a/a');
  });

  it('breaks what is longer than a line, between words first', () => {
    const columns = [{ title: 'a' }];
    const drawn = (text: string) =>
      textTable({ columns, rows: [[text]] }, { width: 30 })
        .split('\n')
        .slice(1);
    expect(drawn('x'.repeat(32))).toEqual(['x'.repeat(30), 'xx']);
    expect(drawn('0a0a.... /a.a//0000a ... /.a00a')).toEqual(['0a0a.... /a.a//0000a ...', '/.a00a']);
  });

  it('keeps a number with its deviation and an interval on one line', () => {
    const numbers = { columns: [{ title: 'reward' }], rows: [['251.4 ± 13.1 [242.0, 260.8]'], ['1 ... 9 of them']] };
    expect(textTable(numbers, { width: 16 }).split('\n')).toEqual([
      'reward',
      '251.4 ± 13.1',
      '[242.0, 260.8]',
      '1 ... 9 of them',
    ]);
  });

  it('continues below with the columns that identify a row', () => {
    const right = (title: string) => ({ title, align: 'right' as const });
    const wide = {
      columns: [{ title: 'env' }, ...'abcd'.split('').map(right)],
      rows: [['Nim', ...Array(4).fill('123456789')]],
    };
    expect(textTable(wide, { width: 30 }).split('\n')).toEqual([
      'env          a          b',
      'Nim  123456789  123456789',
      '',
      'env          c          d',
      'Nim  123456789  123456789',
    ]);
    expect(textTable(wide).split('\n')).toHaveLength(2);
  });
});

describe('the width of stdout', () => {
  const one: Table = {
    title: 'T',
    note: 'word '.repeat(40).trim(),
    columns: [{ title: 'a' }],
    rows: [['b '.repeat(90)]],
  };
  const widest = (stdout: Partial<OutputStream>, env: NodeJS.ProcessEnv): number => {
    const io = createIo({ write: () => true, ...stdout }, { write: () => true }, env);
    return Math.max(
      ...io
        .titledTable(one)
        .split('\n')
        .map((line) => line.length),
    );
  };

  it('is COLUMNS, else that of the terminal; a pipe has none', () => {
    expect(widest({ isTTY: true, columns: 100 }, { COLUMNS: '60' })).toBeLessThanOrEqual(60);
    expect(widest({}, { COLUMNS: '60' })).toBeLessThanOrEqual(60);
    expect(widest({ isTTY: true, columns: 100 }, {})).toBeLessThanOrEqual(100);
    expect(widest({ isTTY: true, columns: 100 }, { COLUMNS: 'wide' })).toBeGreaterThan(60);
    expect(widest({}, {})).toBeGreaterThan(170);
    // A pseudo-terminal without a size, as recordings of terminals make it.
    expect(widest({ isTTY: true, columns: 0 }, {})).toBeGreaterThan(170);
  });
});
