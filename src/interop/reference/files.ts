/**
 * Reads the reference's files. Logs are untrusted and may be large: files that grow with the episodes are read line by
 * line, and problems are returned, never thrown.
 */
import type { Hash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, type WriteStream } from 'node:fs';
import { TextDecoder } from 'node:util';
import { faultWords } from '../../base/machine-fault.ts';
import { openRegular, readRegular } from '../../base/node/read-file.ts';
import type { LoggedTotals } from '../../runs/journal/events.ts';
import { readNumber } from './text.ts';

/** The expected and the found content of a damaged file. */
export interface FileProblem {
  readonly expected: string;
  readonly found: string;
}

const maxLineBytes = 2 ** 20;
const maxTextBytes = 8 * 2 ** 20;
/** Maximum rollouts of one evaluation; the reference plays 20. */
export const maxRollouts = 10_000;
const maxIterations = 100_000;
const newline = 0x0a;

/** An excerpt for a message. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}

export function cannotRead(error: unknown): string {
  return faultWords(error);
}

/** Thrown by a line reader to stop reading its file. */
export class Damaged extends Error {
  readonly expected: string;
  readonly found: string;
  constructor(expected: string, found: string) {
    super(`expected ${expected}, got ${found}`);
    this.expected = expected;
    this.found = found;
  }
}

/** Further receivers of a file's bytes. */
export interface Tee {
  readonly digest: Hash;
  readonly copy?: Pick<WriteStream, 'write'> & NodeJS.EventEmitter;
}

/**
 * Splits bytes into lines and passes them on with their numbers, from 1. Throws `Damaged` for bytes that are not text.
 */
export class LineCutter {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  private readonly onLine: (line: string, number: number, whole: boolean) => void;
  private rest: Buffer = Buffer.alloc(0);
  private number = 0;

  /** `whole` is false for a last line without a line break */
  constructor(onLine: (line: string, number: number, whole: boolean) => void) {
    this.onLine = onLine;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const line = chunk.subarray(start, end);
      const { rest } = this;
      this.rest = Buffer.alloc(0);
      this.take(rest.length === 0 ? line : Buffer.concat([rest, line]), true);
      start = end + 1;
    }
    this.rest =
      this.rest.length === 0 ? Buffer.from(chunk.subarray(start)) : Buffer.concat([this.rest, chunk.subarray(start)]);
    if (this.rest.length > maxLineBytes) throw new Damaged(`lines of at most ${maxLineBytes} bytes`, 'a longer one');
  }

  end(): void {
    if (this.rest.length > 0) this.take(this.rest, false);
  }

  private take(bytes: Buffer, whole: boolean): void {
    this.number += 1;
    const { number } = this;
    let line: string;
    try {
      line = this.decoder.decode(bytes);
    } catch {
      throw new Damaged(`UTF-8 text in line ${number}`, 'other bytes');
    }
    if (line.includes('\0')) throw new Damaged(`text in line ${number}`, 'binary data');
    this.onLine(line.endsWith('\r') ? line.slice(0, -1) : line, number, whole);
  }
}

/** Calls `onLine` with each line and its number, from 1. `whole` is false for a last line without a line break. */
async function eachLine(
  path: string,
  { digest, copy }: Tee,
  onLine: (line: string, number: number, whole: boolean) => void,
): Promise<FileProblem | null> {
  const cutter = new LineCutter(onLine);
  try {
    let failure: Damaged | null = null;
    for await (const chunk of createReadStream(path, { fd: openRegular(path) }) as AsyncIterable<Buffer>) {
      digest.update(chunk);
      if (copy && !copy.write(chunk)) await once(copy, 'drain');
      // The digest and the copy include the rest of a damaged file.
      if (failure) continue;
      try {
        cutter.push(chunk);
      } catch (error) {
        if (!(error instanceof Damaged)) throw error;
        failure = error;
      }
    }
    if (failure) throw failure;
    cutter.end();
    return null;
  } catch (error) {
    if (error instanceof Damaged) return { expected: error.expected, found: error.found };
    return { expected: 'a readable file', found: cannotRead(error) };
  }
}

/** A text whose every line ends as on Windows, where Python writes its text files so, with the line breaks of the others. */
function plainBreaks(text: string): string {
  return /(?:^|[^\r])\n/.test(text) ? text : text.replaceAll('\r\n', '\n');
}

