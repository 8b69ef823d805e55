/** Types of WGSL, their scalars in order (leaves), and where these are in a storage buffer. */
import type { Scalar } from './ast.ts';

export type Type =
  | { readonly kind: 'scalar'; readonly scalar: Scalar }
  | { readonly kind: 'vector'; readonly scalar: Scalar; readonly count: 2 | 3 | 4 }
  /** count null: as long as the buffer. A matrix is the array of its columns, and is laid out as such. */
  | { readonly kind: 'array'; readonly of: Type; readonly count: number | null; readonly isMatrix?: true }
  | { readonly kind: 'struct'; readonly name: string; readonly fields: readonly Field[] }
  | { readonly kind: 'pointer'; readonly to: Type };

export interface Field {
  readonly name: string;
  readonly type: Type;
}

const scalarType = (scalar: Scalar): Type => ({ kind: 'scalar', scalar });
export const f32 = scalarType('f32');
export const i32 = scalarType('i32');
export const u32 = scalarType('u32');
export const bool = scalarType('bool');
const scalars: Readonly<Record<Scalar, Type>> = {
  f32,
  i32,
  u32,
  bool,
  'abstract-float': scalarType('abstract-float'),
  'abstract-int': scalarType('abstract-int'),
};

export const typeOf = (scalar: Scalar): Type => scalars[scalar];

/** Types are the same objects where they are the same. */
const made = new Map<string, Type>();

function once(key: string, type: () => Type): Type {
  const seen = made.get(key);
  if (seen) return seen;
  const fresh = type();
  made.set(key, fresh);
  return fresh;
}

export function vectorOf(scalar: Scalar, count: number): Type {
  return once(`${scalar}${count}`, () => ({ kind: 'vector', scalar, count: count as 2 | 3 | 4 }));
}

const arrays = new WeakMap<Type, Map<number | null, Type>>();
const pointers = new WeakMap<Type, Type>();

export function arrayOf(of: Type, count: number | null): Type {
  const known = arrays.get(of) ?? new Map<number | null, Type>();
  arrays.set(of, known);
  const type: Type = known.get(count) ?? { kind: 'array', of, count };
  known.set(count, type);
  return type;
}

export function matrixOf(scalar: Scalar, columns: number, rows: number): Type {
  const of = vectorOf(scalar, rows);
  return once(`${scalar}${columns}x${rows}`, () => ({ kind: 'array', of, count: columns, isMatrix: true }));
}

export const isMatrix = (type: Type): type is Type & { readonly kind: 'array'; readonly count: number } =>
  type.kind === 'array' && type.isMatrix === true;

export function pointerTo(to: Type): Type {
  const type: Type = pointers.get(to) ?? { kind: 'pointer', to };
  pointers.set(to, type);
  return type;
}

/** As WGSL writes it. */
export function nameOf(type: Type): string {
  switch (type.kind) {
    case 'scalar':
      return type.scalar;
    case 'vector':
      return `vec${type.count}<${type.scalar}>`;
    case 'array':
      if (isMatrix(type)) return `mat${type.count}x${leavesOf(type.of).length}<${scalarIn(type.of)}>`;
      return `array<${nameOf(type.of)}${type.count === null ? '' : `, ${type.count}`}>`;
    case 'struct':
      return type.name;
    default:
      return `ptr<function, ${nameOf(type.to)}>`;
  }
}

export const isAbstract = (scalar: Scalar): boolean => scalar === 'abstract-float' || scalar === 'abstract-int';

export const isWhole = (scalar: Scalar | null): boolean =>
  scalar === 'i32' || scalar === 'u32' || scalar === 'abstract-int';

/** An array as long as its buffer. */
export const isUnsized = (type: Type): boolean => type.kind === 'array' && type.count === null;

/** The scalar type of a scalar or a vector, else null. */
export function scalarIn(type: Type): Scalar | null {
  return type.kind === 'scalar' || type.kind === 'vector' ? type.scalar : null;
}

/** The same shape of another scalar. */
export function withScalar(type: Type, scalar: Scalar): Type {
  return type.kind === 'vector' ? vectorOf(scalar, type.count) : typeOf(scalar);
}

/** The scalar type of a scalar, a vector, a matrix, or an array of these or of arrays, else null. */
export const innerScalar = (type: Type): Scalar | null =>
  type.kind === 'array' ? innerScalar(type.of) : scalarIn(type);

/** The same shape of another scalar. */
export function withInnerScalar(type: Type, scalar: Scalar): Type {
  if (type.kind !== 'array') return withScalar(type, scalar);
  const of = withInnerScalar(type.of, scalar);
  return isMatrix(type) ? matrixOf(scalar, type.count, leavesOf(of).length) : arrayOf(of, type.count);
}

const leaves = new WeakMap<Type, readonly Scalar[]>();

/** The scalars of a value in their order; of a buffer's runtime array those of one element. */
export function leavesOf(type: Type): readonly Scalar[] {
  const known = leaves.get(type);
  if (known) return known;
  const found = ((): readonly Scalar[] => {
    switch (type.kind) {
      case 'scalar':
        return [type.scalar];
      case 'vector':
        return new Array<Scalar>(type.count).fill(type.scalar);
      case 'array': {
        const of = leavesOf(type.of);
        return Array.from({ length: of.length * (type.count ?? 1) }, (_, i) => of[i % of.length]!);
      }
      case 'struct':
        return type.fields.flatMap((field) => leavesOf(field.type));
      default:
        return [];
    }
  })();
  leaves.set(type, found);
  return found;
}

const roundUp = (size: number, to: number): number => Math.ceil(size / to) * to;

/** Bytes in a storage buffer, by WGSL's rules. */
export function layoutOf(type: Type): { readonly size: number; readonly align: number } {
  switch (type.kind) {
    case 'vector':
      return { size: 4 * type.count, align: type.count === 2 ? 8 : 16 };
    case 'array':
      return { size: strideOf(type.of) * (type.count ?? 1), align: layoutOf(type.of).align };
    case 'struct': {
      let [size, align] = [0, 4];
      for (const field of type.fields) {
        const of = layoutOf(field.type);
        size = roundUp(size, of.align) + of.size;
        align = Math.max(align, of.align);
      }
      return { size: roundUp(size, align), align };
    }
    default:
      return { size: 4, align: 4 };
  }
}

/** Bytes from one element of an array to the next. */
export function strideOf(of: Type): number {
  const { size, align } = layoutOf(of);
  return roundUp(size, align);
}

/** Byte offset of each leaf in a storage buffer. */
export function offsetsOf(type: Type, from = 0): number[] {
  switch (type.kind) {
    case 'vector':
      return Array.from({ length: type.count }, (_, i) => from + 4 * i);
    case 'array':
      return Array.from({ length: type.count ?? 1 }, (_, i) => offsetsOf(type.of, from + i * strideOf(type.of))).flat();
    case 'struct':
      return type.fields.flatMap((field, i) => offsetsOf(field.type, from + fieldOffset(type, i)));
    default:
      return [from];
  }
}

/** Byte offset of field `index` of a struct. */
export function fieldOffset(type: Type & { kind: 'struct' }, index: number): number {
  let offset = 0;
  for (let i = 0; i <= index; i++) {
    const of = layoutOf(type.fields[i]!.type);
    offset = roundUp(offset, of.align);
    if (i < index) offset += of.size;
  }
  return offset;
}
