/** One question to the model: the call, and repair turns that state the problem while the replies are unusable. */
import type { Message } from '../llm/chat.ts';
import { type ForbiddenValue, type ReplyForm, type ReplyText, textOf } from '../llm/reply/shape.ts';
import { type Answer, judgeReply } from './judge.ts';
import { knownTrial } from './known-trial.ts';
import type { AskedCall, Effects, IterationContext, PastTrial, PromptContext, PromptParts, Purpose } from './method.ts';
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
  /** parameter sets that its reply shall hold */
  readonly sets: number;
  /** questions of this purpose that are asked at the same time, this one included */
  readonly sideBySide: number;
  /** trials of this iteration that its prompts show behind the history */
  readonly played: readonly PastTrial[];
  /** whether its answer is the next that is played: it is the only one, and no earlier one waits */
  readonly next: boolean;
}

/** The result of a question; `problem`: why none of its replies was usable. */
export type AskedParameters =
  | {
      /** different ones, at least one */
      readonly answers: readonly Answer[];
      /** of the call that gave them */
      readonly attempt: number;
      /** what is wrong with the others that were asked for, in a sentence; null: there are as many as that */
      readonly shortfall: string | null;
    }
  | { readonly problem: string };

/** The first of those with equal parameters. */
export function differentOnes(answers: readonly Answer[]): readonly Answer[] {
  return answers.filter(({ params }, i) => {
    const same = (other: Answer) => other.params.every((value, k) => value === params[k]);
    return !answers.slice(0, i).some(same);
  });
}

/** The calls of a question: its prompt is made when a live call needs it, once per kind of text. */
function callsOf(context: IterationContext, question: AskedQuestion) {
  const { purpose, callNumber, prompt, sets, sideBySide, played } = question;
  const { iteration } = context;
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
      const of = { ...context, trials, callNumber, sets, sideBySide, replyText: textOf(form) };
      const parts = await promptOnce(of);
      return [refusal === null ? promptMessage(parts) : repairMessage(of, parts, refusal)];
    };

  return (attempt: number, refusal: Refusal | null, forbidden: readonly ForbiddenValue[]): AskedCall => ({
    iteration,
    purpose,
    attempt,
    messages: messagesAfter(refusal),
    forbidden,
    sets,
  });
}

/** The first call of a question, as it will be made whatever else happens before it. */
export function firstCall(context: IterationContext, question: AskedQuestion): AskedCall {
  return callsOf(context, question)(0, null, []);
}

/** Asks for parameters, with up to `settings.repairTurns` repair turns; each unusable reply is recorded. */
export async function askForParameters(
  context: IterationContext,
  question: AskedQuestion,
  effects: Effects,
): Promise<AskedParameters> {
  const { policy, settings, iteration } = context;
  const { purpose, sets, played } = question;
  const spec = { count: policy.paramCount, values: policy.values, ...settings.parameters };
  const callOf = callsOf(context, question);
  let repetition: Repetition | null = null;
  let refusal: Refusal | null = null;
  for (let attempt = 0; attempt <= settings.repairTurns; attempt++) {
    const forbidden = repetition?.forbidden ?? [];
    const reply = await effects.ask(callOf(attempt, refusal, forbidden));
    // A long record is resumed in half of the time when its replies are not read again; a replay reads them.
    const { read } = reply;
    if (question.next && read?.params.length === policy.paramCount)
      return { answers: [read], attempt, shortfall: null };
    const judged = judgeReply(reply, spec, sets);
    let problem = 'problem' in judged ? judged.problem : null;
    if ('answers' in judged) {
      const different = differentOnes(judged.answers);
      const repetitions = different.map(({ params }) => repetitionOf(context, played, params));
      const fresh = different.filter((_, i) => repetitions[i] === null);
      // Repaired once: if the model insists on its parameters, they are played again.
      const mayRepair: boolean = repetition === null && attempt < settings.repairTurns;
      const repeated: Repetition | null = mayRepair && fresh.length === 0 ? repetitions[0]! : null;
      if (repeated === null) {
        if (judged.notice !== null) effects.notice(judged.notice);
        const answers = fresh.length > 0 ? fresh : different;
        return {
          answers,
          attempt,
          shortfall: answers.length < sets ? shortfallOf(answers.length, sets, judged.shortfall) : null,
        };
      }
      repetition = repeated;
      problem = repeated.problem;
    }
    refusal = { replies: attempt + 1, problem: problem ?? '' };
    await effects.refused({ iteration, purpose, attempt, problem: refusal.problem });
  }
  return { problem: refusal?.problem ?? '' };
}

/** The parameter sets that a reply lacks, in a sentence. */
function shortfallOf(found: number, sets: number, problem: string | null): string {
  const why = problem ?? 'the others repeat known points, or are missing.';
  return `The last iteration's reply gave ${found} new of the ${sets} parameter sets: ${why}`;
}
