/** The list of runs reads of a metrics.csv that grows what is new, and shows what the whole file says. */
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { MetricsReading } from '../../../src/view/server/metrics-reading.ts';

const folder = mkdtempSync(join(tmpdir(), 'r2po-metrics-'));
const path = join(folder, 'metrics.csv');
afterAll(() => rmSync(folder, { recursive: true }));

const header = 'iteration,mean,std,best\n';
/** The mean of every second iteration is the best so far. */
const row = (i: number) => `${i},${i % 2 === 0 ? i : -1},${i / 4},${i - (i % 2)}\n`;

it('reads a file on where it ended, without a torn row, and another file from its start', () => {
  const metrics = new MetricsReading();
  writeFileSync(path, header + row(1) + row(2).slice(0, 4));
  metrics.update(path);
  expect([metrics.sparkline(), metrics.deviation(2)]).toEqual([[0], null]);
  appendFileSync(path, row(2).slice(4) + row(3));
  metrics.update(path);
  expect([metrics.sparkline(), metrics.deviation(2), metrics.deviation(3)]).toEqual([[0, 2, 2], 0.5, null]);
  writeFileSync(`${path}.new`, header + row(4) + row(5) + row(6) + row(7));
  renameSync(`${path}.new`, path);
  metrics.update(path);
  expect([metrics.sparkline(), metrics.deviation(6)]).toEqual([[4, 4, 6, 6], 1.5]);
});

it('shows a long run in 32 points, from the first to the last', () => {
  const metrics = new MetricsReading();
  writeFileSync(path, header + Array.from({ length: 9999 }, (_, i) => row(i + 1)).join(''));
  metrics.update(path);
  const points = metrics.sparkline();
  expect([points.length, points[0], points.at(-1)]).toEqual([32, 0, 9998]);
  for (const [i, value] of points.entries()) expect(Math.abs(value! - (i * 9998) / 31)).toBeLessThan(20);
});
