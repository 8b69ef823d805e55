/**
 * Ollama through its own API. The compatible one under /v1 cannot set the size of the context, and then a prompt that is
 * longer than the server's default loses its beginning without a word.
 */
import { estimateTokens } from '../../base/tokens.ts';
import { AttemptFailure } from '../retry.ts';
import { type EndpointModel, endpointModel } from './endpoint.ts';
import { record } from './failure.ts';
import { contextFor, judgePromptCount } from './ollama-context.ts';
import { ollamaReader } from './ollama-reader.ts';
import { type Completion, type EndpointOptions, type GetJson, type Protocol, shownPrompt } from './protocol.ts';
import { refusedParameter } from './refusals.ts';

const badUrl = 'is this the address of Ollama? Set OLLAMA_HOST or OLLAMA_BASE_URL, without a path like /v1';

/** How long the model stays loaded after a call: longer than the episodes and evaluations between two calls take. */
const keepAlive = '30m';

/** Ollama answers one request at a time by default, and one that waits in its queue looks like one that hangs. */
const defaultConcurrent = 1;

/** What can be left out when the endpoint complains about it. */
const optionalParameters = ['temperature', 'seed', 'keep_alive', 'format'];
/** These ask for an error in place of a cut prompt, so a complaint about a long prompt may name them; older servers ignore them. */
const guards = ['truncate', 'shift'];
const unknownField = /unknown|unrecogni[sz]ed|unexpected|unsupported|extra|not (?:allowed|permitted)/i;

/**
 * Context that was last asked for, by server and model. Another size makes Ollama load the model anew, which takes
 * longer than many a reply; so the size grows and never shrinks, for all runs of this process.
 */
const contexts = new Map<string, number>();
/** Room for long thinking is found by doubling, up to this context, tokens. A prompt that needs more gets more. */
const largestGrown = 2 ** 16;

/** `baseURL` ends before `/api/chat`. */
export function ollamaNative(options: EndpointOptions): EndpointModel {
  return endpointModel({ maxConcurrent: defaultConcurrent, ...options }, ollamaProtocol(options));
}

function ollamaProtocol(options: EndpointOptions): Protocol {
  const { model, apiKey } = options;
  const base = options.baseURL.replace(/\/+$/, '');
  const contextKey = `${base} ${model}`;
  let noticedCount = false;

  /** The entries of a list of models. Throws when the server does not have it. */
  async function list(path: string, get: GetJson): Promise<Record<string, unknown>[]> {
    const { models } = record(await get(path));
    if (!Array.isArray(models)) throw new Error(`no list of models at ${path}`);
    return models.map(record);
  }

  /** The context that the model is loaded with, tokens; null when the server does not say. */
  async function loadedContext(answered: string | null, get: GetJson): Promise<number | null> {
    try {
      const names = [answered, model, `${model}:latest`];
      const found = (await list('/api/ps', get)).find(({ name }) => names.includes(name as string));
      return typeof found?.context_length === 'number' ? found.context_length : null;
    } catch {
      // Without this answer the suspicion stands.
      return null;
    }
  }

  function cutPrompt(counted: number, sent: number, context: number): AttemptFailure {
    return new AttemptFailure(
      `a reply to a cut prompt (it read ${counted} tokens of about ${sent}, with a context of ${context})`,
      'use a model with a larger context, update Ollama, or lower critic.trajectory_tokens',
      { retryable: false },
    );
  }

  return {
    url: `${base}/api/chat`,
    notFound: `get the model with "ollama pull ${model}", or correct its name`,
    badUrl,
    headers: apiKey === null ? {} : { authorization: `Bearer ${apiKey}` },
    forms: ['lines'],

    body({ messages, temperature, seed, dropped }) {
      const context = Math.max(contextFor(messages), contexts.get(contextKey) ?? 0);
      contexts.set(contextKey, context);
      const send = (name: string) => !dropped.has(name);
      return {
        model,
        messages: messages.map(({ role, content }) => ({ role, content })),
        stream: true,
        ...(send('keep_alive') && { keep_alive: keepAlive }),
        ...(send('truncate') && { truncate: false }),
        ...(send('shift') && { shift: false }),
        // Whether a model thinks is the server's default, until that very default is refused.
        ...(!send('think') && { think: false }),
        options: {
          num_ctx: context,
          ...(temperature !== null && send('temperature') && { temperature }),
          ...(seed !== null && send('seed') && { seed }),
        },
      };
    },

    reader: () => ollamaReader(badUrl),

    refused(error, body) {
      const sent = [...Object.keys(body), ...Object.keys(record(body.options))];
      const optional = unknownField.test(error.message) ? [...optionalParameters, ...guards] : optionalParameters;
      const parameter = refusedParameter(error, optional, sent);
      return parameter ?? (body.think === undefined && /\bthink/i.test(error.message) ? 'think' : null);
    },

    async check(completion, request, body, { get, log }): Promise<Completion> {
      const { promptTokens: counted, completionTokens } = completion.usage;
      if (counted === null) return completion;
      const sent = estimateTokens(shownPrompt(request));
      const asked = contextFor(request.messages);
      const context = Number(record(body.options).num_ctx);
      const verdict = judgePromptCount(counted, sent, context);
      if (verdict === 'complete') {
        if (counted + (completionTokens ?? 0) >= context && context < largestGrown) {
          contexts.set(contextKey, Math.max(2 * context, contexts.get(contextKey) ?? 0));
          log(`the reply filled its context of ${context} tokens; the next one gets ${2 * context}`);
        }
        return completion;
      }
      if (verdict === 'full') throw cutPrompt(counted, sent, context);
      const loaded = await loadedContext(completion.model, get);
      if (loaded === null || loaded < asked) throw cutPrompt(counted, sent, loaded ?? context);
      // The whole prompt fits, so it was not cut.
      if (!noticedCount) log(`it counts only the new tokens of a prompt; its usage is estimated`);
      noticedCount = true;
      return { ...completion, usage: { ...completion.usage, promptTokens: null } };
    },

    async models(get) {
      return (await list('/api/tags', get)).map(({ name }) => String(name));
    },
  };
}
