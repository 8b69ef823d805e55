/**
 * WGSL's operators on leaves. f32 operations are those of IEEE 754, each rounded, none contracted. Integers wrap; x / 0
 * is x and x % 0 is 0; a shift takes the amount modulo 32; a conversion to an integer is cut and held within its range,
 * NaN gives 0.
 */
import type { Scalar } from '../wgsl/ast.ts';
import { type Code, op, simd } from './encoder.ts';
import {
  bitsOf,
  type FunctionCode,
  type Instruction,
  isEqual,
  known,
  type Leaf,
  leafOf,
  numberOf,
} from './function-code.ts';

/** What an operator is of known numbers, and its instructions; none: it takes several. */
interface Operator {
  readonly known: (a: number, b: number) => number | boolean;
  readonly float?: Instruction;
  readonly whole?: Instruction;
  /** of u32, where it differs from that of i32 */
  readonly unsigned?: Instruction;
}
const both = (scalar: number, vector: number): Instruction => ({ scalar, vector });

const operators: Readonly<Record<string, Operator>> = {
  '+': { known: (a, b) => a + b, float: both(op.fadd, simd.fadd), whole: both(op.add, simd.add) },
  '-': { known: (a, b) => a - b, float: both(op.fsub, simd.fsub), whole: both(op.sub, simd.sub) },
  '*': { known: (a, b) => a * b, float: both(op.fmul, simd.fmul), whole: both(op.mul, simd.mul) },
  '/': { known: (a, b) => a / b, float: both(op.fdiv, simd.fdiv) },
  '%': { known: (a, b) => a % b },
  '&': { known: (a, b) => a & b, whole: both(op.and, simd.and) },
  '|': { known: (a, b) => a | b, whole: both(op.or, simd.or) },
  '^': { known: (a, b) => a ^ b, whole: both(op.xor, simd.xor) },
  '<<': { known: (a, b) => a << (b & 31) },
  '>>': { known: (a, b) => a >> (b & 31) },
  '==': { known: (a, b) => a === b, float: both(op.feq, simd.feq), whole: both(op.eq, simd.eq) },
  '!=': { known: (a, b) => a !== b, float: both(op.fne, simd.fne), whole: both(op.ne, simd.ne) },
  '<': {
    known: (a, b) => a < b,
    float: both(op.flt, simd.flt),
    whole: both(op.ltS, simd.ltS),
    unsigned: both(op.ltU, simd.ltU),
  },
  '>': {
    known: (a, b) => a > b,
    float: both(op.fgt, simd.fgt),
    whole: both(op.gtS, simd.gtS),
    unsigned: both(op.gtU, simd.gtU),
  },
  '<=': {
    known: (a, b) => a <= b,
    float: both(op.fle, simd.fle),
    whole: both(op.leS, simd.leS),
    unsigned: both(op.leU, simd.leU),
  },
  '>=': {
    known: (a, b) => a >= b,
    float: both(op.fge, simd.fge),
    whole: both(op.geS, simd.geS),
    unsigned: both(op.geU, simd.geU),
  },
};

/** Of abstract integers, which have 64 bits. */
const wholeOperators: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '&': (a, b) => a & b,
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
  '<<': (a, b) => a << b,
  '>>': (a, b) => a >> b,
};

export const comparisons = new Set(['==', '!=', '<', '>', '<=', '>=']);
export const shifts = new Set(['<<', '>>']);

/** What needs no instruction: whole numbers beside 0 and 1; null: it does. */
export function wholeIdentity(operator: string, a: Leaf, b: Leaf): Leaf | null {
  if ((a.known === null && b.known === null) || (a.scalar !== 'u32' && a.scalar !== 'i32')) return null;
  switch (operator) {
    case '+':
    case '|':
    case '^':
      return b.known === 0 ? a : a.known === 0 ? b : null;
    case '-':
      return b.known === 0 ? a : null;
    case '<<':
    case '>>':
      return b.known === 0 || a.known === 0 ? a : null;
    case '*':
      if (b.known === 1 || a.known === 0) return a;
      return a.known === 1 || b.known === 0 ? b : null;
    case '&':
      return a.known === 0 ? a : b.known === 0 ? b : null;
    default:
      return null;
  }
}

const isDivision = (operator: string): boolean => operator === '/' || operator === '%';

