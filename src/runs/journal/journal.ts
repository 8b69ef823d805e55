/**
 * `events.jsonl`: one JSON object a line, written before the next step starts. Whatever moment a process dies at, the file
 * holds every event before it and at most one torn line at its end. For a machine that loses its power, events are synced
 * to the disk, too, except those that the same episodes would give again: the next event takes them along.
 */
import { closeSync, fdatasync, fstatSync, ftruncateSync, openSync, readSync, write, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stampClock } from '../../base/clock.ts';
import { errorCode, R2poError, UsageError } from '../../base/errors.ts';
import { cannotUse, faultWords } from '../../base/machine-fault.ts';
import { reopenReplaced, syncFolder } from '../../base/node/atomic-file.ts';
import { openRegular } from '../../base/node/read-file.ts';
import { eventsName } from '../../config/recorded.ts';
import type { Message } from '../../llm/chat.ts';
import type { EventBody, EventType, RunEvent } from './events.ts';
import { type FolderLock, type LockOptions, LostLockError, lockFolder } from './lock.ts';
import { type RecordEnd, RecordLines } from './record.ts';

export { eventsName };

/** The events of a record. Texts of messages are not among them: `walkEvents` restores those, one call after the other. */
export interface EventLog {
  readonly events: readonly RunEvent[];
  /** length of the whole lines, bytes */
  readonly bytes: number;
  /** a notice about the dropped end; null when the last line was whole */
  readonly torn: string | null;
  readonly end: RecordEnd;
  /** number of the record's format; that of new ones for an empty record */
  readonly format: number;
}

const newline = 0x0a;
/** Bytes that are read at once. */
const chunkSize = 2 ** 20;
// Asynchronous, so that other runs of the process continue while this one waits for the disk.
const writeTo = promisify(write);
const waitForDisk = promisify(fdatasync);
/** Each is soon followed by another event. Syncing them takes a fifth of the time of a search with an optimiser. */
const playedTypes: ReadonlySet<EventType> = new Set(['generation', 'evaluated']);

