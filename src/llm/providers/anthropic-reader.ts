/** Reads answers of Anthropic's messages API: server-sent events, or one message. */
import { countOrNull, nameOrNull, stringOrNull } from './answer.ts';
import { type Fields, objectOf } from './failure.ts';
import { filtered } from './finish.ts';
import type { Piece, Reader, ReportedUsage } from './protocol.ts';
import { otherJson, Received } from './received.ts';

/** `badUrl`: advice when the JSON is not a message. */
export function anthropicReader(badUrl: string): Reader {
  const received = new Received();
  /** why the API refused */
  let refusal: string | null = null;

  function takeMessage(message: Fields): Piece {
    received.hasReply = true;
    received.takeNames(message.model, message.id);
    received.usage = usageOf(objectOf(message.usage), received.usage);
    takeEnd(message);
    const blocks = Array.isArray(message.content) ? message.content.map(objectOf) : [];
    return joined(blocks.map(takeBlock));
  }

  function takeEnd(message: Fields): void {
    received.finishReason = nameOrNull(message.stop_reason) ?? received.finishReason;
    const { category, explanation } = objectOf(message.stop_details);
    refusal = nameOrNull(explanation) ?? nameOrNull(category) ?? refusal;
  }

  function takeBlock(block: Fields): Piece {
    if (stringOrNull(block.type)?.endsWith('tool_use')) received.tool = stringOrNull(block.name) ?? '';
    return seen({ text: stringOrNull(block.text) ?? '', reasoning: stringOrNull(block.thinking) ?? '' });
  }

  function seen(piece: Piece): Piece {
    received.hasText ||= (piece.text ?? '').trim() !== '';
    return piece;
  }

  return {
    take(payload) {
      switch (payload.type) {
        case 'message_start':
          return takeMessage(objectOf(payload.message));
        case 'message':
          return takeMessage(payload);
        case 'content_block_start':
          return takeBlock(objectOf(payload.content_block));
        case 'content_block_delta': {
          const delta = objectOf(payload.delta);
          return seen({ text: stringOrNull(delta.text) ?? '', reasoning: stringOrNull(delta.thinking) ?? '' });
        }
        case 'message_delta':
          received.usage = usageOf(objectOf(payload.usage), received.usage);
          takeEnd(objectOf(payload.delta));
          return {};
        case 'message_stop':
          return { done: true };
        default:
          if (received.hasReply || typeof payload.type === 'string') return {};
          throw otherJson('other than a message', payload, badUrl);
      }
    },

    end() {
      const { hasReply, finishReason } = received;
      if (hasReply && finishReason === 'refusal' && refusal !== null) throw filtered(refusal);
      return received.end('a message');
    },

    usage: () => received.usage,
  };
}

function joined(pieces: readonly Piece[]): Piece {
  return {
    text: pieces.map(({ text }) => text).join(''),
    reasoning: pieces.map(({ reasoning }) => reasoning).join(''),
  };
}

/** Later counts cover the whole answer. `input_tokens` excludes tokens read from or written to the cache. */
function usageOf(counts: Fields, before: ReportedUsage): ReportedUsage {
  const fresh = countOrNull(counts.input_tokens);
  const cachedTokens = countOrNull(counts.cache_read_input_tokens) ?? before.cachedTokens;
  const cacheWriteTokens = countOrNull(counts.cache_creation_input_tokens) ?? before.cacheWriteTokens;
  return {
    promptTokens: fresh === null ? before.promptTokens : fresh + (cachedTokens ?? 0) + (cacheWriteTokens ?? 0),
    completionTokens: countOrNull(counts.output_tokens) ?? before.completionTokens,
    cachedTokens,
    cacheWriteTokens,
    reasoningTokens: countOrNull(objectOf(counts.output_tokens_details).thinking_tokens) ?? before.reasoningTokens,
  };
}
