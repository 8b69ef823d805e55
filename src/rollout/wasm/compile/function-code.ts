/**
 * One WebAssembly function while it is written. A leaf is a number in one of three shapes: known, uniform (the same in
 * all four lanes, a scalar) or varying (a vector with one number per lane). Operations take the cheapest instruction for
 * the shapes that they get.
 */
import type { Scalar } from '../wgsl/ast.ts';
import { type Code, F32, I32, op, simd, V128, type WasmFunction, type WasmType } from './encoder.ts';
import { shareLocals } from './locals.ts';

export interface Leaf {
  readonly scalar: Scalar;
  readonly isVarying: boolean;
  /** the number where it is known: false and true are 0 and 1 */
  readonly known: number | null;
  /** pushes the number; empty where it is known */
  readonly code: Code;
  /** a whole number in 0 ... 2^31 - 1, so that signed operations, which are faster, do */
  readonly isSmall: boolean;
  /** `code` may be repeated anywhere: it reads memory that does not change during a call */
  readonly isFixed: boolean;
}

const words = new DataView(new ArrayBuffer(8));

/** The 32 bits of a known number. */
export function bitsOf(scalar: Scalar, value: number): number {
  if (scalar === 'bool') return value === 0 ? 0 : -1;
  if (scalar !== 'f32' && scalar !== 'abstract-float') return value | 0;
  words.setFloat32(0, value);
  return words.getInt32(0);
}

/** The number that these bits are. */
export function numberOf(scalar: Scalar, bits: number): number {
  if (scalar === 'u32') return bits >>> 0;
  if (scalar !== 'f32') return bits | 0;
  words.setInt32(0, bits);
  return words.getFloat32(0);
}

const isSmallNumber = (scalar: Scalar, value: number): boolean =>
  (scalar === 'u32' || scalar === 'i32') && value >= 0 && value < 2 ** 31;

export function known(scalar: Scalar, value: number): Leaf {
  const isSmall = isSmallNumber(scalar, value);
  return { scalar, isVarying: false, known: value, code: [], isSmall, isFixed: true };
}

export function leafOf(scalar: Scalar, isVarying: boolean, code: Code, isSmall = false): Leaf {
  return { scalar, isVarying, known: null, code, isSmall, isFixed: false };
}

const wasmType = (leaf: Leaf): WasmType => (leaf.isVarying ? V128 : leaf.scalar === 'f32' ? F32 : I32);

/** One operation on scalars and on vectors. */
export interface Instruction {
  readonly scalar: number;
  readonly vector: number;
}

export interface Move {
  readonly from: Leaf;
  readonly to: Leaf;
}

export const isLocal = ({ code }: Leaf): boolean => code.length === 2 && code[0] === op.get;

/** The number of the local that a kept leaf is in. */
export const localOf = ({ code }: Leaf): number => code[1] as number;

/** Whether two leaves are the same number for sure. */
export function isEqual(a: Leaf, b: Leaf): boolean {
  if (a === b) return true;
  if (a.known !== null || b.known !== null) return a.scalar === b.scalar && Object.is(a.known, b.known);
  if (a.isVarying !== b.isVarying || !(isLocal(a) || a.isFixed) || a.code.length !== b.code.length) return false;
  return a.code.every((word, i) => word === b.code[i]);
}

/** A vector of what is in a uniform local, and where it is computed. */
interface Twin {
  readonly local: number;
  readonly definitions: number[][];
  isRead: boolean;
}

export class FunctionCode {
  readonly parameters: WasmType[] = [];
  readonly #locals: WasmType[] = [];
  /** what is now written to */
  buffer: (number | Code)[] = [];
  /** values that are loaded once, at the beginning */
  readonly #pool = new Map<string | number, { readonly local: number; readonly code: Code }>();
  readonly #twins = new Map<number, Twin>();
  results: Leaf[] = [];

  parameter(scalar: Scalar, isVarying: boolean): Leaf {
    const leaf = leafOf(scalar, isVarying, [op.get, this.parameters.length]);
    this.parameters.push(wasmType(leaf));
    return leaf;
  }

  local(type: WasmType): number {
    this.#locals.push(type);
    return this.parameters.length + this.#locals.length - 1;
  }

  emit(...code: Code): void {
    this.buffer.push(code);
  }

  /** Pushes a number as a scalar. */
  scalarCode(leaf: Leaf): Code {
    if (leaf.isVarying) throw new Error('a varying number has no scalar');
    if (leaf.known !== null) {
      if (leaf.scalar === 'f32') return [op.f32, bitsOf('f32', leaf.known)];
      return [op.i32, leaf.scalar === 'bool' ? leaf.known : bitsOf(leaf.scalar, leaf.known)];
    }
    if (!leaf.isFixed) return leaf.code;
    return this.#pooled(leaf.code, leaf.scalar === 'f32' ? F32 : I32);
  }

