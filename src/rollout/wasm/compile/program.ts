/**
 * From a linked program to a WebAssembly module that runs an entry point for consecutive invocations, four at a time.
 *
 * An entry point that is a loop between other statements, as that of the rollout, refills its lanes: the first
 * statements begin an invocation in the lanes that are free, the loop runs as long as all others go on, and the last
 * statements end the invocations that are over.
 */

import type { FunctionDeclaration, Loop, Statement } from '../wgsl/ast.ts';
import { parse } from '../wgsl/parser.ts';
import { type Linked, Source } from '../wgsl/source.ts';
import { changedIn, contains } from '../wgsl/syntax.ts';
import { vectorOf } from '../wgsl/types.ts';
import { binary, not, select } from './arithmetic.ts';
import { type Code, encodeModule, NOTHING, op, simd } from './encoder.ts';
import { known, type Leaf, leafOf, localOf, type Move } from './function-code.ts';
import type { Variable } from './lanes.ts';
import { NeedsMemory, plainValue, type Value } from './places.ts';
import { Statements } from './statements.ts';

/** Where a program expects its buffers. */
export interface Layout {
  /** addresses of buffers of known size, by binding */
  readonly fixedBuffers: ReadonlyMap<number, number>;
  /** bytes per element of the others, by binding */
  readonly strides: ReadonlyMap<number, number>;
  /** first byte that the program does not use itself: buffers of unknown size follow */
  readonly end: number;
}

export interface CompiledProgram extends Layout {
  /** exports `run(first, end)`, imports `env.memory` */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A lane that is over waits until the others have made this share of the steps that beginning takes. */
const patience = 1;
const lanes = 4;

/** The program is right (`ShaderCheck`). @throws UnsupportedError with path, line and column of what does not compile here */
export function compileProgram(linked: Linked, entry: string): CompiledProgram {
  const module = parse(linked);
  const source = new Source(linked);
  const inMemory = new Set<number>();
  for (;;) {
    const compiler = new ProgramCompiler(source, module);
    for (const at of inMemory) compiler.inMemory.add(at);
    try {
      return compiler.compile(entry);
    } catch (error) {
      if (!(error instanceof NeedsMemory) || inMemory.has(error.at)) throw error;
      inMemory.add(error.at);
    }
  }
}

class ProgramCompiler extends Statements {
  compile(entry: string): CompiledProgram {
    const declaration = this.module.functions.get(entry)!;
    // In the order of the text, so that addresses do not depend on which is used first.
    for (const name of this.module.buffers.keys()) this.find(name);
    const first = this.code.parameter('u32', false);
    const end = this.code.parameter('u32', false);
    const parts = refillable(declaration);
    if (parts) this.#refilling(declaration, parts, first, end);
    else this.#groups(declaration, first, end);
    this.functions.push(this.code.finish('run'));
    const bytes = encodeModule(this.functions, this.data, Math.ceil(this.free / 65536));
    return { bytes, fixedBuffers: this.fixedBuffers, strides: this.strides, end: this.free };
  }

  #values(declaration: FunctionDeclaration, ids: Leaf): Value[] {
    const triple = (x: Leaf, y: number): Value => plainValue(vectorOf('u32', 3), [x, known('u32', y), known('u32', y)]);
    return declaration.parameters.map(({ builtin, name, type, at }) => {
      const given =
        builtin === 'global_invocation_id'
          ? triple(ids, 0)
          : builtin === 'num_workgroups'
            ? triple(known('u32', 1), 1)
            : null;
      if (!given)
        return this.source.unsupported(at, `expected global_invocation_id or num_workgroups, got "${builtin ?? name}"`);
      return this.converted(given, this.resolve(type), at);
    });
  }

  /** Groups of four invocations, one after the other. */
  #groups(declaration: FunctionDeclaration, first: Leaf, end: Leaf): void {
    const { code } = this;
    const base = code.slot('u32', false);
    code.move([{ from: first, to: base }]);
    code.emit(op.block, NOTHING, op.loop, NOTHING);
    code.emit(code.scalarCode(base), code.scalarCode(end), op.geU, op.brIf, 1);
    const ids = code.keep(leafOf('u32', true, [code.vectorCode(base), code.words([0, 1, 2, 3]), simd.add]));
    this.active = binary(code, '<', ids, end);
    this.inline(declaration, this.#values(declaration, ids));
    code.emit(code.scalarCode(base), op.i32, lanes, op.add);
    code.define(localOf(base), base);
    code.emit(op.br, 0, op.end, op.end);
  }

