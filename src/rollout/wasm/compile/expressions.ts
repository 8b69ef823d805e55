/** Types, constants and expressions of a program. */
import type { CallExpression, Expression, FunctionDeclaration, Module, Scalar, TypeName } from '../wgsl/ast.ts';
import type { Source } from '../wgsl/source.ts';
import { callsLoop, partsOf } from '../wgsl/syntax.ts';
import {
  arrayOf,
  bool,
  f32,
  i32,
  innerScalar,
  isAbstract,
  isMatrix,
  isUnsized,
  layoutOf,
  matrixOf,
  pointerTo,
  scalarIn,
  strideOf,
  type Type,
  typeOf,
  u32,
  vectorOf,
  withInnerScalar,
  withScalar,
} from '../wgsl/types.ts';
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
  wholeIdentity,
} from './arithmetic.ts';
import { op } from './encoder.ts';
import { FunctionCode, known, type Leaf, leafOf } from './function-code.ts';
import { type MemoryArea, type Place, Places, plainValue, type Value } from './places.ts';

/** What a name stands for: a value, which `const` may have declared, or the place of a variable. */
export type Binding = { readonly value: Value; readonly isConstant?: boolean } | { readonly place: Place };

export interface Scope {
  readonly names: Map<string, Binding>;
  readonly outer: Scope | null;
}

export const isKnown = ({ leaves }: Value): boolean => leaves.every((leaf) => leaf.known !== null);
const letters: Readonly<Record<string, Scalar>> = { f: 'f32', i: 'i32', u: 'u32' };
const members = ['xyzw', 'rgba'];
const constructors = /^(?:array|vec[234][fiu]?|mat[234]x[234]f?|f32|i32|u32|bool)$/;
/** Bytes of the table of buffers at the start of memory: where each is, and its number of elements. */
const bufferTableBytes = 128;
const bytesPerBuffer = 8;
/** Largest buffer whose type says its size. */
const maxFixedBytes = 2 ** 24;

/** Types and constants of modules, which are the same each time that one is compiled. */
const resolved = new WeakMap<
  Module,
  { readonly types: Map<TypeName | string, Type>; readonly constants: Map<string, Value> }
>();

