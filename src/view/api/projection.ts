/** Policies as points of a plane, by principal components; on the server, and on the page of a run that goes on. */
import { SymmetricEigen } from '../../base/symmetric-eigen.ts';
import type { Iteration, RunPage } from './run.ts';

type Projection = NonNullable<RunPage['projection']>;

/** Side of the largest matrix that is decomposed: of more policies with more parameters, evenly chosen ones. */
const largestMatrix = 160;

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** The two directions `[dimension]` of most variance of centred points, each of length 1; zero where there is none. */
function principalAxes(points: readonly Float64Array[], dimension: number): [Float64Array, Float64Array] {
  const zero = (): Float64Array => new Float64Array(dimension);
  const byPoints = dimension > largestMatrix;
  const step = Math.ceil(points.length / largestMatrix);
  const chosen = byPoints ? points.filter((_, i) => i % step === 0) : points;
  const size = byPoints ? chosen.length : dimension;
  const matrix = new Float64Array(size * size);
  if (byPoints) {
    for (let i = 0; i < size; i++) for (let j = 0; j <= i; j++) matrix[i * size + j] = dot(chosen[i]!, chosen[j]!);
  } else {
    for (const point of points) {
      for (let i = 0; i < size; i++) for (let j = 0; j <= i; j++) matrix[i * size + j]! += point[i]! * point[j]!;
    }
  }
  const eigen = new SymmetricEigen(size);
  eigen.decompose(matrix);
  const axis = (k: number): Float64Array => {
    const column = size - 1 - k;
    if (column < 0 || !(eigen.values[column]! > 1e-12 * eigen.values[size - 1]!)) return zero();
    const vector = Float64Array.from({ length: size }, (_, i) => eigen.vectors[i * size + column]!);
    const direction = byPoints ? zero() : vector;
    if (byPoints) {
      for (const [i, point] of chosen.entries())
        for (let d = 0; d < dimension; d++) direction[d]! += vector[i]! * point[d]!;
    }
    const length = Math.sqrt(dot(direction, direction));
    // The sign of an axis is free: its largest entry is positive, so that a page that is loaded again shows the same.
    const largest = direction.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    return direction.map((value) => (value / length) * (Math.sign(largest) || 1));
  };
  return [axis(0), axis(1)];
}

/** The parameters of all policies of these iterations, in their order. */
export const triedPolicies = (iterations: readonly Iteration[]): number[][] =>
  iterations.flatMap(({ candidates }) => candidates.map(({ params }) => params));

/** Null: fewer than two different policies, or policies of different sizes. */
export function projectionOf(policies: readonly (readonly number[])[]): Projection | null {
  const dimension = policies[0]?.length ?? 0;
  const fits = policies.every((params) => params.length === dimension && params.every(Number.isFinite));
  if (policies.length < 2 || dimension === 0 || !fits) return null;
  const centre = Float64Array.from({ length: dimension }, (_, d) =>
    policies.reduce((sum, params) => sum + params[d]! / policies.length, 0),
  );
  const points = policies.map((params) => Float64Array.from(params, (value, d) => value - centre[d]!));
  const total = points.reduce((sum, point) => sum + dot(point, point), 0);
  if (!(total > 0) || !Number.isFinite(total)) return null;
  const axes = principalAxes(points, dimension);
  const [x, y] = axes.map((axis) => points.map((point) => dot(axis, point))) as [number[], number[]];
  return {
    x,
    y,
    explained: [x, y].map((values) => dot(values, values) / total),
    policies: policies.length,
    centre: [...centre],
    axes: [[...axes[0]], [...axes[1]]],
  };
}
