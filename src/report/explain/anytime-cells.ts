/** Follows a number of the comparison at equal budgets to its runs. */
import type { AnytimeAxis, AnytimePanel } from '../anytime/anytime.ts';
import { type BudgetAxis, bestAt, type Course, lastX } from '../anytime/course.ts';
import { ceilingSource } from '../published/ceilings.ts';
import type { Report } from '../report.ts';
import type { Explained, Input } from './explain.ts';
import { anytimeFormulas, comparisonFormulas, sections, spreadFormulas } from './formulas.ts';
import { type CellPath, isNumber, nameOf } from './path.ts';

const columns: Readonly<Record<BudgetAxis, string>> = {
  episodes: 'metrics.csv: episodes',
  time: 'metrics.csv: wall_s',
  cost: 'events.jsonl: cost of the calls so far, USD',
};

const documented = sections.anytime;

const bestInputs = (axis: BudgetAxis, courses: readonly Course[], x: number): Input[] =>
  courses.map((course) => ({
    from: course.run.folder,
    field: `metrics.csv: best at ${columns[axis].replace(/^.*?: /, '')} <= ${x}`,
    value: bestAt(course, x),
  }));

const coursesOf = ({ lines }: Pick<AnytimePanel, 'lines'>): Course[] => lines.flatMap(({ courses }) => [...courses]);

function panelCell({ axis }: AnytimeAxis, panel: AnytimePanel, path: CellPath): Explained | null {
  const [part, index, ...rest] = path;
  const formula = anytimeFormulas[nameOf(path)];
  switch (part) {
    case 'budget':
    case 'budgets':
      return formula === undefined
        ? null
        : {
            formula,
            documented,
            inputs: coursesOf(panel).map((course) => ({
              from: course.run.folder,
              field: columns[axis],
              value: lastX(course),
            })),
          };
    case 'targets':
      return formula === undefined
        ? null
        : {
            formula,
            documented,
            inputs: coursesOf(panel).map(({ run, points }) => ({
              from: run.folder,
              field: 'metrics.csv: first best',
              value: points[0]!.best,
            })),
          };
    case 'ceiling':
      return { formula: `the ceiling of the environment: ${ceilingSource}`, documented, inputs: [] };
    case 'lines':
      return isNumber(index) ? lineCell(axis, panel, index, rest) : null;
    default:
      return null;
  }
}

function lineCell(
  axis: BudgetAxis,
  panel: AnytimePanel,
  index: number,
  [part, at, ...rest]: CellPath,
): Explained | null {
  const line = panel.lines[index];
  if (!line) return null;
  if (part === 'solved') {
    const inputs = bestInputs(axis, line.courses, panel.budget);
    return { formula: `${anytimeFormulas.share!}; at the equal budget`, documented, inputs };
  }
  if (!isNumber(at)) return null;
  const field = nameOf(rest);
  const isSpread = part === 'at';
  const x = isSpread ? line.at[at]?.budget : part === 'curve' ? line.curve[at]?.x : line.runtimes[at]?.x;
  const formula = anytimeFormulas[field] ?? (isSpread ? spreadFormulas[field] : undefined);
  if (x === undefined || formula === undefined) return null;
  return { formula, documented, inputs: bestInputs(axis, line.courses, x) };
}

function pooledCell({ axis, panels, pooled }: AnytimeAxis, [index, , step, ...rest]: CellPath): Explained | null {
  const line = isNumber(index) ? pooled[index] : undefined;
  const point = isNumber(step) ? line?.runtimes[step] : undefined;
  const formula = anytimeFormulas[nameOf(rest)];
  if (!line || !point || formula === undefined) return null;
  const courses = panels.flatMap(({ lines }) => coursesOf({ lines: lines.filter((one) => one.line === line.line) }));
  return { formula: `${formula}; of all environments`, documented, inputs: bestInputs(axis, courses, point.x) };
}

function comparisonCell(
  { axis, panels, comparison }: AnytimeAxis,
  [, index, ...rest]: CellPath,
  by: readonly string[],
) {
  const compared = isNumber(index) ? comparison?.lines[index] : undefined;
  const formula = comparisonFormulas[nameOf(rest)];
  if (!comparison || !compared || formula === undefined) return null;
  const methodAt = by.indexOf('method');
  const [env] = compared.setting;
  const inputs = panels.flatMap((panel) =>
    panel.lines
      .filter(({ group: { values } }) => {
        const isOfPair = values[methodAt] === comparison.method || values[methodAt] === compared.other;
        return isOfPair && (by[0] !== 'env' || values[0] === env);
      })
      .flatMap(({ courses }) => bestInputs(axis, courses, panel.budget)),
  );
  const note = 'the value of a run is its best so far at the equal budget';
  return { formula: `${formula}; ${comparison.method} compared with ${compared.other}; ${note}`, documented, inputs };
}

export function anytimeCell({ anytime, by }: Report, [at, part, ...rest]: CellPath): Explained | null {
  const axis = isNumber(at) ? anytime[at] : undefined;
  if (!axis) return null;
  if (part === 'comparison') return comparisonCell(axis, rest, by);
  if (part === 'pooled') return pooledCell(axis, rest);
  const [index, ...inner] = rest;
  const panel = part === 'panels' && isNumber(index) ? axis.panels[index] : undefined;
  return panel ? panelCell(axis, panel, inner) : null;
}
