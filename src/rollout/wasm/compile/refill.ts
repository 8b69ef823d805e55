/**
 * An entry point that is a loop between other statements, as that of the rollout. The first statements begin an invocation in
 * the lanes that are free, the loop runs as long as all others go on, and the last statements end the invocations that are over.
 */
import type { FunctionDeclaration, Loop, Statement } from '../wgsl/ast.ts';
import { changedIn, contains } from '../wgsl/syntax.ts';
import { not, select } from './arithmetic.ts';
import { Calls } from './calls.ts';
import { type Code, NOTHING, op, simd } from './encoder.ts';
import type { Binding, Scope } from './expressions.ts';
import { known, type Leaf, localOf, type Move } from './function-code.ts';
import type { Variable } from './lanes.ts';
import type { Value } from './places.ts';

/** Lanes of a vector. */
export const lanes = 4;
/** A lane that is over waits until the others have made this share of the steps that beginning takes. */
const patience = 1;
/**
 * Longest pass that is made for two vectors side by side. Their instructions depend on nothing of one another, so that the one
 * fills the time in which the other waits; a longer pass fills it itself, and would only be compiled twice.
 */
const pairedWeight = 250;
/** More steps than a lane waits. */
const endless = 2 ** 31 - 1;

export interface Refillable {
  readonly before: readonly Statement[];
  readonly loop: Loop;
  readonly after: readonly Statement[];
}

/** The parts of an entry point with one loop that all its lanes leave by the condition; null: it has others. */
export function refillable({ body }: FunctionDeclaration): Refillable | null {
  const at = body.findIndex(({ kind }) => kind === 'loop');
  const loop = body[at];
  if (loop?.kind !== 'loop' || !loop.condition || loop.start || loop.until) return null;
  const inside = [...loop.body, ...loop.update];
  if (contains(inside, 'break') || contains(inside, 'continue') || contains(inside, 'return')) return null;
  const after = body.slice(at + 1);
  if (contains(after, 'return')) return null;
  return { before: body.slice(0, at), loop, after };
}

/** Four lanes of those that are side by side. */
interface Vector {
  /** lanes with an invocation that goes on, and those that begin one */
  readonly live: Leaf;
  readonly fresh: Leaf;
  /** what names stand for in these lanes, and the locals that hold their variables from pass to pass */
  readonly scope: Scope;
  readonly homes: readonly Home[];
}

/** Where a leaf of a variable is from pass to pass. */
interface Home {
  readonly variable: Variable;
  readonly index: number;
  readonly to: Leaf;
}

/** Locals that say which invocations are in the lanes. */
interface Occupancy {
  readonly vectors: readonly Pick<Vector, 'live' | 'fresh'>[];
  /** the invocation that begins next, and those that begin now */
  readonly next: Leaf;
  readonly ids: Leaf;
  /** number of free lanes, 0 where no invocation is left for them; what they may wait, summed over them, in passes */
  readonly idle: Leaf;
  readonly credit: Leaf;
  /** pushes whether invocations are left */
  readonly hasMore: Code;
}

export abstract class Refill extends Calls {
  protected abstract valuesOf(declaration: FunctionDeclaration, ids: Leaf): Value[];

