/** From the body of a successful answer of OpenAI's chat completions to a reply: server-sent events, or one JSON document. */
import { APIError, type OpenAI } from 'openai';
import { Stream } from 'openai/streaming';
import { AttemptFailure } from '../retry.ts';
import {
  brokenOff,
  type Completion,
  countOrNull,
  type EmbeddedError,
  embeddedError,
  nameOrNull,
  noJson,
  noUsage,
  type ReportedUsage,
  shownBody,
  stringOrNull,
} from './answer.ts';
import { record } from './failure.ts';

const badUrl = 'is the base URL right? It usually ends in /v1';

/** Whether a text ends with, or holds, the last event of a stream. */
export function hasEndMark(text: string): boolean {
  return /\ndata: ?\[DONE\]/.test(text);
}

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
  if (text === '') throw new AttemptFailure(`an empty body (${contentType})`, brokenOff, { retryable: true });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw noJson(text, contentType, badUrl);
  }
  const document = record(parsed);
  if (document.error !== undefined && document.error !== null) return embeddedError(text);
  if (!Array.isArray(document.choices)) {
    const problem = `JSON without "choices": ${shownBody(text, contentType)}`;
    throw new AttemptFailure(problem, badUrl, { retryable: false });
  }
  const choice = record(document.choices[0]);
  return {
    text: contentText(record(choice.message)),
    usage: usageOf(document) ?? noUsage,
    model: nameOrNull(document.model),
    finishReason: nameOrNull(choice.finish_reason),
  };
}

async function readStream(body: string, client: OpenAI): Promise<Completion | EmbeddedError> {
  let text = '';
  let usage = noUsage;
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
      model = nameOrNull(chunk.model) ?? model;
      finishReason = nameOrNull(choice.finish_reason) ?? finishReason;
    }
  } catch (error) {
    if (error instanceof APIError) return embeddedError(JSON.stringify({ error: error.error }));
    if (!(error instanceof SyntaxError)) throw error;
    const problem = `a stream with broken JSON after ${text.length} characters`;
    throw new AttemptFailure(problem, brokenOff, { retryable: true });
  }
  if (finishReason === null && !hasEndMark(`\n${body}`)) {
    const problem = `a stream that ends early, after ${text.length} characters`;
    throw new AttemptFailure(problem, brokenOff, { retryable: true });
  }
  return { text, usage, model, finishReason };
}

/** The text of a message: a string, a list of parts, or a refusal in words; '' for none. */
function contentText(message: Record<string, unknown>): string {
  const { content } = message;
  if (typeof content === 'string' && content !== '') return content;
  if (Array.isArray(content)) return content.map((part) => stringOrNull(record(part).text) ?? '').join('');
  return stringOrNull(message.refusal) ?? '';
}

/** Null when there is no complete usage. */
function usageOf(document: Record<string, unknown>): ReportedUsage | null {
  const usage = record(document.usage);
  const [promptTokens, completionTokens] = [countOrNull(usage.prompt_tokens), countOrNull(usage.completion_tokens)];
  return promptTokens === null || completionTokens === null ? null : { promptTokens, completionTokens };
}
