/** From the body of a successful HTTP answer to a reply: server-sent events, or one JSON document. */
import { APIError, type OpenAI } from 'openai';
import { Stream } from 'openai/streaming';
import { AttemptFailure } from '../retry.ts';
import { excerpt, readServerError, record, type ServerError } from './failure.ts';
import type { Watchdog } from './watchdog.ts';

export interface Completion {
  readonly text: string;
  /** null when the endpoint does not say */
  readonly usage: { readonly promptTokens: number; readonly completionTokens: number } | null;
  readonly model: string | null;
  readonly finishReason: string | null;
}

/** An error inside an answer with status 200, as gateways send it when the model behind them fails. */
export interface EmbeddedError {
  /** the status that the error stands for; 502 when it names none, because the request itself was accepted */
  readonly status: number;
  readonly error: ServerError;
}

const maxBytes = 32 * 2 ** 20;
const trouble = 'the server or a proxy in between broke off; look at its log, or go on later';

/**
 * Reads a body whole, and tells the watchdog about each piece. Stops at the end mark of a stream, because some servers
 * keep the connection open after it. What it returns when the watchdog fires is not the answer: ask for its reason first.
 */
export async function readText(response: Response, watchdog: Watchdog): Promise<string> {
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
        throw new AttemptFailure(`an answer of more than ${maxBytes} bytes`, badUrl, { retryable: false });
      }
      const piece = decoder.decode(value, { stream: true });
      pieces.push(piece);
      tail = (tail + piece).slice(-64);
      if (endMark.test(tail)) break;
    }
  } catch (error) {
    if (error instanceof AttemptFailure) throw error;
    if (watchdog.reason !== null) return '';
    throw new AttemptFailure(`a connection that broke after ${bytes} bytes`, trouble, { retryable: true });
  } finally {
    watchdog.signal.removeEventListener('abort', cancel);
    cancel();
  }
  return pieces.join('') + decoder.decode();
}

/** The last event of a stream. */
const endMark = /\ndata: ?\[DONE\]/;

const badUrl = 'is the base URL right? It usually ends in /v1';

/**
 * The reply in a body with a success status. Throws `AttemptFailure`: to be retried for an answer that is cut off, not
 * for one that no model endpoint sends.
 */
export async function readCompletion(
  body: string,
  contentType: string,
  client: OpenAI,
): Promise<Completion | EmbeddedError> {
  const isStream = contentType.includes('text/event-stream') || /^\s*(?:data|event|id|retry)?:/.test(body);
  if (isStream) return readStream(body, client);
  const text = body.trim();
  const shown = `"${excerpt(text, 120)}" (${contentType || 'no content type'})`;
  if (text === '') throw new AttemptFailure(`an empty body (${contentType})`, trouble, { retryable: true });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    if (/^[[{]/.test(text)) throw new AttemptFailure(`truncated JSON ${shown}`, trouble, { retryable: true });
    throw new AttemptFailure(`no JSON but ${shown}`, badUrl, { retryable: false });
  }
  const document = record(parsed);
  if (document.error !== undefined && document.error !== null) return embedded(text);
  if (!Array.isArray(document.choices)) {
    throw new AttemptFailure(`JSON without "choices": ${shown}`, badUrl, { retryable: false });
  }
  const choice = record(document.choices[0]);
  return {
    text: contentText(record(choice.message)),
    usage: usageOf(document),
    model: stringOrNull(document.model),
    finishReason: stringOrNull(choice.finish_reason),
  };
}

async function readStream(body: string, client: OpenAI): Promise<Completion | EmbeddedError> {
  let text = '';
  let usage: Completion['usage'] = null;
  let model: string | null = null;
  let finishReason: string | null = null;
  // The body is complete already; the decoder of the client library turns it into chunks. Without a last blank line it
  // would drop the last event.
  const stream = Stream.fromSSEResponse<unknown>(new Response(`${body}\n\n`), new AbortController(), client);
  try {
    for await (const value of stream) {
      const chunk = record(value);
      const choice = Array.isArray(chunk.choices) ? record(chunk.choices[0]) : {};
      text += contentText(record(choice.delta ?? choice.message));
      usage = usageOf(chunk) ?? usage;
      model = stringOrNull(chunk.model) ?? model;
      finishReason = stringOrNull(choice.finish_reason) ?? finishReason;
    }
  } catch (error) {
    if (error instanceof APIError) return embedded(JSON.stringify({ error: error.error }));
    if (!(error instanceof SyntaxError)) throw error;
    throw new AttemptFailure(`a stream with broken JSON after ${text.length} characters`, trouble, { retryable: true });
  }
  if (finishReason === null && !endMark.test(`\n${body}`)) {
    throw new AttemptFailure(`a stream that ends early, after ${text.length} characters`, trouble, { retryable: true });
  }
  return { text, usage, model, finishReason };
}

function embedded(body: string): EmbeddedError {
  const error = readServerError(body);
  const code = Number(error.code);
  return { status: Number.isInteger(code) && code >= 400 && code < 600 ? code : 502, error };
}

/** The text of a message: a string, a list of parts, or a refusal in words; '' for none. */
function contentText(message: Record<string, unknown>): string {
  const { content } = message;
  if (typeof content === 'string' && content !== '') return content;
  if (Array.isArray(content)) return content.map((part) => stringOrNull(record(part).text) ?? '').join('');
  return stringOrNull(message.refusal) ?? '';
}

function usageOf(document: Record<string, unknown>): Completion['usage'] {
  const { prompt_tokens: prompt, completion_tokens: completion } = record(document.usage);
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  return isCount(prompt) && isCount(completion) ? { promptTokens: prompt, completionTokens: completion } : null;
}

function stringOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
