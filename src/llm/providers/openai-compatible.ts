/**
 * Any endpoint with OpenAI's chat-completions API. The `openai` package builds the requests; retries, timeouts,
 * decoding and messages are implemented here.
 */
import { performance } from 'node:perf_hooks';
import type OpenAI from 'openai';
import { estimateTokens } from '../../base/tokens.ts';
import { gbnfOf, regexOf } from '../reply/forms.ts';
import { countOrNull, modelIds, stringOrNull } from './answer.ts';
import type { ControlName } from './controls.ts';
import { type EndpointModel, endpointModel } from './endpoint.ts';
import { countsReply, isTooLong, objectOf } from './failure.ts';
import { openAiReader } from './openai-reader.ts';
import {
  type Body,
  type EndpointOptions,
  type EndpointTraits,
  type PreparedRequest,
  type Protocol,
  shownPrompt,
} from './protocol.ts';
import { refusedParameter } from './refusals.ts';
import { refusedKeyword, schemaFormat } from './schema-keywords.ts';
import { formsOf, hasStructuredOutputs, kindOfAnswer, type ServerKind } from './server-kind.ts';
import { slotOf } from './server-slots.ts';
import { isLocal } from './transport.ts';

const badUrl = 'is the base URL right? It usually ends in /v1';

/** Optional parameters; a request that is refused because of one is repeated without it. */
const optionalParameters = [
  'temperature',
  'top_p',
  'seed',
  'stop',
  'max_completion_tokens',
  'max_tokens',
  'reasoning_effort',
  'chat_template_kwargs',
  'id_slot',
  'cache_prompt',
  'stream_options',
  'stream',
] as const;
/** JSON Schema keywords that most servers accept; vLLM refuses `multipleOf`. */
const keywords = { bounds: true, steps: false, counts: true, lengths: true };
const limitNames = ['max_tokens', 'max_completion_tokens'] as const;

/** Headers to send; others that the client library adds are removed. */
const sentHeaders = ['accept', 'authorization', 'content-type', 'user-agent'];

/** Controls of servers named by URL. */
export const openAiControls: readonly ControlName[] = ['topP', 'stop', 'reasoningEffort', 'think'];

/** `baseURL` ends before `/chat/completions`. */
export function openAiCompatible(options: EndpointOptions): EndpointModel {
  return endpointModel(options, openAiProtocol(options));
}

function openAiProtocol(options: EndpointOptions): Protocol {
  const base = options.baseURL.replace(/\/+$/, '');
  const server: Server = { root: base.replace(/\/v\d+$/, ''), kind: 'unknown', version: null, slots: null };
  let reportedCut = false;
  let isExplored = false;

  function become(kind: ServerKind): EndpointTraits | null {
    if (kind === server.kind) return null;
    server.kind = kind;
    isExplored = false;
    return { forms: formsOf[kind] };
  }

  return {
    url: `${base}/chat/completions`,
    notFound: 'check the model name and the base URL, which usually ends in /v1',
    badUrl,
    headers: options.apiKey === null ? {} : { authorization: `Bearer ${options.apiKey}` },
    forms: formsOf.unknown,
    body: (asked) => serverBody(options.model, server, asked),
    reader: () => openAiReader(badUrl),
    send: (body, fetch, signal) => sendChat(options, body, fetch, signal),

    refused(error, body) {
      // A derived limit may exceed the context; a prompt that is too long is too long without a limit.
      if (isTooLong(error)) return (countsReply(error) && limitNames.find((name) => name in body)) || null;
      return refusedKeyword(error, body) ?? refusedParameter(error, optionalParameters, Object.keys(body));
    },

    recognise(headers, payload) {
      const kind = kindOfAnswer(headers, payload);
      return kind === null ? null : become(kind);
    },

    async explore(get, isFirst) {
      const isAskable = server.kind === 'unknown' ? isFirst && isLocal(base) : true;
      if (isExplored || !isAskable || !hasChosenPort(base)) return null;
      isExplored = true;
      if (server.kind !== 'vllm') {
        const props = objectOf(await get(`${server.root}/props`).catch(() => null));
        if (props.default_generation_settings !== undefined || props.total_slots !== undefined) {
          server.slots = countOrNull(props.total_slots) || null;
          become('llama.cpp');
          isExplored = true;
          return { forms: formsOf['llama.cpp'], ...(server.slots !== null && { maxConcurrent: server.slots }) };
        }
      }
      if (server.kind === 'llama.cpp') return null;
      server.version = stringOrNull(objectOf(await get(`${server.root}/version`)).version);
      const traits = server.version === null ? null : become('vllm');
      isExplored = true;
      return traits;
    },

    /** Some servers cut a prompt that exceeds their context, and only their token count shows it. */
    async check(completion, request, _, { log }) {
      const { promptTokens } = completion.usage;
      const expected = estimateTokens(shownPrompt(request));
      if (reportedCut || promptTokens === null || expected < 1000 || promptTokens > 0.6 * expected) return completion;
      reportedCut = true;
      log(
        `it counted ${promptTokens} prompt tokens where about ${expected} were sent, so it may have cut the prompt; ` +
          'raise its context size (Ollama: use a model name of the form ollama/<model>)',
      );
      return completion;
    },

    async contextTokens(get) {
      if (!hasChosenPort(base)) return null;
      if (server.kind === 'llama.cpp') {
        const { default_generation_settings } = objectOf(await get(`${server.root}/props`));
        return countOrNull(objectOf(default_generation_settings).n_ctx);
      }
      const { data } = objectOf(await get('/models'));
      const entries = (Array.isArray(data) ? data : []).map(objectOf);
      const entry = entries.find(({ id }) => id === options.model);
      return entry === undefined ? null : statedContext(entry);
    },

    models: async (get) => modelIds(await get('/models')),
  };
}

