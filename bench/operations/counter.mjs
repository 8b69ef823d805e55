/** Walks the syntax tree of a WGSL program and sums the weights of its operations; see `bench/operations.mjs`. */
import { WgslParser } from 'wgsl_reflect/wgsl_reflect.module.js';
import { calculate, dearer, levels, nothing, plus, times, worse } from './values.mjs';
import { weigh } from './weights.mjs';

const comparisons = new Set(['<', '<=', '>', '>=', '==', '!=']);
const scalar = (base) => ({ base, width: 1 });
const float = 'f32';
/** type of an integer without a suffix */
const abstract = 'abstract';

export class Counter {
  /** lines of loops with an unknown number of passes */
  unbounded = new Set();
  #functions = new Map();
  #types = new Map();
  #module = new Map();

  constructor(code, { fields = {} }) {
    const declarations = new WgslParser().parse(code);
    for (const node of declarations) {
      if (node.astNodeType === 'function') this.#functions.set(node.name, node);
      if (node.astNodeType === 'struct') this.#types.set(node.name, node);
      if (node.astNodeType === 'alias') this.#types.set(node.name, node.type);
    }
    for (const node of declarations) {
      if (!['const', 'override', 'var'].includes(node.astNodeType)) continue;
      const type = node.type ? this.#type(node.type) : this.value(node.value, new Map()).type;
      const given = node.astNodeType === 'const' ? this.value(node.value, new Map()).known : undefined;
      const level = node.astNodeType === 'const' ? levels.constant : levels.invariant;
      const members = type.members ? [...type.members.keys()] : [];
      const values = new Map((fields[node.name] ?? []).map((value, i) => [members[i], value]));
      this.#module.set(node.name, { type, level, known: given, fields: values });
    }
  }

  functionNamed(name) {
    const found = this.#functions.get(name);
    if (!found) throw new Error(`expected a function "${name}", found ${[...this.#functions.keys()].join(', ')}`);
    return found;
  }

