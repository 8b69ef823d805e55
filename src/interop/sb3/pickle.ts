/**
 * Reads Python's pickles (protocols 2 to 5) without running anything that they name: objects become plain descriptions of
 * themselves. Only the opcodes that PyTorch and NumPy write for data are known, and only the globals that the caller
 * lists; everything else is refused in words.
 */
import { Damaged } from '../reference/files.ts';

/** A class or function that a pickle names; it is never looked up. */
export class PickledGlobal {
  /** `torch FloatStorage` */
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** What a pickle would make by calling a global. */
export class PickledObject {
  readonly of: string;
  readonly args: readonly Pickled[];
  readonly entries = new Map<Pickled, Pickled>();
  readonly items: Pickled[] = [];
  state: Pickled = null;
  constructor(of: string, args: readonly Pickled[]) {
    this.of = of;
    this.args = args;
  }
}

/** A reference to data beside the pickle. */
export class PickledReference {
  readonly id: Pickled;
  constructor(id: Pickled) {
    this.id = id;
  }
}

export type Pickled =
  | null
  | boolean
  | number
  | string
  | Buffer
  | PickledGlobal
  | PickledObject
  | PickledReference
  | Pickled[]
  | Map<Pickled, Pickled>;

const maxOpcodes = 2_000_000;
const mark = Symbol('mark');
type Stacked = Pickled | typeof mark;

const text = (bytes: Buffer): string => bytes.toString('utf8');

class Machine {
  private readonly bytes: Buffer;
  private readonly allows: (name: string) => boolean;
  private at = 0;
  private readonly stack: Stacked[] = [];
  private readonly memo = new Map<number, Pickled>();

  constructor(bytes: Buffer, allows: (name: string) => boolean) {
    this.bytes = bytes;
    this.allows = allows;
  }

  run(): Pickled {
    for (let count = 0; count < maxOpcodes; count++) {
      const code = this.take(1)[0]!;
      if (code === 0x2e) return this.pop();
      const step = opcodes[code];
      if (!step)
        throw new Damaged('a pickle of plain data', `the opcode 0x${code.toString(16)} at byte ${this.at - 1}`);
      step(this);
    }
    throw new Damaged(`a pickle of at most ${maxOpcodes} steps`, 'more of them');
  }

  take(size: number): Buffer {
    const { at, bytes } = this;
    if (at + size > bytes.length) throw new Damaged('a whole pickle', 'a part of it');
    this.at = at + size;
    return bytes.subarray(at, this.at);
  }
  /** A length of 8 bytes. */
  long(): number {
    const size = this.take(8).readBigUInt64LE();
    if (size > BigInt(this.bytes.length)) throw new Damaged('a whole pickle', 'a part of it');
    return Number(size);
  }
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw new Damaged('a whole pickle', 'a part of it');
    const line = text(this.take(end - this.at));
    this.at += 1;
    return line;
  }
  push(value: Stacked): void {
    this.stack.push(value);
  }
  pop(): Pickled {
    const value = this.stack.pop();
    if (value === undefined || value === mark) throw new Damaged('a pickle', 'an opcode without its arguments');
    return value;
  }
  top(): Pickled {
    const value = this.pop();
    this.stack.push(value);
    return value;
  }
  sinceMark(): Pickled[] {
    const from = this.stack.lastIndexOf(mark);
    if (from < 0) throw new Damaged('a pickle', 'an opcode without its mark');
    return this.stack.splice(from).slice(1) as Pickled[];
  }
  several(count: number): Pickled[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }
  global(name: string): PickledGlobal {
    if (!this.allows(name)) throw new Damaged('a pickle of plain data', `"${name.slice(0, 80)}", which is not read`);
    return new PickledGlobal(name);
  }
  call(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!(callee instanceof PickledGlobal) || !Array.isArray(args))
      throw new Damaged('a pickle', 'a call of no global');
    this.push(new PickledObject(callee.name, args));
  }
  setItems(pairs: readonly Pickled[]): void {
    const target = this.top();
    const entries = target instanceof PickledObject ? target.entries : target;
    if (!(entries instanceof Map) || pairs.length % 2 !== 0) throw new Damaged('a pickle', 'entries of no dictionary');
    for (let i = 0; i < pairs.length; i += 2) entries.set(pairs[i]!, pairs[i + 1]!);
  }
  append(values: readonly Pickled[]): void {
    const target = this.top();
    const items = target instanceof PickledObject ? target.items : target;
    if (!Array.isArray(items)) throw new Damaged('a pickle', 'items of no list');
    for (const value of values) items.push(value);
  }
  put(index: number): void {
    this.memo.set(index, this.top());
  }
  memoize(): void {
    this.put(this.memo.size);
  }
  get(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw new Damaged('a pickle', 'a reference to nothing');
    this.push(value);
  }
}

