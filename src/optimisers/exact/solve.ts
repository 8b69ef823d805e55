/** Exact solutions of tables: the best policy that knows the time, and the best table under a step limit. */
import { UsageError } from '../../base/errors.ts';
import type { TableModel } from './table-model.ts';

/** Two values that differ by less count as equal. */
const tolerance = 1e-12;
const maxSweeps = 1_000_000;
/** An entry of a partial table without an action. */
const open = -1;

/** Expected return of an action in a state, `after` being the values of the next states. */
function actionValue(model: TableModel, state: number, action: number, after: Float64Array): number {
  const { from, probability, reward, next, actions } = model;
  const at = state * actions.length + action;
  let value = 0;
  for (let k = from[at]!; k < from[at + 1]!; k++) {
    const target = next[k]!;
    value += probability[k]! * (reward[k]! + (target < 0 ? 0 : after[target]!));
  }
  return value;
}

function startValue({ starts }: TableModel, values: Float64Array): number {
  return starts.reduce((sum, probability, state) => sum + probability * values[state]!, 0);
}

/**
 * Mean return of the best policy without a step limit; null: there is none, the states depend on the steps taken, or
 * `isOver`, which is asked again and again, said true.
 */
export function unlimitedMean(model: TableModel, isOver: () => boolean): number | null {
  if (!model.isClosed) return null;
  let values = new Float64Array(model.states);
  for (let sweep = 0; sweep < maxSweeps && !isOver(); sweep++) {
    const better = new Float64Array(model.states);
    let change = 0;
    for (let state = 0; state < model.states; state++) {
      let best = Number.NEGATIVE_INFINITY;
      for (let a = 0; a < model.actions.length; a++) best = Math.max(best, actionValue(model, state, a, values));
      better[state] = best;
      change = Math.max(change, Math.abs(best - values[state]!));
    }
    values = better;
    if (change < tolerance) return startValue(model, values);
    if (!Number.isFinite(change)) return null;
  }
  return null;
}

/** A policy that follows a partial table and is free, at each time, where the table is open. */
interface Relaxed {
  /** mean return: no table that completes the partial one has a higher one */
  readonly mean: number;
  /** index of the action taken with t steps left, `[limit x states]` */
  readonly choices: Int32Array;
}

function relax(model: TableModel, limit: number, table: Int32Array): Relaxed {
  const { states, actions, observed } = model;
  let after = new Float64Array(states);
  let values = new Float64Array(states);
  const choices = new Int32Array(limit * states);
  for (let left = 0; left < limit; left++) {
    for (let state = 0; state < states; state++) {
      const fixed = table[observed[state]!]!;
      let best = fixed === open ? 0 : fixed;
      let value = actionValue(model, state, best, after);
      for (let a = 1; fixed === open && a < actions.length; a++) {
        const other = actionValue(model, state, a, after);
        if (other <= value + tolerance) continue;
        value = other;
        best = a;
      }
      values[state] = value;
      choices[left * states + state] = best;
    }
    [after, values] = [values, after];
  }
  return { mean: startValue(model, after), choices };
}

/** How often the policy takes each action at each observation, `[observations x actions]`. */
function visits(model: TableModel, limit: number, choices: Int32Array): Float64Array {
  const { states, actions, observed, from, probability, next } = model;
  const counts = new Float64Array(model.observations * actions.length);
  let now = model.starts.slice();
  for (let left = limit - 1; left >= 0; left--) {
    const then = new Float64Array(states);
    for (let state = 0; state < states; state++) {
      const share = now[state]!;
      if (share === 0) continue;
      const action = choices[left * states + state]!;
      counts[observed[state]! * actions.length + action]! += share;
      const at = state * actions.length + action;
      for (let k = from[at]!; k < from[at + 1]!; k++) if (next[k]! >= 0) then[next[k]!]! += share * probability[k]!;
    }
    now = then;
  }
  return counts;
}

