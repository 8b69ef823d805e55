/** Where numbers are: in leaves of variables, in the memory of lanes (arrays that are indexed), or in storage buffers. */

import type { Scalar } from '../wgsl/ast.ts';
import { fieldOffset, leavesOf, nameOf, offsetsOf, strideOf, type Type, typeOf } from '../wgsl/types.ts';
import { binary, convert, select } from './arithmetic.ts';
import { type Code, NOTHING, op, simd, type WasmFunction } from './encoder.ts';
import { bitsOf, FunctionCode, known, type Leaf, leafOf } from './function-code.ts';
import { Lanes, type Variable } from './lanes.ts';

export interface Value {
  readonly type: Type;
  readonly leaves: readonly Leaf[];
  /** what a pointer points to */
  readonly place: Place | null;
}

/** A value that is no pointer. */
export const plainValue = (type: Type, leaves: readonly Leaf[]): Value => ({ type, leaves, place: null });

/** Memory with numbers of all lanes side by side, or one number for all. */
export interface MemoryArea {
  readonly kind: 'lanes' | 'shared';
  readonly base: Leaf;
  /** elements of an array as long as its buffer */
  readonly count: Leaf | null;
  readonly isWritable: boolean;
}

export interface Place {
  readonly type: Type;
  readonly root: Variable | MemoryArea;
  /** in leaves of a variable, else in bytes */
  readonly offset: number;
  /** of a variable: one of `count` offsets, `stride` leaves apart; in memory: further bytes */
  readonly dynamic: { readonly index: Leaf; readonly stride: number; readonly count: number } | null;
}

/** A variable has to be in memory, because it is indexed by what is not known: the program is compiled again. */
export class NeedsMemory extends Error {
  readonly at: number;

  constructor(at: number) {
    super('a variable has to be in memory');
    this.at = at;
  }
}

const bytesPerLane = 4;
const bytesPerLeaf = 16;
/** Longer arrays that are indexed by what is not known go to memory. */
const maxChoices = 4;
/** More leaves than any program of an episode needs. */
const maxLeaves = 4096;

const isVariable = (root: Place['root']): root is Variable => 'scalars' in root;

/** Pushes the words at the addresses of the lanes. */
function gather({ code }: Leaf, plus: number, step: number): Code {
  let made: Code = [code, simd.extract, 0, simd.loadZero, plus];
  for (let lane = 1; lane < 4; lane++) made = [code, simd.extract, lane, made, simd.loadLane, plus + lane * step, lane];
  return made;
}

/** Stores words at the addresses of the lanes in a mask, one lane after the other. */
const scatter = (addresses: Code, values: Code, mask: Code, plus: number, step: number): Code =>
  [0, 1, 2, 3].map((lane) => {
    const store = [addresses, simd.extract, lane, values, simd.storeLane, plus + lane * step, lane];
    return [mask, simd.extract, lane, op.if, NOTHING, store, op.end];
  });

export abstract class Places extends Lanes {
  readonly functions: WasmFunction[] = [];
  readonly #helpers = new Map<string, number>();
  /** the current statements run once per episode, so that they are better short */
  protected runsOnce = false;
  /** the current function of the module is not the entry point */
  protected isOutlined = false;
  /** declarations whose variables are in memory */
  readonly inMemory = new Set<number>();
  /** first free byte */
  protected free = 0;
  readonly data: { readonly at: number; readonly words: readonly number[] }[] = [];
  readonly #tables = new Map<string, MemoryArea>();
  readonly #tablesOfLeaves = new WeakMap<readonly Leaf[], MemoryArea>();

  /** A new variable with zeros, or memory with zeros. */
  protected declare(type: Type, at: number, depth = this.depth): Place {
    const scalars = this.sizedLeaves(type, at);
    if (!this.inMemory.has(at)) {
      const root = this.variable(type, depth, at);
      for (const [i, scalar] of scalars.entries()) this.put(root, i, this.zero(scalar));
      return { type, root, offset: 0, dynamic: null };
    }
    const root: MemoryArea = {
      kind: 'lanes',
      base: known('u32', this.reserve(scalars.length * bytesPerLeaf)),
      count: null,
      isWritable: true,
    };
    return { type, root, offset: 0, dynamic: null };
  }

  protected sizedLeaves(type: Type, at: number): readonly Scalar[] {
    const count = this.countOf(type);
    if (count > maxLeaves) {
      this.source.unsupported(
        at,
        `expected at most ${maxLeaves} numbers in a variable, got ${count} in ${nameOf(type)}`,
      );
    }
    return leavesOf(type);
  }

  protected countOf(type: Type): number {
    if (type.kind === 'array') return (type.count ?? 1) * this.countOf(type.of);
    if (type.kind === 'struct') return type.fields.reduce((sum, field) => sum + this.countOf(field.type), 0);
    return type.kind === 'vector' ? type.count : 1;
  }

  /** Address of so many new bytes. */
  protected reserve(bytes: number): number {
    const at = this.free;
    this.free += Math.ceil(bytes / bytesPerLeaf) * bytesPerLeaf;
    return at;
  }

