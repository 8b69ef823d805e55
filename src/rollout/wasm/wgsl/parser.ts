/**
 * Reads the subset of WGSL that episodes need: scalars, vectors, matrices, arrays, structs, storage buffers, functions
 * with pointers to variables. Everything else is an error with its place. The text is right: see `ShaderCheck`.
 */
import type {
  BufferDeclaration,
  CallExpression,
  ConstantDeclaration,
  Declaration,
  Expression,
  FunctionDeclaration,
  Module,
  Parameter,
  Scalar,
  Statement,
  StructDeclaration,
  SwitchCase,
  TypeName,
} from './ast.ts';
import { type Linked, Source } from './source.ts';
import { type Token, tokensOf } from './tokens.ts';

const precedence = new Map<string, number>(
  [
    ['||'],
    ['&&'],
    ['|'],
    ['^'],
    ['&'],
    ['==', '!='],
    ['<', '>', '<=', '>='],
    ['<<', '>>'],
    ['+', '-'],
    ['*', '/', '%'],
  ].flatMap((operators, level) => operators.map((operator): [string, number] => [operator, level + 1])),
);
/** Inside `<...>` a comparison or a shift needs brackets. */
const aboveShifts = 8;

/** What follows an element of a list. */
const ends = new Set([',', ')']);
const prefixes = new Set(['-', '!', '~', '&', '*']);
const assignments = new Set(['=', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=', '>>=']);
/** Names before `<` that begin a type. */
const templates = /^(?:array|vec[234]|bitcast|mat\dx\d)$/;
const declarations = new Set(['let', 'var', 'const']);
const directives = new Set(['enable', 'requires', 'diagnostic']);
const suffixes: Readonly<Record<string, Scalar>> = { f: 'f32', i: 'i32', u: 'u32' };
/** Deeper texts are refused, so that no stack overflows. */
const maxDepth = 100;

/** @throws UnsupportedError with path, line and column of what is not in the subset */
export function parse(linked: Linked): Module {
  return new Parser(new Source(linked)).module();
}

function hexFraction(text: string): number {
  const [, whole, part, power = '0'] = /^0x([\da-f]*)\.?([\da-f]*)(?:p([-+]?\d+))?$/i.exec(text)!;
  return Number.parseInt(`${whole}${part}`, 16) * 2 ** (Number(power) - 4 * part!.length);
}

class Parser {
  readonly #source: Source;
  readonly #tokens: readonly Token[];
  readonly #calls = new Map<string, number>();
  #next = 0;
  #depth = 0;

  constructor(source: Source) {
    this.#source = source;
    this.#tokens = tokensOf(source.code);
  }

  module(): Module {
    const functions = new Map<string, FunctionDeclaration>();
    const structs = new Map<string, StructDeclaration>();
    const aliases = new Map<string, TypeName>();
    const constants = new Map<string, ConstantDeclaration>();
    const buffers = new Map<string, BufferDeclaration>();
    while (this.#token.kind !== 'end') {
      if (this.#skip(';')) continue;
      if (directives.has(this.#token.text)) {
        this.#directive();
        continue;
      }
      const attributes = this.#attributes();
      const { at, text } = this.#token;
      if (text === 'fn') {
        const made = this.#function(attributes);
        functions.set(made.name, made);
      } else if (text === 'struct') {
        const made = this.#struct();
        structs.set(made.name, made);
      } else if (text === 'alias') {
        this.#next++;
        const name = this.#name();
        this.#expect('=');
        aliases.set(name, this.#type());
        this.#expect(';');
      } else if (text === 'const' || text === 'override') {
        this.#next++;
        const made = { ...this.#declared(at), isOverride: text === 'override' };
        constants.set(made.name, made);
        this.#expect(';');
      } else if (text === 'const_assert') {
        this.#assert();
        this.#expect(';');
      } else if (text === 'var') {
        const made = this.#buffer(attributes);
        buffers.set(made.name, made);
      } else this.#unexpected('a declaration (fn, struct, alias, const, override or var)');
    }
    return { functions, structs, aliases, constants, buffers, calls: this.#calls };
  }

  #directive(): void {
    // What a diagnostic says about concerns no program that compiles here.
    if (this.#token.text !== 'diagnostic') this.#unexpected('no extension of WGSL');
    while (!this.#skip(';')) this.#next++;
  }

  /** Holds, or the text would not be right. */
  #assert(): void {
    this.#next++;
    this.#expression();
  }

  get #token(): Token {
    return this.#tokens[this.#next]!;
  }

  #unexpected(wanted: string): never {
    const { text, at } = this.#token;
    return this.#source.unsupported(at, `expected ${wanted}, got "${text}"`);
  }

  #skip(text: string): boolean {
    if (this.#tokens[this.#next]!.text !== text) return false;
    this.#next++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#skip(text)) this.#unexpected(`"${text}"`);
  }

  #name(): string {
    const { kind, text } = this.#token;
    if (kind !== 'name') this.#unexpected('a name');
    this.#next++;
    return text;
  }

  /** What `read` reads until `close`, with commas between. */
  #list<T>(close: string, read: () => T): T[] {
    const found: T[] = [];
    while (!this.#skip(close)) {
      found.push(read());
      if (!this.#skip(',') && this.#token.text !== close) this.#unexpected(`"," or "${close}"`);
    }
    return found;
  }

  #tooDeep(): never {
    return this.#source.unsupported(this.#token.at, `expected at most ${maxDepth} levels of nesting, got more`);
  }

  /** Runs `read` one level deeper. */
  #deeper<T>(read: () => T): T {
    if (++this.#depth > maxDepth) this.#tooDeep();
    const result = read();
    this.#depth--;
    return result;
  }

  #attributes(): ReadonlyMap<string, Expression | null> {
    const found = new Map<string, Expression | null>();
    while (this.#skip('@')) {
      const name = this.#name();
      found.set(name, this.#skip('(') ? (this.#list(')', () => this.#expression())[0] ?? null) : null);
    }
    return found;
  }

  #type(): TypeName {
    const { at } = this.#token;
    const name = this.#name();
    let of: TypeName | null = null;
    let size: Expression | null = null;
    if (this.#skip('<')) {
      if (name === 'ptr') {
        const space = this.#name();
        if (space !== 'function') {
          this.#source.unsupported(at, `expected a pointer to a variable of a function, got one in "${space}"`);
        }
        this.#expect(',');
      }
      of = this.#deeper(() => this.#type());
      if (this.#skip(',') && this.#token.text !== '>') size = this.#expression(aboveShifts);
      this.#skip(',');
      this.#closeTemplate();
    }
    return { at, name, of, size };
  }

  /** One `>`, also of `>>`. */
  #closeTemplate(): void {
    const { text, at } = this.#token;
    if (text === '>>' || text === '>=' || text === '>>=') {
      (this.#tokens as Token[])[this.#next] = { kind: 'symbol', text: text.slice(1), at: at + 1 };
    } else this.#expect('>');
  }

  #declared(at: number): Omit<Declaration, 'kind'> {
    const name = this.#name();
    const type = this.#skip(':') ? this.#type() : null;
    const value = this.#skip('=') ? this.#expression() : null;
    return { at, name, type, value };
  }

  #struct(): StructDeclaration {
    const { at } = this.#token;
    this.#next++;
    const name = this.#name();
    this.#expect('{');
    const fields = this.#list('}', () => {
      if (this.#token.text === '@') this.#unexpected('a field without attributes');
      const place = this.#token.at;
      const field = this.#name();
      this.#expect(':');
      return { at: place, name: field, type: this.#type() };
    });
    return { at, name, fields };
  }

  #buffer(attributes: ReadonlyMap<string, Expression | null>): BufferDeclaration {
    const { at } = this.#token;
    this.#next++;
    const words: string[] = [];
    if (this.#skip('<')) {
      do words.push(this.#name());
      while (this.#skip(','));
      this.#expect('>');
    }
    const [space = 'none', access = 'read'] = words;
    const name = this.#name();
    if (space !== 'storage') {
      this.#source.unsupported(at, `expected a storage buffer, got "${name}" in the address space "${space}"`);
    }
    this.#expect(':');
    const type = this.#type();
    this.#expect(';');
    const binding = attributes.get('binding');
    if (binding?.kind !== 'literal')
      this.#source.unsupported(at, `expected @binding(number) of "${name}", got another`);
    return { at, name, type, binding: binding.value, isWritable: access === 'read_write' };
  }

  #function(attributes: ReadonlyMap<string, Expression | null>): FunctionDeclaration {
    const { at } = this.#token;
    this.#next++;
    const name = this.#name();
    this.#expect('(');
    const parameters = this.#list(')', (): Parameter => {
      const given = this.#attributes().get('builtin');
      const place = this.#token.at;
      const parameter = this.#name();
      this.#expect(':');
      const builtin = given?.kind === 'name' ? given.name : null;
      return { at: place, name: parameter, type: this.#type(), builtin };
    });
    const result = this.#skip('->') ? this.#type() : null;
    return { at, name, parameters, result, body: this.#block(), isEntry: attributes.has('compute') };
  }

  #block(): Statement[] {
    return this.#deeper(() => {
      const body: Statement[] = [];
      this.#expect('{');
      while (!this.#skip('}')) {
        if (this.#skip(';')) continue;
        body.push(this.#statement());
      }
      return body;
    });
  }

  #statement(): Statement {
    const { at, text } = this.#token;
    switch (text) {
      case '{':
        return { kind: 'block', at, body: this.#block() };
      case 'if':
        return this.#deeper(() => this.#if());
      case 'for':
        return this.#for();
      case 'while':
        this.#next++;
        return this.#loop(at, null, this.#expression(), [], this.#block());
      case 'loop':
        return this.#plainLoop();
      case 'switch':
        return this.#switch();
      default: {
        const made = this.#simple();
        this.#expect(';');
        return made;
      }
    }
  }

  /** A statement that ends with a semicolon. */
  #simple(): Statement {
    const { at, text } = this.#token;
    if (text === 'let' || text === 'var' || text === 'const') {
      this.#next++;
      return { kind: text, ...this.#declared(at) };
    }
    if (text === 'return') {
      this.#next++;
      return { kind: 'return', at, value: this.#token.text === ';' ? null : this.#expression() };
    }
    if (text === 'break' || text === 'continue') {
      this.#next++;
      return { kind: text, at };
    }
    if (text === 'const_assert') {
      this.#assert();
      return { kind: 'block', at, body: [] };
    }
    return this.#assignment();
  }

  #assignment(): Statement {
    const { at } = this.#token;
    if (this.#token.text === '_') {
      this.#next++;
      this.#expect('=');
      return { kind: 'assign', at, operator: null, target: null, value: this.#expression() };
    }
    const target = this.#unary();
    const { text } = this.#token;
    if (text === '++' || text === '--') {
      this.#next++;
      const value: Expression = { kind: 'literal', at, value: 1, scalar: 'abstract-int' };
      return { kind: 'assign', at, operator: text[0]!, target, value };
    }
    if (assignments.has(text)) {
      this.#next++;
      const operator = text === '=' ? null : text.slice(0, -1);
      return { kind: 'assign', at, operator, target, value: this.#expression() };
    }
    if (target.kind === 'call') return { kind: 'call', at, call: target };
    return this.#unexpected('an assignment');
  }

  #if(): Statement {
    const { at } = this.#token;
    this.#next++;
    const condition = this.#expression();
    const then = this.#block();
    let otherwise: Statement[] = [];
    if (this.#skip('else')) otherwise = this.#token.text === 'if' ? [this.#deeper(() => this.#if())] : this.#block();
    return { kind: 'if', at, condition, then, otherwise };
  }

  #loop(
    at: number,
    start: Statement | null,
    condition: Expression | null,
    update: Statement[],
    body: Statement[],
  ): Statement {
    return { kind: 'loop', at, isPlain: false, start, condition, update, until: null, body };
  }

  #for(): Statement {
    const { at } = this.#token;
    this.#next++;
    this.#expect('(');
    const { text } = this.#token;
    const start = text === ';' ? null : declarations.has(text) ? this.#simple() : this.#assignment();
    this.#expect(';');
    const condition = this.#token.text === ';' ? null : this.#expression();
    this.#expect(';');
    const update = this.#token.text === ')' ? [] : [this.#assignment()];
    this.#expect(')');
    return this.#loop(at, start, condition, update, this.#block());
  }

  #plainLoop(): Statement {
    const { at } = this.#token;
    this.#next++;
    const body: Statement[] = [];
    const update: Statement[] = [];
    let until: Expression | null = null;
    this.#expect('{');
    while (!this.#skip('}')) {
      if (this.#skip(';')) continue;
      if (!this.#skip('continuing')) {
        body.push(this.#deeper(() => this.#statement()));
        continue;
      }
      this.#expect('{');
      while (!this.#skip('}')) {
        if (this.#token.text === 'break' && this.#tokens[this.#next + 1]?.text === 'if') {
          this.#next += 2;
          until = this.#expression();
          this.#expect(';');
        } else update.push(this.#deeper(() => this.#statement()));
      }
    }
    return { kind: 'loop', at, isPlain: true, start: null, condition: null, body, update, until };
  }

  #switch(): Statement {
    const { at } = this.#token;
    this.#next++;
    const on = this.#expression();
    const cases: SwitchCase[] = [];
    this.#expect('{');
    while (!this.#skip('}')) {
      const values: Expression[] = [];
      let isDefault = false;
      if (this.#skip('default')) isDefault = true;
      else {
        this.#expect('case');
        do {
          if (this.#skip('default')) isDefault = true;
          else values.push(this.#expression());
        } while (this.#skip(',') && this.#token.text !== ':' && this.#token.text !== '{');
      }
      this.#skip(':');
      cases.push({ values, isDefault, body: this.#block() });
    }
    return { kind: 'switch', at, on, cases };
  }

  /** An expression of operators that bind more tightly than `above`. */
  #expression(above = 0): Expression {
    // Tables have thousands of numbers.
    if (this.#token.kind === 'number' && ends.has(this.#tokens[this.#next + 1]!.text)) return this.#literal();
    if (++this.#depth > maxDepth) this.#tooDeep();
    let left = this.#unary();
    for (;;) {
      const { text: operator, at } = this.#token;
      const level = precedence.get(operator) ?? 0;
      if (level <= above) break;
      this.#next++;
      left = { kind: 'binary', at, operator, left, right: this.#expression(level) };
    }
    this.#depth--;
    return left;
  }

  #unary(): Expression {
    const { text: operator, at } = this.#token;
    if (!prefixes.has(operator)) return this.#postfix(this.#primary());
    this.#next++;
    const operand = this.#deeper(() => this.#unary());
    return { kind: 'unary', at, operator, operand };
  }

  #postfix(first: Expression): Expression {
    let made = first;
    for (;;) {
      const { at } = this.#token;
      if (this.#skip('[')) {
        made = { kind: 'index', at, base: made, index: this.#expression() };
        this.#expect(']');
      } else if (this.#skip('.')) made = { kind: 'member', at, base: made, name: this.#name() };
      else return made;
    }
  }

  #primary(): Expression {
    const { kind, text, at } = this.#token;
    if (this.#skip('(')) {
      const inner = this.#expression();
      this.#expect(')');
      return inner;
    }
    if (kind === 'number') return this.#literal();
    if (kind !== 'name') this.#unexpected('an expression');
    if (text === 'true' || text === 'false') {
      this.#next++;
      return { kind: 'literal', at, value: text === 'true' ? 1 : 0, scalar: 'bool' };
    }
    const after = this.#tokens[this.#next + 1]!.text;
    const isTemplate = after === '<' && templates.test(text);
    if (!isTemplate && after !== '(') {
      this.#next++;
      return { kind: 'name', at, name: text };
    }
    const callee: TypeName = isTemplate ? this.#type() : { at, name: this.#name(), of: null, size: null };
    return this.#call(at, callee);
  }

  #call(at: number, callee: TypeName): CallExpression {
    this.#calls.set(callee.name, (this.#calls.get(callee.name) ?? 0) + 1);
    this.#expect('(');
    return { kind: 'call', at, callee, values: this.#list(')', () => this.#expression()) };
  }

  #literal(): Expression {
    const { text, at } = this.#token;
    this.#next++;
    const isHex = text[1] === 'x' || text[1] === 'X';
    const last = text[text.length - 1]!;
    const isFraction = text.includes('.') || (isHex ? /p/i : /e/i).test(text);
    const isFloat = last === 'f' && (!isHex || isFraction);
    const suffix = last === 'i' || last === 'u' || isFloat ? last : null;
    const scalar = suffix ? suffixes[suffix]! : isFraction ? 'abstract-float' : 'abstract-int';
    const plain = suffix ? text.slice(0, -1) : text;
    const digits = isHex && isFraction ? hexFraction(plain) : Number(plain);
    if (scalar === 'abstract-int' && !Number.isSafeInteger(digits)) {
      this.#source.unsupported(at, `expected a whole number below 2^53, got ${text}`);
    }
    return { kind: 'literal', at, value: scalar === 'f32' ? Math.fround(digits) : digits, scalar };
  }
}
