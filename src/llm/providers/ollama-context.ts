/** Estimates the context that a prompt needs at Ollama, and judges whether the server read all of it. */
import type { Message } from '../chat.ts';

/** Minimum context to request, tokens; Ollama's default on machines with little memory. */
const minContext = 4096;
/** Tokens reserved for the reply: the answer is short, but thinking may precede it. */
const replyRoom = 4096;
/** Tokens of the template around the messages; some templates contain a system prompt. */
const templateTokens = 256;
const tokensPerMessage = 8;

const pieces = /[A-Za-z]+|\p{L}|\p{N}|[^\s\p{L}\p{N}]|\s+/gu;
/** A low figure for English words, because names like `rollout_reward` split into pieces of this length. */
const lettersPerToken = 3;
/** Characters above this one take three bytes or more, and sometimes two tokens. */
const lastShort = 0x7ff;

/**
 * Upper bound on the tokens of a text for common tokenizers: each digit counts as one token, as in Gemma and Qwen, and
 * so does each letter of non-Latin scripts. Use it for buffer sizes and `estimateTokens` for budgets.
 */
export function maxTokensOf(text: string): number {
  let count = 0;
  for (const [piece] of text.matchAll(pieces)) {
    if (/[A-Za-z]/.test(piece)) count += Math.ceil(piece.length / lettersPerToken);
    // A single space belongs to the next word; line breaks and indents are tokens.
    else if (piece !== ' ') count += (piece.codePointAt(0) ?? 0) > lastShort ? 2 : 1;
  }
  return count;
}

/** Context for these messages and a reply, tokens: a power of two, so that it rarely changes while prompts grow. */
export function contextFor(messages: readonly Message[]): number {
  const prompt = messages.reduce((sum, { content }) => sum + maxTokensOf(content) + tokensPerMessage, templateTokens);
  return Math.max(minContext, 2 ** Math.ceil(Math.log2(prompt + replyRoom)));
}

/**
 * Shorter prompts are not judged, tokens: they fit into every server's context, and the template dominates the ratio.
 */
const minJudgedTokens = 1000;
/** A lower share of `estimateTokens` is suspicious: no tokenizer deviates that far. */
const minCountedShare = 0.6;

/**
 * - `full`: the prompt alone fills the context, so it was cut, or the reply has no room.
 * - `short`: far fewer tokens than were sent. The prompt has been cut (Ollama then keeps about half a context), or the
 *   server counts only what it had not read before, as some versions do.
 * `sent`: an estimate in tokens.
 */
export function judgePromptCount(counted: number, sent: number, context: number): 'full' | 'short' | 'complete' {
  if (counted >= context) return 'full';
  return sent >= minJudgedTokens && counted < minCountedShare * sent ? 'short' : 'complete';
}