/** The open observation at which the policy changes its action most, with its actions, the most frequent first. */
function mostUndecided({ actions }: TableModel, table: Int32Array, counts: Float64Array) {
  let worst = 0;
  let found: { readonly observation: number; readonly order: number[] } | null = null;
  for (let observation = 0; observation < table.length; observation++) {
    if (table[observation] !== open) continue;
    const row = counts.subarray(observation * actions.length, (observation + 1) * actions.length);
    const undecided = row.reduce((sum, count) => sum + count, 0) - Math.max(...row);
    if (undecided <= worst) continue;
    worst = undecided;
    found = { observation, order: [...row.keys()].sort((a, b) => row[b]! - row[a]!) };
  }
  return found;
}

/** The partial table completed by the most frequent actions of the policy. */
function completed({ actions }: TableModel, table: Int32Array, counts: Float64Array): Int32Array {
  return table.map((fixed, observation) => {
    if (fixed !== open) return fixed;
    const row = counts.subarray(observation * actions.length, (observation + 1) * actions.length);
    return row.indexOf(Math.max(...row));
  });
}

interface Found {
  readonly table: Int32Array;
  readonly mean: number;
}

/** Changes single entries of a table as long as that raises its mean. */
function improve(model: TableModel, limit: number, start: Int32Array, isOver: () => boolean): Found {
  let table = start;
  let { mean } = relax(model, limit, table);
  for (let changed = true; changed; ) {
    changed = false;
    for (let observation = 0; observation < table.length; observation++) {
      for (let a = 0; a < model.actions.length; a++) {
        if (a === table[observation]) continue;
        if (isOver()) return { table, mean };
        const other = table.with(observation, a);
        const value = relax(model, limit, other).mean;
        if (value <= mean + tolerance) continue;
        [table, mean, changed] = [other, value, true];
      }
    }
  }
  return { table, mean };
}

export interface Solution {
  /** number of the action for each observation */
  readonly params: number[];
  readonly mean: number;
  /** whether no table has a higher mean */
  readonly exact: boolean;
  /** no table has a higher mean than this */
  readonly bound: number;
  /** of the best policy that knows the number of steps left */
  readonly timeDependent: number;
}

/**
 * The best table under a step limit, by branch and bound: a partial table is bounded by the best policy that follows it and
 * is free elsewhere. `isOver`: asked again and again; where it says true, the best table so far is returned. Throws a usage
 * error for returns that are too large.
 */
export function solveTable(model: TableModel, limit: number, isOver: () => boolean): Solution {
  const root = relax(model, limit, new Int32Array(model.observations).fill(open));
  if (!Number.isFinite(root.mean)) {
    throw new UsageError('solve', `expected returns that are finite numbers, got ${root.mean}; scale the rewards down`);
  }
  const nothing = new Int32Array(model.observations).fill(open);
  let best = improve(model, limit, completed(model, nothing, visits(model, limit, root.choices)), isOver);
  let isComplete = true;
  const search = (table: Int32Array, { mean, choices }: Relaxed): void => {
    if (mean <= best.mean + tolerance) return;
    if (isOver()) {
      isComplete = false;
      return;
    }
    const counts = visits(model, limit, choices);
    const next = mostUndecided(model, table, counts);
    if (next === null) {
      // The policy has one action at each observation: it is a table.
      best = { table: completed(model, table, counts), mean };
      return;
    }
    const children = next.order.map((action) => {
      const child = table.with(next.observation, action);
      return { child, relaxed: relax(model, limit, child) };
    });
    children.sort((a, b) => b.relaxed.mean - a.relaxed.mean);
    for (const { child, relaxed } of children) search(child, relaxed);
  };
  search(nothing, root);
  return {
    params: Array.from(best.table, (action) => model.actions[action]!),
    mean: best.mean,
    exact: isComplete,
    bound: isComplete ? best.mean : root.mean,
    timeDependent: root.mean,
  };
}
