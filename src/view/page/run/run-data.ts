/** What the panels read out of the document of a run, and how an update is put into it. */

import { projectionOf, triedPolicies } from '../../api/projection.ts';
import type { CallRow, Iteration, RunPage, RunUpdate } from '../../api/run.ts';
import { thinned } from '../../api/thinned.ts';

export type Candidate = Iteration['candidates'][number];
type OptimiserState = NonNullable<RunPage['optimiser']>;

/** States of an optimiser that the page keeps. */
const mostStates = 10_000;

function appended(before: OptimiserState | null, update: OptimiserState | null): OptimiserState | null {
  if (before === null || update === null) return update ?? before;
  const last = before.iteration.at(-1) ?? 0;
  const from = update.iteration.findIndex((iteration) => iteration > last);
  if (from < 0) return before;
  const count = before.iteration.length + update.iteration.length - from;
  // Of a long search every second state, every fourth ...
  const step = count > mostStates ? 2 : 1;
  const joined = <T>(a: readonly T[], b: readonly T[]): T[] =>
    [...a, ...b.slice(from)].filter((_, i) => i % step === 0 || i === count - 1);
  return {
    name: update.name,
    iteration: joined(before.iteration, update.iteration),
    sigma: joined(before.sigma, update.sigma),
    axisRatio: joined(before.axisRatio, update.axisRatio),
    mean: joined(before.mean, update.mean),
    spectrum: joined(before.spectrum, update.spectrum),
  };
}

/** By so much the number of policies grows until they get axes of their own. */
const growth = 1.25;

/** The projection of the iterations, the last ones of which, `added`, are not in it yet. */
function projected(
  projection: RunPage['projection'],
  iterations: readonly Iteration[],
  added: readonly Iteration[],
): RunPage['projection'] {
  if (added.length === 0) return projection;
  const tried = triedPolicies(iterations);
  // The first axes are those of the few policies that were there when the page was opened.
  if (projection === null || tried.length >= growth * projection.policies) return projectionOf(tried);
  const { centre, axes } = projection;
  const at = (params: readonly number[], axis: readonly number[]): number =>
    axis.reduce((sum, weight, i) => sum + weight * (params[i]! - centre[i]!), 0);
  const policies = triedPolicies(added);
  return {
    ...projection,
    x: [...projection.x, ...policies.map((params) => at(params, axes[0]))],
    y: [...projection.y, ...policies.map((params) => at(params, axes[1]))],
  };
}

/** The points of the policies of the iterations that are kept. */
function pointsOfKept(
  projection: RunPage['projection'],
  iterations: readonly Iteration[],
  kept: readonly boolean[],
): RunPage['projection'] {
  if (projection === null) return null;
  const isKept = iterations.flatMap(({ candidates }, i) => candidates.map(() => kept[i] === true));
  const points = (values: readonly number[]): number[] => values.filter((_, i) => isKept[i]);
  return { ...projection, x: points(projection.x), y: points(projection.y) };
}

/** The part of a long run that the page shows. `chosen`: number of an iteration that somebody wants to see; null: none. */
function shownPart(page: RunPage, chosen: number | null): RunPage {
  const found = thinned(page, chosen);
  if (found === null) return page;
  const { iterations, calls, spans, every } = found.parts;
  return {
    ...page,
    iterations: [...iterations],
    calls: [...calls],
    spans: [...spans],
    every: Math.max(every, page.every),
    projection: pointsOfKept(page.projection, page.iterations, found.kept),
  };
}

/**
 * The run with what is new. What the page has already is not taken twice: a stream that was reopened may repeat it.
 * `chosen`: number of an iteration that is not left out; null: none.
 */
export function withUpdate(page: RunPage, update: RunUpdate, chosen: number | null = null): RunPage {
  return shownPart(joined(page, update), chosen);
}

function joined(page: RunPage, update: RunUpdate): RunPage {
  const last = page.iterations.at(-1)?.iteration ?? 0;
  const added = update.iterations.filter(({ iteration }) => iteration > last);
  const iterations = [...page.iterations, ...added];
  const renewed = new Set(update.calls.map(({ seq }) => seq));
  const firstSpan = update.spans[0]?.start ?? Number.POSITIVE_INFINITY;
  return {
    ...page,
    row: update.row,
    every: Math.max(page.every, update.every),
    iterations,
    calls: [...page.calls.filter(({ seq }) => !renewed.has(seq)), ...update.calls].sort((a, b) => a.seq - b.seq),
    spans: [...page.spans.filter(({ start }) => start < firstSpan), ...update.spans],
    optimiser: appended(page.optimiser, update.optimiser),
    projection: projected(page.projection, iterations, added),
  };
}

