/** Default token limit of replies: enough for any answer, too few for a model that never stops. */
import type { Controls } from '../controls.ts';
import type { ReplyShape } from '../reply/shape.ts';

/** Tokens per parameter name with its punctuation, for tokenizers that split digits. */
const tokensPerName = 10;
/** For explanations in non-Latin scripts. */
const tokensPerCharacter = 1;
/** Tokens for unrequested words. */
const extraWords = 512;
/** Tokens for possible reasoning. */
const unknownReasoning = { local: 4096, hosted: 12_288 };
/** Tokens for a model that is known to reason. */
const knownReasoning = 32_768;
/** The limit doubles after cuts, up to this many tokens. */
const maxRoom = 131_072;

/** Upper estimate of the expected reply, tokens. */
function answerTokens({ count, values, explanationLength, sets = 1 }: ReplyShape): number {
  const shown =
    values.kind === 'choice'
      ? values.values.map((value) => String(value))
      : [values.low, values.high].map((value) =>
          values.decimals === null ? '-0.12345678901234567' : value.toFixed(values.decimals),
        );
  const longestValue = Math.max(...shown.map((text) => text.length));
  return sets * count * (tokensPerName + longestValue) + tokensPerCharacter * explanationLength;
}

export interface ReplyLimit {
  /** Limit of the next request, tokens; null: no limit, because none is known to suffice. */
  of(shape: ReplyShape | null): number | null;
  /** Notes that the model reasons. */
  noteReasoning(): void;
  /** Raises the limit after it cut a reply. False when it is the user's or at its maximum. */
  noteCut(): boolean;
}

/**
 * `isLocal`: local models get a tighter limit, because their time is costly; hosted models may reason long without
 * showing it.
 */
export function replyLimit(controls: Controls, isLocal: boolean): ReplyLimit {
  const { maxReplyTokens, think, reasoningEffort } = controls;
  const isOff = think === false || reasoningEffort === 'none';
  let reasons = !isOff && (think === true || reasoningEffort !== null);
  let factor = 1;
  return {
    of(shape) {
      if (maxReplyTokens !== null) return maxReplyTokens;
      if (shape === null) return null;
      const room = reasons ? knownReasoning : isOff ? 0 : unknownReasoning[isLocal ? 'local' : 'hosted'];
      return Math.min(maxRoom, factor * (2 * answerTokens(shape) + extraWords + room));
    },
    noteReasoning() {
      reasons = true;
    },
    noteCut() {
      if (maxReplyTokens !== null || factor >= maxRoom) return false;
      factor *= 2;
      return true;
    },
  };
}
