/** One request in the words of OpenAI's two APIs, chat completions and Responses. */
import { createHash } from 'node:crypto';
import type { Body, PreparedRequest } from './protocol.ts';
import { schemaFor } from './schema-keywords.ts';

const keywords = { bounds: true, steps: true, counts: true, lengths: true };
/** Name of the schema; the APIs want one. */
const schemaName = 'reply';

/** What can be left out of a request; a model that refuses one of them is asked again without it. */
export const optionalParameters = [
  'temperature',
  'top_p',
  'seed',
  'stop',
  'max_completion_tokens',
  'max_tokens',
  'max_output_tokens',
  'reasoning_effort',
  'prompt_cache_key',
  'stream_options',
  'stream',
  'store',
] as const;

/** Prompts of one purpose of one run begin alike; with a key of their own they meet the same cache. */
function cacheKey({ purpose, run }: PreparedRequest): string {
  // The run's name is nobody's business there.
  const ofRun = run === null ? '' : `-${createHash('sha256').update(run).digest('hex').slice(0, 16)}`;
  return `r2po-${purpose ?? 'model'}${ofRun}`;
}

/** The fields that both APIs have, under the same names. */
function commonFields(model: string, asked: PreparedRequest): Body {
  const { temperature, controls, dropped } = asked;
  const send = (name: string) => !dropped.has(name);
  return {
    model,
    ...(temperature !== null && send('temperature') && { temperature }),
    ...(controls.topP !== null && send('top_p') && { top_p: controls.topP }),
    ...(send('prompt_cache_key') && { prompt_cache_key: cacheKey(asked) }),
    ...(send('stream') && { stream: true }),
  };
}

export function chatBody(model: string, asked: PreparedRequest): Body {
  const { messages, seed, maxTokens, form, shape, controls, dropped } = asked;
  const send = (name: string) => !dropped.has(name);
  const limitName = ['max_completion_tokens', 'max_tokens'].find(send);
  return {
    ...commonFields(model, asked),
    messages: messages.map(({ role, content }) => ({ role, content })),
    ...(seed !== null && send('seed') && { seed }),
    ...(controls.stop.length > 0 && send('stop') && { stop: controls.stop }),
    ...(maxTokens !== null && limitName !== undefined && { [limitName]: maxTokens }),
    ...(controls.reasoningEffort !== null &&
      send('reasoning_effort') && { reasoning_effort: controls.reasoningEffort }),
    ...(form === 'json' &&
      shape !== null && {
        response_format: {
          type: 'json_schema',
          json_schema: { name: schemaName, strict: true, schema: schemaFor(shape, keywords, dropped) },
        },
      }),
    ...(send('stream') && send('stream_options') && { stream_options: { include_usage: true } }),
  };
}

/** `reasons`: the model is known to reason, so that summaries of it can be had. */
export function responsesBody(model: string, reasons: boolean, asked: PreparedRequest): Body {
  const { messages, maxTokens, form, shape, controls, dropped } = asked;
  const send = (name: string) => !dropped.has(name);
  const reasoning = {
    ...(controls.reasoningEffort !== null && send('reasoning.effort') && { effort: controls.reasoningEffort }),
    ...(reasons && send('reasoning.summary') && { summary: 'auto' }),
  };
  return {
    ...commonFields(model, asked),
    input: messages.map(({ role, content }) => ({ role, content })),
    // The replies are on record here; nothing has to stay there.
    ...(send('store') && { store: false }),
    ...(maxTokens !== null && send('max_output_tokens') && { max_output_tokens: maxTokens }),
    ...(Object.keys(reasoning).length > 0 && { reasoning }),
    ...(form === 'json' &&
      shape !== null && {
        text: {
          format: {
            type: 'json_schema',
            name: schemaName,
            strict: true,
            schema: schemaFor(shape, keywords, dropped),
          },
        },
      }),
  };
}
