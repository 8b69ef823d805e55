/** One question to the model: the call, and repair turns that state the problem while the replies are unusable. */
import type { Message } from '../llm/chat.ts';
import { type ForbiddenValue, type ReplyForm, type ReplyText, textOf } from '../llm/reply/shape.ts';
import { type Answer, judgeReply } from './judge.ts';
import { knownTrial } from './known-trial.ts';
import type { Effects, IterationContext, PastTrial, PromptContext, PromptParts, Purpose } from './method.ts';
import { promptMessage, type Refusal, repairMessage } from './prompts/message.ts';
import { trialName } from './prompts/sections.ts';

/** Parameters that were played before: what to say of them, and which of their values the next reply must not repeat. */
interface Repetition {
  readonly problem: string;
  readonly forbidden: readonly ForbiddenValue[];
}

/** Null: the history does not hold these parameters, or it may. */
function repetitionOf(
  { settings, trials, iteration }: IterationContext,
  played: readonly PastTrial[],
  params: readonly number[],
): Repetition | null {
  if (settings.duplicates === 'allow') return null;
  const known = knownTrial(trials, played, params);
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

/** What is asked, in which call. */
export interface AskedQuestion {
  readonly purpose: Purpose;
  /** of the questions of one purpose in an iteration, from 1 */
  readonly callNumber: number;
  readonly prompt: Question;
  /** trials of this iteration that its prompts show behind the history */
  readonly played: readonly PastTrial[];
}

/** The result of a question; `problem`: why none of its replies was usable. */
export type AskedParameters = { readonly answer: Answer } | { readonly problem: string };

/** Asks for parameters, with up to `settings.repairTurns` repair turns; each unusable reply is recorded. */
export async function askForParameters(
  context: IterationContext,
  { purpose, callNumber, prompt, played }: AskedQuestion,
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
      // Made only for a call that is made now: a history may be as long as a run.
      const trials = played.length === 0 ? context.trials : [...context.trials, ...played];
      const of = { ...context, trials, callNumber, replyText: textOf(form) };
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
      const repeated: Repetition | null = mayRepair ? repetitionOf(context, played, judged.answer.params) : null;
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