/** Reads a whole text file. */
export async function readText(path: string, digest: Hash): Promise<{ readonly text: string } | FileProblem> {
  try {
    const bytes = readRegular(path, maxTextBytes);
    digest.update(bytes);
    if (bytes.includes(0)) return { expected: 'text', found: 'binary data' };
    return { text: plainBreaks(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch (error) {
    return { expected: 'a readable UTF-8 text', found: cannotRead(error) };
  }
}

export interface Rollouts {
  /** parameters of the first rollout; null in logs of tabular policies, which contain none */
  readonly params: readonly number[] | null;
  readonly returns: readonly number[];
  /** steps */
  readonly lengths: readonly number[];
}

const columnHeader = 'state | action | reward';
const totalPrefix = 'Total reward:';

/** Reads a rollout file. On a problem, also returns the complete rollouts before it. */
export async function readRollouts(
  path: string,
  tee: Tee,
): Promise<{ readonly rollouts: Rollouts; readonly problem: FileProblem | null }> {
  let params: number[] | null = null;
  const returns: number[] = [];
  const lengths: number[] = [];
  let steps = -1;
  let before: { readonly text: string; readonly number: number } | null = null;
  const flush = () => {
    if (before) throw new Damaged(`rollouts in line ${before.number}`, quoted(before.text));
  };
  const problem = await eachLine(path, tee, (line, number, whole) => {
    if (line.trim() === '') return;
    if (steps < 0) {
      if (line.trim() === 'parameter ends' && before) {
        const values = before.text.split(',').map(readNumber);
        if (values.includes(null)) throw new Damaged(`parameters in line ${before.number}`, quoted(before.text));
        params ??= values as number[];
        before = null;
        return;
      }
      flush();
      if (line.trim() === columnHeader) steps = 0;
      else before = { text: line, number };
      return;
    }
    if (line.startsWith(totalPrefix)) {
      const value = whole ? readNumber(line.slice(totalPrefix.length)) : null;
      if (value === null) throw new Damaged(`a whole line with a total reward in line ${number}`, quoted(line));
      if (returns.length === maxRollouts) throw new Damaged(`at most ${maxRollouts} rollouts`, 'more of them');
      returns.push(value);
      lengths.push(steps);
      steps = -1;
      return;
    }
    // By position: a pattern would rescan a long line of spaces.
    const bar = line.lastIndexOf('|');
    const reward = bar < 0 ? undefined : line.slice(bar + 1).replace(/^ +/, '');
    // Long arrays are printed on several lines.
    if (reward !== undefined && readNumber(reward) !== null) steps += 1;
    else if (!line.includes('[') && !line.includes(']')) {
      throw new Damaged(`"${columnHeader}" or "${totalPrefix} ..." in line ${number}`, quoted(line));
    }
  });
  const unfinished =
    steps >= 0 || before !== null
      ? { expected: `"${totalPrefix} ..." at the end`, found: 'an incomplete rollout' }
      : null;
  const none = returns.length === 0 ? { expected: 'rollouts', found: 'none' } : null;
  return { rollouts: { params, returns, lengths }, problem: problem ?? unfinished ?? none };
}

/** The rows of the overall log by iteration, from 1, and the problems of other lines. */
export async function readOverallLog(
  path: string,
  digest: Hash,
): Promise<{ readonly rows: ReadonlyMap<number, LoggedTotals>; readonly problems: readonly FileProblem[] }> {
  const rows = new Map<number, LoggedTotals>();
  const problems: FileProblem[] = [];
  let wrong = 0;
  const problem = await eachLine(path, { digest }, (line, number, whole) => {
    if (line.trim() === '' || line.startsWith('Iteration')) return;
    const values = line.split(',').map(readNumber);
    const [iteration, cpu_s, api_s, episodes, steps, reward] = values as number[];
    const counts = [iteration, episodes, steps];
    const fits =
      whole &&
      values.length === 6 &&
      !values.includes(null) &&
      counts.every((n) => Number.isSafeInteger(n) && n! >= 0) &&
      iteration! >= 1 &&
      iteration! < 1e9;
    if (!fits) {
      wrong += 1;
      if (wrong <= 20) problems.push({ expected: `a whole row of six numbers in line ${number}`, found: quoted(line) });
      return;
    }
    if (rows.size === maxIterations) throw new Damaged(`at most ${maxIterations} iterations`, 'more of them');
    rows.set(iteration!, { cpu_s: cpu_s!, api_s: api_s!, episodes: episodes!, steps: steps!, reward: reward! });
  });
  if (wrong > 20) problems.push({ expected: 'rows of six numbers', found: `${wrong - 20} more invalid lines` });
  if (problem) problems.push(problem);
  if (rows.size === 0 && problems.length === 0) problems.push({ expected: 'rows of iterations', found: 'none' });
  return { rows, problems };
}
