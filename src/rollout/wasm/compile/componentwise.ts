/**
 * Functions of WGSL that are the same for each component: instructions, or a few operations. Those that are longer are
 * in elementary.ts.
 */
import { negative, perLane, select } from './arithmetic.ts';
import { op, simd } from './encoder.ts';
import { type FunctionCode, known, type Leaf, leafOf } from './function-code.ts';

/** What a function of one component may use. */
export interface Calculator {
  readonly code: FunctionCode;
  /** `a operator b` of two leaves of one scalar */
  operate(operator: string, a: Leaf, b: Leaf): Leaf;
  /** another function of this table */
  one(name: string, ...given: readonly Leaf[]): Leaf;
}

export interface Componentwise {
  /** number of values */
  readonly count: number;
  readonly takes: 'float' | 'whole' | 'both';
  /** its result from kept components of one scalar */
  readonly of: (c: Calculator, x: Leaf, y: Leaf, z: Leaf) => Leaf;
}

const like = ({ scalar }: Leaf, value: number): Leaf => known(scalar, value);

/** One instruction on an f32; `ofKnown` is what it is of a known number. */
const ofFloat = (scalar: number, vector: number, ofKnown: (x: number) => number): Componentwise => ({
  count: 1,
  takes: 'float',
  of: ({ code }, x) => {
    if (x.known === null) return code.apply(x.scalar, { scalar, vector }, [x]);
    const value = ofKnown(x.known);
    // An abstract number keeps its 53 bits.
    return like(x, x.scalar === 'f32' ? Math.fround(value) : value);
  },
});

/** One instruction on the bits of a whole number, which is there for scalars only. */
const ofBits = (instruction: number, ofKnown: (x: number) => number): Componentwise => ({
  count: 1,
  takes: 'whole',
  of: ({ code }, x) => {
    if (x.known !== null) return like(x, ofKnown(x.known));
    if (!x.isVarying) return leafOf(x.scalar, false, [code.scalarCode(x), instruction], true);
    return { ...perLane(code, x.scalar, [x], ([lane]) => [lane!, instruction]), isSmall: true };
  },
});

const float = (count: number, of: Componentwise['of']): Componentwise => ({ count, takes: 'float', of });
const both = (count: number, of: Componentwise['of']): Componentwise => ({ count, takes: 'both', of });

/** The second of two numbers where it is less (`<`) or greater (`>`), else the first. */
const extreme = (order: '<' | '>', float: number, signed: number, unsigned: number): Componentwise =>
  both(2, ({ code, operate }, a, b) => {
    const isSmall = a.isSmall && b.isSmall;
    if (!a.isVarying && !b.isVarying) return { ...select(code, operate(order, b, a), b, a), isSmall };
    const vector = a.scalar === 'f32' ? float : a.scalar === 'i32' || isSmall ? signed : unsigned;
    return code.apply(a.scalar, { scalar: vector, vector }, [a, b], isSmall);
  });

function roundToEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  const near = rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1;
  return near === 0 && x < 0 ? -0 : near;
}

