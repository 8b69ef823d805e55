/** How far a search moves: lengths of steps, drift, repeats. */
import { type SearchSpace, spaceOf } from '../../optimisers/space.ts';
import type { Played, SearchedRun } from './moves.ts';

/** A candidate against the best policy that the search had kept before its iteration. */
export interface Step {
  /** 0 ... 1; see `Ruler.distance` */
  readonly length: number;
  /** share of the parameters that differ */
  readonly changed: number;
  /** mean of the candidate minus mean of the best before */
  readonly gain: number;
  readonly candidate: Played;
  readonly best: Played;
}

export interface IterationSteps {
  readonly iteration: number;
  readonly candidates: number;
  readonly calls: number;
  readonly episodes: number;
  /** of each candidate; none before a policy was kept */
  readonly steps: readonly Step[];
  /** that of the candidate with the highest mean */
  readonly step: Step | null;
  /** from the policy that the iteration before kept; null: one of them kept none */
  readonly moved: number | null;
  /** of the best policy so far from the first one that was kept; null before */
  readonly drift: number | null;
  /** candidates that were played before, and those nearly so */
  readonly repeats: number;
  readonly nearRepeats: number;
  /** highest kept mean before and after the iteration; null: none */
  readonly bestBefore: number | null;
  readonly best: number | null;
}

/** Root mean square of at most this many widths of the box to an earlier candidate is a near-repeat. */
const nearDistance = 0.01;
/** Earlier candidates with which one is compared. */
const mostCompared = 5000;

/** Measures distances in the space of a run. */
class Ruler {
  readonly #space: SearchSpace;

  constructor({ units: { policy, config } }: Pick<SearchedRun, 'units'>) {
    this.#space = spaceOf(policy, config.parameters);
  }

  /**
   * Of numbers, the root mean square over parameters of their difference in widths of the box; of choices, the share of
   * entries that differ. 0 for equal ones; at most 1 within the box.
   */
  distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
    const n = a.length;
    if (this.#space.kind === 'choice') return this.changed(a, b);
    const width = this.#space.high - this.#space.low;
    let sum = 0;
    for (let i = 0; i < n; i++) sum += ((a[i]! - b[i]!) / width) ** 2;
    return Math.sqrt(sum / n);
  }

  /** Share of the parameters that differ by more than half a step of their last decimal. */
  changed(a: ArrayLike<number>, b: ArrayLike<number>): number {
    const space = this.#space;
    const least = space.kind === 'choice' || space.decimals === null ? 0 : 0.5 * 10 ** -space.decimals;
    let count = 0;
    for (let i = 0; i < a.length; i++) if (Math.abs(a[i]! - b[i]!) > least) count += 1;
    return count / a.length;
  }

  /** Largest distance of a near-repeat from an earlier candidate: of choices, one entry. */
  nearOf(parameters: number): number {
    return this.#space.kind === 'choice' ? 1 / parameters : nearDistance;
  }
}

/** Counts how many candidates were played before. */
class Memory {
  readonly #ruler: Ruler;
  readonly #earlier: ArrayLike<number>[] = [];

  constructor(ruler: Ruler) {
    this.#ruler = ruler;
  }

  /** 0: played before; Infinity: nothing was */
  nearest(params: ArrayLike<number>): number {
    let least = Number.POSITIVE_INFINITY;
    for (let i = Math.max(0, this.#earlier.length - mostCompared); i < this.#earlier.length && least > 0; i++) {
      least = Math.min(least, this.#ruler.distance(params, this.#earlier[i]!));
    }
    this.#earlier.push(params);
    return least;
  }
}

export function stepsOf(run: SearchedRun): IterationSteps[] {
  const ruler = new Ruler(run);
  const memory = new Memory(ruler);
  let best: Played | null = null;
  let first: Played | null = null;
  let before: Played | null = null;
  return run.moves.map(({ iteration, candidates, kept, calls, episodes }) => {
    const reference: Played | null = best;
    const steps = reference === null ? [] : candidates.map((candidate) => stepFrom(ruler, reference, candidate));
    const nearest = candidates.map(({ params }) => memory.nearest(params));
    const near = ruler.nearOf(run.units.policy.paramCount);
    const moved = kept && before ? ruler.distance(kept.params, before.params) : null;
    if (kept) {
      first ??= kept;
      if (best === null || kept.mean >= best.mean) best = kept;
    }
    before = kept;
    const now = best as Played | null;
    const start = first as Played | null;
    return {
      ...{ iteration, candidates: candidates.length, calls, episodes, steps, moved },
      step: steps.reduce<Step | null>((a, b) => (a === null || b.gain > a.gain ? b : a), null),
      drift: now && start ? ruler.distance(now.params, start.params) : null,
      repeats: nearest.filter((distance) => distance === 0).length,
      nearRepeats: nearest.filter((distance) => distance > 0 && distance <= near).length,
      bestBefore: reference?.mean ?? null,
      best: now?.mean ?? null,
    };
  });
}

function stepFrom(ruler: Ruler, best: Played, candidate: Played): Step {
  return {
    length: ruler.distance(candidate.params, best.params),
    changed: ruler.changed(candidate.params, best.params),
    gain: candidate.mean - best.mean,
    candidate,
    best,
  };
}
