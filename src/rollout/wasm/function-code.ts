/**
 * One WebAssembly function while it is written. A leaf is a number in one of three shapes: known, uniform (the same in
 * all four lanes, a scalar) or varying (a vector with one number per lane). Operations take the cheapest instruction for
 * the shapes that they get.
 */
import type { Scalar } from './ast.ts';
import { F32, I32, immediates, op, simd, V128, type WasmFunction, type WasmType } from './encoder.ts';

export interface Leaf {
  readonly scalar: Scalar;
  readonly isVarying: boolean;
  /** the number where it is known: false and true are 0 and 1 */
  readonly known: number | null;
  /** pushes the number; empty where it is known */
  readonly code: readonly number[];
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

export function leafOf(scalar: Scalar, isVarying: boolean, code: readonly number[], isSmall = false): Leaf {
  return { scalar, isVarying, known: null, code, isSmall, isFixed: false };
}

const wasmType = (leaf: Leaf): WasmType => (leaf.isVarying ? V128 : leaf.scalar === 'f32' ? F32 : I32);

export const isLocal = ({ code }: Leaf): boolean => code.length === 2 && code[0] === op.get;

/** Whether two leaves are the same number for sure. */
export function isEqual(a: Leaf, b: Leaf): boolean {
  if (a === b) return true;
  if (a.known !== null || b.known !== null) return a.scalar === b.scalar && Object.is(a.known, b.known);
  if (a.isVarying !== b.isVarying || !(isLocal(a) || a.isFixed) || a.code.length !== b.code.length) return false;
  return a.code.every((word, i) => word === b.code[i]);
}

export class FunctionCode {
  readonly parameters: WasmType[] = [];
  readonly #locals: WasmType[] = [];
  /** what is now written to */
  buffer: number[] = [];
  /** values that are loaded once, at the beginning */
  readonly #pool = new Map<string, { readonly local: number; readonly code: readonly number[] }>();
  /** uniform local -> vector of it */
  readonly #splats = new Map<number, number>();
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

  emit(...code: readonly number[]): void {
    for (const word of code) this.buffer.push(word);
  }

  append(code: readonly number[]): void {
    for (const word of code) this.buffer.push(word);
  }

  /** Pushes a number as a scalar. */
  scalarCode(leaf: Leaf): readonly number[] {
    if (leaf.isVarying) throw new Error('a varying number has no scalar');
    if (leaf.known !== null) {
      if (leaf.scalar === 'f32') return [op.f32, bitsOf('f32', leaf.known)];
      return [op.i32, leaf.scalar === 'bool' ? leaf.known : bitsOf(leaf.scalar, leaf.known)];
    }
    return leaf.isFixed ? this.#pooled(leaf.code, leaf.scalar === 'f32' ? F32 : I32) : leaf.code;
  }

  /** Pushes a number as a vector. */
  vectorCode(leaf: Leaf): readonly number[] {
    if (leaf.isVarying) return leaf.code;
    if (leaf.known !== null) return this.words(new Array<number>(4).fill(bitsOf(leaf.scalar, leaf.known)));
    if (leaf.scalar === 'bool') return [op.i32, 0, ...this.scalarCode(leaf), op.sub, simd.splat];
    if (leaf.isFixed && leaf.code.length === 4)
      return this.#pooled([...leaf.code.slice(0, 2), simd.loadSplat, leaf.code[3]!], V128);
    const splat = leaf.scalar === 'f32' ? simd.fsplat : simd.splat;
    if (!isLocal(leaf)) return [...this.scalarCode(leaf), splat];
    const twin = this.#splats.get(leaf.code[1]!);
    return twin === undefined ? [...leaf.code, splat] : [op.get, twin];
  }

  /** Pushes four words, which are loaded into a register once. */
  words(values: readonly number[]): readonly number[] {
    return this.#pooled([simd.const, ...values], V128);
  }

