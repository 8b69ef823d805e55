/** One question to the model: the call, and further turns that say what was wrong while its replies cannot be used. */
import type { Message } from '../llm/chat.ts';
import { type ReplyForm, type ReplyText, textOf } from '../llm/reply/shape.ts';
import { type Answer, judgeReply } from './judge.ts';
import type { Effects, IterationContext, PromptContext, PromptParts, Purpose, Trial } from './method.ts';
import { promptMessage, type Refusal, repairMessage } from './prompts/message.ts';
import { trialName } from './prompts/sections.ts';

/** Where the history holds these parameters already, from 0; null: nowhere. */
export function knownTrial(trials: readonly Trial[], params: readonly number[]): number | null {
  const index = trials.findIndex((trial) => trial.params.every((value, i) => value === params[i]));
  return index < 0 ? null : index;
}

/** What is wrong with parameters that the history holds, where that is not allowed; null otherwise. */
function repetition({ settings, trials, iteration }: IterationContext, params: readonly number[]): string | null {
  if (settings.duplicates === 'allow') return null;
  const known = knownTrial(trials, params);
  if (known === null) return null;
  // Named numbers are changed where a mere "propose others" is not heard; other ones in each iteration.
  const first = iteration % params.length;
  const second = (first + Math.ceil(params.length / 2)) % params.length;
  const change =
    params.length === 1
      ? 'Change its number.'
      : `Change at least 2 of its numbers, for example params[${first}] and params[${second}].`;
  return `That is ${trialName(known, settings.prompt)}. ${change}`;
}

/** The prompt of a question, made when a live call needs it, and once for each kind of text. */
export type Question = (context: PromptContext) => PromptParts | Promise<PromptParts>;

/** What a question led to; `problem`: why none of its replies could be used. */
export type AskedParameters = { readonly answer: Answer } | { readonly problem: string };

/**
 * Asks for parameters, with up to `settings.repairTurns` repair turns; each unusable reply goes on the record.
 * `callNumber` counts the questions of one purpose in an iteration, from 1.
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

  let sentBack = false;
  let refusal: Refusal | null = null;
  for (let attempt = 0; attempt <= settings.repairTurns; attempt++) {
    const reply = await effects.ask({ iteration, purpose, attempt, messages: messagesAfter(refusal) });
    const judged = judgeReply(reply, spec);
    let problem = 'problem' in judged ? judged.problem : null;
    if ('answer' in judged) {
      // Once: a model that insists on its parameters gets them played again.
      const mayRepair = !sentBack && attempt < settings.repairTurns;
      problem = mayRepair ? repetition(context, judged.answer.params) : null;
      if (problem === null) {
        if (judged.notice !== null) effects.notice(judged.notice);
        return { answer: judged.answer };
      }
      sentBack = true;
    }
    refusal = { replies: attempt + 1, problem: problem ?? '' };
    await effects.refused({ iteration, purpose, attempt, problem: refusal.problem });
  }
  return { problem: refusal?.problem ?? '' };
}
