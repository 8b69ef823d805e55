/** Lines of CSV files. */
import { inertText } from './printable.ts';

export type CsvCell = string | number | null;

/** RFC 4180: a cell with a separator, a quote or a line break is quoted; a missing value is an empty cell. */
export function csvLine(cells: readonly CsvCell[]): string {
  const text = (cell: CsvCell): string => {
    const plain = cell === null ? '' : String(cell);
    // Spreadsheets of some countries separate cells by semicolons.
    return /[",;\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
  };
  return `${cells.map(text).join(',')}\n`;
}

/** Text that a spreadsheet reads as a formula, also after blanks. */
const FORMULA = /^(?:[\t\r]| *[=+@\uff1d\uff0b\uff20\uff0d-])/;
const number = '[-+]?(?:\\d+(?:\\.\\d*)?|\\.\\d+|Infinity)(?:[eE][-+]?\\d+)?';
/** A number, maybe with its spread, interval or percent sign. */
const NUMBERS = new RegExp(`^${number}(?: ± ${number})?(?: \\[${number}, ${number}\\])?(?: ?%)?$`);

/**
 * A line that a spreadsheet shows without running formulas: a text that begins like a formula gets a `'` before it, as
 * OWASP advises. Numbers stay numbers.
 */
export function inertCsvLine(cells: readonly CsvCell[]): string {
  return csvLine(
    cells.map((cell) => {
      if (typeof cell !== 'string') return cell;
      return `${FORMULA.test(cell) && !NUMBERS.test(cell) ? "'" : ''}${inertText(cell)}`;
    }),
  );
}