  /** A constant array in memory, where it can be indexed. */
  protected table(type: Type, leaves: readonly Leaf[]): Place {
    const seen = this.#tablesOfLeaves.get(leaves);
    if (seen) return { type, root: seen, offset: 0, dynamic: null };
    const words: number[] = [];
    const offsets = offsetsOf(type);
    leaves.forEach((leaf, i) => {
      words[offsets[i]! / 4] = bitsOf(leaf.scalar, leaf.known!);
    });
    const key = words.join();
    let root = this.#tables.get(key);
    if (!root) {
      const at = this.reserve(4 * words.length);
      this.data.push({ at, words: Array.from(words, (word) => word ?? 0) });
      root = { kind: 'shared', base: known('u32', at), count: null, isWritable: false };
      this.#tables.set(key, root);
    }
    this.#tablesOfLeaves.set(leaves, root);
    return { type, root, offset: 0, dynamic: null };
  }

  protected field(place: Place, index: number): Place {
    const { root } = place;
    const type = place.type as Type & { kind: 'struct' };
    const before = type.fields.slice(0, index).reduce((sum, field) => sum + this.countOf(field.type), 0);
    const isShared = !isVariable(root) && root.kind === 'shared';
    const offset = isVariable(root) ? before : isShared ? fieldOffset(type, index) : before * bytesPerLeaf;
    return { ...place, type: type.fields[index]!.type, offset: place.offset + offset };
  }

  /** An element of an array or a vector; an index that is out of bounds is that of the last element. */
  protected element(place: Place, given: Leaf): Place {
    const { root } = place;
    const type = place.type as Type & { kind: 'array' | 'vector' };
    const of = type.kind === 'array' ? type.of : typeOf(type.scalar);
    const leaves = this.countOf(of);
    const isShared = !isVariable(root) && root.kind === 'shared';
    const stride = isVariable(root) ? leaves : isShared ? strideOf(of) : leaves * bytesPerLeaf;
    if (given.known !== null && type.count !== null) {
      const index = given.known < 0 ? type.count - 1 : Math.min(given.known, type.count - 1);
      return { ...place, type: of, offset: place.offset + index * stride };
    }
    const whole = given.known === null ? given : known('u32', given.known);
    const last: Leaf =
      type.count !== null
        ? known('u32', type.count - 1)
        : binary(this.code, '-', (root as MemoryArea).count!, known('u32', 1));
    const index = this.code.keep(this.smallest(this.code.keep(convert(this.code, whole, 'u32')), this.code.keep(last)));
    if (!isVariable(root)) {
      const bytes = binary(this.code, '*', index, known('u32', stride));
      const total = place.dynamic === null ? bytes : binary(this.code, '+', place.dynamic.index, bytes);
      return { ...place, type: of, dynamic: { index: this.code.keep(total), stride: 1, count: 0 } };
    }
    if (place.dynamic !== null || type.count === null || type.count > maxChoices) throw new NeedsMemory(root.at);
    return { ...place, type: of, dynamic: { index, stride, count: type.count } };
  }

  /** The smaller of two kept unsigned numbers. */
  protected smallest(a: Leaf, b: Leaf): Leaf {
    if (a.known !== null && b.known !== null) return a.known < b.known ? a : b;
    const isSmall = a.isSmall || b.isSmall;
    const minimum = { scalar: simd.minU, vector: simd.minU };
    if (a.isVarying || b.isVarying) return this.code.apply('u32', minimum, [a, b], isSmall);
    return { ...select(this.code, binary(this.code, '<', a, b), a, b), isSmall };
  }

