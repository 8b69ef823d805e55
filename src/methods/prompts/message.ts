/** From the parts of a prompt to the message that is sent, also in a repair turn. */
import type { Message } from '../../llm/chat.ts';
import type { PromptContext, PromptParts } from '../method.ts';
import { replyFormat, section } from './sections.ts';

/** The message of a prompt, with the places up to which later prompts of its purpose begin alike. */
export function promptMessage({ constant, history, fresh }: PromptParts): Message {
  let content = `${constant}\n\n`;
  const cacheBreaks = [content.length];
  for (const piece of history) {
    content += `${piece}\n`;
    cacheBreaks.push(content.length);
  }
  return { role: 'user', content: `${content}\n${fresh}`, cacheBreaks };
}

/** What was wrong with the replies to a prompt so far. */
export interface Refusal {
  /** replies that could not be used, at least 1 */
  readonly replies: number;
  /** with the latest of them */
  readonly problem: string;
}

/**
 * The message of a prompt after `refusal`. The reply itself is not shown again: models answer it with the same one. The
 * number of replies is stated, so that two turns that failed alike are still two texts.
 */
export function repairMessage(context: PromptContext, prompt: PromptParts, refusal: Refusal): Message {
  const { replies, problem } = refusal;
  const lines = [
    replies === 1
      ? `An earlier reply could not be used: ${problem}`
      : `${replies} earlier replies could not be used. The latest: ${problem}`,
    replyFormat(context),
  ];
  return promptMessage({ ...prompt, fresh: `${prompt.fresh}\n\n${section('Answer again', lines)}` });
}
