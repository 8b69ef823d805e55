/** Types, constants and expressions of a program. */
import { nearest } from '../../../base/errors.ts';
import { exactAdvice } from '../../webgpu/program/declarations.ts';
import type { CallExpression, Expression, FunctionDeclaration, Module, Scalar, TypeName } from '../wgsl/ast.ts';
import type { Source } from '../wgsl/source.ts';
import { callsLoop, partsOf } from '../wgsl/syntax.ts';
import {
  arrayOf,
  bool,
  f32,
  i32,
  isAbstract,
  isUnsized,
  isWhole,
  layoutOf,
  nameOf,
  pointerTo,
  scalarIn,
  strideOf,
  type Type,
  typeOf,
  u32,
  vectorOf,
  withScalar,
} from '../wgsl/types.ts';
import { isUnread } from '../wgsl/unread.ts';
import {
  binary,
  comparisons,
  complement,
  convert,
  convertKnown,
  fold,
  negative,
  not,
  shifts,
  takes,
  wholeIdentity,
} from './arithmetic.ts';
import { op } from './encoder.ts';
import { FunctionCode, known, type Leaf, leafOf, unknownOf } from './function-code.ts';
import type { Variable } from './lanes.ts';
import { type MemoryArea, type Place, Places, plainValue, type Value } from './places.ts';

/** What a name stands for: a value, which `const` may have declared, or the place of a variable. */
export type Binding = { readonly value: Value; readonly isConstant?: boolean } | { readonly place: Place };

export interface Scope {
  readonly names: Map<string, Binding>;
  readonly outer: Scope | null;
}

const arithmetic = new Set(['+', '-', '*', '/', '%']);
const isKnown = ({ leaves }: Value): boolean => leaves.every((leaf) => leaf.known !== null);
const letters: Readonly<Record<string, Scalar>> = { f: 'f32', i: 'i32', u: 'u32' };
const members = ['xyzw', 'rgba'];
const constructors = /^(?:array|vec[234][fiu]?|f32|i32|u32|bool)$/;
/** Bytes of the table of buffers at the start of memory: where each is, and its number of elements. */
export const bufferTableBytes = 128;
const bytesPerBuffer = 8;

/** Types and constants of modules, which are the same each time that one is compiled. */
const resolved = new WeakMap<
  Module,
  { readonly types: Map<TypeName | string, Type>; readonly constants: Map<string, Value | null> }
>();

export abstract class Expressions extends Places {
  readonly module: Module;
  protected scope: Scope = { names: new Map(), outer: null };
  /** offsets of buffers whose size is known, by binding */
  readonly fixedBuffers = new Map<number, number>();
  /** bytes per element of the others */
  readonly strides = new Map<number, number>();
  readonly #types: Map<TypeName | string, Type>;
  readonly #constants: Map<string, Value | null>;
  readonly #buffers = new Map<string, Place>();

  constructor(source: Source, module: Module) {
    super(source);
    this.module = module;
    const { types, constants } = resolved.get(module) ?? { types: new Map(), constants: new Map() };
    [this.#types, this.#constants] = [types, constants];
    resolved.set(module, { types, constants });
    this.free = bufferTableBytes;
  }

  /** Calls a function with values of the types of its parameters; null where it returns nothing. */
  protected abstract invoke(declaration: FunctionDeclaration, values: readonly Value[], at: number): Value | null;
  protected abstract callBuiltin(call: CallExpression): Value;
  protected abstract elementary(name: string): FunctionDeclaration | undefined;

  // ---- types

  protected resolve(given: TypeName): Type {
    // Names that stand alone are the same everywhere.
    const key = given.of || given.size ? given : given.name;
    const seen = this.#types.get(key);
    if (seen) return seen;
    const type = this.#resolved(given);
    this.#types.set(key, type);
    return type;
  }

  #resolved(given: TypeName): Type {
    const { name, at, of, size } = given;
    const short = /^vec([234])([fiu])?$/.exec(name);
    if (short) {
      const scalar = short[2] ? letters[short[2]] : of ? scalarIn(this.resolve(of)) : null;
      if (!scalar) return this.source.fail(at, `expected the scalar type of ${name}, got none; write ${name}<f32>`);
      return vectorOf(scalar, Number(short[1]));
    }
    if (name === 'f32') return f32;
    if (name === 'i32') return i32;
    if (name === 'u32') return u32;
    if (name === 'bool') return bool;
    if (name === 'array' && of) {
      const count = size === null ? null : this.#sizeOf(size);
      return arrayOf(this.sized(of), count);
    }
    if (name === 'ptr' && of) return pointerTo(this.sized(of));
    return this.#named(name, at);
  }

