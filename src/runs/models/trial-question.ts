/** One real question to a model: a small search prompt, whose reply is parsed as in a run. */
import { purposeSettings } from '../../config/purpose.ts';
import { resolveConfig } from '../../config/resolve.ts';
import type { ChatModel } from '../../llm/chat.ts';
import { ModelChain } from '../../llm/fallback.ts';
import { askForParameters, type Question } from '../../methods/ask.ts';
import { type Effects, noRemarks, type PastTrial } from '../../methods/method.ts';
import { replyShape } from '../../methods/reply-shape.ts';
import { llmUnits, resolveUnits } from '../resolve-units.ts';
import { type Asked, askModel } from './ask-model.ts';

export interface TrialAnswer {
  readonly asked: Asked;
  /** why the reply cannot be used; null: it can */
  readonly problem: string | null;
}

/** A policy of three parameters. */
const shortConfig = 'mountaincar-continuous/r2po';
const measured = [
  { params: [0.5, -1.5, 2], mean: -12.5 },
  { params: [-2, 4, 0.5], mean: -38.25 },
];

const notPlayed = (): never => {
  throw new Error('a trial question plays nothing');
};

/** Throws what `complete` throws. There are no repair turns: the first reply is tested. */
export async function askTrialQuestion(model: ChatModel, log: (line: string) => void): Promise<TrialAnswer> {
  const resolved = await resolveConfig(shortConfig, ['search.repair_turns=0', 'llm.temperature=0']);
  const { config, env, policy, settings, method } = llmUnits(resolveUnits(resolved.config));
  const trials = measured.map((trial): PastTrial => ({ ...trial, kind: 'warmup', trace: async () => notPlayed() }));
  const context = { env, policy, settings, iteration: 1, trials, remarks: noRemarks };
  let asked: Asked | null = null;
  const effects: Effects = {
    async ask({ purpose, messages }) {
      const question = {
        purpose,
        messages,
        shape: replyShape(policy, settings),
        settings: purposeSettings(config, purpose),
        seed: null,
      };
      asked = await askModel(new ModelChain(model), question, { shown: new Set(), notice: log, log });
      const { text, reasoning, finish, usage } = asked.reply;
      return { text, reasoning, finish, tokens: usage.completionTokens };
    },
    sideBySide: () => {},
    refused: async () => {},
    notice: log,
    evaluate: async () => notPlayed(),
    evaluateTogether: async () => notPlayed(),
    generation: async () => notPlayed(),
    refine: async () => notPlayed(),
    sensitivity: async () => notPlayed(),
  };
  const prompt = method.prompts.search as Question;
  const question = {
    purpose: 'search',
    callNumber: 1,
    prompt,
    sets: 1,
    sideBySide: 1,
    played: [],
    next: true,
  } as const;
  const answer = await askForParameters(context, question, effects);
  return { asked: asked ?? notPlayed(), problem: 'problem' in answer ? answer.problem : null };
}
