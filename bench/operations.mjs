/**
 * Number of operations of a WGSL program per environment step, counted in its text. The adapter's issue rate divided by
 * it is an upper bound of the speed. wgsl_reflect parses the text. Its own cost model counts neither components of a
 * vector nor fused operations, so the counting is done here.
 *
 * Calls are inlined, loops are multiplied by their number of passes, and the more expensive side of a branch counts.
 * Two optimisations of every compiler are applied: expressions of constants are free and decide branches and loops;
 * expressions of constants and parameters alone are free too, because they move out of the loop over the steps.
 * Repeated expressions are not merged. Memory accesses are not operations.
 */
import { Counter } from './operations/counter.mjs';
import { dearer, levels, plus } from './operations/values.mjs';

export { weights } from './operations/weights.mjs';

/**
 * @typedef {object} Count
 * @property {number} operations each operation by its weight
 * @property {number} fused the same, where an f32 addition or subtraction of a product counts with the product as one
 *
 * @typedef {Count & { readonly unbounded: readonly number[] }} Operations
 *   `unbounded`: lines of loops with an unknown number of passes; they count as one pass
 *
 * @typedef {object} Known values from the host that determine the number of passes of loops
 * @property {Readonly<Record<string, readonly number[]>>} [fields] per module variable the values of its fields, in order
 */

/**
 * One pass of the `while` loop of `entry`.
 *
 * @param {string} code
 * @param {string} entry
 * @param {Known} [known]
 * @returns {Operations}
 */
export function operationsOfLoop(code, entry, known = {}) {
  const counter = new Counter(code, known);
  const body = counter.functionNamed(entry);
  const at = body.body.findIndex((statement) => statement.astNodeType === 'while');
  if (at < 0) throw new Error(`expected a while loop in ${entry}, found none`);
  const scope = counter.scopeOf(body, levels.invariant);
  counter.walk(body.body.slice(0, at), scope);
  // Variables set before the loop are the same in all of its passes.
  for (const value of scope.values()) if (value.fixed) value.level = Math.min(value.level, levels.invariant);
  const loop = body.body[at];
  counter.unbounded.clear();
  const condition = counter.value(loop.condition, scope);
  return counter.result(plus(condition.cost, dearer(counter.walk(loop.body, scope))));
}

/**
 * One call of a function.
 *
 * @param {string} code
 * @param {string} name
 * @param {Known} [known]
 * @returns {Operations}
 */
export function operationsOfFunction(code, name, known = {}) {
  const counter = new Counter(code, known);
  const body = counter.functionNamed(name);
  return counter.result(dearer(counter.walk(body.body, counter.scopeOf(body, levels.varying))));
}
