/** Splits a prompt into text blocks, some of which mark the end of a prefix to cache. */
import type { Message } from '../chat.ts';

export interface TextBlock {
  readonly type: 'text';
  readonly text: string;
  readonly cache_control?: { readonly type: 'ephemeral' };
}

/**
 * Cache marks to send; the API allows four in all. The first ends what all prompts of the purpose share. The last
 * serves a repair turn, and the one before it is also a mark of the next prompt.
 */
const isKept = (index: number, count: number) => index === 0 || index >= count - 2;

/**
 * Splits the message's text at its breaks, without blank blocks, which the API refuses. The cache is matched by
 * prefixes that end at a block of the later prompt, so every break ends a block.
 */
export function cacheBlocks({ content, cacheBreaks = [] }: Message, marked: boolean): readonly TextBlock[] {
  const inside = cacheBreaks.filter((at) => at > 0 && at < content.length);
  const cuts: number[] = [];
  for (const at of inside) if (content.slice(cuts.at(-1) ?? 0, at).trim() !== '') cuts.push(at);
  if (cuts.length > 0 && content.slice(cuts.at(-1)).trim() === '') cuts.pop();
  const ends = [...cuts, content.length];
  return ends.map((end, i) => ({
    type: 'text',
    text: content.slice(i === 0 ? 0 : ends[i - 1], end),
    ...(marked && i < cuts.length && isKept(i, cuts.length) && { cache_control: { type: 'ephemeral' as const } }),
  }));
}
