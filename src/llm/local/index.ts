/**
 * A model that runs in this process: a GGUF file evaluated by llama.cpp through the optional package `node-llama-cpp`.
 * It needs no server, no network and no key.
 */

import { basename } from 'node:path';
import { performance } from 'node:perf_hooks';
import { orInterrupted, throwIfInterrupted } from '../../base/async.ts';
import { quotedArgument } from '../../base/command-line.ts';
import { ModelError, UsageError } from '../../base/errors.ts';
import type { CallOptions, ChatModel, ChatReply, ChatRequest } from '../chat.ts';
import { plainReply, ReplyFormRefused } from '../chat.ts';
import { type Controls, noControls } from '../controls.ts';
import { type ControlName, requireControls } from '../providers/controls.ts';
import { excerpt, newSettings, tooLongAdvice } from '../providers/failure.ts';
import { presets } from '../providers/presets.ts';
import { replyLimit } from '../providers/reply-limit.ts';
import { gbnfOf, prefillOf } from '../reply/forms.ts';
import type { ReplyForm, ReplyShape } from '../reply/shape.ts';
import { type ContextSettings, type Engine, engineOf } from './engine.ts';
import { type Generated, generate } from './generate.ts';
import { checkGgufFile, checkThreads } from './gguf-file.ts';
import { type GgufName, ggufForm, ggufName, readGgufName } from './name.ts';
import { type LoadedPackage, loadPackage } from './package.ts';

export { ggufForm } from './name.ts';

export interface LocalSettings {
  /** longest time for one reply, s */
  readonly timeoutSeconds: number;
  /** default: all are left to the model */
  readonly controls?: Controls;
  /** receives one-line messages for the user when a call has no log of its own */
  readonly log?: (line: string) => void;
  /** number of parallel runs; default 1 */
  readonly concurrentRuns?: number;
  /** opens the package that evaluates models; default: the installed one */
  readonly openPackage?: (unit: string) => Promise<LoadedPackage>;
}

/** Limit of replies without a shape, and the minimum that a prompt must leave for the reply, tokens. */
const shapelessReplyTokens = 1024;
const minReplyTokens = 64;

/** Throws a usage error for controls that models in this process do not support. */
function checkControls(id: string, controls: Controls, name: GgufName): void {
  const has: readonly ControlName[] = ['topP', 'stop', 'think', 'reasoningEffort', 'numCtx'];
  const others = presets.map((preset) => ({ form: `${preset.id}/${preset.form}`, controls: preset.controls }));
  requireControls(id, { form: ggufForm, controls: has }, others, controls);
  const refuse = (key: string, advice: string) => {
    throw new UsageError(`llm.${key}`, `expected none, since ${id} runs in this process; ${advice}`);
  };
  if (Object.keys(controls.extraBody).length > 0) refuse('extra_body', 'leave it empty; only endpoints support it');
  if (Object.keys(controls.headers).length > 0) refuse('headers', 'leave it empty; only endpoints support them');
  if (controls.numCtx !== null && name.ctx !== null && controls.numCtx !== name.ctx) {
    throw new UsageError(
      'llm.num_ctx',
      `expected one context size, got num_ctx ${controls.numCtx} and ctx=${name.ctx} in the model's name; leave one out`,
    );
  }
}

function contextOf(unit: string, engine: Engine, name: GgufName, controls: Controls): ContextSettings {
  const asked = name.ctx ?? controls.numCtx;
  const trained = engine.model.trainContextSize;
  if (asked !== null && asked > trained) {
    throw new UsageError(
      unit,
      `expected ctx=1 ... ${trained}, which the model was trained with, got ${asked}; lower it`,
    );
  }
  return { contextSize: asked ?? engine.defaultContextSize, threads: name.threads };
}

/**
 * How a run gets a context for `prompt` tokens and a reply of up to `reply` tokens. A run that has begun keeps its model and
 * `llm.num_ctx`, but not its fallbacks, to which `llm.num_ctx` applies as well.
 */
function roomAdvice(name: GgufName, { numCtx }: Controls, trained: number, prompt: number, reply: number): string {
  if (prompt + minReplyTokens > trained) return `the model was trained with at most ${trained}: ${tooLongAdvice}`;
  const ctx = Math.min(prompt + reply, trained);
  const more = ctx === trained ? '' : ` or more (at most ${trained})`;
  if (numCtx !== null) return `set llm.num_ctx=${ctx}${more} ${newSettings}`;
  const fallback = quotedArgument(`llm.fallback=${JSON.stringify([ggufName({ ...name, ctx })])}`);
  return `add ${fallback}, the same file with ctx=${ctx}${more}`;
}

/**
 * Loads the file. `argument`: what follows `gguf:`. Throws a usage error that names what is missing or does not fit.
 */
