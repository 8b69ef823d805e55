/** Methods at equal budgets: the best so far, runtimes to targets, and what is not compared. */
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { AnytimeAxis } from '../../src/report/anytime/anytime.ts';
import { anytimeStyles, bestSpec, runtimeSpec } from '../../src/report/anytime/charts.ts';
import { bestAt, type Course } from '../../src/report/anytime/course.ts';
import { reachedBy, type Targets } from '../../src/report/anytime/runtimes.ts';
import { renderChart } from '../../src/report/curves/svg.ts';
import { saveReport } from '../../src/report/pages/report-files.ts';
import { defaultReport, makeReport, type Report } from '../../src/report/report.ts';
import { findReportRuns } from '../../src/report/run-records.ts';
import { runCli } from '../support/cli.ts';
import { temporaryFolder } from '../support/experiment.ts';
import { type RunFacts, writeRun } from '../support/run-folders.ts';

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true }));

let folders = 0;
function runsOf(...facts: RunFacts[]): string {
  const folder = join(root, `case-${++folders}`);
  facts.forEach((one, i) => {
    writeRun(join(folder, `run-${i}`), { seed: i, ...one });
  });
  return folder;
}

const reportOf = (folder: string, at?: number): Report =>
  makeReport(findReportRuns([folder]), { ...defaultReport, allowMixed: true, ...(at !== undefined && { at }) });
const episodesOf = ({ anytime }: Report): AnytimeAxis => anytime.find(({ axis }) => axis === 'episodes')!;

/** Episodes 45, 85, 125, ... of r2po; 15, 25, ... of the optimiser, which plays twice as many in all. */
const linear = 'policy:\n  kind: linear\n';
const optimiser = {
  method: 'cma-es',
  model: 'none',
  kind: 'none',
  settings: linear,
  episodesPerIteration: 10,
} as const;
const search = { method: 'r2po', settings: linear } as const;
const rising = Array.from({ length: 30 }, (_, i) => 10 * (i + 1));

