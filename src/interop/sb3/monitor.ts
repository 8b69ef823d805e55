/**
 * The monitor files of Stable-Baselines3: a line of JSON after `#`, a line of column names, and a row per training
 * episode with its return `r`, its length `l` and the seconds `t` since the start. A file that was appended to repeats
 * the first two lines, or continues with `t` from 0. Files are untrusted and may be large, so they are streamed.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { openRegular } from '../../base/node/read-file.ts';
import { cannotRead, Damaged, type FileProblem, LineCutter, quoted } from '../reference/files.ts';
import { readNumber } from '../reference/text.ts';

export interface TrainingEpisode {
  readonly return: number;
  /** steps */
  readonly length: number;
  /** end time, s since 1970 */
  readonly time: number;
}

const maxProblems = 20;
const maxJoinedLines = 64;
const maxEpisodeLength = 1e9;
/** Beyond it, sums of squares overflow. */
const maxReturn = 1e100;
/** Beyond any correct clock, s since 1970. */
const maxTime = 1e11;

/** The cells of a row according to RFC 4180; null when a quote stays open. */
export function cellsOf(row: string): string[] | null {
  if (!row.includes('"')) return row.split(',');
  const cells: string[] = [];
  let cell = '';
  let quoted = false;
  for (let i = 0; i < row.length; i++) {
    const c = row[i];
    if (quoted) {
      if (c !== '"') cell += c;
      else if (row[i + 1] === '"') {
        cell += '"';
        i += 1;
      } else quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === ',') {
      cells.push(cell);
      cell = '';
    } else cell += c;
  }
  return quoted ? null : [...cells, cell];
}

interface Columns {
  readonly count: number;
  readonly r: number;
  readonly l: number;
  readonly t: number;
}

/** Parses the lines of one file, passes on its episodes in order, and collects invalid lines. */
export class MonitorParser {
  /** null: not in a header */
  envId: string | null = null;
  /** first start time in a header, s since 1970 */
  start: number | null = null;
  /** the last line has no line break: its writer was stopped */
  breaksOff = false;
  /** number of times the file was appended to */
  resumed = 0;
  private readonly onEpisode: (episode: TrainingEpisode) => void;
  private readonly found: FileProblem[] = [];
  private wrong = 0;
  private columns: Columns | null = null;
  /** origin of `t`, s since 1970 */
  private timeOrigin: number;
  private lastT = 0;
  private lastTime = 0;
  private episodes = 0;
  private ended = false;
  /** start of a row whose quoted cell spans lines */
  private open: { readonly text: string; readonly number: number; readonly lines: number } | null = null;

  /** `timeOrigin`: time origin of a file without a header, s since 1970 */
  constructor(origin: number, onEpisode: (episode: TrainingEpisode) => void) {
    this.timeOrigin = origin;
    this.onEpisode = onEpisode;
  }

  get hasEpisodes(): boolean {
    return this.episodes > 0;
  }

  get problems(): readonly FileProblem[] {
    const more = this.wrong - this.found.length;
    // Of a file that could not be read to its end, the reason is enough.
    const isEmpty = this.ended && this.episodes === 0 && this.wrong === 0;
    const none = isEmpty ? [{ expected: 'rows of episodes', found: 'none' }] : [];
    return [
      ...this.found,
      ...(more > 0 ? [{ expected: 'rows of episodes', found: `${more} more invalid lines` }] : []),
      ...none,
    ];
  }

  line(text: string, number: number, whole: boolean): void {
    if (!whole) {
      this.breaksOff = true;
      this.refuse('a whole line', number, text);
      return;
    }
    if (this.open) {
      const { open } = this;
      this.open = null;
      this.row(`${open.text}\n${text}`, open.number, open.lines + 1);
    } else if (text.startsWith('#')) this.header(text.slice(1), number);
    else if (text.trim() !== '') this.row(text, number, 1);
  }

  end(): void {
    if (this.open) this.refuse('the end of a quoted cell', this.open.number, this.open.text);
    this.open = null;
    this.ended = true;
  }

  private refuse(expected: string, number: number, text: string): void {
    this.wrong += 1;
    if (this.found.length < maxProblems) {
      this.found.push({ expected: `${expected} in line ${number}`, found: quoted(text) });
    }
  }

  private header(json: string, number: number): void {
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch {
      this.refuse('JSON after "#"', number, json);
      return;
    }
    const { t_start: start, env_id: id } = (typeof value === 'object' && value !== null ? value : {}) as {
      t_start?: unknown;
      env_id?: unknown;
    };
    // A wrapper without an environment id writes null or None.
    if (typeof id === 'string' && id !== '' && id !== 'None') this.envId ??= id;
    if (this.episodes > 0) this.resumed += 1;
    this.lastT = 0;
    if (typeof start !== 'number' || start < 0 || start > maxTime) {
      this.refuse('a number "t_start"', number, json);
      this.timeOrigin = Math.max(this.timeOrigin, this.lastTime);
      return;
    }
    this.start ??= start;
    this.timeOrigin = start;
  }