/** A whole number in little-endian two's complement. */
function wholeNumber(bytes: Buffer): number {
  const value = bytes.reduce((sum, byte, i) => sum + byte * 256 ** i, 0);
  return bytes.length > 0 && bytes[bytes.length - 1]! >= 128 ? value - 256 ** bytes.length : value;
}

/** By code, with the names of Python's `pickletools`. */
const opcodes: Readonly<Record<number, (m: Machine) => void>> = {
  // PROTO, FRAME, MARK
  128: (m) => void m.take(1),
  149: (m) => void m.take(8),
  40: (m) => m.push(mark),
  // EMPTY_DICT, EMPTY_LIST, EMPTY_TUPLE, NONE, NEWTRUE, NEWFALSE
  125: (m) => m.push(new Map()),
  93: (m) => m.push([]),
  41: (m) => m.push([]),
  78: (m) => m.push(null),
  136: (m) => m.push(true),
  137: (m) => m.push(false),
  // BININT, BININT1, BININT2, LONG1, BINFLOAT
  74: (m) => m.push(m.take(4).readInt32LE()),
  75: (m) => m.push(m.take(1)[0]!),
  77: (m) => m.push(m.take(2).readUInt16LE()),
  138: (m) => m.push(wholeNumber(m.take(m.take(1)[0]!))),
  71: (m) => m.push(m.take(8).readDoubleBE()),
  // BINUNICODE, SHORT_BINUNICODE, BINUNICODE8
  88: (m) => m.push(text(m.take(m.take(4).readUInt32LE()))),
  140: (m) => m.push(text(m.take(m.take(1)[0]!))),
  141: (m) => m.push(text(m.take(m.long()))),
  // BINBYTES, SHORT_BINBYTES, BINBYTES8
  66: (m) => m.push(m.take(m.take(4).readUInt32LE())),
  67: (m) => m.push(m.take(m.take(1)[0]!)),
  142: (m) => m.push(m.take(m.long())),
  // TUPLE, TUPLE1, TUPLE2, TUPLE3
  116: (m) => m.push(m.sinceMark()),
  133: (m) => m.push(m.several(1)),
  134: (m) => m.push(m.several(2)),
  135: (m) => m.push(m.several(3)),
  // APPEND, APPENDS, SETITEM, SETITEMS
  97: (m) => m.append([m.pop()]),
  101: (m) => m.append(m.sinceMark()),
  115: (m) => m.setItems(m.several(2)),
  117: (m) => m.setItems(m.sinceMark()),
  // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
  113: (m) => m.put(m.take(1)[0]!),
  114: (m) => m.put(m.take(4).readUInt32LE()),
  148: (m) => m.memoize(),
  104: (m) => m.get(m.take(1)[0]!),
  106: (m) => m.get(m.take(4).readUInt32LE()),
  // GLOBAL, STACK_GLOBAL
  99: (m) => m.push(m.global(`${m.line()} ${m.line()}`)),
  147: (m) => {
    const [module, name] = m.several(2);
    m.push(m.global(`${String(module)} ${String(name)}`));
  },
  // REDUCE, NEWOBJ, BUILD, BINPERSID
  82: (m) => m.call(),
  129: (m) => m.call(),
  98: (m) => {
    const state = m.pop();
    const target = m.top();
    if (!(target instanceof PickledObject)) throw new Damaged('a pickle', 'a state of no object');
    target.state = state;
  },
  81: (m) => m.push(new PickledReference(m.pop())),
};

/** The value of a pickle. Throws `Damaged` for one that is not whole, or has more in it than data. */
export function readPickle(bytes: Buffer, allows: (name: string) => boolean): Pickled {
  return new Machine(bytes, allows).run();
}
