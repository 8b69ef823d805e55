import { board, boardCell, boardMiddle, type Picture, type Tone, walker } from '../picture.ts';

const tones: Readonly<Record<string, Tone>> = { S: 'muted', F: 'ground', H: 'danger', G: 'goal' };

/** `map`: one text per row. */
export function lakePicture(map: readonly string[]): Picture {
  const columns = map[0]!.length;
  const layout = board(map.length, columns);
  const cells = map.flatMap((row, r) => Array.from(row, (letter, c) => boardCell(layout, r, c, tones[letter]!)));
  const ends = map.flatMap((row, r) =>
    Array.from(row, (letter, c) => ({ letter, at: boardMiddle(layout, r, c) })).filter(({ letter }) => letter !== 'F'),
  );
  return {
    stepSeconds: 0.25,
    jumps: true,
    draw: (_p, [cell]) => [
      ...cells,
      ...ends.map(({ letter, at }) => ({ kind: 'text', tone: 'ink', x: at[0], y: at[1], text: letter }) as const),
      walker(layout, Math.floor(cell! / columns), cell! % columns),
    ],
  };
}
