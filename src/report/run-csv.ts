/** Runs as one tidy table: a row per iteration and candidate. */
import type { RunEvent } from '../experiment/events.ts';
import type { Manifest } from '../experiment/manifest.ts';
import { Tally } from '../experiment/tally.ts';
import type { Summary } from '../stats/summary.ts';

const columns = [
  'run',
  'env',
  'method',
  'model',
  'seed',
  'iteration',
  'candidate',
  'mean',
  'std',
  'kept',
  'episodes',
  'calls',
  'tokens',
] as const;

/** A cell after RFC 4180: quoted where it holds a comma, a quote or a line break. */
export function csvCell(value: string | number | null): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csvHeader(): string {
  return `${columns.join(',')}\n`;
}

/**
 * The rows of one run; `run` is its id. `kept` is 1 or 0; episodes, calls and tokens are those of the run up to the end
 * of the iteration. `std` is empty where the episodes are not known one by one.
 */
export function csvRows(run: string, manifest: Manifest, events: readonly RunEvent[]): string {
  const tally = new Tally();
  let evaluated = new Map<string, Summary>();
  const lines: string[] = [];
  for (const event of events) {
    tally.add(event);
    if (event.type === 'evaluated') evaluated.set(event.candidate, event.summary);
    if (event.type !== 'iteration') continue;
    const { env, method, seed } = manifest;
    for (const { label, mean } of event.candidates) {
      const cells = [
        run,
        env,
        method,
        tally.model ?? manifest.model,
        seed,
        event.iteration,
        label,
        Number.isFinite(mean) ? mean : null,
        evaluated.get(label)?.std ?? null,
        event.kept === label ? 1 : 0,
        tally.episodes,
        tally.llm.calls,
        tally.tokens,
      ];
      lines.push(`${cells.map(csvCell).join(',')}\n`);
    }
    evaluated = new Map();
  }
  return lines.join('');
}
