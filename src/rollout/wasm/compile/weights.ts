/** How long functions and statements are: what is written into its caller, unrolled, or skipped when no lane is active. */
import type { Expression, FunctionDeclaration, Module, Statement } from '../wgsl/ast.ts';
import { partsOf } from '../wgsl/syntax.ts';

/** Longest function that becomes part of its callers; of what runs once per episode. */
const inlinedWeight = 110;
const inlinedOnceWeight = 25;
/** A call of a function that is not written into its caller. */
const callWeight = 12;
/** Passes of a loop whose number is not known. */
const assumedPasses = 4;

export class Weights {
  readonly #module: Module;
  readonly #known = new Map<FunctionDeclaration | Expression | Statement, number>();

  constructor(module: Module) {
    this.#module = module;
  }

  /** Whether calls of a function become its body. */
  isInlined(declaration: FunctionDeclaration, runsOnce = false): boolean {
    const longest = runsOnce ? inlinedOnceWeight : inlinedWeight;
    return this.#ofFunction(declaration) <= longest || this.#module.calls.get(declaration.name) === 1;
  }

  of(body: readonly (Expression | Statement)[]): number {
    let sum = 0;
    for (const part of body) {
      // Names and numbers weigh nothing, and are most parts of a text.
      if (part.kind === 'name' || part.kind === 'literal') continue;
      let weight = this.#known.get(part);
      if (weight === undefined) {
        weight = this.#of(part);
        this.#known.set(part, weight);
      }
      sum += weight;
    }
    return sum;
  }

  #ofFunction(declaration: FunctionDeclaration): number {
    const weight = this.#known.get(declaration) ?? this.of(declaration.body);
    this.#known.set(declaration, weight);
    return weight;
  }

  #of(part: Expression | Statement): number {
    const inside = this.of(partsOf(part));
    switch (part.kind) {
      case 'binary':
      case 'index':
      case 'assign':
      case 'if':
        return inside + 1;
      case 'unary':
        return part.operator === '*' || part.operator === '&' ? inside : inside + 1;
      case 'call': {
        // A call as a statement contains the call.
        if ('call' in part) return inside;
        const declared = this.#module.functions.get(part.callee.name);
        if (!declared) return inside + 1;
        return inside + (this.isInlined(declared) ? this.#ofFunction(declared) : callWeight);
      }
      case 'loop':
        return assumedPasses * (inside + 2);
      case 'switch':
        return inside + 2 * part.cases.length;
      default:
        return inside;
    }
  }
}
