/** Gemini's own API. Its OpenAI-compatible API reports neither thoughts nor cached tokens. */
import { UsageError } from '../../base/errors.ts';
import type { Controls, ReasoningEffort } from '../controls.ts';
import { type EndpointModel, endpointModel } from './endpoint.ts';
import { objectOf, type ServerError } from './failure.ts';
import { geminiReader } from './gemini-reader.ts';
import type { Body, EndpointOptions, PreparedRequest, Protocol } from './protocol.ts';
import { refusedParameter } from './refusals.ts';
import { refusedKeyword, schemaFor } from './schema-keywords.ts';

const badUrl = 'is the base URL that of Gemini? It ends in /v1beta';
const keywords = { bounds: true, steps: false, counts: true, lengths: true };
const optionalParameters = [
  'temperature',
  'topP',
  'seed',
  'maxOutputTokens',
  'stopSequences',
  'thinkingLevel',
  'thinkingBudget',
  'thinkingConfig',
] as const;

/** Thinking budgets of Gemini 2.5, tokens; -1 leaves it to the model. */
const budgets: Readonly<Record<ReasoningEffort, number>> = {
  none: 0,
  minimal: 512,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 24_576,
};
/** Thinking levels of later versions. */
const levels: Readonly<Record<ReasoningEffort, string>> = {
  none: 'minimal',
  minimal: 'minimal',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
};

/** The first version that thinks. */
const firstThinking = 2.5;

/** `baseURL` ends before `/models`. */
export function gemini(options: EndpointOptions): EndpointModel {
  return endpointModel(options, geminiProtocol(options));
}

/** 2.5 for `gemini-2.5-flash`; infinite for a name without a version, such as `gemini-flash-latest`. */
function versionOf(model: string): number {
  const match = /gemini-(\d+(?:\.\d+)?)/.exec(model);
  return match === null ? Number.POSITIVE_INFINITY : Number(match[1]);
}

function geminiProtocol({ id, baseURL, apiKey, model: name, controls }: EndpointOptions): Protocol {
  const base = baseURL.replace(/\/+$/, '');
  const model = name.replace(/^models\//, '');
  const path = model.includes('/') ? model : `models/${model}`;
  const version = versionOf(model);
  const isThinking = controls?.think === true || ![null, undefined, 'none'].includes(controls?.reasoningEffort);
  if (isThinking && version < firstThinking) {
    const advice = 'leave out llm.think and llm.reasoning_effort, or use a later model';
    throw new UsageError(`model ${id}`, `expected a model that can think, got "${model}"; ${advice}`);
  }

  function thinkingConfig({ think, reasoningEffort }: Controls, send: (name: string) => boolean): Body | null {
    if (version < firstThinking || !send('thinkingConfig')) return null;
    const effort = think === false ? 'none' : reasoningEffort;
    const byLevel = version >= 3;
    return {
      includeThoughts: effort !== 'none',
      ...(effort !== null && byLevel && send('thinkingLevel') && { thinkingLevel: levels[effort] }),
      ...(effort !== null && !byLevel && send('thinkingBudget') && { thinkingBudget: budgets[effort] }),
      ...(effort === null && think === true && !byLevel && send('thinkingBudget') && { thinkingBudget: -1 }),
    };
  }

  function generationConfig({ temperature, seed, maxTokens, form, shape, controls, dropped }: PreparedRequest): Body {
    const send = (name: string) => !dropped.has(name);
    const thinking = thinkingConfig(controls, send);
    return {
      ...(temperature !== null && send('temperature') && { temperature }),
      ...(controls.topP !== null && send('topP') && { topP: controls.topP }),
      ...(seed !== null && send('seed') && { seed }),
      ...(maxTokens !== null && send('maxOutputTokens') && { maxOutputTokens: maxTokens }),
      ...(controls.stop.length > 0 && send('stopSequences') && { stopSequences: controls.stop }),
      ...(thinking !== null && { thinkingConfig: thinking }),
      ...(form === 'json' &&
        shape !== null && {
          responseMimeType: 'application/json',
          responseJsonSchema: schemaFor(shape, keywords, dropped),
        }),
    };
  }

  function refused(error: ServerError, body: Body): string | null {
    const keyword = refusedKeyword(error, body);
    if (keyword !== null) return keyword;
    const config = objectOf(body.generationConfig);
    const sent = [...Object.keys(config), ...Object.keys(objectOf(config.thinkingConfig))];
    // Errors name fields in JSON's or in protobuf's spelling.
    const camel = error.message.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const parameter = refusedParameter({ ...error, message: camel }, optionalParameters, sent);
    if (parameter !== null) return parameter;
    const level = ['thinkingLevel', 'thinkingBudget', 'thinkingConfig'].find((field) => sent.includes(field));
    return /\bthinking\b/i.test(error.message) ? (level ?? null) : null;
  }

  return {
    url: `${base}/${path}:streamGenerateContent?alt=sse`,
    notFound: `is "${model}" a Gemini model?`,
    badUrl,
    headers: apiKey === null ? {} : { 'x-goog-api-key': apiKey },
    forms: ['json', 'lines'],
    refused,
    reader: () => geminiReader(badUrl),

    body(asked) {
      const system = asked.messages.filter(({ role }) => role === 'system');
      return {
        ...(system.length > 0 && { systemInstruction: { parts: system.map(({ content }) => ({ text: content })) } }),
        contents: asked.messages
          .filter(({ role }) => role !== 'system')
          .map(({ role, content }) => ({ role: role === 'assistant' ? 'model' : 'user', parts: [{ text: content }] })),
        generationConfig: generationConfig(asked),
      };
    },

    async models(get) {
      const { models } = objectOf(await get('/models?pageSize=1000'));
      if (!Array.isArray(models)) throw new Error('no list of models');
      return models.map((entry) => String(objectOf(entry).name).replace(/^models\//, ''));
    },
  };
}
