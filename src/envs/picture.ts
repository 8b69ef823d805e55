/**
 * The picture of an environment: a few shapes per state. Lengths are in px of the scene, y grows
 * downwards, angles are in degrees clockwise.
 */
import type { Params } from './env.ts';

/** The role of a shape; a renderer gives it a colour. */
export type Tone = 'ink' | 'muted' | 'ground' | 'accent' | 'goal' | 'danger';

interface Placed {
  readonly tone: Tone;
  /** turned about its own origin by this, then moved to `at` */
  readonly turn?: number;
  readonly at?: readonly [number, number];
  /** drawn only in frames in which this is true; always when left out */
  readonly shown?: boolean;
}

export type Shape =
  | (Placed & {
      readonly kind: 'rect';
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
      readonly round?: number;
    })
  | (Placed & { readonly kind: 'circle'; readonly x: number; readonly y: number; readonly radius: number })
  | (Placed & {
      /** with round ends */
      readonly kind: 'line';
      readonly x1: number;
      readonly y1: number;
      readonly x2: number;
      readonly y2: number;
      readonly thickness: number;
    })
  | (Placed & {
      /** straight from point to point; `closed`: filled */
      readonly kind: 'path';
      readonly points: readonly (readonly [number, number])[];
      readonly closed: boolean;
    })
  | (Placed & { readonly kind: 'text'; readonly x: number; readonly y: number; readonly text: string });

export interface Picture {
  /** simulated time of one step, s */
  readonly stepSeconds: number;
  /** states are cells to jump between: frames are not interpolated */
  readonly jumps?: boolean;
  /**
   * The scene in this state. The same shapes in the same order in every state: only numbers, `at`, `turn` and `shown`
   * may differ. `action` is the next one, null after the last step.
   */
  draw(params: Params, state: readonly number[], action: readonly number[] | null): readonly Shape[];
}

/** Size of every scene, px. */
export const scene = { width: 400, height: 220 } as const;

export const degrees = (radians: number): number => (radians * 180) / Math.PI;

/** A horizontal arrow that starts at (0, 0) of `at`, `length` px long, to the left where it is negative. */
export function arrow(at: readonly [number, number], length: number): Shape {
  return { kind: 'line', tone: 'accent', at, x1: 0, y1: 0, x2: length, y2: 0, thickness: 4, shown: length !== 0 };
}

/** A line from the point `at` by `x` and `y`, turned about that point by `turn`: a link, a pole. */
export function rod(
  tone: Tone,
  {
    at,
    turn,
    x = 0,
    y = 0,
    thickness,
  }: Required<Pick<Placed, 'at' | 'turn'>> & {
    readonly x?: number;
    readonly y?: number;
    readonly thickness: number;
  },
): Shape {
  return { kind: 'line', tone, at, turn, x1: 0, y1: 0, x2: x, y2: y, thickness };
}

/** A rail at the height `track`, `reach` px to both sides of the middle, with its stops. */
export function rail(track: number, reach: number): Shape[] {
  const stop = (x: number): Shape => {
    return { kind: 'line', tone: 'danger', x1: x, y1: track - 8, x2: x, y2: track + 8, thickness: 4 };
  };
  const [left, right] = [scene.width / 2 - reach, scene.width / 2 + reach];
  return [
    { kind: 'line', tone: 'ground', x1: left, y1: track, x2: right, y2: track, thickness: 3 },
    stop(left),
    stop(right),
  ];
}

export interface Board {
  readonly left: number;
  readonly top: number;
  /** side of a cell */
  readonly side: number;
}

/** A board of rows x columns in the middle of the scene. */
export function board(rows: number, columns: number): Board {
  const side = Math.min((scene.height - 30) / rows, (scene.width - 40) / columns, 60);
  return { left: (scene.width - side * columns) / 2, top: (scene.height - side * rows) / 2, side };
}

export function boardMiddle({ left, top, side }: Board, row: number, column: number): readonly [number, number] {
  return [left + (column + 0.5) * side, top + (row + 0.5) * side];
}

/** One cell of a board. */
export function boardCell({ left, top, side }: Board, row: number, column: number, tone: Tone): Shape {
  return {
    kind: 'rect',
    tone,
    x: left + column * side + 1,
    y: top + row * side + 1,
    width: side - 2,
    height: side - 2,
    round: side / 10,
  };
}

export function walker(layout: Board, row: number, column: number): Shape {
  return {
    kind: 'circle',
    tone: 'accent',
    at: boardMiddle(layout, row, column),
    x: 0,
    y: 0,
    radius: layout.side * 0.28,
  };
}
