/** From the body of a successful answer of Ollama's `/api/chat` to a reply: one JSON document per line. */
import { AttemptFailure } from '../retry.ts';
import {
  brokenOff,
  type Completion,
  countOrNull,
  type EmbeddedError,
  embeddedError,
  nameOrNull,
  noJson,
  shownBody,
  stringOrNull,
} from './answer.ts';
import { record } from './failure.ts';

const badUrl = 'is this the address of Ollama? Set OLLAMA_HOST or OLLAMA_BASE_URL, without a path like /v1';

/**
 * What the model thinks comes in a field of its own and is left there. Throws `AttemptFailure`: to be retried for an
 * answer that is cut off, not for one that Ollama does not send.
 */
export function readOllamaAnswer(body: string, contentType: string): Completion | EmbeddedError {
  const documents = parseDocuments(body, contentType);
  let text = '';
  for (const document of documents) {
    const { error } = document;
    if (error !== undefined && error !== null) return embeddedError(JSON.stringify(document));
    text += stringOrNull(record(document.message).content) ?? '';
  }
  if (!documents.some((document) => typeof document.message === 'object')) {
    const problem = `JSON without "message": ${shownBody(body, contentType)}`;
    throw new AttemptFailure(problem, badUrl, { retryable: false });
  }
  const last = documents[documents.length - 1];
  if (last.done !== true) {
    const problem = `a stream that ends early, after ${text.length} characters`;
    throw new AttemptFailure(problem, brokenOff, { retryable: true });
  }
  const finishReason = nameOrNull(last.done_reason);
  if (finishReason === 'load' || finishReason === 'unload') {
    const problem = `no reply, only that the model was ${finishReason}ed`;
    throw new AttemptFailure(problem, 'see in the log of Ollama why it moves the model', { retryable: true });
  }
  return {
    text,
    usage: { promptTokens: countOrNull(last.prompt_eval_count), completionTokens: countOrNull(last.eval_count) },
    model: nameOrNull(last.model),
    finishReason,
  };
}

/** At least one. */
function parseDocuments(body: string, contentType: string): Record<string, unknown>[] {
  const lines = body.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new AttemptFailure(`an empty body (${contentType})`, brokenOff, { retryable: true });
  try {
    return lines.map((line) => record(JSON.parse(line)));
  } catch {
    // A gateway may lay one document out over several lines.
    try {
      return [record(JSON.parse(body))];
    } catch {
      throw noJson(body, contentType, badUrl);
    }
  }
}