  /** A type of values of known size. */
  protected sized(given: TypeName): Type {
    const type = this.resolve(given);
    if (type.kind !== 'pointer' && !isUnsized(type)) return type;
    return this.source.fail(given.at, `expected a type of values of known size, got ${nameOf(type)}`);
  }

  #named(name: string, at: number): Type {
    const { aliases, structs } = this.module;
    const [alias, struct] = [aliases.get(name), structs.get(name)];
    if (this.#resolving.has(name)) return this.source.fail(at, `expected a type, got "${name}", which contains itself`);
    this.#resolving.add(name);
    let found: Type;
    if (alias) found = this.resolve(alias);
    else if (struct) {
      const last = struct.fields[struct.fields.length - 1];
      if (last?.type.name === 'array' && !last.type.size)
        this.source.unsupported(last.at, 'expected a field of known size, got an array of any length');
      const fields = struct.fields.map((field) => ({ name: field.name, type: this.sized(field.type) }));
      found = { kind: 'struct', name, fields };
    } else found = this.unknown('type', name, at, [...aliases.keys(), ...structs.keys()]);
    this.#resolving.delete(name);
    return found;
  }
  readonly #resolving = new Set<string>();

  #sizeOf(size: Expression): number {
    const [leaf] = this.constant(size).leaves;
    const value = leaf?.known ?? null;
    if (value === null || !Number.isInteger(value) || value < 1 || value > 2 ** 24) {
      return this.source.fail(size.at, `expected a known size in 1 ... 2^24, got ${value ?? 'another expression'}`);
    }
    return value;
  }

  /** Refuses a name of a type or a function: WGSL has it, or nobody. */
  protected unknown(what: 'type' | 'function', name: string, at: number, names: readonly string[]): never {
    const message = `expected a ${what} that compiles here, got "${name}"`;
    if (isUnread(name)) this.source.unsupported(at, message);
    return this.source.fail(at, `${message}; ${this.#advice(name, names)}`);
  }

  #advice(name: string, names: readonly string[]): string {
    const near = nearest(name, names);
    return near === null ? 'see docs/numerics.md for the WGSL that compiles' : `did you mean "${near}"?`;
  }

  // ---- names

  protected constant(expression: Expression): Value {
    const [code, scope] = [this.code, this.scope];
    this.code = new FunctionCode();
    try {
      const value = this.evaluate(expression);
      if (!isKnown(value)) {
        this.source.fail(expression.at, 'expected a value that is known when the program is compiled, got another');
      }
      return value;
    } finally {
      this.code = code;
      this.scope = scope;
    }
  }

  protected find(name: string, at: number): Binding {
    for (let scope: Scope | null = this.scope; scope; scope = scope.outer) {
      const found = scope.names.get(name);
      if (found) return found;
    }
    if (this.module.buffers.has(name)) return { place: this.#buffer(name) };
    const value = this.#moduleConstant(name, at);
    if (value) {
      const { isOverride } = this.module.constants.get(name)!;
      return { value: isOverride ? this.overridden(value) : value, isConstant: !isOverride };
    }
    const names: string[] = [...this.module.constants.keys(), ...this.module.buffers.keys()];
    for (let scope: Scope | null = this.scope; scope; scope = scope.outer) names.push(...scope.names.keys());
    return this.source.fail(at, `expected a name that is declared, got "${name}"; ${this.#advice(name, names)}`);
  }

  /** What is known of an override. */
  protected overridden(value: Value): Value {
    return value;
  }

  #moduleConstant(name: string, at: number): Value | null {
    const made = this.#constants.get(name);
    if (made) return made;
    if (made === null) return this.source.fail(at, `expected a constant, got "${name}", which depends on itself`);
    const declared = this.module.constants.get(name);
    if (!declared) return null;
    if (declared.value === null)
      return this.source.unsupported(at, `expected a value of the override "${name}", got none`);
    this.#constants.set(name, null);
    const scope = this.scope;
    this.scope = { names: new Map(), outer: null };
    const { isOverride } = declared;
    const given = isOverride ? this.concrete(this.evaluate(declared.value), at) : this.constant(declared.value);
    this.scope = scope;
    const plain = declared.type || !isOverride ? given : this.concrete(given, at);
    const value = declared.type ? this.converted(plain, this.resolve(declared.type), declared.at) : plain;
    if (isOverride && value.type.kind !== 'scalar')
      this.source.fail(declared.at, `expected an override of a scalar, got ${nameOf(value.type)}`);
    this.#constants.set(name, value);
    return value;
  }

  #buffer(name: string): Place {
    const seen = this.#buffers.get(name);
    if (seen) return seen;
    const { type: given, binding, isWritable, at } = this.module.buffers.get(name)!;
    const type = this.resolve(given);
    if (bytesPerBuffer * (binding + 1) > bufferTableBytes)
      this.source.unsupported(at, `expected a binding below 16, got ${binding}`);
    const isFixed = !(type.kind === 'array' && type.count === null);
    const word = (offset: number): Leaf => ({
      ...leafOf('u32', false, [op.i32, 0, op.load, bytesPerBuffer * binding + offset]),
      isFixed: true,
    });
    let root: MemoryArea;
    if (isFixed) {
      const start = this.reserve(layoutOf(type).size);
      this.fixedBuffers.set(binding, start);
      root = { kind: 'shared', base: known('u32', start), count: null, isWritable };
    } else {
      this.strides.set(binding, strideOf(type.of));
      root = { kind: 'shared', base: word(0), count: word(4), isWritable };
    }
    const place: Place = { type, root, offset: 0, dynamic: null };
    this.#buffers.set(name, place);
    return place;
  }

  // ---- conversions between types of values

  /** The value as a type; abstract numbers become it, others have to be of it. */
  protected converted(value: Value, type: Type, at: number): Value {
    if (value.type === type) return value;
    const [from, to] = [scalarIn(value.type), scalarIn(type)];
    if (from && to && isAbstract(from) && value.type.kind === type.kind && withScalar(value.type, to) === type) {
      return plainValue(
        type,
        value.leaves.map((leaf) => this.#ofAbstract(leaf, to, at)),
      );
    }
    if (value.type.kind === 'array' && type.kind === 'array' && value.type.count === type.count) {
      const [abstract, scalar] = [scalarIn(value.type.of), scalarIn(type.of)];
      if (abstract && scalar && isAbstract(abstract)) {
        return plainValue(
          type,
          value.leaves.map((leaf) => this.#ofAbstract(leaf, scalar, at)),
        );
      }
    }
    const advice = nameOf(type) === 'F64' && from ? exactAdvice : 'convert it';
    return this.source.fail(at, `expected ${nameOf(type)}, got ${nameOf(value.type)}; ${advice}`);
  }

  #ofAbstract(leaf: Leaf, to: Scalar, at: number): Leaf {
    const { scalar } = leaf;
    if (scalar === to) return leaf;
    const isLossy = scalar === 'abstract-float' && to !== 'f32' && to !== 'abstract-float';
    const value = isLossy || to === 'bool' ? null : convertKnown(leaf.known!, scalar, to);
    if (value === null || !Number.isFinite(value)) {
      return this.source.fail(at, `expected a number that ${to} holds, got ${leaf.known}; write another`);
    }
    return known(to, value);
  }

  /** Without abstract numbers: i32 and f32 are what they become where nothing says otherwise. */
  protected concrete(value: Value, at: number): Value {
    const { type } = value;
    const scalar = type.kind === 'array' ? scalarIn(type.of) : scalarIn(type);
    if (!scalar || !isAbstract(scalar)) return value;
    const to = scalar === 'abstract-float' ? 'f32' : 'i32';
    const target: Type = type.kind === 'array' ? arrayOf(withScalar(type.of, to), type.count) : withScalar(type, to);
    return this.converted(value, target, at);
  }

  /** The one scalar that operands share. */
  protected commonScalar(values: readonly Value[], at: number): Scalar {
    let common: Scalar = 'abstract-int';
    for (const { type } of values) {
      const scalar = scalarIn(type);
      if (scalar === null) return this.source.fail(at, `expected scalars or vectors, got ${nameOf(type)}`);
      if (scalar === common || scalar === 'abstract-int') continue;
      if (scalar === 'abstract-float' && (common === 'f32' || common === 'abstract-float')) continue;
      if (common === 'abstract-int' || (common === 'abstract-float' && scalar === 'f32')) common = scalar;
      else
        this.source.fail(
          at,
          `expected operands of one type, got ${values.map((v) => nameOf(v.type)).join(' and ')}; convert one`,
        );
    }
    return common;
  }

  /** Operands as values of one scalar and one shape. `repeats`: a scalar beside vectors is repeated. */
  protected aligned(
    values: readonly Value[],
    at: number,
    repeats = false,
  ): { readonly type: Type; readonly rows: readonly (readonly Leaf[])[] } {
    const [first] = values;
    // The usual case, and a shorter way.
    if (scalarIn(first!.type) !== null && values.every(({ type }) => type === first!.type)) {
      return { type: first!.type, rows: values.map(({ leaves }) => leaves) };
    }
    const scalar = this.commonScalar(values, at);
    const vector = values.find(({ type }) => type.kind === 'vector');
    const type = vector ? withScalar(vector.type, scalar) : typeOf(scalar);
    const rows = values.map((value) => {
      const own = this.converted(value, withScalar(value.type, scalar), at);
      const isRepeated = repeats && own.type.kind === 'scalar';
      if (!isRepeated && own.type !== type) {
        return this.source.fail(
          at,
          `expected values of one size, got ${values.map((v) => nameOf(v.type)).join(' and ')}`,
        );
      }
      if (own.type.kind === 'scalar' && type.kind === 'vector') {
        const one = this.code.keep(own.leaves[0]!);
        return new Array<Leaf>(type.count).fill(one);
      }
      return own.leaves;
    });
    return { type, rows };
  }

  // ---- expressions

  /** The value of an expression, with pending code in its leaves. */
  evaluate(expression: Expression): Value {
    const { at } = expression;
    switch (expression.kind) {
      case 'literal':
        return plainValue(typeOf(expression.scalar), [known(expression.scalar, expression.value)]);
      case 'name': {
        const found = this.find(expression.name, at);
        return 'value' in found ? found.value : this.load(found.place);
      }
      case 'member':
      case 'index':
        return this.#part(expression);
      case 'unary':
        return this.#unary(expression);
      case 'binary':
        return this.#binary(expression);
      default:
        return (
          this.call(expression) ??
          this.source.fail(at, `expected a value, got a call of "${expression.callee.name}", which returns none`)
        );
    }
  }

  /** The value with its leaves in locals. */
  protected kept(value: Value): Value {
    return { ...value, leaves: value.leaves.map((leaf) => this.code.keep(leaf)) };
  }

  /** A call of a function, a builtin or a type; null where it returns nothing. */
  protected call(call: CallExpression): Value | null {
    const { name } = call.callee;
    const { functions, structs, aliases } = this.module;
    const declared = functions.get(name) ?? this.elementary(name);
    if (declared) return this.#callDeclared(declared, call);
    if (structs.has(name) || aliases.has(name) || constructors.test(name)) {
      return this.#construct(call);
    }
    return this.callBuiltin(call);
  }

  #callDeclared(declaration: FunctionDeclaration, { values: given, at }: CallExpression): Value | null {
    const { name, parameters } = declaration;
    if (given.length !== parameters.length) {
      return this.source.fail(at, `expected ${parameters.length} values of ${name}, got ${given.length}`);
    }
    const values = given.map((value, i) => {
      const type = this.resolve(parameters[i]!.type);
      const own = this.evaluate(value);
      if (type.kind !== 'pointer' && own.type.kind !== 'pointer') {
        return this.kept(this.converted(own, type, value.at));
      }
      if (own.type !== type) this.source.fail(value.at, `expected ${nameOf(type)}, got ${nameOf(own.type)}`);
      return own;
    });
    return this.invoke(declaration, values, at);
  }

  #part(expression: Expression & { readonly kind: 'member' | 'index' }): Value {
    const place = this.placeOf(expression);
    if (place) return this.load(place);
    const { at } = expression;
    const base = this.evaluate(expression.base);
    if (expression.kind === 'index') return this.#indexed(base, expression.index, at);
    const { type } = base;
    if (type.kind === 'struct') {
      const index = this.#fieldIndex(type, expression.name, at);
      const before = type.fields.slice(0, index).reduce((sum, field) => sum + this.countOf(field.type), 0);
      const of = type.fields[index]!.type;
      return plainValue(of, base.leaves.slice(before, before + this.countOf(of)));
    }
    const picked = this.#swizzle(type, expression.name, at);
    const isOnce = new Set(picked).size === picked.length;
    const leaves = picked.map((i) => (isOnce ? base.leaves[i]! : this.code.keep(base.leaves[i]!)));
    const scalar = scalarIn(type)!;
    // A leaf that is used twice is kept once.
    const unique = isOnce ? leaves : picked.map((i) => leaves[picked.indexOf(i)]!);
    return plainValue(picked.length === 1 ? typeOf(scalar) : vectorOf(scalar, picked.length), unique);
  }

  #fieldIndex(type: Type & { kind: 'struct' }, name: string, at: number): number {
    const index = type.fields.findIndex((field) => field.name === name);
    if (index >= 0) return index;
    const names = type.fields.map((field) => field.name);
    return this.source.fail(at, `expected a field of ${type.name}, got "${name}"; ${this.#advice(name, names)}`);
  }

  #swizzle(type: Type, name: string, at: number): number[] {
    if (type.kind === 'vector' && name.length <= 4) {
      const letter = members.find((set) => [...name].every((c) => set.includes(c)));
      const picked = [...name].map((c) => letter?.indexOf(c) ?? -1);
      if (picked.every((i) => i >= 0 && i < type.count)) return picked;
    }
    return this.source.fail(at, `expected a member of ${nameOf(type)}, got "${name}"`);
  }

  #indexed(base: Value, given: Expression, at: number): Value {
    const index = this.#index(given);
    const { type } = base;
    if (type.kind !== 'array' && type.kind !== 'vector')
      return this.source.fail(at, `expected an array, got ${nameOf(type)}`);
    const isTable = index.known === null && (this.isChecking || isKnown(base));
    if (isTable) {
      const { type: own, leaves } = this.concrete(base, at);
      return this.load(this.element(this.table(own, leaves), index, at));
    }
    // A variable that nobody else sees.
    const root: Variable = { ...this.variable(type, Infinity, at), leaves: this.kept(base).leaves };
    if (index.known === null && (type.count ?? 0) > 4) {
      this.source.unsupported(
        at,
        `expected a known index of a value, got another; copy the ${nameOf(type)} into a var`,
      );
    }
    const place = this.element({ type, root, offset: 0, dynamic: null }, index, at);
    if (place.dynamic) return this.load(place);
    return plainValue(place.type, root.leaves.slice(place.offset, place.offset + this.countOf(place.type)) as Leaf[]);
  }

  #index(expression: Expression): Leaf {
    const value = this.concrete(this.evaluate(expression), expression.at);
    const scalar = value.type.kind === 'scalar' ? value.type.scalar : null;
    if (scalar !== 'i32' && scalar !== 'u32') {
      return this.source.fail(expression.at, `expected a whole number as index, got ${nameOf(value.type)}`);
    }
    return value.leaves[0]!;
  }

  /** The place that an expression names; null where it is a value. */
  protected placeOf(expression: Expression): Place | null {
    const { at } = expression;
    if (expression.kind === 'name') {
      const found = this.find(expression.name, at);
      return 'place' in found ? found.place : null;
    }
    if (expression.kind === 'unary' && expression.operator === '*') {
      const { place } = this.evaluate(expression.operand);
      return place ?? this.source.fail(at, 'expected a pointer, got a value; leave the "*" out');
    }
    if (expression.kind === 'index') {
      const base = this.#placeOrPointer(expression.base);
      return base && this.element(base, this.#index(expression.index), at);
    }
    if (expression.kind !== 'member') return null;
    const base = this.#placeOrPointer(expression.base);
    if (!base) return null;
    if (base.type.kind === 'struct') return this.field(base, this.#fieldIndex(base.type, expression.name, at), at);
    if (base.type.kind === 'vector' && expression.name.length > 1) return null;
    const [index] = this.#swizzle(base.type, expression.name, at);
    return this.element(base, known('u32', index!), at);
  }

  #isVector(expression: Expression): boolean {
    return this.#placeOrPointer(expression)?.type.kind === 'vector';
  }

  #placeOrPointer(expression: Expression): Place | null {
    const place = this.placeOf(expression);
    if (place) return place;
    if (expression.kind !== 'name') return null;
    const found = this.find(expression.name, expression.at);
    return 'value' in found && found.value.type.kind === 'pointer' ? found.value.place : null;
  }

  #unary({ operator, operand, at }: Expression & { readonly kind: 'unary' }): Value {
    if (operator === '&') {
      const place = this.placeOf(operand);
      if (!place) return this.source.fail(at, 'expected a variable after "&", got a value; declare it with var');
      const isPart = operand.kind === 'member' || operand.kind === 'index';
      if (isPart && place.type.kind === 'scalar' && this.#isVector(operand.base)) {
        this.source.fail(at, 'expected a variable after "&", got a part of a vector; copy it into a variable');
      }
      return { type: pointerTo(place.type), leaves: [], place };
    }
    if (operator === '*') return this.load(this.placeOf({ kind: 'unary', operator, operand, at })!);
    const value = this.evaluate(operand);
    const scalar = scalarIn(value.type);
    const fits =
      operator === '!'
        ? scalar === 'bool'
        : operator === '-'
          ? scalar !== 'bool' && scalar !== 'u32'
          : scalar === 'i32' || scalar === 'u32' || scalar === 'abstract-int';
    if (scalar === null || !fits)
      return this.source.fail(at, `expected an operand of "${operator}", got ${nameOf(value.type)}`);
    const apply = operator === '!' ? not : operator === '-' ? negative : complement;
    return { ...value, leaves: value.leaves.map((leaf) => apply(this.code, leaf)) };
  }

  /** `a operator b` of two leaves of one scalar. */
  protected operate(operator: string, a: Leaf, b: Leaf, at: number): Leaf {
    if (a.known !== null && b.known !== null) {
      const value = fold(operator, a.scalar, a.known, b.known);
      if (value === null || (this.isChecking && !Number.isFinite(value)))
        return this.source.fail(at, `expected a result that ${a.scalar} holds, got ${a.known} ${operator} ${b.known}`);
      return known(comparisons.has(operator) ? 'bool' : a.scalar, value);
    }
    return wholeIdentity(operator, a, b) ?? binary(this.code, operator, a, b);
  }

  #binary(expression: Expression & { readonly kind: 'binary' }): Value {
    const { operator, left, right, at } = expression;
    if (operator === '&&' || operator === '||') return this.#shortCircuit(operator, left, right, at);
    const a = this.evaluate(left);
    const b = this.evaluate(right);
    // What is known here is more than what WGSL has as a constant, such as a counter of a loop that is written out.
    const isOpen = shifts.has(operator) && !(this.isChecking ? isKnown(b) : this.#isConstant(right));
    return this.operation(operator, isOpen ? this.concrete(a, at) : a, b, at);
  }

  /** Whether an expression is a constant to WGSL. */
  #isConstant(expression: Expression): boolean {
    if (expression.kind === 'name') {
      const found = this.find(expression.name, expression.at);
      return 'value' in found && found.isConstant === true;
    }
    if (expression.kind === 'call' && this.module.functions.has(expression.callee.name)) return false;
    return partsOf(expression).every((part) => this.#isConstant(part as Expression));
  }

  protected operation(operator: string, a: Value, b: Value, at: number): Value {
    if (shifts.has(operator)) {
      const [x, amount] = [a, this.converted(b, withScalar(b.type, 'u32'), at)];
      if (x.leaves.length !== amount.leaves.length) this.source.fail(at, 'expected as many shifts as numbers');
      if (!isWhole(scalarIn(x.type))) this.source.fail(at, `expected a whole number to shift, got ${nameOf(x.type)}`);
      if (this.isChecking && !this.#isFolded(operator, x, b, at)) return this.some(x.type);
      return { ...x, leaves: x.leaves.map((leaf, i) => this.operate(operator, leaf, amount.leaves[i]!, at)) };
    }
    const { type, rows } = this.aligned([a, b], at, arithmetic.has(operator));
    if (!takes(operator, scalarIn(type)!)) {
      this.source.fail(at, `expected operands of "${operator}", got ${nameOf(type)}`);
    }
    const own = comparisons.has(operator) ? withScalar(type, 'bool') : type;
    if (this.isChecking && !this.#isFolded(operator, a, b, at)) return this.some(own);
    const leaves = rows[0]!.map((leaf, i) => this.operate(operator, leaf, rows[1]![i]!, at));
    return plainValue(own, leaves);
  }

  /** Whether both operands are constants. Refuses a constant that no operand of whole numbers has on its right side. */
  #isFolded(operator: string, a: Value, b: Value, at: number): boolean {
    if (!isKnown(b)) return false;
    const scalar = scalarIn(a.type);
    if (scalar === 'i32' || scalar === 'u32') {
      const isShift = shifts.has(operator);
      for (const { known: by } of isShift || operator === '/' || operator === '%' ? b.leaves : []) {
        if (isShift ? by! > 31 : by === 0)
          this.source.fail(at, `expected another number after "${operator}" of ${scalar}, got ${by}`);
      }
    }
    return isKnown(a);
  }

  /**
   * The right side is evaluated in all lanes, unless it calls a function that may change something, or one with a loop, which
   * may never end where the left side says that it is not called.
   */
  #shortCircuit(operator: string, left: Expression, right: Expression, at: number): Value {
    const truth = (expression: Expression): Leaf => {
      const { type, leaves } = this.evaluate(expression);
      if (type.kind !== 'scalar' || type.scalar !== 'bool')
        this.source.fail(expression.at, `expected a bool, got ${nameOf(type)}`);
      return leaves[0]!;
    };
    const a = truth(left);
    if (a.known !== null && (a.known === 1) === (operator === '||')) {
      if (this.isChecking) truth(right);
      return plainValue(bool, [a]);
    }
    if (this.isChecking || (!this.mayChange(right) && !callsLoop(right, this.module))) {
      return plainValue(bool, [binary(this.code, operator[0]!, this.code.keep(a), truth(right))]);
    }
    const result = this.declare(bool, at);
    this.storeLeaves(result, [this.code.keep(a)]);
    const condition = operator === '&&' ? a : not(this.code, this.code.keep(a));
    const run = (): void => this.storeLeaves(result, [truth(right)]);
    this.branch(this.code.keep(condition), { isLong: true, run }, { isLong: false, run() {} }, false);
    return this.load(result);
  }

  /** Whether an expression may change a variable. */
  protected mayChange(expression: Expression): boolean {
    switch (expression.kind) {
      case 'call':
        return (
          (this.module.functions.get(expression.callee.name)?.parameters.some(({ type }) => type.name === 'ptr') ??
            false) ||
          expression.values.some((value) => this.mayChange(value))
        );
      case 'binary':
        return this.mayChange(expression.left) || this.mayChange(expression.right);
      case 'unary':
        return this.mayChange(expression.operand);
      case 'index':
        return this.mayChange(expression.base) || this.mayChange(expression.index);
      case 'member':
        return this.mayChange(expression.base);
      default:
        return false;
    }
  }

  // ---- values of types

  #construct({ callee, values: given, at }: CallExpression): Value {
    const values = given.map((value) => this.evaluate(value));
    const plainVector = /^vec([234])$/.exec(callee.name);
    if (plainVector && !callee.of) return this.#vector(null, Number(plainVector[1]), values, at);
    if (callee.name === 'array' && !callee.of) {
      const [one] = values;
      if (!one) return this.source.fail(at, 'expected elements of the array, got none');
      const common = scalarIn(one.type) && withScalar(one.type, this.commonScalar(values, at));
      const first = this.concrete({ ...one, type: common ?? one.type }, at).type;
      return this.#collect(
        arrayOf(first, values.length),
        values.map(() => first),
        values,
        at,
      );
    }
    const type = this.resolve(callee);
    if (values.length === 0) {
      return plainValue(
        type,
        this.sizedLeaves(type, at).map((scalar) => this.zero(scalar)),
      );
    }
    switch (type.kind) {
      case 'scalar':
        if (values.length !== 1)
          return this.source.fail(at, `expected one value of ${type.scalar}, got ${values.length}`);
        return plainValue(type, this.#convertTo(type.scalar, values[0]!, 1, at));
      case 'vector':
        return this.#vector(type.scalar, type.count, values, at);
      case 'array':
        if (type.count === null) break;
        return this.#collect(type, new Array<Type>(type.count).fill(type.of), values, at);
      case 'struct':
        return this.#collect(
          type,
          type.fields.map((field) => field.type),
          values,
          at,
        );
    }
    return this.source.fail(at, `expected a type with values, got ${nameOf(type)}`);
  }

  #collect(type: Type, wanted: readonly Type[], values: readonly Value[], at: number): Value {
    if (values.length !== wanted.length) {
      return this.source.fail(at, `expected ${wanted.length} values of ${nameOf(type)}, got ${values.length}`);
    }
    return plainValue(
      type,
      values.flatMap((value, i) => this.converted(value, wanted[i]!, at).leaves),
    );
  }

  #vector(scalar: Scalar | null, count: number, values: readonly Value[], at: number): Value {
    const to = scalar ?? this.commonScalar(values, at);
    const one = typeOf(to);
    // The usual case, and a shorter way.
    if (values.length === count && values.every(({ type }) => type === one)) {
      return plainValue(
        vectorOf(to, count),
        values.map(({ leaves }) => leaves[0]!),
      );
    }
    const isConversion = values.length === 1 && values[0]!.type.kind === 'vector';
    const parts = values.flatMap((value) =>
      isConversion
        ? this.#convertTo(to, value, value.leaves.length, at)
        : this.converted(value, withScalar(value.type, to), at).leaves,
    );
    if (parts.length === 1 && values[0]!.type.kind === 'scalar') {
      return plainValue(vectorOf(to, count), new Array<Leaf>(count).fill(this.code.keep(parts[0]!)));
    }
    if (parts.length !== count)
      return this.source.fail(at, `expected ${count} numbers of a vector, got ${parts.length}`);
    return plainValue(vectorOf(to, count), parts);
  }

  #convertTo(to: Scalar, { type, leaves }: Value, count: number, at: number): readonly Leaf[] {
    if (scalarIn(type) === null || leaves.length !== count) {
      return this.source.fail(at, `expected a scalar to convert to ${to}, got ${nameOf(type)}`);
    }
    if (scalarIn(type) === to) return leaves;
    return leaves.map((leaf) => {
      if (leaf.known === null && this.isChecking) return unknownOf(to);
      if (leaf.known === null) return convert(this.code, leaf, to);
      const value = convertKnown(leaf.known, leaf.scalar, to);
      return value === null
        ? this.source.fail(at, `expected a number that ${to} holds, got ${leaf.known}`)
        : known(to, value);
    });
  }
}
