/**
 * Ollama through its own API. The OpenAI-compatible API under /v1 cannot set the context size, so the server silently
 * drops the start of a prompt that exceeds its default.
 */
import { UsageError } from '../../base/errors.ts';
import { estimateTokens } from '../../base/tokens.ts';
import { type Controls, noControls, type ReasoningEffort } from '../controls.ts';
import { schemaOf } from '../reply/forms.ts';
import { AttemptFailure } from '../retry.ts';
import { countOrNull } from './answer.ts';
import type { ControlName } from './controls.ts';
import { type EndpointModel, endpointModel } from './endpoint.ts';
import { objectOf, tooLongAdvice } from './failure.ts';
import { contextFor, judgePromptCount } from './ollama-context.ts';
import { ollamaReader } from './ollama-reader.ts';
import {
  type Body,
  type Completion,
  type EndpointOptions,
  type GetJson,
  type PreparedRequest,
  type Protocol,
  shownPrompt,
} from './protocol.ts';
import { refusedParameter } from './refusals.ts';

const badUrl = 'is this the address of Ollama? Set OLLAMA_HOST or OLLAMA_BASE_URL, without a path like /v1';

/** Controls that Ollama supports. */
export const ollamaControls: readonly ControlName[] = [
  'topP',
  'stop',
  'reasoningEffort',
  'think',
  'numCtx',
  'keepAlive',
];

/** How long the model stays loaded after a call: longer than the evaluations between two calls. */
const defaultKeepAlive = '30m';

/** Ollama answers one request at a time by default, and a queued request looks like a hanging one. */
const defaultConcurrent = 1;

/** Parameters that can be omitted when the endpoint refuses them. */
const optionalParameters = ['temperature', 'top_p', 'seed', 'stop', 'num_predict', 'keep_alive'];
/**
 * These request an error instead of a cut prompt, so an error about a long prompt may name them; older servers ignore
 * them.
 */
const guards = ['truncate', 'shift'];
const unknownField = /unknown|unrecogni[sz]ed|unexpected|unsupported|extra|not (?:allowed|permitted)/i;

/**
 * Context last requested, by server and model. A new size makes Ollama reload the model, which may take longer than a
 * reply, so the size never shrinks, for all runs of this process.
 */
const contexts = new Map<string, number>();
/** After cut replies the context doubles up to this size, tokens. Longer prompts get more. */
const maxGrownContext = 2 ** 16;

/** `baseURL` ends before `/api/chat`. Throws a usage error for an effort that Ollama does not support. */
export function ollamaNative(options: EndpointOptions): EndpointModel {
  const effort = options.controls?.reasoningEffort ?? null;
  if (effort !== null && !efforts.includes(effort)) {
    const known = efforts.join(', ');
    throw new UsageError(
      `model ${options.id}`,
      `expected one of ${known} in llm.reasoning_effort, got "${effort}"; Ollama supports no others`,
    );
  }
  return endpointModel({ maxConcurrent: defaultConcurrent, ...options }, ollamaProtocol(options));
}

const efforts: readonly ReasoningEffort[] = ['none', 'low', 'medium', 'high'];

/** One field sets whether a model thinks and, for some models, how much; null: the server's default. */
function thinkOf({ think, reasoningEffort }: Controls): boolean | string | null {
  if (think === false || reasoningEffort === 'none') return false;
  return reasoningEffort ?? think;
}

/** Numbers are seconds; texts need a unit. */
function keepAliveOf({ keepAlive }: Controls): string | number {
  if (keepAlive === null) return defaultKeepAlive;
  return /^-?\d+$/.test(keepAlive) ? Number(keepAlive) : keepAlive;
}

function samplingOptions({ temperature, seed, maxTokens, controls, dropped }: PreparedRequest): Body {
  const send = (name: string) => !dropped.has(name);
  const { topP, stop } = controls;
  return {
    ...(temperature !== null && send('temperature') && { temperature }),
    ...(topP !== null && send('top_p') && { top_p: topP }),
    ...(seed !== null && send('seed') && { seed }),
    ...(stop.length > 0 && send('stop') && { stop }),
    ...(maxTokens !== null && send('num_predict') && { num_predict: maxTokens }),
  };
}

