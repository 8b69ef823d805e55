/**
 * Decodes the bytes of an answer to JSON payloads as they arrive: server-sent events, one JSON document per line, or
 * one JSON document. The form is recognised by the first characters, because servers answer in unrequested forms with
 * wrong content types. Memory and time are linear in the length.
 */
import { createParser } from 'eventsource-parser';
import { AttemptFailure } from '../retry.ts';
import { endlessAnswer, shownBody, truncatedAnswer } from './answer.ts';

/** Maximum size of an answer. A stream takes some hundred bytes per token; the longest replies need less than this. */
const maxBytes = 32 * 2 ** 20;

export interface Payload {
  readonly value: unknown;
  /** name of the server-sent event; '': none */
  readonly event: string;
}

export interface PayloadDecoder {
  /** whether the end mark was received; nothing after it is read */
  readonly marked: boolean;
  /** whether payloads arrive one by one, so that their times can be measured */
  readonly streamed: boolean;
  /** Payloads completed by these bytes. Throws `AttemptFailure`. */
  push(bytes: Uint8Array): Payload[];
  /** Payloads completed by the end of the body. Throws `AttemptFailure`. */
  end(): Payload[];
}

/** The part of a decoder for one form. Each text is passed once. */
interface Frames {
  push(text: string): Payload[];
  end(): Payload[];
}

/** `badUrl`: advice for a body that is not from a model endpoint. */
export function payloadDecoder(contentType: string, badUrl: string): PayloadDecoder {
  const decoder = new TextDecoder();
  let bytesSeen = 0;
  let undecided = '';
  let frames: Frames | null = null;
  let streamed = false;
  let marked = false;
  const onMark = () => {
    marked = true;
  };

  function pushText(text: string, isLast: boolean): Payload[] {
    if (frames !== null) return text === '' ? [] : frames.push(text);
    undecided += text;
    const form = formOf(undecided, contentType, isLast);
    if (form === null) return [];
    if (form === 'other') throw noJson(undecided, contentType, badUrl);
    streamed = form === 'events';
    frames =
      form === 'events'
        ? eventFrames(onMark)
        : jsonFrames(contentType, () => {
            streamed = true;
          });
    const first = undecided;
    undecided = '';
    return frames.push(first);
  }

  return {
    get marked() {
      return marked;
    },
    get streamed() {
      return streamed;
    },
    push(bytes) {
      bytesSeen += bytes.length;
      if (bytesSeen > maxBytes) throw endlessAnswer(`an answer of more than ${maxBytes} bytes`);
      return pushText(decoder.decode(bytes, { stream: true }), false);
    },
    end() {
      const payloads = pushText(decoder.decode(), true);
      if (frames === null) throw truncatedAnswer(`an empty body (${contentType || 'no content type'})`);
      return [...payloads, ...frames.end()];
    },
  };
}

/** Null: more characters needed. */
function formOf(text: string, contentType: string, isLast: boolean): 'events' | 'json' | 'other' | null {
  const start = text.trimStart();
  if (start === '') {
    // Blank lines alone are not events: the first event may follow.
    return null;
  }
  if (/^[[{]/.test(start)) return 'json';
  if (/^(?:data|event|id|retry)?:/.test(start)) return 'events';
  if (!isLast && /^(?:d(?:at?)?|data|e(?:v(?:en?)?)?|event|id?|r(?:e(?:tr?)?)?|retry)$/.test(start)) return null;
  if (contentType.includes('text/event-stream') && !start.startsWith('<')) return 'events';
  // A bare value is also JSON, though never a reply. It is read whole for the message.
  if (!isLast && start.length < 200) return null;
  return /^(?:null|true|false|-?\d|")/.test(start) ? 'json' : 'other';
}

function parse(text: string, contentType: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw truncatedAnswer(`truncated JSON ${shownBody(text, contentType)}`);
  }
}

function noJson(text: string, contentType: string, badUrl: string): AttemptFailure {
  return new AttemptFailure(`a body other than JSON: ${shownBody(text, contentType)}`, badUrl, { retryable: false });
}

/** Server-sent events. `[DONE]` is the end mark of OpenAI and compatible servers. */
function eventFrames(onMark: () => void): Frames {
  let found: Payload[] = [];
  let ended = false;
  const parser = createParser({
    onEvent: ({ event = '', data }) => {
      const text = data.trim();
      if (ended || text === '') return;
      if (text === '[DONE]') {
        ended = true;
        onMark();
      } else {
        found.push({ value: parse(text, 'text/event-stream'), event });
      }
    },
  });
  const push = (text: string) => {
    parser.feed(text);
    const payloads = found;
    found = [];
    return payloads;
  };
  // The final blank line, which ends the last event, may be missing.
  return { push, end: () => push('\n\n') };
}

/** One document over many lines, or one per line; the first line decides. */
function jsonFrames(contentType: string, onLines: () => void): Frames {
  let pieces: string[] = [];
  let form: 'lines' | 'document' | null = null;
  let lineCount = 0;

  function takeLine(line: string): Payload[] {
    const text = line.trim();
    if (text === '') return [];
    if (form === 'lines') return [{ value: parse(text, contentType), event: '' }];
    try {
      const value: unknown = JSON.parse(text);
      form = 'lines';
      return [{ value, event: '' }];
    } catch {
      form = 'document';
      pieces.unshift(`${line}\n`);
      return [];
    }
  }

  function push(text: string): Payload[] {
    if (form === 'document' || !text.includes('\n')) {
      pieces.push(text);
      return [];
    }
    const lines = (pieces.join('') + text).split('\n');
    pieces = [];
    const payloads: Payload[] = [];
    for (let i = 0; i < lines.length - 1; i++) {
      payloads.push(...takeLine(lines[i]!));
      if ((form as string | null) === 'document') {
        pieces.push(lines.slice(i + 1).join('\n'));
        return payloads;
      }
    }
    pieces.push(lines[lines.length - 1]!);
    lineCount += payloads.length;
    if (lineCount > 1) onLines();
    return payloads;
  }

  function end(): Payload[] {
    const rest = pieces.join('');
    if (rest.trim() === '') return [];
    const value = parse(rest.trim(), contentType);
    if (lineCount > 0) onLines();
    // Without events, Google's API answers with a list of them.
    if (Array.isArray(value) && value.length > 0) return value.map((entry) => ({ value: entry, event: '' }));
    return [{ value, event: '' }];
  }
  return { push, end };
}
