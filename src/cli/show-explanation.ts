/** `r2po report --explain`: numbers with the runs that they are made of. */
import { type Explanation, explainCell, type Input } from '../report/explain/explain.ts';
import type { Report } from '../report/report.ts';
import { left, right, tableOf } from '../report/tables/table.ts';
import type { Io } from './io.ts';

export function showExplanation(report: Report, cell: string, json: boolean, io: Io): void {
  const cells = explainCell(report, cell);
  if (json) {
    io.printJson(cells.length === 1 ? cells[0] : { cell, cells });
    return;
  }
  cells.forEach((one, i) => {
    if (i > 0) io.print('');
    // Numbers of one group often have the same runs.
    const repeats = i > 0 && JSON.stringify(one.inputs) === JSON.stringify(cells[i - 1]!.inputs);
    io.print(explanationText(one, repeats, io));
  });
}

function explanationText({ cell, value, formula, documented, inputs }: Explanation, repeats: boolean, io: Io): string {
  const { page, section } = documented;
  const table = tableOf(inputs, {
    columns: [
      right('value', ({ value: input }: Input) => input),
      left('field', ({ field }) => field),
      left('from', ({ from }) => from),
    ],
  });
  const shown = inputs.length === 0 ? [] : repeats ? ['of the same runs'] : ['', io.table(table)];
  return [
    io.outColors.bold(`${cell} = ${value}`),
    io.wrapped(formula),
    `documented in ${page}, section "${section}"`,
    ...shown,
  ].join('\n');
}
