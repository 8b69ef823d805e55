/** Random programs of the WGSL that compiles to WebAssembly, and an interpreter of them, one invocation at a time. */
import fc from 'fast-check';

type Term =
  | { readonly kind: 'u'; readonly value: number }
  | { readonly kind: 'f'; readonly value: number }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'operation'; readonly operator: string; readonly a: Term; readonly b: Term }
  | { readonly kind: 'choice'; readonly condition: Term; readonly a: Term; readonly b: Term }
  | { readonly kind: 'element'; readonly index: Term }
  | { readonly kind: 'call'; readonly a: Term };

type Step =
  | { readonly kind: 'assign'; readonly name: string; readonly value: Term }
  | { readonly kind: 'store'; readonly index: Term; readonly value: Term }
  | {
      readonly kind: 'if';
      readonly condition: Term;
      readonly yes: readonly Step[];
      readonly otherwise: readonly Step[];
    }
  | { readonly kind: 'loop'; readonly passes: Term; readonly body: readonly Step[] }
  | { readonly kind: 'break' | 'continue' | 'return'; readonly condition: Term };

export interface RandomProgram {
  /** of `kernel` */
  readonly main: readonly Step[];
  /** of a function that may return early and changes what its pointer points to */
  readonly helper: readonly Step[];
  readonly arrayLength: number;
}

const unsigned = ['u0', 'u1', 'u2'];
const floats = ['f0', 'f1'];
const maxPasses = 6;

const operation = (operators: readonly string[], of: fc.Arbitrary<Term>): fc.Arbitrary<Term> =>
  fc.record({ kind: fc.constant('operation' as const), operator: fc.constantFrom(...operators), a: of, b: of });

const { u, f, truth } = fc.letrec<{ u: Term; f: Term; truth: Term }>((tie) => ({
  u: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ kind: fc.constant('variable' as const), name: fc.constantFrom(...unsigned, 'i') }),
    fc.record({
      kind: fc.constant('u' as const),
      value: fc.oneof(fc.nat(9), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
    }),
    operation(['+', '-', '*', '/', '%', '&', '|', '^', '<<', '>>', 'min'], tie('u')),
    fc.record({ kind: fc.constant('choice' as const), condition: tie('truth'), a: tie('u'), b: tie('u') }),
    fc.record({ kind: fc.constant('element' as const), index: tie('u') }),
    fc.record({ kind: fc.constant('call' as const), a: tie('u') }),
  ),
  f: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ kind: fc.constant('variable' as const), name: fc.constantFrom(...floats) }),
    fc.record({
      kind: fc.constant('f' as const),
      value: fc.float({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
    }),
    operation(['+', '-', '*', '/', 'min', 'max'], tie('f')),
    fc.record({ kind: fc.constant('choice' as const), condition: tie('truth'), a: tie('f'), b: tie('f') }),
  ),
  truth: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    operation(['<', '<=', '==', '!='], tie('u')),
    operation(['<', '>', '>=', '!='], tie('f')),
    operation(['&&', '||'], tie('truth')),
  ),
}));

const steps = (isHelper: boolean): fc.Arbitrary<readonly Step[]> => {
  const { body } = fc.letrec<{ body: readonly Step[]; step: Step }>((tie) => ({
    step: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.record({ kind: fc.constant('assign' as const), name: fc.constantFrom(...unsigned), value: u }),
      fc.record({ kind: fc.constant('assign' as const), name: fc.constantFrom(...floats), value: f }),
      fc.record({ kind: fc.constant('store' as const), index: u, value: u }),
      fc.record({ kind: fc.constantFrom('break' as const, 'continue' as const, 'return' as const), condition: truth }),
      fc.record({ kind: fc.constant('if' as const), condition: truth, yes: tie('body'), otherwise: tie('body') }),
      fc.record({ kind: fc.constant('loop' as const), passes: u, body: tie('body') }),
    ),
    body: fc.array(tie('step'), { maxLength: 4 }),
  }));
  // Calls of the helper by itself would not end.
  return isHelper ? body.map((list) => list.map(withoutCalls)) : body;
};

/** The same without calls. */
function withoutCalls<T>(node: T): T {
  if (Array.isArray(node)) return node.map(withoutCalls) as T;
  if (typeof node !== 'object' || node === null) return node;
  const given = node as Record<string, unknown>;
  if (given.kind === 'call') return withoutCalls(given.a) as T;
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, withoutCalls(value)])) as T;
}

export const randomProgram: fc.Arbitrary<RandomProgram> = fc.record({
  main: steps(false),
  helper: steps(true),
  arrayLength: fc.constantFrom(3, 7),
});

// ---- as text

