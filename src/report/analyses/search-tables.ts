/** The result of `analyze search` as tables, rows and a document. */
import { significant } from '../../base/plain-number.ts';
import { type Cell, left, right, type Table, tableOf } from '../tables/table.ts';
import { numberCell, shareCell } from './format.ts';
import { type MeasuredRun, type Quartiles, type SearchGroup, type SearchSummary, summarizeSearch } from './search.ts';

const quartilesCell = (found: Quartiles | null): Cell =>
  found && `${significant(found.median, 3)} (${significant(found.q25, 3)} ... ${significant(found.q75, 3)})`;

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function noiseCell({ noise }: SearchSummary): Cell {
  if (noise === null || noise.really_better === null) return null;
  const { really_better: share, ci95 } = noise;
  return ci95 === null ? percent(share) : `${percent(share)} (${percent(ci95[0])} ... ${percent(ci95[1])})`;
}

const nameColumns = [
  left('environment', ({ env }: SearchGroup) => env),
  left('method', ({ method }: SearchGroup) => method),
  left('model', ({ model }: SearchGroup) => model),
];

function stepTable(groups: readonly SearchGroup[]): Table {
  return tableOf(groups, {
    title: 'Steps',
    note:
      'Each candidate against the best policy that its search had kept before: median (quartiles). Step: of numbers, the root mean ' +
      'square over parameters of the difference, in widths of the box; of choices, the share of entries that differ. Changed: share of the parameters. ' +
      'Drift: from the first kept policy to the best one, mean over runs. Straightness: drift over the way along the best policies. ' +
      'Repeats were played before; near-repeats lie within 1 % of the box, or differ in one choice.',
    columns: [
      ...nameColumns,
      right('runs', ({ summary }) => summary.runs),
      right('candidates', ({ summary }) => summary.candidates),
      right('step', ({ summary }) => quartilesCell(summary.step)),
      right('changed', ({ summary }) => quartilesCell(summary.changed)),
      right('drift', ({ summary }) => numberCell(summary.drift)),
      right('straightness', ({ summary }) => numberCell(summary.straightness)),
      right('repeats', ({ summary }) => shareCell(summary.repeats, summary.candidates)),
      right('near-repeats', ({ summary }) => shareCell(summary.near_repeats, summary.candidates)),
    ],
  });
}

function gainTable(groups: readonly SearchGroup[]): Table {
  return tableOf(groups, {
    title: 'Improvement',
    note:
      'Improving: candidates with a higher mean than the best policy before. Gain: rise of the best mean of the search after the first ' +
      'iteration, of a model call and of 1000 episodes. Really better: rejected candidates (a lower mean than the best policy before), ' +
      'played again with that policy on common fresh seeds: mean probability that the candidate is the better one, from paired tests under a flat prior, with its 95 % interval. ' +
      'Pairs of which one policy reaches an infinite or NaN state are left out.',
    columns: [
      ...nameColumns,
      right('improving', ({ summary }) => shareCell(summary.improving, summary.candidates)),
      right('calls', ({ summary }) => summary.calls),
      right('gain per call', ({ summary }) => numberCell(summary.gain_per_call)),
      right('gain per 1000 episodes', ({ summary }) => numberCell(summary.gain_per_1000_episodes)),
      right('rejected', ({ summary: { noise } }) => noise && `${noise.replayed} of ${noise.rejected}`),
      right('really better', ({ summary }) => noiseCell(summary)),
      right('higher, p < 0.05', ({ summary: { noise } }) => noise && `${noise.higher}, ${noise.significantly_higher}`),
    ],
  });
}

function acceptanceTable(groups: readonly SearchGroup[]): Table {
  const rows = groups.flatMap((group) => group.summary.acceptance.map((bin) => ({ ...group, bin })));
  return tableOf(rows, {
    title: 'Improving candidates by step length',
    note: 'Candidates in four groups of about the same size by the length of their step. Share with a 95 % interval (Wilson), as if candidates were independent.',
    columns: [
      ...nameColumns,
      right('step', ({ bin }) => `${significant(bin.from, 3)} ... ${significant(bin.to, 3)}`),
      right('candidates', ({ bin }) => bin.candidates),
      right('improving', ({ bin }) => bin.improving),
      right('share', ({ bin }) => `${percent(bin.share)} (${percent(bin.ci95[0])} ... ${percent(bin.ci95[1])})`),
    ],
  });
}

export function searchTables(groups: readonly SearchGroup[]): Table[] {
  return [stepTable(groups), gainTable(groups), acceptanceTable(groups)];
}

/** A row per iteration, for programs. */
export function searchRows(runs: readonly MeasuredRun[]): Table {
  const rows = runs.flatMap(({ run, iterations }) => iterations.map((steps) => ({ run, ...steps })));
  type Row = (typeof rows)[number];
  return tableOf(rows, {
    columns: [
      left('run', ({ run }: Row) => run.folder),
      left('env', ({ run }) => run.env),
      left('method', ({ run }) => run.method),
      left('model', ({ run }) => run.model),
      left('seed', ({ run }) => run.seed),
      left('iteration', ({ iteration }) => iteration),
      left('candidates', ({ candidates }) => candidates),
      left('calls', ({ calls }) => calls),
      left('episodes', ({ episodes }) => episodes),
      left('step', ({ step }) => step?.length ?? null),
      left('changed', ({ step }) => step?.changed ?? null),
      left('gain', ({ step }) => step?.gain ?? null),
      left('improving', ({ steps }) => steps.filter(({ gain }) => gain > 0).length),
      left('moved', ({ moved }) => moved),
      left('drift', ({ drift }) => drift),
      left('repeats', ({ repeats }) => repeats),
      left('near_repeats', ({ nearRepeats }) => nearRepeats),
      left('best_before', ({ bestBefore }) => bestBefore),
      left('best', ({ best }) => best),
    ],
  });
}

/** The document, without what was left out. */
export function searchDocument(groups: readonly SearchGroup[]) {
  const runs = groups.flatMap(({ members }) => members);
  return {
    groups: groups.map(({ env, method, model, summary }) => ({ env, method, model, ...summary })),
    per_run: runs.map((one) => ({
      run: one.run.folder,
      env: one.run.env,
      method: one.run.method,
      model: one.run.model,
      seed: one.run.seed,
      status: one.run.status,
      candidates_from: one.run.candidates,
      shared_iterations: one.run.shared?.count ?? 0,
      ...summarizeSearch([one]),
      replayed: one.replayed,
    })),
  };
}
