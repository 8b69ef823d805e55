/** Edits of revisions: the number of changed parameters, the size of the changes, and their effect. */
import { quantile } from '../../base/order-statistics.ts';
import type { AnalysedRun } from './analysis.ts';
import { type EditThresholds, epsilonOf } from './edit-thresholds.ts';
import { meanOf } from './format.ts';
import { beyondNoise } from './noise.ts';
import { type Direction, directionOf, directions, type Pair, pairsOf, perDirection } from './record.ts';

export interface Edit {
  readonly iteration: number;
  /** changed parameters */
  readonly distance: number;
  readonly params: number;
  /** Euclidean distance; null for choices, whose numbers are names */
  readonly l2: number | null;
  readonly largest: number | null;
  /** changed parameters whose sign turned; null for choices */
  readonly sign_flips: number | null;
  readonly initial: number;
  readonly revised: number;
  readonly delta: number;
  readonly direction: Direction;
  /** null: no test is possible */
  readonly beyond_noise: boolean | null;
}

export interface EditMeasure {
  readonly epsilon: number;
  /** false for choices */
  readonly real: boolean;
}

export function editOf(pair: Pair, { epsilon, real }: EditMeasure): Edit {
  const before = pair.proposal.params;
  const after = pair.revision.params;
  const sizes = after.map((value, i) => Math.abs(value - before[i]!));
  const changed = after.filter((_, i) => sizes[i]! > epsilon).length;
  const flips = after.filter((value, i) => sizes[i]! > epsilon && value * before[i]! < 0).length;
  return {
    iteration: pair.iteration,
    distance: changed,
    params: before.length,
    l2: real ? Math.sqrt(sizes.reduce((sum, size) => sum + size * size, 0)) : null,
    largest: real ? sizes.reduce((a, b) => Math.max(a, b), 0) : null,
    sign_flips: real ? flips : null,
    initial: pair.proposal.summary.mean,
    revised: pair.revision.summary.mean,
    delta: pair.delta,
    direction: directionOf(pair.delta),
    beyond_noise: beyondNoise(pair),
  };
}

export const measureOf = (run: Pick<AnalysedRun, 'policy' | 'parameters'>): EditMeasure => ({
  epsilon: epsilonOf(run),
  real: run.policy.values.kind === 'real',
});

export const editsOf = (run: AnalysedRun): Edit[] =>
  pairsOf(run.iterations).map((pair) => editOf(pair, measureOf(run)));

interface Category {
  readonly id: string;
  readonly direction: Direction;
  readonly fits: (edit: Edit, thresholds: EditThresholds) => boolean;
}

/** Categories of the reference, with its names; the first of its direction that fits. */
const categories: readonly Category[] = [
  { id: 'pure_stochasticity', direction: 'regression', fits: ({ distance }) => distance === 0 },
  {
    id: 'compulsive_revision_of_near_optimal',
    direction: 'regression',
    fits: ({ initial, delta }, t) => initial > t.high && delta < -t.meaningful,
  },
  {
    id: 'surgical_fix_backfires',
    direction: 'regression',
    fits: ({ initial, distance, delta }, t) => initial > t.partial && distance <= t.surgical && delta < -t.meaningful,
  },
  {
    id: 'full_redesign_on_uninformative_trajectories',
    direction: 'regression',
    fits: ({ initial, distance }, t) => initial <= t.near_zero && distance >= t.redesign,
  },
  {
    id: 'fine_tuning_near_optimal',
    direction: 'improvement',
    fits: ({ initial, distance, delta }, t) => initial > t.high && distance <= t.surgical && delta > t.meaningful,
  },
  {
    id: 'pinpoint_bottleneck_fix',
    direction: 'improvement',
    fits: ({ initial, distance, delta }, t) => initial > t.partial && distance <= t.surgical && delta > t.meaningful,
  },
  {
    id: 'history_guided_rescue',
    direction: 'improvement',
    fits: ({ initial, distance, delta }, t) => initial <= t.near_zero && distance >= t.redesign && delta > t.meaningful,
  },
  {
    id: 'targeted_multi_state_fix',
    direction: 'improvement',
    fits: ({ initial, distance, delta }, t) => initial > t.near_zero && distance >= t.multi && delta > t.meaningful,
  },
  { id: 'no_change_without_edits', direction: 'no_change', fits: ({ distance }) => distance === 0 },
  { id: 'no_change_with_edits', direction: 'no_change', fits: () => true },
];

/** For edits without a category. */
const otherOf = (direction: Direction): string => `other_${direction}`;

export const categoryIds: readonly string[] = directions.flatMap((direction) => [
  ...categories.filter((category) => category.direction === direction).map(({ id }) => id),
  ...(direction === 'no_change' ? [] : [otherOf(direction)]),
]);

export function categoryOf(edit: Edit, thresholds: EditThresholds): string {
  const found = categories.find((c) => c.direction === edit.direction && c.fits(edit, thresholds));
  return found?.id ?? otherOf(edit.direction);
}

export interface Distribution {
  readonly mean: number;
  readonly min: number;
  readonly q25: number;
  readonly median: number;
  readonly q75: number;
  readonly max: number;
}

/** null for no value. Quantiles are linear between neighbours. */
export function distributionOf(values: readonly number[]): Distribution | null {
  const mean = meanOf(values);
  if (mean === null) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (q: number): number => quantile(sorted.length, q, (rank) => sorted[rank]!);
  return { mean, min: sorted[0]!, q25: at(0.25), median: at(0.5), q75: at(0.75), max: sorted[sorted.length - 1]! };
}

export interface EditSummary {
  readonly edits: number;
  /** revisions that changed nothing */
  readonly unchanged: number;
  readonly distance: Distribution | null;
  /** number of edits by number of changed parameters */
  readonly distances: Readonly<Record<string, number>>;
  /** mean of distance / parameters */
  readonly share_of_parameters: number | null;
  readonly l2: Distribution | null;
  readonly largest: Distribution | null;
  readonly sign_flips: Distribution | null;
  readonly directions: Readonly<Record<Direction, { readonly count: number; readonly beyond_noise: number }>>;
}

const known = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);

export function tallied(keys: readonly (string | number)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}

export function summarizeEdits(edits: readonly Edit[]): EditSummary {
  return {
    edits: edits.length,
    unchanged: edits.filter(({ distance }) => distance === 0).length,
    distance: distributionOf(edits.map(({ distance }) => distance)),
    distances: tallied(edits.map(({ distance }) => distance)),
    share_of_parameters: meanOf(edits.filter(({ params }) => params > 0).map((e) => e.distance / e.params)),
    l2: distributionOf(known(edits.map(({ l2 }) => l2))),
    largest: distributionOf(known(edits.map(({ largest }) => largest))),
    sign_flips: distributionOf(known(edits.map((edit) => edit.sign_flips))),
    directions: perDirection((direction) => {
      const found = edits.filter((edit) => edit.direction === direction);
      return { count: found.length, beyond_noise: found.filter((edit) => edit.beyond_noise === true).length };
    }),
  };
}
