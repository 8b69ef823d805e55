/**
 * Eigenvalues and eigenvectors of a symmetric matrix in float64: Householder reduction to a tridiagonal matrix, then
 * implicit QL steps (EISPACK's tred2 and tql2, in the form of JAMA). Works in the memory that it is given.
 */
import { UsageError } from './errors.ts';

/** Of entries relative to the largest. */
const smallest = 2 ** -500;

/** The memory of one decomposition of an n x n matrix; a decomposition allocates nothing. */
export class SymmetricEigen {
  readonly n: number;
  /** eigenvalues `[n]`, ascending */
  readonly values: Float64Array;
  /** `[n x n]` row by row; column k is the unit eigenvector of `values[k]` */
  readonly vectors: Float64Array;
  readonly #offDiagonal: Float64Array;

  constructor(n: number) {
    this.n = n;
    this.values = new Float64Array(n);
    this.vectors = new Float64Array(n * n);
    this.#offDiagonal = new Float64Array(n);
  }

  /** Decomposes `matrix [n x n]`, of which it reads the lower triangle. Throws a usage error for entries that are not finite. */
  decompose(matrix: Float64Array): void {
    const { n, vectors, values } = this;
    const unit = this.#unitOf(matrix);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        const entry = matrix[i * n + j]! / unit;
        // Far below the precision of the values, where products lose digits.
        const kept = Math.abs(entry) < smallest ? 0 : entry;
        vectors[i * n + j] = kept;
        vectors[j * n + i] = kept;
      }
    }
    tridiagonalize(n, vectors, values, this.#offDiagonal);
    diagonalize(n, vectors, values, this.#offDiagonal);
    sortAscending(n, vectors, values);
    for (let k = 0; k < n; k++) values[k]! *= unit;
  }

  /** A power of two near the largest entry: dividing by it changes no digit. */
  #unitOf(matrix: Float64Array): number {
    const { n } = this;
    let largest = 0;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        const entry = matrix[i * n + j]!;
        if (!Number.isFinite(entry)) {
          throw new UsageError('symmetric-eigen', `expected finite entries, got ${entry} at row ${i}, column ${j}`);
        }
        largest = Math.max(largest, Math.abs(entry));
      }
    }
    return largest === 0 ? 1 : 2 ** Math.max(-1022, Math.floor(Math.log2(largest)));
  }
}

/** One Householder step: makes row i of the lower triangle zero but for its last entry. Returns the reflection's h. */
function reduceRow(n: number, i: number, v: Float64Array, d: Float64Array, e: Float64Array): number {
  let scale = 0;
  for (let k = 0; k < i; k++) scale += Math.abs(d[k]!);
  if (scale === 0) {
    e[i] = d[i - 1]!;
    for (let j = 0; j < i; j++) {
      d[j] = v[(i - 1) * n + j]!;
      v[i * n + j] = 0;
      v[j * n + i] = 0;
    }
    return 0;
  }
  let h = 0;
  for (let k = 0; k < i; k++) {
    d[k]! /= scale;
    h += d[k]! * d[k]!;
  }
  const last = d[i - 1]!;
  const root = last > 0 ? -Math.sqrt(h) : Math.sqrt(h);
  e[i] = scale * root;
  h -= last * root;
  d[i - 1] = last - root;
  for (let j = 0; j < i; j++) e[j] = 0;
  for (let j = 0; j < i; j++) {
    const f = d[j]!;
    v[j * n + i] = f;
    let g = e[j]! + v[j * n + j]! * f;
    for (let k = j + 1; k < i; k++) {
      g += v[k * n + j]! * d[k]!;
      e[k]! += v[k * n + j]! * f;
    }
    e[j] = g;
  }
  let sum = 0;
  for (let j = 0; j < i; j++) {
    e[j]! /= h;
    sum += e[j]! * d[j]!;
  }
  const half = sum / (h + h);
  for (let j = 0; j < i; j++) e[j]! -= half * d[j]!;
  for (let j = 0; j < i; j++) {
    const f = d[j]!;
    const g = e[j]!;
    for (let k = j; k < i; k++) v[k * n + j]! -= f * e[k]! + g * d[k]!;
    d[j] = v[(i - 1) * n + j]!;
    v[i * n + j] = 0;
  }
  return h;
}

