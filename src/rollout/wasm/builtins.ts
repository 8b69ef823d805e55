/** The functions of WGSL that are instructions or a few of them. The others are in elementary.ts. */
import { nearest } from '../../base/errors.ts';
import { binary, bitcast, negative, perLane, select } from './arithmetic.ts';
import type { CallExpression, FunctionDeclaration, Module, Scalar } from './ast.ts';
import { elementaryText } from './elementary.ts';
import { op, simd } from './encoder.ts';
import { Expressions } from './expressions.ts';
import { known, type Leaf, leafOf } from './function-code.ts';
import { parse } from './parser.ts';
import type { Value } from './places.ts';
import { bool, isAbstract, nameOf, scalarIn, typeOf, u32, withScalar } from './types.ts';

/** Instructions for f32 and what they are of a known number. */
const ofFloat: Readonly<
  Record<string, { readonly scalar: number; readonly vector: number; readonly known: (x: number) => number }>
> = {
  floor: { scalar: op.ffloor, vector: simd.ffloor, known: Math.floor },
  ceil: { scalar: op.fceil, vector: simd.fceil, known: Math.ceil },
  trunc: { scalar: op.ftrunc, vector: simd.ftrunc, known: Math.trunc },
  sqrt: { scalar: op.fsqrt, vector: simd.fsqrt, known: Math.sqrt },
  round: { scalar: op.fnearest, vector: simd.fnearest, known: roundToEven },
};

function roundToEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1;
}

/** Instructions on bits of one number. */
const ofBits: Readonly<Record<string, { readonly scalar: number; readonly known: (x: number) => number }>> = {
  countLeadingZeros: { scalar: op.clz, known: Math.clz32 },
  countTrailingZeros: { scalar: op.ctz, known: (x) => (x === 0 ? 32 : 31 - Math.clz32(x & -x)) },
  countOneBits: { scalar: op.popcnt, known: (x) => (x >>> 0).toString(2).replaceAll('0', '').length },
};

/** Numbers of values that each takes. */
const counts: Readonly<Record<string, number>> = {
  ...Object.fromEntries(Object.keys({ ...ofFloat, ...ofBits }).map((name) => [name, 1])),
  ...{
    abs: 1,
    all: 1,
    any: 1,
    bitcast: 1,
    dot: 2,
    fma: 3,
    fract: 1,
    inverseSqrt: 1,
    length: 1,
    max: 2,
    min: 2,
    clamp: 3,
  },
  ...{ mix: 3, saturate: 1, select: 3, sign: 1, step: 2, distance: 2, normalize: 1, cross: 2, arrayLength: 1 },
};

/** From names to WGSL that computes them. */
const elementaryNames = [
  'exp',
  'exp2',
  'log',
  'log2',
  'pow',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'atan2',
  'sinh',
  'cosh',
  'tanh',
];
const unsupported: Readonly<Record<string, string>> = {
  workgroupBarrier: 'invocations have no workgroup here',
  storageBarrier: 'invocations have no workgroup here',
};

export abstract class Builtins extends Expressions {
  #elementary: Module | null = null;

