import { board, boardCell, type Picture, type Shape, walker } from '../picture.ts';

/** `passages`: pairs of neighbouring cells without a wall between them. */
export function mazePicture(rows: number, columns: number, passages: readonly (readonly [number, number])[]): Picture {
  const layout = board(rows, columns);
  const { left, top, side } = layout;
  const open = (a: number, b: number) => passages.some(([x, y]) => (x === a && y === b) || (x === b && y === a));
  const wall = (x1: number, y1: number, x2: number, y2: number): Shape => ({
    kind: 'line',
    tone: 'ink',
    x1: left + x1 * side,
    y1: top + y1 * side,
    x2: left + x2 * side,
    y2: top + y2 * side,
    thickness: 4,
  });
  const cells = Array.from({ length: rows * columns }, (_, i) => ({
    cell: i,
    row: Math.floor(i / columns),
    column: i % columns,
  }));
  const shapes: Shape[] = [
    ...cells.map(({ cell, row, column }) =>
      boardCell(layout, row, column, cell === 0 ? 'muted' : cell === rows * columns - 1 ? 'goal' : 'ground'),
    ),
    ...cells
      .filter(({ cell, column }) => column < columns - 1 && !open(cell, cell + 1))
      .map(({ row, column }) => wall(column + 1, row, column + 1, row + 1)),
    ...cells
      .filter(({ cell, row }) => row < rows - 1 && !open(cell, cell + columns))
      .map(({ row, column }) => wall(column, row + 1, column + 1, row + 1)),
    wall(0, 0, columns, 0),
    wall(0, rows, columns, rows),
    wall(0, 0, 0, rows),
    wall(columns, 0, columns, rows),
  ];
  return { stepSeconds: 0.4, jumps: true, draw: (_p, [column, row]) => [...shapes, walker(layout, row!, column!)] };
}
