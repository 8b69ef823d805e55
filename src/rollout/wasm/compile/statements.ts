/** Statements: scopes, branches, loops, and what leaves them. */
import type { Expression, Loop, Statement, TypeName } from '../wgsl/ast.ts';
import { alwaysLeaves, changedIn, contains, readsOf } from '../wgsl/syntax.ts';
import type { Type } from '../wgsl/types.ts';
import { not } from './arithmetic.ts';
import { Builtins } from './builtins.ts';
import { NOTHING, op } from './encoder.ts';
import type { Scope } from './expressions.ts';
import { FunctionCode, known, type Leaf, leafOf, type Move } from './function-code.ts';
import type { LoopState, Variable } from './lanes.ts';
import type { Value } from './places.ts';
import { Weights } from './weights.ts';

/** Total weight of the passes of a loop that is written out, and their number. */
const unrolledWeight = 500;
const unrolledPasses = 64;
/** Statements of this weight are skipped when no lane is active. */
const skippedWeight = 24;

export abstract class Statements extends Builtins {
  protected readonly weights = new Weights(this.module);

  // ---- scopes and blocks

  /** What the current statements declare is used after them. */
  protected get isOpen(): boolean {
    return this.scope.outer === null;
  }

  protected scoped(run: () => void): void {
    const scope = this.scope;
    this.scope = { names: new Map(), outer: scope };
    this.depth += 1;
    run();
    this.depth -= 1;
    this.scope = scope;
  }

  protected block(body: readonly Statement[]): void {
    this.scoped(() => this.statements(body, 0));
  }

  protected statements(body: readonly Statement[], from: number): void {
    for (let i = from; i < body.length; i++) {
      if (this.active.known === 0) return;
      const statement = body[i]!;
      if (statement.kind === 'if' && statement.otherwise.length === 0 && alwaysLeaves(statement.then)) {
        const rest = body.slice(i + 1);
        const isLong = !this.isOpen && this.#isLong(rest);
        this.#if(statement, { isLong, run: () => this.statements(rest, 0) }, true);
        return;
      }
      this.#statement(statement);
    }
  }

