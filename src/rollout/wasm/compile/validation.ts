/**
 * What makes a text wrong WGSL beside its grammar: types, names, constants, ways through functions, pointers. All functions
 * are checked, each once and whole: also those that are never called, and statements that are never reached. Types and
 * constants are those of the compiler, which evaluates expressions here too, of numbers of which only constants are known.
 */
import type { CallExpression, Expression, FunctionDeclaration, Loop, Module, Statement } from '../wgsl/ast.ts';
import type { Source } from '../wgsl/source.ts';
import { bool, i32, isUnsized, leavesOf, nameOf, type Type, u32 } from '../wgsl/types.ts';
import type { Binding, Scope } from './expressions.ts';
import { FunctionCode, known, type Leaf, unknownOf } from './function-code.ts';
import type { MemoryArea, Place, Value } from './places.ts';
import { Statements } from './statements.ts';

/** How control leaves statements: a set of bits. */
const next = 1;
const ways = { break: 2, continue: 4, return: 8 };
/** Calls inside of one another. */
const maxCalls = 64;

/** What a function does with what its parameters point to, by their numbers, and how many calls it makes inside of one another. */
interface Uses {
  readonly reads: Set<number>;
  readonly writes: Set<number>;
  calls: number;
}

/** Keeps nothing. */
class NoCode extends FunctionCode {
  override emit(): void {}
  override keep(leaf: Leaf): Leaf {
    return leaf.known === null ? unknownOf(leaf.scalar) : leaf;
  }
}

export class Validation extends Statements {
  readonly #uses = new Map<FunctionDeclaration, Uses | null>();
  /** of the current function */
  #own: Uses = { reads: new Set(), writes: new Set(), calls: 0 };
  #pointers = new Map<Place['root'], number>();
  #result: Type | null = null;
  /** ways in which the current statements may be left */
  #allowed = 0;
  /** offset of the current statement */
  #at = 0;

  constructor(source: Source, module: Module) {
    super(source, module);
    this.code = new NoCode();
    this.isChecking = true;
  }

  /** @throws CompileError with the place of the first thing that is wrong */
  check(): void {
    const { structs, aliases, constants, buffers, functions, asserts } = this.module;
    for (const { name, at, fields } of structs.values()) {
      if (fields.length === 0) this.source.fail(at, `expected fields of "${name}", got none`);
      this.#once(fields, 'field');
      this.resolve({ at, name, of: null, size: null });
    }
    for (const type of aliases.values()) this.resolve(type);
    for (const { name, at } of [...constants.values(), ...buffers.values()]) this.find(name, at);
    for (const { type } of buffers.values()) {
      if (leavesOf(this.resolve(type)).includes('bool'))
        this.source.fail(type.at, 'expected a buffer of numbers, got one of bool');
    }
    for (const value of asserts) this.#assert(value);
    for (const declaration of functions.values()) this.#function(declaration, declaration.at);
  }