  /** The arguments of a function, all with the level `level`. */
  scopeOf(body, level) {
    return new Map(body.args.map(({ name, type }) => [name, { type: this.#type(type), level, fixed: true }]));
  }

  result(cost) {
    return { ...cost, unbounded: [...this.unbounded] };
  }

  /**
   * Cost of statements if control reaches their end, and if it leaves them earlier (return, break, continue): each is
   * the cost of the most expensive path, null if there is no such path. Declarations go into `scope`, return values into
   * `returned`.
   */
  walk(statements, scope, returned = []) {
    let through = nothing;
    let left = null;
    for (const statement of statements) {
      const way = this.#statement(statement, scope, returned);
      if (way.left !== null) left = worse(left, plus(through, way.left));
      if (way.through === null) return { through: null, left };
      through = plus(through, way.through);
    }
    return { through, left };
  }

  #statement(node, scope, returned) {
    const on = (cost) => ({ through: cost, left: null });
    switch (node.astNodeType) {
      case 'let':
      case 'const': {
        const value = this.value(node.value, scope);
        scope.set(node.name, { ...value, ...(node.type && { type: this.#type(node.type) }), fixed: true });
        return on(value.cost);
      }
      case 'var': {
        const value = node.value ? this.value(node.value, scope) : null;
        const type = node.type ? this.#type(node.type) : value.type;
        scope.set(node.name, { type, level: levels.varying, fixed: false });
        return on(value?.cost ?? nothing);
      }
      case 'assign':
        return on(this.#assign(node, scope));
      case 'increment':
        return on(weigh('+', this.value(node.variable, scope).type.width));
      case 'call':
        return on(this.#call(node, node.args, scope).cost);
      case 'if':
        return this.#if(node, scope, returned);
      case 'for':
        return this.#for(node, scope, returned);
      case 'while':
      case 'loop': {
        this.unbounded.add(node.line);
        const condition = node.condition ? this.value(node.condition, scope).cost : nothing;
        const body = [...node.body, ...(node.continuing?.body ?? [])];
        return on(plus(condition, dearer(this.walk(body, new Map(scope), returned))));
      }
      case 'return': {
        // The parser turns a bare "return" into an empty constructor.
        if (!node.value?.type && node.value?.astNodeType === 'createExpr') return { through: null, left: nothing };
        const value = this.value(node.value, scope);
        returned.push(value);
        return { through: null, left: value.cost };
      }
      case 'break':
      case 'continue':
        return { through: null, left: nothing };
      default:
        throw new Error(`line ${node.line}: cannot count the statement "${node.astNodeType}"`);
    }
  }

  #assign({ operator, variable, value, line }, scope) {
    const given = this.value(value, scope);
    if (variable.astNodeType === 'varExpr' && variable.name === '_') return given.cost;
    const target = this.value(variable, scope);
    const cost = plus(given.cost, target.cost);
    if (operator === '=') return cost;
    const sides = { left: target, right: given, leftNode: variable, rightNode: value };
    return plus(cost, this.#binaryCost(operator.slice(0, -1), sides, line));
  }

  #if(node, scope, returned) {
    let cost = nothing;
    let through = null;
    let left = null;
    const branches = [node, ...(node.elseif ?? [])];
    const enter = (body) => {
      const way = this.walk(body, new Map(scope), returned);
      if (way.through !== null) through = worse(through, plus(cost, way.through));
      if (way.left !== null) left = worse(left, plus(cost, way.left));
    };
    for (const { condition, body } of branches) {
      const { known, cost: tested } = this.value(condition, scope);
      cost = plus(cost, tested);
      if (known === false) continue;
      enter(body);
      if (known === true) return { through, left };
    }
    enter(node.else ?? []);
    return { through, left };
  }

  /** Unrolled if its bounds are constants, so that the loop counter is a constant too; otherwise multiplied. */
  #for(node, outer, returned) {
    const scope = new Map(outer);
    const start = this.value(node.init.value, scope);
    const { name } = node.init;
    const counter = { type: start.type, level: levels.constant, known: start.known, fixed: true };
    scope.set(name, counter);
    const bound = this.value(node.condition, scope);
    if (bound.known === undefined) {
      counter.level = levels.varying;
      counter.known = undefined;
      this.unbounded.add(node.line);
      return { through: plus(this.#pass(node, scope, returned), start.cost), left: null };
    }
    const unrolled = bound.level === levels.constant;
    let cost = nothing;
    let passes = 0;
    while (this.value(node.condition, scope).known === true) {
      if (unrolled) cost = plus(cost, dearer(this.walk(node.body, new Map(scope), returned)));
      counter.known = this.#advanced(node.increment, name, scope);
      if (++passes > 1e6) throw new Error(`line ${node.line}: the loop does not end`);
    }
    if (unrolled) return { through: cost, left: null };
    counter.level = levels.varying;
    counter.known = undefined;
    return { through: plus(start.cost, times(this.#pass(node, scope, returned), passes)), left: null };
  }

  /** One pass of a loop that is not unrolled. */
  #pass(node, scope, returned) {
    const body = dearer(this.walk(node.body, new Map(scope), returned));
    const step = this.#statement(node.increment, scope, returned).through;
    return plus(plus(body, step), this.value(node.condition, scope).cost);
  }

  #advanced(step, name, scope) {
    if (step.variable.name !== name) throw new Error(`line ${step.line}: the loop does not step its counter ${name}`);
    const { known } = scope.get(name);
    if (step.astNodeType === 'increment') return step.operator === '++' ? known + 1 : known - 1;
    const given = this.value(step.value, scope).known;
    return step.operator === '=' ? given : calculate(step.operator.slice(0, -1), known, given);
  }

  /** Type, level, known value and cost of an expression. */
  value(node, scope) {
    return this.#postfix(this.#bare(node, scope), node.postfix, scope);
  }

  #bare(node, scope) {
    switch (node.astNodeType) {
      case 'literalExpr': {
        const { name } = node.type;
        // The parser has evaluated constant vectors and arrays; their values are not needed.
        if (!node.isScalar) return { type: this.#type(node.type), level: levels.constant, cost: nothing };
        const known = name === 'bool' ? node.scalarValue !== 0 : node.scalarValue;
        // An integer without a suffix takes the type of the other operand.
        const type = scalar(name === 'x32' ? abstract : name);
        return { type, level: levels.constant, known, cost: nothing };
      }
      case 'varExpr':
      case 'constExpr': {
        const found = scope.get(node.name) ?? this.#module.get(node.name);
        if (!found) throw new Error(`line ${node.line}: unknown name "${node.name}"`);
        return { ...found, cost: nothing };
      }
      case 'unaryOp':
        return this.#unary(node, scope);
      case 'binaryOp':
        return this.#binary(node, scope);
      case 'bitcastExpr': {
        const value = this.value(node.value, scope);
        return { type: this.#type(node.type), level: value.level, cost: value.cost };
      }
      case 'createExpr':
      case 'typecastExpr':
        return this.#create(node, scope);
      case 'callExpr':
        return this.#call(node, node.args ?? [], scope);
      default:
        throw new Error(`line ${node.line}: cannot count the expression "${node.astNodeType}"`);
    }
  }

  #postfix(start, first, scope) {
    let value = start;
    for (let node = first; node; node = node.postfix) {
      const { type, cost } = value;
      if (node.astNodeType === 'stringExpr') {
        const name = node.value;
        const member = type.members?.get(name) ?? (type.width > 1 ? { ...type, width: name.length } : null);
        if (!member) throw new Error(`line ${node.line}: no member "${name}"`);
        value = { type: member, level: value.level, known: value.fields?.get(name), cost };
      } else {
        const index = this.value(node.index, scope);
        const element = type.element ?? { ...type, width: 1 };
        value = { type: element, level: Math.max(value.level, index.level), cost: plus(cost, index.cost) };
      }
    }
    return value;
  }

  #unary({ operator, right }, scope) {
    const value = this.value(right, scope);
    // A pointer counts as its target and costs nothing.
    if (operator === '*' || operator === '&') return value;
    const { type, level, known } = value;
    const name = operator === '-' ? 'negate' : operator;
    const result = known === undefined ? undefined : { '-': -known, '!': !known, '~': ~known >>> 0 }[operator];
    const own = level === levels.varying ? weigh(name, type.width) : nothing;
    return { type, level, known: result, cost: plus(value.cost, own) };
  }

  #binary(node, scope) {
    const { operator, left: leftNode, right: rightNode, line } = node;
    const left = this.value(leftNode, scope);
    const right = this.value(rightNode, scope);
    const cost = plus(left.cost, right.cost);
    const type = this.#binaryType(operator, left.type, right.type);
    if (operator === '&&' || operator === '||') {
      const deciding = operator === '||';
      for (const [side, other] of [
        [left, right],
        [right, left],
      ]) {
        if (side.known === deciding) return { ...side, cost: nothing };
        if (side.known === !deciding) return { ...other, cost };
      }
    }
    const known = calculate(operator, left.known, right.known);
    return {
      type,
      level: Math.max(left.level, right.level),
      known: type.base === 'u32' && typeof known === 'number' ? known >>> 0 : known,
      cost: plus(cost, this.#binaryCost(operator, { left, right, leftNode, rightNode }, line)),
    };
  }

  #binaryType(operator, left, right) {
    const width = Math.max(left.width, right.width);
    if (comparisons.has(operator)) return { base: 'bool', width };
    return { base: left.base === abstract ? right.base : left.base, width };
  }

  /** The operation itself, without its operands. */
  #binaryCost(operator, { left, right, leftNode, rightNode }, line) {
    if (Math.max(left.level, right.level) < levels.varying) return nothing;
    const { base, width } = this.#binaryType(operator, left.type, right.type);
    if (!width) throw new Error(`line ${line}: "${operator}" of something that is neither number nor vector`);
    if (operator === '/' || operator === '%') {
      if (base === float || base === abstract) return times(weigh('divide', 1), width);
      const by = right.level === levels.constant ? right.known : undefined;
      if (by === undefined) return weigh('divide integers', width);
      return weigh(Number.isInteger(Math.log2(by)) ? 'divide by 2^n' : 'divide by constant', width);
    }
    const cost = weigh(operator, width);
    const isProduct = (node, side) =>
      node.astNodeType === 'binaryOp' &&
      node.operator === '*' &&
      !node.postfix &&
      side.level === levels.varying &&
      side.type.base === float &&
      side.type.width === width;
    const merges = (operator === '+' || operator === '-') && (isProduct(leftNode, left) || isProduct(rightNode, right));
    return merges ? { ...cost, fused: cost.fused - width } : cost;
  }

  /** Constructors are free; only a conversion of the number type is an operation. */
  #create({ type: node, args: nodes }, scope) {
    const args = (nodes ?? []).map((arg) => this.value(arg, scope));
    const type = this.#type(node);
    const level = Math.max(levels.constant, ...args.map((arg) => arg.level));
    let cost = args.reduce((sum, arg) => plus(sum, arg.cost), nothing);
    if (args.length === 1 && type.base && args[0].type.base) {
      const [{ type: from }] = args;
      const changes = from.base !== type.base && from.base !== abstract && level === levels.varying;
      if (changes) cost = plus(cost, weigh('convert', from.width));
    }
    const single = args.length === 1 && type.width === 1 ? args[0].known : undefined;
    const whole = single !== undefined && type.base !== float && type.base !== 'bool';
    return { type, level, known: whole ? Math.trunc(Number(single)) : single, cost };
  }

  #call({ name }, nodes, scope) {
    if (this.#types.has(name)) return this.#create({ type: { astNodeType: 'type', name }, args: nodes }, scope);
    const args = nodes.map((arg) => this.value(arg, scope));
    const given = args.reduce((sum, arg) => plus(sum, arg.cost), nothing);
    const body = this.#functions.get(name);
    if (body) return this.#written(body, args, given);
    const level = Math.max(...args.map((arg) => arg.level));
    const width = Math.max(...args.map((arg) => arg.type.width));
    const base = args.map((arg) => arg.type.base).find((b) => b !== abstract) ?? float;
    const free = level < levels.varying;
    if (name === 'dot') {
      const own = free ? nothing : { operations: 2 * width - 1, fused: width };
      return { type: scalar(base), level, cost: plus(given, own) };
    }
    if (name === 'all' || name === 'any') {
      const own = free ? nothing : times(weigh('&&', 1), width - 1);
      return { type: scalar('bool'), level, cost: plus(given, own) };
    }
    if (name === 'select' && args[2].known !== undefined) {
      const chosen = args[args[2].known ? 1 : 0];
      return { ...chosen, level: Math.max(chosen.level, args[2].level), cost: given };
    }
    return { type: { base, width }, level, cost: plus(given, free ? nothing : weigh(name, width)) };
  }

  /** A function of the program, inlined. */
  #written(body, args, given) {
    const scope = new Map(body.args.map(({ name, type }, i) => [name, { ...args[i], type: this.#type(type) }]));
    for (const value of scope.values()) value.cost = nothing;
    const returned = [];
    const cost = dearer(this.walk(body.body, scope, returned));
    const level = Math.max(levels.constant, ...[...args, ...returned].map((value) => value.level));
    const [first] = returned;
    const known = returned.every((value) => value.known === first.known) ? first?.known : undefined;
    return { type: body.returnType && this.#type(body.returnType), level, known, cost: plus(given, cost) };
  }

  /** Numbers and vectors as base and width, structs as members, arrays as element; pointers as their target. */
  #type(node) {
    if (node.astNodeType === 'pointer') return this.#type(node.type);
    if (node.astNodeType === 'array') return { element: this.#type(node.format) };
    const declared = this.#types.get(node.name);
    if (declared && declared !== node && declared.astNodeType !== 'struct') return this.#type(declared);
    if (declared) return { members: new Map(declared.members.map(({ name, type }) => [name, this.#type(type)])) };
    if (['f32', 'u32', 'i32', 'bool'].includes(node.name)) return scalar(node.name);
    const vector = /^vec([234])([fui])?$/.exec(node.name);
    if (!vector) throw new Error(`cannot count with the type "${node.name}"`);
    const base = node.format?.name ?? { f: 'f32', u: 'u32', i: 'i32' }[vector[2]];
    return { base, width: Number(vector[1]) };
  }
}
