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

const memoryOps = new Set<number>([
  op.load,
  op.loadF32,
  op.store,
  op.storeF32,
  simd.load,
  simd.loadSplat,
  simd.store,
  simd.loadZero,
]);
const laneOps = new Set([simd.extract, simd.replace, simd.fextract, simd.freplace]);
const laneMemoryOps = new Set([simd.loadLane, simd.storeLane]);
const oneImmediate = new Set<number>([
  ...[op.block, op.loop, op.if, op.br, op.brIf, op.call, op.get, op.set, op.tee, op.i32, op.f32],
  ...laneOps,
]);

/**
 * How many numbers follow an instruction: memory accesses have an offset (lanes their number after it), vector constants
 * and shuffles four words.
 */
export function immediates(code: number): number {
  return immediateCounts[code]!;
}

function countImmediates(code: number): number {
  if (oneImmediate.has(code) || memoryOps.has(code)) return 1;
  if (laneMemoryOps.has(code)) return 2;
  return code === simd.const || code === simd.shuffle ? 4 : 0;
}

const immediateCounts = Uint8Array.from({ length: 2 ** 16 }, (_, code) =>
  code < 256 || code >= SATURATING ? countImmediates(code) : 0,
);

/** Bytes that grow. */
class Bytes {
  #data = new Uint8Array(4096);
  length = 0;

  byte(value: number): void {
    if (this.length === this.#data.length) {
      const larger = new Uint8Array(2 * this.length);
      larger.set(this.#data);
      this.#data = larger;
    }
    this.#data[this.length++] = value;
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

  append(other: Bytes): void {
    for (let i = 0; i < other.length; i++) this.byte(other.#data[i]!);
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#data.slice(0, this.length);
  }
}

export interface WasmFunction {
  readonly parameters: readonly WasmType[];
  readonly results: readonly WasmType[];
  /** types of the locals after the parameters */
  readonly locals: readonly WasmType[];
  readonly code: readonly number[];
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
  const section = (id: number, count: number, write: (to: Bytes, index: number) => void): void => {
    if (count === 0) return;
    const body = new Bytes();
    body.unsigned(count);
    for (let i = 0; i < count; i++) write(body, i);
    out.byte(id);
    out.unsigned(body.length);
    out.append(body);
  };
  const types = (to: Bytes, list: readonly WasmType[]): void => {
    to.unsigned(list.length);
    for (const type of list) to.byte(type);
  };
  section(1, functions.length, (to, i) => {
    to.byte(0x60);
    types(to, functions[i]!.parameters);
    types(to, functions[i]!.results);
  });
  section(2, 1, (to) => {
    to.text('env');
    to.text('memory');
    to.byte(2);
    to.byte(0);
    to.unsigned(pages);
  });
  section(3, functions.length, (to, i) => to.unsigned(i));
  const exported = functions.flatMap(({ exported: name }, i) => (name === null ? [] : [{ name, i }]));
  section(7, exported.length, (to, n) => {
    to.text(exported[n]!.name);
    to.byte(0);
    to.unsigned(exported[n]!.i);
  });
  section(10, functions.length, (to, i) => {
    const body = encodeBody(functions[i]!);
    to.unsigned(body.length);
    to.append(body);
  });
  section(11, data.length, (to, i) => {
    const { at, words } = data[i]!;
    to.byte(0);
    to.byte(op.i32);
    to.signed(at);
    to.byte(op.end);
    to.unsigned(4 * words.length);
    for (const word of words) to.word(word);
  });
  return out.bytes;
}

function encodeBody({ locals, code }: WasmFunction): Bytes {
  const body = new Bytes();
  const runs: { type: WasmType; count: number }[] = [];
  for (const type of locals) {
    const last = runs[runs.length - 1];
    if (last?.type === type) last.count += 1;
    else runs.push({ type, count: 1 });
  }
  body.unsigned(runs.length);
  for (const { type, count } of runs) {
    body.unsigned(count);
    body.byte(type);
  }
  for (let i = 0; i < code.length; ) i = encodeInstruction(body, code, i);
  body.byte(op.end);
  return body;
}

/** Writes the instruction at `i`, and returns where the next one is. */
function encodeInstruction(to: Bytes, code: readonly number[], i: number): number {
  const instruction = code[i]!;
  if (instruction >= SATURATING) {
    to.byte(instruction >> 8);
    to.unsigned(instruction & 0xff);
  } else to.byte(instruction);
  const count = immediates(instruction);
  if (memoryOps.has(instruction) || laneMemoryOps.has(instruction)) {
    to.unsigned(2);
    to.unsigned(code[i + 1]!);
    if (count === 2) to.byte(code[i + 2]!);
  } else if (instruction === op.i32) to.signed(code[i + 1]!);
  else if (instruction === op.f32) to.word(code[i + 1]!);
  else if (count === 4) for (let k = 1; k <= 4; k++) to.word(code[i + k]!);
  else if (count === 1) {
    if (laneOps.has(instruction) || code[i + 1] === NOTHING) to.byte(code[i + 1]!);
    else to.unsigned(code[i + 1]!);
  }
  return i + 1 + count;
}