function text(term: Term, length: number): string {
  const inner = (part: Term): string => text(part, length);
  switch (term.kind) {
    case 'u':
      return `(${term.value}u | (zero & u0))`;
    case 'f':
      return `bitcast<f32>(${new Uint32Array(Float32Array.of(term.value).buffer)[0]}u ^ zero)`;
    case 'variable':
      return term.name;
    case 'choice':
      return `select(${inner(term.b)}, ${inner(term.a)}, ${inner(term.condition)})`;
    case 'element':
      return `m[${inner(term.index)} % ${length + 2}u]`;
    case 'call':
      return `helper(${inner(term.a)}, &u2)`;
    default: {
      const { operator } = term;
      const [a, b] = [inner(term.a), inner(term.b)];
      if (operator === 'min' || operator === 'max') return `${operator}(${a}, ${b})`;
      if (operator === '<<' || operator === '>>') return `(${a} ${operator} (${b} & 31u))`;
      return `(${a} ${operator} ${b})`;
    }
  }
}

function lines(body: readonly Step[], length: number, inLoop: number): string {
  return body
    .map((step): string => {
      switch (step.kind) {
        case 'assign':
          return `${step.name} = ${text(step.value, length)};`;
        case 'store':
          return `m[${text(step.index, length)} % ${length}u] = ${text(step.value, length)};`;
        case 'if':
          return `if (${text(step.condition, length)}) { ${lines(step.yes, length, inLoop)} } else { ${lines(step.otherwise, length, inLoop)} }`;
        case 'loop': {
          const limit = `let n${inLoop} = ${text(step.passes, length)} % ${maxPasses}u;`;
          return `{ ${limit} for (var i = zero; i < n${inLoop}; i++) { ${lines(step.body, length, inLoop + 1)} } }`;
        }
        case 'return':
          return `if (${text(step.condition, length)}) { *out = u0; return u1; }`;
        default:
          return inLoop > 0 ? `if (${text(step.condition, length)}) { ${step.kind}; }` : '';
      }
    })
    .join('\n');
}

/** Declares `kernel(i)`, which reads three words and two numbers from `input`, and writes `outputWords` words. */
export function programText({ main, helper, arrayLength }: RandomProgram): string {
  const variables = `let zero = input[0]; let i = zero; var m: array<u32, ${arrayLength}>;`;
  return `
fn helper(given: u32, out: ptr<function, u32>) -> u32 {
  ${variables} var u0 = given; var u1 = *out; var u2 = 1u + zero; var f0 = 1.5; var f1 = -0.25;
  ${lines(helper, arrayLength, 0)}
  *out += u2;
  return u0 ^ m[1] ^ bitcast<u32>(select(f0, 0.0, f0 != f0));
}
fn body(given: u32, out: ptr<function, u32>, f: ptr<function, vec2f>) -> u32 {
  ${variables} var u0 = given; var u1 = *out; var u2 = given * 7u; var f0 = (*f).x; var f1 = (*f).y;
  ${lines(main, arrayLength, 0)}
  (*f).x = f0;
  (*f).y = f1;
  *out = u1;
  return u0 ^ (u2 * 3u) ^ m[0] ^ m[${arrayLength - 1}];
}
fn kernel(i: u32) {
  let at = 1u + 4u * i;
  var out = input[at + 1u];
  var f = vec2f(bitcast<f32>(input[at + 2u]), bitcast<f32>(input[at + 3u]));
  let result = body(input[at], &out, &f);
  output[4u * i] = result;
  output[4u * i + 1u] = out;
  output[4u * i + 2u] = bitcast<u32>(f.x);
  output[4u * i + 3u] = bitcast<u32>(f.y);
}`;
}

export const outputWords = 4;

// ---- the interpreter

type Signal = 'next' | 'break' | 'continue' | 'return';

class Invocation {
  readonly values: Record<string, number>;
  readonly m: Uint32Array;
  readonly #program: RandomProgram;
  out: number;

  constructor(program: RandomProgram, values: Record<string, number>, out: number) {
    this.#program = program;
    this.values = values;
    this.m = new Uint32Array(program.arrayLength);
    this.out = out;
  }

  term(term: Term): number {
    switch (term.kind) {
      case 'u':
        return term.value;
      case 'f':
        return Math.fround(term.value);
      case 'variable':
        return this.values[term.name]!;
      case 'choice': {
        // As arguments: both are evaluated, the one for false first.
        const [b, a] = [this.term(term.b), this.term(term.a)];
        return this.term(term.condition) === 1 ? a : b;
      }
      case 'element': {
        const { length } = this.m;
        return this.m[Math.min(this.term(term.index) % (length + 2), length - 1)]!;
      }
      case 'call':
        return this.#call(this.term(term.a));
      default:
        return this.#operation(term);
    }
  }

