import type { Notes } from '../notes.ts';
import { columns, passages, rows } from './constants.ts';

const cellName = (cell: number): string => `cell ${cell} (row ${Math.floor(cell / columns)}, column ${cell % columns})`;

/** The maze from above, in characters: S start, G goal, walls as lines. */
function drawing(): string {
  const isOpen = (a: number, b: number): boolean => passages.some((pair) => pair.includes(a) && pair.includes(b));
  const cells = Array.from({ length: columns }, (_, column) => column);
  const letter = (cell: number): string => (cell === 0 ? 'S' : cell === rows * columns - 1 ? 'G' : ' ');
  const line = (row: number, inner: (cell: number, column: number) => string): string =>
    cells.map((column) => inner(row * columns + column, column)).join('');
  const below = (row: number): string =>
    line(row, (cell) => (row < rows - 1 && isOpen(cell, cell + columns) ? '   +' : '---+'));
  const across = (row: number): string =>
    line(row, (cell, column) => ` ${letter(cell)} ${column < columns - 1 && isOpen(cell, cell + 1) ? ' ' : '|'}`);
  const walls = Array.from({ length: rows }, (_, row) => [`|${across(row)}`, `+${below(row)}`]);
  return [`+${'---+'.repeat(columns)}`, ...walls.flat()].join('\n');
}

export const notes: Notes = () => ({
  map: drawing(),
  passages: passages.map(([a, b]) => `- ${cellName(a)} and ${cellName(b)}`).join('\n'),
});
