/** Vectors of one length in one block of memory: to allocate each by itself takes longer than to fill it. */

/** `count` vectors of `length` zeros. */
export function vectorsOf(count: number, length: number): Float64Array[] {
  const block = new ArrayBuffer(8 * count * length);
  const vectors: Float64Array[] = [];
  for (let k = 0; k < count; k++) vectors.push(new Float64Array(block, 8 * k * length, length));
  return vectors;
}

/** Copies of vectors, which may differ in length. */
export function copiesOf(vectors: readonly ArrayLike<number>[]): Float64Array[] {
  let length = 0;
  for (const vector of vectors) length += vector.length;
  const block = new ArrayBuffer(8 * length);
  let at = 0;
  return vectors.map((vector) => {
    const copy = new Float64Array(block, 8 * at, vector.length);
    for (let i = 0; i < vector.length; i++) copy[i] = vector[i]!;
    at += vector.length;
    return copy;
  });
}
