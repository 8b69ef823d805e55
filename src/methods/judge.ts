/** Judges whether a reply is an answer: complete, outside the reasoning, and readable. */
import { type ParsedReply, parseReply, type ReplySpec } from '../llm/reply/parse.ts';
import { splitReasoning } from '../llm/reply/reasoning.ts';
import type { AskedReply } from './method.ts';

export interface Answer {
  readonly params: readonly number[];
  /** descriptions of changes, and of an unusual source of the answer */
  readonly adjustments: readonly string[];
}

/** `problem`: one sentence that can be quoted to the model. */
export type Judgement =
  | { readonly answer: Answer /** notice for the user; null: none */; readonly notice: string | null }
  | { readonly problem: string };

/** The answer in a reply, or why there is none. Never throws. */
export function judgeReply(reply: AskedReply, spec: ReplySpec): Judgement {
  const { text, reasoning, finish, tokens } = reply;
  const empty = text.trim() === '';
  if (finish === 'length') {
    const where = empty && reasoning !== null ? ', all of them reasoning' : '';
    return {
      problem: `The reply was cut off at the limit of ${tokens} tokens${where}, so it is no answer; give a shorter one, with the parameters first.`,
    };
  }
  if (finish === 'repetition') {
    return {
      problem: `The reply repeated itself and was cut off; write the parameters once, and then no more than is asked for.`,
    };
  }
  if (!empty) return fromParsed(parseReply(text, spec), [], null);
  if (reasoning === null || reasoning.trim() === '') return { problem: 'The reply is empty.' };
  return fromReasoning(reasoning, tokens, spec);
}

function fromParsed(parsed: ParsedReply, adjustments: readonly string[], notice: string | null): Judgement {
  if (!parsed.ok) return { problem: parsed.problem };
  return { answer: { params: parsed.params, adjustments: [...adjustments, ...parsed.adjustments] }, notice };
}

/** Matches texts that start as requested: with the first parameter, or with the JSON object of parameters. */
const beginsAsAsked = /^(?:```\w*\s*)?[\s*_"'`{]*param(?:eter)?s?\b/i;

/**
 * Some servers return the whole reply as reasoning. It counts only if it starts with the parameters, because what
 * follows thoughts may be a draft.
 */
function fromReasoning(reasoning: string, tokens: number, spec: ReplySpec): Judgement {
  const none = `The reply is empty; its reasoning of ${tokens} tokens holds no answer. Write the answer outside the reasoning.`;
  const { text } = splitReasoning(reasoning);
  if (!beginsAsAsked.test(text.trimStart())) return { problem: none };
  const parsed = parseReply(reasoning, spec);
  if (!parsed.ok) return { problem: none };
  return fromParsed(
    parsed,
    ['taken from the reasoning field, as the reply itself was empty'],
    'the reply was empty and its reasoning field held the answer, which was taken from there; ' +
      'turn off the reasoning parser of the server for this model',
  );
}
