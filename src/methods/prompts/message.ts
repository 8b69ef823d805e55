/** From the parts of a prompt to the message that is sent, also in a repair turn. */
import { R2poError } from '../../base/errors.ts';
import type { Message } from '../../llm/chat.ts';
import type { PromptContext, PromptParts, Purpose } from '../method.ts';
import { replyFormat, section } from './sections.ts';

const isText = (value: unknown): boolean => typeof value === 'string';

/** The kind of a value, in words. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isText(value)) return 'a text';
  return value === undefined || value === null ? String(value) : `a ${typeof value}`;
}

/** What a prompt of `method` gave. Throws where a part is missing or another thing, which would be sent as "undefined". */
export function checkedParts(method: string, purpose: Purpose, parts: PromptParts): PromptParts {
  const { constant, history, fresh } = (parts ?? {}) as Partial<PromptParts>;
  const isList = Array.isArray(history) && history.every(isText);
  const fields: readonly [string, string, unknown, boolean][] = [
    ['a text', 'constant', constant, isText(constant)],
    ['a list of texts', 'history', history, isList],
    ['a text', 'fresh', fresh, isText(fresh)],
  ];
  const wrong = fields.find(([, , , fits]) => !fits);
  if (wrong === undefined) return parts;
  const [what, key, got] = wrong;
  throw new R2poError(
    `method ${method}`,
    `expected ${what} under "${key}" of its ${purpose} prompt, got ${kindOf(got)}; return { constant, history, fresh }`,
  );
}

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
