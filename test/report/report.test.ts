/** Reports over runs: numbers worked out by hand, names that hold anything, folders that hold nothing. */
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { UsageError } from '../../src/base/errors.ts';
import { assetPath } from '../../src/base/node/assets.ts';
import { significant } from '../../src/base/plain-number.ts';
import { envs } from '../../src/envs/index.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { llmMethods } from '../../src/methods/index.ts';
import { comparisonTable } from '../../src/report/comparisons.ts';
import { averageCurve } from '../../src/report/curves/average-curves.ts';
import { curveColors, curveSpec, lineStyles } from '../../src/report/curves/group-charts.ts';
import { renderPng } from '../../src/report/curves/png.ts';
import { chartStyle, renderChart } from '../../src/report/curves/svg.ts';
import { findingsOf } from '../../src/report/findings.ts';
import { groupRuns, rewardOf, spreadOf } from '../../src/report/groups.ts';
import { saveReport } from '../../src/report/pages/report-files.ts';
import { publishedTable } from '../../src/report/published/against-published.ts';
import {
  type PublishedResult,
  type PublishedReward,
  publishedResults,
  publishedSettings,
  publishedThresholds,
  publishedTrainings,
  publishedWarnings,
  warningsOf,
} from '../../src/report/published/published.ts';
import {
  defaultReport,
  groupNumbers,
  groupTable,
  makeReport,
  type ReportOptions,
  reportDocument,
  reportTables,
  spreadText,
} from '../../src/report/report.ts';
import {
  findReportRuns,
  groupValue,
  type ReportRun,
  readReportRun,
  withVariants,
} from '../../src/report/run-records.ts';
import { csvTable, htmlTable, latexTable, latexText, markdownTable, textTable } from '../../src/report/tables/table.ts';
import type { MetricsRow } from '../../src/runs/folder/metrics.ts';
import { recordedModel } from '../../src/runs/replay.ts';
import { paired, t975, welch } from '../../src/stats/intervals.ts';
import { runCli } from '../support/cli.ts';
import { smallRun, temporaryFolder } from '../support/experiment.ts';
import { runHere } from '../support/in-process.ts';
import { type RunFacts, writeRun } from '../support/run-folders.ts';

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true }));

let folders = 0;
const fresh = (): string => join(root, `case-${++folders}`);
/** Runs in one folder, in the order given. */
function runsOf(...facts: RunFacts[]): string {
  const folder = fresh();
  facts.forEach((one, i) => {
    writeRun(join(folder, `run-${i}`), { seed: i, ...one });
  });
  return folder;
}

const options: ReportOptions = defaultReport;

