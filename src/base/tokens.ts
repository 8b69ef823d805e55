/**
 * How long a text is for a language model, without its tokenizer. Every tokenizer cuts differently; four characters
 * per token is the usual rule for English. Tables of numbers come out at two to three, so treat an estimate as a budget
 * for our own texts and never as a bill: where the endpoint reports usage, that is what counts.
 */
export const charactersPerToken = 4;

/** Estimated number of tokens of `text`; 0 only for the empty text. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / charactersPerToken);
}