  #pooled(code: readonly number[], type: WasmType): readonly number[] {
    const key = code.join();
    let found = this.#pool.get(key);
    if (found === undefined) {
      found = { local: this.local(type), code };
      this.#pool.set(key, found);
    }
    return [op.get, found.local];
  }

  codeAs(leaf: Leaf, isVarying: boolean): readonly number[] {
    return isVarying ? this.vectorCode(leaf) : this.scalarCode(leaf);
  }

  /** The same number, in a local unless it is known or fixed: it may be used more than once. */
  keep(leaf: Leaf): Leaf {
    if (leaf.known !== null || leaf.isFixed || isLocal(leaf)) return leaf;
    const local = this.local(wasmType(leaf));
    this.append(leaf.code);
    this.define(local, leaf);
    return leafOf(leaf.scalar, leaf.isVarying, [op.get, local], leaf.isSmall);
  }

  /** Stores what is on the stack into a local, and a vector of it beside it, which is dropped if nothing reads it. */
  define(local: number, { scalar, isVarying }: Leaf): void {
    this.emit(op.set, local);
    if (isVarying || scalar === 'bool') return;
    let twin = this.#splats.get(local);
    if (twin === undefined) {
      twin = this.local(V128);
      this.#splats.set(local, twin);
    }
    this.emit(op.get, local, scalar === 'f32' ? simd.fsplat : simd.splat, op.set, twin);
  }

  /** A new local that `moves` will fill. */
  slot(scalar: Scalar, isVarying: boolean, isSmall = false): Leaf {
    const like = leafOf(scalar, isVarying, []);
    return leafOf(scalar, isVarying, [op.get, this.local(wasmType(like))], isSmall);
  }

  /** Stores all at once, so that one may be the old value of another. */
  move(moves: readonly { readonly from: Leaf; readonly to: Leaf }[]): void {
    const real = moves.filter(({ from, to }) => !isEqual(from, to));
    for (const { from, to } of real) this.append(this.codeAs(from, to.isVarying));
    for (const { to } of [...real].reverse()) this.define(to.code[1]!, to);
  }

