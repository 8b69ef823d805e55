/** Calls of functions: written into their callers, or functions of the module if they are long. */
import type { FunctionDeclaration } from '../wgsl/ast.ts';
import { op } from './encoder.ts';
import { isKnown } from './expressions.ts';
import { FunctionCode, isEqual, known, type Leaf, leafOf, localOf } from './function-code.ts';
import type { Frame, Variable } from './lanes.ts';
import { type Place, plainValue, type Value } from './places.ts';
import { Statements } from './statements.ts';

/** Arguments with more numbers, as the parameters of an environment, are not passed if they can be read again. */
const passedLeaves = 4;

interface Outlined {
  readonly index: number;
  readonly results: readonly Leaf[];
  /** leaves of the function's own result */
  readonly resultCount: number;
  /** leaves behind pointers that it changes */
  readonly changes: readonly { readonly argument: number; readonly leaf: number }[];
}

export abstract class Calls extends Statements {
  readonly #outlined = new Map<string, Outlined>();

  protected invoke(declaration: FunctionDeclaration, values: readonly Value[]): Value | null {
    // A function of WGSL is a constant of constants.
    const isConstant = this.module.functions.get(declaration.name) !== declaration && values.every(isKnown);
    const isPlain = values.every(({ place }) => place === null || ('scalars' in place.root && place.dynamic === null));
    const isInlined = isConstant || !isPlain || this.weights.isInlined(declaration, this.runsOnce);
    return isInlined ? this.inline(declaration, values) : this.#callOutlined(declaration, values);
  }

  /** Writes the body of a function here. */
  protected inline(declaration: FunctionDeclaration, values: readonly Value[]): Value | null {
    const [scope, before] = [this.scope, this.active];
    const { result: type } = declaration;
    const result = type ? this.variable(this.resolve(type)) : null;
    this.depth += 1;
    this.scope = { names: new Map(), outer: null };
    declaration.parameters.forEach(({ name }, i) => {
      this.scope.names.set(name, { value: values[i]! });
    });
    const returned = this.truth(known('bool', 0));
    const frame: Frame = {
      name: declaration.name,
      depth: this.depth,
      result,
      returned,
      firstLoop: this.loops.length,
      isDiverged: false,
    };
    this.frames.push(frame);
    this.block(declaration.body);
    this.frames.pop();
    this.depth -= 1;
    this.scope = scope;
    this.put(this.mask, 0, before);
    if (!result) return null;
    return plainValue(
      result.type,
      result.leaves.map((leaf, i) => leaf ?? this.zero(result.scalars[i]!)),
    );
  }

  /** Calls a function of the module. What pointers point to is passed, and what changed of it comes back. */
  #callOutlined(declaration: FunctionDeclaration, values: readonly Value[]): Value | null {
    const { code, active } = this;
    const pointees = values.map(({ place }) => (place ? this.load(place) : null));
    const whole = values.map((value, i) => (pointees[i] ?? value).leaves);
    const differs = active.known === null || whole.flat().some((leaf) => leaf.isVarying);
    const given = differs ? whole.map((leaves) => this.#spread(leaves)) : whole;
    const shape = (leaf: Leaf): string => {
      if (isPassed(leaf)) return leaf.isVarying ? 'v' : 'u';
      return leaf.known !== null ? `${leaf.known}` : leaf.code.join('.');
    };
    const key = [declaration.name, shape(active), ...given.map((leaves) => leaves.map(shape).join())].join(';');
    const made = this.#outlined.get(key) ?? this.#outline(declaration, values, given);
    this.#outlined.set(key, made);
    for (const leaf of [active, ...given.flat()]) {
      if (isPassed(leaf)) code.emit(code.codeAs(leaf, leaf.isVarying));
    }
    code.emit(op.call, made.index);
    const results = made.results.map((leaf) => code.slot(leaf.scalar, leaf.isVarying, leaf.isSmall));
    for (const leaf of [...results].reverse()) code.define(localOf(leaf), leaf);
    made.changes.forEach(({ argument, leaf }, i) => {
      const place = values[argument]!.place!;
      this.assign(place.root as Variable, place.offset + leaf, results[made.resultCount + i]!);
    });
    const { result: type } = declaration;
    return type ? plainValue(this.resolve(type), results.slice(0, made.resultCount)) : null;
  }

  /** An argument as one number per lane, so that calls share a function, unless it may be an index or has many parts. */
  #spread(leaves: readonly Leaf[]): readonly Leaf[] {
    const [first] = leaves;
    const isIndex =
      leaves.length === 1 && first!.scalar !== 'f32' && (first!.known === null || first!.scalar === 'bool');
    return leaves.map((leaf) => {
      const isMany = leaf.isFixed && leaf.known === null && leaves.length > passedLeaves;
      if (leaf.isVarying || isIndex || isMany) return leaf;
      return leafOf(leaf.scalar, true, this.code.vectorCode(leaf));
    });
  }

  #outline(declaration: FunctionDeclaration, values: readonly Value[], given: readonly (readonly Leaf[])[]): Outlined {
    const outer = {
      code: this.code,
      mask: this.mask,
      branches: this.branches,
      frames: this.frames,
      loops: this.loops,
      switches: this.switches,
      runsOnce: this.runsOnce,
      isOutlined: this.isOutlined,
    };
    const code = new FunctionCode();
    const parameter = (leaf: Leaf): Leaf => {
      if (!isPassed(leaf)) return leaf;
      return { ...code.parameter(leaf.scalar, leaf.isVarying), isSmall: false };
    };
    const active = parameter(this.active);
    Object.assign(this, {
      code,
      branches: [],
      frames: [],
      loops: [],
      switches: [],
      runsOnce: false,
      isOutlined: true,
    });
    this.mask = this.truth(active);
    const places: (Place | null)[] = [];
    const inside = values.map((value, i): Value => {
      const leaves = given[i]!.map(parameter);
      if (!value.place) return { ...value, leaves };
      const place = this.declare(value.place.type, declaration.parameters[i]!.at);
      if ('scalars' in place.root) for (const [k, leaf] of leaves.entries()) this.put(place.root, k, leaf);
      else this.storeLeaves(place, leaves);
      places[i] = place;
      return { ...value, leaves, place };
    });
    const result = this.inline(declaration, inside);
    const results = result ? [...result.leaves] : [];
    const resultCount = results.length;
    const changes: { argument: number; leaf: number }[] = [];
    places.forEach((place, argument) => {
      if (!place) return;
      this.load(place).leaves.forEach((now, leaf) => {
        if (isEqual(now, inside[argument]!.leaves[leaf]!)) return;
        changes.push({ argument, leaf });
        results.push(now);
      });
    });
    code.results = results;
    for (const leaf of results) code.emit(code.codeAs(leaf, leaf.isVarying));
    Object.assign(this, outer);
    this.functions.push(code.finish(null));
    return { index: this.functions.length - 1, results, resultCount, changes };
  }
}

/** Whether a function that is called gets the leaf as a parameter. */
const isPassed = (leaf: Leaf): boolean =>
  leaf.isVarying || (leaf.known !== null ? leaf.scalar !== 'bool' : !leaf.isFixed);