/** The result of an operator on abstract integers; null where there is none, or none that a double holds. */
function foldWhole(operator: string, a: number, b: number): number | null {
  const isLost = !Number.isSafeInteger(a) || !Number.isSafeInteger(b);
  if (isLost || (isDivision(operator) && b === 0) || (shifts.has(operator) && b > 63)) return null;
  const made = Number(wholeOperators[operator]!(BigInt(a), BigInt(b)));
  return Number.isSafeInteger(made) ? made : null;
}

/** The result of an operator on known numbers; null where an abstract number would divide by zero or overflow. */
export function fold(operator: string, scalar: Scalar, a: number, b: number): number | null {
  const isFloat = scalar === 'f32' || scalar === 'abstract-float';
  if (scalar === 'abstract-int' && !comparisons.has(operator)) return foldWhole(operator, a, b);
  if (isDivision(operator) && b === 0 && !isFloat) return operator === '/' ? a : 0;
  if (operator === '>>' && scalar === 'u32') return a >>> (b & 31);
  const made = operators[operator]!.known(a, b);
  if (typeof made === 'boolean') return Number(made);
  if (scalar === 'f32') return Math.fround(made);
  // A product of 64 bits would lose its low ones.
  if (scalar === 'u32' || scalar === 'i32') return numberOf(scalar, operator === '*' ? Math.imul(a, b) : made);
  return Number.isFinite(made) ? made : null;
}

/** `a operator b` of two leaves of one scalar; of a comparison a truth. The caller has folded known numbers. */
export function binary(code: FunctionCode, operator: string, a: Leaf, b: Leaf): Leaf {
  const { scalar } = a;
  if (shifts.has(operator)) return shift(code, operator, a, b);
  if (scalar !== 'f32' && (operator === '/' || operator === '%')) return divide(code, operator, a, b);
  if (scalar === 'f32' && operator === '%') {
    const [x, y] = [code.keep(a), code.keep(b)];
    const times = binary(code, '*', y, cut(code, binary(code, '/', x, y)));
    return binary(code, '-', x, times);
  }
  if (scalar === 'bool' && (operator === '&' || operator === '|')) {
    const [first, second] = a.known !== null ? [a, b] : [b, a];
    if (first.known !== null) return (operator === '&') === (first.known === 1) ? second : first;
    if (isEqual(a, b)) return a;
    const [negated, last] = b.code;
    if (operator === '&' && b.isVarying && last === simd.not) {
      return leafOf('bool', true, [code.vectorCode(a), negated!, simd.andnot]);
    }
  }
  const areSmall = a.isSmall && b.isSmall;
  const { float, whole, unsigned = whole } = operators[operator]!;
  const instruction = scalar === 'f32' ? float : scalar === 'i32' || areSmall ? whole : unsigned;
  if (!instruction) throw new Error(`no instruction for ${operator} of ${scalar}`);
  const isSmall = operator === '&' ? a.isSmall || b.isSmall : areSmall && (operator === '|' || operator === '^');
  return code.apply(comparisons.has(operator) ? 'bool' : scalar, instruction, [a, b], isSmall);
}

export function not(code: FunctionCode, a: Leaf): Leaf {
  if (a.known !== null) return known('bool', 1 - a.known);
  return code.apply('bool', both(op.eqz, simd.not), [a]);
}

export function negative(code: FunctionCode, a: Leaf): Leaf {
  if (a.known !== null && a.scalar !== 'u32') {
    const made = -a.known;
    // An integer has no -0.
    return known(a.scalar, a.scalar === 'i32' ? made | 0 : a.scalar === 'abstract-int' ? made + 0 : made);
  }
  if (a.scalar === 'f32') return code.apply('f32', both(op.fneg, simd.fneg), [a]);
  return binary(code, '-', known(a.scalar, 0), a);
}

export function complement(code: FunctionCode, a: Leaf): Leaf {
  if (a.scalar === 'abstract-int') return known(a.scalar, -1 - a.known!);
  if (a.known !== null) return known(a.scalar, numberOf(a.scalar, ~a.known));
  return binary(code, '^', a, known(a.scalar, numberOf(a.scalar, -1)));
}

const isZero = (leaf: Leaf): boolean => leaf.known !== null && bitsOf(leaf.scalar, leaf.known) === 0;

