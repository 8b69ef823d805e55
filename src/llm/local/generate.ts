/** One reply of a loaded model: evaluates the uncached part of the prompt, then samples token by token. */
import { performance } from 'node:perf_hooks';
import type { CallProgress, ChatReply, Usage } from '../chat.ts';
import { repetitionWatch } from '../providers/repetition.ts';
import type { Prompt } from './chat-template.ts';
import { batchSize, type Engine } from './engine.ts';
import type { EvaluateOptions, GrammarState, Sequence, Token } from './package.ts';
import { type Cut, ReplyText, tokenDecoder } from './reply-text.ts';

/** llama.cpp's defaults, so that an embedded model samples like the same file behind `llama-server`. */
const defaultTemperature = 0.8;
const defaultTopP = 0.95;
const topK = 40;
const minP = 0.05;

/**
 * Prompt tokens evaluated between two checks for an abort. Smaller pieces are slower: with 16 a processor takes 1.4
 * times as long per token as with 128.
 */
const minPiece = 128;
/** Pieces that take less than this are enlarged, for the sake of GPUs, ms. */
const minPieceTime = 150;

export interface Generation {
  readonly prompt: Prompt;
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly seed: number | null;
  readonly stop: readonly string[];
  /** start of the reply that the model continues; '': none */
  readonly prefill: string;
  /** grammar that constrains the reply; null: none */
  readonly grammar: object | null;
  readonly maxTokens: number;
  /** number of values in the reply */
  readonly values: number;
  /** throws when the call must end */
  readonly check: () => void;
  readonly onProgress: (progress: CallProgress) => void;
}

/** What a reply is known by before it has a model's name. */
export type Generated = Pick<
  ChatReply,
  'text' | 'reasoning' | 'finish' | 'finishReason' | 'firstTokenSeconds' | 'tokensPerSecond'
> & { readonly usage: Partial<Usage> };

/**
 * Truncates `sequence` to its common prefix with `tokens`; the last token is always evaluated, because sampling needs
 * it.
 */
async function keepCommon(sequence: Sequence, tokens: readonly Token[]): Promise<number> {
  const common = Math.min(sequence.compareContextTokens(tokens).firstDifferentIndex, tokens.length - 1);
  if (sequence.nextTokenIndex > common) {
    await sequence.eraseContextTokenRanges([{ start: common, end: sequence.nextTokenIndex }]);
  }
  return sequence.nextTokenIndex;
}

/** Evaluates all of `tokens` but the last, in pieces short enough to abort in between. */
async function evaluatePrompt(sequence: Sequence, tokens: readonly Token[], check: () => void): Promise<void> {
  let size = minPiece;
  while (sequence.nextTokenIndex < tokens.length - 1) {
    check();
    const start = performance.now();
    const from = sequence.nextTokenIndex;
    const piece = tokens.slice(from, Math.min(from + size, tokens.length - 1));
    await sequence.evaluateWithoutGeneratingNewTokens(piece);
    if (performance.now() - start < minPieceTime) size = Math.min(2 * size, batchSize);
  }
}

export async function generate(engine: Engine, sequence: Sequence, generation: Generation): Promise<Generated> {
  const { model, llamaCpp } = engine;
  const { prompt, prefill: begun, grammar, check, onProgress } = generation;
  const tokens = [...prompt.tokens, ...(begun === '' ? [] : model.tokenize(begun, false))];
  onProgress({ state: 'asked' });
  const started = performance.now();
  const cachedTokens = await keepCommon(sequence, tokens);
  await evaluatePrompt(sequence, tokens, check);

  const detokenize = (now: readonly Token[], before: readonly Token[]) => model.detokenize(now, true, before);
  let reply = new ReplyText(prompt.reasoning, prompt.marks, generation.stop, begun);
  let decoder = tokenDecoder(detokenize, tokens);
  let repetition = repetitionWatch(generation.values);
  let state: GrammarState | undefined;
  let firstAt: number | null = null;
  let count = 0;
  let reasoningTokens = 0;

  const options: EvaluateOptions = {
    temperature: generation.temperature ?? defaultTemperature,
    topK,
    topP: generation.topP ?? defaultTopP,
    minP,
    ...(generation.seed !== null && { seed: generation.seed }),
    grammarEvaluationState: () => state,
  };
  const constraint = () => {
    if (grammar !== null) state ??= new llamaCpp.LlamaGrammarEvaluationState({ model, grammar });
  };

  function take(piece: string): Cut | null {
    const before = reply.state;
    const cut = reply.push(piece);
    if (reply.state !== before) repetition = repetitionWatch(generation.values);
    const round = reply.state === 'start' ? null : repetition.push(piece);
    if (cut !== null || round === null) return cut;
    reply.cut(round.start);
    return { finish: 'repetition', reason: 'repetition' };
  }

  async function write(from: readonly Token[]): Promise<Cut | 'unheld'> {
    if (reply.state === 'text') constraint();
    for await (const token of sequence.evaluate(from, options)) {
      check();
      count += 1;
      firstAt ??= performance.now();
      const before = reply.state;
      const cut = take(decoder.push(token));
      if (reply.state === 'reasoning') reasoningTokens += 1;
      const seconds = (performance.now() - firstAt) / 1000;
      onProgress({
        state: reply.state === 'reasoning' ? 'reasoning' : 'writing',
        tokens: count,
        tokensPerSecond: count > 1 && seconds > 0 ? (count - 1) / seconds : null,
      });
      if (cut !== null) return cut;
      // Without an opening mark the reply has started without its constraint, so it is started again.
      if (before === 'start' && reply.state === 'text' && grammar !== null) return 'unheld';
      if (reply.state === 'text') constraint();
      if (count >= generation.maxTokens) return { finish: 'length', reason: 'length' };
    }
    const rest = take(decoder.flush());
    return rest ?? { finish: 'stop', reason: 'stop' };
  }

  let end = await write(tokens.slice(sequence.nextTokenIndex));
  if (end === 'unheld') {
    reply = new ReplyText('none', prompt.marks, generation.stop);
    decoder = tokenDecoder(detokenize, tokens);
    await keepCommon(sequence, tokens);
    end = await write(tokens.slice(sequence.nextTokenIndex));
  }
  const { finish, reason } = end as Cut;
  const seconds = firstAt === null ? 0 : (performance.now() - firstAt) / 1000;
  return {
    text: reply.text,
    reasoning: reply.reasoning,
    finish,
    finishReason: reason,
    usage: { promptTokens: tokens.length, completionTokens: count, cachedTokens, reasoningTokens, estimated: false },
    firstTokenSeconds: firstAt === null ? null : (firstAt - started) / 1000,
    tokensPerSecond: count > 1 && seconds > 0 ? (count - 1) / seconds : null,
  };
}
