/** Calls of the functions of WGSL: those of each component, and those of whole values. */
import type { CallExpression, FunctionDeclaration, Module, Scalar } from '../wgsl/ast.ts';
import { parse } from '../wgsl/parser.ts';
import {
  bool,
  f32,
  isAbstract,
  isUnsized,
  isWhole,
  nameOf,
  scalarIn,
  type Type,
  typeOf,
  u32,
  withScalar,
} from '../wgsl/types.ts';
import { binary, bitcast, select } from './arithmetic.ts';
import { type Calculator, componentwise } from './componentwise.ts';
import { elementaryText } from './elementary.ts';
import { Expressions } from './expressions.ts';
import type { Leaf } from './function-code.ts';
import { plainValue, type Value } from './places.ts';

/** Functions of whole values, and their numbers of values. */
const ofValues: Readonly<Record<string, number>> = {
  ...{ all: 1, any: 1, arrayLength: 1, bitcast: 1, cross: 2, distance: 2, dot: 2, length: 1, normalize: 1, select: 3 },
};
const ofVectors = new Set(['cross', 'dot', 'normalize']);
/** Functions in elementary.ts, and their numbers of values. */
const elementary: Readonly<Record<string, number>> = {
  ...{ acos: 1, acosh: 1, asin: 1, asinh: 1, atan: 1, atan2: 2, atanh: 1, cos: 1, cosh: 1, exp: 1, exp2: 1, log: 1 },
  ...{ log2: 1, pow: 2, sin: 1, sinh: 1, tan: 1, tanh: 1 },
};

let elementaryModule: Module | null = null;

export abstract class Builtins extends Expressions {
  /** The declaration of a function of elementary.ts. */
  protected elementary(name: string): FunctionDeclaration | undefined {
    if (!name.startsWith('builtin_')) return undefined;
    elementaryModule ??= parse({
      code: elementaryText,
      locate: (line) => ({ path: 'built-in functions of WGSL', line }),
    });
    return elementaryModule.functions.get(name);
  }

  protected callBuiltin(call: CallExpression): Value {
    const { callee, values: given, at } = call;
    const { name } = callee;
    const count = ofValues[name] ?? elementary[name] ?? componentwise[name]?.count;
    if (count === undefined) {
      const names = [ofValues, elementary, componentwise].flatMap((table) => Object.keys(table));
      return this.unknown('function', name, at, [...names, ...this.module.functions.keys()]);
    }
    if (given.length !== count) return this.source.fail(at, `expected ${count} values of ${name}, got ${given.length}`);
    const values = given.map((value) => this.evaluate(value));
    switch (name) {
      case 'arrayLength': {
        const { place } = values[0]!;
        if (!place || !isUnsized(place.type))
          return this.source.fail(
            at,
            'expected a pointer to an array as long as its buffer of arrayLength, got another value',
          );
        return plainValue(u32, [this.lengthOf(place)]);
      }
      case 'bitcast':
        return this.#bitcast(call, this.concrete(values[0]!, at));
      case 'select':
        return this.#select(values, at);
      case 'all':
      case 'any': {
        const [{ leaves, type }] = values as [Value];
        if (scalarIn(type) !== 'bool') return this.source.fail(at, `expected bools of ${name}, got ${nameOf(type)}`);
        return plainValue(bool, [leaves.reduce((a, b) => binary(this.code, name === 'all' ? '&' : '|', a, b))]);
      }
      default:
        return this.#numeric(name, values, at);
    }
  }