  #isLong(body: readonly Statement[]): boolean {
    return this.weights.of(body) > skippedWeight;
  }

  #if(
    statement: Statement & { readonly kind: 'if' },
    otherwise: { readonly isLong: boolean; run(): void },
    leaves: boolean,
  ): void {
    const { condition, then } = statement;
    const plain = this.truth1(condition);
    // A branch of WebAssembly would hide what is declared after it.
    const isHidden = this.isOpen && plain.known === null && !plain.isVarying;
    const given = isHidden ? this.code.keep(leafOf('bool', true, this.code.vectorCode(plain))) : plain;
    this.branch(given, { isLong: this.#isLong(then), run: () => this.block(then) }, otherwise, leaves);
  }

  /** The value of a condition. */
  protected truth1(expression: Expression): Leaf {
    return this.code.keep(this.evaluate(expression).leaves[0]!);
  }

  #statement(statement: Statement): void {
    const { at } = statement;
    switch (statement.kind) {
      case 'let':
      case 'const': {
        const isConstant = statement.kind === 'const';
        const value = isConstant ? this.constant(statement.value!) : this.evaluate(statement.value!);
        const type = statement.type && this.resolve(statement.type);
        const own = isConstant && !type ? value : this.typed(value, type);
        this.scope.names.set(statement.name, { value: this.kept(own), isConstant });
        return;
      }
      case 'var':
        this.#declareVariable(statement.name, statement.type, statement.value, at);
        return;
      case 'assign':
        this.#assign(statement);
        return;
      case 'call':
        this.call(statement.call);
        return;
      case 'if': {
        const { otherwise } = statement;
        this.#if(statement, { isLong: this.#isLong(otherwise), run: () => this.block(otherwise) }, false);
        return;
      }
      case 'block':
        this.block(statement.body);
        return;
      case 'switch':
        this.#switch(statement);
        return;
      case 'loop':
        this.scoped(() => this.#loop(statement));
        return;
      case 'return':
        this.#return(statement.value);
        return;
      default:
        this.#leaveLoop(statement.kind);
    }
  }

  #declareVariable(name: string, given: TypeName | null, expression: Expression | null, at: number): void {
    const type = given && this.resolve(given);
    const value = expression && this.typed(this.evaluate(expression), type);
    const leaves = value && this.kept(value).leaves;
    const place = this.declare((value?.type ?? type)!, at);
    if (leaves) {
      if ('scalars' in place.root) for (const [i, leaf] of leaves.entries()) this.put(place.root, i, leaf);
      else this.storeLeaves(place, leaves);
    } else if (!('scalars' in place.root)) {
      this.storeLeaves(place, place.type.kind === 'scalar' ? [this.zero(place.type.scalar)] : this.#zeros(place.type));
    }
    this.scope.names.set(name, { place });
  }

  #zeros(type: Type): Leaf[] {
    return this.sizedLeaves(type, 0).map((scalar) => this.zero(scalar));
  }

  #assign({ operator, target, value: expression, at }: Statement & { readonly kind: 'assign' }): void {
    if (!target) {
      this.evaluate(expression);
      return;
    }
    const place =
      this.placeOf(target) ?? this.source.unsupported(at, 'expected one component to assign to, got several');
    const left = operator === null ? null : this.load(place);
    const right = this.kept(this.evaluate(expression));
    const value = left && operator ? this.operation(operator, left, right) : right;
    this.storeLeaves(place, this.converted(value, place.type).leaves);
  }

  #switch(statement: Statement & { readonly kind: 'switch' }): void {
    const { cases } = statement;
    const on = this.kept(this.concrete(this.evaluate(statement.on)));
    const others = cases.find(({ isDefault }) => isDefault)!.body;
    const wanted = cases.filter(({ isDefault }) => !isDefault);
    const from = (i: number): void => {
      const one = wanted[i];
      if (!one) {
        this.block(others);
        return;
      }
      let hit: Leaf = known('bool', 0);
      for (const value of one.values) {
        const [leaf] = this.converted(this.constant(value), on.type).leaves;
        hit = this.either(hit, this.operate('==', on.leaves[0]!, leaf!));
      }
      this.branch(
        this.code.keep(hit),
        { isLong: this.#isLong(one.body), run: () => this.block(one.body) },
        { isLong: true, run: () => from(i + 1) },
        false,
      );
    };
    if (!cases.some(({ body }) => contains(body, 'break'))) {
      from(0);
      return;
    }
    const broken = this.truth(known('bool', 0));
    const [loops, frames] = [this.loops.length, this.frames.length];
    this.switches.push({ depth: this.depth + 1, broken, isBroken: false, loops, frames });
    from(0);
    this.switches.pop();
    this.active = this.either(this.active, broken.leaves[0]!);
  }

  // ---- leaving

  #return(expression: Expression | null): void {
    const frame = this.frames[this.frames.length - 1]!;
    const { result } = frame;
    if (expression && result) {
      const value = this.converted(this.evaluate(expression), result.type);
      for (const [i, leaf] of this.kept(value).leaves.entries()) this.assign(result, i, leaf);
    }
    if (this.loops.length > frame.firstLoop) {
      this.put(frame.returned, 0, this.code.keep(this.either(frame.returned.leaves[0]!, this.active)));
      for (const loop of this.loops.slice(frame.firstLoop)) this.#dropFrom(loop);
    }
    frame.isDiverged = true;
    this.active = known('bool', 0);
  }

  /** The active lanes leave a loop. */
  #dropFrom({ alive }: LoopState): void {
    if (alive === null) throw new Error('a lane leaves a loop alone that all lanes leave at once');
    this.put(alive, 0, this.code.keep(this.without(alive.leaves[0]!, this.active)));
  }

  #leaveLoop(kind: 'break' | 'continue'): void {
    const loop = this.loops[this.loops.length - 1]!;
    const around = this.switches[this.switches.length - 1];
    if (kind === 'break' && around?.loops === this.loops.length && around.frames === this.frames.length) {
      this.put(around.broken, 0, this.code.keep(this.either(around.broken.leaves[0]!, this.active)));
      around.isBroken = true;
      this.active = known('bool', 0);
      return;
    }
    if (kind === 'break') this.#dropFrom(loop);
    else loop.isContinued = true;
    this.active = known('bool', 0);
  }

  // ---- loops

  /**
   * Lanes leave a loop one by one, unless its condition is the only way out and the same in all lanes. What a loop changes
   * may differ between lanes from its second pass on, except for counters.
   */
  #loop(loop: Loop): void {
    if (this.#unrolled(loop)) return;
    if (loop.start) this.#statement(loop.start);
    const { code } = this;
    const before = this.active;
    const frame = this.frames[this.frames.length - 1]!;
    const mayReturn = contains(loop.body, 'return');
    const leavesInside =
      mayReturn ||
      loop.until !== null ||
      (loop.condition !== null && this.mayChange(loop.condition)) ||
      contains(loop.body, 'break') ||
      contains(loop.body, 'continue');
    const carried = this.#named(changedIn(loop));
    const counters = this.#counters(loop, carried);
    if (mayReturn) {
      // A return leaves the loops around this one too.
      const around = this.loops.slice(frame.firstLoop).flatMap((outer) => (outer.alive ? [outer.alive] : []));
      for (const one of [frame.returned, ...around, ...(frame.result ? [frame.result] : [])]) carried.add(one);
    }
    const homes = this.#homes(carried, counters);
    const alive = leavesInside || this.#differs(loop.condition) ? this.truth(before) : null;
    if (alive) homes.set(alive, this.#homes([alive], counters).get(alive)!);
    const pass = this.region(() => this.#pass(loop, alive, homes));
    for (const variable of pass.changed.keys()) {
      if (!homes.has(variable) && variable !== this.mask) throw new Error('a loop changes what it does not name');
    }
    // The condition may hold forever where no lane gets here.
    const skip = alive || before.known !== null ? [] : [this.anyOf(before), op.eqz, op.brIf, 0];
    code.emit(op.block, NOTHING, skip, op.loop, NOTHING, pass.code, op.end, op.end);
    this.active = mayReturn ? this.without(before, frame.returned.leaves[0]!) : before;
  }

  /** One pass of a loop, and the branch to the next one. */
  #pass(loop: Loop, alive: Variable | null, homes: ReadonlyMap<Variable, readonly Leaf[]>): void {
    const { code } = this;
    const leaveIfNone = (): void => code.emit(this.anyOf(this.active), op.eqz, op.brIf, 1);
    // What a condition changes reaches the end of the pass.
    const isPlain = !loop.condition || !this.mayChange(loop.condition);
    const state: LoopState = { depth: this.depth, bodyDepth: this.depth + 1, alive, isContinued: false };
    this.loops.push(state);
    if (alive) this.active = alive.leaves[0]!;
    if (alive && !isPlain) leaveIfNone();
    const goesOn = loop.condition && this.truth1(loop.condition);
    if (goesOn && !alive && goesOn.known !== 1) code.emit(code.scalarCode(not(code, goesOn)), op.brIf, 1);
    if (goesOn && alive) this.active = this.both(alive.leaves[0]!, goesOn);
    if (alive) this.put(alive, 0, this.active);
    if (alive && isPlain) leaveIfNone();
    const update = (): void => {
      state.isContinued = false;
      if (alive) this.active = alive.leaves[0]!;
      this.scoped(() => {
        this.statements(loop.update, 0);
        if (loop.until && alive) this.put(alive, 0, code.keep(this.without(alive.leaves[0]!, this.truth1(loop.until))));
      });
    };
    this.scoped(() => {
      this.statements(loop.body, 0);
      if (loop.isPlain) update();
    });
    if (!loop.isPlain) update();
    this.loops.pop();
    const moves: Move[] = [];
    for (const [variable, leaves] of homes) {
      for (const [i, to] of leaves.entries()) moves.push({ from: variable.leaves[i]!, to });
    }
    code.move(moves);
    code.emit(op.br, 0);
  }

  /** Variables that the names in these statements, or what they point to, stand for. */
  #named(names: ReadonlySet<string>): Set<Variable> {
    const found = new Set<Variable>();
    for (let scope: Scope | null = this.scope; scope; scope = scope.outer) {
      for (const [name, binding] of scope.names) {
        const place = 'place' in binding ? binding.place : binding.value.place;
        if (place && 'scalars' in place.root && names.has(name)) found.add(place.root);
      }
    }
    return found;
  }

  /** Variables of the loop's head that are the same in all lanes in each pass: only `update` changes them, uniformly. */
  #counters(loop: Loop, carried: ReadonlySet<Variable>): ReadonlySet<Variable> {
    const inBody = this.#named(changedIn({ ...loop, update: [] }));
    const found = [...carried].filter(
      (one) => one.depth >= this.depth && !inBody.has(one) && one.leaves.every((leaf) => leaf && !leaf.isVarying),
    );
    if (found.length === 0) return new Set();
    let areSame = true;
    this.region(() => {
      this.#homes(carried, new Set(found));
      this.block(loop.update);
      areSame = found.every(({ leaves }) => leaves.every((leaf) => !leaf!.isVarying));
    });
    return new Set(areSame ? found : []);
  }

  /** Whether the lanes may have different values of a condition. */
  #differs(condition: Expression | null): boolean {
    let differs = false;
    if (condition) {
      this.region(() => {
        differs = this.truth1(condition).isVarying;
      });
    }
    return differs;
  }

  /** Locals that hold the leaves of variables from pass to pass. */
  #homes(carried: Iterable<Variable>, counters: ReadonlySet<Variable>): Map<Variable, readonly Leaf[]> {
    const homes = new Map<Variable, readonly Leaf[]>();
    const moves: Move[] = [];
    for (const variable of carried) {
      const leaves = variable.scalars.map((scalar, i) => {
        const to = this.code.slot(scalar, !counters.has(variable));
        moves.push({ from: variable.leaves[i] ?? this.zero(scalar), to });
        return to;
      });
      homes.set(variable, leaves);
    }
    this.code.move(moves);
    for (const [variable, leaves] of homes) this.putAll(variable, leaves);
    return homes;
  }

  /** Writes out a loop over known numbers; false where it is none, or long. */
  #unrolled({ start, condition, update, until, body }: Loop): boolean {
    const [step] = update;
    if (start?.kind !== 'var' || !condition || !start.value || until || update.length !== 1) return false;
    if (step?.kind !== 'assign' || step.target?.kind !== 'name' || step.target.name !== start.name || !step.operator)
      return false;
    if (contains(body, 'break') || contains(body, 'continue')) return false;
    const [at, isPlain] = [start.at, false];
    const loop: Loop = { kind: 'loop', at, isPlain, start: null, condition: null, body, update: [], until: null };
    const inside = changedIn(loop);
    const changed = this.#named(inside);
    const read = this.#named(new Set([condition, step.value].flatMap((one) => [...readsOf(one).names])));
    if (inside.has(start.name) || [...read].some((variable) => changed.has(variable))) return false;
    const first = this.#knownValue(start.value);
    if (!first) return false;
    const given = this.typed(first, start.type && this.resolve(start.type));
    const passes: Value[] = [];
    const weight = this.weights.of(body);
    const isOn = (value: Value): Leaf | null => {
      this.scope.names.set(start.name, { value });
      return this.#knownValue(condition)?.leaves[0] ?? null;
    };
    for (let value = given; ; ) {
      const on = isOn(value);
      const by = on && this.#knownValue(step.value);
      if (!on || !by) {
        this.scope.names.delete(start.name);
        return false;
      }
      if (on.known === 0) break;
      passes.push(value);
      if (passes.length > unrolledPasses || passes.length * weight > unrolledWeight) {
        this.scope.names.delete(start.name);
        return false;
      }
      value = this.operation(step.operator, value, by);
    }
    for (const value of passes) {
      this.scope.names.set(start.name, { value });
      if (this.active.known !== 0) this.block(body);
    }
    return true;
  }

  /** The value of an expression without calls, null if it is not known. */
  #knownValue(expression: Expression): Value | null {
    if (readsOf(expression).calls) return null;
    const code = this.code;
    this.code = new FunctionCode();
    const value = this.evaluate(expression);
    this.code = code;
    return value.leaves.every((leaf) => leaf.known !== null) && value.leaves.length > 0 ? value : null;
  }
}
