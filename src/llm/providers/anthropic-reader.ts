/** Reads answers of Anthropic's messages API: server-sent events, or one message. */
import { AttemptFailure } from '../retry.ts';
import { countOrNull, nameOrNull, noUsage, shownBody, stringOrNull, truncationAdvice } from './answer.ts';
import { excerpt, objectOf } from './failure.ts';
import { filtered, finishOf, toolsCalled } from './finish.ts';
import type { Piece, Reader, ReportedUsage } from './protocol.ts';

type Fields = Readonly<Record<string, unknown>>;

/** `badUrl`: advice when the JSON is not a message. */
export function anthropicReader(badUrl: string): Reader {
  let usage: ReportedUsage = noUsage;
  let model: string | null = null;
  let id: string | null = null;
  let stopReason: string | null = null;
  let refusal: string | null = null;
  let tool: string | null = null;
  let sawMessage = false;
  let hasText = false;

  function takeMessage(message: Fields): Piece {
    sawMessage = true;
    model = nameOrNull(message.model) ?? model;
    id = nameOrNull(message.id) ?? id;
    usage = usageOf(objectOf(message.usage), usage);
    takeEnd(message);
    const blocks = Array.isArray(message.content) ? message.content.map(objectOf) : [];
    return joined(blocks.map(takeBlock));
  }

  function takeEnd(message: Fields): void {
    stopReason = nameOrNull(message.stop_reason) ?? stopReason;
    const { category, explanation } = objectOf(message.stop_details);
    refusal = nameOrNull(explanation) ?? nameOrNull(category) ?? refusal;
  }

  function takeBlock(block: Fields): Piece {
    if (stringOrNull(block.type)?.endsWith('tool_use')) tool = `"${excerpt(stringOrNull(block.name) ?? '', 60)}"`;
    return seen({ text: stringOrNull(block.text) ?? '', reasoning: stringOrNull(block.thinking) ?? '' });
  }

  function seen(piece: Piece): Piece {
    hasText ||= (piece.text ?? '').trim() !== '';
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
          usage = usageOf(objectOf(payload.usage), usage);
          takeEnd(objectOf(payload.delta));
          return {};
        case 'message_stop':
          return { done: true };
        default:
          if (sawMessage || typeof payload.type === 'string') return {};
          throw noMessage(payload, badUrl);
      }
    },

    end() {
      if (!sawMessage) throw new AttemptFailure('an answer without a message', truncationAdvice, { retryable: true });
      if (stopReason === 'refusal' && refusal !== null) throw filtered(refusal);
      if (tool !== null && !hasText) throw toolsCalled(tool);
      return { finish: finishOf(stopReason), finishReason: stopReason, model, id, usage };
    },
  };
}

function joined(pieces: readonly Piece[]): Piece {
  return {
    text: pieces.map(({ text }) => text).join(''),
    reasoning: pieces.map(({ reasoning }) => reasoning).join(''),
  };
}

function noMessage(payload: Fields, badUrl: string): AttemptFailure {
  const shown = shownBody(JSON.stringify(payload), 'application/json');
  return new AttemptFailure(`JSON other than a message: ${shown}`, badUrl, { retryable: false });
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
