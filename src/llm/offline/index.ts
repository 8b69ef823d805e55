/**
 * The `offline` model: NOT a language model. It is a deterministic numeric optimiser (Bayesian optimisation) that reads
 * this program's prompts and answers in their reply format. Everything around a model therefore runs without one:
 * prompts, parser, repair turns, journal, costs. It knows no environment and uses only what the prompt states. Equal
 * messages give equal replies, on every machine and in every run.
 */
import { createHash } from 'node:crypto';
import { ModelError } from '../../base/errors.ts';
import { plainNumber } from '../../base/plain-number.ts';
import { Generator } from '../../base/rng/generator.ts';
import { estimateTokens } from '../../base/tokens.ts';
import { type ChatModel, type Message, plainReply } from '../chat.ts';
import { revise } from './critic.ts';
import { type ReadPrompt, readPrompt } from './read.ts';
import { propose, proposeSets, type Suggestion } from './search.ts';

/** A generator seeded by the whole conversation, so that a repair turn draws other numbers. */
function generatorOf(messages: readonly Message[]): Generator {
  const digest = createHash('sha256').update(JSON.stringify(messages.map(({ role, content }) => [role, content])));
  return Generator.from(digest.digest().readUIntBE(0, 6));
}

const lineOf = (params: readonly number[]): string =>
  params.map((value, i) => `params[${i}]: ${plainNumber(value)}`).join(', ');

const replyText = ({ params, reason }: Suggestion): string => `${lineOf(params)}\n${reason}`;

function answerTo(read: ReadPrompt, rng: Generator): string {
  if (read.proposal) return replyText(revise(read, read.proposal, rng));
  if (read.sets === undefined) return replyText(propose(read, rng));
  const { sets, reason } = proposeSets(read, rng);
  return `${sets.map(lineOf).join('\n')}\n${reason}`;
}

/** Tokens of a call of the offline model, which follow from its texts. */
export function offlineUsage(messages: readonly Message[], text: string) {
  const promptTokens = messages.reduce((sum, { content }) => sum + estimateTokens(content), 0);
  return { promptTokens, completionTokens: estimateTokens(text) };
}

export const offline: ChatModel = {
  id: 'offline',
  kind: 'offline',
  replyForms: ['lines'],

  async complete({ messages }) {
    const prompt = messages.find(({ role }) => role === 'user');
    if (!prompt) throw new ModelError('offline', 'expected a user message, got none; send the prompt as one');
    const read = readPrompt(prompt.content);
    const text = answerTo(read, generatorOf(messages));
    return plainReply({ text, usage: offlineUsage(messages, text), model: 'offline' });
  },
};