  #call(given: number): number {
    const { helper } = this.#program;
    const inner = new Invocation(this.#program, { i: 0, u0: given, u1: this.values.u2!, u2: 1, f0: 1.5, f1: -0.25 }, 0);
    const signal = inner.run(helper);
    const { u0, u1, u2, f0 } = inner.values;
    if (signal === 'return') {
      this.values.u2 = u0!;
      return u1!;
    }
    this.values.u2 = (this.values.u2! + u2!) >>> 0;
    const bits = new Uint32Array(Float32Array.of(Number.isNaN(f0) ? 0 : f0!).buffer)[0]!;
    return (u0! ^ inner.m[1]! ^ bits) >>> 0;
  }

  #operation({ operator, a: left, b: right }: Term & { readonly kind: 'operation' }): number {
    const a = this.term(left);
    if (operator === '&&' || operator === '||') return (a === 1) === (operator === '||') ? a : this.term(right);
    const b = this.term(right);
    const isFloat = isFloatTerm(left);
    switch (operator) {
      case '<':
        return Number(a < b);
      case '<=':
        return Number(a <= b);
      case '>':
        return Number(a > b);
      case '>=':
        return Number(a >= b);
      case '==':
        return Number(a === b);
      case '!=':
        return Number(a !== b);
      case 'min':
        return b < a ? b : a;
      case 'max':
        return a < b ? b : a;
      default:
        return isFloat
          ? Math.fround(operator === '+' ? a + b : operator === '-' ? a - b : operator === '*' ? a * b : a / b)
          : wholeOperation(operator, a, b);
    }
  }

  run(body: readonly Step[]): Signal {
    for (const step of body) {
      const signal = this.#step(step);
      if (signal !== 'next') return signal;
    }
    return 'next';
  }

  #depth = 0;

  #step(step: Step): Signal {
    switch (step.kind) {
      case 'assign':
        this.values[step.name] = this.term(step.value);
        return 'next';
      case 'store': {
        const index = this.term(step.index) % this.m.length;
        this.m[index] = this.term(step.value);
        return 'next';
      }
      case 'if':
        return this.run(this.term(step.condition) === 1 ? step.yes : step.otherwise);
      case 'loop': {
        const passes = this.term(step.passes) % maxPasses;
        const outer = this.values.i!;
        this.#depth += 1;
        let signal: Signal = 'next';
        for (let i = 0; i < passes && signal !== 'return'; i++) {
          this.values.i = i;
          signal = this.run(step.body);
          if (signal === 'break') break;
        }
        this.#depth -= 1;
        this.values.i = outer;
        return signal === 'return' ? signal : 'next';
      }
      default:
        if (step.kind !== 'return' && this.#depth === 0) return 'next';
        return this.term(step.condition) === 1 ? step.kind : 'next';
    }
  }
}

function isFloatTerm(term: Term): boolean {
  if (term.kind === 'f') return true;
  if (term.kind === 'variable') return term.name.startsWith('f');
  if (term.kind === 'choice') return isFloatTerm(term.a);
  return term.kind === 'operation' && ['+', '-', '*', '/', 'min', 'max'].includes(term.operator) && isFloatTerm(term.a);
}

function wholeOperation(operator: string, a: number, b: number): number {
  switch (operator) {
    case '+':
      return (a + b) >>> 0;
    case '-':
      return (a - b) >>> 0;
    case '*':
      return Math.imul(a, b) >>> 0;
    case '/':
      return b === 0 ? a : Math.floor(a / b);
    case '%':
      return b === 0 ? 0 : a % b;
    case '&':
      return (a & b) >>> 0;
    case '|':
      return (a | b) >>> 0;
    case '^':
      return (a ^ b) >>> 0;
    case '<<':
      return (a << (b & 31)) >>> 0;
    default:
      return a >>> (b & 31);
  }
}

/** The words that one invocation writes. */
export function interpret(program: RandomProgram, given: readonly [number, number, number, number]): number[] {
  const [u0, u1, f0, f1] = given;
  const invocation = new Invocation(program, { i: 0, u0, u1, u2: Math.imul(u0, 7) >>> 0, f0, f1 }, u1);
  const signal = invocation.run(program.main);
  const { values, m } = invocation;
  const bits = (x: number): number => (Number.isNaN(x) ? 0x7fc00000 : new Uint32Array(Float32Array.of(x).buffer)[0]!);
  if (signal === 'return') return [values.u1!, values.u0!, bits(f0), bits(f1)];
  const result = (values.u0! ^ Math.imul(values.u2!, 3) ^ m[0]! ^ m[m.length - 1]!) >>> 0;
  return [result, values.u1!, bits(values.f0!), bits(values.f1!)];
}
