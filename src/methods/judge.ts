/** Judges whether a reply is an answer: complete, outside the reasoning, and readable. */
import { parseReply, type ReplySpec } from '../llm/reply/parse.ts';
import { parseSets } from '../llm/reply/parse-sets.ts';
import { splitReasoning } from '../llm/reply/reasoning.ts';
import type { AskedReply, ProposedParameters } from './method.ts';

/** Parameters of a reply; its adjustments also name an unusual source of it. */
export type Answer = ProposedParameters;

export interface Answered {
  /** at least one, at most as many as were asked for */
  readonly answers: readonly Answer[];
  /** what is wrong with the other sets, one sentence that can be quoted to the model; null: nothing */
  readonly shortfall: string | null;
  /** notice for the user; null: none */
  readonly notice: string | null;
}

/** `problem`: one sentence that can be quoted to the model. */
export type Judgement = Answered | { readonly problem: string };

/** The answers in a reply, of which `sets` were asked for, or why there are none. Never throws. */
export function judgeReply(reply: AskedReply, spec: ReplySpec, sets = 1): Judgement {
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
  if (!empty) return fromText(text, spec, sets);
  if (reasoning === null || reasoning.trim() === '') return { problem: 'The reply is empty.' };
  return fromReasoning(reasoning, tokens, spec, sets);
}

function fromText(text: string, spec: ReplySpec, wanted: number): Judgement {
  if (wanted === 1) {
    const parsed = parseReply(text, spec);
    if (!parsed.ok) return { problem: parsed.problem };
    return { answers: [{ params: parsed.params, adjustments: parsed.adjustments }], shortfall: null, notice: null };
  }
  const { sets, problem } = parseSets(text, wanted, spec);
  if (sets.length === 0) return { problem: problem ?? 'The reply holds no parameters.' };
  const answers = sets.map(({ params, adjustments }) => ({ params, adjustments }));
  return { answers, shortfall: problem, notice: null };
}

/** Matches texts that start as requested: with the first parameter, or with the JSON object of parameters. */
const beginsAsAsked = /^(?:```\w*\s*)?[\s*_"'`{]*param(?:eter)?s?\b/i;

/**
 * Some servers return the whole reply as reasoning. It counts only if it starts with the parameters, because what
 * follows thoughts may be a draft.
 */
function fromReasoning(reasoning: string, tokens: number, spec: ReplySpec, sets: number): Judgement {
  const none = `The reply is empty; its reasoning of ${tokens} tokens holds no answer. Write the answer outside the reasoning.`;
  const { text } = splitReasoning(reasoning);
  if (!beginsAsAsked.test(text.trimStart())) return { problem: none };
  const judged = fromText(reasoning, spec, sets);
  if ('problem' in judged) return { problem: none };
  const source = 'taken from the reasoning field, as the reply itself was empty';
  return {
    ...judged,
    answers: judged.answers.map(({ params, adjustments }) => ({ params, adjustments: [source, ...adjustments] })),
    notice:
      'the reply was empty and its reasoning field held the answer, which was taken from there; ' +
      'turn off the reasoning parser of the server for this model',
  };
}
