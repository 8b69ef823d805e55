/**
 * Iterations grouped by the returns of the proposal's worst, median and best episode (the groups of the reference), and by
 * the change of the mean return: their frequency and their edits.
 */
import { type ColumnOf, left, right, type Table, tableOf } from '../tables/table.ts';
import { type AnalysedRun, type Analysis, groupAnalysed, needsCritic } from './analysis.ts';
import { type Edit, editOf, measureOf } from './edits.ts';
import { meanOf, numberCell, shareCell } from './format.ts';
import { type Direction, directions, pairsOf, perDirection, proposalReturns } from './record.ts';

/** Returns that differ by less are equal, as in the reference. */
const tolerance = 1e-12;

const same = (a: number, b: number): boolean => Math.abs(a - b) <= tolerance;

const rewardPatterns = ['identical', 'worst_eq_median', 'median_eq_best', 'all_diverse'] as const;
type RewardPattern = (typeof rewardPatterns)[number];

type ThreeReturns = ReturnType<typeof proposalReturns>;

export function patternOf({ worst, median, best }: ThreeReturns): RewardPattern {
  if (same(worst, median)) return same(median, best) ? 'identical' : 'worst_eq_median';
  return same(median, best) ? 'median_eq_best' : 'all_diverse';
}

/** A pair with its edit. */
interface Row {
  readonly edit: Edit;
  readonly returns: ThreeReturns;
}

export const rowsOf = (run: Pick<AnalysedRun, 'policy' | 'parameters' | 'iterations'>): Row[] =>
  pairsOf(run.iterations).map((pair) => ({ edit: editOf(pair, measureOf(run)), returns: proposalReturns(pair) }));

export interface RewardGroup {
  readonly group: string;
  readonly count: number;
  /** of all pairs */
  readonly share: number | null;
  /** means over the group, null for an empty one; worst, median and best are returns of the proposal's episodes */
  readonly worst: number | null;
  readonly median: number | null;
  readonly best: number | null;
  readonly initial: number | null;
  readonly revised: number | null;
  readonly delta: number | null;
  readonly directions: Readonly<Record<Direction, number>>;
  readonly beyond_noise: number;
  readonly edits: {
    readonly unchanged: number;
    readonly mean_distance: number | null;
    readonly mean_largest: number | null;
    readonly mean_sign_flips: number | null;
  };
}

function groupOf(group: string, rows: readonly Row[], all: number): RewardGroup {
  const mean = (value: (row: Row) => number | null): number | null => meanOf(rows.map(value).filter((x) => x !== null));
  return {
    group,
    count: rows.length,
    share: all === 0 ? null : rows.length / all,
    worst: mean(({ returns }) => returns.worst),
    median: mean(({ returns }) => returns.median),
    best: mean(({ returns }) => returns.best),
    initial: mean(({ edit }) => edit.initial),
    revised: mean(({ edit }) => edit.revised),
    delta: mean(({ edit }) => edit.delta),
    directions: perDirection((direction) => rows.filter(({ edit }) => edit.direction === direction).length),
    beyond_noise: rows.filter(({ edit }) => edit.beyond_noise === true).length,
    edits: {
      unchanged: rows.filter(({ edit }) => edit.distance === 0).length,
      mean_distance: mean(({ edit }) => edit.distance),
      mean_largest: mean(({ edit }) => edit.largest),
      mean_sign_flips: mean(({ edit }) => edit.sign_flips),
    },
  };
}

export interface RewardGroups {
  readonly pairs: number;
  readonly by_pattern: readonly RewardGroup[];
  readonly by_change: readonly RewardGroup[];
}

export function rewardGroupsOf(rows: readonly Row[]): RewardGroups {
  return {
    pairs: rows.length,
    by_pattern: rewardPatterns.map((pattern) =>
      groupOf(
        pattern,
        rows.filter(({ returns }) => patternOf(returns) === pattern),
        rows.length,
      ),
    ),
    by_change: directions.map((direction) =>
      groupOf(
        direction,
        rows.filter(({ edit }) => edit.direction === direction),
        rows.length,
      ),
    ),
  };
}

const columns: readonly ColumnOf<RewardGroup & { readonly all: number }>[] = [
  left('group', ({ group }) => group.replace('_eq_', ' = ').replaceAll('_', ' ')),
  right('revisions', ({ count, all }) => shareCell(count, all)),
  right('worst', ({ worst }) => numberCell(worst)),
  right('median', ({ median }) => numberCell(median)),
  right('best', ({ best }) => numberCell(best)),
  right('proposal', ({ initial }) => numberCell(initial)),
  right('revision', ({ revised }) => numberCell(revised)),
  right('change', ({ delta }) => numberCell(delta)),
  right('worse', ({ directions: { regression }, count }) => shareCell(regression, count)),
  right('better', ({ directions: { improvement }, count }) => shareCell(improvement, count)),
  right('beyond noise', ({ beyond_noise, count }) => shareCell(beyond_noise, count)),
  right('unchanged', ({ edits, count }) => shareCell(edits.unchanged, count)),
  right('changed parameters', ({ edits }) => numberCell(edits.mean_distance)),
  right('largest change', ({ edits }) => numberCell(edits.mean_largest)),
  right('sign flips', ({ edits }) => numberCell(edits.mean_sign_flips)),
];

function groupsTable(title: string, note: string, groups: readonly RewardGroup[], all: number): Table {
  return tableOf(
    groups.map((group) => ({ ...group, all })),
    { title, note, columns },
  );
}

export const rewardGroups: Analysis = {
  id: 'reward-groups',
  title: 'iterations by the returns of the proposal and by the change of reward, and the edits in each group',
  reads: 'pairs',
  refuses: needsCritic,
  analyse(runs) {
    const groups = groupAnalysed(runs).map(({ env, method, runs: members }) => {
      return { env, method, runs: members.length, ...rewardGroupsOf(members.flatMap(rowsOf)) };
    });
    const perRun = runs.map((run) => ({ run: run.folder, ...rewardGroupsOf(rowsOf(run)) }));
    return {
      document: { groups, per_run: perRun },
      tables: groups.flatMap(({ env, method, pairs, by_pattern, by_change }) => [
        groupsTable(
          `${env}, ${method}: by the returns of the worst, the median and the best episode of the proposal`,
          'Means over the group; the last three columns are means of the edits.',
          by_pattern,
          pairs,
        ),
        groupsTable(`${env}, ${method}: by the change of the mean return`, '', by_change, pairs),
      ]),
    };
  },
};
