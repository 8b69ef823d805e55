/**
 * Four invocations in lockstep: which lanes are active, what variables hold, and how both come together after branches.
 *
 * A variable holds leaves that never change; an assignment gives it others. Where a branch or a loop of the
 * WebAssembly function ends, leaves that differ are moved into a common local. A lane that is not active keeps its
 * values by a selection, unless it cannot see the variable any more: it has left the function, the loop or the branch
 * that the variable was declared in.
 */

import type { Scalar } from '../wgsl/ast.ts';
import type { Source } from '../wgsl/source.ts';
import { bool, leavesOf, type Type } from '../wgsl/types.ts';
import { binary, not, select } from './arithmetic.ts';
import { type Code, NOTHING, op, simd } from './encoder.ts';
import { FunctionCode, isEqual, known, type Leaf, type Move } from './function-code.ts';

export interface Variable {
  readonly type: Type;
  readonly scalars: readonly Scalar[];
  /** null: not written yet */
  leaves: readonly (Leaf | null)[];
  /** of the scope that declares it */
  readonly depth: number;
  /** offset of its declaration */
  readonly at: number;
  readonly number: number;
}

/** One call of a function that is written into the current one, or that function itself. */
export interface Frame {
  readonly name: string;
  readonly depth: number;
  readonly result: Variable | null;
  /** lanes that returned from inside a loop */
  readonly returned: Variable;
  readonly firstLoop: number;
  /** some lanes may have returned while others go on */
  isDiverged: boolean;
}

export interface LoopState {
  /** of what its header declares, and of its body */
  readonly depth: number;
  readonly bodyDepth: number;
  /** lanes leave one by one: the lanes that go on; null: all lanes leave at once */
  readonly alive: Variable | null;
  /** some lanes may have left the pass while others go on */
  isContinued: boolean;
}

/** A switch with `break`. */
export interface SwitchState {
  readonly depth: number;
  /** lanes that have left it */
  readonly broken: Variable;
  /** some lanes may have left it while others go on */
  isBroken: boolean;
  /** number of loops and of calls around it */
  readonly loops: number;
  readonly frames: number;
}

export interface Region {
  readonly code: Code;
  readonly changed: ReadonlyMap<Variable, readonly (Leaf | null)[]>;
}

export abstract class Lanes {
  readonly source: Source;
  code = new FunctionCode();
  /** active lanes */
  protected mask: Variable;
  protected depth = 0;
  /** depths of the divergent branches that surround the current statement */
  protected branches: number[] = [];
  protected frames: Frame[] = [];
  protected loops: LoopState[] = [];
  protected switches: SwitchState[] = [];
  #journal = new Map<Variable, readonly (Leaf | null)[]>();
  #variables = 0;

  constructor(source: Source) {
    this.source = source;
    this.mask = this.truth(known('bool', 1));
  }

