/** What a piece of a program may do, from its text alone. */
import type { Expression, Loop, Statement } from './ast.ts';

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
  visit(loop, (node) => {
    if (node.kind === 'assign' && node.target) names.add(baseName(node.target));
    else if (node.kind === 'unary' && node.operator === '&') names.add(baseName(node.operand));
    else if (node.kind === 'call' && 'values' in node) {
      for (const value of node.values) if (value.kind === 'name') names.add(value.name);
    }
  });
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
