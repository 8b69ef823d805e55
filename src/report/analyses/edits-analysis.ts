/** `analyze edits`: what revisions change, in groups of runs and one by one. */
import { type ColumnOf, left, right, type Table, tableOf } from '../tables/table.ts';
import { type AnalysedRun, type Analysis, type GroupKeys, groupAnalysed, needsTwoCandidates } from './analysis.ts';
import { editRows, editTable, largestEdits, largestTables } from './edit-rows.ts';
import { thresholdsOf } from './edit-thresholds.ts';
import {
  categoryIds,
  categoryOf,
  type Distribution,
  type EditSummary,
  editsOf,
  summarizeEdits,
  tallied,
} from './edits.ts';
import { groupColumns, numberCell, runCell, shareCell } from './format.ts';
import { type Direction, directions } from './record.ts';

/** Counts by category; null if the environment has no scale of returns. */
function categoryCounts(run: AnalysedRun): Record<string, number> | null {
  const thresholds = thresholdsOf(run);
  if (thresholds === null) return null;
  const counts = tallied(editsOf(run).map((edit) => categoryOf(edit, thresholds)));
  return Object.fromEntries(categoryIds.map((id) => [id, counts[id] ?? 0]));
}

function added(all: readonly (Record<string, number> | null)[]): Record<string, number> | null {
  const some = all.filter((counts) => counts !== null);
  if (some.length === 0) return null;
  return Object.fromEntries(categoryIds.map((id) => [id, some.reduce((sum, counts) => sum + counts[id]!, 0)]));
}

interface EditGroup extends EditSummary, GroupKeys {
  readonly categories: Record<string, number> | null;
}

const spread = (found: Distribution | null): string | null =>
  found &&
  `${numberCell(found.median)} (${numberCell(found.q25)} ... ${numberCell(found.q75)}, max ${numberCell(found.max)})`;

const directionTitles: Readonly<Record<Direction, string>> = {
  regression: 'worse',
  no_change: 'same mean',
  improvement: 'better',
};

const editColumns: readonly ColumnOf<EditSummary>[] = [
  right('revisions', ({ edits }) => edits),
  right('unchanged', ({ unchanged, edits }) => shareCell(unchanged, edits)),
  right('changed parameters', ({ distance }) => spread(distance)),
  right('share', (found) => numberCell(found.share_of_parameters)),
  right('largest change', ({ largest }) => spread(largest)),
  right('sign flips', (found) => numberCell(found.sign_flips?.mean ?? null)),
  ...directions.map((direction) =>
    right(directionTitles[direction], (found: EditSummary) =>
      shareCell(found.directions[direction].count, found.edits),
    ),
  ),
];

function categoryTable(groups: readonly EditGroup[]): Table {
  return tableOf(categoryIds, {
    title: 'Categories',
    note: 'Of a direction, the first that fits; "-": the environment has no scale of returns.',
    columns: [
      left('category', (id) => id.replaceAll('_', ' ')),
      ...groups.map(({ env, method, categories: counts, edits }) =>
        right(`${env}, ${method}`, (id: string) => counts && shareCell(counts[id]!, edits)),
      ),
    ],
  });
}

export const edits: Analysis = {
  id: 'edits',
  title: 'changes of revisions, and their categories as in the reference',
  reads: 'pairs',
  hasRows: true,
  refuses: needsTwoCandidates,
  analyse(runs) {
    const perRun = runs.map((run) => ({
      run: run.folder,
      env: run.env.id,
      method: run.method.id,
      thresholds: thresholdsOf(run),
      ...summarizeEdits(editsOf(run)),
      categories: categoryCounts(run),
    }));
    const groups = groupAnalysed(runs).map(({ env, method, runs: members }): EditGroup => {
      const found = summarizeEdits(members.flatMap(editsOf));
      return { env, method, runs: members.length, ...found, categories: added(members.map(categoryCounts)) };
    });
    const pooled = summarizeEdits(runs.flatMap(editsOf));
    const rows = editRows(runs);
    const largest = largestEdits(rows);
    return {
      document: {
        groups,
        pooled: { ...pooled, categories: added(runs.map(categoryCounts)) },
        largest,
        per_run: perRun,
      },
      rows: editTable(rows),
      tables: [
        tableOf([...groups, ...(groups.length > 1 ? [{ env: 'all', method: '', runs: runs.length, ...pooled }] : [])], {
          title: 'Edits',
          note:
            'Changed parameters and largest change: median (quartiles, max). Share: of all parameters. Sign flips: mean. ' +
            'Choices have no sizes and signs.',
          columns: [...groupColumns, ...editColumns],
        }),
        categoryTable(groups),
        ...largestTables(largest),
        tableOf(
          runs.map((run, i) => ({ ...perRun[i]!, run })),
          { title: 'Edits of each run', columns: [left('run', ({ run }) => runCell(run)), ...editColumns] },
        ),
      ],
    };
  },
};
