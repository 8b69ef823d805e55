/** The tried policies in the plane of their two principal components. */
import type { RunPage } from '../../api/run.ts';

export interface PolicyPoint {
  readonly x: number;
  readonly y: number;
  /** index of the iteration, and of the candidate in it */
  readonly iteration: number;
  readonly candidate: number;
  readonly mean: number | null;
  readonly isKept: boolean;
}

export function pointsOf({ projection, iterations }: RunPage): PolicyPoint[] {
  if (projection === null) return [];
  const points: PolicyPoint[] = [];
  let at = 0;
  for (const [i, { candidates, kept }] of iterations.entries()) {
    for (const [k, { label, mean }] of candidates.entries()) {
      const [x, y] = [projection.x[at], projection.y[at]];
      at++;
      if (x === undefined || y === undefined) return points;
      points.push({ x, y, iteration: i, candidate: k, mean, isKept: label === kept });
    }
  }
  return points;
}

export interface Bounds {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  readonly mean: readonly [number, number];
}

function extent(values: Iterable<number>): readonly [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

export function boundsOf(points: readonly PolicyPoint[]): Bounds {
  return {
    x: extent(points.map(({ x }) => x)),
    y: extent(points.map(({ y }) => y)),
    mean: extent(points.flatMap(({ mean }) => (mean === null ? [] : [mean]))),
  };
}

/** From coordinates to CSS pixels of a canvas, with a margin. */
export function placing(bounds: Bounds, width: number, height: number, margin: number) {
  const scale =
    ([low, high]: readonly [number, number], length: number) =>
    (value: number) =>
      margin + ((value - low) / (high - low)) * (length - 2 * margin);
  const x = scale(bounds.x, width);
  const y = scale(bounds.y, height);
  return { x: ({ x: value }: PolicyPoint) => x(value), y: ({ y: value }: PolicyPoint) => height - y(value) };
}

/** Index of the point that is nearest to a place on the canvas, within `reach` CSS pixels; -1: none. */
export function nearest(
  points: readonly PolicyPoint[],
  place: ReturnType<typeof placing>,
  x: number,
  y: number,
  reach: number,
): number {
  let found = -1;
  let least = reach;
  for (const [i, point] of points.entries()) {
    const distance = Math.hypot(place.x(point) - x, place.y(point) - y);
    // Of points on one place the last one, which is drawn above.
    if (distance <= least) {
      least = distance;
      found = i;
    }
  }
  return found;
}