export const componentwise: Readonly<Record<string, Componentwise>> = {
  floor: ofFloat(op.ffloor, simd.ffloor, Math.floor),
  ceil: ofFloat(op.fceil, simd.fceil, Math.ceil),
  trunc: ofFloat(op.ftrunc, simd.ftrunc, Math.trunc),
  sqrt: ofFloat(op.fsqrt, simd.fsqrt, Math.sqrt),
  round: ofFloat(op.fnearest, simd.fnearest, roundToEven),
  countLeadingZeros: ofBits(op.clz, Math.clz32),
  countTrailingZeros: ofBits(op.ctz, (x) => (x === 0 ? 32 : 31 - Math.clz32(x & -x))),
  countOneBits: ofBits(op.popcnt, (x) => (x >>> 0).toString(2).replaceAll('0', '').length),
  firstTrailingBit: {
    count: 1,
    takes: 'whole',
    of: (c, x) => select(c.code, c.operate('==', x, like(x, 0)), none(x), c.one('countTrailingZeros', x)),
  },
  firstLeadingBit: {
    count: 1,
    takes: 'whole',
    of: (c, x) => {
      // Of a negative number the first bit that is not its sign.
      const bits = x.scalar === 'i32' ? c.operate('^', x, c.operate('>>', x, known('u32', 31))) : x;
      return c.operate('-', like(x, 31), c.one('countLeadingZeros', bits));
    },
  },
  reverseBits: {
    count: 1,
    takes: 'whole',
    of: (c, x) => {
      // Neighbours change places: bits, then pairs of them, and so on.
      const swapped = (y: Leaf, [by, mask]: readonly [number, number]): Leaf => {
        const [n, own] = [known('u32', by), like(y, mask)];
        return c.operate('|', c.operate('&', c.operate('>>', y, n), own), c.operate('<<', c.operate('&', y, own), n));
      };
      const halves = [
        [1, 0x55555555],
        [2, 0x33333333],
        [4, 0x0f0f0f0f],
        [8, 0x00ff00ff],
        [16, 0x0000ffff],
      ] as const;
      return halves.reduce(swapped, x);
    },
  },
  min: extreme('<', simd.fmin, simd.minS, simd.minU),
  max: extreme('>', simd.fmax, simd.maxS, simd.maxU),
  clamp: both(3, (c, x, low, high) => c.one('min', c.one('max', x, low), high)),
  saturate: float(1, (c, x) => c.one('clamp', x, like(x, 0), like(x, 1))),
  abs: both(1, ({ code, operate }, x) => {
    if (x.known !== null) return like(x, x.scalar === 'i32' ? Math.abs(x.known) | 0 : Math.abs(x.known));
    if (x.scalar === 'u32') return x;
    if (x.scalar === 'f32') return code.apply('f32', { scalar: op.fabs, vector: simd.fabs }, [x]);
    if (x.isVarying) return code.apply('i32', { scalar: simd.abs, vector: simd.abs }, [x]);
    return select(code, operate('<', x, like(x, 0)), negative(code, x), x);
  }),
  sign: both(1, (c, x) => {
    const up = c.operate('>', x, like(x, 0));
    if (x.scalar === 'u32') return select(c.code, up, like(x, 1), like(x, 0));
    const notUp = c.code.keep(select(c.code, c.operate('<', x, like(x, 0)), like(x, -1), like(x, 0)));
    return select(c.code, up, like(x, 1), notUp);
  }),
  fract: float(1, (c, x) => c.operate('-', x, c.one('floor', x))),
  inverseSqrt: float(1, (c, x) => c.operate('/', like(x, 1), c.one('sqrt', x))),
  degrees: float(1, (c, x) => c.operate('*', x, like(x, Math.fround(180 / Math.PI)))),
  radians: float(1, (c, x) => c.operate('*', x, like(x, Math.fround(Math.PI / 180)))),
  step: float(2, (c, edge, x) => select(c.code, c.operate('<=', edge, x), like(x, 1), like(x, 0))),
  fma: float(3, (c, x, y, z) => c.operate('+', c.operate('*', x, y), z)),
  mix: float(3, (c, x, y, share) =>
    c.operate('+', c.operate('*', x, c.operate('-', like(x, 1), share)), c.operate('*', y, share)),
  ),
  smoothstep: float(3, (c, low, high, x) => {
    const span = c.operate('-', high, low);
    const t = c.code.keep(c.one('saturate', c.operate('/', c.operate('-', x, low), span)));
    return c.operate('*', c.operate('*', t, t), c.operate('-', like(x, 3), c.operate('*', like(x, 2), t)));
  }),
};

/** What is returned where no bit is set. */
const none = (x: Leaf): Leaf => like(x, x.scalar === 'u32' ? 2 ** 32 - 1 : -1);
