/** What a piece of a program may do, from its text alone. */
import type { Expression, FunctionDeclaration, Loop, Module, Statement } from './ast.ts';

/** Whether control never reaches the end of these statements. */
export function alwaysLeaves(body: readonly Statement[]): boolean {
  const last = body[body.length - 1];
  if (!last) return false;
  if (last.kind === 'return' || last.kind === 'break' || last.kind === 'continue') return true;
  if (last.kind === 'block') return alwaysLeaves(last.body);
  return last.kind === 'if' && alwaysLeaves(last.then) && alwaysLeaves(last.otherwise);
}

/** Whether the statements contain one of a kind that concerns the loop or the function around them. */
export function contains(body: readonly Statement[], kind: 'break' | 'continue' | 'return'): boolean {
  return body.some((statement): boolean => {
    switch (statement.kind) {
      case 'if':
        return contains(statement.then, kind) || contains(statement.otherwise, kind);
      case 'block':
        return contains(statement.body, kind);
      case 'switch':
        return kind !== 'break' && statement.cases.some((one) => contains(one.body, kind));
      case 'loop':
        return kind === 'return' && (contains(statement.body, kind) || contains(statement.update, kind));
      default:
        return statement.kind === kind;
    }
  });
}

const changed = new WeakMap<Loop, ReadonlySet<string>>();

/** Names of variables that a loop may change: assigned ones, and those that functions get pointers to. */
export function changedIn(loop: Loop): ReadonlySet<string> {
  const seen = changed.get(loop);
  if (seen) return seen;
  const names = new Set<string>();
  const copies: { readonly name: string; readonly of: string }[] = [];
  visit(loop, (node) => {
    if (node.kind === 'assign' && node.target) names.add(baseName(node.target));
    else if (node.kind === 'unary' && node.operator === '&') names.add(baseName(node.operand));
    else if (node.kind === 'call' && 'values' in node) {
      for (const value of node.values) if (value.kind === 'name') names.add(value.name);
    } else if (node.kind === 'let' && node.value?.kind === 'name')
      copies.push({ name: node.name, of: node.value.name });
  });
  // A copy of a pointer points to the same variable. One may be of another, which stands before it.
  for (const { name, of } of copies.reverse()) if (names.has(name)) names.add(of);
  changed.set(loop, names);
  return names;
}

/** Names that an expression reads, and whether it calls anything. */
export function readsOf(expression: Expression): { readonly names: ReadonlySet<string>; readonly calls: boolean } {
  const names = new Set<string>();
  let calls = false;
  visit(expression, (node) => {
    if (node.kind === 'name') names.add(node.name);
    if (node.kind === 'call') calls = true;
  });
  return { names, calls };
}

const looping = new WeakMap<FunctionDeclaration, boolean>();

/** Whether it calls a declared function that contains a loop, directly or through calls. */
export function callsLoop(node: Expression | Statement, module: Module): boolean {
  let found = false;
  visit(node, (part) => {
    const declared = part.kind === 'call' && 'callee' in part ? module.functions.get(part.callee.name) : undefined;
    found ||= declared !== undefined && hasLoop(declared, module);
  });
  return found;
}

function hasLoop(declaration: FunctionDeclaration, module: Module): boolean {
  const seen = looping.get(declaration);
  if (seen !== undefined) return seen;
  // Calls of itself are an error elsewhere.
  looping.set(declaration, false);
  let found = false;
  for (const statement of declaration.body) {
    visit(statement, (part) => {
      found ||= part.kind === 'loop';
    });
    found ||= callsLoop(statement, module);
  }
  looping.set(declaration, found);
  return found;
}

function baseName(expression: Expression): string {
  switch (expression.kind) {
    case 'name':
      return expression.name;
    case 'index':
    case 'member':
      return baseName(expression.base);
    case 'unary':
      return baseName(expression.operand);
    default:
      return '';
  }
}

function visit(node: Expression | Statement, see: (node: Expression | Statement) => void): void {
  see(node);
  for (const part of partsOf(node)) visit(part, see);
}

type Part = Expression | Statement;

const given = (...parts: readonly (Part | null)[]): Part[] => parts.filter((part) => part !== null);

/** Expressions and statements right inside of one; those that belong to types are left out. */
export function partsOf(node: Part): readonly Part[] {
  switch (node.kind) {
    case 'binary':
      return [node.left, node.right];
    case 'unary':
      return [node.operand];
    case 'member':
      return [node.base];
    case 'index':
      return [node.base, node.index];
    case 'call':
      return 'call' in node ? [node.call] : node.values;
    case 'assign':
      return given(node.target, node.value);
    case 'if':
      return [node.condition, ...node.then, ...node.otherwise];
    case 'switch':
      return [node.on, ...node.cases.flatMap((one) => [...one.values, ...one.body])];
    case 'loop':
      return [...given(node.start, node.condition, node.until), ...node.body, ...node.update];
    case 'block':
      return node.body;
    case 'let':
    case 'var':
    case 'const':
    case 'return':
      return given(node.value);
    default:
      return [];
  }
}
