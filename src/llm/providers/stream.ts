/** Reads one answer while it arrives: text, reasoning and pace; repetition is cut. */
import { performance } from 'node:perf_hooks';
import { maskedData, maskSecrets } from '../../base/secrets.ts';
import { estimateTokens } from '../../base/tokens.ts';
import type { CallProgress } from '../chat.ts';
import { AttemptFailure } from '../retry.ts';
import { AnsweredError, endlessAnswer, isError, rateLimitsOf, truncatedAnswer } from './answer.ts';
import { objectOf } from './failure.ts';
import { type Payload, payloadDecoder } from './payloads.ts';
import type { Completion, Ending, Piece, Reader } from './protocol.ts';
import { type RepetitionWatch, repetitionWatch } from './repetition.ts';
import type { Watchdog } from './watchdog.ts';

/** Maximum characters; answers have a few thousand. */
const maxTextLength = 2 ** 20;
/** Minimum time between two progress reports, ms. */
const reportInterval = 100;

export interface StreamOptions {
  readonly reader: Reader;
  readonly watchdog: Watchdog;
  /** time at which the request was sent, on the clock of `performance` */
  readonly sentAt: number;
  /** maximum number of values in the reply */
  readonly values: number;
  /** advice for a body that is not from this API */
  readonly badUrl: string;
  readonly onProgress: (progress: CallProgress) => void;
  /** called with each payload before it is read */
  readonly onPayload: (payload: Readonly<Record<string, unknown>>) => void;
}

/** The growing text and reasoning. */
class Growing {
  text = '';
  reasoning = '';
  /** estimated */
  tokens = 0;
  firstAt: number | null = null;
  lastAt = 0;
  private lastReport = -Infinity;
  private readonly watches: Readonly<Record<'text' | 'reasoning', RepetitionWatch>>;
  private readonly onProgress: (progress: CallProgress) => void;

  constructor(values: number, onProgress: (progress: CallProgress) => void) {
    this.watches = { text: repetitionWatch(values), reasoning: repetitionWatch(values) };
    this.onProgress = onProgress;
  }

  /** True when the reply repeats itself; it is then cut. */
  add(field: 'text' | 'reasoning', piece: string | undefined): boolean {
    if (piece === undefined || piece === '') return false;
    this[field] += piece;
    if (this[field].length > maxTextLength) throw endlessAnswer(`a reply of more than ${maxTextLength} characters`);
    this.tokens += Math.max(1, estimateTokens(piece));
    this.lastAt = performance.now();
    this.firstAt ??= this.lastAt;
    this.report(field);
    const repetition = this.watches[field].push(piece);
    if (repetition === null) return false;
    this[field] = this[field].slice(0, repetition.start);
    return true;
  }

  get tokensPerSecond(): number | null {
    const seconds = (this.lastAt - (this.firstAt ?? 0)) / 1000;
    return this.tokens > 1 && seconds > 0 ? (this.tokens - 1) / seconds : null;
  }

  private report(field: 'text' | 'reasoning'): void {
    if (this.lastAt - this.lastReport < reportInterval) return;
    this.lastReport = this.lastAt;
    const { tokens, tokensPerSecond } = this;
    this.onProgress({ state: field === 'text' ? 'writing' : 'reasoning', tokens, tokensPerSecond });
  }
}

/**
 * The completion in a response with a success status; its body is always released. Throws `AttemptFailure` when it is
 * not a completion, with the usage where that is reported, and `AnsweredError` for an error inside it.
 */
export async function readAnswer(response: Response, options: StreamOptions): Promise<Completion> {
  try {
    return await readWhole(response, options);
  } catch (error) {
    if (error instanceof AttemptFailure) {
      const { promptTokens, completionTokens, ...more } = options.reader.usage();
      if (promptTokens !== null && completionTokens !== null) {
        error.usage = { ...more, promptTokens, completionTokens, estimated: false };
      }
    }
    throw error;
  }
}

