/** How large a context a prompt needs at Ollama, and whether the server has read all of it. */
import type { Message } from '../chat.ts';

/** Smallest context that is asked for, tokens. Ollama's own default on machines with little memory. */
const minContext = 4096;
/** Room for the reply, tokens: the answer is short, the thinking before it is not. */
const replyRoom = 4096;
/** What a model's template puts around the messages, tokens; some bring a system prompt of their own. */
const templateTokens = 256;
const tokensPerMessage = 8;

const pieces = /[A-Za-z]+|\p{L}|\p{N}|[^\s\p{L}\p{N}]|\s+/gu;
/** Short for an English word; names like `rollout_reward` fall into pieces of this length. */
const lettersPerToken = 3;
/** Characters above this one take three bytes or more, and sometimes a token for each half. */
const lastShort = 0x7ff;

/**
 * More tokens than any usual tokenizer makes of a text: the digits of a number count one by one, as they do for Gemma
 * and Qwen, and so does every letter of scripts other than Latin. For sizes of buffers; `estimateTokens` is for budgets.
 */
export function maxTokensOf(text: string): number {
  let count = 0;
  for (const [piece] of text.matchAll(pieces)) {
    if (/[A-Za-z]/.test(piece)) count += Math.ceil(piece.length / lettersPerToken);
    // One blank belongs to the word after it; line breaks and indents are tokens.
    else if (piece !== ' ') count += (piece.codePointAt(0) ?? 0) > lastShort ? 2 : 1;
  }
  return count;
}

/** Context for these messages and a reply, tokens: a power of two, so that it changes seldom while prompts grow. */
export function contextFor(messages: readonly Message[]): number {
  const prompt = messages.reduce((sum, { content }) => sum + maxTokensOf(content) + tokensPerMessage, templateTokens);
  return Math.max(minContext, 2 ** Math.ceil(Math.log2(prompt + replyRoom)));
}

/** Below this, no server's context is too small, and one line more or less in the template decides the ratio, tokens. */
const minJudgedTokens = 1000;
/** `estimateTokens` is not that far off for any tokenizer. */
const minCountedShare = 0.6;

/**
 * - `full`: the context is used up by the prompt alone; the prompt has been cut, or the reply has no room.
 * - `short`: far fewer tokens than were sent. The prompt has been cut (Ollama then keeps about half a context), or the
 *   server counts only what it had not read before, as some versions do.
 * `sent`: an estimate in tokens.
 */
export function judgePromptCount(counted: number, sent: number, context: number): 'full' | 'short' | 'complete' {
  if (counted >= context) return 'full';
  return sent >= minJudgedTokens && counted < minCountedShare * sent ? 'short' : 'complete';
}
