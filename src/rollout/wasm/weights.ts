/** How long functions and statements are: what is written into its caller, unrolled, or skipped when no lane is active. */
import type { Expression, FunctionDeclaration, Module, Statement } from './ast.ts';

/** A call of a function that is not written into its caller. */
const callWeight = 12;
/** Passes of a loop whose number is not known. */
const assumedPasses = 4;

export class Weights {
  readonly #module: Module;
  readonly #inlined: number;
  readonly #functions = new Map<string, number>();

  /** `inlined`: longest function that is written into its callers */
  constructor(module: Module, inlined: number) {
    this.#module = module;
    this.#inlined = inlined;
  }

  /** Whether calls of a function become its body. */
  isInlined(declaration: FunctionDeclaration): boolean {
    return this.ofFunction(declaration) <= this.#inlined || this.#module.calls.get(declaration.name) === 1;
  }

  ofFunction(declaration: FunctionDeclaration): number {
    const seen = this.#functions.get(declaration.name);
    if (seen !== undefined) return seen;
    // Calls of itself are an error elsewhere.
    this.#functions.set(declaration.name, callWeight);
    const weight = this.of(declaration.body);
    this.#functions.set(declaration.name, weight);
    return weight;
  }

  of(body: readonly Statement[]): number {
    return body.reduce((sum, statement) => sum + this.#statement(statement), 0);
  }

  #statement(statement: Statement): number {
    switch (statement.kind) {
      case 'let':
      case 'var':
        return statement.value ? this.#expression(statement.value) : 0;
      case 'assign':
        return this.#expression(statement.value) + (statement.target ? this.#expression(statement.target) + 1 : 0);
      case 'call':
        return this.#expression(statement.call);
      case 'if':
        return this.#expression(statement.condition) + this.of(statement.then) + this.of(statement.otherwise) + 1;
      case 'loop':
        return assumedPasses * (this.of(statement.body) + this.of(statement.update) + 2);
      case 'switch':
        return statement.cases.reduce((sum, { body }) => sum + this.of(body) + 2, this.#expression(statement.on));
      case 'block':
        return this.of(statement.body);
      case 'return':
        return statement.value ? this.#expression(statement.value) : 0;
      default:
        return 0;
    }
  }

  #expression(expression: Expression): number {
    switch (expression.kind) {
      case 'binary':
        return 1 + this.#expression(expression.left) + this.#expression(expression.right);
      case 'unary':
        return (
          (expression.operator === '*' || expression.operator === '&' ? 0 : 1) + this.#expression(expression.operand)
        );
      case 'index':
        return 1 + this.#expression(expression.base) + this.#expression(expression.index);
      case 'member':
        return this.#expression(expression.base);
      case 'call': {
        const own = expression.values.reduce((sum, value) => sum + this.#expression(value), 0);
        const declared = this.#module.functions.get(expression.callee.name);
        if (!declared) return own + 1;
        return own + (this.isInlined(declared) ? this.ofFunction(declared) : callWeight);
      }
      default:
        return 0;
    }
  }
}
