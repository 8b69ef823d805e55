/** Costs, and what is known of the values that cause them. */

/** How far a value reaches: known when compiled, the same in all steps, or another one in each. */
export const levels = { constant: 0, invariant: 1, varying: 2 };

export const nothing = { operations: 0, fused: 0 };
export const plus = (a, b) => ({ operations: a.operations + b.operations, fused: a.fused + b.fused });
export const times = (a, n) => ({ operations: a.operations * n, fused: a.fused * n });
/** Of two ways through the text, null for one that is not there. */
export const worse = (a, b) => (a === null || (b !== null && b.operations > a.operations) ? b : a);
export const dearer = ({ through, left }) => worse(through, left) ?? nothing;

/** Of known numbers and truth values. */
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

/** Undefined when one of them is not known. */
export function calculate(operator, a, b) {
  return a === undefined || b === undefined ? undefined : operators[operator](a, b);
}
