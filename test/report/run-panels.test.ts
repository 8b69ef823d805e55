/** Pictures of single runs in a report: boxes of the kept policies' returns, and the time of each call. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { callsSpec, panelOf, returnsSpec, shownRuns } from '../../src/report/curves/run-panels.ts';
import { renderChart } from '../../src/report/curves/svg.ts';
import type { RunGroup } from '../../src/report/groups.ts';
import { saveReport } from '../../src/report/pages/report-files.ts';
import { defaultReport, makeReport } from '../../src/report/report.ts';
import { findReportRuns, type ReportRun } from '../../src/report/run-records.ts';
import { answerOf, eventsOf, scriptedModel, smallRun, temporaryFolder } from '../support/experiment.ts';

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true }));

const model = scriptedModel((_, call) => answerOf([call / 10, 0, 1, -1, 0, 2, 0, 1, 0, 0.5]));
const { folder, summary } = await smallRun({ model, runsDir: join(root, 'runs'), overrides: ['iterations=3'] });
const panel = panelOf({ folder, summary }, eventsOf(folder));

describe('the panels of a run', () => {
  it('have the quartiles of the kept candidate of each iteration, and each call with its purpose', () => {
    const kept = eventsOf(folder).filter((event) => event.type === 'iteration');
    expect(panel.boxes.map(({ iteration }) => iteration)).toEqual(kept.map(({ iteration }) => iteration));
    for (const { iteration, kept: label } of kept) {
      const played = eventsOf(folder)
        .filter((event) => event.type === 'evaluated')
        .find((event) => event.iteration === iteration && event.candidate === label)!;
      const { min, max, median, quantiles } = played.summary;
      expect(panel.boxes.find((box) => box.iteration === iteration)).toEqual({
        iteration,
        min,
        q25: quantiles['0.25'],
        median,
        q75: quantiles['0.75'],
        max,
      });
    }
    expect(panel.calls.map(({ call }) => call)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(panel.calls.map(({ purpose }) => purpose)).toEqual([
      'search',
      'critic',
      'search',
      'critic',
      'search',
      'critic',
    ]);
    expect(new Set(panel.calls.map(({ seconds }) => seconds))).toEqual(new Set([0.25]));
  });

  it('are drawn, and are no picture where there is nothing to draw', async () => {
    expect(await renderChart(returnsSpec([panel], ['one'])!)).toContain('Returns of the episodes');
    expect(await renderChart(callsSpec([panel], ['one'])!)).toContain('seconds');
    const empty = { ...panel, boxes: [], calls: [] };
    expect([returnsSpec([empty], []), callsSpec([empty], [])]).toEqual([null, null]);
  });

  it('are those of some runs of each group, where there are many', () => {
    const group = (name: string, count: number) =>
      ({
        runs: Array.from({ length: count }, (_, i) => ({ folder: `${name}${i}` }) as ReportRun),
      }) as unknown as RunGroup;
    const shown = shownRuns([group('a', 9), group('b', 2)]).map((run) => run.folder);
    expect(shown).toEqual(['a0', 'b0', 'a1', 'b1', 'a2', 'a3', 'a4', 'a5']);
  });

  it('are files of a report, and part of its page', async () => {
    const out = join(root, 'report');
    const names = await saveReport(out, makeReport(findReportRuns([folder]), defaultReport));
    expect(names).toEqual(expect.arrayContaining(['returns.svg', 'returns.png', 'returns.vl.json', 'calls.svg']));
    for (const name of names) expect(existsSync(join(out, name))).toBe(true);
    const page = readFileSync(join(out, 'index.html'), 'utf8');
    expect(page.match(/<img [^>]*src="data:image\/svg\+xml;base64,/g)).toHaveLength(2);
    expect(readFileSync(join(out, 'report.md'), 'utf8')).toContain('![Time per model call](calls.svg)');
  });
});