  private row(text: string, number: number, lines: number): void {
    const cells = cellsOf(text);
    if (cells === null) {
      if (lines < maxJoinedLines) this.open = { text, number, lines };
      else this.refuse(`a quoted cell of fewer than ${maxJoinedLines} lines`, number, text);
      return;
    }
    const names = cells.map((cell) => cell.trim());
    const [r, l, t] = [names.indexOf('r'), names.indexOf('l'), names.indexOf('t')] as const;
    if (r >= 0 && l >= 0 && t >= 0) {
      this.columns = { count: cells.length, r, l, t };
      return;
    }
    const { columns } = this;
    if (columns === null) {
      this.refuse('the columns r, l and t', number, text);
      return;
    }
    const value = readNumber(cells[columns.r] ?? '');
    const length = readNumber(cells[columns.l] ?? '');
    const seconds = readNumber(cells[columns.t] ?? '');
    const fits =
      cells.length === columns.count &&
      length !== null &&
      Number.isSafeInteger(length) &&
      length >= 1 &&
      length <= maxEpisodeLength &&
      seconds !== null &&
      seconds >= 0 &&
      seconds <= maxTime;
    if (!fits || value === null || Math.abs(value) > maxReturn) {
      this.refuse(`${columns.count} cells with a return, a length and a time`, number, text);
      return;
    }
    // The file was appended to without a header; only the clock shows it.
    if (seconds < this.lastT) {
      this.resumed += 1;
      this.timeOrigin = this.lastTime;
    }
    this.lastT = seconds;
    this.lastTime = Math.max(this.lastTime, this.timeOrigin + seconds);
    this.episodes += 1;
    this.onEpisode({ return: value, length, time: this.lastTime });
  }
}

/** One file, read only as far as its episodes are taken. */
export class MonitorFile {
  readonly path: string;
  readonly parser: MonitorParser;
  private readonly digest = createHash('sha256');
  private chunks: AsyncIterator<Buffer> | null = null;
  private readonly cutter: LineCutter;
  private queue: TrainingEpisode[] = [];
  private taken = 0;
  private ended = false;
  private damage: FileProblem | null = null;

  /** `timeOrigin`: as in the parser */
  constructor(path: string, origin: number) {
    this.path = path;
    this.parser = new MonitorParser(origin, (episode) => this.queue.push(episode));
    this.cutter = new LineCutter((line, number, whole) => this.parser.line(line, number, whole));
  }

  /** The next episode already read; see `fill`. */
  get next(): TrainingEpisode | undefined {
    return this.queue[this.taken];
  }

  take(): void {
    this.taken += 1;
  }

  /** Reads until there is a next episode, or the file ends. */
  async fill(): Promise<void> {
    while (this.taken === this.queue.length && !this.ended) {
      this.queue = [];
      this.taken = 0;
      try {
        // Opened here and not earlier, so that an error of opening is reported.
        this.chunks ??= (createReadStream(this.path, { fd: openRegular(this.path) }) as AsyncIterable<Buffer>)[
          Symbol.asyncIterator
        ]();
        const { value, done } = await this.chunks.next();
        if (done) {
          this.ended = true;
          if (this.damage === null) this.cutter.end();
          this.parser.end();
        } else {
          this.digest.update(value);
          // The digest includes the rest of a damaged file.
          if (this.damage === null) this.cutter.push(value);
        }
      } catch (error) {
        if (error instanceof Damaged) this.damage = { expected: error.expected, found: error.found };
        else {
          this.damage = { expected: 'a readable file', found: cannotRead(error) };
          this.ended = true;
        }
      }
    }
  }

  /** lines that were left out, so far */
  get problems(): readonly FileProblem[] {
    return this.parser.problems;
  }

  /** why the rest of the file was not read; null: it was */
  get damaged(): FileProblem | null {
    return this.damage;
  }

  /** of what was read so far */
  get digestSoFar(): string {
    return this.digest.copy().digest('hex');
  }

  async close(): Promise<void> {
    await this.chunks?.return?.();
  }
}

/**
 * Merges the episodes of several files by end time, since they are parallel environments of one training. Stops when
 * `use` returns false.
 */
export async function eachEpisode(
  files: readonly MonitorFile[],
  use: (episode: TrainingEpisode) => boolean,
): Promise<void> {
  for (;;) {
    let first: MonitorFile | null = null;
    for (const file of files) {
      if (file.next === undefined) await file.fill();
      if (file.next && (!first?.next || file.next.time < first.next.time)) first = file;
    }
    if (!first?.next) return;
    const { next } = first;
    first.take();
    if (!use(next)) return;
  }
}
