/** Converts an endpoint's completion to the reply of a call. */
import { estimateTokens } from '../../base/tokens.ts';
import type { ChatReply, ChatRequest } from '../chat.ts';
import { type Completion, shownPrompt } from './protocol.ts';

export function replyOf(
  completion: Completion,
  request: ChatRequest,
  call: Pick<ChatReply, 'latencySeconds' | 'requests' | 'answeredBy' | 'dropped'> & {
    /** the model's name at the endpoint, used when the answer does not report it */
    readonly model: string;
  },
): ChatReply {
  const { usage, text, reasoning, streamSeconds } = completion;
  const completionTokens = usage.completionTokens ?? estimateTokens(`${reasoning ?? ''}${text}`);
  const isMeasured = streamSeconds !== null && streamSeconds > 0 && completionTokens > 1;
  return {
    ...call,
    text,
    reasoning,
    usage: {
      ...usage,
      promptTokens: usage.promptTokens ?? estimateTokens(shownPrompt(request)),
      completionTokens,
      estimated: usage.promptTokens === null || usage.completionTokens === null,
    },
    firstTokenSeconds: completion.firstTokenSeconds,
    tokensPerSecond: isMeasured ? (completionTokens - 1) / streamSeconds : null,
    model: completion.model ?? call.model,
    finish: completion.finish,
    finishReason: completion.finishReason,
    id: completion.id,
    rateLimits: completion.rateLimits,
  };
}

/** The reply including its prefill; null: the model started anew instead of continuing. */
export function withPrefill(completion: Completion, prefill: string): Completion | null {
  const { text } = completion;
  if (text.trimStart().startsWith(prefill)) return completion;
  return text.includes(prefill) ? null : { ...completion, text: `${prefill}${text}` };
}
