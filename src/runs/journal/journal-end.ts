/** What is known of a journal without an understanding of its events: how it ends, and whether its digests hold. */
import { closeSync, fstatSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, UsageError } from '../../base/errors.ts';
import { faultWords } from '../../base/machine-fault.ts';
import { openRegular } from '../../base/node/read-file.ts';
import { bytesDigest } from '../../llm/text-digest.ts';
import { eventsName, linesOf, parseLine, partsOf } from './journal.ts';

type Line = Readonly<Record<string, unknown>>;

export interface JournalEnd {
  /** `seq` of the last event + 1 */
  readonly events: number;
  /** of the last whole line */
  readonly digest: string;
  /** of the last event */
  readonly type: string;
  /** whether lines have digests of those before them */
  readonly chained: boolean;
  /** the last events, in their order */
  readonly last: readonly Line[];
}

/** Bytes from the end of a journal that are read: a re-check and the end of a run. */
const endSize = 8192;

/** The whole lines in the last bytes of a file; more bytes are read until there is one. */
function lastLines(fd: number, size: number): Buffer[] {
  for (let wanted = endSize; ; wanted *= 8) {
    const start = Math.max(0, size - wanted);
    const text = Buffer.concat([...partsOf(fd, start, size)]);
    const lines: Buffer[] = [];
    let from = start === 0 ? 0 : text.indexOf('\n') + 1;
    for (let stop = text.indexOf('\n', from); stop >= 0; stop = text.indexOf('\n', from)) {
      lines.push(text.subarray(from, stop));
      from = stop + 1;
    }
    if (lines.length > 0 || start === 0) return lines;
  }
}

function isLine(value: unknown): value is Line {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Null: there is no whole line that is an event. Throws a usage error for a file that cannot be read. */
export function readJournalEnd(folder: string): JournalEnd | null {
  const path = join(folder, eventsName);
  let fd: number | null = null;
  try {
    fd = openRegular(path);
    const lines = lastLines(fd, fstatSync(fd).size);
    const last = lines.flatMap((bytes): Line[] => {
      const parsed = parseLine(bytes);
      return 'value' in parsed && isLine(parsed.value) ? [parsed.value] : [];
    });
    const end = last.at(-1);
    if (!end || typeof end.seq !== 'number') return null;
    const chained = 'prev' in end || 'journal' in end;
    return { events: end.seq + 1, digest: bytesDigest(lines.at(-1)!), type: String(end.type), chained, last };
  } catch (cause) {
    if (errorCode(cause) === null) throw cause;
    throw new UsageError('events.jsonl', `cannot read "${path}": ${faultWords(cause)}`, cause);
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

/** `prev` stands at the end of a line. */
const linkAtEnd = /"prev":"([0-9a-f]*)"\}$/;
const linkSize = 64;

function linkOf(bytes: Uint8Array): unknown {
  const found = linkAtEnd.exec(Buffer.from(bytes.subarray(-linkSize)).toString('latin1'));
  if (found) return found[1];
  const parsed = parseLine(bytes);
  return 'value' in parsed && isLine(parsed.value) ? parsed.value.prev : undefined;
}

/** The first line of a chained journal that was changed, in words; null: all digests hold. Lines are hashed, not parsed. */
export function wholeChain(folder: string): string | null {
  const fd = openRegular(join(folder, eventsName));
  try {
    let before: string | null = null;
    let number = 0;
    for (const { bytes, ended } of linesOf(fd, 0)) {
      // A torn last line is no part of the record.
      if (!ended) return null;
      if (before !== null && linkOf(bytes) !== before) {
        const parsed = parseLine(bytes);
        if ('problem' in parsed)
          return `${eventsName}:${number + 1}: expected an event, got no JSON (${parsed.problem})`;
        return `${eventsName}:${number}: the line was changed (seq ${number - 1}): the line behind it states another digest`;
      }
      before = bytesDigest(bytes);
      number += 1;
    }
    return null;
  } finally {
    closeSync(fd);
  }
}
