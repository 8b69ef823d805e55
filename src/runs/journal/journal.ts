/**
 * `events.jsonl`: one JSON object a line, appended and on disk before the next step starts. Whatever moment a process
 * dies at, the file holds every event before it and at most one torn line at its end.
 */
import { closeSync, fdatasync, fstatSync, ftruncateSync, openSync, readFileSync, readSync, write } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errorCode, R2poError, UsageError } from '../../base/errors.ts';
import { reopenReplaced, syncFolder } from '../../base/node/atomic-file.ts';
import type { EventBody, RunEvent } from './events.ts';
import { asRecorded, checkEvent } from './events.ts';
import { type FolderLock, type LockOptions, LostLockError, lockFolder } from './lock.ts';

export const eventsName = 'events.jsonl';

export interface EventLog {
  readonly events: readonly RunEvent[];
  /** length of the whole lines, bytes */
  readonly bytes: number;
  /** a notice about the dropped end; null when the last line was whole */
  readonly torn: string | null;
}

const newline = 0x0a;
// Asynchronous, so that other runs of the process continue while this one waits for the disk.
const writeTo = promisify(write);
const waitForDisk = promisify(fdatasync);

function parseLine(line: Uint8Array): { readonly value: unknown } | { readonly problem: string } {
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line)) };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

interface ReadFrom {
  readonly path: string;
  /** of the first event in `data` */
  readonly seq: number;
}

/** Checks the lines of `data`. A torn last line (no line break, or no JSON) is left out; any other fault is an error. */
function parseEvents(data: Buffer, { path, seq: first }: ReadFrom): EventLog {
  const events: RunEvent[] = [];
  let start = 0;
  while (start < data.length) {
    const found = data.indexOf(newline, start);
    const stop = found < 0 ? data.length : found;
    const isLast = stop + 1 >= data.length;
    const expected = first + events.length;
    const where = `${path}:${expected + 1}`;
    const line = parseLine(data.subarray(start, stop));
    if (isLast && (found < 0 || 'problem' in line)) {
      const torn = `${where}: dropped a torn last line (${data.length - start} bytes)`;
      return { events, bytes: start, torn };
    }
    const refuse = (problem: string): never => {
      throw new UsageError(
        'events.jsonl',
        `${where}: expected an event, got ${problem}; restore the file from a copy, or start a new run`,
      );
    };
    if ('problem' in line) return refuse(`no JSON (${line.problem})`);
    const checked = checkEvent(line.value);
    if ('problem' in checked) return refuse(`something else (${checked.problem})`);
    const { seq } = checked.event;
    if (seq !== expected) return refuse(`seq ${seq} instead of ${expected}`);
    events.push(checked.event);
    start = stop + 1;
  }
  return { events, bytes: start, torn: null };
}

