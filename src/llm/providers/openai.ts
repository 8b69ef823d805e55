/**
 * OpenAI's two APIs: Responses for reasoning models, because chat completions hide their reasoning and lack some of the
 * models; chat completions for the others. The API is switched when a model turns out to need the other one.
 */
import { UsageError } from '../../base/errors.ts';
import { modelIds, noUsage } from './answer.ts';
import { type EndpointModel, endpointModel } from './endpoint.ts';
import { objectOf, type ServerError } from './failure.ts';
import { chatBody, optionalParameters, responsesBody } from './openai-bodies.ts';
import { isReasoningModel } from './openai-models.ts';
import { openAiReader } from './openai-reader.ts';
import type { Body, EndpointOptions, Protocol, Reader } from './protocol.ts';
import { refusedParameter } from './refusals.ts';
import { isOfResponses, responsesReader } from './responses-reader.ts';
import { refusedKeyword } from './schema-keywords.ts';

const badUrl = 'is the base URL right? It usually ends in /v1';

/** Addresses and headers of the two APIs. */
export interface OpenAiEndpoints {
  readonly chatUrl: string;
  readonly responsesUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  /** advice when the model, or the path, does not exist */
  readonly notFound: string;
}

/** `baseURL` ends before `/chat/completions`. */
export function openAi(options: EndpointOptions): EndpointModel {
  const base = options.baseURL.replace(/\/+$/, '');
  return endpointModel(
    options,
    openAiProtocol(options, {
      chatUrl: `${base}/chat/completions`,
      responsesUrl: `${base}/responses`,
      headers: options.apiKey === null ? {} : { authorization: `Bearer ${options.apiKey}` },
      notFound: 'check the model name and the base URL, which usually ends in /v1',
    }),
  );
}

type Api = 'chat/completions' | 'responses';
const apiOf = (body: Body): Api => ('input' in body ? 'responses' : 'chat/completions');

const wantsResponses = /v1\/responses|responses api|not a chat model/i;
const isUnknownPath =
  /^(?:404:? ?)?(?:page |path |route |url )?not found\W*$|\/responses\b|<html|unknown (?:request )?(?:url|endpoint|path)|invalid url|cannot post|no route/i;

/** The API that `error` asks for instead of that of `body`; null: it is about something else. */
function otherApi(error: ServerError, body: Body): Api | null {
  if (apiOf(body) === 'chat/completions') return wantsResponses.test(error.message) ? 'responses' : null;
  if (error.code === 'model_not_found' || error.param === 'model') return null;
  return error.message === '' || isUnknownPath.test(error.message) ? 'chat/completions' : null;
}

export function openAiProtocol(options: EndpointOptions, endpoints: OpenAiEndpoints): Protocol {
  const { id, model } = options;
  const stop = options.controls?.stop ?? [];
  const reasons = isReasoningModel(model);
  let api: Api = reasons ? 'responses' : 'chat/completions';
  let hasSwitched = false;
  if (reasons) refuseStop();

  function refuseStop(): void {
    if (stop.length === 0) return;
    throw new UsageError(
      `model ${id}`,
      'expected no llm.stop: this model uses the Responses API of OpenAI, which has no stop sequences; leave it out',
    );
  }

  /** Null: the error does not ask for the other API. */
  function switchApi(error: ServerError, body: Body): string | null {
    const used = apiOf(body);
    // Another call has already switched.
    if (used !== api) return used;
    const other = otherApi(error, body);
    if (other === null || hasSwitched) return null;
    hasSwitched = true;
    if (other === 'responses') refuseStop();
    api = other;
    return used;
  }

  function refused(error: ServerError, body: Body): string | null {
    const given = switchApi(error, body) ?? refusedKeyword(error, body);
    if (given !== null) return given;
    const about = `${error.param ?? ''} ${error.message}`;
    const { effort, summary } = objectOf(body.reasoning);
    if (summary !== undefined && /\bsummar(?:y|ies)\b/.test(about)) return 'reasoning.summary';
    if (effort !== undefined && /reasoning[._]effort|\beffort\b/.test(about)) return 'reasoning.effort';
    if (summary !== undefined && /'reasoning'|^reasoning /.test(about)) return 'reasoning.summary';
    return refusedParameter(error, optionalParameters, Object.keys(body));
  }

  return {
    get url() {
      return api === 'responses' ? endpoints.responsesUrl : endpoints.chatUrl;
    },
    get hasSeed() {
      return api !== 'responses';
    },
    notFound: endpoints.notFound,
    badUrl,
    headers: endpoints.headers,
    forms: ['json', 'lines'],
    body: (asked) => (api === 'responses' ? responsesBody(model, reasons, asked) : chatBody(model, asked)),
    refused,
    reader: () => eitherReader(),
    models: async (get) => modelIds(await get('/models')),
  };
}

/** Reads answers of either API, recognised by the first payload. */
function eitherReader(): Reader {
  let chosen: Reader | null = null;
  return {
    take(payload, event) {
      chosen ??= isOfResponses(payload) ? responsesReader(badUrl) : openAiReader(badUrl);
      return chosen.take(payload, event);
    },
    end: () => (chosen ?? openAiReader(badUrl)).end(),
    usage: () => chosen?.usage() ?? noUsage,
  };
}
