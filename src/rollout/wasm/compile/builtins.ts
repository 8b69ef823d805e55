/** Calls of the functions of WGSL: those of each component, and those of whole values. */
import type { CallExpression, FunctionDeclaration, Module, Scalar } from '../wgsl/ast.ts';
import { parse } from '../wgsl/parser.ts';
import {
  bool,
  f32,
  innerScalar,
  isAbstract,
  isWhole,
  matrixOf,
  scalarIn,
  type Type,
  typeOf,
  u32,
  withScalar,
} from '../wgsl/types.ts';
import { binary, bitcast, select } from './arithmetic.ts';
import { type Calculator, componentwise } from './componentwise.ts';
import { elementaryText } from './elementary.ts';
import { Expressions, isKnown } from './expressions.ts';
import { known, type Leaf } from './function-code.ts';
import { plainValue, type Value } from './places.ts';

/** Functions of whole values. */
const ofValues = new Set([
  ...['all', 'any', 'arrayLength', 'bitcast', 'cross', 'determinant', 'distance', 'dot', 'length', 'normalize'],
  ...['extractBits', 'frexp', 'insertBits', 'ldexp', 'modf', 'select', 'transpose'],
]);
/** Functions in elementary.ts. */
const elementary = new Set([
  ...['acos', 'acosh', 'asin', 'asinh', 'atan', 'atan2', 'atanh', 'cos', 'cosh', 'exp', 'exp2', 'log', 'log2', 'pow'],
  ...['sin', 'sinh', 'tan', 'tanh'],
]);

let elementaryModule: Module | null = null;

export abstract class Builtins extends Expressions {
  /** The declaration of a function of elementary.ts. */
  protected elementary(name: string): FunctionDeclaration | undefined {
    if (!name.startsWith('__')) return undefined;
    elementaryModule ??= parse({
      code: elementaryText,
      locate: (line) => ({ path: 'built-in functions of WGSL', line }),
    });
    return elementaryModule.functions.get(name);
  }

  protected callBuiltin(call: CallExpression): Value {
    const { callee, values: given, at } = call;
    const { name } = callee;
    if (!ofValues.has(name) && !elementary.has(name) && !componentwise[name])
      this.source.unsupported(at, `expected a function that compiles here, got "${name}"`);
    const values = given.map((value) => this.evaluate(value));
    switch (name) {
      case 'arrayLength':
        return plainValue(u32, [this.lengthOf(values[0]!.place!)]);
      case 'bitcast':
        return this.#bitcast(call, this.concrete(values[0]!));
      case 'select':
        return this.#select(values);
      case 'extractBits':
        return this.#ofComponents(`extract_${innerScalar(this.concrete(values[0]!).type)}`, values, ['u32', 'u32']);
      case 'insertBits': {
        const [e, bits, ...range] = values as [Value, Value, ...Value[]];
        const type = this.concrete(isAbstract(innerScalar(e.type)!) ? bits : e).type;
        const both = [e, bits].map((value) => this.converted(value, type));
        return this.#ofComponents(`insert_${innerScalar(type)}`, [...both, ...range], ['u32', 'u32']);
      }
      case 'ldexp':
        return this.#ofComponents('ldexp_any', this.#asFloats(values), ['i32']);
      case 'frexp': {
        const [x] = this.#asFloats(values).map((value) => this.kept(value)) as [Value];
        const parts = {
          fract: this.#ofComponents('frexp_fract', [x], []),
          exp: this.#ofComponents('frexp_exp', [x], []),
        };
        return this.#struct(parts);
      }
      case 'modf': {
        const [x] = this.#asFloats(values).map((value) => this.kept(value)) as [Value];
        const whole = this.kept(this.#numeric('trunc', [x]));
        return this.#struct({ fract: this.operation('-', x, whole), whole });
      }
      case 'determinant':
      case 'transpose':
        return this.#ofMatrix(name, this.kept(this.concrete(values[0]!)));
      case 'all':
      case 'any': {
        const operator = name === 'all' ? '&' : '|';
        return plainValue(bool, [values[0]!.leaves.reduce((a, b) => binary(this.code, operator, a, b))]);
      }
      default:
        return this.#numeric(name, values);
    }
  }

  #bitcast({ callee }: CallExpression, { leaves }: Value): Value {
    const type = this.resolve(callee.of!);
    const scalar = scalarIn(type)!;
    return plainValue(
      type,
      leaves.map((leaf) => bitcast(this.code, leaf, scalar)),
    );
  }