export abstract class Expressions extends Places {
  readonly module: Module;
  /** offset of the last expression */
  #at = 0;
  protected scope: Scope = { names: new Map(), outer: null };
  /** offsets of buffers whose size is known, by binding */
  readonly fixedBuffers = new Map<number, number>();
  /** bytes per element of the others */
  readonly strides = new Map<number, number>();
  readonly #types: Map<TypeName | string, Type>;
  readonly #constants: Map<string, Value>;
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
  protected abstract invoke(declaration: FunctionDeclaration, values: readonly Value[]): Value | null;
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
    const { name, of, size } = given;
    const short = /^vec([234])([fiu])?$/.exec(name);
    if (short) return vectorOf(short[2] ? letters[short[2]]! : scalarIn(this.resolve(of!))!, Number(short[1]));
    const [, columns, rows] = /^mat([234])x([234])f?$/.exec(name) ?? [];
    if (columns) return matrixOf('f32', Number(columns), Number(rows));
    if (name === 'f32') return f32;
    if (name === 'i32') return i32;
    if (name === 'u32') return u32;
    if (name === 'bool') return bool;
    if (name === 'array' && of) return arrayOf(this.resolve(of), size && this.constant(size).leaves[0]!.known);
    if (name === 'ptr' && of) return pointerTo(this.resolve(of));
    return this.#named(given);
  }

  #named({ name, at }: TypeName): Type {
    const { aliases, structs } = this.module;
    const alias = aliases.get(name);
    if (alias) return this.resolve(alias);
    const struct = structs.get(name);
    if (!struct) return this.source.unsupported(at, `expected a type that compiles here, got "${name}"`);
    const fields = struct.fields.map((field) => ({ name: field.name, type: this.resolve(field.type) }));
    const open = fields.findIndex(({ type }) => isUnsized(type));
    if (open >= 0) {
      this.source.unsupported(struct.fields[open]!.at, 'expected a field of known size, got an array of any length');
    }
    return { kind: 'struct', name, fields };
  }

  // ---- names

  /** The value of a constant expression, which needs no code. */
  protected constant(expression: Expression): Value {
    const { code } = this;
    this.code = new FunctionCode();
    const value = this.evaluate(expression);
    this.code = code;
    return value;
  }

  protected find(name: string): Binding {
    for (let scope: Scope | null = this.scope; scope; scope = scope.outer) {
      const found = scope.names.get(name);
      if (found) return found;
    }
    if (this.module.buffers.has(name)) return { place: this.#buffer(name) };
    const value = this.#moduleConstant(name);
    return { value, isConstant: !this.module.constants.get(name)!.isOverride };
  }

  #moduleConstant(name: string): Value {
    const made = this.#constants.get(name);
    if (made) return made;
    const { type, value: expression, isOverride, at } = this.module.constants.get(name)!;
    if (!expression) return this.source.unsupported(at, `expected a value of the override "${name}", got none`);
    const scope = this.scope;
    this.scope = { names: new Map(), outer: null };
    const given = this.constant(expression);
    this.scope = scope;
    const value = type || isOverride ? this.typed(given, type && this.resolve(type)) : given;
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
      const { size } = layoutOf(type);
      if (size > maxFixedBytes)
        this.source.unsupported(at, `expected a buffer of at most ${maxFixedBytes} bytes, got one of ${size}`);
      const start = this.reserve(size);
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

  /** The value as a type: abstract numbers become it. */
  protected converted(value: Value, type: Type): Value {
    const to = innerScalar(type);
    if (value.type === type || to === null) return value;
    return plainValue(
      type,
      value.leaves.map((leaf) => this.#ofAbstract(leaf, to)),
    );
  }

  #ofAbstract(leaf: Leaf, to: Scalar): Leaf {
    if (leaf.scalar === to) return leaf;
    return known(to, this.#held(convertKnown(leaf.known!, leaf.scalar, to)));
  }

  /** A number that was found; null: none that is held exactly here. */
  #held(value: number | null): number {
    return value ?? this.source.unsupported(this.#at, 'expected constants of at most 53 bits, got one with more');
  }

  /** Without abstract numbers: i32 and f32 are what they become where nothing says otherwise. */
  protected concrete(value: Value): Value {
    const scalar = innerScalar(value.type);
    if (!scalar || !isAbstract(scalar)) return value;
    const to = scalar === 'abstract-float' ? 'f32' : 'i32';
    return this.converted(value, withInnerScalar(value.type, to));
  }

  /** As a declaration with a type, or without one, has it. */
  protected typed(value: Value, type: Type | null): Value {
    return type ? this.converted(value, type) : this.concrete(value);
  }

  /** The one scalar that operands share: that which is not abstract, if there is one. */
  protected commonScalar(values: readonly Value[]): Scalar {
    const scalars = values.map(({ type }) => innerScalar(type)!);
    return (
      scalars.find((scalar) => !isAbstract(scalar)) ??
      (scalars.includes('abstract-float') ? 'abstract-float' : 'abstract-int')
    );
  }

  /** Operands as values of one scalar and one shape: a scalar beside vectors is repeated. */
  protected aligned(values: readonly Value[]): { readonly type: Type; readonly rows: readonly (readonly Leaf[])[] } {
    const [first] = values;
    // The usual case, and a shorter way.
    if (scalarIn(first!.type) !== null && values.every(({ type }) => type === first!.type)) {
      return { type: first!.type, rows: values.map(({ leaves }) => leaves) };
    }
    const scalar = this.commonScalar(values);
    const vector = values.find(({ type }) => type.kind === 'vector');
    const type = vector ? withScalar(vector.type, scalar) : typeOf(scalar);
    const rows = values.map((value) => {
      const { type: own, leaves } = this.converted(value, withScalar(value.type, scalar));
      if (own.kind === 'vector' || type.kind !== 'vector') return leaves;
      return new Array<Leaf>(type.count).fill(this.code.keep(leaves[0]!));
    });
    return { type, rows };
  }

  // ---- expressions

  /** The value of an expression, with pending code in its leaves. */
  evaluate(expression: Expression): Value {
    this.#at = expression.at;
    switch (expression.kind) {
      case 'literal':
        return plainValue(typeOf(expression.scalar), [known(expression.scalar, expression.value)]);
      case 'name': {
        const found = this.find(expression.name);
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
        return this.call(expression)!;
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
    // There a name is that of WGSL, also where the program declares another function under it.
    const isElementary = this.elementary(this.frames[this.frames.length - 1]?.name ?? '') !== undefined;
    const declared = this.elementary(name) ?? (isElementary ? undefined : functions.get(name));
    if (declared) return this.#callDeclared(declared, call);
    if (structs.has(name) || aliases.has(name) || constructors.test(name)) {
      return this.#construct(call);
    }
    return this.callBuiltin(call);
  }

  #callDeclared(declaration: FunctionDeclaration, { values: given }: CallExpression): Value | null {
    const values = given.map((value, i) => {
      const own = this.evaluate(value);
      return own.place ? own : this.kept(this.converted(own, this.resolve(declaration.parameters[i]!.type)));
    });
    return this.invoke(declaration, values);
  }

  #part(expression: Expression & { readonly kind: 'member' | 'index' }): Value {
    const place = this.placeOf(expression);
    if (place) return this.load(place);
    const { at } = expression;
    const base = this.evaluate(expression.base);
    if (expression.kind === 'index') return this.#indexed(base, expression.index, at);
    const { type } = base;
    if (type.kind === 'struct') {
      const index = this.#fieldIndex(type, expression.name);
      const before = type.fields.slice(0, index).reduce((sum, field) => sum + this.countOf(field.type), 0);
      const of = type.fields[index]!.type;
      return plainValue(of, base.leaves.slice(before, before + this.countOf(of)));
    }
    const picked = this.#swizzle(expression.name);
    const isOnce = new Set(picked).size === picked.length;
    const leaves = picked.map((i) => (isOnce ? base.leaves[i]! : this.code.keep(base.leaves[i]!)));
    const scalar = scalarIn(type)!;
    // A leaf that is used twice is kept once.
    const unique = isOnce ? leaves : picked.map((i) => leaves[picked.indexOf(i)]!);
    return plainValue(picked.length === 1 ? typeOf(scalar) : vectorOf(scalar, picked.length), unique);
  }

  #fieldIndex(type: Type & { kind: 'struct' }, name: string): number {
    return type.fields.findIndex((field) => field.name === name);
  }

  #swizzle(name: string): number[] {
    const letter = members.find((set) => set.includes(name[0]!))!;
    return Array.from(name, (c) => letter.indexOf(c));
  }

  #indexed(base: Value, given: Expression, at: number): Value {
    const index = this.#index(given);
    if (index.known === null && isKnown(base)) {
      const { type: own, leaves } = this.concrete(base);
      return this.load(this.element(this.table(own, leaves), index));
    }
    // A variable that nobody else sees.
    const place = this.declare(base.type, at, Infinity);
    this.storeLeaves(place, base.leaves);
    return this.load(this.element(place, index));
  }

  #index(expression: Expression): Leaf {
    return this.concrete(this.evaluate(expression)).leaves[0]!;
  }

  /** The place that an expression names; null where it is a value. */
  protected placeOf(expression: Expression): Place | null {
    if (expression.kind === 'name') {
      const found = this.find(expression.name);
      return 'place' in found ? found.place : null;
    }
    if (expression.kind === 'unary' && expression.operator === '*') {
      return this.evaluate(expression.operand).place;
    }
    if (expression.kind === 'index') {
      const base = this.#placeOrPointer(expression.base);
      return base && this.element(base, this.#index(expression.index));
    }
    if (expression.kind !== 'member') return null;
    const base = this.#placeOrPointer(expression.base);
    if (!base) return null;
    if (base.type.kind === 'struct') return this.field(base, this.#fieldIndex(base.type, expression.name));
    if (base.type.kind === 'vector' && expression.name.length > 1) return null;
    const [index] = this.#swizzle(expression.name);
    return this.element(base, known('u32', index!));
  }

  #placeOrPointer(expression: Expression): Place | null {
    const place = this.placeOf(expression);
    if (place) return place;
    if (expression.kind !== 'name') return null;
    const found = this.find(expression.name);
    return 'value' in found && found.value.type.kind === 'pointer' ? found.value.place : null;
  }

  #unary({ operator, operand, at }: Expression & { readonly kind: 'unary' }): Value {
    if (operator === '&') {
      const place = this.placeOf(operand)!;
      return { type: pointerTo(place.type), leaves: [], place };
    }
    if (operator === '*') return this.load(this.placeOf({ kind: 'unary', operator, operand, at })!);
    const value = this.evaluate(operand);
    const apply = operator === '!' ? not : operator === '-' ? negative : complement;
    return { ...value, leaves: value.leaves.map((leaf) => apply(this.code, leaf)) };
  }

  /** `a operator b` of two leaves of one scalar. */
  protected operate(operator: string, a: Leaf, b: Leaf): Leaf {
    if (a.known !== null && b.known !== null) {
      const value = this.#held(fold(operator, a.scalar, a.known, b.known));
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
    const isOpen = shifts.has(operator) && !this.#isConstant(right);
    return this.operation(operator, isOpen ? this.concrete(a) : a, b);
  }

  /** Whether an expression is a constant to WGSL. */
  #isConstant(expression: Expression): boolean {
    if (expression.kind === 'name') {
      const found = this.find(expression.name);
      return 'value' in found && found.isConstant === true;
    }
    if (expression.kind === 'call' && this.module.functions.has(expression.callee.name)) return false;
    return partsOf(expression).every((part) => this.#isConstant(part as Expression));
  }

  protected operation(operator: string, a: Value, b: Value): Value {
    if (shifts.has(operator)) {
      const amount = this.converted(b, withScalar(b.type, 'u32'));
      return { ...a, leaves: a.leaves.map((leaf, i) => this.operate(operator, leaf, amount.leaves[i]!)) };
    }
    if (isMatrix(a.type) || isMatrix(b.type)) return this.#ofMatrices(operator, a, b);
    const { type, rows } = this.aligned([a, b]);
    const leaves = rows[0]!.map((leaf, i) => this.operate(operator, leaf, rows[1]![i]!));
    return plainValue(comparisons.has(operator) ? withScalar(type, 'bool') : type, leaves);
  }

  /** `a operator b` of which one is a matrix: a sum, a difference or a product. */
  #ofMatrices(operator: string, a: Value, b: Value): Value {
    const scalar = this.#fraction(this.commonScalar([a, b]));
    const [x, y] = [a, b].map((value) => this.kept(this.converted(value, withInnerScalar(value.type, scalar)))) as [
      Value,
      Value,
    ];
    const operate = (by: string, left: Leaf, right: Leaf): Leaf => this.code.keep(this.operate(by, left, right));
    if (operator !== '*')
      return plainValue(
        x.type,
        x.leaves.map((leaf, i) => operate(operator, leaf, y.leaves[i]!)),
      );
    if (x.type.kind === 'scalar')
      return plainValue(
        y.type,
        y.leaves.map((leaf) => operate('*', x.leaves[0]!, leaf)),
      );
    if (y.type.kind === 'scalar')
      return plainValue(
        x.type,
        x.leaves.map((leaf) => operate('*', leaf, y.leaves[0]!)),
      );
    // A vector on the left is a row, and one on the right a column.
    const inner = isMatrix(x.type) ? x.type.count : x.leaves.length;
    const [rows, columns] = [x.leaves.length / inner, y.leaves.length / inner];
    const leaves = Array.from({ length: rows * columns }, (_, i) => {
      const [row, column] = [i % rows, Math.floor(i / rows)];
      const terms = Array.from({ length: inner }, (_, k) =>
        operate('*', x.leaves[k * rows + row]!, y.leaves[column * inner + k]!),
      );
      return terms.reduce((sum, term) => operate('+', sum, term));
    });
    const isVector = !isMatrix(x.type) || !isMatrix(y.type);
    return plainValue(isVector ? vectorOf(scalar, leaves.length) : matrixOf(scalar, columns, rows), leaves);
  }

  /** What numbers of a matrix are: no whole numbers. */
  #fraction(scalar: Scalar): Scalar {
    return scalar === 'abstract-int' ? 'abstract-float' : scalar;
  }

  /**
   * The right side is evaluated in all lanes, unless it calls a function that may change something, or one with a loop, which
   * may never end where the left side says that it is not called.
   */
  #shortCircuit(operator: string, left: Expression, right: Expression, at: number): Value {
    const truth = (expression: Expression): Leaf => this.evaluate(expression).leaves[0]!;
    const a = truth(left);
    if (a.known !== null && (a.known === 1) === (operator === '||')) return plainValue(bool, [a]);
    if (!this.mayChange(right) && !callsLoop(right, this.module)) {
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
    const [, columns, rows] = /^mat([234])x([234])/.exec(callee.name) ?? [];
    if (columns && values.length > 0) {
      const to = callee.of || callee.name.endsWith('f') ? 'f32' : this.#fraction(this.commonScalar(values));
      const parts = values.flatMap((value) => this.#convertTo(to, value));
      return plainValue(matrixOf(to, Number(columns), Number(rows)), parts);
    }
    const plainVector = /^vec([234])$/.exec(callee.name);
    if (plainVector && !callee.of) return this.#vector(null, Number(plainVector[1]), values);
    if (callee.name === 'array' && !callee.of) {
      const { type } = values[0]!;
      const of = innerScalar(type) ? withInnerScalar(type, this.commonScalar(values)) : type;
      return this.#collect(arrayOf(of, values.length), () => of, values);
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
        return plainValue(type, this.#convertTo(type.scalar, values[0]!));
      case 'vector':
        return this.#vector(type.scalar, type.count, values);
      case 'array':
        return this.#collect(type, () => type.of, values);
      default:
        return this.#collect(type, (i) => (type as Type & { kind: 'struct' }).fields[i]!.type, values);
    }
  }

  #collect(type: Type, wanted: (i: number) => Type, values: readonly Value[]): Value {
    return plainValue(
      type,
      values.flatMap((value, i) => this.converted(value, wanted(i)).leaves),
    );
  }

  #vector(scalar: Scalar | null, count: number, values: readonly Value[]): Value {
    const to = scalar ?? this.commonScalar(values);
    const parts = values.flatMap((value) => this.#convertTo(to, value));
    const isRepeated = parts.length === 1;
    return plainValue(vectorOf(to, count), isRepeated ? new Array<Leaf>(count).fill(this.code.keep(parts[0]!)) : parts);
  }

  #convertTo(to: Scalar, { leaves }: Value): readonly Leaf[] {
    return leaves.map((leaf) => {
      if (leaf.scalar === to) return leaf;
      if (leaf.known === null) return convert(this.code, leaf, to);
      return known(to, this.#held(convertKnown(leaf.known, leaf.scalar, to)));
    });
  }
}