async function readWhole(response: Response, options: StreamOptions): Promise<Completion> {
  const { reader, watchdog, sentAt, badUrl, onPayload } = options;
  const decoder = payloadDecoder(response.headers.get('content-type') ?? '', badUrl);
  const growing = new Growing(options.values, options.onProgress);
  let isDone = false;
  let isRepeating = false;

  /** False when the answer is complete. */
  function takeAll(payloads: readonly Payload[]): boolean {
    for (const payload of payloads) {
      const piece = takeOne(payload, reader, onPayload);
      isRepeating = growing.add('reasoning', piece.reasoning) || growing.add('text', piece.text);
      isDone ||= piece.done === true;
      if (isDone || isRepeating) return false;
    }
    return !decoder.marked;
  }

  const broke = await readPieces(response, watchdog, (bytes) => takeAll(decoder.push(bytes)));
  if (!isDone && !isRepeating && !decoder.marked && broke === null) takeAll(decoder.end());
  const ending = broke === null ? reader.end() : endOfBroken(reader);
  const hasEnd = isDone || isRepeating || decoder.marked || (ending !== null && ending.finish !== null);
  if (ending === null || (!hasEnd && broke !== null)) {
    throw truncatedAnswer(`a connection that broke after ${broke} bytes`);
  }
  if (!hasEnd && (decoder.streamed || ending.needsEnd)) {
    const wrote = `${growing.text.length + growing.reasoning.length} characters`;
    throw truncatedAnswer(`a stream that ends early, after ${wrote}`);
  }
  return completionOf(growing, ending, {
    isCircling: isRepeating,
    isStreamed: decoder.streamed,
    sentAt,
    rateLimits: rateLimitsOf(response.headers),
  });
}

/** A connection may break after the end of the reply; anything missing is attributed to the break. */
function endOfBroken(reader: Reader): Ending | null {
  try {
    return reader.end();
  } catch {
    return null;
  }
}

function takeOne({ value, event }: Payload, reader: Reader, onPayload: StreamOptions['onPayload']): Piece {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw truncatedAnswer(`${maskSecrets(JSON.stringify(value)).slice(0, 60)} instead of a reply`);
  }
  const payload = maskedData(objectOf(value));
  if (event === 'error' || isError(payload)) throw new AnsweredError(payload);
  onPayload(payload);
  return reader.take(payload, event);
}

function completionOf(
  growing: Growing,
  ending: Ending,
  facts: {
    readonly isCircling: boolean;
    readonly isStreamed: boolean;
    readonly sentAt: number;
    readonly rateLimits: Readonly<Record<string, string>>;
  },
): Completion {
  const { firstAt, lastAt } = growing;
  const isTimed = facts.isStreamed && firstAt !== null;
  return {
    ...ending,
    // A stream may cut a secret into pieces.
    text: maskSecrets(growing.text),
    reasoning: growing.reasoning === '' ? null : maskSecrets(growing.reasoning),
    finish: facts.isCircling ? 'repetition' : (ending.finish ?? 'unknown'),
    firstTokenSeconds: isTimed ? (firstAt - facts.sentAt) / 1000 : null,
    streamSeconds: isTimed ? (lastAt - firstAt) / 1000 : null,
    rateLimits: facts.rateLimits,
  };
}

/**
 * Passes the pieces of a body to `onPiece` until the end or until it returns false. Resolves with null, or with the
 * number of bytes after which the connection broke. Check the watchdog's reason first: its abort also ends the
 * connection.
 */
export async function readPieces(
  response: Response,
  watchdog: Watchdog,
  onPiece: (bytes: Uint8Array) => boolean,
): Promise<number | null> {
  if (response.body === null) return null;
  const reader = response.body.getReader();
  const cancel = () => {
    reader.cancel().catch(() => undefined);
  };
  watchdog.signal.addEventListener('abort', cancel, { once: true });
  let bytes = 0;
  try {
    for (;;) {
      let next: Awaited<ReturnType<typeof reader.read>>;
      try {
        next = await reader.read();
      } catch {
        return bytes;
      }
      if (next.done || watchdog.reason !== null) return null;
      watchdog.touch();
      bytes += next.value.length;
      if (!onPiece(next.value)) return null;
    }
  } finally {
    watchdog.signal.removeEventListener('abort', cancel);
    cancel();
  }
}