/** Names of the context size in model lists: vLLM, LM Studio, Groq, Mistral. */
const contextNames = [
  'max_model_len',
  'loaded_context_length',
  'context_length',
  'context_window',
  'max_context_length',
];

function statedContext(entry: Readonly<Record<string, unknown>>): number | null {
  return contextNames.map((name) => countOrNull(entry[name])).find((tokens) => tokens !== null && tokens > 0) ?? null;
}

/** Known facts about the server behind the URL. */
interface Server {
  /** the address without `/v1` */
  readonly root: string;
  kind: ServerKind;
  /** null: not reported */
  version: string | null;
  /** number of prompts it caches; null: not reported */
  slots: number | null;
}

/**
 * Whether the URL has a deliberately chosen port. Ports from 32768 on are ephemeral; servers there are not asked about
 * model-server features but recognised by their first answer.
 */
function hasChosenPort(url: string): boolean {
  const { port } = new URL(url);
  return port === '' || Number(port) < 32_768;
}

function serverBody(model: string, server: Server, asked: PreparedRequest): Body {
  const { messages, temperature, seed, maxTokens, controls, dropped } = asked;
  const send = (name: string) => !dropped.has(name);
  const limitName = limitNames.find(send);
  const { topP, stop, reasoningEffort, think } = controls;
  return {
    model,
    messages: messages.map(({ role, content }) => ({ role, content })),
    ...(temperature !== null && send('temperature') && { temperature }),
    ...(topP !== null && send('top_p') && { top_p: topP }),
    ...(seed !== null && send('seed') && { seed }),
    ...(stop.length > 0 && send('stop') && { stop }),
    ...(maxTokens !== null && limitName !== undefined && { [limitName]: maxTokens }),
    ...(reasoningEffort !== null && send('reasoning_effort') && { reasoning_effort: reasoningEffort }),
    ...(think !== null && send('chat_template_kwargs') && { chat_template_kwargs: { enable_thinking: think } }),
    ...cacheFields(server, asked),
    ...formFields(server, asked),
    ...(send('stream') && { stream: true }),
    ...(send('stream') && send('stream_options') && { stream_options: { include_usage: true } }),
  };
}

/** llama.cpp caches one prompt per slot. */
function cacheFields({ kind, root, slots }: Server, { purpose, run, dropped }: PreparedRequest): Body {
  if (kind !== 'llama.cpp') return {};
  const key = `${run ?? ''} ${purpose ?? ''}`;
  const slot = dropped.has('id_slot') || slots === null ? null : slotOf(root, key, slots, performance.now());
  return { ...(slot !== null && { id_slot: slot }), ...(!dropped.has('cache_prompt') && { cache_prompt: true }) };
}

/** The fields that constrain the reply to its form. */
function formFields({ kind, version }: Server, asked: PreparedRequest): Body {
  const { form, shape, prefill: begun } = asked;
  if (shape === null) return {};
  if (begun !== null) return kind === 'vllm' ? { continue_final_message: true, add_generation_prompt: false } : {};
  switch (form) {
    case 'json':
      return schemaFormat(asked, keywords);
    case 'grammar':
      if (kind !== 'vllm') return { grammar: gbnfOf(shape) };
      return hasStructuredOutputs(version)
        ? { structured_outputs: { grammar: gbnfOf(shape) } }
        : { guided_grammar: gbnfOf(shape) };
    case 'regex':
      return hasStructuredOutputs(version)
        ? { structured_outputs: { regex: regexOf(shape) } }
        : { guided_regex: regexOf(shape) };
    default:
      return {};
  }
}

async function sendChat(
  options: EndpointOptions,
  body: Readonly<Record<string, unknown>>,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
): Promise<Response> {
  const captured: { failed: Response | null } = { failed: null };
  const library = await loadLibrary();
  const client = openAiClient(library, options, async (input, init) => {
    const response = await fetch(input, init);
    if (response.ok) return response;
    // The client library keeps only one form of error body, so errors are captured before it.
    captured.failed = response;
    return new Response(null, { status: Math.min(response.status, 599) });
  });
  try {
    const parameters = body as unknown as OpenAI.ChatCompletionCreateParams;
    return await client.chat.completions.create(parameters, { signal }).asResponse();
  } catch (error) {
    if (captured.failed !== null) return captured.failed;
    throw error instanceof library.APIConnectionError ? (error.cause ?? error) : error;
  }
}

// Slow to load, and other providers and models in this process do without it.
const loadLibrary = () => import('openai');
type Library = Awaited<ReturnType<typeof loadLibrary>>;

/** A library client that ignores the environment, never retries and prints nothing. */
function openAiClient(
  library: Library,
  options: Pick<EndpointOptions, 'baseURL' | 'apiKey' | 'timeoutSeconds'>,
  send: typeof fetch,
): OpenAI {
  return new library.default({
    baseURL: options.baseURL,
    apiKey: options.apiKey ?? 'none',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    // Timeouts are the watchdog's task, not the library's.
    timeout: Math.ceil(options.timeoutSeconds * 1000) + 60_000,
    logLevel: 'off',
    fetch: (input, init) => {
      const headers = new Headers(init?.headers);
      for (const name of [...headers.keys()]) if (!sentHeaders.includes(name)) headers.delete(name);
      if (options.apiKey === null) headers.delete('authorization');
      return send(input as string, { ...init, headers });
    },
  });
}
