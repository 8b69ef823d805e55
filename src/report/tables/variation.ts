/** A policy under changed constants, as tables and as a document. */
import { counted, estimateText, roundedBy, significant, tableNumber } from '../../base/plain-number.ts';
import type { Env } from '../../envs/env.ts';
import { type Summary, summaryStatistics } from '../../evaluation/summary.ts';
import type { Variation, VariedPoint } from '../../evaluation/variation.ts';
import { left, right, type Table, tableOf } from './table.ts';

const digits = 5;

const meanText = ({ mean, ci95 }: Summary): string => estimateText(mean, ci95, digits);

type PlayedPoint = VariedPoint & { readonly summary: Summary };

/** The combination with the lowest mean; null: all are broken. */
function lowestOf({ points }: Variation): PlayedPoint | null {
  const played = points.filter((point): point is PlayedPoint => point.summary !== null);
  return played.reduce<PlayedPoint | null>((a, b) => (a && a.summary.mean <= b.summary.mean ? a : b), null);
}

/** A cell for a reader. */
const shown =
  (text: (summary: Summary) => string) =>
  ({ summary }: VariedPoint): string =>
    summary ? text(summary) : 'broken';

/** `poleMass 0.2 kg, halfLength 1 m` */
function constantsText(env: Env, constants: Readonly<Record<string, number>>): string {
  const parts = Object.entries(constants).map(
    ([name, value]) => `${name} ${tableNumber(value, 6)} ${env.constants[name]!.unit}`,
  );
  return parts.join(', ');
}

function noteOf(env: Env, variation: Variation): string {
  const { unchanged, varied, points } = variation;
  const lowest = lowestOf(variation);
  const broken = points.filter(({ summary }) => summary === null);
  const [first] = broken;
  const registered = Object.fromEntries(varied.map(({ name }) => [name, env.params[name]!]));
  return (
    `Mean return of ${unchanged.episodes} episodes with its 95 % interval; every line plays the same seeds. ` +
    `Unchanged (${constantsText(env, registered)}): ${meanText(unchanged)}. ` +
    (lowest ? `Lowest: ${meanText(lowest.summary)} at ${constantsText(env, lowest.constants)}.` : '') +
    (first
      ? ` Broken: ${counted(broken.length, 'combination')}, as ${constantsText(env, first.constants)}: ${first.broken}.`
      : '')
  );
}

/** Two constants as a grid, else a line per combination. */
export function variationTable(env: Env, variation: Variation): Table {
  const { varied, points } = variation;
  const title = `${env.id} under changed constants`;
  const note = noteOf(env, variation);
  const [first, second] = varied;
  const value = (x: number) => tableNumber(x, 6);
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
          right(value(other), ({ points: line }: (typeof rows)[number]) =>
            shown(({ mean, stderr }) => roundedBy(stderr, digits)(mean))(line[i]!),
          ),
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
      right('mean return', shown(meanText)),
      right('median', ({ summary }) => summary && value(summary.median)),
      right('success', ({ summary }) => summary && `${significant(100 * summary.success.rate, 3)} %`),
      right('length', ({ summary }) => summary && significant(summary.length.mean, 4)),
    ],
  });
}

/** A row per combination with a number per cell, for programs; none where it is broken. */
export function variationRows({ varied, points }: Variation): Table {
  const number = (title: string, read: (summary: Summary) => number | null) =>
    left(title, ({ summary }: VariedPoint) => summary && read(summary));
  return tableOf(points, {
    columns: [
      ...varied.map(({ name }) => left(name, ({ constants }: VariedPoint) => constants[name]!)),
      number('mean', ({ mean }) => mean),
      number('std', ({ std }) => std),
      number('stderr', ({ stderr }) => stderr),
      number('ci95_low', ({ ci95 }) => ci95?.[0] ?? null),
      number('ci95_high', ({ ci95 }) => ci95?.[1] ?? null),
      number('min', ({ min }) => min),
      number('median', ({ median }) => median),
      number('max', ({ max }) => max),
      number('success_rate', ({ success }) => success.rate),
      number('length_mean', ({ length }) => length.mean),
    ],
  });
}

/** The part of the document of `--json` that a plain evaluation does not have. */
export function variationDocument(env: Env, variation: Variation) {
  const { varied, unchanged, points } = variation;
  const lowest = lowestOf(variation);
  return {
    vary: varied.map(({ name, values }) => ({
      constant: name,
      unit: env.constants[name]!.unit,
      unchanged: env.params[name]!,
      values,
    })),
    unchanged: summaryStatistics(unchanged),
    points: points.map(({ constants, summary, broken }) => ({
      constants,
      ...(summary ? summaryStatistics(summary) : { broken }),
    })),
    lowest: lowest && { constants: lowest.constants, mean: lowest.summary.mean },
  };
}
