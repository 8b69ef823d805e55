/** The exact solution as an optimiser: its only candidate is the best table of actions, which it computes and does not search. */
import { z } from 'zod';
import { UsageError } from '../../base/errors.ts';
import { optional, orNull, whole } from '../../base/schema-fields.ts';
import type { Algorithm, Optimiser, Problem } from '../optimiser.ts';
import { type Solution, solveTable } from './solve.ts';

const settings = z.strictObject({
  work: optional(
    whole(0, Number.MAX_SAFE_INTEGER, orNull),
    'number of partial tables after which the search for the best one ends; null: it ends when it is exact',
  ),
});
type Settings = z.output<typeof settings>;

/** Ends a search after so many questions: the same on every machine. `null`: never. */
function endAfter(work: number | null): () => boolean {
  let asked = 0;
  return () => work !== null && ++asked > work;
}

class ExactSolution implements Algorithm {
  readonly population = 1;
  readonly #problem: Problem;
  readonly #work: number | null;
  #solution: Solution | null = null;

  constructor(problem: Problem, { work }: Settings) {
    this.#problem = problem;
    this.#work = work;
  }

  /** Made when it is first asked for: it may take a minute. */
  get #solved(): Solution {
    const { table } = this.#problem;
    if (table === null || table === undefined)
      throw new UsageError(exact.id, 'expected an environment to solve, got none');
    if (this.#solution === null) {
      const { model, limit } = table();
      this.#solution = solveTable(model, limit, endAfter(this.#work));
    }
    return this.#solution;
  }

  ask(): Float64Array[] {
    return [Float64Array.from(this.#solved.params)];
  }

  tell(): void {}

  centre(): Float64Array {
    return Float64Array.from(this.#solved.params);
  }

  get remark(): string {
    const { mean, exact: isExact, bound, timeDependent } = this.#solved;
    const what = isExact
      ? `the best table, whose mean return is ${mean}`
      : `the best table that was found (${mean}; none has more than ${bound})`;
    return `${what}; the best policy that knows the time has ${timeDependent}`;
  }

  save() {
    return {};
  }
}

export const exact: Optimiser<Settings> = {
  id: 'exact',
  title: 'the exact solution of a table',
  about: 'Computes the best table of actions under the step limit and plays it. Runs of it are made by "r2po solve".',
  paper:
    'Bellman, Dynamic Programming, 1957; Land and Doig, An automatic method of solving discrete programming problems, 1960',
  settings,
  searches: ['choice'],
  open: (problem, given) => new ExactSolution(problem, given),
  takesOutside: false,
  isSolution: true,
  needsObservations: () => false,
};
