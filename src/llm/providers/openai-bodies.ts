/** Request bodies of OpenAI's two APIs, chat completions and Responses. */
import { createHash } from 'node:crypto';
import type { Body, PreparedRequest } from './protocol.ts';
import { schemaFor, schemaFormat } from './schema-keywords.ts';

const keywords = { bounds: true, steps: true, counts: true, lengths: true };

/** Optional parameters; a request that is refused because of one is repeated without it. */
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

/** Prompts of the same run and purpose share a prefix; a common key routes them to the same cache. */
function cacheKey({ purpose, run }: PreparedRequest): string {
  // The run's name stays private.
  const ofRun = run === null ? '' : `-${createHash('sha256').update(run).digest('hex').slice(0, 16)}`;
  return `r2po-${purpose ?? 'model'}${ofRun}`;
}

/** Fields with the same names in both APIs. */
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
  const { messages, seed, maxTokens, controls, dropped } = asked;
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
    ...schemaFormat(asked, keywords),
    ...(send('stream') && send('stream_options') && { stream_options: { include_usage: true } }),
  };
}

/** `reasons`: the model is known to reason, so summaries of its reasoning can be requested. */
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
    // Replies are recorded here; the server need not store them.
    ...(send('store') && { store: false }),
    ...(maxTokens !== null && send('max_output_tokens') && { max_output_tokens: maxTokens }),
    ...(Object.keys(reasoning).length > 0 && { reasoning }),
    ...(form === 'json' &&
      shape !== null && {
        text: {
          format: {
            type: 'json_schema',
            name: 'reply',
            strict: true,
            schema: schemaFor(shape, keywords, dropped),
          },
        },
      }),
  };
}
