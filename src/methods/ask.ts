/** One question to the model: the call, and repair turns that state the problem while the replies are unusable. */
import type { Message } from '../llm/chat.ts';
import { type ForbiddenValue, type ReplyForm, type ReplyText, textOf } from '../llm/reply/shape.ts';
import { type Answer, judgeReply } from './judge.ts';
import type { Effects, IterationContext, PromptContext, PromptParts, Purpose, Trial } from './method.ts';
import { promptMessage, type Refusal, repairMessage } from './prompts/message.ts';
import { trialName } from './prompts/sections.ts';

/** Index of the trial with these parameters, from 0; null: none. */
export function knownTrial(trials: readonly Trial[], params: readonly number[]): number | null {
  // A plain loop: each reply of a long run is compared with thousands of trials.
  const count = params.length;
  for (let t = 0; t < trials.length; t++) {
    const known = trials[t]!.params;
    let i = 0;
    while (i < count && known[i] === params[i]) i++;
    if (i === count) return t;
  }
  return null;
}

/** Parameters that were played before: what to say of them, and which of their values the next reply must not repeat. */
interface Repetition {
  readonly problem: string;
  readonly forbidden: readonly ForbiddenValue[];
}

/** Null: the history does not hold these parameters, or it may. */
function repetitionOf({ settings, trials, iteration }: IterationContext, params: readonly number[]): Repetition | null {
  if (settings.duplicates === 'allow') return null;
  const known = knownTrial(trials, params);
  if (known === null) return null;
  // Named numbers are changed where a mere "propose others" is ignored; other ones in each iteration. Small models ignore
  // these, too, and only a grammar makes them change anything.
  const first = iteration % params.length;
  const second = (first + Math.ceil(params.length / 2)) % params.length;
  const change =
    params.length === 1
      ? 'Change its number.'
      : `Change at least 2 of its numbers, for example params[${first}] and params[${second}].`;
  const indices = [...new Set([first, second])];
  return {
    problem: `That is ${trialName(known, settings.prompt)}. ${change}`,
    forbidden: indices.map((index) => ({ index, value: params[index]! })),
  };
}

/** The prompt of a question, built when a live call needs it, once per kind of text. */
export type Question = (context: PromptContext) => PromptParts | Promise<PromptParts>;

/** The result of a question; `problem`: why none of its replies was usable. */
export type AskedParameters = { readonly answer: Answer } | { readonly problem: string };

/**
 * Asks for parameters, with up to `settings.repairTurns` repair turns; each unusable reply is recorded. `callNumber`
 * counts the questions of one purpose in an iteration, from 1.
 */
export async function askForParameters(
  context: IterationContext,
  {
    purpose,
    callNumber,
    prompt,
  }: { readonly purpose: Purpose; readonly callNumber: number; readonly prompt: Question },
  effects: Effects,
): Promise<AskedParameters> {
  const { policy, settings, iteration } = context;
  const spec = { count: policy.paramCount, values: policy.values, ...settings.parameters };
  const prompts = new Map<ReplyText, Promise<PromptParts>>();
  const promptOnce = (of: PromptContext): Promise<PromptParts> => {
    const made = prompts.get(of.replyText) ?? Promise.resolve(prompt(of));
    prompts.set(of.replyText, made);
    return made;
  };
  const messagesAfter =
    (refusal: Refusal | null) =>
    async (form: ReplyForm): Promise<readonly Message[]> => {
      const of = { ...context, callNumber, replyText: textOf(form) };
      const parts = await promptOnce(of);
      return [refusal === null ? promptMessage(parts) : repairMessage(of, parts, refusal)];
    };

  let repetition: Repetition | null = null;
  let refusal: Refusal | null = null;
  for (let attempt = 0; attempt <= settings.repairTurns; attempt++) {
    const forbidden = repetition?.forbidden ?? [];
    const reply = await effects.ask({ iteration, purpose, attempt, messages: messagesAfter(refusal), forbidden });
    const judged = judgeReply(reply, spec);
    let problem = 'problem' in judged ? judged.problem : null;
    if ('answer' in judged) {
      // Repaired once: if the model insists on its parameters, they are played again.
      const mayRepair: boolean = repetition === null && attempt < settings.repairTurns;
      const repeated: Repetition | null = mayRepair ? repetitionOf(context, judged.answer.params) : null;
      if (repeated === null) {
        if (judged.notice !== null) effects.notice(judged.notice);
        return { answer: judged.answer };
      }
      repetition = repeated;
      problem = repeated.problem;
    }
    refusal = { replies: attempt + 1, problem: problem ?? '' };
    await effects.refused({ iteration, purpose, attempt, problem: refusal.problem });
  }
  return { problem: refusal?.problem ?? '' };
}
