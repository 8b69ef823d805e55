/** What a branch changed: the best policies of a run's continuation and of its branches, played on the same fresh episodes. */
import { moments } from '../../base/moments.ts';
import type { Backend } from '../../rollout/backend.ts';
import { overRuns, type PairedTest, paired, pairedOf, type RunDifference } from '../../stats/intervals.ts';
import { Player } from '../drivers/player.ts';
import type { EventOf, RunEvent } from '../journal/events.ts';
import type { RunUnits } from '../resolve-units.ts';
import { deriveSeed } from '../seeds.ts';

/** A run behind the iteration at which it was branched, or a branch of it. */
export interface Continuation {
  readonly folder: string;
  readonly events: readonly RunEvent[];
}

/** The best policy that was kept in the compared iterations. */
export interface BestOf {
  readonly iteration: number;
  /** mean return in the search */
  readonly searched: number;
  /** on the common episodes */
  readonly mean: number;
  readonly ci95: readonly [number, number] | null;
}

export interface BranchEffect {
  /** first and last of the iterations that are compared; all continuations have them */
  readonly iterations: readonly [number, number];
  /** that every best policy played */
  readonly episodes: number;
  /** of the first one */
  readonly seed: number;
  /** null: nothing was kept */
  readonly parent: BestOf | null;
  /** `test`: the branch less the parent, over the episodes; null where one of them kept nothing */
  readonly branches: readonly { readonly best: BestOf | null; readonly test: PairedTest | null }[];
  /** mean of the differences: over the branches, or of a single branch over the episodes; null: there is none */
  readonly effect: (RunDifference & { readonly over: 'branches' | 'episodes'; readonly n: number }) | null;
}

type Kept = EventOf<'iteration'> & { readonly trial: NonNullable<EventOf<'iteration'>['trial']> };

function lastIteration(events: readonly RunEvent[]): number {
  return events.reduce((last, event) => (event.type === 'iteration' ? event.iteration : last), 0);
}

/** Of the highest mean; a tie goes to the last, as in the re-check. */
function bestIn(events: readonly RunEvent[], [first, last]: readonly [number, number]): Kept | null {
  const kept = events.filter(
    (event): event is Kept =>
      event.type === 'iteration' && event.iteration >= first && event.iteration <= last && event.trial !== null,
  );
  return kept.reduce<Kept | null>((a, b) => (a === null || b.trial.mean >= a.trial.mean ? b : a), null);
}

export interface EffectRequest {
  /** of the branches */
  readonly units: RunUnits;
  readonly backend: Backend;
  readonly parent: Continuation & { readonly seed: number };
  readonly branches: readonly Continuation[];
  /** the last iteration that they share */
  readonly iteration: number;
  readonly episodes: number;
  readonly signal?: AbortSignal | undefined;
}

interface Played {
  readonly best: BestOf;
  readonly returns: ArrayLike<number>;
}

/**
 * Compares over the iterations that all of them have; null when one has none behind the shared ones. All play the same
 * episode seeds, so that what both find hard or easy cancels.
 */
export async function branchEffect(request: EffectRequest): Promise<BranchEffect | null> {
  const { units, backend, parent, branches, iteration, episodes, signal } = request;
  const last = Math.min(...[parent, ...branches].map(({ events }) => lastIteration(events)));
  if (last <= iteration) return null;
  const iterations = [iteration + 1, last] as const;
  const { maxSteps, successThreshold } = units.settings;
  const player = new Player({ ...units, backend, maxSteps, successThreshold, keepOutcomes: true, signal });
  const seed = deriveSeed(parent.seed, 'comparison', 0);
  const played = async ({ events }: Continuation): Promise<Played | null> => {
    const kept = bestIn(events, iterations);
    if (kept === null) return null;
    const result = await player.play(kept.trial.params, episodes, seed);
    const { mean, ci95 } = result.summaries[0]!;
    const { returns } = await result.outcomes();
    return { best: { iteration: kept.iteration, searched: kept.trial.mean, mean, ci95 }, returns };
  };
  const before = await played(parent);
  const compared: BranchEffect['branches'][number][] = [];
  for (const branch of branches) {
    const after = await played(branch);
    const test = before && after && paired(before.returns, after.returns);
    compared.push({ best: after?.best ?? null, test });
  }
  const tests = compared.flatMap(({ test }) => test ?? []);
  return {
    iterations,
    episodes,
    seed,
    parent: before?.best ?? null,
    branches: compared,
    effect: overall(tests, episodes),
  };
}

function overall(tests: readonly PairedTest[], episodes: number): BranchEffect['effect'] {
  if (tests.length === 0) return null;
  if (tests.length === 1) return { ...tests[0]!, over: 'episodes', n: episodes };
  const n = tests.length;
  return { ...overRuns(pairedOf({ ...moments(tests.map(({ difference }) => difference)), n })), over: 'branches', n };
}