  /** The declaration of a function that is computed by others; null: no such function. */
  protected elementary(name: string): FunctionDeclaration | null {
    if (!elementaryNames.includes(name) && !name.startsWith('builtin_')) return null;
    this.#elementary ??= parse({
      code: elementaryText,
      locate: (line) => ({ path: 'built-in functions of WGSL', line }),
    });
    return this.#elementary.functions.get(name.startsWith('builtin_') ? name : `builtin_${name}`) ?? null;
  }

  protected callBuiltin(call: CallExpression): Value {
    const { callee, values: given, at } = call;
    const { name } = callee;
    const count = counts[name];
    if (count === undefined) {
      if (unsupported[name])
        return this.source.fail(at, `expected no "${name}": ${unsupported[name]}; use the backend "webgpu" or "cpu"`);
      const names = [...Object.keys(counts), ...elementaryNames, ...this.module.functions.keys()];
      const near = nearest(name, names);
      const advice = near === null ? 'see docs/numerics.md for the WGSL that compiles' : `did you mean "${near}"?`;
      return this.source.fail(at, `expected a function that compiles here, got "${name}"; ${advice}`);
    }
    if (given.length !== count) return this.source.fail(at, `expected ${count} values of ${name}, got ${given.length}`);
    if (name === 'arrayLength') {
      const { place } = this.evaluate(given[0]!);
      if (!place) return this.source.fail(at, 'expected a pointer to a buffer of arrayLength, got a value');
      return { type: u32, leaves: [this.lengthOf(place)], place: null };
    }
    const values = given.map((value) => this.evaluate(value));
    if (name === 'bitcast') {
      const type = this.resolve(callee.of ?? this.source.fail(at, 'expected the type of bitcast, got none'));
      const own = this.concrete(values[0]!, at);
      const scalar = scalarIn(type);
      if (
        !scalar ||
        scalar === 'bool' ||
        type.kind !== own.type.kind ||
        own.leaves.some((leaf) => leaf.scalar === 'bool')
      ) {
        return this.source.fail(at, `expected numbers of 32 bits, got bitcast<${nameOf(type)}> of ${nameOf(own.type)}`);
      }
      return { type, leaves: own.leaves.map((leaf) => bitcast(this.code, leaf, scalar)), place: null };
    }
    if (name === 'select') return this.#select(values, at);
    return this.#numeric(name, values, at);
  }

  #select([no, yes, condition]: readonly Value[], at: number): Value {
    const truths = condition!.leaves;
    const isKnown = truths.every((leaf) => leaf.known !== null);
    const scalar = this.commonScalar([no!, yes!], at);
    const to = isKnown || !isAbstract(scalar) ? scalar : scalar === 'abstract-float' ? 'f32' : 'i32';
    const sides = [no!, yes!].map((side) => this.converted(side, withScalar(side.type, to), at));
    const { type, rows } = this.aligned(sides, at);
    if (scalarIn(condition!.type) !== 'bool' || (truths.length !== 1 && truths.length !== rows[0]!.length)) {
      return this.source.fail(at, `expected a bool, got ${nameOf(condition!.type)}`);
    }
    const one = truths.length === 1 && rows[0]!.length > 1 ? [this.code.keep(truths[0]!)] : truths;
    const leaves = rows[0]!.map((leaf, i) => select(this.code, one[one.length === 1 ? 0 : i]!, rows[1]![i]!, leaf));
    return { type, leaves, place: null };
  }

  #numeric(name: string, values: readonly Value[], at: number): Value {
    if (name === 'all' || name === 'any') {
      const [{ leaves, type }] = values as [Value];
      if (scalarIn(type) !== 'bool') return this.source.fail(at, `expected bools of ${name}, got ${nameOf(type)}`);
      const joined = leaves.reduce((a, b) => binary(this.code, name === 'all' ? '&' : '|', a, b));
      return { type: bool, leaves: [joined], place: null };
    }
    const { type, rows: pending } = this.aligned(values, at);
    const scalar = scalarIn(type)!;
    if (scalar === 'bool') return this.source.fail(at, `expected numbers of ${name}, got ${nameOf(type)}`);
    const isWhole = scalar === 'i32' || scalar === 'u32' || scalar === 'abstract-int';
    const takesWhole = ofBits[name] !== undefined;
    const takesBoth = /^(?:abs|min|max|clamp|sign|dot)$/.test(name);
    if (takesWhole ? !isWhole : isWhole && !takesBoth) {
      const float = pending.map(
        (row) =>
          this.converted(
            { type: withScalar(type, scalar), leaves: row, place: null },
            withScalar(type, takesWhole ? 'u32' : 'f32'),
            at,
          ).leaves,
      );
      return this.#apply(name, withScalar(type, takesWhole ? 'u32' : 'f32'), float, at);
    }
    return this.#apply(name, type, pending, at);
  }

  #apply(name: string, type: Value['type'], pending: readonly (readonly Leaf[])[], at: number): Value {
    const scalar = scalarIn(type)!;
    const concrete = scalar === 'abstract-float' ? 'f32' : scalar === 'abstract-int' ? 'i32' : scalar;
    const isKnown = pending.every((row) => row.every((leaf) => leaf.known !== null));
    const to = isKnown ? scalar : concrete;
    const rows = pending.map((row) =>
      row.map((leaf) => (leaf.scalar === to ? leaf : known(to, Math.fround(leaf.known!)))),
    );
    const op2 = (operator: string, a: Leaf, b: Leaf): Leaf => this.operate(operator, a, b, at);
    const keep = (leaf: Leaf): Leaf => this.code.keep(leaf);
    const dot = (a: readonly Leaf[], b: readonly Leaf[]): Leaf =>
      a.map((leaf, i) => op2('*', leaf, b[i]!)).reduce((sum, term) => op2('+', sum, term));
    const result = typeOf(to);
    if (name === 'dot') return { type: result, leaves: [dot(rows[0]!, rows[1]!)], place: null };
    if (name === 'length' || name === 'distance' || name === 'normalize') {
      const own = (name === 'distance' ? rows[0]!.map((leaf, i) => op2('-', leaf, rows[1]![i]!)) : rows[0]!).map(keep);
      const length = keep(this.#one('sqrt', [dot(own, own)], at));
      if (name !== 'normalize') return { type: result, leaves: [length], place: null };
      return { type, leaves: own.map((leaf) => op2('/', leaf, length)), place: null };
    }
    if (name === 'cross') {
      const [a, b] = [rows[0]!.map(keep), rows[1]!.map(keep)];
      if (a.length !== 3) return this.source.fail(at, `expected vectors of 3 of cross, got ${nameOf(type)}`);
      const part = (i: number, j: number): Leaf => op2('-', op2('*', a[i]!, b[j]!), op2('*', a[j]!, b[i]!));
      return { type, leaves: [part(1, 2), part(2, 0), part(0, 1)], place: null };
    }
    const leaves = rows[0]!.map((_, i) =>
      this.#one(
        name,
        rows.map((row) => row[i]!),
        at,
      ),
    );
    return { type: withScalar(type, to), leaves, place: null };
  }

  /** A function of one number of each value. */
  #one(name: string, given: readonly Leaf[], at: number): Leaf {
    const { code } = this;
    const [first] = given as [Leaf];
    const { scalar, isVarying } = first;
    const op2 = (operator: string, a: Leaf, b: Leaf): Leaf => this.operate(operator, a, b, at);
    const constant = (value: number): Leaf => known(scalar, value);
    const float = ofFloat[name];
    if (float) {
      if (first.known !== null) return known(scalar, Math.fround(float.known(first.known)));
      return code.apply(scalar, float, [first]);
    }
    const bits = ofBits[name];
    if (bits) {
      if (first.known !== null) return known(scalar, bits.known(first.known));
      const made = isVarying
        ? perLane(code, scalar, [first], ([x]) => [x!, bits.scalar])
        : leafOf(scalar, false, [code.scalarCode(first), bits.scalar]);
      return { ...made, isSmall: true };
    }
    const x = code.keep(first);
    switch (name) {
      case 'min':
      case 'max':
        return this.#extreme(name, x, code.keep(given[1]!));
      case 'clamp':
        return this.#extreme('min', code.keep(this.#extreme('max', x, code.keep(given[1]!))), code.keep(given[2]!));
      case 'saturate':
        return this.#extreme('min', code.keep(this.#extreme('max', x, constant(0))), constant(1));
      case 'abs':
        return this.#absolute(x);
      case 'sign': {
        const up = code.keep(op2('>', x, constant(0)));
        const down = scalar === 'u32' ? known('bool', 0) : code.keep(op2('<', x, constant(0)));
        return select(
          code,
          up,
          constant(1),
          code.keep(select(code, down, constant(scalar === 'u32' ? 0 : -1), constant(0))),
        );
      }
      case 'fract':
        return op2('-', x, this.#one('floor', [x], at));
      case 'inverseSqrt':
        return op2('/', constant(1), this.#one('sqrt', [x], at));
      case 'step':
        return select(code, op2('<=', x, given[1]!), constant(1), constant(0));
      case 'fma':
        return op2('+', op2('*', x, given[1]!), given[2]!);
      case 'mix': {
        const share = code.keep(given[2]!);
        return op2('+', op2('*', x, op2('-', constant(1), share)), op2('*', given[1]!, share));
      }
      default:
        return this.source.fail(at, `expected a function that compiles here, got "${name}"`);
    }
  }

  #absolute(x: Leaf): Leaf {
    if (x.known !== null) return known(x.scalar, x.scalar === 'i32' ? Math.abs(x.known) | 0 : Math.abs(x.known));
    const { code } = this;
    if (x.scalar === 'u32') return x;
    if (x.isVarying) return leafOf(x.scalar, true, [x.code, x.scalar === 'f32' ? simd.fabs : simd.abs]);
    if (x.scalar === 'f32') return leafOf('f32', false, [code.scalarCode(x), op.fabs]);
    return select(code, binary(code, '<', x, known('i32', 0)), negative(code, x), x);
  }

  /** min: the second where it is less than the first, else the first; max likewise. */
  #extreme(name: 'min' | 'max', a: Leaf, b: Leaf): Leaf {
    const { code } = this;
    const scalar: Scalar = a.scalar;
    if (a.known !== null && b.known !== null) return (name === 'min' ? b.known < a.known : a.known < b.known) ? b : a;
    const isSmall = a.isSmall && b.isSmall;
    if (!a.isVarying && !b.isVarying) {
      const isOther = name === 'min' ? binary(code, '<', b, a) : binary(code, '<', a, b);
      return { ...select(code, isOther, b, a), isSmall };
    }
    const isMin = name === 'min';
    const order =
      scalar === 'f32'
        ? isMin
          ? simd.fmin
          : simd.fmax
        : scalar === 'i32' || isSmall
          ? isMin
            ? simd.minS
            : simd.maxS
          : isMin
            ? simd.minU
            : simd.maxU;
    return leafOf(scalar, true, [code.vectorCode(a), code.vectorCode(b), order], isSmall);
  }
}