describe('runs', () => {
  it('are found in folders of folders, each once, with what a report reads', () => {
    const episodes = (n: number) => `evaluation:\n  episodes: ${n}\n`;
    const folder = runsOf(
      { seed: 8, countsCalls: false, settings: episodes(28) },
      { seed: 5, means: [1, null, 4], rechecked: null, settings: episodes(25) },
    );
    mkdirSync(join(folder, 'notes'));
    for (const name of ['x', 'y', '.z']) writeRun(join(folder, 'a', 'b', 'c', name));
    const { runs, leftOut } = findReportRuns([folder, join(folder, 'run-1')]);
    expect(runs.map(({ summary }) => summary.seed)).toEqual([8, 5]);
    const deep =
      'holds 2 folders that were not searched, more than 3 levels below what was named; name them to search there';
    expect(leftOut).toEqual([
      { path: join(folder, 'a', 'b', 'c'), reason: deep, deeper: 2 },
      { path: join(folder, 'notes'), reason: 'neither is nor contains a run folder' },
    ]);
    expect(runs[1]!.rows).toEqual([
      { iteration: 1, episodes: 45, tokens: 100, calls: 3, seconds: null, mean: 1, best: 1 },
      { iteration: 2, episodes: 85, tokens: 201, calls: 5, seconds: null, mean: null, best: 1 },
      { iteration: 3, episodes: 125, tokens: 302, calls: 7, seconds: null, mean: 4, best: 4 },
    ]);
    expect(runs[0]!.rows.map(({ calls }) => calls)).toEqual([null, null, null]);
    expect(runs.map((run) => groupValue(run, 'evaluation.episodes'))).toEqual(['28', '25']);
    expect(groupValue(runs[0]!, 'no.such.key')).toBe('(default)');
  });

  it('that are damaged, or there twice, are left out with their reason', () => {
    const folder = runsOf({}, {}, {}, {}, {}, { settings: `a: ${'['.repeat(20_000)}\n` });
    writeFileSync(join(folder, 'run-1', 'summary.json'), '{"status": "finished"');
    writeFileSync(join(folder, 'run-2', 'summary.json'), '{"status": "finished"}');
    writeFileSync(join(folder, 'run-3', 'metrics.csv'), 'iteration,episodes,mean,best\n1,2,3,4\n');
    rmSync(join(folder, 'run-4', 'metrics.csv'));
    cpSync(join(folder, 'run-0'), join(folder, 'run-6'), { recursive: true });
    const { runs, leftOut } = findReportRuns([folder]);
    expect(runs).toHaveLength(1);
    const reasons = leftOut.map(({ reason }) => reason);
    expect(reasons[0]).toMatch(/expected JSON in ".*run-1.summary\.json"/);
    expect(reasons[1]).toMatch(/run-2.summary\.json" is not the summary of a run: "env"/);
    expect(reasons[2]).toMatch(/expected a column "prompt_tokens" in ".*run-3.metrics\.csv"/);
    expect(reasons[3]).toMatch(/expected the file ".*run-4.metrics\.csv"/);
    expect(reasons[4]).toMatch(/run-5.config\.yaml:1:1: expected at most 30 levels of nesting/);
    expect(reasons[5]).toMatch(/has the configuration, seed and model of ".*run-0"/);
  });

  it("are the optimiser's when what they replay is", async () => {
    const runsDir = fresh();
    const { folder } = await smallRun({ runsDir, overrides: ['iterations=2'] });
    const model = recordedModel(folder);
    const again = await smallRun({ runsDir, model, overrides: ['iterations=2', `model=replay:${folder}`] });
    const { manifest, summary } = readReportRun(again.folder);
    expect(manifest.model_kind).toBe('replay');
    expect(summary.model_kind).toBe('offline');
  });

  it('that are there twice count once, as far as the longer one goes', () => {
    const folder = runsOf({ seed: 3, means: [1, 2] });
    cpSync(join(folder, 'run-0'), join(folder, 'run-9'), { recursive: true });
    const rows = readFileSync(join(folder, 'run-9', 'metrics.csv'), 'utf8').split('\n');
    writeFileSync(join(folder, 'run-0', 'metrics.csv'), `${rows.slice(0, 2).join('\n')}\n`);
    const { runs, leftOut } = findReportRuns([folder]);
    expect(runs.map((run) => run.folder)).toEqual([join(folder, 'run-9')]);
    expect(leftOut.map(({ path }) => path)).toEqual([join(folder, 'run-0')]);
  });

  it('that were imported are the same run when their logs are', () => {
    const folder = runsOf({ seed: 1 });
    const first = join(folder, 'run-0');
    const manifest = JSON.parse(readFileSync(join(first, 'run.json'), 'utf8'));
    const imported = (digest: string) => ({ format: 'a log', layout: 'two-call', source: 'a/run_1', digest });
    for (const [i, digest] of ['d1', 'd2', 'd1'].entries()) {
      const copy = join(folder, `copy-${i}`);
      cpSync(first, copy, { recursive: true });
      writeFileSync(join(copy, 'run.json'), JSON.stringify({ ...manifest, imported: imported(digest) }));
    }
    rmSync(first, { recursive: true });
    const { runs, leftOut } = findReportRuns([folder]);
    expect(runs).toHaveLength(2);
    expect(leftOut.map(({ path }) => path)).toEqual([join(folder, 'copy-2')]);
  });

  it('are grouped by keys that they have, whatever objects have beside them', () => {
    const run = readReportRun(writeRun(fresh()));
    for (const key of ['constructor', 'toString', 'evaluation.constructor'])
      expect(groupValue(run, key)).toBe('(default)');
    writeFileSync(join(run.folder, 'config.yaml'), 'a: [1\n');
    expect(() => groupValue(run, 'seeds')).toThrow(/config\.yaml:2:1: expected YAML, got an error/);
  });

  it('name the line of a number that is none', () => {
    const folder = writeRun(fresh());
    const path = join(folder, 'metrics.csv');
    writeFileSync(path, readFileSync(path, 'utf8').replace('2,85,9,proposal,30', '2,85,9,proposal,3O'));
    expect(() => readReportRun(folder)).toThrow(/expected a number under "mean" in ".*metrics\.csv:3", got "3O"/);
  });

  it('that are not there are wrong usage', () => {
    const empty = fresh();
    mkdirSync(empty);
    expect(() => makeReport(findReportRuns([empty]), options)).toThrow(UsageError);
    expect(() => makeReport(findReportRuns([empty]), options)).toThrow(
      `${empty}: neither is nor contains a run folder`,
    );
    expect(() => findReportRuns([join(empty, 'nowhere')])).toThrow(/found no ".*nowhere"/);
  });
});

describe('groups', () => {
  it('have mean, deviation and interval over their runs', () => {
    // Over 12, 15, 21: mean 16, variance 21; t for 2 degrees of freedom is 4.302652729696142.
    const spread = spreadOf([12, 15, 21])!;
    expect(spread).toMatchObject({ runs: 3, mean: 16, min: 12, max: 21 });
    expect(spread.std).toBeCloseTo(Math.sqrt(21), 12);
    const half = 4.302652729696142 * Math.sqrt(7);
    expect(spread.ci95![0]).toBeCloseTo(16 - half, 6);
    expect(spread.ci95![1]).toBeCloseTo(16 + half, 6);
    expect(spreadOf([7])).toEqual({ runs: 1, mean: 7, std: null, ci95: null, min: 7, max: 7 });
    expect(spreadText(spreadOf([7]))).toBe('7');
    expect(spreadOf([])).toBeNull();
  });

  it('keep environments, methods and models apart, and runs in the order of their seeds', () => {
    const folder = runsOf(
      { seed: 9 },
      { method: 'props' },
      { seed: 2 },
      { env: 'FrozenLake-v1' },
      { model: 'openai/n' },
    );
    const { groups } = groupRuns(findReportRuns([folder]).runs, options);
    expect(groups.map(({ values }) => values)).toEqual([
      ['CartPole-v1', 'props', 'openai/m'],
      ['CartPole-v1', 'r2po', 'openai/m'],
      ['CartPole-v1', 'r2po', 'openai/n'],
      ['FrozenLake-v1', 'r2po', 'openai/m'],
    ]);
    expect(groups[1]!.runs.map(({ summary }) => summary.seed)).toEqual([2, 9]);
    const bySeed = groupRuns(findReportRuns([folder]).runs, { ...options, by: ['seed'], pool: true });
    expect(bySeed.groups).toHaveLength(5);
  });

  const episodes = (n: number) => `evaluation:\n  episodes: ${n}\n`;

  it('pool only runs whose settings are equal, and show the settings that differ', () => {
    const folder = runsOf(
      { seed: 4, settings: episodes(20) },
      { seed: 5, settings: `${episodes(20)}  backend: webgpu\nllm:\n  timeout_s: 7\n` },
      { seed: 4, settings: episodes(4096) },
      { method: 'props', settings: episodes(20) },
    );
    const { by, groups, pooled } = groupRuns(findReportRuns([folder]).runs, options);
    expect(by).toEqual(['env', 'method', 'model', 'evaluation.episodes']);
    expect(pooled).toEqual([]);
    expect(groups.map(({ values, runs }) => [values[1], values[3], runs.length])).toEqual([
      ['props', '20', 1],
      ['r2po', '20', 2],
      ['r2po', '4096', 1],
    ]);
  });

  it('pool what --by names, and say what differs', () => {
    const folder = runsOf({ settings: episodes(20) }, { settings: episodes(4096) });
    const report = makeReport(findReportRuns([folder]), { ...options, pool: true });
    expect(report.groups.map(({ runs }) => runs.length)).toEqual([2]);
    expect(reportDocument(report).pooled).toEqual(['evaluation.episodes']);
  });

  it('say that methods and models are pooled, and refuse a key that no run can have', () => {
    const found = findReportRuns([runsOf({}, { method: 'props', model: 'openai/n', settings: 'own: {key: 3}\n' })]);
    const byKeys = (...by: string[]) => makeReport(found, { ...options, by, pool: true });
    expect(byKeys('env').pooled.slice(0, 2)).toEqual(['method', 'model']);
    expect(byKeys('env', 'method').pooled).not.toContain('method');
    expect(() => byKeys('env', 'methd')).toThrow(/^\[--by\] unknown key "methd"; did you mean "method"\?/);
    expect(() => byKeys('env', 'own.kye')).toThrow('did you mean "own.key"?');
    expect(byKeys('own.key').groups.map(({ values }) => values)).toEqual([['(default)'], ['3']]);
    expect(byKeys('llm.timeout_s').groups).toHaveLength(1);
  });

  it('treat a seed of the policy that follows from the seed of the run as no difference', () => {
    const drawn = (n: number) => `policy:\n  kind: projected-mlp\n  options:\n    seed: ${n}\n`;
    const groupsOf = (...seeds: readonly (readonly [number, number])[]) =>
      groupRuns(findReportRuns([runsOf(...seeds.map(([seed, n]) => ({ seed, settings: drawn(n) })))]).runs, options)
        .groups.length;
    expect(groupsOf([4, 3005], [5, 3006])).toBe(1);
    // Of run 5 of the reference, too, but of no run with seed 6.
    expect(groupsOf([4, 3005], [6, 3005])).toBe(2);
    expect(groupsOf([4, 7], [5, 8])).toBe(2);
  });

  it('keep the name of a shipped variant of a method', async () => {
    const threshold = (value: string) => ({
      method: 'tau-c',
      settings: `critic:\n  conservative_threshold: ${value}\n`,
    });
    const folder = runsOf(threshold('240'), threshold('480'), threshold('null'), threshold('13'));
    const { groups } = groupRuns((await withVariants(findReportRuns([folder]))).runs, options);
    expect(groups.map(({ values }) => values.slice(1))).toEqual([
      ['tau-c', 'openai/m', '13'],
      ['tau-c', 'openai/m', '480'],
      ['tau-c-half', 'openai/m', '240'],
      ['tau-c-none', 'openai/m', 'null'],
    ]);
  });

  it('leave the final reward of an unfinished run out unless asked', () => {
    const folder = runsOf({ means: [10, 20, 40] }, { means: [60, 80], status: 'stopped', rechecked: null });
    const { runs } = findReportRuns([folder]);
    const [group] = groupRuns(runs, options).groups;
    expect(group!.unfinished).toBe(1);
    expect(group!.rewards.final).toMatchObject({ runs: 1, mean: 40 });
    expect(group!.rewards.best).toMatchObject({ runs: 2, mean: 60 });
    expect(group!.rewards.rechecked).toMatchObject({ runs: 1, mean: 25 });
    const [asked] = groupRuns(runs, { ...options, includeUnfinished: true }).groups;
    expect(asked!.rewards.final).toMatchObject({ runs: 2, mean: 60 });
    expect(rewardOf(runs[1]!, 'final', false)).toBeNull();
  });
});

describe('curves', () => {
  const runWith = (rows: readonly [episodes: number, mean: number | null][]): ReportRun => ({
    ...readReportRun(writeRun(fresh())),
    rows: rows.map(
      ([episodes, mean], i): MetricsRow => ({
        iteration: i + 1,
        episodes,
        tokens: 7,
        calls: 8,
        seconds: null,
        mean,
        best: mean,
      }),
    ),
  });
  const curveOf = (runs: readonly ReportRun[]) =>
    averageCurve({ values: [], runs, unfinished: 0, rewards: {} as never }, 'episodes', 'kept').steps;

  it('average runs that counted other episodes, each with the value that it holds', () => {
    const curve = curveOf([
      runWith([
        [10, 1],
        [20, 3],
        [30, 5],
      ]),
      runWith([
        [12, 100],
        [22, null],
        [32, 200],
      ]),
    ]);
    expect(curve[0]).toMatchObject({ x: 12, mean: 50.5, runs: 2 });
    expect(curve.at(-1)).toMatchObject({ x: 30, mean: 52.5, runs: 2 });
    // 19.92 is before the first run's second value, 20.1 after it.
    expect(curve.find(({ x }) => Math.abs(x - 19.92) < 1e-9)?.mean).toBe(50.5);
    expect(curve.find(({ x }) => Math.abs(x - 20.1) < 1e-9)?.mean).toBe(51.5);
  });

  it('hold every run at every place, whatever the runs counted', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: -9, max: 9 })), {
      minLength: 2,
      maxLength: 12,
    });
    fc.assert(
      fc.property(fc.array(steps, { minLength: 1, maxLength: 4 }), (lists) => {
        const runs = lists.map((list) => {
          let episodes = 0;
          return {
            manifest: {},
            rows: list.map(([more, mean], i) => {
              episodes += more;
              return { iteration: i + 1, episodes, tokens: 0, calls: 0, mean, best: mean };
            }),
          } as unknown as ReportRun;
        });
        for (const step of curveOf(runs)) {
          expect(step.runs).toBe(runs.length);
          // By definition: the last value of each run that is not beyond.
          const held = runs.map(({ rows }) => rows.findLast(({ episodes }) => episodes <= step.x)!.mean!);
          expect(step.mean).toBeCloseTo(held.reduce((a, b) => a + b, 0) / held.length, 9);
          if (step.low !== null && step.high !== null) {
            expect(step.low).toBeLessThanOrEqual(step.mean);
            expect(step.high).toBeGreaterThanOrEqual(step.mean);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('are none where no run has begun before another has ended', () => {
    expect(curveOf([runWith([[10, 1]]), runWith([[40, 2]])])).toEqual([]);
    expect(curveOf([runWith([[10, null]])])).toEqual([]);
  });

  it('have an axis that no interval of two runs sets, and a dotted edge where one is cut', async () => {
    // Means 4 and 5, deviation 0.7: the interval of two runs is 6.4 to each side.
    const [close, far] = [
      curveOf([
        runWith([
          [1, 4],
          [9, 4],
        ]),
        runWith([
          [1, 5],
          [9, 5],
        ]),
      ]),
      curveOf([
        runWith([
          [1, 2],
          [9, 7],
        ]),
      ]),
    ];
    expect(close[0]!.high! - close[0]!.low!).toBeGreaterThan(12);
    const options = { axis: 'episodes', value: 'best', context: ['one'] } as const;
    const lines = [
      { panel: 'P', line: 'a', steps: close },
      { panel: 'P', line: 'b', steps: far },
      { panel: 'Q', line: 'b', steps: far },
    ];
    const spec = curveSpec(lines, options) as {
      title: { subtitle: string[] };
      data: {
        values: { panel: string; line: string; low: number | null; high: number | null; cutLow: number | null }[];
      };
    };
    for (const { panel, line, low, high, cutLow } of spec.data.values) {
      expect([panel, line, low, high, cutLow]).toEqual(
        line === 'a' ? ['P', 'a', 2, 7, 2] : [panel, 'b', null, null, null],
      );
    }
    expect(spec.title.subtitle).toEqual(['one', 'dotted edge: the 95 % interval is wider than the axis']);
    const whole = curveSpec(lines.slice(1), options) as typeof spec;
    expect(whole.title.subtitle).toEqual(['one']);
    // Every label of the axes is of 2 ... 7.
    const svg = await renderChart(spec);
    const labels = [...svg.matchAll(/>(-?\d+(?:\.\d+)?)<\/text>/g)].map(([, text]) => Number(text));
    expect(Math.max(...labels)).toBeLessThanOrEqual(10);
    expect(Math.min(...labels)).toBeGreaterThanOrEqual(0);
  });

  it('draw as SVG', async () => {
    const steps = curveOf([
      runWith([
        [1, 4],
        [9, 8],
      ]),
      runWith([
        [1, 5],
        [9, 2],
      ]),
    ]);
    const options = { axis: 'episodes', value: 'best', context: ['model: c&d'] } as const;
    const svg = await renderChart(curveSpec([{ panel: 'P', line: 'a<b', steps }], options));
    expect(svg).toMatch(/^<svg[^>]*>/);
    expect(svg).toContain('a&lt;b');
    expect(svg).toContain('model: c&amp;d');
  });

  it('against calls leave out, and name, the runs that did not count them', () => {
    const { runs } = findReportRuns([runsOf({ means: [4, 8] }, { countsCalls: false }, { means: [6, 12, 30] })]);
    const group = { values: [], runs, unfinished: 0, rewards: {} as never };
    const { steps, leftOut } = averageCurve(group, 'calls', 'kept');
    expect(steps[0]).toMatchObject({ x: 3, mean: 5, runs: 2 });
    expect(steps.at(-1)).toMatchObject({ x: 5, mean: 10, runs: 2 });
    expect(leftOut).toEqual([{ folder: runs[1]!.folder, reason: 'its metrics.csv does not count calls' }]);
    expect(averageCurve(group, 'tokens', 'kept').leftOut).toEqual([]);
    expect(averageCurve(group, 'tokens', 'kept').steps[0]).toMatchObject({ x: 100, mean: (4 + 10 + 6) / 3, runs: 3 });
  });

  it('name a run that kept no policy', () => {
    const [run, other] = [runWith([[10, null]]), runWith([[20, 3]])];
    const group = { values: [], runs: [run, other], unfinished: 0, rewards: {} as never };
    expect(averageCurve(group, 'episodes', 'kept')).toMatchObject({
      steps: [{ x: 20, mean: 3, runs: 1 }],
      leftOut: [{ folder: run.folder, reason: 'it kept no policy' }],
    });
  });

  it('look different however many there are, in colour or in dashes', () => {
    const lines = Array.from({ length: 25 }, (_, i) => ({ panel: `p${i % 3}`, line: `line ${i}`, steps: [] }));
    const styles = lineStyles([...lines, ...lines]);
    expect(styles).toHaveLength(25);
    expect(new Set(styles.map(({ color, dash }) => `${color} ${dash}`)).size).toBe(25);
    for (const { color } of styles) expect(curveColors[color]).toBeDefined();
  });
});

describe('a PNG', () => {
  const size = (png: Uint8Array) => {
    const view = new DataView(png.buffer, png.byteOffset);
    return [view.getUint32(16), view.getUint32(20)];
  };
  const drawing = (text: string) =>
    `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="30"><rect width="120" height="30" fill="white"/>${text}</svg>`;

  it('has twice the pixels of its document, and the text in it: plain, bold, and in letters of other languages', async () => {
    const blank = await renderPng(drawing(''));
    expect(Array.from(blank.slice(1, 4))).toEqual([...'PNG'].map((c) => c.charCodeAt(0)));
    expect(size(blank)).toEqual([240, 60]);
    const words = (text: string, more = '') =>
      renderPng(drawing(`<text x="5" y="20" font-family="sans-serif" font-size="14"${more}>${text}</text>`));
    const pictures = [
      blank,
      await words('Reward'),
      await words('Reward', ' font-weight="bold"'),
      await words('Reward'),
      await words('Награда é'),
    ].map((png) => Buffer.from(png).toString('base64'));
    // The fourth is the second again: a picture is the same whenever it is drawn.
    expect(pictures[3]).toBe(pictures[1]);
    expect(new Set(pictures).size).toBe(4);
  });

  it('does not need fonts of the system, whatever the document asks for', async () => {
    const named = await renderPng(
      drawing('<text x="5" y="20" font-family="No Such Font" font-size="14">Reward</text>'),
    );
    const plain = await renderPng(drawing('<text x="5" y="20" font-family="sans-serif" font-size="14">Reward</text>'));
    expect(Buffer.from(named).equals(Buffer.from(plain))).toBe(true);
  });
});

describe('a report', () => {
  it('does not put the offline optimiser and language models together unless asked', () => {
    const found = findReportRuns([runsOf({}, { kind: 'offline', model: 'offline' })]);
    expect(() => makeReport(found, options)).toThrow(/got both \(.*run-0.*run-1.*\).*--allow-mixed/);
    expect(makeReport(found, { ...options, allowMixed: true }).groups).toHaveLength(2);
  });

  it('names no model of an optimiser in its pictures', () => {
    const folder = runsOf({}, { method: 'cma-es', model: 'none', kind: 'none' });
    const { context, curves } = makeReport(findReportRuns([folder]), { ...options, axes: ['episodes'] });
    expect(context).toEqual(['model: openai/m']);
    expect(curves[0]!.lines.map(({ line }) => line)).toEqual(['cma-es', 'r2po']);
  });

  it('tells its pictures which models they are about: few by name, of many those that are none', () => {
    const named = ['openai/a', 'openai/b'].map((model): RunFacts => ({ model }));
    const offline: RunFacts = { kind: 'offline', model: 'offline' };
    const contextOf = (facts: RunFacts[]) =>
      makeReport(findReportRuns([runsOf(...facts)]), { ...options, allowMixed: true }).context;
    const none = 'offline (a numeric optimiser, not a language model)';
    expect(contextOf([...named, offline])).toEqual(['model: openai/a', 'model: openai/b', `model: ${none}`]);
    const many = [...named, { model: 'openai/c' }, { model: 'openai/d' }];
    expect(contextOf(many)).toEqual(['4 models']);
    expect(contextOf([...many, offline])).toEqual([`5 models, among them ${none}`]);
  });

  it('needs a run that can be read', () => {
    const folder = runsOf({});
    writeFileSync(join(folder, 'run-0', 'summary.json'), '');
    expect(() => makeReport(findReportRuns([folder]), options)).toThrow(
      /expected readable runs, found none\n {2}.*run-0/,
    );
  });

  it('has one number per cell for programs, and one text per reward for people', () => {
    const report = makeReport(findReportRuns([runsOf({ means: [1, 5] }, { means: [3, 11] })]), options);
    const { columns, rows } = groupNumbers(report);
    const cell = (title: string) => rows[0]![columns.findIndex((column) => column.title === title)];
    expect([cell('runs'), cell('mean_mean'), cell('best_mean'), cell('final_std')]).toEqual([2, 5, 8, Math.sqrt(18)]);
    expect(groupTable(report).rows[0]!.slice(3)).toEqual([
      2,
      'cpu',
      '25 ± 0',
      '8.0 ± 4.2 [-30.1, 46.1]',
      '5.0 ± 2.8 [-20.4, 30.4]',
      '8.0 ± 4.2 [-30.1, 46.1]',
      '25 [25, 25]',
    ]);
  });
});

describe('methods against each other', () => {
  const rewards = (method: string, env: string, values: readonly number[]): RunFacts[] =>
    values.map((rechecked, seed) => ({ method, env, rechecked, seed }));

  it('have an interval for equal means too', () => {
    const folder = runsOf(...rewards('r2po', 'CartPole-v1', [1, 3]), ...rewards('props', 'CartPole-v1', [3, 1]));
    const { comparison } = makeReport(findReportRuns([folder]), options);
    // Student's t with 2 degrees of freedom, times the root of 2 / 2 + 2 / 2.
    const half = 4.302652729911275 * Math.SQRT2;
    expect(comparison?.lines[0]).toMatchObject({ difference: 0, welchP: 1 });
    expect(comparison!.lines[0]!.ci95![0]).toBeCloseTo(-half, 7);
    expect(comparison!.lines[0]!.ci95![1]).toBeCloseTo(half, 7);
  });

  it('have neither interval nor p where no run differs, and take no part in the family', () => {
    const folder = runsOf(
      ...rewards('r2po', 'CartPole-v1', [500, 500]),
      ...rewards('props', 'CartPole-v1', [9, 9]),
      ...rewards('r2po', 'FrozenLake-v1', [5, 9, 6]),
      ...rewards('props', 'FrozenLake-v1', [4, 7, 8]),
    );
    const report = makeReport(findReportRuns([folder]), options);
    const [cart, lake] = report.comparison!.lines;
    const none = { ci95: null, p: null };
    expect(cart).toMatchObject({ difference: 491, stderr: 0, ci95: null, welchP: null, holmP: null, paired: none });
    expect(lake!.holmP).toBe(lake!.welchP);
    expect(report.groups[0]!.rewards.rechecked).toMatchObject({ mean: 9, std: 0, ci95: null });
    expect(report.findings[0]!.text).toBe(
      'highest re-checked best by r2po, 500 over 2 runs; no test between r2po and props, whose runs do not vary',
    );
    const [row] = comparisonTable([cart!], report.comparison!.options).rows;
    expect(row!.slice(4, 7)).toEqual(['491', '-', '-']);
    expect(reportTables(report).length).toBeGreaterThan(2);
  });

  it('are paired by seeds that a group has once', () => {
    const other = rewards('r2po', 'CartPole-v1', [5, 6]).map((facts) => ({ ...facts, model: 'another' }));
    const folder = runsOf(
      ...rewards('r2po', 'CartPole-v1', [1, 3, 4, 6]),
      ...other,
      ...rewards('props', 'CartPole-v1', [2, 2, 5, 5]),
    );
    const { comparison } = makeReport(findReportRuns([folder]), {
      ...options,
      by: ['env', 'method'],
      allowMixed: true,
    });
    expect(comparison!.lines[0]!.paired).toMatchObject({ seeds: 2, difference: 0 });
  });

  it('are compared per environment, with the tests that a sceptic asks for', () => {
    const folder = runsOf(
      ...rewards('r2po', 'CartPole-v1', [31, 36, 34, 39]),
      ...rewards('props', 'CartPole-v1', [21, 25, 22, 30]),
      ...rewards('r2po', 'FrozenLake-v1', [5, 9, 6]),
      ...rewards('props', 'FrozenLake-v1', [4, 7, 8]),
      ...rewards('reptraj', 'FrozenLake-v1', [2]),
    );
    const { comparison } = makeReport(findReportRuns([folder]), options);
    expect(comparison?.options.method).toBe('r2po');
    expect(comparison?.lines.map(({ setting, other }) => [setting[0], other])).toEqual([
      ['CartPole-v1', 'props'],
      ['FrozenLake-v1', 'props'],
    ]);
    const [cart, lake] = comparison!.lines;
    // Means 35 and 24.5; variances 34/3 and 49/3; t = 10.5 / sqrt(83/12).
    expect(cart!.difference).toBe(10.5);
    const { t, df, p } = welch([31, 36, 34, 39], [21, 25, 22, 30]);
    expect(t).toBeCloseTo(10.5 / Math.sqrt(83 / 12), 12);
    expect(cart!.welchP).toBe(p);
    expect(cart!.ci95![1] - cart!.difference).toBeCloseTo(t975(df) * Math.sqrt(83 / 12), 9);
    // All 16 pairs are won, one of 70 orders on either side.
    expect(cart!.improvement.value).toBe(1);
    expect(cart!.mannWhitneyP).toBeCloseTo(2 / 70, 12);
    // Differences per seed 10, 11, 12, 9.
    expect(cart!.paired).toMatchObject({ seeds: 4, difference: 10.5 });
    expect(cart!.paired!.p).toBe(paired([21, 25, 22, 30], [31, 36, 34, 39]).p);
    // A family of two: the smaller p is doubled, the larger one is not.
    expect(cart!.holmP).toBeCloseTo(2 * cart!.welchP!, 12);
    expect(lake!.holmP).toBe(lake!.welchP);
    // Of the nine pairs r2po wins 5 > 4, 9 > 4, 9 > 7, 9 > 8, 6 > 4.
    expect(lake!.improvement.value).toBeCloseTo(5 / 9, 12);
    const table = comparisonTable(comparison!.lines, comparison!.options);
    expect(table.rows[0]!.slice(0, 5)).toEqual([
      'CartPole-v1',
      'openai/m',
      'props',
      '4 / 4',
      expect.stringMatching(/^10\.5 \[/),
    ]);
  });

  it('are compared with each value of a setting that they do not have, but not across environments', () => {
    const searches = [3, 5].flatMap((history) =>
      rewards('r2po', 'CartPole-v1', [31 + history, 39]).map((facts) => ({
        ...facts,
        settings: `search:\n  history: ${history}\n`,
      })),
    );
    const optimiser = rewards('cma-es', 'CartPole-v1', [21, 25]).map(
      (facts) => ({ ...facts, model: 'none', kind: 'none', settings: 'optimiser:\n  sigma: 7\n' }) as const,
    );
    const report = makeReport(findReportRuns([runsOf(...searches, ...optimiser)]), options);
    expect(report.by).toEqual(['env', 'method', 'model', 'search.history']);
    expect(report.comparison!.lines.map(({ setting, other }) => [setting.at(-1), other])).toEqual([
      ['3', 'cma-es'],
      ['5', 'cma-es'],
    ]);
    expect(report.comparison!.lines.map(({ difference }) => difference)).toEqual([13.5, 14.5]);
    expect(report.findings.map(({ setting }) => setting)).toEqual([
      'CartPole-v1, openai/m, search.history=3',
      'CartPole-v1, openai/m, search.history=5',
    ]);
    const short = searches.map((facts, i) =>
      i < 2 ? { ...facts, settings: 'env_options:\n  max_episode_steps: 40\n' } : { ...facts, settings: '' },
    );
    const apart = makeReport(findReportRuns([runsOf(...short, ...optimiser)]), options);
    expect(apart.comparison!.lines.map(({ setting }) => setting.at(-1))).toEqual(['(default)']);
    const doubtful = rewards('sb3/ppo', 'CartPole-v1', [7, 9, 23, 24]).map(
      (facts, i) =>
        ({ ...facts, model: 'none', kind: 'none', settings: i < 2 ? 'sb3:\n  flagged: [too-long]\n' : '' }) as const,
    );
    const kept = makeReport(findReportRuns([runsOf(...searches.slice(0, 2), ...doubtful)]), options);
    expect(kept.comparison!.lines.map(({ difference }) => difference)).toEqual([13]);
  });

  it('are compared by the reward that is asked for, from the side that is asked for', () => {
    const folder = runsOf(
      { method: 'r2po', means: [1, 9], seed: 1 },
      { method: 'r2po', means: [3, 11], seed: 2 },
      { method: 'props', means: [2, 4], seed: 5 },
      { method: 'props', means: [2, 6], seed: 6 },
    );
    const found = findReportRuns([folder]);
    const { comparison } = makeReport(found, { ...options, compare: 'props', reward: 'mean' });
    expect(comparison?.lines).toHaveLength(1);
    expect(comparison?.lines[0]).toMatchObject({ other: 'r2po', difference: 3.5 - 6, paired: null });
    expect(() => makeReport(found, { ...options, compare: 'prop' })).toThrow('did you mean "props"?');
    expect(makeReport(findReportRuns([runsOf({})]), options).comparison).toBeNull();
  });
});

describe('--comparison-mode best', () => {
  const found = findReportRuns([
    runsOf(
      ...['CartPole-v1', 'Nim-v0'].flatMap((env, e) =>
        (['r2po', 'props', 'reptraj'] as const).flatMap((method, m) =>
          // The best other is props on CartPole, and reptraj on Nim.
          [0, 1, 3].map((k) => ({
            env,
            method,
            seed: k,
            rechecked: 10 + k + 7 * (e === 1 ? m : -m) * (m === 0 ? 0 : 1),
          })),
        ),
      ),
    ),
  ]);
  const lines = (mode: 'all' | 'best') => makeReport(found, { ...options, mode }).comparison!.lines;

  it('compares with the other of the highest mean in each environment, and Holm has one family', () => {
    expect(lines('all')).toHaveLength(4);
    const best = lines('best');
    expect(best.map(({ setting, other }) => [setting[0], other])).toEqual([
      ['CartPole-v1', 'props'],
      ['Nim-v0', 'reptraj'],
    ]);
    const [larger, smaller] = best.map(({ welchP }) => welchP!).toSorted((a, b) => b - a);
    expect(best.map(({ holmP }) => holmP!).toSorted((a, b) => b - a)).toEqual(
      [Math.max(larger!, 2 * smaller!), 2 * smaller!].toSorted((a, b) => b - a),
    );
    // A family of two of which each opponent has one line.
    const apart = lines('all').find(({ other, setting }) => other === 'props' && setting[0] === 'CartPole-v1')!;
    expect(apart.welchP).toBe(best[0]!.welchP);
  });
});

describe('findings', () => {
  it('say for each environment who is highest, and whether a difference is shown', () => {
    const rewards = (env: string, method: string, values: number[]) =>
      values.map((rechecked, seed) => ({ env, method, rechecked, seed }));
    const folder = runsOf(
      ...rewards('CartPole-v1', 'r2po', [90, 91, 92]),
      ...rewards('CartPole-v1', 'props', [10, 12, 11]),
      ...rewards('CartPole-v1', 'reptraj', [80, 95, 120]),
      ...rewards('FrozenLake-v1', 'r2po', [1, 2, 3]),
      ...rewards('FrozenLake-v1', 'props', [21, 22, 23]),
      ...rewards('Acrobot-v1', 'r2po', [-80]),
      { env: 'Pong-v0', rechecked: null },
    );
    const texts = makeReport(findReportRuns([folder]), options).findings.map(
      ({ setting, text }) => `${setting}: ${text}`,
    );
    expect(texts[0]).toBe('Acrobot-v1, openai/m: re-checked best -80 over one run, which has no interval');
    // Means 91 and 11, both with variance 1: t = 80 / sqrt(2/3) with 4 degrees of freedom, of which 2.776 is the quantile.
    const half = 2.7764451 * Math.sqrt(2 / 3);
    expect(texts[1]).toMatch(
      /^CartPole-v1, openai\/m: highest re-checked best by reptraj, 98 \[48, 149\] over 3 runs; /,
    );
    expect(texts[1]).toContain(
      `r2po is above props by 80.00 [${(80 - half).toFixed(2)}, ${(80 + half).toFixed(2)}] (Holm p `,
    );
    expect(texts[1]).toMatch(/no significant difference between r2po and reptraj \(Holm p 0\.\d+\)$/);
    expect(texts[2]).toContain(`r2po is below props by 20.00 [${(20 - half).toFixed(2)}, ${(20 + half).toFixed(2)}]`);
    expect(texts[3]).toBe('Pong-v0, openai/m: no run has a re-checked best');
  });

  it('say once that nothing differs, with the least p, and name the few that do not among others that do', () => {
    const nine = ['props', 'props-plus', 'reptraj', 'three-traj', 'always-critic', 'critic-only', 'pure-search'];
    const close = nine.flatMap((method, i) =>
      [1, 2, 3].map((k) => ({ method, seed: k, rechecked: 50 + ((i + 2 * k) % 5) })),
    );
    const ours = [1, 2, 3].map((k) => ({ seed: k, rechecked: 50 + k }));
    const far = [1, 2, 3].map((k) => ({ method: 'actor-second-pass', seed: k, rechecked: 900 + k }));
    const none = makeReport(findReportRuns([runsOf(...ours, ...close)]), options);
    const least = Math.min(...none.comparison!.lines.map(({ holmP }) => holmP!));
    expect(none.findings[0]!.text).toMatch(
      new RegExp(`; r2po: no significant difference to any of 7 \\(least Holm p ${significant(least, 2)}\\)$`),
    );
    const some = makeReport(findReportRuns([runsOf(...ours, ...far, ...close.slice(0, 6))]), options);
    expect(some.findings[0]!.text).toMatch(
      /; r2po is below actor-second-pass by .*; r2po: no significant difference to any of the other 2, props, props-plus \(least Holm p 0\.\d+\)$/,
    );
  });

  it('name the settings in which groups of one method differ, and have the verdict about each', () => {
    const sigma = (value: number, rechecked: readonly number[]) =>
      rechecked.map((reward, seed) => ({
        ...({ method: 'cma-es', model: 'none', kind: 'none', rechecked: reward, seed } as const),
        settings: `optimiser:\n  sigma: ${value}\n`,
      }));
    const ours = [50, 51, 52].map((rechecked, seed) => ({ rechecked, seed }));
    const folder = runsOf(...ours, ...sigma(2, [51, 49, 52]), ...sigma(1, [91, 90, 92]));
    const { findings } = makeReport(findReportRuns([folder]), options);
    expect(findings.map(({ setting }) => setting)).toEqual(['CartPole-v1, openai/m']);
    expect(findings[0]!.text).toMatch(/^highest re-checked best by cma-es \(optimiser\.sigma=1\), 91/);
    expect(findings[0]!.text).toContain('; r2po is below cma-es (optimiser.sigma=1) by 40');
    expect(findings[0]!.text).toContain(
      '; no significant difference between r2po and cma-es (optimiser.sigma=2) (Holm p',
    );
  });

  it('name all of those that are highest, and are there without methods too', () => {
    const found = findReportRuns([
      runsOf({ method: 'props' }, { method: 'r2po' }, { method: 'reptraj', rechecked: 3 }),
    ]);
    const [tie] = makeReport(found, options).findings;
    expect(tie!.text).toMatch(/^highest re-checked best by props and r2po, 25 over one run/);
    const { groups } = groupRuns(found.runs, { by: ['seed'], pool: true, includeUnfinished: false });
    const bySeed = findingsOf(groups, { by: ['seed'], reward: 'best', comparison: null });
    expect(bySeed.map(({ setting }) => setting)).toEqual(['seed=0', 'seed=1', 'seed=2']);
    expect(bySeed[2]!.text).toBe('highest reward of the search 30 over one run, which has no interval');
  });
});

describe('beside the published results', () => {
  it('stands what was measured, with Welch between the two and what differs', () => {
    const means = [400, 450, 500];
    const folder = runsOf({ means, model: 'ollama/gpt-oss:20b' }, { means: [410, 430], model: 'ollama/gpt-oss:20b' });
    const report = makeReport(findReportRuns([folder]), { ...options, published: true });
    const { mean, best, differences } = report.published![0]!;
    expect(mean?.published).toEqual({ mean: 474.67, std: 16.9 });
    expect(best?.published).toEqual({ mean: 500, std: 0 });
    // Ours: 450 and 420, mean 435, variance 450, so 225 of the mean; theirs 16.9^2 / 10.
    const t = (435 - 474.67) / Math.sqrt(225 + 28.561);
    const df = 253.561 ** 2 / (225 ** 2 / 1 + 28.561 ** 2 / 9);
    expect(t).toBeCloseTo(-2.49127, 5);
    expect(df).toBeCloseTo(1.26776, 4);
    // The density of Student's t with 1.26776 degrees of freedom, integrated by Simpson's rule beyond 2.49127.
    expect(mean?.p).toBeCloseTo(0.198412, 4);
    expect(differences).toEqual([
      '2 runs, published 10',
      'iterations (default), published 100',
      expect.stringMatching(/^evaluation episodes 23, published 20$/),
      'threshold (default), published 480',
      expect.stringMatching(/^fair settings/),
    ]);
  });

  it('stand trainings, with the budget and the arguments that the published ones did not have', () => {
    const training = (sb3: string) =>
      `iterations: 190\nevaluation:\n  episodes: 20\nsb3:\n  policy: MlpPolicy\n  n_envs: 1\n  normalize: false\n${sb3}`;
    const inEpisodes = (episodes: number) => `  training_episodes: ${episodes}\n  training_steps: null\n`;
    const differencesFor = (settings: string) => {
      const folder = runsOf({ method: 'sb3/trpo', model: 'none', settings });
      return makeReport(findReportRuns([folder]), { ...options, published: true }).published![0]!.differences;
    };
    const runs = '1 run, published 10';
    expect(differencesFor(training(`  hyperparameters: {}\n${inEpisodes(190)}`))).toEqual([runs]);
    expect(differencesFor(training(`  hyperparameters:\n    gamma: 0.9\n${inEpisodes(4000)}`))).toEqual([
      runs,
      'training episodes 4000, published 190',
      'hyperparameters {"gamma":0.9}, published {}',
    ]);
    const inSteps = '  hyperparameters: {}\n  training_episodes: null\n  training_steps: 7000\n';
    expect(differencesFor(training(inSteps))).toEqual([runs, 'training steps 7000, published 190 episodes']);
  });

  it('names what differs in the prompts of each method, and nothing for runs with prompts of the reference', () => {
    const folder = runsOf({ method: 'r2po' }, { method: 'pure-search' });
    const report = makeReport(findReportRuns([folder]), { ...options, published: true });
    const byMethod = new Map(report.published!.map((row) => [row.method, row.promptDifferences]));
    const second = 'the second search says that it is the second proposal';
    expect(byMethod.get('pure-search')).toContain(second);
    expect(byMethod.get('r2po')).not.toContain(second);
    const table = publishedTable(report.published!);
    for (const row of table.rows) expect(row.at(-1)).toMatch(/the prompts \(see the note\)$/);
    expect(table.note).toMatch(new RegExp(`in pure-search: [^.]*${second}`));
    const imported = report.published!.map((row) => ({ ...row, differences: [], promptDifferences: [] }));
    for (const row of publishedTable(imported).rows) expect(row.at(-1)).toBe('nothing known');
  });

  it('says that the optimiser is none, and leaves out what was not published', () => {
    const folder = runsOf(
      { kind: 'offline', model: 'offline' },
      { kind: 'offline', model: 'offline', env: 'Acrobot-v1' },
    );
    const report = makeReport(findReportRuns([folder]), { ...options, published: true });
    const table = publishedTable(report.published!);
    expect(table.rows.map(([env]) => env)).toEqual(['CartPole-v1']);
    expect(table.rows[0]!.at(-1)).toMatch(/^a numeric optimiser, no language model; 1 run, published 10/);
  });

  it('needs groups that are like the published ones', () => {
    const found = findReportRuns([runsOf({})]);
    expect(() => makeReport(found, { ...options, published: true, by: ['env'] })).toThrow(
      'expected --by with env, method, model, got env',
    );
  });

  it('is read from a file of the shape that its types state', () => {
    const reward = z.strictObject({ mean: z.number(), std: z.number().min(0) });
    const env = z.enum(envs.map(({ id }) => id));
    const result = z.strictObject({
      env,
      method: z.enum([...llmMethods.map(({ id }) => id), ...publishedTrainings.map(({ method }) => method)]),
      mean: reward,
      best: reward,
      final: reward.optional(),
      threshold: z.number().nullable().optional(),
    });
    const warning = z.strictObject({
      envs: z.array(env),
      methods: z.array(result.shape.method),
      thresholds: z.array(z.number()).optional(),
      text: z.string().min(1),
    });
    const file = z.strictObject({
      source: z.string().includes('2605.08315'),
      settings: z.strictObject({
        runs: z.int(),
        model: z.string(),
        evaluationEpisodes: z.int(),
        calls: z.int(),
      }),
      results: z.array(result),
      trainings: z.array(result.extend({ iterations: z.int() })),
      thresholds: z.array(result.required({ threshold: true, final: true })),
      warnings: z.array(warning),
    });
    const text = readFileSync(assetPath('src/report/published/r2po-paper.json'), 'utf8');
    expect(file.safeParse(JSON.parse(text)).error).toBeUndefined();
  });

  it('has a line for a method that is no search with a language model', () => {
    const report = makeReport(findReportRuns([runsOf({ method: 'cma-es' })]), { ...options, published: true });
    expect(report.published).toMatchObject([{ method: 'cma-es', published: null, promptDifferences: [] }]);
  });

  it('is complete: nine methods on ten environments, and the gaps that the paper states', () => {
    expect(publishedResults).toHaveLength(90);
    expect(new Set(publishedResults.map(({ env, method }) => `${env} ${method}`)).size).toBe(90);
    for (const { env, mean, best } of publishedResults) {
      expect(best.mean).toBeGreaterThanOrEqual(mean.mean);
      const range = findEnv(env).returnRange;
      if (range) {
        expect(best.mean).toBeLessThanOrEqual(range[1]);
      }
    }
    const byName = (list: readonly PublishedResult[]) => [...new Set(list.map(({ env }) => env))].sort();
    expect(publishedTrainings).toHaveLength(10);
    expect(byName(publishedTrainings)).toEqual(byName(publishedResults));
  });

  // Gap and t of R2PO less ProPS, ProPS+ and the best SB3, from core_significance_mean_reward_all.tex and _best_reward_all.tex.
  const significance = {
    mean: [
      ['Nim-v0', [1.2, 18.122], [0.86, 34.411], [0.6, 5.958]],
      ['Pong-v0', [1.77, 8.435], [1.28, 6.588], [1.49, 6.129]],
      ['Swimmer-v5', [171.13, 8.934], [98.29, 4.13], [215.75, 18.549]],
      ['MountainCarContinuous-v0', [105.06, 7.916], [63.71, 5.324], [-0.72, -0.393]],
      ['MountainCar-v0', [51.47, 21.891], [47.97, 18.897], [52.15, 23.196]],
      ['InvertedDoublePendulum-v5', [79.07, 3.553], [71.8, 3.213], [72.47, 3.35]],
      ['InvertedPendulum-v5', [521.93, 7.19], [446.55, 4.834], [731.73, 14.977]],
      ['FrozenLake-v1', [0.57, 20.858], [0.25, 8.241], [0.6, 24.822]],
      ['CartPole-v1', [216.58, 4.906], [221.61, 5.214], [257.75, 12.434]],
      ['maze-sample-3x3-v0', [1.86, 31.357], [0.07, 3.001], [0.0, 0.016]],
    ],
    best: [
      ['Nim-v0', [0.25, 2.643], [0.0, 0], [0.12, 1.406]],
      ['Pong-v0', [0.85, 2.833], [0.22, 1.687], [0.67, 2.681]],
      ['Swimmer-v5', [86.05, 3.351], [19.71, 1.065], [226.68, 14.771]],
      ['MountainCarContinuous-v0', [23.38, 2.418], [0.05, 0.237], [3.94, 20.521]],
      ['MountainCar-v0', [80.8, 9.79], [39.17, 4.603], [86.44, 50.957]],
      ['InvertedDoublePendulum-v5', [141.86, 1.923], [125.23, 1.659], [155.79, 2.12]],
      ['InvertedPendulum-v5', [350.09, 2.562], [342.12, 2.434], [971.5, 4298.503]],
      ['FrozenLake-v1', [0.69, 14.707], [0.02, 1.037], [0.81, 19.572]],
      ['CartPole-v1', [72.26, 1.598], [103.79, 2.115], [9.24, 1.0]],
      ['maze-sample-3x3-v0', [1.66, 6.0], [0.0, 0], [0.0, 0]],
    ],
  } as const;

  it.each((['mean', 'best'] as const).flatMap((kind) => significance[kind].map((line) => [kind, ...line] as const)))(
    'agrees with the published tests of the %s reward on %s',
    (kind, env, ...opponents) => {
      const all: readonly PublishedResult[] = [...publishedResults, ...publishedTrainings];
      const of = (fits: (method: string) => boolean): PublishedReward => {
        const found = all.filter((result) => result.env === env && fits(result.method));
        expect(found).toHaveLength(1);
        return found[0]![kind];
      };
      const ours = of((method) => method === 'r2po');
      const others = [
        of((method) => method === 'props'),
        of((method) => method === 'props-plus'),
        of((method) => method.startsWith('sb3/')),
      ];
      for (const [i, [gap, t]] of opponents.entries()) {
        const theirs = others[i]!;
        const difference = ours.mean - theirs.mean;
        // Three numbers that are rounded to two digits each.
        expect(Math.abs(difference - gap)).toBeLessThan(0.0151);
        // Means and deviations are known to a half of their last digit: t lies between the extremes of these.
        const spread = (by: number) =>
          Math.sqrt((Math.max(0, ours.std + by) ** 2 + Math.max(0, theirs.std + by) ** 2) / publishedSettings.runs);
        const extremes = [-0.01, 0.01].flatMap((shift) =>
          [-0.005, 0.005].map((by) => (difference + shift) / Math.max(spread(by), 1e-9)),
        );
        expect(t).toBeGreaterThanOrEqual(Math.min(...extremes) - 0.0005);
        expect(t).toBeLessThanOrEqual(Math.max(...extremes) + 0.0005);
      }
    },
  );

  it('repeats the main runs as the default thresholds, and warns of results that are there', () => {
    expect(publishedThresholds).toHaveLength(6);
    for (const { env, threshold, mean, best, final } of publishedThresholds) {
      const main = publishedResults.find((result) => result.env === env && result.method === 'r2po');
      const said = { mean: main?.mean, best: main?.best, final: main?.final };
      if (main?.threshold === threshold) expect({ mean, best, final }).toEqual(said);
      else expect({ mean, best, final }).not.toEqual(said);
    }
    const all = [...publishedResults, ...publishedTrainings, ...publishedThresholds];
    for (const { envs, methods, text } of publishedWarnings) {
      const warned = all.filter((result) => warningsOf(result).includes(text));
      expect([...new Set(warned.map(({ env }) => env))].sort()).toEqual([...envs].sort());
      expect([...new Set(warned.map(({ method }) => method))].sort()).toEqual([...methods].sort());
    }
  });

  it('is told apart by the threshold of the critic, with its final reward and its warning', () => {
    const told = (threshold: string, method: string, env = 'CartPole-v1') => {
      const folder = runsOf({ method, env }, { method, env });
      for (const run of readdirSync(folder)) {
        appendFileSync(join(folder, run, 'config.yaml'), `critic:\n  conservative_threshold: ${threshold}\n`);
      }
      const [line] = makeReport(findReportRuns([folder]), { ...options, published: true }).published!;
      return [line!.mean?.published?.mean, line!.final?.published?.mean, line!.differences.join('; ')];
    };
    expect(told('240', 'tau-c')).toEqual([446.05, 474.11, expect.not.stringContaining('threshold')]);
    expect(told('null', 'tau-c').slice(0, 2)).toEqual([438.36, 474.19]);
    expect(told('480', 'tau-c')).toEqual([474.67, 497.96, expect.stringMatching(/published: the main runs of R2PO/)]);
    expect(told('1.4', 'tau-c', 'Pong-v0').slice(0, 2)).toEqual([2.51, 2.8]);
    expect(told('300', 'tau-c').slice(0, 2)).toEqual([undefined, undefined]);
    expect(told('240', 'r2po')).toEqual([474.67, 497.96, expect.stringContaining('threshold 240, published 480')]);
    expect(told('0.9', 'props', 'maze-sample-3x3-v0')[2]).toMatch(
      /100 steps.*-1\.11; best SB3 published with 200 steps.*-2\.22$/,
    );
    expect(told('0.9', 'reptraj', 'Swimmer-v5')[2]).toContain('not clipped to the box');
  });

  it('says where the published best lies above what any policy reaches, with ours re-checked beside it', () => {
    const lineOf = (env: string, facts: RunFacts = {}) =>
      makeReport(findReportRuns([runsOf({ env, ...facts }, { env, ...facts })]), { ...options, published: true })
        .published![0]!;
    const lake = lineOf('FrozenLake-v1');
    expect(lake).toMatchObject({ aboveCeiling: true, ceiling: { exact: true } });
    expect(lake.ceiling!.mean).toBeCloseTo(0.740165, 6);
    expect(lake.rechecked).not.toBeNull();
    expect(lake.differences[0]).toMatch(/^the published best 0\.93 lies above 0\.74016, the exact mean return/);
    expect(lineOf('MountainCarContinuous-v0').differences[0]).toMatch(
      /best 98\.75 lies above 89\.5, .* best policy known/,
    );
    for (const env of ['CartPole-v1', 'maze-sample-3x3-v0', 'Swimmer-v5']) {
      expect(lineOf(env).aboveCeiling, env).toBe(false);
      expect(lineOf(env).differences.join(), env).not.toContain('lies above');
    }
    // A network reaches more than a linear policy, but of numbered states not more than a table.
    expect(lineOf('MountainCarContinuous-v0', { isTraining: true }).ceiling).toBeNull();
    expect(lineOf('FrozenLake-v1', { isTraining: true }).ceiling).toEqual(lake.ceiling);
    const short = 'env_options:\n  max_episode_steps: 40\n';
    expect(lineOf('MountainCarContinuous-v0', { settings: short }).ceiling).toBeNull();
    // Larger numbers reach more.
    const wide = 'parameters:\n  low: -20\n  high: 20\n';
    expect(lineOf('MountainCarContinuous-v0', { settings: wide }).ceiling).toBeNull();
    expect(lineOf('FrozenLake-v1', { settings: wide }).ceiling).toEqual(lake.ceiling);
    const { columns, rows } = publishedTable([lake]);
    const titles = columns.map(({ title }) => title);
    expect(titles.slice(3, 7)).toEqual(['re-checked', 'ceiling', 'highest of the search', 'published']);
    expect(rows[0]![4]).toBe('0.74016 (exact)');
  });

  it('has the best SB3 in its table, and final rewards where some were published', () => {
    const titles = (...facts: RunFacts[]) =>
      publishedTable(makeReport(findReportRuns([runsOf(...facts)]), { ...options, published: true }).published!);
    const cartpole = titles({}, {});
    expect(cartpole.rows[0]!.filter((cell) => `${cell}`.startsWith('sb3/'))).toEqual([
      'sb3/trpo 490.76 ± 29.2',
      'sb3/trpo 216.92 ± 63.3',
    ]);
    expect(cartpole.columns.map(({ title }) => title)).toContain('final reward');
    expect(titles({ env: 'Nim-v0' }).columns.map(({ title }) => title)).not.toContain('final reward');
    expect(cartpole.note).toContain('trained for 190 episodes (MountainCar-v0: 380)');
  });
});

describe('tables', () => {
  const nasty = 'a,b "c" 50 % _x_ & {y} \\z | <b>\n$1';
  const table = { columns: [{ title: 'na,me' }, { title: 'n', align: 'right' as const }], rows: [[nasty, null]] };

  it('quote what CSV would take apart', () => {
    expect(csvTable(table)).toBe(`"na,me",n\n"a,b ""c"" 50 % _x_ & {y} \\z | <b>\n$1",\n`);
    expect(csvTable({ columns: table.columns, rows: [['plain', 2.5]] })).toBe('"na,me",n\nplain,2.5\n');
  });

  it('keeps a bracket at the start of a line from the command before it', () => {
    const rows = [['[1, 2]', 3]];
    expect(
      latexTable({ columns: [{ title: '[a]' }, { title: 'b' }], rows })
        .split('\n')
        .slice(2, 5),
    ).toEqual(['{}[a] & b \\\\', '\\midrule', '{}[1, 2] & 3 \\\\']);
  });

  it('escape what LaTeX would take for itself', () => {
    expect(latexText('a_b & 5% #1 {x} ~^ \\ <> $ 1 ± 2')).toBe(
      'a\\_b \\& 5\\% \\#1 \\{x\\} \\textasciitilde{}\\textasciicircum{} \\textbackslash{} \\textless{}\\textgreater{} \\$ 1 $\\pm$ 2',
    );
    expect(latexTable(table)).toContain('\\begin{tabular}{lr}');
  });

  it('show what a name hides, and run nothing', async () => {
    const name = '=a\u0000\u001b]0;b\u202ec\r';
    const one = { columns: [{ title: name }], rows: [[name]] };
    const forms = [csvTable, markdownTable, latexTable, htmlTable].map((write) => write(one));
    const svg = await renderChart({
      ...chartStyle,
      title: { text: name },
      data: { values: [{ x: 1, line: name }] },
      mark: 'point',
      encoding: { x: { field: 'x', type: 'quantitative' }, color: { field: 'line' } },
    });
    for (const text of [...forms, svg]) {
      expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
      expect(text.replaceAll('\\', '')).toContain('=a]0;bc');
    }
    expect(forms[0]).toBe(`"'=a]0;bc "\n"'=a]0;bc "\n`);
    await renderPng(svg);
    expect(textTable(one).split('\n')).toEqual(['=a]0;bc', '=a]0;bc']);
  });

  it('hold names of any length', () => {
    const long = { columns: [{ title: 'a' }], rows: [['a '.repeat(200_000)], ['b'.repeat(200_000)]] };
    const start = process.cpuUsage();
    textTable(long, { width: 80 });
    expect(process.cpuUsage(start).user / 1e6).toBeLessThan(2);
  });

  it('escape what Markdown and HTML would take for themselves', () => {
    const lines = markdownTable(table).split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[2]).toBe('| a,b "c" 50 % \\_x\\_ \\& {y} \\\\z \\| \\<b\\> \\$1 | - |');
    expect(htmlTable(table)).toContain(
      '<td class="long">a,b &quot;c&quot; 50 % _x_ &amp; {y} \\z | &lt;b&gt;\n$1</td>',
    );
    expect(htmlTable(table)).toContain('<td class="right">-</td>');
    const intervals = { columns: [{ title: 'n' }], rows: [['7.5 ± 2 [-1.5e-7, 9]'], ['a [b]']] };
    expect(htmlTable(intervals)).toContain('<td>7.5 ± 2 <small>[-1.5e-7, 9]</small></td>');
    expect(htmlTable(intervals)).toContain('<td>a [b]</td>');
  });
});

describe('r2po report', () => {
  it('prints one JSON document, and leaves tables, curves and a page that needs nothing else', async () => {
    const folder = runsOf({ means: [1, 2, 3] }, { means: [4, 5, 7] }, { method: 'props', means: [2, 2, 9] });
    const out = join(fresh(), 'deep');
    const { code, stdout } = await runCli(['report', folder, '--json', '--out', out]);
    expect(code).toBe(0);
    const { groups, curves } = JSON.parse(stdout);
    expect(groups.map((group: { group: object }) => group.group)).toEqual([
      { env: 'CartPole-v1', method: 'props', model: 'openai/m' },
      { env: 'CartPole-v1', method: 'r2po', model: 'openai/m' },
    ]);
    expect(groups[1].rewards.mean.mean).toBeCloseTo((2 + 16 / 3) / 2, 12);
    expect(curves.map(({ axis }: { axis: string }) => axis)).toEqual(['episodes', 'iterations', 'calls', 'tokens']);
    // What all runs have in common is not said with each line.
    expect(curves[2].lines.map((line: { line: string }) => line.line)).toEqual(['props', 'r2po']);
    expect(readdirSync(out).sort()).toEqual([
      ...['png', 'svg', 'vl.json'].map((end) => `best-episodes.${end}`),
      ...['calls', 'episodes', 'iterations', 'tokens'].flatMap((axis) =>
        ['png', 'svg', 'vl.json'].map((end) => `curves-${axis}.${end}`),
      ),
      'equal-budgets.csv',
      'index.html',
      'report.json',
      'report.md',
      'rewards.csv',
      'rewards.tex',
      'runs.csv',
      ...['png', 'svg', 'vl.json'].map((end) => `runtimes-episodes.${end}`),
      'runtimes.csv',
    ]);
    const page = readFileSync(join(out, 'index.html'), 'utf8');
    expect(page).toContain('<svg');
    expect(page).not.toMatch(/<script|<link|src=(?!"data:)|@import|url\(/);
    expect(readFileSync(join(out, 'report.md'), 'utf8')).not.toContain('offline');
    // Asked for again, the SVG comes out the same.
    const svg = readFileSync(join(out, 'curves-calls.svg'), 'utf8');
    expect(svg).toContain('model calls');
    expect(svg).toContain('model: openai/m');
    expect(await renderChart(JSON.parse(readFileSync(join(out, 'curves-calls.vl.json'), 'utf8')))).toBe(svg);
    expect(Buffer.from(await renderPng(svg)).equals(readFileSync(join(out, 'curves-calls.png')))).toBe(true);
  });

  it('draws the curves that are asked for, and says which runs are not in them', async () => {
    const folder = runsOf({}, { countsCalls: false, status: 'stopped' });
    const asked = await runHere(['report', folder, '--json', '--curves', 'calls,tokens']);
    expect(asked.stderr).toContain('not in the curves against calls: run-1: its metrics.csv does not count calls');
    expect(asked.stderr).not.toContain('against tokens');
    const { curves } = JSON.parse(asked.stdout);
    expect(curves.map(({ axis, left_out }: { axis: string; left_out: object[] }) => [axis, left_out.length])).toEqual([
      ['calls', 1],
      ['tokens', 0],
    ]);
    expect(curves[0].lines[0].steps[0].runs).toBe(1);
    const plain = await runHere(['report', folder, '--json']);
    expect(JSON.parse(plain.stdout).curves.map(({ axis }: { axis: string }) => axis)).toEqual(['episodes']);
    const out = fresh();
    expect((await runHere(['report', folder, '--curves', 'calls', '--out', out])).code).toBe(0);
    expect(readdirSync(out).filter((name) => name.startsWith('curves'))).toHaveLength(3);
    for (const file of ['report.md', 'index.html']) {
      const text = readFileSync(join(out, file), 'utf8');
      expect(text).toContain('run-1: its metrics.csv does not count calls');
      expect(text).toContain('1 of 2 runs are not finished');
    }
  });

  it('says who the offline model is', async () => {
    const folder = runsOf({ kind: 'offline', model: 'offline' }, { kind: 'offline', model: 'offline' });
    const names = await saveReport(fresh(), makeReport(findReportRuns([folder]), options));
    expect(names).toContain('report.md');
    const last = join(root, `case-${folders}`);
    for (const file of ['report.md', 'index.html']) {
      expect(readFileSync(join(last, file), 'utf8')).toContain('not a language model');
    }
  });

  it.each([
    { args: ['--curves', 'calls,episode'], says: 'unknown choice "episode"; did you mean "episodes"?' },
    { args: ['--curves', 'calls,calls'], says: 'expected different axes separated by commas, such as episodes,calls' },
    { args: ['--by', 'env,,method'], says: 'expected different keys separated by commas' },
    { args: ['--by', 'env,env'], says: 'expected different keys separated by commas' },
  ])('refuses $args', async ({ args, says }) => {
    const { code, stderr } = await runHere(['report', runsOf({}), ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(says);
  });

  it('reports on the other runs when one is damaged, and fails at its end', async () => {
    const folder = runsOf({}, {});
    writeFileSync(join(folder, 'run-1', 'summary.json'), '{"status": "finished"');
    const out = fresh();
    const { code, stdout, stderr } = await runHere(['report', folder, '--out', out]);
    expect(code).toBe(1);
    expect(stdout).toContain('CartPole-v1');
    expect(stderr).toMatch(/error: \[report\] .*got 1 part left out: .*run-1: .*; all others are done/);
    expect(readdirSync(out)).toEqual(expect.arrayContaining(['index.html', 'report.md', 'runs.csv']));
    expect((await runHere(['report', join(folder, 'run-0')])).code).toBe(0);
  });

  it('leaves out PNG files when the package for them cannot be loaded, and writes the rest', async () => {
    vi.doMock('@resvg/resvg-js', () => {
      throw new Error('Cannot find native binding');
    });
    const left: string[] = [];
    const report = makeReport(findReportRuns([runsOf({}, {})]), options);
    const names = await saveReport(fresh(), report, ({ path, reason }) => left.push(`${path}: ${reason}`));
    vi.doUnmock('@resvg/resvg-js');
    expect(names).toEqual(expect.arrayContaining(['curves-episodes.svg', 'curves-episodes.vl.json', 'index.html']));
    expect(names.filter((name) => name.endsWith('.png'))).toEqual([]);
    expect(left.join('\n')).toMatch(/^PNG files: expected the package @resvg\/resvg-js/);
  });

  it('says where it cannot write', async () => {
    const file = fresh();
    writeFileSync(file, '');
    const { code, stderr } = await runHere(['report', runsOf({}), '--out', join(file, 'below')]);
    expect(code).toBe(2);
    expect(stderr).toContain('expected a writable folder');
  });
});
