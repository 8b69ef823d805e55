/** Arrays of NumPy's `.npy` format, versions 1 to 3: numbers in little-endian byte order. Files are untrusted. */
import { Damaged } from '../reference/files.ts';

export interface NumpyArray {
  readonly shape: readonly number[];
  /** row by row */
  readonly values: Float64Array;
}

type Reader = (bytes: Buffer, at: number) => number;

/** By dtype without the byte order. Objects, which are pickled, are not read. */
const readers: Readonly<Record<string, Reader>> = {
  f8: (bytes, at) => bytes.readDoubleLE(at),
  f4: (bytes, at) => bytes.readFloatLE(at),
  i8: (bytes, at) => Number(bytes.readBigInt64LE(at)),
  i4: (bytes, at) => bytes.readInt32LE(at),
  i2: (bytes, at) => bytes.readInt16LE(at),
  u8: (bytes, at) => Number(bytes.readBigUInt64LE(at)),
  u4: (bytes, at) => bytes.readUInt32LE(at),
  b1: (bytes, at) => bytes.readUInt8(at),
};

/** Numbers of a dtype such as `<f8`. Throws `Damaged`. */
export function readNumbers(dtype: string, bytes: Buffer, count: number): Float64Array {
  const [, order, kind] = /^([<>|=]?)([a-z]\d)$/.exec(dtype) ?? [];
  const reader = kind === undefined ? undefined : readers[kind];
  const size = Number(kind?.[1]);
  if (!reader || (order === '>' && size > 1)) {
    throw new Damaged('little-endian numbers', `an array of type "${dtype.slice(0, 40)}"`);
  }
  if (bytes.length !== count * size) throw new Damaged(`${count} numbers of ${size} bytes`, `${bytes.length} bytes`);
  return Float64Array.from({ length: count }, (_, i) => reader(bytes, i * size));
}

/** Throws `Damaged`. */
export function readNpy(bytes: Buffer): NumpyArray {
  if (bytes.length < 12 || bytes.toString('latin1', 1, 6) !== 'NUMPY')
    throw new Damaged('a NumPy array', 'other bytes');
  const wide = bytes[6]! >= 2;
  const start = wide ? 12 : 10;
  const end = start + (wide ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8));
  const header = bytes.toString('latin1', start, Math.min(end, start + 10_000));
  const dtype = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const sizes = /'shape':\s*\(([\d\s,]*)\)/.exec(header)?.[1];
  if (dtype === undefined || sizes === undefined) throw new Damaged('the type and shape of an array', 'another header');
  const shape = sizes.split(',').flatMap((size) => (size.trim() === '' ? [] : [Number(size)]));
  const inColumns = /'fortran_order':\s*True/.test(header);
  if (inColumns && shape.length > 1) throw new Damaged('an array row by row', 'one column by column');
  const count = shape.reduce((product, size) => product * size, 1);
  return { shape, values: readNumbers(dtype, bytes.subarray(end), count) };
}