/** The bytes of a journal from `offset` on; null: there is no file. */
function readFrom(path: string, offset: number): Buffer | null {
  let fd: number | null = null;
  try {
    fd = openSync(path, 'r');
    const data = Buffer.alloc(Math.max(0, fstatSync(fd).size - offset));
    let length = 0;
    for (let read = 1; read > 0 && length < data.length; length += read) {
      read = readSync(fd, data, length, data.length - length, offset + length);
    }
    return data.subarray(0, length);
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return null;
    throw new UsageError('events.jsonl', `cannot read "${path}": ${(cause as Error).message}`, cause);
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

/** Reads and checks a journal. A torn last line is left out and reported; a missing file is an empty journal. */
export function readEvents(folder: string): EventLog {
  const path = join(folder, eventsName);
  return parseEvents(readFrom(path, 0) ?? Buffer.alloc(0), { path, seq: 0 });
}

/** Follows the journal of a run that another process may be writing: each `read` returns only new events. */
export class EventFollower {
  readonly #path: string;
  readonly #fromSeq: number;
  #seq = 0;
  #bytes = 0;

  constructor(folder: string, fromSeq: number) {
    this.#path = join(folder, eventsName);
    this.#fromSeq = fromSeq;
  }

  /**
   * The events since the last reading. A line that is still being written is left for the next one. Throws a usage error
   * for a damaged line.
   */
  read(): readonly RunEvent[] {
    const data = readFrom(this.#path, this.#bytes);
    if (data === null) return [];
    const { events, bytes } = parseEvents(data, { path: this.#path, seq: this.#seq });
    this.#seq += events.length;
    this.#bytes += bytes;
    return events.filter(({ seq }) => seq >= this.#fromSeq);
  }
}

/** Follows a journal from the event with this `seq` on; 0 is the first. */
export function followEvents(folder: string, fromSeq = 0): EventFollower {
  return new EventFollower(folder, fromSeq);
}

/** The journal of one run, open for appending; it locks the run folder. */
export class Journal {
  /** the events at the time of opening */
  readonly log: EventLog;
  private readonly path: string;
  private readonly fd: number;
  private readonly lock: FolderLock;
  private readonly now: () => number;
  private seq: number;
  private bytes: number;
  private state: 'open' | 'broken' | 'closed' = 'open';

  private constructor(folder: string, now: () => number, lock: FolderLock) {
    this.path = join(folder, eventsName);
    this.lock = lock;
    this.now = now;
    this.log = readEvents(folder);
    this.seq = this.log.events.length;
    this.bytes = this.log.bytes;
    const whole = this.bytes > 0 ? readFileSync(this.path).subarray(0, this.bytes) : '';
    // Not for appending: after a failed write the next one must go where the whole lines end.
    this.fd = reopenReplaced(this.path, whole, 'durable');
    syncFolder(folder);
  }

  /**
   * Locks the folder, reads the record and cuts off a torn last line.
   * Throws a usage error when another process holds the folder or the record is damaged.
   */
  static open(folder: string, now: () => number = Date.now, options: LockOptions = {}): Journal {
    let lock: FolderLock | null = null;
    try {
      lock = lockFolder(folder, options);
      return new Journal(folder, now, lock);
    } catch (error) {
      lock?.release();
      if (error instanceof R2poError || errorCode(error) === null) throw error;
      throw new UsageError(
        'run folder',
        `expected a run folder that can be written to, got "${folder}": ${(error as Error).message}`,
        error,
      );
    }
  }

  /**
   * Writes one event and waits until it is on disk; the next call must wait for it. Returns the event as a reader of the
   * file will see it.
   */
  async append(body: EventBody): Promise<RunEvent> {
    if (this.state !== 'open') throw new R2poError('events.jsonl', `expected an open record, got a ${this.state} one`);
    const time = new Date(this.now()).toISOString();
    const { line: text, event } = asRecorded({ ...body, time, seq: this.seq });
    const line = Buffer.from(text);
    this.check();
    try {
      let written = 0;
      while (written < line.length) {
        const { bytesWritten } = await writeTo(this.fd, line, written, line.length - written, this.bytes + written);
        written += bytesWritten;
      }
      await waitForDisk(this.fd);
    } catch (cause) {
      this.state = 'broken';
      this.cutTornLine();
      const saved = this.seq === 0 ? 'nothing' : `everything up to event ${this.seq - 1}`;
      throw new R2poError(
        'events.jsonl',
        `cannot write to "${this.path}": ${(cause as Error).message}; ${saved} is on disk, make room first`,
        { cause },
      );
    }
    this.seq += 1;
    this.bytes += line.length;
    return event;
  }

  /** Best effort: a line that stays torn is cut off when the run is resumed. */
  private cutTornLine(): void {
    try {
      ftruncateSync(this.fd, this.bytes);
    } catch (error) {
      if (errorCode(error) === null) throw error;
    }
  }

  /** Throws a `LostLockError` when another process has the folder by now; then nothing can be appended any more. */
  check(): void {
    try {
      this.lock.check();
    } catch (error) {
      if (this.state === 'open') this.state = 'broken';
      if (error instanceof LostLockError) throw error;
      throw new R2poError('run folder', `cannot read the lock of "${this.path}": ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  /** true while events can be appended */
  get writable(): boolean {
    return this.state === 'open';
  }

  close(): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    closeSync(this.fd);
    this.lock.release();
  }
}
