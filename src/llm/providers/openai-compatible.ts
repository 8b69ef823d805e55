/**
 * Any endpoint that speaks OpenAI's chat completions. The `openai` package builds the requests and decodes the events;
 * retries, timeouts and messages are ours. A server that answers with one JSON document instead of a stream is
 * understood as well.
 */
import { APIConnectionError, type OpenAI } from 'openai';
import { estimateTokens } from '../../base/tokens.ts';
import { hasEndMark, readCompletion } from './completion.ts';
import { type EndpointModel, type EndpointOptions, endpointModel, type Protocol, shownPrompt } from './endpoint.ts';
import { connectionFailure } from './failure.ts';
import { makeClient, optionalParameters, refusedParameter, requestBody } from './request.ts';

/** `baseURL` ends before `/chat/completions`. */
export function openAiCompatible(options: EndpointOptions): EndpointModel {
  return endpointModel(options, openAiProtocol(options));
}

function openAiProtocol(options: EndpointOptions): Protocol {
  const { id, model, log } = options;
  let noticedCut = false;

  return {
    url: `${options.baseURL.replace(/\/+$/, '')}/chat/completions`,
    notFound: 'check the model name and the base URL, which usually ends in /v1',
    body: (request, dropped) => ({ ...requestBody(model, request, options.maxTokens ?? null, dropped) }),
    isEnd: hasEndMark,
    read: (text, contentType) => readCompletion(text, contentType, makeClient(options, options.fetch ?? fetch)),
    refused: (error, body) => refusedParameter(error, optionalParameters, Object.keys(body)),

    async send(body, signal) {
      const held: { failed: Response | null } = { failed: null };
      const client = makeClient(options, async (input, init) => {
        const response = await (options.fetch ?? fetch)(input, init);
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
        if (error instanceof APIConnectionError) throw connectionFailure(error.cause ?? error);
        throw error;
      }
    },

    /** Some servers cut a prompt that is longer than their context, and say so only in their token count. */
    async check(completion, request) {
      const { promptTokens } = completion.usage;
      const expected = estimateTokens(shownPrompt(request));
      if (noticedCut || promptTokens === null || expected < 1000 || promptTokens > 0.6 * expected) return completion;
      noticedCut = true;
      log?.(
        `${id}: it counted ${promptTokens} prompt tokens where about ${expected} were sent, so it may have cut the ` +
          'prompt; raise its context size (Ollama: use a model name of the form ollama/<model>)',
      );
      return completion;
    },

    async models(signal) {
      const page = await makeClient(options, options.fetch ?? fetch).models.list({ signal });
      return page.data.map((entry) => entry.id);
    },
  };
}
