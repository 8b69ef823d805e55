/** What is sent to an endpoint of OpenAI's chat completions, and what any endpoint's request may leave out. */
import OpenAI from 'openai';
import type { ChatRequest } from '../chat.ts';
import type { ServerError } from './failure.ts';

/** What can be left out of a request; a model that refuses one of them is asked again without it. */
export const optionalParameters = [
  'temperature',
  'seed',
  'max_tokens',
  'stream_options',
  'stream',
  'response_format',
] as const;

/** Headers that are sent; everything else that the client library would add stays here. */
const sentHeaders = ['accept', 'authorization', 'content-type', 'user-agent'];

/** The endpoint does not take a parameter that it can do without. */
export class RefusedParameter extends Error {
  readonly parameter: string;

  constructor(parameter: string, message: string) {
    super(message);
    this.name = 'RefusedParameter';
    this.parameter = parameter;
  }
}

/** Which of the optional parameters that were sent the error complains about; null when it is about something else. */
export function refusedParameter(
  error: ServerError,
  optional: readonly string[],
  sent: readonly string[],
): string | null {
  const about = error.param ?? error.message;
  const isNamed = (name: string) => new RegExp(`(?<![A-Za-z_])${name}(?![A-Za-z_])`).test(about);
  return optional.find((name) => sent.includes(name) && isNamed(name)) ?? null;
}

export function requestBody(
  model: string,
  { messages, temperature, seed }: ChatRequest,
  maxTokens: number | null,
  dropped: ReadonlySet<string>,
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

/** A client of the library that takes nothing from the environment, retries nothing and prints nothing. */
export function makeClient(
  options: { readonly baseURL: string; readonly apiKey: string | null; readonly timeoutSeconds: number },
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
