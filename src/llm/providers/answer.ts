/** What all endpoints' answers have in common: a body that is read piece by piece, and what is found in it. */
import { AttemptFailure } from '../retry.ts';
import { excerpt, readServerError, type ServerError } from './failure.ts';
import type { Watchdog } from './watchdog.ts';

export interface Completion {
  readonly text: string;
  readonly usage: ReportedUsage;
  /** the model's name as the endpoint says it; null when it does not */
  readonly model: string | null;
  readonly finishReason: string | null;
}

/** Tokens as the endpoint counted them; null for what it did not say. */
export interface ReportedUsage {
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
}

export const noUsage: ReportedUsage = { promptTokens: null, completionTokens: null };

/** An error inside an answer with status 200, as gateways send it when the model behind them fails. */
export interface EmbeddedError {
  /** the status that the error stands for; 502 when it names none, because the request itself was accepted */
  readonly status: number;
  readonly error: ServerError;
}

/** A stream spends some hundred bytes on every token; this is more than models' longest replies take. */
const maxBytes = 32 * 2 ** 20;
/** Advice for an answer that is too long to be one. */
export const endless = 'the model seems to go round in circles; use another one, or another temperature';
/** Advice for an answer that stops before its end. */
export const brokenOff = 'the server or a proxy in between broke off; look at its log, or go on later';

/**
 * Reads a body whole, and tells the watchdog about each piece. Stops as soon as the last characters, of which `isEnd` is
 * shown up to 64, end the answer, because some servers keep the connection open after it. What it returns when the
 * watchdog fires is not the answer: ask for its reason first.
 */
export async function readText(
  response: Response,
  watchdog: Watchdog,
  isEnd: (tail: string) => boolean,
): Promise<string> {
  if (response.body === null) return '';
  const reader = response.body.getReader();
  const cancel = () => {
    reader.cancel().catch(() => undefined);
  };
  watchdog.signal.addEventListener('abort', cancel, { once: true });
  const decoder = new TextDecoder();
  const pieces: string[] = [];
  let tail = '\n';
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      watchdog.touch();
      bytes += value.length;
      if (bytes > maxBytes) {
        throw new AttemptFailure(`an answer of more than ${maxBytes} bytes`, endless, { retryable: true });
      }
      const piece = decoder.decode(value, { stream: true });
      pieces.push(piece);
      tail = (tail + piece).slice(-64);
      if (isEnd(tail)) break;
    }
  } catch (error) {
    if (error instanceof AttemptFailure) throw error;
    if (watchdog.reason !== null) return '';
    throw new AttemptFailure(`a connection that broke after ${bytes} bytes`, brokenOff, { retryable: true });
  } finally {
    watchdog.signal.removeEventListener('abort', cancel);
    cancel();
  }
  return pieces.join('') + decoder.decode();
}

/** A body for messages, with its type. */
export function shownBody(text: string, contentType: string): string {
  return `"${excerpt(text, 120)}" (${contentType || 'no content type'})`;
}

/** The failure of a body that is no JSON: cut off when it begins like some, else not from a model endpoint. */
export function noJson(text: string, contentType: string, badUrl: string): AttemptFailure {
  const shown = shownBody(text, contentType);
  if (/^\s*[[{]/.test(text)) return new AttemptFailure(`truncated JSON ${shown}`, brokenOff, { retryable: true });
  return new AttemptFailure(`no JSON but ${shown}`, badUrl, { retryable: false });
}

/** The error in a JSON body or event. */
export function embeddedError(body: string): EmbeddedError {
  const error = readServerError(body);
  const code = Number(error.code);
  return { status: Number.isInteger(code) && code >= 400 && code < 600 ? code : 502, error };
}

export function stringOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** A name that an endpoint says of itself, for records and tables: one line, and not a long one. */
export function nameOrNull(value: unknown): string | null {
  return typeof value === 'string' ? excerpt(value, 200) : null;
}

export function countOrNull(value: unknown): number | null {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : null;
}
