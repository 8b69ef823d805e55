/** One question to the model: the call, and further turns that say what was wrong while its replies cannot be used. */
import type { Message } from '../llm/chat.ts';
import { parseReply } from '../llm/parse.ts';
import type { Effects, PromptContext, Purpose } from './method.ts';
import { repairMessages } from './prompts/repair.ts';

export interface Answer {
  readonly params: readonly number[];
  /** what the parser changed (rounded, clipped), in words */
  readonly adjustments: readonly string[];
}

/**
 * Asks for parameters, with up to `settings.repairTurns` repair turns; each unusable reply goes on the record. Null when
 * none could be used. `prompt` runs only when a live call needs its text, and then once.
 */
export async function askForParameters(
  context: PromptContext,
  purpose: Purpose,
  prompt: () => Promise<string>,
  effects: Effects,
): Promise<Answer | null> {
  const { policy, settings, iteration } = context;
  let text: Promise<string> | undefined;
  const promptOnce = () => {
    text ??= prompt();
    return text;
  };
  const expected = { count: policy.paramCount, values: policy.values, ...settings.parameters };

  let messages = async (): Promise<readonly Message[]> => [{ role: 'user', content: await promptOnce() }];
  for (let attempt = 0; attempt <= settings.repairTurns; attempt++) {
    const reply = await effects.ask({ iteration, purpose, attempt, messages });
    const parsed = parseReply(reply.text, expected);
    if (parsed.ok) return { params: parsed.params, adjustments: parsed.adjustments };
    const { problem } = parsed;
    await effects.refused({ iteration, purpose, attempt, problem });
    messages = async () => repairMessages(context, { prompt: await promptOnce(), reply: reply.text, problem });
  }
  return null;
}