  protected load(place: Place): Value {
    const { type, root, offset, dynamic } = place;
    const scalars = leavesOf(type);
    if (isVariable(root)) {
      const at = (from: number): Leaf[] => scalars.map((scalar, i) => root.leaves[from + i] ?? this.zero(scalar));
      if (dynamic === null) return plainValue(type, at(offset));
      const { index, stride, count } = dynamic;
      let leaves = at(offset);
      for (let i = 1; i < count; i++) {
        const isThis = this.code.keep(binary(this.code, '==', index, known('u32', i)));
        const choice = at(offset + i * stride);
        leaves = leaves.map((leaf, j) => select(this.code, isThis, choice[j]!, leaf));
      }
      return plainValue(
        type,
        leaves.map((leaf) => this.code.keep(leaf)),
      );
    }
    const offsets = root.kind === 'shared' ? offsetsOf(type, offset) : scalars.map((_, i) => offset + i * bytesPerLeaf);
    const leaves = scalars.map((scalar, i) => this.#loadLeaf(root, scalar, offsets[i]!, dynamic?.index ?? null));
    return plainValue(type, leaves);
  }

  #loadLeaf(area: MemoryArea, scalar: Scalar, offset: number, index: Leaf | null): Leaf {
    const { code } = this;
    const { address, plus } = this.#address(area, offset, index);
    if (area.kind === 'lanes' && !address.isVarying) {
      return code.keep(leafOf(scalar, true, [code.scalarCode(address), simd.load, plus]));
    }
    if (!address.isVarying) {
      const load = scalar === 'f32' ? op.loadF32 : op.load;
      const isFixed = address.known !== null && !area.isWritable;
      if (isFixed) return { ...leafOf(scalar, false, [op.i32, 0, load, address.known! + plus]), isFixed };
      const kept = code.keep(leafOf(scalar, false, [code.scalarCode(address), load, plus]));
      // Invocations may have written different things.
      return area.isWritable ? code.keep(leafOf(scalar, true, code.vectorCode(kept))) : kept;
    }
    const step = area.kind === 'lanes' ? bytesPerLane : 0;
    if (area.kind === 'lanes' || !this.runsOnce)
      return code.keep(leafOf(scalar, true, gather(code.keep(address), plus, step)));
    const load = this.#helper('gather', 1, (made, [from]) => {
      made.results = [leafOf('f32', true, gather(from!, 0, 0))];
    });
    const from = binary(code, '+', address, known('u32', plus));
    return code.keep(leafOf(scalar, true, [code.vectorCode(from), op.call, load]));
  }

  /** The number of a function of vectors in the module, which is written when it is used first. */
  #helper(name: string, count: number, write: (made: FunctionCode, given: readonly Leaf[]) => void): number {
    const seen = this.#helpers.get(name);
    if (seen !== undefined) return seen;
    const made = new FunctionCode();
    write(
      made,
      Array.from({ length: count }, () => made.parameter('u32', true)),
    );
    for (const leaf of made.results) made.emit(leaf.code);
    this.functions.push(made.finish(null));
    this.#helpers.set(name, this.functions.length - 1);
    return this.functions.length - 1;
  }

  /** The address of a number, and what is to be added as an immediate. */
  #address({ base }: MemoryArea, offset: number, index: Leaf | null): { address: Leaf; plus: number } {
    if (base.known !== null) {
      return index === null
        ? { address: known('u32', base.known), plus: offset }
        : { address: index, plus: base.known + offset };
    }
    const address = index === null ? base : this.code.keep(binary(this.code, '+', index, base));
    return { address, plus: offset };
  }

  /** Stores the leaves of a value of the place's type, in the active lanes. */
  protected storeLeaves(place: Place, leaves: readonly Leaf[]): void {
    const { type, root, offset, dynamic } = place;
    const { code } = this;
    const kept = leaves.map((leaf) => code.keep(leaf));
    if (isVariable(root)) {
      if (dynamic === null) {
        for (const [i, leaf] of kept.entries()) this.assign(root, offset + i, leaf);
        return;
      }
      for (let i = 0; i < dynamic.count; i++) {
        const isThis = code.keep(binary(code, '==', dynamic.index, known('u32', i)));
        kept.forEach((leaf, j) => {
          const at = offset + i * dynamic.stride + j;
          this.assign(root, at, select(code, isThis, leaf, root.leaves[at] ?? this.zero(leaf.scalar)));
        });
      }
      return;
    }
    const offsets = root.kind === 'shared' ? offsetsOf(type, offset) : kept.map((_, i) => offset + i * bytesPerLeaf);
    for (const [i, leaf] of kept.entries()) this.#storeLeaf(root, leaf, offsets[i]!, dynamic?.index ?? null);
  }

  #storeLeaf(area: MemoryArea, leaf: Leaf, offset: number, index: Leaf | null): void {
    const { code } = this;
    const { address, plus } = this.#address(area, offset, index);
    if (area.kind === 'lanes' && !address.isVarying) {
      const at = code.scalarCode(address);
      const old = leafOf(leaf.scalar, true, [at, simd.load, plus]);
      const isWhole = this.active.known === 1;
      const made = isWhole ? leaf : select(code, this.active, leaf, old);
      code.emit(at, code.vectorCode(made), simd.store, plus);
      return;
    }
    const [to, value] = [code.keep(address), code.vectorCode(leaf)];
    const mask = code.vectorCode(this.active);
    // A call beside the loop of the entry point would cost the loop its registers.
    if (area.kind === 'lanes' || !this.isOutlined) {
      code.emit(scatter(code.vectorCode(to), value, mask, plus, area.kind === 'lanes' ? bytesPerLane : 0));
      return;
    }
    const store = this.#helper('scatter', 3, (made, given) => {
      const [addresses, values, lanes] = given.map((leaf) => leaf.code);
      made.emit(scatter(addresses!, values!, lanes!, 0, 0));
    });
    const all = binary(code, '+', to, known('u32', plus));
    code.emit(code.vectorCode(all), value, mask, op.call, store);
  }

  /** Elements of the last dimension of a buffer. */
  protected lengthOf(place: Place): Leaf {
    const { type, root } = place;
    if (type.kind === 'array' && type.count !== null) return known('u32', type.count);
    return isVariable(root) || root.count === null ? known('u32', 1) : root.count;
  }
}