  protected refilling(declaration: FunctionDeclaration, parts: Refillable, first: Leaf, end: Leaf): void {
    const { code } = this;
    const { before, loop, after } = parts;
    const [beginning, passing] = [this.weights.of(before), Math.max(1, this.weights.of(loop.body))];
    const local = (scalar: 'u32' | 'bool', isVarying: boolean): Leaf => code.slot(scalar, isVarying);
    const [next, idle, credit] = [local('u32', false), local('u32', false), local('u32', false)];
    // A place in memory is that of one vector.
    const count = passing <= pairedWeight && this.inMemory.size === 0 ? 2 : 1;
    const occupancy: Occupancy = {
      vectors: Array.from({ length: count }, () => ({ live: local('bool', true), fresh: local('bool', true) })),
      ...{ next, idle, credit, ids: local('u32', true), hasMore: [next.code, code.scalarCode(end), op.ltU] },
    };
    const { vectors, hasMore } = occupancy;
    this.#set(next, code.scalarCode(first));
    for (const { live } of vectors) this.#set(live, code.splat(0));
    code.emit(op.block, NOTHING, op.loop, NOTHING);
    this.#handOut(occupancy);
    this.#begin(declaration, before, occupancy);
    const started = code.vectorCode(this.active);
    const filled = this.#blended(loop, after, occupancy);
    for (const { live, fresh } of vectors) this.#set(live, live.code, started, fresh.code, simd.and, simd.or);
    this.#countIdle(occupancy);
    // Half of two vectors is filled at a time.
    if (vectors.length > 1) code.emit(idle.code, op.i32, lanes, op.geU, op.brIf, 0);
    code.emit(this.#isEmpty(occupancy), op.if, NOTHING, hasMore, op.brIf, 1, op.br, 2, op.end);
    this.#set(credit, op.i32, Math.max(1, Math.round((patience * lanes * beginning) / passing)));
    this.#passes(loop, after, filled, occupancy);
    code.emit(op.end, op.end);
    this.frames.pop();
  }

  #set(to: Leaf, ...from: Code): void {
    this.code.emit(from, op.set, localOf(to));
  }