  #once(named: readonly { readonly name: string; readonly at: number }[], what: string): void {
    const names = new Set<string>();
    for (const { name, at } of named) {
      if (names.has(name)) this.source.fail(at, `expected another name of this ${what}, got "${name}" again`);
      names.add(name);
    }
  }

  #assert(value: Expression): void {
    const { type, leaves } = this.constant(value);
    if (type !== bool || leaves[0]!.known !== 1)
      this.source.fail(value.at, 'expected a constant that is true, got another');
  }

  // ---- functions

  #function(declaration: FunctionDeclaration, at: number): Uses {
    const { name, parameters, result, body } = declaration;
    const seen = this.#uses.get(declaration);
    if (seen) return seen;
    if (seen === null)
      return this.source.fail(at, `expected no recursion, got a call of "${name}" inside of it; use a loop`);
    this.#uses.set(declaration, null);
    const outer = [this.scope, this.#own, this.#pointers, this.#result, this.#allowed] as const;
    this.#own = { reads: new Set(), writes: new Set(), calls: 0 };
    this.#pointers = new Map();
    this.#result = result && this.sized(result);
    this.#allowed = ways.return;
    this.#once(parameters, 'parameter');
    const names = new Map<string, Binding>();
    this.scope = { names, outer: null };
    parameters.forEach((parameter, i) => {
      const type = this.resolve(parameter.type);
      if (type.kind !== 'pointer') this.sized(parameter.type);
      const place = type.kind === 'pointer' ? this.declare(type.to) : null;
      if (place) this.#pointers.set(place.root, i);
      names.set(parameter.name, { value: place ? { type, leaves: [], place } : this.some(type) });
    });
    if (this.#body(body) & next && result) {
      this.source.fail(
        declaration.at,
        `expected ${name} to return ${nameOf(this.#result!)} on every way, got one without a return`,
      );
    }
    const own = this.#own;
    [this.scope, this.#own, this.#pointers, this.#result, this.#allowed] = outer;
    this.#uses.set(declaration, own);
    return own;
  }

  protected override invoke(declaration: FunctionDeclaration, values: readonly Value[], at: number): Value | null {
    const { name, result, isEntry } = declaration;
    const some = result && this.some(this.resolve(result));
    if (this.module.functions.get(name) !== declaration) {
      // A function of WGSL is a constant of constants.
      if (values.some(({ leaves }) => leaves[0]!.known === null)) return some;
      const { isChecking } = this;
      this.isChecking = false;
      const made = this.inline(declaration, values);
      this.isChecking = isChecking;
      return made;
    }
    if (isEntry) this.source.fail(at, `expected a function, got the entry point "${name}"; call another`);
    const { reads, writes, calls } = this.#function(declaration, at);
    const own = this.#own;
    own.calls = Math.max(own.calls, calls + 1);
    if (own.calls > maxCalls)
      this.source.unsupported(at, `expected at most ${maxCalls} calls inside of one another, got more`);
    const roots = values.map(({ place }) => place?.root);
    roots.forEach((root, i) => {
      if (!root) return;
      if (this.#isBuffer(root))
        this.source.fail(at, 'expected a pointer to a variable of a function, got one to a buffer');
      for (let j = 0; j < i; j++) {
        const isUsed = (k: number): boolean => reads.has(k) || writes.has(k);
        const isShared = roots[j] === root && ((writes.has(i) && isUsed(j)) || (writes.has(j) && isUsed(i)));
        if (isShared)
          this.source.fail(at, `expected pointers to different variables, got two to one, which "${name}" changes`);
      }
      if (reads.has(i)) this.#use(root, 'reads');
      if (writes.has(i)) this.#use(root, 'writes');
    });
    return some;
  }

  #isBuffer(root: Place['root']): boolean {
    return 'kind' in root && root.kind === 'shared';
  }

  #use(root: Place['root'], how: 'reads' | 'writes'): void {
    const parameter = this.#pointers.get(root);
    if (parameter !== undefined) this.#own[how].add(parameter);
  }

  protected override overridden({ type }: Value): Value {
    return this.some(type);
  }

  protected override kept(value: Value): Value {
    return value;
  }

  protected override declare(type: Type): Place {
    const root: MemoryArea = { kind: 'lanes', base: known('u32', 0), count: null, isWritable: true };
    return { type, root, offset: 0, dynamic: null };
  }

  protected override table(type: Type): Place {
    return this.declare(type);
  }

  protected override load({ type, root }: Place): Value {
    if (isUnsized(type)) this.source.fail(this.#at, `expected a value of known size, got ${nameOf(type)}; index it`);
    this.#use(root, 'reads');
    return this.some(type);
  }

  protected override call(call: CallExpression): Value | null {
    const { name, at } = call.callee;
    for (let scope: Scope | null = this.scope; scope; scope = scope.outer) {
      if (scope.names.has(name))
        return this.source.fail(at, `expected a function or a type, got "${name}"; rename one of them`);
    }
    const made = super.call(call);
    // Parts of what is no constant are none.
    return made?.leaves.some((leaf) => leaf.known === null) ? this.some(made.type) : made;
  }

  // ---- statements

  /** Statements of the current scope. */
  #body(body: readonly Statement[]): number {
    let left = next;
    for (const statement of body) {
      const own = this.#statement(statement);
      if (left & next) left = (left & ~next) | own;
    }
    return left;
  }

  #inside(run: () => number, allowed = this.#allowed): number {
    const [scope, outer] = [this.scope, this.#allowed];
    this.scope = { names: new Map(), outer: scope };
    this.#allowed = allowed;
    const left = run();
    [this.scope, this.#allowed] = [scope, outer];
    return left;
  }

  #block(body: readonly Statement[], allowed = this.#allowed): number {
    return this.#inside(() => this.#body(body), allowed);
  }

  #statement(statement: Statement): number {
    const { at, kind } = statement;
    this.#at = at;
    switch (kind) {
      case 'let':
      case 'const':
      case 'var':
        this.#declare(statement);
        return next;
      case 'assign':
        this.#assign(statement);
        return next;
      case 'call': {
        const { callee } = statement.call;
        const made = this.call(statement.call);
        const declared = this.module.functions.get(callee.name);
        if (made && (!declared || declared.mustUse))
          this.source.fail(at, `expected a use of what "${callee.name}" returns, got none; remove the call`);
        return next;
      }
      case 'if':
        this.#truth(statement.condition);
        return this.#block(statement.then) | this.#block(statement.otherwise);
      case 'block':
        return this.#block(statement.body);
      case 'switch':
        return this.#switch(statement);
      case 'loop':
        return this.#inside(() => this.#loop(statement));
      case 'assert':
        this.#assert(statement.value);
        return next;
      default: {
        if (!(this.#allowed & ways[kind])) {
          this.source.fail(
            at,
            kind === 'return'
              ? 'expected no return in "continuing", got one'
              : `expected a loop around "${kind}", got none`,
          );
        }
        if (kind === 'return') this.#return(statement.value, at);
        return ways[kind];
      }
    }
  }

  #name(name: string, binding: Binding, at: number): void {
    const { names } = this.scope;
    if (names.has(name)) this.source.fail(at, `expected another name, got "${name}" again; rename one of them`);
    names.set(name, binding);
  }

  #declare({
    kind,
    name,
    type: given,
    value: expression,
    at,
  }: Statement & { readonly kind: 'let' | 'var' | 'const' }): void {
    const type = given && (kind === 'let' ? this.resolve(given) : this.sized(given));
    const value = expression && (kind === 'const' ? this.constant(expression) : this.evaluate(expression));
    if (!value && !type) this.source.fail(at, `expected a type or a value of "${name}", got none`);
    const own = value && expression && (kind === 'const' && !type ? value : this.typed(value, type, expression.at));
    if (kind !== 'var') {
      const isKnown = kind === 'const' || own!.place !== null;
      this.#name(name, { value: isKnown ? own! : this.some(own!.type), isConstant: kind === 'const' }, at);
      return;
    }
    if (own?.type.kind === 'pointer') this.source.fail(at, `expected a value of "${name}", got a pointer; use let`);
    this.#name(name, { place: this.declare((own?.type ?? type)!) }, at);
  }

  #assign({ operator, isStep, target, value, at }: Statement & { readonly kind: 'assign' }): void {
    if (!target) {
      this.evaluate(value);
      return;
    }
    const place = this.placeOf(target);
    if (!place) {
      const isSwizzle = target.kind === 'member' && this.placeOf(target.base)?.type.kind === 'vector';
      if (isSwizzle) this.source.unsupported(at, 'expected one component to assign to, got several');
      this.source.fail(at, 'expected a variable to assign to, got a value; declare it with var');
      return;
    }
    const { root, type } = place;
    if (!(root as MemoryArea).isWritable) {
      this.source.fail(at, 'expected a variable to assign to, got a buffer that is only read');
    }
    if (isStep && type !== i32 && type !== u32) {
      this.source.fail(at, `expected a whole number to count, got ${nameOf(type)}; write += 1`);
    }
    const right = this.evaluate(value);
    this.converted(operator ? this.operation(operator, this.load(place), right, at) : right, type, at);
    this.#use(root, 'writes');
  }

  #truth(expression: Expression): void {
    const { type } = this.evaluate(expression);
    if (type !== bool) this.source.fail(expression.at, `expected a bool, got ${nameOf(type)}; compare it`);
  }

  #return(value: Expression | null, at: number): void {
    const type = this.#result;
    if ((value === null) !== (type === null)) {
      this.source.fail(
        at,
        `expected ${type ? nameOf(type) : 'nothing'} to return, got ${value ? 'a value' : 'nothing'}`,
      );
    }
    if (value) this.converted(this.evaluate(value), type!, value.at);
  }

  #switch({ on, cases, at }: Statement & { readonly kind: 'switch' }): number {
    const { type } = this.concrete(this.evaluate(on), on.at);
    if (type !== i32 && type !== u32) this.source.fail(at, `expected a whole number to switch on, got ${nameOf(type)}`);
    const defaults = cases.filter(({ isDefault }) => isDefault).length;
    if (defaults !== 1) this.source.fail(at, `expected one default in the switch, got ${defaults}`);
    const seen = new Set<number>();
    let left = 0;
    for (const { values, body } of cases) {
      for (const value of values) {
        const number = this.converted(this.constant(value), type, value.at).leaves[0]!.known!;
        if (seen.has(number)) this.source.fail(value.at, `expected another case, got ${number} again`);
        seen.add(number);
      }
      left |= this.#block(body, this.#allowed | ways.break);
    }
    return left & ways.break ? (left & ~ways.break) | next : left;
  }

  #loop({ isPlain, start, condition, update, until, body, at }: Loop): number {
    if (start) this.#statement(start);
    if (condition) this.#truth(condition);
    const after = (): void => {
      this.#inside(() => {
        this.#body(update);
        if (until) this.#truth(until);
        return next;
      }, 0);
    };
    const inside = (): number => {
      const left = this.#body(body);
      if (isPlain) after();
      return left;
    };
    const left = this.#inside(inside, ways.break | ways.continue | (this.#allowed & ways.return));
    if (!isPlain) after();
    const isLeft = condition || until || left & ways.break;
    const out = (left & ways.return) | (isLeft ? next : 0);
    if (out === 0)
      this.source.fail(at, 'expected a way out of the loop, got none; add a break, a return or a condition');
    return out;
  }
}
