/** The table of `bench/operations.mjs`. */

/**
 * What an operation counts, per component of its result. Low on purpose: where in doubt, the bound comes out too high
 * and our share of it too small.
 */
export const weights = [
  {
    names: ['+', '-', '*', '<', '<=', '>', '>=', '==', '!=', '&', '|', '^', '<<', '>>', '~', '&&', '||'],
    count: 1,
    reason: 'one instruction',
  },
  {
    names: ['select', 'min', 'max', 'floor', 'ceil', 'round', 'trunc', 'fma', 'countLeadingZeros', 'countOneBits'],
    count: 1,
    reason: 'one instruction',
  },
  { names: ['convert'], count: 1, reason: 'f32, u32, i32 or bool made of another type: one instruction' },
  { names: ['negate', '!', 'abs'], count: 0, reason: 'a flag on the operand of the instruction that reads it' },
  { names: ['bitcast'], count: 0, reason: 'the same register, read otherwise' },
  { names: ['clamp'], count: 2, reason: 'a maximum, then a minimum' },
  { names: ['fract'], count: 2, reason: 'a floor, then a difference' },
  { names: ['divide'], count: 2, reason: 'f32: a reciprocal, then a product' },
  { names: ['inverseSqrt', 'exp2', 'log2'], count: 1, reason: 'one instruction of the special unit' },
  { names: ['sqrt'], count: 2, reason: 'a reciprocal square root, then a product' },
  { names: ['exp', 'log', 'sin', 'cos'], count: 2, reason: 'a product that scales, then the special unit' },
  { names: ['pow'], count: 3, reason: 'a logarithm, a product, an exponential' },
  { names: ['divide by 2^n'], count: 1, reason: 'integers: a shift or a mask' },
  { names: ['divide by constant'], count: 2, reason: 'integers: the high half of a product, then a shift' },
  {
    names: ['divide integers'],
    count: 12,
    reason: 'to f32 and back for the reciprocal, three products for the quotient, two corrections',
  },
];

const weightOf = new Map(weights.flatMap(({ names, count }) => names.map((name) => [name, count])));

/** An operation on `width` components. Throws for an operation without a weight, so that none is ignored silently. */
export function weigh(name, width) {
  const weight = weightOf.get(name);
  if (weight === undefined) throw new Error(`no weight for "${name}"; give it one in bench/operations/weights.mjs`);
  return { operations: weight * width, fused: weight * width };
}