  /** Pushes whether one of some truths holds in any lane. */
  #anyOf([first, ...others]: readonly Leaf[]): Code {
    const { code } = this;
    return [code.vectorCode(first!), others.map((leaf) => [code.vectorCode(leaf), simd.or]), simd.any];
  }

  /** Pushes whether no lane has an invocation that goes on. */
  #isEmpty({ vectors }: Occupancy): Code {
    return [this.#anyOf(vectors.map(({ live }) => live)), op.eqz];
  }

  #countIdle({ idle, vectors, hasMore }: Occupancy): void {
    const busy = vectors.map(({ live }) => [live.code, simd.bitmask, op.popcnt, op.sub]);
    this.#set(idle, op.i32, lanes * vectors.length, busy, op.i32, 0, hasMore, op.select);
  }

  /** Gives the next invocations to lanes that are free: to one of those with the same number. */
  #handOut({ vectors, next, ids, hasMore }: Occupancy): void {
    const { code } = this;
    for (const { fresh } of vectors) this.#set(fresh, code.splat(0));
    for (let lane = 0; lane < lanes; lane++) {
      for (const { live, fresh } of vectors) {
        code.emit(live.code, simd.extract, lane, op.eqz, hasMore, op.and, op.if, NOTHING);
        this.#set(ids, ids.code, next.code, simd.replace, lane);
        this.#set(fresh, fresh.code, op.i32, -1, simd.replace, lane);
        this.#set(next, next.code, op.i32, 1, op.add);
        code.emit(op.else);
      }
      code.emit(vectors.map(() => op.end));
    }
  }

  /** The statements before the loop, in the fresh lanes; the scope stays open. */
  #begin(declaration: FunctionDeclaration, before: readonly Statement[], { vectors, ids }: Occupancy): void {
    const values = this.valuesOf(declaration, ids);
    const names = new Map(declaration.parameters.map(({ name }, i) => [name, { value: values[i]! }]));
    this.scope = { names, outer: null };
    this.depth = 2;
    this.frames.push({
      name: declaration.name,
      depth: 1,
      result: null,
      returned: this.truth(known('bool', 0)),
      firstLoop: 0,
      isDiverged: false,
    });
    this.active = vectors.map(({ fresh }) => fresh).reduce((a, b) => this.either(a, b));
    this.runsOnce = true;
    this.statements(before, 0);
    this.runsOnce = false;
    this.frames[0]!.isDiverged = false;
  }

  /** The loop, and behind it what ends invocations: inside, it would cost the loop its registers. */
  #passes(loop: Loop, after: readonly Statement[], vectors: readonly Vector[], occupancy: Occupancy): void {
    const { code } = this;
    const { idle, credit } = occupancy;
    let ending: Code = [];
    const { code: pass, changed } = this.region(() => {
      const overs = vectors.map((vector) => {
        this.#enter(vector);
        return code.keep(this.both(vector.live, not(code, this.truth1(loop.condition!))));
      });
      code.emit(this.#anyOf(overs), credit.code, op.i32, 0, op.ltS, op.or, op.brIf, 1);
      ending = this.region(() => this.#end(after, vectors, overs, occupancy)).code;
      for (const vector of vectors) {
        this.#enter(vector);
        this.block(loop.body);
        this.block(loop.update);
        code.move(vector.homes.map(({ variable, index, to }) => ({ from: variable.leaves[index]!, to })));
      }
    });
    const kept = new Set([this.mask, ...vectors[0]!.homes.map(({ variable }) => variable)]);
    for (const variable of changed.keys()) {
      if (!kept.has(variable)) throw new Error('a variable changed that the loop does not name');
    }
    code.emit(op.loop, NOTHING, op.block, NOTHING, op.loop, NOTHING, pass);
    this.#set(credit, credit.code, idle.code, op.sub);
    code.emit(op.br, 0, op.end, op.end, ending, op.br, 0, op.end);
  }

  /** The names and variables of a vector, in its lanes. */
  #enter({ scope, homes, live }: Vector): void {
    this.scope = scope;
    for (const { variable, index, to } of homes) this.put(variable, index, to);
    this.put(this.mask, 0, live);
  }

  /** The last statements, in the lanes that are over; then these are free, and may get the next invocations. */
  #end(after: readonly Statement[], vectors: readonly Vector[], overs: readonly Leaf[], occupancy: Occupancy): void {
    const { code } = this;
    const { credit, hasMore } = occupancy;
    vectors.forEach((vector, i) => {
      const over = overs[i]!;
      this.#enter(vector);
      this.branches.push(this.depth + 1);
      this.put(this.mask, 0, over);
      this.guarded(true, () => this.block(after));
      this.branches.pop();
      this.#set(vector.live, vector.live.code, code.vectorCode(over), simd.andnot);
    });
    this.#countIdle(occupancy);
    this.#set(credit, credit.code, op.i32, endless, hasMore, op.select);
    // To the head of the outer loop.
    code.emit(this.#isEmpty(occupancy), credit.code, op.i32, 0, op.ltS, op.or, op.brIf, 1);
  }

  /** Keeps what lanes that go on hold: in every name that is not the same for all invocations. */
  #blended(loop: Loop, after: readonly Statement[], { vectors }: Occupancy): readonly Vector[] {
    const { code } = this;
    const changing = changedIn({ ...loop, body: [...loop.body, ...loop.update, ...after], start: null });
    const held: (Omit<Home, 'to'> & { readonly from: Leaf })[] = [];
    const seen = new Set<Variable>();
    for (const [name, binding] of this.scope.names) {
      const variable = 'place' in binding && 'scalars' in binding.place.root ? binding.place.root : null;
      if (variable === null || seen.has(variable)) continue;
      seen.add(variable);
      variable.leaves.forEach((leaf, index) => {
        const from = leaf ?? this.zero(variable.scalars[index]!);
        if (changing.has(name) || from.isVarying) held.push({ variable, index, from });
      });
    }
    return vectors.map(({ live, fresh }) => {
      const moves: Move[] = [];
      const home = (from: Leaf): Leaf => {
        const to = code.slot(from.scalar, true);
        moves.push({ from: code.keep(select(code, fresh, from, to)), to });
        return to;
      };
      const names = new Map<string, Binding>();
      for (const [name, binding] of this.scope.names) {
        const value = 'value' in binding ? binding.value : null;
        const leaves = value?.leaves.map((leaf) => (leaf.isVarying ? home(leaf) : leaf));
        names.set(name, value && leaves ? { ...binding, value: { ...value, leaves } } : binding);
      }
      const homes = held.map(({ variable, index, from }) => ({ variable, index, to: home(from) }));
      code.move(moves);
      return { live, fresh, scope: { names, outer: null }, homes };
    });
  }
}
