/** Reads answers of Ollama's `/api/chat`: one JSON document per line, the last one with the token counts. */
import { AttemptFailure } from '../retry.ts';
import { countOrNull, nameOrNull, noUsage, stringOrNull } from './answer.ts';
import { type Fields, objectOf } from './failure.ts';
import { finishOf, toolsCalled } from './finish.ts';
import type { Reader } from './protocol.ts';
import { otherJson } from './received.ts';

/** `badUrl`: advice when the JSON is not from Ollama. */
export function ollamaReader(badUrl: string): Reader {
  let last: Fields = {};
  let sawMessage = false;
  let hasText = false;
  let callsTools = false;
  const usage = () => ({
    ...noUsage,
    promptTokens: countOrNull(last.prompt_eval_count),
    completionTokens: countOrNull(last.eval_count),
  });
  return {
    take(payload) {
      last = payload;
      if (typeof payload.message !== 'object' || payload.message === null) {
        if (sawMessage || payload.done === true) return {};
        throw otherJson('without "message"', payload, badUrl);
      }
      sawMessage = true;
      const message = objectOf(payload.message);
      const text = stringOrNull(message.content) ?? '';
      hasText ||= text.trim() !== '';
      callsTools ||= Array.isArray(message.tool_calls) && message.tool_calls.length > 0;
      return { text, reasoning: stringOrNull(message.thinking) ?? '' };
    },

    end() {
      const finishReason = nameOrNull(last.done_reason);
      if (finishReason === 'load' || finishReason === 'unload') {
        const problem = `no reply, only that the model was ${finishReason}ed`;
        throw new AttemptFailure(problem, 'check the log of Ollama for why it loads or unloads the model', {
          retryable: true,
        });
      }
      if (callsTools && !hasText) throw toolsCalled('"tool_calls"');
      const isDone = last.done === true;
      return {
        // Old versions report no reason.
        finish: isDone ? (finishOf(finishReason) ?? 'stop') : null,
        needsEnd: true,
        finishReason,
        model: nameOrNull(last.model),
        id: null,
        usage: usage(),
      };
    },

    usage,
  };
}