interface Line {
  /** without the line break */
  readonly bytes: Uint8Array;
  /** whether it has a line break */
  readonly ended: boolean;
  /** whether nothing follows it */
  readonly last: boolean;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

export function parseLine(line: Uint8Array): { readonly value: unknown } | { readonly problem: string } {
  try {
    return { value: JSON.parse(utf8.decode(line)) };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

/** The parts of a file from `start` to `end`, in bytes. */
export function* partsOf(fd: number, start: number, end: number): Generator<Uint8Array> {
  for (let at = start; at < end; ) {
    const part = Buffer.allocUnsafe(Math.min(chunkSize, end - at));
    const length = readSync(fd, part, 0, part.length, at);
    if (length === 0) return;
    at += length;
    yield part.subarray(0, length);
  }
}

/** The lines that the file has now, from `offset` on, a part at a time: a record may be larger than any buffer. */
export function* linesOf(fd: number, offset: number): Generator<Line> {
  const size = fstatSync(fd).size;
  let begun: Uint8Array[] = [];
  let read = offset;
  for (const part of partsOf(fd, offset, size)) {
    let start = 0;
    for (let stop = part.indexOf(newline); stop >= 0; stop = part.indexOf(newline, start)) {
      const rest = part.subarray(start, stop);
      const bytes = begun.length === 0 ? rest : Buffer.concat([...begun, rest]);
      begun = [];
      start = stop + 1;
      yield { bytes, ended: true, last: read + start >= size };
    }
    if (start < part.length) begun.push(part.subarray(start));
    read += part.length;
  }
  if (begun.length > 0) yield { bytes: Buffer.concat(begun), ended: false, last: true };
}

/** Bytes at the end of a line that tell its record from others: they hold the digest of the line before. */
const knownEnd = 128;

/** Reads a record from the first line on; what was read stays read, and the next reading goes on behind it. */
export class RecordFile {
  readonly lines: RecordLines;
  readonly #path: string;
  bytes = 0;
  /** the last of the bytes that were read */
  #end: Uint8Array = new Uint8Array();
  torn: string | null = null;

  constructor(folder: string) {
    this.#path = join(folder, eventsName);
    this.lines = new RecordLines(this.#path);
  }

  /**
   * Gives each whole line to `read`, whose result is passed on. A torn last line (no line break, or no JSON) is left out;
   * any other fault is a usage error. A missing file is an empty record.
   */
  *walk<T>(read: (bytes: Uint8Array, value: unknown) => T): Generator<T> {
    this.torn = null;
    let fd: number | null = null;
    try {
      fd = openRegular(this.#path);
      for (const line of linesOf(fd, this.bytes)) {
        const parsed = parseLine(line.bytes);
        const length = line.bytes.length + (line.ended ? 1 : 0);
        if (line.last && (!line.ended || 'problem' in parsed)) {
          this.torn = `${this.#path}:${this.lines.count + 1}: dropped a torn last line (${length} bytes)`;
          return;
        }
        if ('problem' in parsed) throw this.lines.refusal(`no JSON (${parsed.problem})`);
        const result = read(line.bytes, parsed.value);
        this.bytes += length;
        this.#end = Uint8Array.from(line.bytes.subarray(-knownEnd));
        yield result;
      }
    } catch (cause) {
      if (cause instanceof R2poError) throw cause;
      if (errorCode(cause) === 'ENOENT') return;
      if (errorCode(cause) === null) throw cause;
      throw new UsageError('events.jsonl', `cannot read "${this.#path}": ${faultWords(cause)}`, cause);
    } finally {
      if (fd !== null) closeSync(fd);
    }
  }

  /** Whether the file is not the one that was read, or was cut: what was read last does not stand in its place. */
  get isReplaced(): boolean {
    if (this.bytes === 0) return false;
    let fd: number | null = null;
    try {
      fd = openRegular(this.#path);
      const stop = this.bytes - 1;
      const there = Buffer.concat([...partsOf(fd, stop - this.#end.length, stop)]);
      return !there.equals(this.#end);
    } catch (error) {
      if (errorCode(error) === null && !(error instanceof R2poError)) throw error;
      return true;
    } finally {
      if (fd !== null) closeSync(fd);
    }
  }

  /** The events behind those that were read before. */
  events(): RunEvent[] {
    const events: RunEvent[] = [];
    for (const event of this.walk((bytes, value) => this.lines.read(bytes, value))) {
      if (event !== null) events.push(event);
    }
    return events;
  }
}

/** A journal that is read once more where it may have grown: what was read stays read. */
export class JournalReader {
  readonly #record: RecordFile;
  readonly #events: RunEvent[] = [];
  readonly #mark: number | null;
  #markDigest: string | null = null;

  /** `mark`: number of the line whose digest is wanted, from 1 */
  constructor(folder: string, mark: number | null = null) {
    this.#record = new RecordFile(folder);
    this.#mark = mark;
  }

  get lines(): RecordLines {
    return this.#record.lines;
  }

  /** Digest of the line with the number `mark`; null: it was not read, or none was asked for. */
  get markDigest(): string | null {
    return this.#markDigest;
  }

  /** Empties the lists of events that were given out: those of a long run take hundreds of megabytes. */
  forgetEvents(): void {
    this.#events.length = 0;
  }

  /** Everything that the journal holds by now. Throws a usage error for a damaged line. */
  read(): EventLog {
    const { lines } = this.#record;
    const events = this.#record.walk((bytes, value) => {
      const event = lines.read(bytes, value);
      if (lines.count === this.#mark) this.#markDigest = lines.end.digest;
      return event;
    });
    for (const event of events) if (event !== null) this.#events.push(event);
    const { bytes, torn } = this.#record;
    return { events: this.#events, bytes, torn, end: lines.end, format: lines.format };
  }
}

/** Bytes from the end of a journal in which its last line is looked for, if that is a `run_finished`. */
const endSize = 4096;

/** Whether the last line of a journal is a `run_finished`; only the end of the file is read. */
export function endsFinished(folder: string): boolean {
  let fd: number | null = null;
  try {
    fd = openSync(join(folder, eventsName), 'r');
    const size = fstatSync(fd).size;
    const end = Buffer.concat([...partsOf(fd, Math.max(0, size - endSize), size)]);
    if (end.at(-1) !== newline) return false;
    const line = parseLine(end.subarray(end.lastIndexOf(newline, -2) + 1, -1));
    return 'value' in line && isFinishedLine(line.value);
  } catch (cause) {
    if (errorCode(cause) === null) throw cause;
    return false;
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

function isFinishedLine(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'run_finished';
}

/** Reads and checks a journal. A torn last line is left out and reported; a missing file is an empty journal. */
export function readEvents(folder: string): EventLog {
  return new JournalReader(folder).read();
}

/** An event with the messages that a call sent; null for any other event. */
export interface WholeEvent {
  readonly event: RunEvent;
  readonly messages: readonly Message[] | null;
}

/** A record that is read once from its first line on, with the texts of its calls, which nobody keeps. */
export class RecordWalk {
  readonly #record: RecordFile;

  constructor(folder: string) {
    this.#record = new RecordFile(folder);
  }

  /** How far the record goes up to the line that was read last. */
  get end(): RecordEnd {
    return this.#record.lines.end;
  }

  /** lines that were read */
  get count(): number {
    return this.#record.lines.count;
  }

  get format(): number {
    return this.#record.lines.format;
  }

  /** a notice about the dropped end, once everything was read; null: the last line was whole */
  get torn(): string | null {
    return this.#record.torn;
  }

  get isReplaced(): boolean {
    return this.#record.isReplaced;
  }

  /** What each line says; null: an event that this version may leave out. Throws a usage error for a damaged line. */
  lines(): Generator<{ readonly event: RunEvent | null; readonly messages: readonly Message[] | null }> {
    return this.#record.walk((bytes, value) => this.#record.lines.readWhole(bytes, value));
  }
}

/** The events of a record with the texts of its calls, which are restored one after the other and kept by nobody. */
export function* walkEvents(folder: string, onTorn?: (notice: string) => void): Generator<WholeEvent> {
  const walk = new RecordWalk(folder);
  for (const { event, messages } of walk.lines()) {
    if (event !== null) yield { event, messages };
  }
  if (walk.torn !== null) onTorn?.(walk.torn);
}

/** Follows the journal of a run that another process may be writing: each `read` returns only new events. */
export class EventFollower {
  readonly #record: RecordFile;
  readonly #fromSeq: number;

  constructor(folder: string, fromSeq: number) {
    this.#record = new RecordFile(folder);
    this.#fromSeq = fromSeq;
  }

  /**
   * The events since the last reading. A line that is still being written is left for the next one. Throws a usage error
   * for a damaged line.
   */
  read(): readonly RunEvent[] {
    return this.#record.events().filter(({ seq }) => seq >= this.#fromSeq);
  }
}

/** Follows a journal from the event with this `seq` on; 0 is the first. */
export function followEvents(folder: string, fromSeq = 0): EventFollower {
  return new EventFollower(folder, fromSeq);
}

/** Writes the first `length` bytes of a file to the start of another one. */
export function copyStart(path: string, length: number): (fd: number) => void {
  return (to) => {
    if (length === 0) return;
    const from = openRegular(path);
    try {
      for (const part of partsOf(from, 0, length)) {
        for (let at = 0; at < part.length; ) at += writeSync(to, part, at);
      }
    } finally {
      closeSync(from);
    }
  };
}

export interface OpenOptions extends LockOptions {
  /** what was read of the journal before; left out: nothing */
  readonly reader?: JournalReader;
  /** called once the folder is locked, before anything in it is changed */
  readonly onLocked?: () => void;
}

/** The journal of one run, open for appending; it locks the run folder. */
export class Journal {
  /** the events at the time of opening, until they are forgotten */
  readonly log: EventLog;
  private readonly reader: JournalReader;
  private readonly path: string;
  private readonly fd: number;
  /** whether the file system says how many names the file has */
  private readonly countsLinks: boolean;
  private readonly lock: FolderLock;
  private readonly now: () => number;
  private readonly lines: RecordLines;
  private bytes: number;
  private state: 'open' | 'broken' | 'closed' = 'open';

  private constructor(folder: string, now: () => number, lock: FolderLock, reader: JournalReader) {
    this.path = join(folder, eventsName);
    this.lock = lock;
    this.now = now;
    this.reader = reader;
    this.log = reader.read();
    this.lines = reader.lines;
    this.bytes = this.log.bytes;
    // Not for appending: after a failed write the next one must go where the whole lines end.
    this.fd = reopenReplaced(this.path, copyStart(this.path, this.bytes), 'durable');
    this.countsLinks = fstatSync(this.fd).nlink > 0;
    syncFolder(folder);
  }

  /**
   * Locks the folder, reads the record and cuts off a torn last line. `now`: for the stamps, ms since 1970; the time that a
   * run took is what the stamps of each session differ by.
   * Throws a usage error when another process holds the folder or the record is damaged.
   */
  static open(folder: string, now: () => number = stampClock(), options: OpenOptions = {}): Journal {
    const { reader = new JournalReader(folder), onLocked } = options;
    let lock: FolderLock | null = null;
    try {
      lock = lockFolder(folder, options);
      onLocked?.();
      return new Journal(folder, now, lock, reader);
    } catch (error) {
      lock?.release();
      if (error instanceof R2poError || errorCode(error) === null) throw error;
      throw cannotUse('run folder', 'a run folder that can be written to', folder, error);
    }
  }

  /**
   * Writes one event, and waits until it is on disk unless its episodes can be played again; the next call must wait for
   * it. Returns the event as a reader of the file will see it.
   */
  async append(body: EventBody): Promise<RunEvent> {
    if (this.state !== 'open') throw new R2poError('events.jsonl', `expected an open record, got a ${this.state} one`);
    const time = new Date(this.now()).toISOString();
    const saved = this.lines.count;
    const { line, event } = this.lines.make(body, time);
    this.check();
    try {
      let written = 0;
      while (written < line.length) {
        const { bytesWritten } = await writeTo(this.fd, line, written, line.length - written, this.bytes + written);
        written += bytesWritten;
      }
      if (!playedTypes.has(body.type)) await waitForDisk(this.fd);
    } catch (cause) {
      this.state = 'broken';
      this.cutTornLine();
      const kept = saved === 0 ? 'nothing' : `everything up to event ${saved - 1}`;
      throw new R2poError(
        'events.jsonl',
        `cannot write to "${this.path}": ${faultWords(cause)}; ${kept} is on disk, make room first`,
        { cause },
      );
    }
    this.bytes += line.length;
    return event;
  }

  /** How far the record goes with the events that were appended. */
  get end(): RecordEnd {
    return this.lines.end;
  }

  /** To be called once nobody needs the events at the time of opening any more: `log` has none from then on. */
  forgetEvents(): void {
    this.reader.forgetEvents();
  }

  /** Best effort: a line that stays torn is cut off when the run is resumed. */
  private cutTornLine(): void {
    try {
      ftruncateSync(this.fd, this.bytes);
    } catch (error) {
      if (errorCode(error) === null) throw error;
    }
  }

  /**
   * Throws a `LostLockError` when another process has the folder by now, or the file is gone; then nothing can be appended
   * any more.
   */
  check(): void {
    try {
      this.lock.check();
      this.checkFile();
    } catch (error) {
      if (this.state === 'open') this.state = 'broken';
      if (error instanceof LostLockError) throw error;
      throw new R2poError('run folder', `cannot read the lock of "${this.path}": ${faultWords(error)}`, {
        cause: error,
      });
    }
  }

  /** A file that was deleted can still be written to, and what is written is lost. */
  private checkFile(): void {
    if (!this.countsLinks || this.state === 'closed' || fstatSync(this.fd).nlink > 0) return;
    throw new LostLockError(
      'events.jsonl',
      `expected "${this.path}" as this process opened it, got another file or none: it was deleted or replaced meanwhile, ` +
        'and nothing more is written',
    );
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
