/** Reads answers of Gemini's own API: server-sent events or one response, in the same form. */
import { countOrNull, nameOrNull, stringOrNull } from './answer.ts';
import { type Fields, objectOf } from './failure.ts';
import { filtered } from './finish.ts';
import type { Reader, ReportedUsage } from './protocol.ts';
import { otherJson, Received } from './received.ts';

/** `badUrl`: advice when the JSON is not from this API. */
export function geminiReader(badUrl: string): Reader {
  const received = new Received();
  return {
    take(payload) {
      const { candidates, usageMetadata, modelVersion, responseId, promptFeedback } = payload;
      if (![candidates, usageMetadata, modelVersion, promptFeedback].some((field) => field !== undefined)) {
        throw otherJson('without "candidates"', payload, badUrl);
      }
      received.usage = usageOf(objectOf(usageMetadata)) ?? received.usage;
      received.takeNames(modelVersion, responseId);
      const blocked = nameOrNull(objectOf(promptFeedback).blockReason);
      if (blocked !== null) throw filtered(`the prompt: ${blocked}`);
      const all = Array.isArray(candidates) ? candidates.map(objectOf) : [];
      // Further candidates, which nobody asked for, may come first.
      const candidate = all.find(({ index }) => (index ?? 0) === 0) ?? {};
      received.hasReply ||= Object.keys(candidate).length > 0;
      received.finishReason = nameOrNull(candidate.finishReason) ?? received.finishReason;
      const { parts } = objectOf(candidate.content);
      let [text, reasoning] = ['', ''];
      for (const part of Array.isArray(parts) ? parts.map(objectOf) : []) {
        const call = objectOf(part.functionCall ?? part.executableCode);
        if (Object.keys(call).length > 0) received.tool = stringOrNull(call.name) ?? 'code';
        if (part.thought === true) reasoning += stringOrNull(part.text) ?? '';
        else text += stringOrNull(part.text) ?? '';
      }
      received.hasText ||= text.trim() !== '';
      return { text, reasoning };
    },

    end: () => received.end('a candidate'),
    usage: () => received.usage,
  };
}

/** Thoughts are counted separately from candidates. Null when the usage is incomplete. */
function usageOf(counts: Fields): ReportedUsage | null {
  const promptTokens = countOrNull(counts.promptTokenCount);
  const written = countOrNull(counts.candidatesTokenCount);
  const reasoningTokens = countOrNull(counts.thoughtsTokenCount);
  if (promptTokens === null || (written === null && reasoningTokens === null)) return null;
  return {
    promptTokens,
    completionTokens: (written ?? 0) + (reasoningTokens ?? 0),
    cachedTokens: countOrNull(counts.cachedContentTokenCount),
    cacheWriteTokens: null,
    reasoningTokens,
  };
}
