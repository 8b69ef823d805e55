/** A prompt as blocks of text, some of which end what the endpoint shall keep in its cache. */
import type { Message } from '../chat.ts';

export interface TextBlock {
  readonly type: 'text';
  readonly text: string;
  readonly cache_control?: { readonly type: 'ephemeral' };
}

/**
 * Places that are kept. The first one ends what all prompts of the purpose share. The last one serves a repair turn; the
 * one before it is a place of the next prompt as well. The API allows four in all.
 */
const isKept = (index: number, count: number) => index === 0 || index >= count - 2;

/**
 * The message's text cut at its breaks, without blocks that hold no more than blanks, which the API refuses. What later
 * prompts find in the cache are beginnings that end with a block of theirs, so that every break ends a block.
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