/** `yes` where the condition holds, else `no`. */
export function select(code: FunctionCode, condition: Leaf, yes: Leaf, no: Leaf): Leaf {
  if (condition.known !== null) return condition.known === 1 ? yes : no;
  if (isEqual(yes, no)) return yes;
  const { scalar } = yes;
  const isSmall = yes.isSmall && no.isSmall;
  if (!condition.isVarying && !yes.isVarying && !no.isVarying) {
    const joined = [code.scalarCode(yes), code.scalarCode(no), code.scalarCode(condition), op.select];
    return leafOf(scalar, false, joined, isSmall);
  }
  const mask = code.vectorCode(condition);
  if (isZero(no)) return leafOf(scalar, true, [code.vectorCode(yes), mask, simd.and], isSmall);
  if (isZero(yes)) return leafOf(scalar, true, [code.vectorCode(no), mask, simd.andnot], isSmall);
  return leafOf(scalar, true, [code.vectorCode(yes), code.vectorCode(no), mask, simd.bitselect], isSmall);
}

/** One scalar expression per lane, from the lanes of the operands. */
export function perLane(
  code: FunctionCode,
  result: Scalar,
  operands: readonly Leaf[],
  expression: (lanes: readonly Code[]) => Code,
): Leaf {
  const kept = operands.map((operand) => code.keep(operand));
  const made: (number | Code)[] = [code.vectorCode(kept.find(({ isVarying }) => isVarying)!)];
  for (let lane = 0; lane < 4; lane++) {
    const lanes = kept.map((leaf) => {
      if (!leaf.isVarying) return code.scalarCode(leaf);
      return [leaf.code, leaf.scalar === 'f32' ? simd.fextract : simd.extract, lane];
    });
    made.push(expression(lanes), result === 'f32' ? simd.freplace : simd.replace, lane);
  }
  return leafOf(result, true, made);
}

function divide(code: FunctionCode, operator: string, a: Leaf, b: Leaf): Leaf {
  const isSigned = a.scalar === 'i32';
  const power = b.known === null ? -1 : Math.log2(b.known);
  if (Number.isInteger(power) && power >= 0 && (!isSigned || a.isSmall)) {
    if (operator === '/') return power === 0 ? a : shift(code, '>>', a, known('u32', power));
    return binary(code, '&', a, known(a.scalar, b.known! - 1));
  }
  const instruction = operator === '/' ? (isSigned ? op.divS : op.divU) : isSigned ? op.remS : op.remU;
  // A zero becomes 1, and so does the -1 of a quotient that would overflow: both give the dividend.
  const safe = (x: Code, y: Code): Code => {
    const isOverflow = [y, op.i32, -1, op.eq, x, op.i32, -(2 ** 31), op.eq, op.and];
    const isOdd = isSigned && operator === '/' ? [y, op.eqz, isOverflow, op.or] : [y, op.eqz];
    return [x, op.i32, 1, y, isOdd, op.select, instruction];
  };
  const quotient = (x: Code, y: Code): Code =>
    b.known !== null && b.known !== 0 && b.known !== -1 ? [x, y, instruction] : safe(x, y);
  const isSmall = a.isSmall && (!isSigned || b.isSmall);
  if (!a.isVarying && !b.isVarying) {
    const [x, y] = [code.keep(a), code.keep(b)];
    return leafOf(a.scalar, false, quotient(code.scalarCode(x), code.scalarCode(y)), isSmall);
  }
  return { ...perLane(code, a.scalar, [a, b], ([x, y]) => quotient(x!, y!)), isSmall };
}

/** For lane n: the bytes of 2^n, from the number of n's byte and from its place in the table. */
const powersTable = [0x08040201, 0x80402010, 0, 0];
const bytesOfWord = [0, 0x04040404, 0x08080808, 0x0c0c0c0c];
const placesOfBytes = 0x18100800;