  protected variable(type: Type, depth = this.depth, at = -1): Variable {
    const scalars = leavesOf(type);
    const leaves = new Array<Leaf | null>(scalars.length).fill(null);
    return { type, scalars, leaves, depth, at, number: this.#variables++ };
  }

  /** A variable of the compiler with one truth per lane. */
  protected truth(leaf: Leaf): Variable {
    const made = this.variable(bool, Infinity);
    made.leaves = [leaf];
    return made;
  }

  get active(): Leaf {
    return this.mask.leaves[0]!;
  }

  set active(leaf: Leaf) {
    this.put(this.mask, 0, this.code.keep(leaf));
  }

  /** Gives a variable a leaf in all lanes. */
  protected put(variable: Variable, index: number, leaf: Leaf): void {
    if (!this.#journal.has(variable)) {
      this.#journal.set(variable, variable.leaves);
      variable.leaves = [...variable.leaves];
    }
    (variable.leaves as (Leaf | null)[])[index] = leaf;
  }

  protected putAll(variable: Variable, leaves: readonly (Leaf | null)[]): void {
    for (const [i, leaf] of leaves.entries()) if (leaf) this.put(variable, i, leaf);
  }

  /** Gives a variable a leaf in the active lanes. */
  protected assign(variable: Variable, index: number, leaf: Leaf): void {
    const old = variable.leaves[index];
    const isBlended = old !== null && old !== undefined && this.mustBlend(variable.depth);
    this.put(variable, index, this.code.keep(isBlended ? select(this.code, this.active, leaf, old) : leaf));
  }

  /** Whether lanes that are not active may still read a variable of this depth. */
  protected mustBlend(depth: number): boolean {
    if (this.active.known === 1) return false;
    const { branches, frames, loops } = this;
    if (branches.length > 0 && branches[branches.length - 1]! > depth) return true;
    if (frames.some((frame) => frame.isDiverged && frame.depth > depth)) return true;
    if (this.switches.some((one) => one.isBroken && one.depth > depth)) return true;
    return loops.some(
      (loop) => (loop.alive !== null && loop.depth > depth) || (loop.isContinued && loop.bodyDepth > depth),
    );
  }

  /** Emits into a buffer of its own, with changes of variables set aside. */
  protected region(run: () => void): Region {
    const { code } = this;
    const [buffer, journal] = [code.buffer, this.#journal];
    const first = this.#variables;
    code.buffer = [];
    this.#journal = new Map();
    run();
    const changed = new Map<Variable, readonly (Leaf | null)[]>();
    for (const [variable, leaves] of this.#journal) {
      if (variable.number < first) changed.set(variable, variable.leaves);
      variable.leaves = leaves;
    }
    const made = { code: code.buffer, changed };
    code.buffer = buffer;
    this.#journal = journal;
    return made;
  }

  /** Emits `if condition { a } else { b }`. */
  protected join(condition: Code, a: Region, b: Region): void {
    const moves = { a: [] as Move[], b: [] as Move[] };
    const after: { variable: Variable; index: number; leaf: Leaf }[] = [];
    for (const variable of new Set([...a.changed.keys(), ...b.changed.keys()])) {
      const [left, right] = [a.changed.get(variable) ?? variable.leaves, b.changed.get(variable) ?? variable.leaves];
      for (let index = 0; index < left.length; index++) {
        const [x, y] = [left[index] ?? null, right[index] ?? null];
        if (x === null || y === null || isEqual(x, y)) {
          const leaf = x ?? y;
          if (leaf) after.push({ variable, index, leaf });
          continue;
        }
        const to = this.code.slot(x.scalar, x.isVarying || y.isVarying, x.isSmall && y.isSmall);
        moves.a.push({ from: x, to });
        moves.b.push({ from: y, to });
        after.push({ variable, index, leaf: to });
      }
    }
    const [then, otherwise] = [this.#followed(a.code, moves.a), this.#followed(b.code, moves.b)];
    this.code.emit(condition, op.if, NOTHING, then, otherwise.length > 0 ? [op.else, otherwise] : [], op.end);
    for (const { variable, index, leaf } of after) this.put(variable, index, leaf);
  }

  #followed(first: Code, moves: readonly Move[]): Code {
    const { code } = this;
    const outer = code.buffer;
    code.buffer = [...first];
    code.move(moves);
    const made = code.buffer;
    code.buffer = outer;
    return made;
  }

  /** Pushes whether any lane is active. */
  protected anyActive(): Code {
    return this.anyOf(this.active);
  }

  /** Pushes whether a truth holds in any lane. */
  protected anyOf(leaf: Leaf): Code {
    return leaf.isVarying ? [leaf.code, simd.any] : this.code.scalarCode(leaf);
  }

  /** Runs statements of the active lanes; skips them where there are none, if they are many. */
  protected guarded(isLong: boolean, run: () => void): void {
    if (!isLong || this.active.known !== null) {
      run();
      return;
    }
    const condition = this.anyActive();
    const made = this.region(run);
    this.join(condition, made, { code: [], changed: new Map() });
  }

  protected both(a: Leaf, b: Leaf): Leaf {
    return binary(this.code, '&', a, b);
  }

  protected without(a: Leaf, b: Leaf): Leaf {
    return binary(this.code, '&', a, not(this.code, this.code.keep(b)));
  }

  protected either(a: Leaf, b: Leaf): Leaf {
    return binary(this.code, '|', a, b);
  }

  /** `if`: each side runs with the lanes that take it. */
  protected branch(
    condition: Leaf,
    then: { readonly isLong: boolean; run(): void },
    otherwise: { readonly isLong: boolean; run(): void },
    /** the lanes of `then` do not come back to what follows, which is `otherwise` */
    leaves: boolean,
  ): void {
    if (condition.known !== null) {
      (condition.known === 1 ? then : otherwise).run();
      return;
    }
    if (!condition.isVarying) {
      this.#uniformBranch(condition, then, otherwise, leaves);
      return;
    }
    const before = this.active;
    const taken = this.code.keep(condition);
    const inside = (active: Leaf, side: { readonly isLong: boolean; run(): void }): Leaf => {
      this.active = active;
      this.branches.push(this.depth + 1);
      this.guarded(side.isLong, side.run);
      this.branches.pop();
      return this.active;
    };
    const yes = this.code.keep(this.both(before, taken));
    const afterThen = inside(yes, then);
    const no = this.code.keep(this.without(before, taken));
    if (leaves) {
      this.active = this.either(no, afterThen);
      this.guarded(otherwise.isLong, otherwise.run);
      return;
    }
    const afterElse = inside(no, otherwise);
    const isWhole = isEqual(afterThen, yes) && isEqual(afterElse, no);
    this.active = isWhole ? before : this.either(afterThen, afterElse);
  }

  #uniformBranch(condition: Leaf, then: { run(): void }, otherwise: { run(): void }, leaves: boolean): void {
    const code = this.code.scalarCode(this.code.keep(condition));
    const diverged = this.frames.map((frame) => frame.isDiverged);
    const a = this.region(then.run);
    const after = this.frames.map((frame) => frame.isDiverged);
    // In the other branch no lane has left.
    this.frames.forEach((frame, i) => {
      if (leaves) frame.isDiverged = diverged[i]!;
    });
    const b = this.region(otherwise.run);
    this.frames.forEach((frame, i) => {
      frame.isDiverged ||= after[i]!;
    });
    this.join(code, a, b);
  }

  /** Zero of a scalar. */
  protected zero(scalar: Scalar): Leaf {
    return known(scalar, 0);
  }
}
