import { board, boardCell, type Picture, walker } from '../picture.ts';

/** The start and the goal are the ends of the last row, the cliff lies between them. */
export function cliffPicture(rows: number, columns: number): Picture {
  const layout = board(rows, columns);
  const tone = (row: number, column: number) => {
    if (row < rows - 1) return 'ground';
    return column === 0 ? 'muted' : column === columns - 1 ? 'goal' : 'danger';
  };
  const cells = Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return boardCell(layout, row, column, tone(row, column));
  });
  return {
    stepSeconds: 0.25,
    jumps: true,
    draw: (_p, [cell]) => [...cells, walker(layout, Math.floor(cell! / columns), cell! % columns)],
  };
}