  /** The first value as f32, which an abstract one becomes. */
  #asFloats([x, ...others]: readonly Value[]): Value[] {
    return [this.converted(x!, withScalar(x!.type, 'f32')), ...others];
  }

  #struct(parts: Readonly<Record<string, Value>>): Value {
    const fields = Object.entries(parts).map(([name, { type }]) => ({ name, type }));
    return plainValue(
      { kind: 'struct', name: fields.map(({ name }) => name).join(' and '), fields },
      Object.values(parts).flatMap(({ leaves }) => leaves),
    );
  }

  /** A function of elementary.ts of each component. The last values are of the types that are named, the others of one type. */
  #ofComponents(name: string, values: readonly Value[], last: readonly Scalar[]): Value {
    const declaration = this.elementary(`__${name}`)!;
    const from = values.length - last.length;
    const given = values.map((value, i) => {
      const plain = this.concrete(value);
      return this.kept(i < from ? plain : this.converted(value, withScalar(plain.type, last[i - from]!)));
    });
    const { type } = given[0]!;
    const leaves = given[0]!.leaves.map((_, i) => {
      const own = given.map((value) =>
        plainValue(typeOf(scalarIn(value.type)!), [value.leaves[i] ?? value.leaves[0]!]),
      );
      return this.code.keep(this.invoke(declaration, own)!.leaves[0]!);
    });
    return plainValue(withScalar(type, leaves[0]!.scalar), leaves);
  }

  #ofMatrix(name: 'determinant' | 'transpose', { type, leaves }: Value): Value {
    const { count, of } = type as Type & { kind: 'array'; count: number };
    const rows = leaves.length / count;
    const columns = Array.from({ length: count }, (_, c) => leaves.slice(c * rows, (c + 1) * rows));
    const row = (r: number): Leaf[] => columns.map((column) => column[r]!);
    const scalar = scalarIn(of)!;
    if (name === 'determinant') return plainValue(typeOf(scalar), [this.#determinant(columns)]);
    const turned = columns[0]!.flatMap((_, r) => row(r));
    return plainValue(matrixOf(scalar, rows, count), turned);
  }

  /** By the minors of the first column. */
  #determinant([first, ...others]: readonly (readonly Leaf[])[]): Leaf {
    const { operate } = this.#calculator();
    if (others.length === 0) return first![0]!;
    const terms = first!.map((leaf, r) =>
      operate('*', leaf, this.#determinant(others.map((column) => column.filter((_, i) => i !== r)))),
    );
    return terms.reduce((sum, term, i) => operate(i % 2 === 0 ? '+' : '-', sum, term));
  }

  #select([no, yes, condition]: readonly Value[]): Value {
    const truths = condition!.leaves;
    const scalar = this.commonScalar([no!, yes!]);
    const to = isKnown(condition!) ? scalar : concreteOf(scalar);
    const sides = [no!, yes!].map((side) => this.converted(side, withScalar(side.type, to)));
    const { type, rows } = this.aligned(sides);
    const [others, own] = rows as [readonly Leaf[], readonly Leaf[]];
    const one = truths.length === 1 ? this.code.keep(truths[0]!) : null;
    return plainValue(
      type,
      others.map((leaf, i) => select(this.code, one ?? truths[i]!, own[i]!, leaf)),
    );
  }

  /** A function of numbers, which are made to be of one scalar that it takes. */
  #numeric(name: string, values: readonly Value[]): Value {
    const { type: given, rows } = this.aligned(values);
    const scalar = scalarIn(given)!;
    const isInteger = isWhole(scalar);
    const takes = name === 'dot' ? 'both' : (componentwise[name]?.takes ?? 'float');
    let to = values.every(isKnown) && !elementary.has(name) && takes !== 'whole' ? scalar : concreteOf(scalar);
    if (takes === 'float' && isInteger) to = 'f32';
    const type = withScalar(given, to);
    const kept = rows.map((row) =>
      this.converted(plainValue(given, row), type).leaves.map((leaf) => this.code.keep(leaf)),
    );
    if (ofValues.has(name)) return this.#ofVectors(name, type, kept);
    const component = (i: number): Leaf => {
      const own = kept.map((row) => row[i]!);
      if (!elementary.has(name)) return this.#calculator().one(name, ...own);
      const power = name === 'pow' ? wholePower(own[0]!.known, own[1]!.known) : null;
      if (power !== null) return known('f32', power);
      const given = own.map((leaf) => plainValue(f32, [leaf]));
      return this.code.keep(this.invoke(this.elementary(`__${name}`)!, given)!.leaves[0]!);
    };
    return plainValue(
      type,
      kept[0]!.map((_, i) => component(i)),
    );
  }

  #ofVectors(name: string, type: Type, [a, b]: readonly (readonly Leaf[])[]): Value {
    const { one, operate } = this.#calculator();
    const keep = (leaf: Leaf): Leaf => this.code.keep(leaf);
    const dot = (x: readonly Leaf[], y: readonly Leaf[]): Leaf =>
      x.map((leaf, i) => operate('*', leaf, y[i]!)).reduce((sum, term) => operate('+', sum, term));
    const length = (x: readonly Leaf[]): Leaf => keep(one('sqrt', dot(x, x)));
    const scalar = typeOf(scalarIn(type)!);
    switch (name) {
      case 'dot':
        return plainValue(scalar, [dot(a!, b!)]);
      case 'length':
        return plainValue(scalar, [length(a!)]);
      case 'distance':
        return plainValue(scalar, [length(a!.map((leaf, i) => keep(operate('-', leaf, b![i]!))))]);
      case 'normalize': {
        const by = length(a!);
        return plainValue(
          type,
          a!.map((leaf) => operate('/', leaf, by)),
        );
      }
      default: {
        const part = (i: number, j: number): Leaf =>
          operate('-', operate('*', a![i]!, b![j]!), operate('*', a![j]!, b![i]!));
        return plainValue(type, [part(1, 2), part(2, 0), part(0, 1)]);
      }
    }
  }

  #calculator(): Calculator {
    const calculator: Calculator = {
      code: this.code,
      operate: (operator, a, b) => this.code.keep(this.operate(operator, a, b)),
      one: (name, ...given) => {
        const [x, y, z] = given.map((leaf) => this.code.keep(leaf));
        // The others are not read.
        return componentwise[name]!.of(calculator, x!, y ?? x!, z ?? x!);
      },
    };
    return calculator;
  }
}

/** Largest power that is computed by products. */
const maxProducts = 64;

/** A constant to a whole power, which is exact where an f32 holds it, as by logarithms it is not; null: another power. */
function wholePower(base: number | null, power: number | null): number | null {
  if (base === null || power === null || !(base > 0)) return null;
  if (!Number.isInteger(power) || Math.abs(power) > maxProducts) return null;
  let made = 1;
  for (let i = 0; i < Math.abs(power); i++) made *= base;
  return Math.fround(power < 0 ? 1 / made : made);
}

/** What an abstract scalar becomes where nothing says otherwise. */
const concreteOf = (scalar: Scalar): Scalar =>
  isAbstract(scalar) ? (scalar === 'abstract-float' ? 'f32' : 'i32') : scalar;
