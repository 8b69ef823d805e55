/** WebAssembly instructions as numbers, and a module from functions of them. */

/** Types of values. */
export const I32 = 0x7f;
export const F32 = 0x7d;
export const V128 = 0x7b;
export type WasmType = typeof I32 | typeof F32 | typeof V128;

/** Vector instructions carry this bit in front of their own number; saturating conversions the other. */
const VECTOR = 0xfd00;
const SATURATING = 0xfc00;
const vector = <const T extends Record<string, number>>(table: T): { readonly [K in keyof T]: number } =>
  Object.fromEntries(Object.entries(table).map(([name, code]) => [name, VECTOR | code])) as { [K in keyof T]: number };

export const op = {
  ...{ block: 0x02, loop: 0x03, if: 0x04, else: 0x05, end: 0x0b, br: 0x0c, brIf: 0x0d, call: 0x10, drop: 0x1a },
  ...{ select: 0x1b, get: 0x20, set: 0x21, tee: 0x22, load: 0x28, loadF32: 0x2a, store: 0x36, storeF32: 0x38 },
  ...{ i32: 0x41, f32: 0x43, eqz: 0x45, eq: 0x46, ne: 0x47, ltS: 0x48, ltU: 0x49, gtS: 0x4a, gtU: 0x4b, leS: 0x4c },
  ...{ leU: 0x4d, geS: 0x4e, geU: 0x4f, feq: 0x5b, fne: 0x5c, flt: 0x5d, fgt: 0x5e, fle: 0x5f, fge: 0x60 },
  ...{ clz: 0x67, ctz: 0x68, popcnt: 0x69, add: 0x6a, sub: 0x6b, mul: 0x6c, divS: 0x6d, divU: 0x6e, remS: 0x6f },
  ...{ remU: 0x70, and: 0x71, or: 0x72, xor: 0x73, shl: 0x74, shrS: 0x75, shrU: 0x76, fabs: 0x8b, fneg: 0x8c },
  ...{ fceil: 0x8d, ffloor: 0x8e, ftrunc: 0x8f, fnearest: 0x90, fsqrt: 0x91, fadd: 0x92, fsub: 0x93, fmul: 0x94 },
  ...{ fdiv: 0x95, fromI32: 0xb2, fromU32: 0xb3, bitsOfF32: 0xbc, f32OfBits: 0xbe },
  toI32: SATURATING | 0,
  toU32: SATURATING | 1,
} as const;

/** Instructions on four lanes. */
export const simd = vector({
  ...{ load: 0x00, loadSplat: 0x09, store: 0x0b, const: 0x0c, shuffle: 0x0d, swizzle: 0x0e, splat: 0x11 },
  ...{ fsplat: 0x13, extract: 0x1b, replace: 0x1c, fextract: 0x1f, freplace: 0x20, loadLane: 0x56, storeLane: 0x5a },
  ...{ loadZero: 0x5c, eq: 0x37, ne: 0x38, ltS: 0x39, ltU: 0x3a, gtS: 0x3b, gtU: 0x3c, leS: 0x3d, leU: 0x3e },
  ...{ geS: 0x3f, geU: 0x40, feq: 0x41, fne: 0x42, flt: 0x43, fgt: 0x44, fle: 0x45, fge: 0x46, not: 0x4d, and: 0x4e },
  ...{ andnot: 0x4f, or: 0x50, xor: 0x51, bitselect: 0x52, any: 0x53, fceil: 0x67, ffloor: 0x68, ftrunc: 0x69 },
  ...{ fnearest: 0x6a, sub8: 0x71, abs: 0xa0, neg: 0xa1, all: 0xa3, bitmask: 0xa4, shl: 0xab, shrS: 0xac, shrU: 0xad },
  ...{ add: 0xae, sub: 0xb1, mul: 0xb5, minS: 0xb6, minU: 0xb7, maxS: 0xb8, maxU: 0xb9, fabs: 0xe0, fneg: 0xe1 },
  ...{ fsqrt: 0xe3, fadd: 0xe4, fsub: 0xe5, fmul: 0xe6, fdiv: 0xe7, fmin: 0xea, fmax: 0xeb, toI32: 0xf8, toU32: 0xf9 },
  ...{ fromI32: 0xfa, fromU32: 0xfb },
});

/** A block without a result. */
export const NOTHING = 0x40;

/** Instructions, and numbers that follow them; parts may be nested, so that joining them copies nothing. */
export type Code = readonly (number | Code)[];

/** What follows an instruction in a module. */
const [NONE, UNSIGNED, BYTE, SIGNED, WORD, MEMORY, LANE_MEMORY, WORDS] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
/** How many numbers of a `Code` that is: memory accesses have an offset, and lanes their number after it. */
const counts = Uint8Array.of(0, 1, 1, 1, 1, 1, 2, 4);

