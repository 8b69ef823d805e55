/**
 * The two output streams of a command. Results go to stdout, so that they can be piped; progress, notes, warnings and
 * errors go to stderr.
 */
import pc from 'picocolors';
import { printable, visibleJson } from '../base/printable.ts';
import { maskLongSecrets } from '../base/secrets.ts';
import { type Table, textTable, textWidth, withoutColors, wrappedText } from '../report/tables/table.ts';

export type Colors = ReturnType<typeof pc.createColors>;

/** The part of `process.stdout` and `process.stderr` that is used. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export interface Io {
  /** set by `--quiet`: drops notes and status lines; warnings and errors stay */
  quiet: boolean;
  /** colours for text on stdout; identity functions when colour is off */
  readonly outColors: Colors;
  /** colours for text on stderr */
  readonly errColors: Colors;
  /** stderr is a terminal whose lines can be redrawn; false in CI, so that logs stay readable */
  readonly live: boolean;
  /** characters of a line and lines of the terminal of stderr */
  room(): { readonly width: number; readonly height: number };
  /** a table as text for stdout, fitted to the width of a terminal */
  table(table: Pick<Table, 'columns' | 'rows'>): string;
  /** the same below its title and its note */
  titledTable(table: Table): string;
  /** a text for stdout in lines of the width of a terminal, broken between words */
  wrapped(text: string): string;
  /** a result: text on stdout, a line break is added */
  print(text: string): void;
  /** the result with `--json`: one document on stdout */
  printJson(document: unknown): void;
  /** a line on stderr; nothing with `--quiet` */
  note(text: string): void;
  /** `warning: ...` on stderr, with `--quiet` too */
  warn(text: string): void;
  /** `error: ...` on stderr */
  error(text: string): void;
  /** Lines at the bottom of the terminal, replaced by the next ones; null removes them. Nothing where `live` is false. */
  status(text: string | null): void;
}

function colorsFor(stream: OutputStream, env: NodeJS.ProcessEnv): Colors {
  const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  return pc.createColors(!env.NO_COLOR && (forced || (stream.isTTY === true && env.TERM !== 'dumb')));
}

/** Characters and lines of a terminal. One that does not know them, such as that of a recording, says 0. */
function roomOf({ columns, rows }: OutputStream): { width: number; height: number } {
  return { width: columns || 80, height: rows || 24 };
}

/** Characters of a line of stdout: COLUMNS, else those of the terminal; null: a pipe or a file, whose lines stay whole. */
function widthOf(stdout: OutputStream, { COLUMNS }: NodeJS.ProcessEnv): number | null {
  if (COLUMNS !== undefined && /^[1-9]\d{0,4}$/.test(COLUMNS)) return Number(COLUMNS);
  return stdout.isTTY === true ? stdout.columns || null : null;
}

export function createIo(stdout: OutputStream, stderr: OutputStream, env: NodeJS.ProcessEnv): Io {
  const live = stderr.isTTY === true && env.TERM !== 'dumb' && !env.CI;
  const outColors = colorsFor(stdout, env);
  const errColors = colorsFor(stderr, env);
  const width = widthOf(stdout, env);
  let status: string | null = null;
  /** lines on the terminal now */
  let drawn = 0;
  const drawStatus = () => {
    if (status === null) return;
    // Lines that have scrolled off cannot be cleared.
    const { width: columns, height } = roomOf(stderr);
    const lines = status.split('\n').slice(0, Math.max(1, height - 1));
    stderr.write(lines.map((text) => clip(text, columns - 1)).join('\n'));
    drawn = lines.length;
  };
  const clearStatus = () => {
    if (drawn === 0) return;
    stderr.write(`\r${drawn > 1 ? `\x1b[${drawn - 1}A` : ''}\x1b[J`);
    drawn = 0;
  };
  /** Writes a whole line above the status lines. */
  const line = (stream: OutputStream, text: string) => {
    clearStatus();
    stream.write(`${maskLongSecrets(printable(text))}\n`);
    drawStatus();
  };
  const io: Io = {
    quiet: false,
    outColors,
    errColors,
    live,
    room: () => roomOf(stderr),
    table: (table) => textTable(table, { width, bold: outColors.bold }),
    titledTable: (table) =>
      [
        outColors.bold(wrappedText(table.title, width)),
        ...(table.note === '' ? [] : [wrappedText(table.note, width)]),
        '',
        io.table(table),
      ].join('\n'),
    wrapped: (text) => wrappedText(text, width),
    print: (text) => line(stdout, text),
    printJson: (document) => line(stdout, visibleJson(JSON.stringify(document, null, 2))),
    note: (text) => {
      if (!io.quiet) line(stderr, text);
    },
    warn: (text) => line(stderr, `${errColors.yellow('warning:')} ${text}`),
    error: (text) => line(stderr, `${errColors.red('error:')} ${text}`),
    status: (text) => {
      if (!live || io.quiet) return;
      clearStatus();
      status = text;
      drawStatus();
    },
  };
  return io;
}

/** A status line that wraps cannot be redrawn; a cut line loses its colours. */
function clip(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  return `${[...withoutColors(text)].slice(0, Math.max(0, columns - 1)).join('')}…`;
}
