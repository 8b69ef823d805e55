/** The conversation of a repair turn: the original prompt, the reply that could not be used, and what was wrong with it. */
import type { Message } from '../../llm/chat.ts';
import type { PromptContext } from '../method.ts';
import { replyFormat } from './shared.ts';

/** Most characters of an unusable reply that are sent back: a model that rambled shall not fill its own context. */
export const quotedReplyLimit = 2000;

function quotedReply(text: string): string {
  // Endpoints refuse a message without content.
  if (text.trim() === '') return '(the reply was empty)';
  if (text.length <= quotedReplyLimit) return text;
  const rest = text.length - quotedReplyLimit;
  return `${text.slice(0, quotedReplyLimit)}\n(cut here; ${rest} more characters are not shown)`;
}

/** Messages that ask again after `reply` to `prompt` could not be used because of `problem`. */
export function repairMessages(
  context: PromptContext,
  turn: { readonly prompt: string; readonly reply: string; readonly problem: string },
): readonly Message[] {
  return [
    { role: 'user', content: turn.prompt },
    { role: 'assistant', content: quotedReply(turn.reply) },
    {
      role: 'user',
      content: [
        `Your reply could not be used: ${turn.problem}`,
        'Answer the request above again, and reply with nothing else.',
        replyFormat(context),
      ].join('\n'),
    },
  ];
}
