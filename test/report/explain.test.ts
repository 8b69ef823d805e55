/** `report --explain`: every number of a report leads to its runs, its formula and its documentation. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/base/errors.ts';
import { moments } from '../../src/base/moments.ts';
import { assetPath } from '../../src/base/node/assets.ts';
import { curveAxes } from '../../src/report/curves/average-curves.ts';
import { explainCell } from '../../src/report/explain/explain.ts';
import { sections } from '../../src/report/explain/formulas.ts';
import { type CellPath, cellText, leavesOf, parseCell, resolveCell } from '../../src/report/explain/path.ts';
import { defaultReport, makeReport, reportDocument } from '../../src/report/report.ts';
import { findReportRuns } from '../../src/report/run-records.ts';
import { runCli } from '../support/cli.ts';
import { temporaryFolder } from '../support/experiment.ts';
import { writeRun } from '../support/run-folders.ts';

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true }));

const runs = join(root, 'runs');
for (const [i, means] of [
  [10, 30, 20],
  [14, 25, 40],
  [8, 9, 55],
].entries()) {
  writeRun(join(runs, `r2po-${i}`), {
    method: 'r2po',
    seed: i,
    means,
    rechecked: 21 + i,
    secondsPerIteration: 0.5 + i,
  });
  writeRun(join(runs, `props-${i}`), {
    method: 'props',
    seed: i,
    means: means.map((mean) => mean / 2),
    rechecked: 11 - i,
    secondsPerIteration: 2,
  });
  writeRun(join(runs, `reptraj-${i}`), { method: 'reptraj', seed: i, means, rechecked: 17 });
}
writeRun(join(runs, 'stopped'), { method: 'r2po', seed: 7, status: 'stopped', means: [3], rechecked: null });

const options = { ...defaultReport, axes: curveAxes, published: true };
const report = makeReport(findReportRuns([runs]), options);
const document = reportDocument(report);
const values = (inputs: readonly { readonly value: unknown }[]): number[] =>
  inputs.flatMap(({ value }) => (typeof value === 'number' ? [value] : []));

describe('every number of a report', () => {
  const leaves = leavesOf(document);

  it('is explained, with a section of the documentation that exists', () => {
    expect(leaves.length).toBeGreaterThan(1000);
    const documented = new Set<string>();
    for (const { path, value } of leaves) {
      const [one, ...others] = explainCell(report, cellText(path));
      expect(others).toEqual([]);
      expect(one!.value).toBe(value);
      expect(one!.formula, cellText(path)).not.toBe('');
      documented.add(`${one!.documented.page}#${one!.documented.section}`);
    }
    const known = Object.values(sections).map(({ page, section }) => `${page}#${section}`);
    expect([...documented].sort()).toEqual(known.sort());
    for (const { page, section } of Object.values(sections)) {
      const headings = readFileSync(assetPath(page), 'utf8').match(/^## .*$/gm)!;
      expect(headings).toContain(`## ${section}`);
    }
  });

  it('is what its formula makes of the values of its runs', () => {
    document.groups.forEach((_, g) => {
      for (const kind of ['mean', 'best', 'final', 'rechecked']) {
        const of = (part: string) => explainCell(report, `groups[${g}].rewards.${kind}.${part}`)[0]!;
        const inputs = values(of('mean').inputs);
        expect(of('mean').value).toBe(moments(inputs).mean);
        expect(of('std').value).toBe(Math.sqrt(moments(inputs).variance));
        expect(of('runs').value).toBe(inputs.length);
        expect(of('max').value).toBe(Math.max(...inputs));
      }
    });
    document.curves.forEach(({ lines }, c) => {
      lines.forEach(({ steps }, l) => {
        for (const s of [0, Math.floor(steps.length / 2), steps.length - 1]) {
          const [mean] = explainCell(report, `curves[${c}].lines[${l}].steps[${s}].mean`);
          expect(mean!.value).toBe(moments(values(mean!.inputs)).mean);
        }
      });
    });
    document.anytime.forEach(({ panels }, a) => {
      panels.forEach(({ targets, lines }, p) => {
        lines.forEach((line, l) => {
          const of = (part: string) => explainCell(report, `anytime[${a}].panels[${p}].lines[${l}].${part}`)[0]!;
          if (line.at[3] !== null) expect(of('at[3].mean').value).toBe(moments(values(of('at[3].mean').inputs)).mean);
          // A run that has ended no iteration by then has reached nothing.
          const best = of('solved').inputs.map(({ value }) =>
            value === null ? Number.NEGATIVE_INFINITY : Number(value),
          );
          const all = Array.from(
            { length: targets.count },
            (_, i) => targets.low + ((targets.high - targets.low) * (i + 1)) / targets.count,
          );
          const solved = best.map((value) => all.filter((target) => target <= value).length);
          expect(line.solved).toBeCloseTo(moments(solved).mean / targets.count, 12);
        });
      });
    });
    const difference = explainCell(report, 'comparison.lines[0].difference')[0]!;
    const inputs = values(difference.inputs);
    const [own, other] = [inputs.slice(0, 3), inputs.slice(3)].map((list) => moments(list).mean);
    expect(difference.value).toBe(own! - other!);
  });

  it('names a run that has no such value', () => {
    const [mean] = explainCell(report, 'r2po:rechecked');
    expect(mean!.inputs).toContainEqual({
      from: join(runs, 'stopped'),
      field: 'summary.json: best.rechecked.mean',
      value: null,
    });
  });
});

describe('a cell', () => {
  it('reads back as it is written, whatever its keys', () => {
    const key = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('mean', 'ci95', 'openai/gpt-5', '0'));
    const path = fc.array(fc.oneof(key, fc.nat(9999)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(path, (cell: CellPath) => {
        expect(parseCell(cellText(cell))).toEqual(cell);
      }),
    );
  });

  it('that is none is a usage error, whatever the text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          explainCell(report, text);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
    );
  });

  it.each([
    ['groups[0].rewards.men', 'did you mean "mean"?'],
    ['groups[9].rewards', 'groups[0 ... 2]'],
    ['curves', 'up to 60 numbers'],
    ['by', 'which has none'],
    ['nobody:best', 'CartPole-v1,props,openai/m'],
    ['groups[0', 'expected a path'],
  ])('%s is refused with what it could be', (cell, words) => {
    expect(() => explainCell(report, cell)).toThrow(words);
  });

  it('above several numbers explains each', () => {
    expect(explainCell(report, 'groups[1].rewards.best').map(({ cell }) => cell)).toContain(
      'groups[1].rewards.best.ci95[1]',
    );
  });
});

it('the command prints the runs, and with --json one document', async () => {
  const text = await runCli(['report', runs, '--explain', 'props:best'], { env: { NO_COLOR: '1' } });
  expect(text.stdout).toMatch(/^groups\[0\]\.rewards\.best\.mean = 20\.8333/);
  expect(text.stdout).toContain(join(runs, 'props-2'));
  expect(text.stdout).toContain('section "Rewards"');
  const json = await runCli(['report', runs, '--explain', 'groups[0].rewards.best.std', '--json']);
  expect(resolveCell(JSON.parse(json.stdout), ['inputs', 2, 'value'])).toBe(27.5);
});
