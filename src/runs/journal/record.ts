/** The lines of a record, one after the other: which format they have, how they are linked, and what each one says. */
import { z } from 'zod';
import { R2poError, UsageError } from '../../base/errors.ts';
import { visibleJson } from '../../base/printable.ts';
import { maskLongSecrets } from '../../base/secrets.ts';
import type { Message } from '../../llm/chat.ts';
import { bytesDigest } from '../../llm/text-digest.ts';
import { type EventBody, events, type RunEvent, stamp, withMaskedPrompts } from './events.ts';
import type { EventCodec, RecordFormat } from './format.ts';
import { format1 } from './format-1.ts';
import { format2 } from './format-2.ts';

const formats: readonly RecordFormat[] = [format1, format2];
/** The format of new records. */
const newest = format2;

/** How far a record goes; what is made from it states this. */
export interface RecordEnd {
  /** lines, that is `seq` of the last event + 1 */
  readonly events: number;
  /** of the bytes of the last line, without its line break; null: there is none */
  readonly digest: string | null;
}

/** What links a line to the one before it. */
interface Links {
  readonly journal?: unknown;
  readonly prev?: unknown;
}

/** Without a schema: every line of a long record is asked for them. */
const linksOf = (value: unknown): Links => (typeof value === 'object' && value !== null ? value : {});

/** An event of a later version, which others can do without. */
const optionalEvent = z.object({ ...stamp, type: z.string(), optional: z.literal(true) });

/** A line of a record that is not what it should be. */
export class RecordError extends UsageError {
  /** from 1; its event has the `seq` below */
  readonly line: number;

  constructor(message: string, line: number) {
    super('events.jsonl', message);
    this.line = line;
  }
}

function isUnknown(body: unknown): boolean {
  return !(typeof body === 'object' && body !== null && 'type' in body && Object.hasOwn(events, String(body.type)));
}

interface DecodedLine {
  /** null: an optional event of a later version */
  readonly event: RunEvent | null;
  /** what the codec was given */
  readonly body: unknown;
}

/**
 * Reads and makes the lines of one record, from the first on. Its state is that behind the latest line.
 */
export class RecordLines {
  readonly #path: string;
  #format: RecordFormat | null = null;
  #codec: EventCodec | null = null;
  #seq = 0;
  #last: Uint8Array | null = null;
  #lastName = '';

  /** `path`: for messages */
  constructor(path: string) {
    this.#path = path;
  }

  /** lines so far, the `seq` of the next one */
  get count(): number {
    return this.#seq;
  }

  get end(): RecordEnd {
    return { events: this.#seq, digest: this.#last && bytesDigest(this.#last) };
  }

  /** Number of the record's format: that of new ones while it is empty. */
  get format(): number {
    return (this.#format ?? newest).number;
  }

  /** Reads the next line, as parsed. Null: an event that this version may leave out. Throws a usage error with the line. */
  read(bytes: Uint8Array, value: unknown): RunEvent | null {
    return this.#next(bytes, value).event;
  }

  /** The same, with the messages of a call, restored; for records that are read so from their first line on. */
  readWhole(bytes: Uint8Array, value: unknown): { event: RunEvent | null; messages: readonly Message[] | null } {
    const { event, body } = this.#next(bytes, value);
    if (event?.type !== 'llm_call') return { event, messages: null };
    const restored = this.#codec!.restore(body);
    if ('messages' in restored) return { event, messages: restored.messages };
    throw this.refusal(`something else (${restored.problem})`, this.#seq);
  }

  /** The line of the next event with its line break, and the event as a reader of it will see it. */
  make(unmasked: EventBody, time: string): { readonly line: Uint8Array; readonly event: RunEvent } {
    const body = withMaskedPrompts(unmasked);
    const codec = this.#open(this.#format ?? newest);
    const { number, chained } = this.#format!;
    const seq = this.#seq;
    const links = chained && (seq === 0 ? { journal: number } : { prev: this.end.digest });
    const line = { ...codec.encode(body, { time, seq }), ...links };
    const text = maskLongSecrets(visibleJson(JSON.stringify(line)));
    const bytes = Buffer.from(text);
    const decoded = this.#decode(JSON.parse(text));
    if ('problem' in decoded) {
      throw new R2poError('events.jsonl', `refused to record a bad ${body.type} event: ${decoded.problem}`);
    }
    this.#passed(bytes, body.type);
    if (body.type === 'llm_call') codec.sent(decoded.event!, body.request.messages);
    return { line: Buffer.from(`${text}\n`), event: decoded.event! };
  }

  /** The usage error of a line; `line`: its number, the next one when left out. */
  refusal(problem: string, line = this.#seq + 1): RecordError {
    return new RecordError(
      `${this.#path}:${line}: expected an event, got ${problem}; restore the file from a copy, or start a new run`,
      line,
    );
  }

  #open(format: RecordFormat): EventCodec {
    this.#format = format;
    this.#codec ??= format.open();
    return this.#codec;
  }

  #passed(bytes: Uint8Array, name: string): void {
    this.#seq += 1;
    this.#last = bytes;
    this.#lastName = name;
  }

  #next(bytes: Uint8Array, value: unknown): DecodedLine {
    if (this.#format === null) this.#open(this.#formatOf(value));
    const decoded = this.#decode(value);
    if ('problem' in decoded) throw this.refusal(`something else (${decoded.problem})`);
    const { seq, type } = decoded.body as RunEvent;
    if (seq !== this.#seq) throw this.refusal(`seq ${seq} instead of ${this.#seq}`);
    this.#checkLink(value);
    this.#passed(bytes, type);
    return decoded;
  }

  #formatOf(value: unknown): RecordFormat {
    const number = linksOf(value).journal ?? format1.number;
    const format = formats.find((known) => known.number === number);
    if (format) return format;
    const known = formats.map((one) => one.number).join(' or ');
    throw this.refusal(`format ${JSON.stringify(number)} of the record where this version knows ${known}`);
  }

  #checkLink(value: unknown): void {
    if (!this.#format!.chained || this.#last === null) return;
    const { journal, prev } = linksOf(value);
    if (journal !== undefined) throw this.refusal('"journal", which only the first line has');
    const expected = this.end.digest;
    if (prev === expected) return;
    const name = `seq ${this.#seq - 1}, ${this.#lastName}`;
    throw this.refusal(
      `one that was changed (${name}): its digest is ${expected}, and the line behind it states ${typeof prev === 'string' ? prev : 'none'}`,
      this.#seq,
    );
  }

  #decode(value: unknown): DecodedLine | { readonly problem: string } {
    const body = this.#format!.chained ? withoutLinks(value) : value;
    if (isUnknown(body) && optionalEvent.safeParse(body).success) return { event: null, body };
    const checked = this.#codec!.decode(body);
    return 'problem' in checked ? checked : { event: checked.event, body };
  }
}

/** The event in a line, without what links it to others. */
function withoutLinks(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const { journal: _journal, prev: _prev, ...body } = value as Record<string, unknown>;
  return body;
}
