/** Reads answers of Gemini's own API: server-sent events or one response, in the same form. */
import { AttemptFailure } from '../retry.ts';
import { countOrNull, nameOrNull, noUsage, shownBody, stringOrNull, truncationAdvice } from './answer.ts';
import { excerpt, objectOf } from './failure.ts';
import { filtered, finishOf, toolsCalled } from './finish.ts';
import type { Reader, ReportedUsage } from './protocol.ts';

/** `badUrl`: advice when the JSON is not from this API. */
export function geminiReader(badUrl: string): Reader {
  let usage: ReportedUsage = noUsage;
  let model: string | null = null;
  let id: string | null = null;
  let finishReason: string | null = null;
  let tool: string | null = null;
  let sawCandidate = false;
  let hasText = false;

  return {
    take(payload) {
      const { candidates, usageMetadata, modelVersion, responseId, promptFeedback } = payload;
      if (![candidates, usageMetadata, modelVersion, promptFeedback].some((field) => field !== undefined)) {
        const shown = shownBody(JSON.stringify(payload), 'application/json');
        throw new AttemptFailure(`JSON without "candidates": ${shown}`, badUrl, { retryable: false });
      }
      usage = usageOf(objectOf(usageMetadata)) ?? usage;
      model = nameOrNull(modelVersion) ?? model;
      id = nameOrNull(responseId) ?? id;
      const blocked = nameOrNull(objectOf(promptFeedback).blockReason);
      if (blocked !== null) throw filtered(`the prompt: ${blocked}`);
      const candidate = objectOf(Array.isArray(candidates) ? candidates[0] : null);
      sawCandidate ||= Object.keys(candidate).length > 0;
      finishReason = nameOrNull(candidate.finishReason) ?? finishReason;
      const { parts } = objectOf(candidate.content);
      let [text, reasoning] = ['', ''];
      for (const part of Array.isArray(parts) ? parts.map(objectOf) : []) {
        const call = objectOf(part.functionCall ?? part.executableCode);
        if (Object.keys(call).length > 0) tool = `"${excerpt(stringOrNull(call.name) ?? 'code', 60)}"`;
        if (part.thought === true) reasoning += stringOrNull(part.text) ?? '';
        else text += stringOrNull(part.text) ?? '';
      }
      hasText ||= text.trim() !== '';
      return { text, reasoning };
    },

    end() {
      if (!sawCandidate)
        throw new AttemptFailure('an answer without a candidate', truncationAdvice, { retryable: true });
      if (tool !== null && !hasText) throw toolsCalled(tool);
      return { finish: finishOf(finishReason), finishReason, model, id, usage };
    },
  };
}

/** Thoughts are counted separately from candidates. Null when the usage is incomplete. */
function usageOf(counts: Readonly<Record<string, unknown>>): ReportedUsage | null {
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
