/** Reads answers of OpenAI's Responses API: server-sent events, or one response. */
import { AnsweredError, countOrNull, nameOrNull, stringOrNull } from './answer.ts';
import { type Fields, objectOf } from './failure.ts';
import type { Piece, Reader, ReportedUsage } from './protocol.ts';
import { otherJson, Received } from './received.ts';

/** Whether a payload is from this API. */
export function isOfResponses({ type, object }: Fields): boolean {
  return object === 'response' || stringOrNull(type)?.startsWith('response.') === true;
}

/** The elements of a list, as objects. */
const objectsOf = (list: unknown) => (Array.isArray(list) ? list.map(objectOf) : []);

/** `badUrl`: advice when the JSON is not a response. */
export function responsesReader(badUrl: string): Reader {
  const received = new Received();
  let sawResponse = false;
  let wrote = { text: false, reasoning: false };

  function takeItem(item: Fields): void {
    const type = stringOrNull(item.type) ?? '';
    if (/_call$/.test(type)) received.tool = stringOrNull(item.name) ?? type;
  }

  /** The texts of a complete response that were not streamed before. */
  function textsOf(response: Fields): Piece {
    const items = objectsOf(response.output);
    const parts = items.filter(({ type }) => type === 'message').flatMap(({ content }) => objectsOf(content));
    const thoughts = items
      .filter(({ type }) => type === 'reasoning')
      .flatMap(({ content, summary }) => [...objectsOf(summary), ...objectsOf(content)]);
    if (received.refusal === '') received.refusal = parts.map((part) => stringOrNull(part.refusal) ?? '').join('');
    const join = (list: Fields[]) => list.map((part) => stringOrNull(part.text) ?? '').join('');
    return {
      ...(!wrote.text && { text: join(parts) }),
      ...(!wrote.reasoning && { reasoning: join(thoughts) }),
    };
  }

  function takeResponse(response: Fields, isLast: boolean): Piece {
    sawResponse = true;
    received.takeNames(response.model, response.id);
    received.usage = usageOf(objectOf(response.usage)) ?? received.usage;
    for (const item of objectsOf(response.output)) takeItem(item);
    const { status, error } = response;
    if (error !== undefined && error !== null) throw new AnsweredError({ error });
    if (!isLast) return {};
    received.finishReason = nameOrNull(objectOf(response.incomplete_details).reason) ?? nameOrNull(status);
    return seen({ ...textsOf(response), done: true });
  }

  function seen(piece: Piece): Piece {
    const has = (text: string | undefined) => (text ?? '') !== '';
    wrote = { text: wrote.text || has(piece.text), reasoning: wrote.reasoning || has(piece.reasoning) };
    return piece;
  }

  return {
    take(payload) {
      if (payload.object === 'response') return takeResponse(payload, true);
      const delta = stringOrNull(payload.delta) ?? '';
      switch (payload.type) {
        case 'response.created':
        case 'response.in_progress':
        case 'response.queued':
          return takeResponse(objectOf(payload.response), false);
        case 'response.output_text.delta':
          return seen({ text: delta });
        case 'response.reasoning_summary_text.delta':
        case 'response.reasoning_text.delta':
          return seen({ reasoning: delta });
        case 'response.reasoning_summary_part.added':
          return wrote.reasoning ? { reasoning: '\n\n' } : {};
        case 'response.refusal.delta':
          received.refusal += delta;
          return {};
        case 'response.output_item.added':
          takeItem(objectOf(payload.item));
          return {};
        case 'response.completed':
        case 'response.incomplete':
        case 'response.failed':
        case 'response.cancelled':
          return takeResponse(objectOf(payload.response), true);
        default:
          if (sawResponse || isOfResponses(payload)) return {};
          throw otherJson('other than a response', payload, badUrl);
      }
    },

    end() {
      received.hasReply = sawResponse || wrote.text;
      received.hasText = wrote.text;
      return received.end('a response');
    },

    usage: () => received.usage,
  };
}

/** Null when the usage is incomplete. */
function usageOf(counts: Fields): ReportedUsage | null {
  const [promptTokens, completionTokens] = [countOrNull(counts.input_tokens), countOrNull(counts.output_tokens)];
  if (promptTokens === null || completionTokens === null) return null;
  const prompt = objectOf(counts.input_tokens_details);
  return {
    promptTokens,
    completionTokens,
    cachedTokens: countOrNull(prompt.cached_tokens),
    cacheWriteTokens: countOrNull(prompt.cache_write_tokens),
    reasoningTokens: countOrNull(objectOf(counts.output_tokens_details).reasoning_tokens),
  };
}
