/** Costs, and the known facts about the values that cause them. */

/** When a value is known: at compile time, constant over all steps, or different in each step. */
export const levels = { constant: 0, invariant: 1, varying: 2 };

export const nothing = { operations: 0, fused: 0 };
export const plus = (a, b) => ({ operations: a.operations + b.operations, fused: a.fused + b.fused });
export const times = (a, n) => ({ operations: a.operations * n, fused: a.fused * n });
/** The more expensive of two paths; null for a path that does not exist. */
export const worse = (a, b) => (a === null || (b !== null && b.operations > a.operations) ? b : a);
export const dearer = ({ through, left }) => worse(through, left) ?? nothing;

/** Operators on known numbers and booleans. */
const operators = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '&&': (a, b) => a && b,
  '||': (a, b) => a || b,
  '&': (a, b) => (a & b) >>> 0,
  '|': (a, b) => (a | b) >>> 0,
  '^': (a, b) => (a ^ b) >>> 0,
  '<<': (a, b) => (a << b) >>> 0,
  '>>': (a, b) => a >>> b,
};

/** Undefined if one of them is unknown. */
export function calculate(operator, a, b) {
  return a === undefined || b === undefined ? undefined : operators[operator](a, b);
}