  /** Pushes a number as a vector. */
  vectorCode(leaf: Leaf): Code {
    if (leaf.isVarying) return leaf.code;
    if (leaf.known !== null) return this.splat(bitsOf(leaf.scalar, leaf.known));
    if (leaf.scalar === 'bool') return [op.i32, 0, this.scalarCode(leaf), op.sub, simd.splat];
    if (leaf.isFixed) {
      const [, address, , offset] = leaf.code;
      return this.#pooled([op.i32, address!, simd.loadSplat, offset!], V128);
    }
    const twin = isLocal(leaf) && this.#twins.get(leaf.code[1] as number);
    if (!twin) return [leaf.code, leaf.scalar === 'f32' ? simd.fsplat : simd.splat];
    twin.isRead = true;
    return [op.get, twin.local];
  }

  /** Pushes a word in all lanes. */
  splat(word: number): Code {
    return this.#pooled([simd.const, word, word, word, word], V128, word);
  }

  /** Pushes four words. */
  words(values: readonly number[]): Code {
    return this.#pooled([simd.const, ...values], V128);
  }

  #pooled(code: Code, type: WasmType, key: string | number = code.join()): Code {
    let found = this.#pool.get(key);
    if (found === undefined) {
      found = { local: this.local(type), code };
      this.#pool.set(key, found);
    }
    return [op.get, found.local];
  }

  codeAs(leaf: Leaf, isVarying: boolean): Code {
    return isVarying ? this.vectorCode(leaf) : this.scalarCode(leaf);
  }

  /** A number from one instruction on others, which has a form for scalars and one for vectors. */
  apply(scalar: Scalar, { scalar: one, vector }: Instruction, operands: readonly Leaf[], isSmall = false): Leaf {
    const isVarying = operands.some((leaf) => leaf.isVarying);
    const code = operands.map((leaf) => this.codeAs(leaf, isVarying));
    return leafOf(scalar, isVarying, [...code, isVarying ? vector : one], isSmall);
  }

  /** The same number, in a local unless it is known or fixed: it may be used more than once. */
  keep(leaf: Leaf): Leaf {
    if (leaf.known !== null || leaf.isFixed || isLocal(leaf)) return leaf;
    const local = this.local(wasmType(leaf));
    this.emit(leaf.code);
    this.define(local, leaf);
    return leafOf(leaf.scalar, leaf.isVarying, [op.get, local], leaf.isSmall);
  }

  /** Stores what is on the stack into a local, and a vector of it beside it, which is left out if nothing reads it. */
  define(local: number, { scalar, isVarying }: Leaf): void {
    this.emit(op.set, local);
    if (isVarying || scalar === 'bool') return;
    const twin = this.#twins.get(local) ?? { local: this.local(V128), definitions: [], isRead: false };
    this.#twins.set(local, twin);
    const definition = [op.get, local, scalar === 'f32' ? simd.fsplat : simd.splat, op.set, twin.local];
    twin.definitions.push(definition);
    this.emit(definition);
  }

  /** A new local that `moves` will fill. */
  slot(scalar: Scalar, isVarying: boolean, isSmall = false): Leaf {
    const like = leafOf(scalar, isVarying, []);
    return leafOf(scalar, isVarying, [op.get, this.local(wasmType(like))], isSmall);
  }

  /** Stores all at once, so that one may be the old value of another. */
  move(moves: readonly Move[]): void {
    const real = moves.filter(({ from, to }) => !isEqual(from, to));
    for (const { from, to } of real) this.emit(this.codeAs(from, to.isVarying));
    for (const { to } of real.reverse()) this.define(localOf(to), to);
  }

  finish(exported: string | null): WasmFunction {
    for (const { isRead, definitions } of this.#twins.values()) {
      if (!isRead) for (const definition of definitions) definition.length = 0;
    }
    const code: number[] = [];
    for (const { local, code: value } of this.#pool.values()) flatten([value, op.set, local], code);
    flatten(this.buffer, code);
    const results = this.results.map((leaf) => wasmType(leaf));
    const locals = shareLocals(this.parameters.length, this.#locals, code);
    return { parameters: this.parameters, results, locals, code, exported };
  }
}

function flatten(code: Code, into: number[]): void {
  for (const part of code) {
    if (typeof part === 'number') into.push(part);
    else flatten(part, into);
  }
}