export async function ggufModel(argument: string, settings: LocalSettings): Promise<ChatModel> {
  const id = `gguf:${argument}`;
  const unit = `model ${id}`;
  const controls = settings.controls ?? noControls;
  const name = readGgufName(argument);
  checkControls(id, controls, name);
  checkThreads(unit, name.threads);
  const engine = await engineOf(
    unit,
    checkGgufFile(unit, name.path),
    name.gpu,
    settings.openPackage ?? ((name) => loadPackage(name)),
  );
  engine.template.check(controls);
  const context = contextOf(unit, engine, name, controls);
  const note = (line: string) => settings.log?.(`${id}: ${line}`);
  await engine.turns(() => engine.reserve(context, settings.concurrentRuns ?? 1, note));
  if (engine.template.notice !== null) note(engine.template.notice);

  const mayReason = engine.template.marks !== null && controls.think !== false;
  // A model that may reason first cannot be prefilled.
  let forms: readonly ReplyForm[] = mayReason ? ['grammar', 'lines'] : ['grammar', 'begun', 'lines'];

  const limit = replyLimit(mayReason ? controls : { ...controls, think: false }, true);

  async function grammarOf(shape: ReplyShape): Promise<object> {
    try {
      return await engine.llama.createGrammar({ grammar: gbnfOf(shape) });
    } catch (error) {
      forms = forms.filter((form) => form !== 'grammar');
      throw new ReplyFormRefused('grammar', excerpt((error as Error).message));
    }
  }

  async function answer(request: ChatRequest, options: CallOptions, signal: AbortSignal): Promise<Generated> {
    const log = options.log ?? note;
    const form = request.constraint?.form ?? 'lines';
    const shape = request.constraint?.shape ?? null;
    const prompt = engine.template.prompt(request.messages, controls);
    const room = context.contextSize - prompt.tokens.length;
    const wanted = limit.of(shape) ?? shapelessReplyTokens;
    if (room < minReplyTokens) {
      throw new ModelError(
        unit,
        `expected a prompt of at most ${context.contextSize - minReplyTokens} tokens, got ${prompt.tokens.length}; ` +
          roomAdvice(name, controls, engine.model.trainContextSize, prompt.tokens.length, wanted),
      );
    }
    const sequence = await engine.sequence(options.run ?? '', request.purpose ?? '', context, log);
    const generated = await generate(engine, sequence, {
      prompt,
      temperature: request.temperature,
      topP: controls.topP,
      seed: request.seed,
      stop: controls.stop,
      prefill: form === 'begun' && shape !== null ? prefillOf(shape) : '',
      grammar: form === 'grammar' && shape !== null ? await grammarOf(shape) : null,
      maxTokens: Math.min(room, wanted),
      values: (shape?.count ?? 0) * (shape?.sets ?? 1),
      check: () => signal.throwIfAborted(),
      onProgress: (progress) => options.onProgress?.(progress),
    });
    if (generated.reasoning !== null) limit.noteReasoning();
    if (generated.finish === 'length' && wanted < room) limit.noteCut();
    return generated;
  }

  return {
    id,
    kind: 'model',
    get replyForms() {
      return forms;
    },
    contextTokens: async () => context.contextSize,
    maxContextTokens: engine.model.trainContextSize,
    countTokens: (text) => engine.model.tokenize(text, false).length,
    async complete(request, options = {}): Promise<ChatReply> {
      throwIfInterrupted(options.signal);
      if (engine.turns.activeCount > 0) options.onProgress?.({ state: 'queued' });
      const limit = new AbortController();
      let started = performance.now();
      const task = engine.turns(async () => {
        limit.signal.throwIfAborted();
        started = performance.now();
        const timer = setTimeout(() => limit.abort(), settings.timeoutSeconds * 1000);
        try {
          return await answer(request, options, limit.signal);
        } finally {
          clearTimeout(timer);
        }
      });
      const generated = await untilAborted(task, options.signal, limit, () => {
        const advice = 'use a smaller model, a GPU or more threads, or raise llm.timeout_s';
        return new ModelError(unit, `expected a reply within ${settings.timeoutSeconds} s, got none; ${advice}`);
      });
      return plainReply({
        ...generated,
        latencySeconds: (performance.now() - started) / 1000,
        requests: 1,
        model: engine.model.fileInfo.metadata.general?.name ?? basename(name.path),
        answeredBy: id,
      });
    },
  };
}

/**
 * The result of `task`. Rejects immediately when the user's signal fires; the task itself ends between two tokens,
 * because `limit` is aborted.
 */
async function untilAborted<T>(
  task: Promise<T>,
  signal: AbortSignal | undefined,
  limit: AbortController,
  timedOut: () => Error,
): Promise<T> {
  const onAbort = () => limit.abort();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await orInterrupted(task, signal);
  } catch (error) {
    throwIfInterrupted(signal);
    throw limit.signal.aborted ? timedOut() : error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}
