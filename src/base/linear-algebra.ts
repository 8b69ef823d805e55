/** Small dense matrices in float64, stored row by row. */
import { UsageError } from './errors.ts';

/**
 * The reduced Q of a QR factorisation, [rows x columns], rows >= columns >= 1: orthonormal columns that span those of
 * `matrix`. Signs are LAPACK's (dgeqrf and dorgqr, which `numpy.linalg.qr` calls): Householder reflections that make
 * a diagonal entry of R the negative of the sign of the entry that it replaces; a column with nothing below its
 * diagonal, such as the last one of a square matrix, keeps its sign. Equal to LAPACK's to rounding.
 */
export function orthonormalColumns(matrix: Float64Array, rows: number, columns: number): Float64Array {
  if (columns < 1 || rows < columns || matrix.length !== rows * columns) {
    throw new UsageError(
      'linear-algebra',
      `expected a matrix with at least as many rows as columns, got ${matrix.length} entries as ${rows} x ${columns}`,
    );
  }
  // Column k keeps its reflection's vector below the diagonal; the vector's first entry is 1 and not stored.
  const a = matrix.slice();
  const scales = new Float64Array(columns);
  for (let k = 0; k < columns; k++) {
    let below = 0;
    for (let i = k + 1; i < rows; i++) below = Math.hypot(below, a[i * columns + k]!);
    if (below === 0) continue;
    const pivot = a[k * columns + k]!;
    const diagonal = -(Math.sign(pivot) || 1) * Math.hypot(pivot, below);
    scales[k] = (diagonal - pivot) / diagonal;
    for (let i = k + 1; i < rows; i++) a[i * columns + k]! /= pivot - diagonal;
    a[k * columns + k] = diagonal;
    reflect(a, k, scales[k]!, a, rows, columns, k + 1);
  }
  const q = new Float64Array(rows * columns);
  for (let k = 0; k < columns; k++) q[k * columns + k] = 1;
  for (let k = columns - 1; k >= 0; k--) reflect(a, k, scales[k]!, q, rows, columns, k);
  return q;
}

/** Applies reflection k, I - scale v v', to the columns from `first` on of `target`. */
function reflect(
  vectors: Float64Array,
  k: number,
  scale: number,
  target: Float64Array,
  rows: number,
  columns: number,
  first: number,
): void {
  for (let j = first; j < columns; j++) {
    let dot = target[k * columns + j]!;
    for (let i = k + 1; i < rows; i++) dot += vectors[i * columns + k]! * target[i * columns + j]!;
    dot *= scale;
    target[k * columns + j]! -= dot;
    for (let i = k + 1; i < rows; i++) target[i * columns + j]! -= dot * vectors[i * columns + k]!;
  }
}

/** Fills `out [rows]` with `scale` times the matrix `[rows x columns]` times the vector that starts at `from`. */
export function scaledProduct(
  matrix: Float64Array,
  vector: Float64Array,
  from: number,
  columns: number,
  scale: number,
  out: Float64Array,
): void {
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += matrix[i * columns + j]! * vector[from + j]!;
    out[i] = scale * sum;
  }
}
