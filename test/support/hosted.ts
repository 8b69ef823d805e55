/** Shared by tests of hosted providers: a model on a fake server, and requests with constrained replies. */
import { ModelError } from '../../src/base/errors.ts';
import type { ChatModel, ChatRequest } from '../../src/llm/chat.ts';
import { type Controls, noControls } from '../../src/llm/controls.ts';
import type { EndpointModel } from '../../src/llm/providers/index.ts';
import type { EndpointOptions } from '../../src/llm/providers/protocol.ts';
import type { ReplyForm, ReplyShape } from '../../src/llm/reply/shape.ts';
import { type ApiAnswer, type ApiRequest, type ApiServer, startApiServer } from './api-server.ts';
import { impatientClient, twoParameterRequest } from './endpoint.ts';

export const secretKey = 'sk-secret-0123456789';

export const twoParameters: ReplyShape = {
  count: 2,
  values: { kind: 'real', low: -6, high: 6, decimals: 1 },
  explanationLength: 160,
};

/** A request of a purpose; with a form, its reply is held to it. */
export function asking(form?: ReplyForm, change: Partial<ChatRequest> = {}): ChatRequest {
  return {
    ...twoParameterRequest,
    purpose: 'search',
    ...(form !== undefined && { constraint: { form, shape: twoParameters } }),
    ...change,
  };
}

export interface Hosted {
  readonly server: ApiServer;
  readonly model: EndpointModel;
  readonly waits: readonly number[];
  readonly log: readonly string[];
}

export interface HostedOptions {
  readonly model: string;
  /** path of the base URL */
  readonly path?: string;
  readonly controls?: Partial<Controls>;
  /** answer to requests for lists of models */
  readonly models?: unknown;
}

/** Starts a server and opens a model on it; `closeAll` of the servers is up to the test. */
export async function hosted(
  open: (options: EndpointOptions) => EndpointModel,
  answer: (request: ApiRequest, index: number) => ApiAnswer,
  { model, path = '/v1', controls, models }: HostedOptions,
): Promise<Hosted> {
  const server = await startApiServer(answer, models);
  const { waits, log, settings } = impatientClient();
  return {
    server,
    waits,
    log,
    model: open({
      ...settings,
      id: `test/${model}`,
      baseURL: `${server.url}${path}`,
      apiKey: secretKey,
      keyVariable: 'TEST_API_KEY',
      model,
      controls: { ...noControls, ...controls },
    }),
  };
}

/** The message of the `ModelError` that a call ends with; it must not hold the key. */
export async function failureOf(model: ChatModel, request: ChatRequest = asking()): Promise<string> {
  const error = await model.complete(request).then(
    (reply) => new Error(`answered ${JSON.stringify(reply)}`),
    (thrown: unknown) => thrown as Error,
  );
  if (!(error instanceof ModelError)) throw error;
  const shown = `${error.stack} ${JSON.stringify(error, Object.getOwnPropertyNames(error))}`;
  if (shown.includes(secretKey)) throw new Error('the key is in the error');
  return error.message;
}
