/**
 * How many operations a WGSL program spends on one environment step, counted from its text: the numerator of what an
 * adapter's issue rate allows at most. wgsl_reflect parses; its own cost model does not count per component of a
 * vector, nor fused operations, so the counting is done here.
 *
 * Counted is the text as it stands, calls written out, loops as often as they pass, of a branch the dearer side. Two
 * things that every compiler does are done here too: what follows from constants is free and decides branches and
 * loops, and so is what follows from constants and parameters alone, because it moves out of the loop over the steps.
 * Not done: merging what is written twice. Memory accesses are not operations.
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
 *   `unbounded`: lines of loops whose passes nothing tells; they count as one pass
 *
 * @typedef {object} Known values that the host puts in and that say how often loops pass
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
  // What is set once before the loop is the same in all of its passes.
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