/** tred2: `v` becomes the orthogonal matrix, `d` the diagonal, `e[1 ...]` the entries beside it. */
function tridiagonalize(n: number, v: Float64Array, d: Float64Array, e: Float64Array): void {
  for (let j = 0; j < n; j++) d[j] = v[(n - 1) * n + j]!;
  for (let i = n - 1; i > 0; i--) d[i] = reduceRow(n, i, v, d, e);
  for (let i = 0; i < n - 1; i++) {
    v[(n - 1) * n + i] = v[i * n + i]!;
    v[i * n + i] = 1;
    const h = d[i + 1]!;
    if (h !== 0) {
      for (let k = 0; k <= i; k++) d[k] = v[k * n + i + 1]! / h;
      for (let j = 0; j <= i; j++) {
        let g = 0;
        for (let k = 0; k <= i; k++) g += v[k * n + i + 1]! * v[k * n + j]!;
        for (let k = 0; k <= i; k++) v[k * n + j]! -= g * d[k]!;
      }
    }
    for (let k = 0; k <= i; k++) v[k * n + i + 1] = 0;
  }
  for (let j = 0; j < n; j++) {
    d[j] = v[(n - 1) * n + j]!;
    v[(n - 1) * n + j] = 0;
  }
  v[n * n - 1] = 1;
  e[0] = 0;
}

/** One implicit QL sweep over the block l ... m. Returns the shift. */
function sweep(n: number, l: number, m: number, v: Float64Array, d: Float64Array, e: Float64Array): number {
  const before = d[l]!;
  const step = (d[l + 1]! - before) / (2 * e[l]!);
  const root = step < 0 ? -Math.hypot(step, 1) : Math.hypot(step, 1);
  d[l] = e[l]! / (step + root);
  d[l + 1] = e[l]! * (step + root);
  const next = d[l + 1]!;
  const shift = before - d[l]!;
  for (let i = l + 2; i < n; i++) d[i]! -= shift;
  let p = d[m]!;
  let c = 1;
  let c2 = 1;
  let c3 = 1;
  const beside = e[l + 1]!;
  let s = 0;
  let s2 = 0;
  for (let i = m - 1; i >= l; i--) {
    c3 = c2;
    c2 = c;
    s2 = s;
    const g = c * e[i]!;
    const h = c * p;
    const r = Math.hypot(p, e[i]!);
    e[i + 1] = s * r;
    s = e[i]! / r;
    c = p / r;
    p = c * d[i]! - s * g;
    d[i + 1] = h + s * (c * g + s * d[i]!);
    for (let k = 0; k < n; k++) {
      const at = k * n + i;
      const right = v[at + 1]!;
      v[at + 1] = s * v[at]! + c * right;
      v[at] = c * v[at]! - s * right;
    }
  }
  p = (-s * s2 * c3 * beside * e[l]!) / next;
  e[l] = s * p;
  d[l] = c * p;
  return shift;
}

/** tql2 without its sorting. */
function diagonalize(n: number, v: Float64Array, d: Float64Array, e: Float64Array): void {
  for (let i = 1; i < n; i++) e[i - 1] = e[i]!;
  e[n - 1] = 0;
  let shift = 0;
  let size = 0;
  for (let l = 0; l < n; l++) {
    size = Math.max(size, Math.abs(d[l]!) + Math.abs(e[l]!));
    let m = l;
    while (m < n - 1 && Math.abs(e[m]!) > Number.EPSILON * size) m++;
    if (m > l) {
      do shift += sweep(n, l, m, v, d, e);
      while (Math.abs(e[l]!) > Number.EPSILON * size);
    }
    d[l]! += shift;
    e[l] = 0;
  }
}

function sortAscending(n: number, v: Float64Array, d: Float64Array): void {
  for (let i = 0; i < n - 1; i++) {
    let k = i;
    for (let j = i + 1; j < n; j++) if (d[j]! < d[k]!) k = j;
    if (k === i) continue;
    const value = d[i]!;
    d[i] = d[k]!;
    d[k] = value;
    for (let row = 0; row < n; row++) {
      const entry = v[row * n + i]!;
      v[row * n + i] = v[row * n + k]!;
      v[row * n + k] = entry;
    }
  }
}