  #refilling(declaration: FunctionDeclaration, { before, loop, after }: Refillable, first: Leaf, end: Leaf): void {
    const { code } = this;
    const local = (scalar: 'u32' | 'bool', isVarying: boolean): Leaf => code.slot(scalar, isVarying);
    const set = (to: Leaf, ...from: Code): void => code.emit(from, op.set, localOf(to));
    const [next, idle, credit] = [local('u32', false), local('u32', false), local('u32', false)];
    const [live, fresh] = [local('bool', true), local('bool', true)];
    const ids = local('u32', true);
    const price = Math.max(
      1,
      Math.round((patience * lanes * this.weights.of(before)) / Math.max(1, this.weights.of(loop.body))),
    );
    const hasMore = [next.code, code.scalarCode(end), op.ltU];
    const countIdle = (): void =>
      set(idle, op.i32, lanes, live.code, simd.bitmask, op.popcnt, op.sub, op.i32, 0, hasMore, op.select);
    set(next, code.scalarCode(first));
    set(live, code.splat(0));
    code.emit(op.block, NOTHING, op.loop, NOTHING);
    this.#handOut({ next, live, fresh, ids }, hasMore);
    this.#begin(declaration, before, ids, fresh);
    const started = this.active;
    const carried = this.#keepBlended(loop, after, fresh);
    set(live, live.code, code.vectorCode(started), simd.or);
    code.emit(live.code, simd.any, op.eqz, op.if, NOTHING, hasMore, op.brIf, 1, op.br, 2, op.end);
    countIdle();
    set(credit, op.i32, price);
    code.emit(op.loop, NOTHING);
    this.put(this.mask, 0, live);
    const pass = this.region(() => {
      const goesOn = this.truth1(loop.condition!);
      const over = code.keep(this.both(live, not(code, goesOn)));
      const mustStop = [code.vectorCode(over), simd.any, credit.code, op.i32, 0, op.ltS, op.or];
      const ending = this.region(() => {
        this.branches.push(this.depth + 1);
        this.put(this.mask, 0, over);
        this.guarded(true, () => this.block(after));
        this.branches.pop();
        set(live, live.code, code.vectorCode(over), simd.andnot);
        countIdle();
        const isEmpty = [live.code, simd.any, op.eqz];
        const isSpent = [credit.code, op.i32, 0, op.ltS, hasMore, op.and];
        // Out of the branch and this loop: to the head of the outer one.
        code.emit(isEmpty, isSpent, op.or, op.brIf, 2);
        this.put(this.mask, 0, live);
      });
      this.join(
        mustStop,
        { ...ending, changed: withoutMask(ending.changed, this.mask) },
        { code: [], changed: new Map() },
      );
      this.put(this.mask, 0, live);
      this.block(loop.body);
      this.block(loop.update);
    });
    code.emit(pass.code);
    const moves: Move[] = [];
    for (const [variable, leaves] of pass.changed) {
      if (variable === this.mask) continue;
      const homes = carried.get(variable);
      if (!homes) throw new Error('a variable changed that the loop does not name');
      for (const [i, leaf] of leaves.entries()) moves.push({ from: leaf!, to: homes[i]! });
    }
    code.move(moves);
    set(credit, credit.code, idle.code, op.sub);
    code.emit(op.br, 0, op.end, op.end, op.end);
    this.frames.pop();
  }

  /** Gives the next invocations to the lanes that are free. */
  #handOut({ next, live, fresh, ids }: Record<'next' | 'live' | 'fresh' | 'ids', Leaf>, hasMore: Code): void {
    const { code } = this;
    code.emit(code.splat(0), op.set, localOf(fresh));
    for (let lane = 0; lane < lanes; lane++) {
      code.emit(live.code, simd.extract, lane, op.eqz, hasMore, op.and, op.if, NOTHING);
      code.emit(ids.code, next.code, simd.replace, lane, op.set, localOf(ids));
      code.emit(fresh.code, op.i32, -1, simd.replace, lane, op.set, localOf(fresh));
      code.emit(next.code, op.i32, 1, op.add, op.set, localOf(next), op.end);
    }
  }

  /** The statements before the loop, in the fresh lanes; the scope stays open. */
  #begin(declaration: FunctionDeclaration, before: readonly Statement[], ids: Leaf, fresh: Leaf): void {
    const names = new Map(
      declaration.parameters.map(({ name }, i) => [name, { value: this.#values(declaration, ids)[i]! }]),
    );
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
    this.put(this.mask, 0, fresh);
    this.runsOnce = true;
    this.statements(before, 0);
    this.runsOnce = false;
    this.frames[0]!.isDiverged = false;
  }

  /** Keeps what lanes that go on hold: in every name that is not the same for all invocations. */
  #keepBlended(loop: Loop, after: readonly Statement[], fresh: Leaf): Map<Variable, readonly Leaf[]> {
    const { code } = this;
    const rest: Loop = { ...loop, body: [...loop.body, ...loop.update, ...after], start: null };
    const changing = changedIn(rest);
    const homes = new Map<Variable, readonly Leaf[]>();
    const moves: Move[] = [];
    const home = (leaf: Leaf): Leaf => {
      const to = code.slot(leaf.scalar, true);
      moves.push({ from: code.keep(select(code, fresh, leaf, to)), to });
      return to;
    };
    for (const [name, binding] of this.scope.names) {
      if ('value' in binding) {
        const { value } = binding;
        const leaves = value.leaves.map((leaf) => (leaf.isVarying ? home(leaf) : leaf));
        this.scope.names.set(name, { value: { ...value, leaves } });
        continue;
      }
      const { root } = binding.place;
      if (!('scalars' in root) || homes.has(root)) continue;
      const isCarried = changing.has(name);
      const leaves = root.leaves.map((leaf, i) => {
        const own = leaf ?? this.zero(root.scalars[i]!);
        return isCarried || own.isVarying ? home(own) : own;
      });
      homes.set(root, leaves);
    }
    code.move(moves);
    for (const [root, leaves] of homes) this.putAll(root, leaves);
    return homes;
  }
}

function withoutMask<K, V>(changed: ReadonlyMap<K, V>, mask: K): ReadonlyMap<K, V> {
  return new Map([...changed].filter(([variable]) => variable !== mask));
}

interface Refillable {
  readonly before: readonly Statement[];
  readonly loop: Loop;
  readonly after: readonly Statement[];
}

/** The parts of an entry point with one loop that all its lanes leave by the condition. */
function refillable({ body }: FunctionDeclaration): Refillable | null {
  const at = body.findIndex(({ kind }) => kind === 'loop');
  const loop = body[at];
  if (loop?.kind !== 'loop' || !loop.condition || loop.start || loop.until) return null;
  const inside = [...loop.body, ...loop.update];
  if (contains(inside, 'break') || contains(inside, 'continue') || contains(inside, 'return')) return null;
  const after = body.slice(at + 1);
  if (contains(after, 'return')) return null;
  return { before: body.slice(0, at), loop, after };
}
