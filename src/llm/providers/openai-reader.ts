/** Reads answers of OpenAI's chat completions, from OpenAI and compatible servers. */
import { AnsweredError, countOrNull, nameOrNull, stringOrNull } from './answer.ts';
import { type Fields, objectOf } from './failure.ts';
import type { Reader, ReportedUsage } from './protocol.ts';
import { otherJson, Received } from './received.ts';

/** `badUrl`: advice when the JSON is not a completion. */
export function openAiReader(badUrl: string): Reader {
  const received = new Received();
  let sawChoices = false;

  return {
    take(payload) {
      received.usage = usageOf(payload) ?? received.usage;
      received.takeNames(payload.model, payload.id);
      if (!('choices' in payload)) {
        if (!sawChoices && !('usage' in payload)) throw otherJson('without "choices"', payload, badUrl);
        return {};
      }
      sawChoices = true;
      const choice = firstChoice(payload.choices);
      // A stream's last chunk has the usage and no choice.
      if (Object.keys(choice).length === 0) return {};
      received.hasReply = true;
      if (choice.error !== undefined && choice.error !== null) throw new AnsweredError({ error: choice.error });
      const message = objectOf(choice.delta ?? choice.message);
      received.finishReason = nameOrNull(choice.finish_reason) ?? received.finishReason;
      received.refusal += stringOrNull(message.refusal) ?? '';
      received.tool ??= toolOf(message);
      const text = contentText(message.content) || (stringOrNull(choice.text) ?? '');
      received.hasText ||= text.trim() !== '';
      return { text, reasoning: reasoningText(message) };
    },

    end: () => received.end('a choice'),
    usage: () => received.usage,
  };
}

/**
 * The choice of index 0, or without an index; in a whole answer any other where there is none. Further choices, which
 * nobody asked for, may come first and in between.
 */
function firstChoice(choices: unknown): Fields {
  const all = Array.isArray(choices) ? choices.map(objectOf) : [];
  return all.find(({ index }) => Number(index ?? 0) === 0) ?? all.find(({ delta }) => delta === undefined) ?? {};
}

/** The text of a string or a list of parts; '' for none. Mistral's `thinking` parts are reasoning. */
function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part) => (isThought(part) ? '' : partText(part))).join('');
}

const isThought = (part: unknown) => /^(?:thinking|reasoning)/.test(stringOrNull(objectOf(part).type) ?? '');

function partText(part: unknown): string {
  if (typeof part === 'string') return part;
  const { text, thinking, summary } = objectOf(part);
  if (typeof text === 'string') return text;
  if (typeof thinking === 'string') return thinking;
  if (typeof summary === 'string') return summary;
  return [thinking, summary].flatMap((list) => (Array.isArray(list) ? list.map(partText) : [])).join('');
}

/** The reasoning from the servers' fields; equal ones are read once. */
function reasoningText(message: Fields): string {
  for (const field of ['reasoning_content', 'reasoning', 'reasoning_text', 'thinking']) {
    const value = message[field];
    if (typeof value === 'string' && value !== '') return value;
    const inner = stringOrNull(objectOf(value).content) ?? stringOrNull(objectOf(value).text);
    if (inner) return inner;
  }
  const { reasoning_details: details, content } = message;
  if (Array.isArray(details)) return details.map(partText).join('');
  return Array.isArray(content) ? content.filter(isThought).map(partText).join('') : '';
}

/** The name of a called tool; null: none. */
function toolOf({ tool_calls: calls, function_call: call }: Fields): string | null {
  const first = Array.isArray(calls) && calls.length > 0 ? objectOf(calls[0]).function : call;
  if (first === undefined || first === null) return null;
  return stringOrNull(objectOf(first).name) ?? '';
}

/** Null when the usage is incomplete. */
function usageOf(payload: Fields): ReportedUsage | null {
  const usage = objectOf(payload.usage);
  const [promptTokens, completionTokens] = [countOrNull(usage.prompt_tokens), countOrNull(usage.completion_tokens)];
  if (promptTokens === null || completionTokens === null) return null;
  const prompt = objectOf(usage.prompt_tokens_details);
  const { cache_n: reused } = objectOf(payload.timings);
  return {
    promptTokens,
    completionTokens,
    // OpenAI and OpenRouter, DeepSeek, llama.cpp.
    cachedTokens:
      countOrNull(prompt.cached_tokens) ?? countOrNull(usage.prompt_cache_hit_tokens) ?? countOrNull(reused),
    cacheWriteTokens: countOrNull(prompt.cache_write_tokens) ?? countOrNull(prompt.cache_creation_tokens),
    reasoningTokens:
      countOrNull(objectOf(usage.completion_tokens_details).reasoning_tokens) ?? countOrNull(usage.reasoning_tokens),
    ...costOf(usage),
  };
}

/** OpenRouter's price, plus the provider's own price when the user's key is used there. */
function costOf({ cost, is_byok: isByKey, cost_details: details }: Fields): {
  costUsd?: number;
} {
  const upstream = isByKey === true ? objectOf(details).upstream_inference_cost : 0;
  const costUsd = Number(cost ?? Number.NaN) + Number(upstream ?? 0);
  return Number.isFinite(costUsd) && costUsd >= 0 ? { costUsd } : {};
}