function shift(code: FunctionCode, operator: string, a: Leaf, amount: Leaf): Leaf {
  const isLeft = operator === '<<';
  const isSigned = a.scalar === 'i32';
  // An amount of 32 moves nothing.
  const isMoved = amount.known !== null && (amount.known & 31) > 0;
  const isSmall = !isLeft && (a.isSmall || (!isSigned && isMoved));
  if (!amount.isVarying) {
    const scalar = isLeft ? op.shl : isSigned ? op.shrS : op.shrU;
    const vector = isLeft ? simd.shl : isSigned ? simd.shrS : simd.shrU;
    const codes = [code.codeAs(a, a.isVarying), code.scalarCode(amount), a.isVarying ? vector : scalar];
    return leafOf(a.scalar, a.isVarying, codes, isSmall);
  }
  if (isLeft) {
    // As a product with a power of two, which a table of bytes gives.
    const spread = code.keep(leafOf('u32', true, [code.vectorCode(amount), code.splat(31), simd.and]));
    const bytes = [spread.code, spread.code, simd.shuffle, ...bytesOfWord];
    const index = [bytes, code.splat(placesOfBytes), simd.sub8];
    const power = [code.words(powersTable), index, simd.swizzle];
    return leafOf(a.scalar, true, [code.vectorCode(a), power, simd.mul]);
  }
  const made = perLane(code, a.scalar, [a, amount], ([x, n]) => [x!, n!, isSigned ? op.shrS : op.shrU]);
  return { ...made, isSmall };
}

/** An f32 without its fraction. */
export function cut(code: FunctionCode, a: Leaf): Leaf {
  return code.apply('f32', both(op.ftrunc, simd.ftrunc), [a]);
}

/** The largest whole number that both f32 and `to` hold, where conversions end. */
const largestWhole = (to: Scalar): number => (to === 'u32' ? 2 ** 32 - 2 ** 8 : 2 ** 31 - 2 ** 7);

/** A known number as another scalar; null where an abstract number does not fit. */
export function convertKnown(value: number, from: Scalar, to: Scalar): number | null {
  if (to === 'bool') return Number(value !== 0);
  if (to === 'f32') return Math.fround(value);
  if (to === 'abstract-float') return value;
  if (from === 'abstract-int' || from === 'abstract-float') {
    const [low, high] =
      to === 'u32' ? [0, 2 ** 32 - 1] : to === 'i32' ? [-(2 ** 31), 2 ** 31 - 1] : [-(2 ** 53), 2 ** 53];
    const whole = from === 'abstract-int' ? value : Math.trunc(value);
    return whole >= low && whole <= high ? whole : null;
  }
  if (from === 'f32') {
    const low = to === 'u32' ? 0 : -(2 ** 31);
    return Number.isNaN(value) ? 0 : Math.min(Math.max(Math.trunc(value), low), largestWhole(to));
  }
  return to === 'u32' ? value >>> 0 : value | 0;
}

/** `to(a)` of a leaf that is not known. */
export function convert(code: FunctionCode, a: Leaf, to: Scalar): Leaf {
  const from = a.scalar;
  if (from === to) return a;
  const { isVarying } = a;
  const own = code.codeAs(a, isVarying);
  const made = (scalar: number, vector: number): Leaf => code.apply(to, both(scalar, vector), [a]);
  if (from === 'bool') {
    if (isVarying) return select(code, a, known(to, 1), known(to, 0));
    return to === 'f32' ? leafOf(to, false, [own, op.fromI32]) : leafOf(to, false, own, true);
  }
  if (to === 'bool') return binary(code, '!=', a, known(from, 0));
  if (to === 'f32') {
    return from === 'i32' || a.isSmall ? made(op.fromI32, simd.fromI32) : made(op.fromU32, simd.fromU32);
  }
  if (from === 'f32') {
    // The instructions hold the result within the type at its lower end, and make 0 of NaN.
    const [x, top] = [code.keep(a), known('f32', largestWhole(to))];
    const below = select(code, binary(code, '<', top, x), top, x);
    return code.apply(to, to === 'i32' ? both(op.toI32, simd.toI32) : both(op.toU32, simd.toU32), [below]);
  }
  return leafOf(to, isVarying, own, a.isSmall);
}

/** The same bits as another scalar. */
export function bitcast(code: FunctionCode, a: Leaf, to: Scalar): Leaf {
  if (a.known !== null) return known(to, numberOf(to, bitsOf(a.scalar, a.known)));
  if (a.isVarying || (a.scalar !== 'f32' && to !== 'f32') || a.scalar === to) {
    return leafOf(to, a.isVarying, code.codeAs(a, a.isVarying), to !== 'f32' && a.isSmall);
  }
  return leafOf(to, false, [code.scalarCode(a), to === 'f32' ? op.f32OfBits : op.bitsOfF32]);
}