const forms = new Uint8Array(2 ** 16);
const setForm = (form: number, ...codes: readonly number[]): void => {
  for (const code of codes) forms[code] = form;
};
setForm(UNSIGNED, op.br, op.brIf, op.call, op.get, op.set, op.tee);
setForm(BYTE, op.block, op.loop, op.if, simd.extract, simd.replace, simd.fextract, simd.freplace);
setForm(SIGNED, op.i32);
setForm(WORD, op.f32);
setForm(MEMORY, op.load, op.loadF32, op.store, op.storeF32, simd.load, simd.loadSplat, simd.store, simd.loadZero);
setForm(LANE_MEMORY, simd.loadLane, simd.storeLane);
setForm(WORDS, simd.const, simd.shuffle);

/** How many numbers follow an instruction. */
export const immediates = (code: number): number => counts[forms[code]!]!;

/** Bytes of a length that is written before what it counts: as many as the longest has. */
const lengthBytes = 5;

/** Bytes that grow. */
class Bytes {
  #data = new Uint8Array(2 ** 15);
  #length = 0;

  byte(value: number): void {
    if (this.#length === this.#data.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#data);
      this.#data = larger;
    }
    this.#data[this.#length++] = value;
  }

  /** LEB128 */
  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** LEB128 of a 32-bit word */
  signed(value: number): void {
    let rest = value | 0;
    while (rest < -64 || rest > 63) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.byte(rest & 0x7f);
  }

  word(value: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.byte((value >>> shift) & 0xff);
  }

  text(value: string): void {
    this.unsigned(value.length);
    for (const c of value) this.byte(c.charCodeAt(0));
  }

  /** What `write` writes, with its length before it. */
  sized(write: () => void): void {
    const start = this.#length;
    for (let i = 0; i < lengthBytes; i++) this.byte(0);
    write();
    const size = this.#length - start - lengthBytes;
    for (let i = 0; i < lengthBytes; i++) {
      this.#data[start + i] = ((size >>> (7 * i)) & 0x7f) | (i === lengthBytes - 1 ? 0 : 0x80);
    }
  }

  /** Writes the instruction at `i`, and returns where the next one is. */
  instruction(code: ArrayLike<number>, i: number): number {
    const instruction = code[i]!;
    if (instruction >= SATURATING) {
      this.byte(instruction >> 8);
      this.unsigned(instruction & 0xff);
    } else this.byte(instruction);
    const form = forms[instruction]!;
    if (form === NONE) return i + 1;
    const first = code[i + 1]!;
    if (form === UNSIGNED) this.unsigned(first);
    else if (form === BYTE) this.byte(first);
    else if (form === SIGNED) this.signed(first);
    else if (form === WORD) this.word(first);
    else if (form === WORDS) for (let k = 1; k <= 4; k++) this.word(code[i + k]!);
    else {
      // Addresses are multiples of 2^2.
      this.byte(2);
      this.unsigned(first);
      if (form === LANE_MEMORY) this.byte(code[i + 2]!);
    }
    return i + 1 + counts[form]!;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#data.slice(0, this.#length);
  }
}

export interface WasmFunction {
  readonly parameters: readonly WasmType[];
  readonly results: readonly WasmType[];
  /** types of the locals after the parameters, those of one type together */
  readonly locals: readonly WasmType[];
  /** a `Code` without nesting */
  readonly code: ArrayLike<number>;
  /** null: internal */
  readonly exported: string | null;
}

export interface WasmData {
  readonly at: number;
  readonly words: readonly number[];
}

/** A module that imports its memory as `env.memory`, of at least `pages`. */
export function encodeModule(
  functions: readonly WasmFunction[],
  data: readonly WasmData[],
  pages: number,
): Uint8Array<ArrayBuffer> {
  const out = new Bytes();
  for (const byte of [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) out.byte(byte);
  const section = <T>(id: number, entries: readonly T[], write: (entry: T, index: number) => void): void => {
    if (entries.length === 0) return;
    out.byte(id);
    out.sized(() => {
      out.unsigned(entries.length);
      for (let i = 0; i < entries.length; i++) {
        write(entries[i]!, i);
      }
    });
  };
  const types = (list: readonly WasmType[]): void => {
    out.unsigned(list.length);
    for (const type of list) out.byte(type);
  };
  section(1, functions, ({ parameters, results }) => {
    out.byte(0x60);
    types(parameters);
    types(results);
  });
  section(2, [pages], () => {
    out.text('env');
    out.text('memory');
    out.byte(2);
    out.byte(0);
    out.unsigned(pages);
  });
  section(3, functions, (_, i) => out.unsigned(i));
  const exported = functions.flatMap(({ exported: name }, i) => (name === null ? [] : [{ name, i }]));
  section(7, exported, ({ name, i }) => {
    out.text(name);
    out.byte(0);
    out.unsigned(i);
  });
  section(10, functions, (one) => out.sized(() => encodeBody(out, one)));
  section(11, data, ({ at, words }) => {
    out.byte(0);
    out.byte(op.i32);
    out.signed(at);
    out.byte(op.end);
    out.unsigned(4 * words.length);
    for (const word of words) out.word(word);
  });
  return out.bytes;
}

function encodeBody(out: Bytes, { locals, code }: WasmFunction): void {
  const types = [...new Set(locals)];
  out.unsigned(types.length);
  for (const type of types) {
    out.unsigned(locals.filter((one) => one === type).length);
    out.byte(type);
  }
  for (let i = 0; i < code.length; ) i = out.instruction(code, i);
  out.byte(op.end);
}
