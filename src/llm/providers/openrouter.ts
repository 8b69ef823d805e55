/** OpenRouter: chat completions of many providers, with its own fields for reasoning and cost. */
import type { Message } from '../chat.ts';
import type { Controls } from '../controls.ts';
import { modelIds } from './answer.ts';
import { cacheBlocks } from './cache-blocks.ts';
import { type EndpointModel, endpointModel } from './endpoint.ts';
import type { ServerError } from './failure.ts';
import { openAiReader } from './openai-reader.ts';
import type { Body, EndpointOptions, PreparedRequest, Protocol } from './protocol.ts';
import { refusedParameter } from './refusals.ts';
import { refusedKeyword, schemaFormat } from './schema-keywords.ts';

const badUrl = 'is the base URL that of OpenRouter? It ends in /api/v1';
const keywords = { bounds: true, steps: true, counts: true, lengths: true };
/** Vendors that need explicit cache marks; the others cache automatically. */
const markedVendors = ['anthropic'];

const optionalParameters = [
  'temperature',
  'top_p',
  'seed',
  'stop',
  'max_tokens',
  'reasoning',
  'usage',
  'stream',
] as const;

/** `baseURL` ends before `/chat/completions`. */
export function openRouter(options: EndpointOptions): EndpointModel {
  return endpointModel(options, openRouterProtocol(options));
}

function reasoningOf({ think, reasoningEffort }: Controls): Body | null {
  if (think === false) return { enabled: false };
  if (reasoningEffort !== null) return { effort: reasoningEffort };
  return think === true ? { enabled: true } : null;
}

function openRouterProtocol({ baseURL, apiKey, model, controls }: EndpointOptions): Protocol {
  const base = baseURL.replace(/\/+$/, '');
  const isMarked = markedVendors.includes(model.split('/')[0]!);
  const contentOf = (message: Message) => (isMarked ? cacheBlocks(message, true) : message.content);
  // A request with both is refused.
  const reasoning = controls === undefined ? null : reasoningOf(controls);

  function body(asked: PreparedRequest): Body {
    const { messages, temperature, seed, maxTokens, controls, dropped } = asked;
    const send = (name: string) => !dropped.has(name);
    return {
      model,
      messages: messages.map((message) => ({ role: message.role, content: contentOf(message) })),
      ...(temperature !== null && send('temperature') && { temperature }),
      ...(controls.topP !== null && send('top_p') && { top_p: controls.topP }),
      ...(seed !== null && send('seed') && { seed }),
      ...(controls.stop.length > 0 && send('stop') && { stop: controls.stop }),
      ...(maxTokens !== null && send('max_tokens') && { max_tokens: maxTokens }),
      ...(reasoning !== null && send('reasoning') && { reasoning }),
      ...schemaFormat(asked, keywords),
      ...(send('usage') && { usage: { include: true } }),
      ...(send('stream') && { stream: true }),
    };
  }

  function refused(error: ServerError, sent: Body): string | null {
    return refusedKeyword(error, sent) ?? refusedParameter(error, optionalParameters, Object.keys(sent));
  }

  return {
    url: `${base}/chat/completions`,
    notFound: `is "${model}" an OpenRouter model?`,
    badUrl,
    headers: apiKey === null ? {} : { authorization: `Bearer ${apiKey}` },
    forms: ['json', 'lines'],
    body,
    refused,
    reader: () => openAiReader(badUrl),
    models: async (get) => modelIds(await get('/models')),
  };
}
