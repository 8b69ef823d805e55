/** A policy under changed constants, as tables and as a document. */
import { estimateText, roundedBy, significant } from '../../base/plain-number.ts';
import type { Env } from '../../envs/env.ts';
import { type Summary, summaryStatistics } from '../../evaluation/summary.ts';
import type { Variation, VariedPoint } from '../../evaluation/variation.ts';
import { left, right, type Table, tableOf } from './table.ts';

const digits = 5;

const meanText = ({ mean, ci95 }: Summary): string => estimateText(mean, ci95, digits);

const lowestOf = ({ points }: Variation): VariedPoint =>
  points.reduce((a, b) => (b.summary.mean < a.summary.mean ? b : a));

/** `poleMass 0.2 kg, halfLength 1 m` */
function constantsText(env: Env, constants: Readonly<Record<string, number>>): string {
  const parts = Object.entries(constants).map(
    ([name, value]) => `${name} ${significant(value, 6)} ${env.constants[name]!.unit}`,
  );
  return parts.join(', ');
}

function noteOf(env: Env, variation: Variation): string {
  const { unchanged, varied } = variation;
  const lowest = lowestOf(variation);
  const registered = Object.fromEntries(varied.map(({ name }) => [name, env.params[name]!]));
  return (
    `Mean return of ${unchanged.episodes} episodes with its 95 % interval; every line plays the same seeds. ` +
    `Unchanged (${constantsText(env, registered)}): ${meanText(unchanged)}. ` +
    `Lowest: ${meanText(lowest.summary)} at ${constantsText(env, lowest.constants)}.`
  );
}

/** Two constants as a grid, else a line per combination. */
export function variationTable(env: Env, variation: Variation): Table {
  const { varied, points } = variation;
  const title = `${env.id} under changed constants`;
  const note = noteOf(env, variation);
  const [first, second] = varied;
  const value = (x: number) => significant(x, 6);
  if (first && second && varied.length === 2) {
    const rows = first.values.map((own) => ({
      own,
      points: points.filter(({ constants }) => constants[first.name] === own),
    }));
    return tableOf(rows, {
      title,
      note: `${note} Rows: ${first.name} (${env.constants[first.name]!.unit}); columns: ${second.name} (${env.constants[second.name]!.unit}).`,
      columns: [
        right(`${first.name} \\ ${second.name}`, ({ own }) => value(own)),
        ...second.values.map((other, i) =>
          right(value(other), ({ points: line }: (typeof rows)[number]) => {
            const { mean, stderr } = line[i]!.summary;
            return roundedBy(stderr, digits)(mean);
          }),
        ),
      ],
    });
  }
  return tableOf(points, {
    title,
    note,
    columns: [
      ...varied.map(({ name }) =>
        right(`${name} (${env.constants[name]!.unit})`, ({ constants }: VariedPoint) => value(constants[name]!)),
      ),
      right('mean return', ({ summary }) => meanText(summary)),
      right('median', ({ summary }) => value(summary.median)),
      right('success', ({ summary }) => `${significant(100 * summary.success.rate, 3)} %`),
      right('length', ({ summary }) => significant(summary.length.mean, 4)),
    ],
  });
}

/** A row per combination with a number per cell, for programs. */
export function variationRows({ varied, points }: Variation): Table {
  return tableOf(points, {
    columns: [
      ...varied.map(({ name }) => left(name, ({ constants }: VariedPoint) => constants[name]!)),
      left('mean', ({ summary }) => summary.mean),
      left('std', ({ summary }) => summary.std),
      left('stderr', ({ summary }) => summary.stderr),
      left('ci95_low', ({ summary: { ci95 } }) => ci95?.[0] ?? null),
      left('ci95_high', ({ summary: { ci95 } }) => ci95?.[1] ?? null),
      left('min', ({ summary }) => summary.min),
      left('median', ({ summary }) => summary.median),
      left('max', ({ summary }) => summary.max),
      left('success_rate', ({ summary }) => summary.success.rate),
      left('length_mean', ({ summary }) => summary.length.mean),
    ],
  });
}

/** The part of the document of `--json` that a plain evaluation does not have. */
export function variationDocument(env: Env, variation: Variation) {
  const { varied, unchanged, points } = variation;
  return {
    vary: varied.map(({ name, values }) => ({
      constant: name,
      unit: env.constants[name]!.unit,
      unchanged: env.params[name]!,
      values,
    })),
    unchanged: summaryStatistics(unchanged),
    points: points.map(({ constants, summary }) => ({ constants, ...summaryStatistics(summary) })),
    lowest: { constants: lowestOf(variation).constants, mean: lowestOf(variation).summary.mean },
  };
}