describe('the comparison at equal budgets', () => {
  const folder = runsOf(
    { ...search, seed: 1, means: [100, 90, 400] },
    { ...search, seed: 2, means: [50, 200, 300] },
    { ...optimiser, seed: 1, means: rising },
    { ...optimiser, seed: 2, means: rising },
  );

  it('has the best so far of each run at the most episodes that all runs have', () => {
    const [panel] = episodesOf(reportOf(folder)).panels;
    expect(panel).toMatchObject({ panel: 'CartPole-v1', budget: 125, budgets: [125 / 8, 125 / 4, 62.5, 125] });
    const [first, second] = panel!.lines;
    expect([first!.line, second!.line]).toEqual(['r2po', 'cma-es']);
    // r2po kept 100 and 50, later 100 and 200, at last 400 and 300; cma-es played 12 iterations in 125 episodes.
    expect(first!.at.map((one) => one?.spread.mean ?? null)).toEqual([null, null, 75, 350]);
    expect(second!.at.map((one) => one!.spread.mean)).toEqual([10, 20, 50, 120]);
    expect(first!.curve.at(-1)).toMatchObject({ x: 125, mean: 350, min: 300, max: 400, runs: 2 });
    expect(second!.curve.at(-1)!.x).toBe(305);
  });

  it('compares at the episodes that are asked for, without the runs that have fewer', () => {
    const report = reportOf(folder, 200);
    expect(episodesOf(reportOf(folder, 100)).panels[0]).toMatchObject({ budget: 100, limitedBy: null });
    expect(report.anytime).toEqual([]);
    const both = runsOf(
      { ...search, seed: 1, means: [1, 2] },
      { ...search, seed: 2, means: [1, 2, 3] },
      { ...optimiser, means: rising },
    );
    const axis = episodesOf(reportOf(both, 100));
    expect(axis.panels[0]!.lines.map(({ courses }) => courses.length)).toEqual([1, 1]);
    expect(axis.leftOut).toEqual([{ folder: join(both, 'run-0'), reason: 'it has 85 episodes, fewer than 100' }]);
  });

  it('takes targets up to the ceiling of the environment, and else up to the best re-checked run', () => {
    expect(episodesOf(reportOf(folder)).panels[0]!.targets).toEqual({
      low: 10,
      high: 500,
      count: 51,
      high_from: 'ceiling',
    });
    const other = runsOf(
      { ...search, settings: 'policy:\n  kind: mlp\n', rechecked: 321 },
      { ...optimiser, settings: 'policy:\n  kind: mlp\n', means: rising },
    );
    const [panel] = episodesOf(reportOf(other)).panels;
    expect(panel!.ceiling).toBeNull();
    expect(panel!.targets).toMatchObject({ high: 321, high_from: 'rechecked' });
    const training = { method: 'sb3/sac', model: 'none', kind: 'none', isTraining: true, rechecked: 322 } as const;
    const [beside] = episodesOf(reportOf(runsOf({ ...search, rechecked: 20 }, training))).panels;
    expect(beside).toMatchObject({ ceiling: null, targets: { high: 322, high_from: 'rechecked' } });
  });

  it('keeps environments with other options apart', () => {
    const options = 'env_options:\n  max_episode_steps: 40\n';
    const { panels } = episodesOf(
      reportOf(
        runsOf(
          search,
          { ...optimiser, means: rising },
          { ...search, settings: linear + options },
          { ...optimiser, settings: linear + options, means: rising },
        ),
      ),
    );
    expect(panels.map(({ panel, ceiling }) => [panel, ceiling?.mean ?? null])).toEqual([
      ['CartPole-v1, max_episode_steps (default)', 500],
      ['CartPole-v1, max_episode_steps 40', null],
    ]);
  });

  it('has no time for runs that recorded none, and no cost for runs that cost nothing', () => {
    const timed = { secondsPerIteration: 0.25 };
    const report = reportOf(
      runsOf({ ...search, ...timed }, { ...optimiser, ...timed, means: rising }, { ...search, seed: 9 }),
    );
    expect(report.anytime.map(({ axis }) => axis)).toEqual(['episodes', 'time']);
    expect(report.anytime[1]!.panels[0]!.budget).toBe(0.75);
    expect(report.anytime[1]!.leftOut.map(({ reason }) => reason)).toEqual(['its metrics.csv has no wall_s']);
  });

  it('is not made of one method', () => {
    expect(reportOf(runsOf(search, { ...search, seed: 4 })).anytime).toEqual([]);
  });

  it('is drawn for runs of one value, of one iteration, and of a first iteration that took no time', async () => {
    const flat = { means: [500], secondsPerIteration: 0 };
    const report = reportOf(runsOf({ ...search, ...flat, episodesPerIteration: 10 }, { ...optimiser, ...flat }));
    const styles = anytimeStyles(report.anytime);
    for (const axis of report.anytime) {
      for (const spec of [bestSpec, runtimeSpec]) {
        const svg = await renderChart(spec(axis, styles, { context: [] }));
        expect(svg).not.toMatch(/NaN|Infinity|undefined/);
      }
    }
    expect(episodesOf(report).panels[0]!.lines.map(({ solved }) => solved)).toEqual([1, 1]);
  });

  it('comes first in the report, as a picture, a table and files with a number per cell', async () => {
    const out = join(root, 'out');
    const names = await saveReport(out, reportOf(folder));
    expect(names).toEqual(expect.arrayContaining(['best-episodes.svg', 'runtimes-episodes.png', 'equal-budgets.csv']));
    expect(readFileSync(join(out, 'report.md'), 'utf8')).toMatch(/^# Report\n\n!\[.*\]\(best-episodes\.svg\)\n/);
    const page = readFileSync(join(out, 'index.html'), 'utf8');
    expect(page.indexOf('at 125 episodes')).toBeGreaterThan(0);
    expect(page.indexOf('at 125 episodes')).toBeLessThan(page.indexOf('<table'));
    const [header, ...rows] = readFileSync(join(out, 'equal-budgets.csv'), 'utf8').trim().split('\n');
    expect(header).toMatch(/^axis,env,method,model,.*budget,equal,runs,mean,/);
    expect(rows).toHaveLength(6);
    expect(rows.filter((row) => row.includes(',125,1,'))).toHaveLength(2);
    // Of another report there, nothing stays but what is not ours.
    writeFileSync(join(out, 'best-idea.svg'), '');
    await saveReport(out, { ...reportOf(folder), anytime: [] });
    expect(readdirSync(out)).not.toContain('equal-budgets.csv');
    expect(readdirSync(out).filter((name) => name.startsWith('best-'))).toEqual(['best-idea.svg']);
  });

  it('is refused at episodes that no two methods have', async () => {
    const { code, stderr } = await runCli(['report', folder, '--allow-mixed', '--at', '1000']);
    expect(code).toBe(2);
    expect(stderr).toContain('[--at] expected two methods of one environment with 1000 episodes or more');
  });
});

describe('the cost of a run', () => {
  it('is left out where the record does not tell it', () => {
    const folder = runsOf(search, { ...optimiser, means: rising });
    const path = join(folder, 'run-0', 'summary.json');
    const text = readFileSync(path, 'utf8').replace('"cost_usd":null', '"cost_usd":0.5');
    rmSync(path);
    appendFileSync(path, text);
    expect(reportOf(folder).anytime.map(({ axis }) => axis)).toEqual(['episodes']);
  });
});

describe('runtimes', () => {
  const value = fc.double({ min: -1000, max: 1000, noNaN: true });

  it('count the targets that a value reaches, whatever the range', () => {
    fc.assert(
      fc.property(value, value, value, (low, span, best) => {
        const high = low + Math.abs(span) + 1e-6;
        const targets: Targets = { low, high, count: 51, high_from: 'search' };
        const all = Array.from({ length: 51 }, (_, i) => (i === 50 ? high : low + ((high - low) * (i + 1)) / 51));
        expect(reachedBy(targets, best)).toBe(all.filter((target) => target <= best).length);
      }),
    );
  });

  it('take the best of the last iteration that ended', () => {
    const steps = fc.array(fc.tuple(fc.nat(50), value), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(steps, fc.nat(300), (list, at) => {
        let x = 0;
        const points = list.map(([width, best]) => {
          x += width + 1;
          return { x, best };
        });
        const before = points.filter((point) => point.x <= at);
        expect(bestAt({ points } as unknown as Course, at)).toBe(before.at(-1)?.best ?? null);
      }),
    );
  });
});