function ollamaProtocol(options: EndpointOptions): Protocol {
  const { model, apiKey } = options;
  const base = options.baseURL.replace(/\/+$/, '');
  const contextKey = `${base} ${model}`;
  let reportedCount = false;

  /** The entries of a model list. Throws when the server does not provide it. */
  async function list(path: string, get: GetJson): Promise<Record<string, unknown>[]> {
    const { models } = objectOf(await get(path));
    if (!Array.isArray(models)) throw new Error(`no list of models at ${path}`);
    return models.map(objectOf);
  }

  /** The context of the loaded model, tokens; null: not reported. */
  async function loadedContext(answered: string | null, get: GetJson): Promise<number | null> {
    try {
      const names = [answered, model, `${model}:latest`];
      const found = (await list('/api/ps', get)).find(({ name }) => names.includes(name as string));
      return typeof found?.context_length === 'number' ? found.context_length : null;
    } catch {
      // Without this answer the suspicion remains.
      return null;
    }
  }

  function cutPrompt(counted: number, sent: number, context: number): AttemptFailure {
    return new AttemptFailure(
      `a reply to a cut prompt (it read ${counted} tokens of about ${sent}, with a context of ${context})`,
      `update Ollama, ${tooLongAdvice}`,
      { retryable: false },
    );
  }

  return {
    url: `${base}/api/chat`,
    notFound: `get the model with "ollama pull ${model}", or correct its name`,
    badUrl,
    headers: apiKey === null ? {} : { authorization: `Bearer ${apiKey}` },
    forms: ['json', 'begun', 'lines'],

    body(asked) {
      const { messages, form, shape, controls, dropped } = asked;
      const context = controls.numCtx ?? Math.max(contextFor(messages), contexts.get(contextKey) ?? 0);
      if (controls.numCtx === null) contexts.set(contextKey, context);
      const send = (name: string) => !dropped.has(name);
      const think = thinkOf(controls);
      return {
        model,
        messages: messages.map(({ role, content }) => ({ role, content })),
        stream: true,
        ...(send('keep_alive') && { keep_alive: keepAliveOf(controls) }),
        ...(send('truncate') && { truncate: false }),
        ...(send('shift') && { shift: false }),
        ...(think !== null && send('think') && { think }),
        // The server decides whether a model thinks, until it refuses its own default.
        ...(think === null && !send('think') && { think: false }),
        ...(form === 'json' && shape !== null && { format: schemaOf(shape, { bounds: true, steps: false }) }),
        options: { num_ctx: context, ...samplingOptions(asked) },
      };
    },

    reader: () => ollamaReader(badUrl),

    refused(error, body) {
      const sent = [...Object.keys(body), ...Object.keys(objectOf(body.options))];
      const optional = unknownField.test(error.message) ? [...optionalParameters, ...guards] : optionalParameters;
      const parameter = refusedParameter(error, optional, sent);
      const mayDrop = body.think === undefined || thinkOf(options.controls ?? noControls) !== null;
      return parameter ?? (mayDrop && /\bthink/i.test(error.message) ? 'think' : null);
    },

    async check(completion, request, body, { get, log }): Promise<Completion> {
      const { promptTokens: counted, completionTokens } = completion.usage;
      if (counted === null) return completion;
      const sent = estimateTokens(shownPrompt(request));
      const asked = contextFor(request.messages);
      const context = Number(objectOf(body.options).num_ctx);
      const verdict = judgePromptCount(counted, sent, context);
      if (verdict === 'complete') {
        const isFull = counted + (completionTokens ?? 0) >= context;
        if (isFull && context < maxGrownContext && options.controls?.numCtx == null) {
          contexts.set(contextKey, Math.max(2 * context, contexts.get(contextKey) ?? 0));
          log(`the reply filled its context of ${context} tokens; the next one gets ${2 * context}`);
        }
        return completion;
      }
      if (verdict === 'full') throw cutPrompt(counted, sent, context);
      const loaded = await loadedContext(completion.model, get);
      if (loaded === null || loaded < asked) throw cutPrompt(counted, sent, loaded ?? context);
      // The whole prompt fits, so it was not cut: the server counts only new tokens.
      if (!reportedCount) log(`it counts only the new tokens of a prompt; its usage is estimated`);
      reportedCount = true;
      const cachedTokens = Math.max(0, sent - counted);
      return { ...completion, usage: { ...completion.usage, promptTokens: null, cachedTokens } };
    },

    /** The model's maximum context; the context grows with the prompt up to it. */
    async contextTokens(get) {
      const { model_info } = objectOf(await get('/api/show', { model }));
      const found = Object.entries(objectOf(model_info)).find(([name]) => name.endsWith('.context_length'));
      return countOrNull(found?.[1]);
    },

    async models(get) {
      return (await list('/api/tags', get)).map(({ name }) => String(name));
    },
  };
}
