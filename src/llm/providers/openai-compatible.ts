/**
 * Any endpoint that speaks OpenAI's chat completions. The `openai` package builds the requests; retries, timeouts,
 * decoding and messages are ours.
 */
import OpenAI, { APIConnectionError } from 'openai';
import { estimateTokens } from '../../base/tokens.ts';
import { type EndpointModel, endpointModel } from './endpoint.ts';
import { record } from './failure.ts';
import { openAiReader } from './openai-reader.ts';
import { type Asked, type EndpointOptions, type Protocol, shownPrompt } from './protocol.ts';
import { refusedParameter } from './refusals.ts';

const badUrl = 'is the base URL right? It usually ends in /v1';

/** What can be left out of a request; a model that refuses one of them is asked again without it. */
const optionalParameters = ['temperature', 'seed', 'max_tokens', 'stream_options', 'stream'] as const;

/** Headers that are sent; everything else that the client library would add stays here. */
const sentHeaders = ['accept', 'authorization', 'content-type', 'user-agent'];

/** `baseURL` ends before `/chat/completions`. */
export function openAiCompatible(options: EndpointOptions): EndpointModel {
  return endpointModel(options, openAiProtocol(options));
}

function openAiProtocol(options: EndpointOptions): Protocol {
  let noticedCut = false;

  return {
    url: `${options.baseURL.replace(/\/+$/, '')}/chat/completions`,
    notFound: 'check the model name and the base URL, which usually ends in /v1',
    badUrl,
    headers: options.apiKey === null ? {} : { authorization: `Bearer ${options.apiKey}` },
    forms: ['lines'],
    body: (asked) => ({ ...chatBody(options.model, asked) }),
    refused: (error, body) => refusedParameter(error, optionalParameters, Object.keys(body)),
    reader: () => openAiReader(badUrl),
    send: (body, fetch, signal) => sendChat(options, body, fetch, signal),

    /** Some servers cut a prompt that is longer than their context, and say so only in their token count. */
    async check(completion, request, _, { log }) {
      const { promptTokens } = completion.usage;
      const expected = estimateTokens(shownPrompt(request));
      if (noticedCut || promptTokens === null || expected < 1000 || promptTokens > 0.6 * expected) return completion;
      noticedCut = true;
      log(
        `it counted ${promptTokens} prompt tokens where about ${expected} were sent, so it may have cut the prompt; ` +
          'raise its context size (Ollama: use a model name of the form ollama/<model>)',
      );
      return completion;
    },

    async models(get) {
      const { data } = record(await get('/models'));
      if (!Array.isArray(data)) throw new Error('no list of models');
      return data.map((entry) => String(record(entry).id));
    },
  };
}

function chatBody(
  model: string,
  { messages, temperature, seed, maxTokens, dropped }: Asked,
): OpenAI.ChatCompletionCreateParams {
  const stream = !dropped.has('stream');
  return {
    model,
    messages: messages.map(({ role, content }) => ({ role, content })),
    ...(temperature !== null && !dropped.has('temperature') && { temperature }),
    ...(seed !== null && !dropped.has('seed') && { seed }),
    ...(maxTokens !== null && !dropped.has('max_tokens') && { max_tokens: maxTokens }),
    ...(stream && { stream }),
    ...(stream && !dropped.has('stream_options') && { stream_options: { include_usage: true } }),
  };
}

async function sendChat(
  options: EndpointOptions,
  body: Readonly<Record<string, unknown>>,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
): Promise<Response> {
  const held: { failed: Response | null } = { failed: null };
  const client = openAiClient(options, async (input, init) => {
    const response = await fetch(input, init);
    if (response.ok) return response;
    // The client library keeps only one form of error body, so it does not get to see any.
    held.failed = response;
    return new Response(null, { status: Math.min(response.status, 599) });
  });
  try {
    const parameters = body as unknown as OpenAI.ChatCompletionCreateParams;
    return await client.chat.completions.create(parameters, { signal }).asResponse();
  } catch (error) {
    if (held.failed !== null) return held.failed;
    throw error instanceof APIConnectionError ? (error.cause ?? error) : error;
  }
}

/** A client of the library that takes nothing from the environment, retries nothing and prints nothing. */
export function openAiClient(
  options: Pick<EndpointOptions, 'baseURL' | 'apiKey' | 'timeoutSeconds'>,
  send: typeof fetch,
): OpenAI {
  return new OpenAI({
    baseURL: options.baseURL,
    apiKey: options.apiKey ?? 'none',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    // The watchdog ends a request first; the library's own limit must not.
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