  /** The function, without vectors that nobody reads. */
  finish(exported: string | null): WasmFunction {
    const start: number[] = [];
    for (const { local, code } of this.#pool.values()) start.push(...code, op.set, local);
    const code = [...start, ...this.buffer];
    const results = this.results.map((leaf) => wasmType(leaf));
    const read = new Set<number>();
    for (let i = 0; i < code.length; i += 1 + immediates(code[i]!)) if (code[i] === op.get) read.add(code[i + 1]!);
    const twins = new Set([...this.#splats.values()].filter((local) => !read.has(local)));
    const kept: number[] = [];
    for (let i = 0; i < code.length; ) {
      if (
        code[i] === op.get &&
        code[i + 3] === op.set &&
        twins.has(code[i + 4]!) &&
        this.#splats.get(code[i + 1]!) === code[i + 4]
      ) {
        i += 5;
        continue;
      }
      const next = i + 1 + immediates(code[i]!);
      for (; i < next; i++) kept.push(code[i]!);
    }
    return shareLocals({ parameters: this.parameters, results, locals: this.#locals, code: kept, exported });
  }
}

/**
 * Gives locals whose lives do not meet the same place: an engine's work grows with their number at every branch. A life
 * reaches from the first to the last use, and over a whole loop if it began outside.
 */
function shareLocals(made: WasmFunction): WasmFunction {
  const { parameters, locals, code } = made;
  const count = parameters.length + locals.length;
  const first = new Int32Array(count).fill(-1);
  const last = new Int32Array(count).fill(-1);
  // Loops as [start, end], those inside first.
  const open: { start: number; isLoop: boolean }[] = [];
  const loops: { start: number; end: number }[] = [];
  for (let i = 0; i < code.length; i += 1 + immediates(code[i]!)) {
    const instruction = code[i]!;
    if (instruction === op.block || instruction === op.loop || instruction === op.if) {
      open.push({ start: i, isLoop: instruction === op.loop });
    } else if (instruction === op.end) {
      const { start, isLoop } = open.pop()!;
      if (isLoop) loops.push({ start, end: i });
    } else if (instruction === op.get || instruction === op.set || instruction === op.tee) {
      const local = code[i + 1]!;
      if (first[local] === -1) first[local] = i;
      last[local] = i;
    }
  }
  // What is used in a loop and lives before it, or is read in it before it is written, lives through all of it.
  const carried = readBeforeWritten(code, count);
  for (const { start, end } of loops) {
    for (let local = 0; local < count; local++) {
      const [from, to] = [first[local]!, last[local]!];
      if (from === -1 || to < start || from > end) continue;
      const livesThrough = from < start || to > end || carried[local] === 1;
      if (!livesThrough) continue;
      if (from > start) first[local] = start;
      if (to < end) last[local] = end;
    }
  }
  const order = [...locals.keys()].map((i) => i + parameters.length).filter((local) => first[local] !== -1);
  order.sort((a, b) => first[a]! - first[b]!);
  const places = new Int32Array(count);
  const types: WasmType[] = [];
  const free = new Map<WasmType, { place: number; until: number }[]>();
  for (let i = 0; i < parameters.length; i++) places[i] = i;
  for (const local of order) {
    const type = locals[local - parameters.length]!;
    const list = free.get(type) ?? [];
    free.set(type, list);
    const found = list.find(({ until }) => until < first[local]!);
    if (found) {
      found.until = last[local]!;
      places[local] = found.place;
    } else {
      places[local] = parameters.length + types.length;
      types.push(type);
      list.push({ place: places[local]!, until: last[local]! });
    }
  }
  // One run of locals per type.
  const renumbered = new Int32Array(parameters.length + types.length);
  for (let i = 0; i < parameters.length; i++) renumbered[i] = i;
  const byType = [...types.keys()].sort((a, b) => types[a]! - types[b]!);
  byType.forEach((old, i) => {
    renumbered[parameters.length + old] = parameters.length + i;
  });
  const moved = [...code];
  for (let i = 0; i < moved.length; i += 1 + immediates(moved[i]!)) {
    if (moved[i] === op.get || moved[i] === op.set || moved[i] === op.tee) {
      moved[i + 1] = renumbered[places[moved[i + 1]!]!]!;
    }
  }
  return { ...made, locals: byType.map((old) => types[old]!), code: moved };
}

/** Locals of which an access in the order of the text, or one that is inside a branch, may read what was there before. */
function readBeforeWritten(code: readonly number[], count: number): Uint8Array {
  const depthOfWrite = new Int32Array(count).fill(-1);
  const blockOfWrite = new Int32Array(count).fill(-1);
  const carried = new Uint8Array(count);
  const stack: number[] = [0];
  let blocks = 0;
  for (let i = 0; i < code.length; i += 1 + immediates(code[i]!)) {
    const instruction = code[i]!;
    if (instruction === op.block || instruction === op.loop || instruction === op.if) stack.push(++blocks);
    else if (instruction === op.else) {
      stack.pop();
      stack.push(++blocks);
    } else if (instruction === op.end) stack.pop();
    else if (instruction === op.set || instruction === op.tee) {
      const local = code[i + 1]!;
      if (depthOfWrite[local] === -1) {
        depthOfWrite[local] = stack.length;
        blockOfWrite[local] = stack[stack.length - 1]!;
      }
    } else if (instruction === op.get) {
      const local = code[i + 1]!;
      const depth = depthOfWrite[local]!;
      // Written before, in a block that this one is inside of: every path to here has written it.
      if (depth === -1 || stack[depth - 1] !== blockOfWrite[local]) carried[local] = 1;
    }
  }
  return carried;
}
