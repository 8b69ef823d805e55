/** What the page reads of the document of `r2po report --json`, and how it is drawn and written. */
import { estimateText, roundedBy } from '../../../base/plain-number.ts';
import type { RunRow } from '../../api/index-of-runs.ts';
import type { Comparison, ExportedComparisons } from '../../api/requests.ts';
import { none } from '../common/format.ts';

export type Interval95 = readonly [number, number] | null;

export interface Spread {
  readonly runs: number;
  readonly mean: number;
  readonly std: number | null;
  readonly ci95: Interval95;
  readonly min: number;
  readonly max: number;
}

export interface Step {
  readonly x: number;
  readonly mean: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly runs: number;
}

export interface Line {
  readonly panel: string;
  readonly line: string;
  readonly steps: readonly Step[];
}

export interface TestLine {
  readonly setting: readonly string[];
  readonly other: string;
  readonly runs: readonly [number, number];
  readonly difference: number;
  readonly stderr: number;
  readonly ci95: Interval95;
  readonly welchP: number | null;
  readonly holmP: number | null;
  readonly mannWhitneyP: number;
  readonly g: { readonly value: number; readonly ci95: readonly [number, number] } | null;
  readonly improvement: { readonly value: number; readonly ci95: Interval95 };
  readonly paired: { readonly seeds: number; readonly p: number | null } | null;
}

export interface ReportDocument {
  readonly by: readonly string[];
  /** what differs within a group; left out: nothing */
  readonly pooled?: readonly string[];
  readonly reward: string;
  readonly findings: readonly { readonly setting: string; readonly text: string }[];
  readonly groups: readonly {
    readonly group: Readonly<Record<string, string>>;
    readonly runs: readonly { readonly folder: string }[];
    readonly unfinished: number;
    readonly rewards: Readonly<Record<string, Spread | null>>;
    readonly interquartile_mean: { readonly value: number; readonly ci95: Interval95 } | null;
  }[];
  readonly comparison?: { readonly method: string; readonly mode: string; readonly lines: readonly TestLine[] };
  readonly curves: readonly { readonly axis: string; readonly value: string; readonly lines: readonly Line[] }[];
  readonly left_out: readonly { readonly path: string; readonly reason: string }[];
}

/** The path of the server for a comparison of these runs; `by`: grouping keys, joined by commas as in the address of the page. */
export function comparisonPath(ids: readonly string[], by: string): string {
  const query = new URLSearchParams(ids.map((id) => ['run', id]));
  for (const key of by.split(',').filter(Boolean)) query.append('by', key);
  return `/api/compare?${query}`;
}

/** Index of the comparison of an export that is one of these runs, those aside that cannot be read; -1: there is none. */
export function setOf(sets: ExportedComparisons, ids: readonly string[], rows: readonly RunRow[]): number {
  const damaged = new Set(rows.flatMap(({ id, status }) => (status === 'damaged' ? [id] : [])));
  const asked = new Set(ids.filter((id) => !damaged.has(id)));
  return sets.findIndex(({ runs }) => runs.length === asked.size && runs.every((id) => asked.has(id)));
}

/** What a reader of the groups must know; null: the runs of each group have the same settings. */
export const pooledText = ({ pooled = [] }: ReportDocument): string | null =>
  pooled.length === 0
    ? null
    : `These groups pool runs that differ in ${pooled.join(', ')}; grouped by what differs, they are groups of their own.`;

export const documentOf = ({ report }: Comparison): ReportDocument => report as unknown as ReportDocument;

const digits = 5;
const minus = (text: string): string => text.replace(/(^|[[ ])-(?=\d)/g, '$1−');

/** `251.4 ± 13.1 [242.0, 260.8]`, as the tables of the report */
export function spreadText(spread: Spread | null | undefined): { value: string; interval: string } {
  if (!spread) return { value: none, interval: '' };
  const { mean, std, ci95, runs } = spread;
  const text = roundedBy(std === null ? null : std / Math.sqrt(runs), digits);
  return {
    value: minus(`${text(mean)}${std === null ? '' : ` ± ${text(std)}`}`),
    interval: ci95 === null ? '' : minus(`[${text(ci95[0])}, ${text(ci95[1])}]`),
  };
}

export const writtenEstimate = (value: number, ci95: Interval95, places: number, stderr?: number): string =>
  minus(estimateText(value, ci95, places, stderr));

export interface PanelCurves {
  readonly panel: string;
  readonly x: number[];
  readonly lines: readonly {
    readonly line: string;
    readonly mean: (number | null)[];
    readonly low: (number | null)[];
    readonly high: (number | null)[];
  }[];
}

/** The lines of each panel over all of their x; between two points of a line its value is that of the earlier one. */
export function panelCurves(lines: readonly Line[]): PanelCurves[] {
  const names = [...new Set(lines.map(({ panel }) => panel))];
  return names.map((panel) => {
    const own = lines.filter((line) => line.panel === panel && line.steps.length > 0);
    const x = [...new Set(own.flatMap(({ steps }) => steps.map((step) => step.x)))].sort((a, b) => a - b);
    return {
      panel,
      x,
      lines: own.map(({ line, steps }) => {
        let at = -1;
        const end = steps.at(-1)!.x;
        const held = x.map((here) => {
          while (at + 1 < steps.length && steps[at + 1]!.x <= here) at++;
          return at < 0 || here > end ? null : steps[at]!;
        });
        return {
          line,
          mean: held.map((step) => step?.mean ?? null),
          low: held.map((step) => step?.low ?? null),
          high: held.map((step) => step?.high ?? null),
        };
      }),
    };
  });
}

/** The values of a key among many runs: each with the number of runs that have it, the most frequent first. */
export function valueCounts(values: readonly string[]): { readonly value: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count);
}
