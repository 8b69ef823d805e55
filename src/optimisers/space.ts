/** What optimisers search: a box of real parameters, or a table of listed whole numbers. */
import type { Draws } from '../base/rng/draws.ts';
import type { Policy } from '../policies/policy.ts';

/** The same range for each of `dimension` real parameters. */
export interface RealSpace {
  readonly kind: 'real';
  readonly dimension: number;
  readonly low: number;
  readonly high: number;
  /** candidates have so many decimals; null: they are not rounded */
  readonly decimals: number | null;
}

/** One of `values` for each of `dimension` entries of a table. */
export interface ChoiceSpace {
  readonly kind: 'choice';
  readonly dimension: number;
  readonly values: readonly number[];
}

export type SearchSpace = RealSpace | ChoiceSpace;

export interface BoxSettings {
  readonly low: number;
  readonly high: number;
  readonly decimals: number | null;
}

/** The space of the parameters of a policy. */
export function spaceOf({ values, paramCount: dimension }: Policy, { low, high, decimals }: BoxSettings): SearchSpace {
  return values.kind === 'choice'
    ? { kind: 'choice', dimension, values: values.values }
    : { kind: 'real', dimension, low, high, decimals };
}

/** The number of the box that is nearest to `value`. */
export function clamp(value: number, { low, high }: RealSpace): number {
  return Math.min(Math.max(value, low), high);
}

/** The nearest number of the box that has the decimals of the space. */
export function fitted(value: number, space: RealSpace): number {
  const inside = clamp(value, space);
  if (space.decimals === null) return inside;
  const scale = 10 ** space.decimals;
  // The ends of the box may lie between two numbers of the grid.
  const lowest = Math.ceil(space.low * scale);
  const highest = Math.floor(space.high * scale);
  const steps = Math.min(Math.max(Math.round(inside * scale), lowest), highest);
  // Adding zero turns -0 into 0.
  return Number((steps / scale).toFixed(space.decimals)) + 0;
}

/** A vector of the box, from any vector. */
export function fittedVector(vector: Float64Array, space: RealSpace): Float64Array {
  return vector.map((value) => fitted(value, space));
}

/** A vector drawn uniformly from the space. */
export function uniformVector(space: SearchSpace, rng: Draws): Float64Array {
  return space.kind === 'real'
    ? Float64Array.from({ length: space.dimension }, () => rng.uniform(space.low, space.high))
    : Float64Array.from({ length: space.dimension }, () => space.values[rng.choice(space.values.length)]!);
}

/** Where a search begins: the middle of the box, or a random vector of it. */
export const starts = ['centre', 'random'] as const;
export type Start = (typeof starts)[number];

export function startVector(space: RealSpace, start: Start, rng: Draws): Float64Array {
  return start === 'random' ? uniformVector(space, rng) : middleVector(space);
}

/** A vector without a draw: the middle of the box, or the table of the first value. */
export function middleVector(space: SearchSpace): Float64Array {
  const value = space.kind === 'real' ? (space.low + space.high) / 2 : space.values[0]!;
  return new Float64Array(space.dimension).fill(value);
}

export function normalVector(dimension: number, rng: Draws): Float64Array {
  return Float64Array.from({ length: dimension }, () => rng.standardNormal());
}
