/** How long functions and statements are: what is written into its caller, unrolled, or skipped when no lane is active. */
import type { Expression, FunctionDeclaration, Module, Statement } from '../wgsl/ast.ts';
import { partsOf } from '../wgsl/syntax.ts';

/** A call of a function that is not written into its caller. */
const callWeight = 12;
/** Passes of a loop whose number is not known. */
const assumedPasses = 4;

/** Statements whose weight is kept: they are asked for together with what surrounds them. */
const compound = new Set<Statement['kind']>(['if', 'loop', 'switch', 'block']);

export class Weights {
  readonly #module: Module;
  readonly #inlined: number;
  readonly #known = new Map<FunctionDeclaration | Expression | Statement, number>();

  /** `inlined`: longest function that is written into its callers */
  constructor(module: Module, inlined: number) {
    this.#module = module;
    this.#inlined = inlined;
  }

  /** Whether calls of a function become its body. */
  isInlined(declaration: FunctionDeclaration, longest = this.#inlined): boolean {
    return this.#ofFunction(declaration) <= longest || this.#module.calls.get(declaration.name) === 1;
  }

  of(body: readonly (Expression | Statement)[]): number {
    let sum = 0;
    for (const part of body)
      sum += compound.has(part.kind as Statement['kind']) ? this.#once(part, () => this.#of(part)) : this.#of(part);
    return sum;
  }

  #once(key: FunctionDeclaration | Expression | Statement, weigh: () => number): number {
    const weight = this.#known.get(key) ?? weigh();
    this.#known.set(key, weight);
    return weight;
  }

  #ofFunction(declaration: FunctionDeclaration): number {
    return this.#once(declaration, () => {
      // Calls of itself are an error elsewhere.
      this.#known.set(declaration, callWeight);
      return this.of(declaration.body);
    });
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
