/** How many tokens a reply may take when the user does not say: enough for any answer, too few for a model that never ends. */
import type { Controls } from '../controls.ts';
import type { ReplyShape } from '../reply/shape.ts';

/** For the name of a parameter and what stands around it, tokens; tokenizers that take digits one by one need most. */
const tokensPerName = 10;
/** For reasons in scripts other than Latin. */
const tokensPerCharacter = 1;
/** Room for words that were not asked for. */
const extraWords = 512;
/** Room for reasoning that nobody has ruled out. */
const unknownReasoning = { local: 4096, hosted: 12_288 };
/** Room for a model that is known to reason. */
const knownReasoning = 32_768;
/** After cuts the room is doubled, up to this many tokens. */
const maxRoom = 131_072;

/** Tokens of the wanted reply, on the safe side. */
function answerTokens({ count, values, explanationLength }: ReplyShape): number {
  const shown =
    values.kind === 'choice'
      ? values.values.map((value) => String(value))
      : [values.low, values.high].map((value) =>
          values.decimals === null ? '-0.12345678901234567' : value.toFixed(values.decimals),
        );
  const longestValue = Math.max(...shown.map((text) => text.length));
  return count * (tokensPerName + longestValue) + tokensPerCharacter * explanationLength;
}

export interface ReplyLimit {
  /** Limit of the next request, tokens; null: none is known to be enough. */
  of(shape: ReplyShape | null): number | null;
  /** The model has reasoned. */
  noteReasoning(): void;
  /** A limit that was not the user's cut a reply: the next one is longer. False when it cannot be. */
  noteCut(): boolean;
}

/** `isLocal`: a local model's time is dearer than its reasoning; hosted models reason long without showing it. */
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