  #bitcast({ callee, at }: CallExpression, { type: from, leaves }: Value): Value {
    const type = this.resolve(callee.of ?? this.source.fail(at, 'expected the type of bitcast, got none'));
    const scalar = scalarIn(type);
    const fits = type.kind === from.kind && scalar !== 'bool' && scalarIn(from) !== 'bool';
    if (!scalar || !fits) {
      return this.source.fail(at, `expected numbers of 32 bits, got bitcast<${nameOf(type)}> of ${nameOf(from)}`);
    }
    return this.finite(
      plainValue(
        type,
        leaves.map((leaf) => bitcast(this.code, leaf, scalar)),
      ),
      at,
    );
  }

  #select([no, yes, condition]: readonly Value[], at: number): Value {
    const truths = condition!.leaves;
    const scalar = this.commonScalar([no!, yes!], at);
    const to = truths.every((leaf) => leaf.known !== null) ? scalar : concreteOf(scalar);
    const sides = [no!, yes!].map((side) => this.converted(side, withScalar(side.type, to), at));
    const { type, rows } = this.aligned(sides, at);
    const [others, own] = rows as [readonly Leaf[], readonly Leaf[]];
    if (scalarIn(condition!.type) !== 'bool' || (truths.length !== 1 && truths.length !== others.length)) {
      return this.source.fail(at, `expected a bool, got ${nameOf(condition!.type)}`);
    }
    const one = truths.length === 1 ? this.code.keep(truths[0]!) : null;
    return plainValue(
      type,
      others.map((leaf, i) => select(this.code, one ?? truths[i]!, own[i]!, leaf)),
    );
  }

  /** A function of numbers, which are made to be of one scalar that it takes. */
  #numeric(name: string, values: readonly Value[], at: number): Value {
    const isMixed =
      name === 'mix' && values[0]!.type.kind === values[1]!.type.kind && values[2]!.type.kind === 'scalar';
    const { type: given, rows } = this.aligned(values, at, isMixed);
    const scalar = scalarIn(given)!;
    if (
      scalar === 'bool' ||
      (scalar === 'u32' && name === 'sign') ||
      (ofVectors.has(name) && (given.kind === 'scalar' || (name === 'cross' && rows[0]!.length !== 3)))
    ) {
      return this.source.fail(
        at,
        `expected ${ofVectors.has(name) ? 'vectors' : 'numbers'} of ${name}, got ${nameOf(given)}`,
      );
    }
    const isInteger = isWhole(scalar);
    const takes = name === 'dot' ? 'both' : (componentwise[name]?.takes ?? 'float');
    const isKnown = rows.every((row) => row.every((leaf) => leaf.known !== null));
    let to = isKnown && !elementary[name] && takes !== 'whole' ? scalar : concreteOf(scalar);
    if (takes !== 'both' && isInteger !== (takes === 'whole')) to = isInteger ? 'f32' : 'u32';
    const type = withScalar(given, to);
    if (this.isChecking && !isKnown) {
      for (const row of rows) this.converted(plainValue(given, row), type, at);
      return this.some(name === 'dot' || name === 'length' || name === 'distance' ? typeOf(to) : type);
    }
    const kept = rows.map((row) =>
      this.converted(plainValue(given, row), type, at).leaves.map((leaf) => this.code.keep(leaf)),
    );
    if (ofValues[name]) return this.#ofVectors(name, type, kept, at);
    const component = (i: number): Leaf => {
      const own = kept.map((row) => row[i]!);
      if (!elementary[name]) return this.#calculator(at).one(name, ...own);
      const declaration = this.elementary(`builtin_${name}`)!;
      return this.invoke(
        declaration,
        own.map((leaf) => plainValue(f32, [leaf])),
        at,
      )!.leaves[0]!;
    };
    const leaves = kept[0]!.map((_, i) => (elementary[name] ? this.code.keep(component(i)) : component(i)));
    return this.finite(plainValue(type, leaves), at);
  }

  /** A value, which is no constant that is infinite or NaN. */
  protected finite(value: Value, at: number): Value {
    const isUsual = value.leaves.every((leaf) => leaf.known === null || Number.isFinite(leaf.known));
    if (this.isChecking && !isUsual) this.source.fail(at, 'expected a number, got a constant that is infinite or NaN');
    return value;
  }

  #ofVectors(name: string, type: Type, [a, b]: readonly (readonly Leaf[])[], at: number): Value {
    const { one, operate } = this.#calculator(at);
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

  #calculator(at: number): Calculator {
    const calculator: Calculator = {
      code: this.code,
      operate: (operator, a, b) => this.code.keep(this.operate(operator, a, b, at)),
      one: (name, ...given) => {
        const [x, y, z] = given.map((leaf) => this.code.keep(leaf));
        // The others are not read.
        return componentwise[name]!.of(calculator, x!, y ?? x!, z ?? x!);
      },
    };
    return calculator;
  }
}

/** What an abstract scalar becomes where nothing says otherwise. */
const concreteOf = (scalar: Scalar): Scalar =>
  isAbstract(scalar) ? (scalar === 'abstract-float' ? 'f32' : 'i32') : scalar;
