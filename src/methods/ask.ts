/** One question to the model: the call, and further turns that say what was wrong while its replies cannot be used. */
import type { Message } from '../llm/chat.ts';
import { parseReply } from '../llm/reply/parse.ts';
import { type ReplyForm, type ReplyText, textOf } from '../llm/reply/shape.ts';
import type { Effects, IterationContext, Purpose } from './method.ts';
import { repairMessages } from './prompts/repair.ts';

export interface Answer {
  readonly params: readonly number[];
  /** what the parser changed (rounded, clipped), in words */
  readonly adjustments: readonly string[];
}

/** Where the history holds these parameters already, in words; null where it does not, or where that is allowed. */
function repetition({ settings, trials }: IterationContext, params: readonly number[]): string | null {
  if (settings.duplicates === 'allow') return null;
  const before = trials.findIndex((trial) => trial.params.every((value, i) => value === params[i]));
  if (before < 0) return null;
  return `these parameters were measured before, in trial ${before + 1}; propose others`;
}

/**
 * Asks for parameters, with up to `settings.repairTurns` repair turns; each unusable reply goes on the record. Null when
 * none could be used. `prompt` runs only when a live call needs its text, and then once for each kind of text.
 */
export async function askForParameters(
  context: IterationContext,
  purpose: Purpose,
  prompt: (replyText: ReplyText) => Promise<string>,
  effects: Effects,
): Promise<Answer | null> {
  const { policy, settings, iteration } = context;
  const texts = new Map<ReplyText, Promise<string>>();
  const promptOnce = (replyText: ReplyText) => {
    const text = texts.get(replyText) ?? prompt(replyText);
    texts.set(replyText, text);
    return text;
  };
  const expected = { count: policy.paramCount, values: policy.values, ...settings.parameters };

  let sentBack = false;
  let messages = async (form: ReplyForm): Promise<readonly Message[]> => [
    { role: 'user', content: await promptOnce(textOf(form)) },
  ];
  for (let attempt = 0; attempt <= settings.repairTurns; attempt++) {
    const reply = await effects.ask({ iteration, purpose, attempt, messages });
    const parsed = parseReply(reply.text, expected);
    // Once: a model that insists on its parameters gets them played again.
    const problem = parsed.ok
      ? !sentBack && attempt < settings.repairTurns
        ? repetition(context, parsed.params)
        : null
      : parsed.problem;
    if (parsed.ok && problem === null) return { params: parsed.params, adjustments: parsed.adjustments };
    if (problem === null) break;
    sentBack ||= parsed.ok;
    await effects.refused({ iteration, purpose, attempt, problem });
    messages = async (form) => {
      const replyText = textOf(form);
      const turn = { prompt: await promptOnce(replyText), reply: reply.text, problem };
      return repairMessages({ ...context, replyText }, turn);
    };
  }
  return null;
}