/** The id of the run with this name of a folder in the same folder as another run. */
export const besideOf = (id: string, name: string): string => [...id.split('/').slice(0, -1), name].join('/');

/** Whether an iteration with this number is one that a long run is shown without. */
export function leavesOut({ iterations, every }: RunPage, at: number): boolean {
  const last = iterations.at(-1)?.iteration ?? 0;
  return every > 1 && at > 0 && at <= last && !iterations.some(({ iteration }) => iteration === at);
}

/** The policy that an iteration kept. */
export const keptOf = ({ candidates, kept }: Iteration): Candidate | null =>
  candidates.find(({ label }) => label === kept) ?? null;

/** Index of the iteration whose kept policy is the best of the run; of equal ones the last. -1: none. */
export function bestIndex(iterations: readonly Iteration[]): number {
  const best = iterations.at(-1)?.best ?? null;
  return best === null ? -1 : iterations.findLastIndex(({ mean }) => mean === best);
}

/** Whether the last policy of an iteration, which is made from the one before it, was kept; null: there is no edit. */
export function editOf({ candidates, kept }: Iteration): 'accepted' | 'rejected' | null {
  if (candidates.length < 2) return null;
  return candidates.at(-1)!.label === kept ? 'accepted' : 'rejected';
}

/** What a policy is compared with. */
export interface Reference {
  readonly params: readonly number[];
  /** in words, behind "since" */
  readonly name: string;
}

/**
 * A policy is compared with the one before it in its iteration, and the first one with the last policy that an earlier
 * iteration kept. null: there is none of the same length.
 */
export function referenceOf(iterations: readonly Iteration[], index: number, label: string): Reference | null {
  const { candidates, iteration } = iterations[index]!;
  const place = candidates.findIndex((candidate) => candidate.label === label);
  const own = candidates[place];
  // A training by another program has no parameters.
  if (own === undefined || own.params.length === 0) return null;
  const fits = (other: Candidate | null): other is Candidate => other?.params.length === own.params.length;
  const before = candidates[place - 1] ?? null;
  if (fits(before)) return { params: before.params, name: `the ${before.label} of iteration ${iteration}` };
  for (let i = index - 1; i >= 0; i--) {
    const kept = keptOf(iterations[i]!);
    if (fits(kept)) {
      return { params: kept.params, name: `the policy that iteration ${iterations[i]!.iteration} kept` };
    }
  }
  return null;
}

/** The calls of an iteration by the policy that each led to: a call and its repair turns are one question. */
export function questionsOf(calls: readonly CallRow[]): CallRow[][] {
  const questions: CallRow[][] = [];
  for (const call of calls) {
    const open = questions.at(-1);
    if (open && call.attempt > 0 && open.at(-1)!.purpose === call.purpose) open.push(call);
    else questions.push([call]);
  }
  return questions;
}

/**
 * The call whose reply is this policy; null: the policy came from no call, or the record does not tell from which. Answers
 * are played in their order, so they are known where each was played: several proposals may be played for the best of them.
 */
export function callOf({ candidates }: Iteration, calls: readonly CallRow[], label: string): CallRow | null {
  const used = questionsOf(calls)
    .map((question) => question.at(-1)!)
    .filter(({ problem }) => problem === null);
  const answers = candidates.filter(({ byOptimiser }) => !byOptimiser);
  const place = answers.findIndex((candidate) => candidate.label === label);
  return used.length === answers.length ? (used[place] ?? null) : null;
}

/** Calls by their iteration, in order. */
export function callsByIteration(calls: readonly CallRow[]): ReadonlyMap<number, readonly CallRow[]> {
  const found = new Map<number, CallRow[]>();
  for (const call of calls) {
    const list = found.get(call.iteration);
    if (list) list.push(call);
    else found.set(call.iteration, [call]);
  }
  return found;
}
