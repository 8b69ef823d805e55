/**
 * A model endpoint on loopback that answers what a test wants: replies, and every kind of failure that real endpoints
 * show. It speaks `/v1/chat/completions` (stream and plain), `/v1/models`, and Ollama's `/api/chat`, `/api/tags` and `/api/ps`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Message } from '../../src/llm/chat.ts';

export interface FakeRequest {
  readonly headers: IncomingMessage['headers'];
  readonly body: {
    readonly model: string;
    readonly messages: readonly Message[];
    readonly stream?: boolean;
    readonly [parameter: string]: unknown;
  };
}

/** What the endpoint does instead of answering a text. */
export type FakeFailure =
  /** any answer: an HTTP error, HTML, half a JSON document; a string body is sent as it is */
  | {
      readonly status: number;
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** never answers; or sends the headers and the first part of `text`, and then nothing */
  | { readonly hang: true; readonly text?: string }
  /** closes the connection without an answer; or within the answer, after the first part of `text` */
  | { readonly reset: true; readonly text?: string }
  /** sends a line without content every 10 ms and never the answer */
  | { readonly trickle: true };

/** A reply with something unusual about it. */
export interface FakeReply {
  readonly text: string;
  /** null: the answer tells no usage */
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
  /** one JSON document although a stream was asked for */
  readonly plain?: boolean;
  readonly finishReason?: string;
  /** Ollama only: a field of its own */
  readonly thinking?: string;
}

export interface FakeServerOptions {
  /** `index` counts the chat requests from 0 */
  readonly reply: (request: FakeRequest, index: number) => string | FakeReply | FakeFailure;
  /** ms before each answer; none when left out */
  readonly delay?: number;
  /** ids at /v1/models and names at /api/tags; null: both answer 404 */
  readonly models?: readonly string[] | null;
  /** context of the loaded model at /api/ps; without it there is no such path */
  readonly loadedContext?: number;
}

export interface FakeServer {
  /** base URL for clients, ends in /v1 */
  readonly url: string;
  readonly port: number;
  /** chat requests so far */
  readonly requests: readonly FakeRequest[];
  /** maximum concurrent chat requests so far */
  readonly mostAtOnce: number;
  close(): Promise<void>;
}

/** Maximum requests; more mean a broken test. */
const maxRequests = 10_000;
const maxBodyBytes = 16 * 2 ** 20;
const modelName = 'fake-1';

export async function startFakeServer(options: FakeServerOptions): Promise<FakeServer> {
  const requests: FakeRequest[] = [];
  let underWay = 0;
  let mostAtOnce = 0;
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      sendJson(response, 500, { error: { message: `fake server: ${String(error)}` } });
    });
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    const names = options.models === undefined ? [modelName] : options.models;
    const wire = wires[path];
    if (request.method === 'POST' && wire !== undefined) {
      const body: unknown = JSON.parse(await readBody(request));
      if (requests.length >= maxRequests) return sendJson(response, 500, { error: { message: 'too many requests' } });
      const asked = { headers: request.headers, body: body as FakeRequest['body'] };
      requests.push(asked);
      const index = requests.length - 1;
      underWay += 1;
      mostAtOnce = Math.max(mostAtOnce, underWay);
      response.once('close', () => {
        underWay -= 1;
      });
      if (options.delay !== undefined) await sleep(options.delay);
      return answer(wire, asked, response, options.reply(asked, index));
    }
    if (path === '/v1/models' && names !== null) {
      return sendJson(response, 200, { object: 'list', data: names.map((id) => ({ id, object: 'model' })) });
    }
    if (path === '/api/tags' && names !== null) {
      return sendJson(response, 200, { models: names.map((name) => ({ name })) });
    }
    if (path === '/api/ps' && options.loadedContext !== undefined) {
      return sendJson(response, 200, { models: [{ name: modelName, context_length: options.loadedContext }] });
    }
    return sendJson(response, 404, { error: { message: `no such path: ${path}` } });
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    port,
    requests,
    get mostAtOnce() {
      return mostAtOnce;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > maxBodyBytes) throw new Error('request body too large');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function answer(
  wire: Wire,
  request: FakeRequest,
  response: ServerResponse,
  reply: string | FakeReply | FakeFailure,
): void {
  if (typeof reply === 'string') {
    sendReply(wire, request, response, { text: reply });
    return;
  }
  if ('status' in reply) {
    const { status, body = '', headers = {} } = reply;
    const isText = typeof body === 'string';
    response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json', ...headers });
    response.end(isText ? body : JSON.stringify(body));
    return;
  }
  if ('trickle' in reply) {
    response.writeHead(200, { 'content-type': wire.type });
    const timer = setInterval(() => response.write(wire.idle), 10);
    response.once('close', () => clearInterval(timer));
    return;
  }
  if ('hang' in reply || 'reset' in reply) {
    const isReset = 'reset' in reply;
    if (reply.text === undefined) {
      if (isReset) response.destroy();
      return;
    }
    response.writeHead(200, { 'content-type': wire.type });
    // Destroyed only after the piece has left, else the client would see no answer at all.
    response.write(wire.piece(reply.text), () => {
      if (isReset) setImmediate(() => response.destroy());
    });
    return;
  }
  sendReply(wire, request, response, reply);
}

type Counts = { readonly prompt_tokens: number; readonly completion_tokens: number };

/** How an API puts a reply on the wire. */
interface Wire {
  /** content type of a stream */
  readonly type: string;
  /** a part of a stream without content */
  readonly idle: string;
  piece(text: string): string;
  /** a whole stream, part by part */
  stream(request: FakeRequest, reply: FakeReply, usage: Counts | null): string[];
  /** the one JSON document of an answer that is no stream */
  document(reply: FakeReply, usage: Counts | null): object;
}

const split = (text: string) => text.match(/.{1,7}/gsu) ?? [];

const head = { id: 'fake', created: 0, model: modelName };

function event(choice: object): string {
  const chunk = { ...head, object: 'chat.completion.chunk', choices: [{ index: 0, ...choice }] };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

const openAi: Wire = {
  type: 'text/event-stream',
  idle: ': working\n\n',
  piece: (content) => event({ delta: { content }, finish_reason: null }),
  stream({ body }, { text, finishReason = 'stop' }, usage) {
    const parts = [event({ delta: { role: 'assistant', content: '' }, finish_reason: null })];
    parts.push(...split(text).map(openAi.piece), event({ delta: {}, finish_reason: finishReason }));
    if (usage !== null && body.stream_options !== undefined) {
      parts.push(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [], usage })}\n\n`);
    }
    return [...parts, 'data: [DONE]\n\n'];
  },
  document({ text, finishReason = 'stop' }, usage) {
    const choices = [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: finishReason }];
    return { ...head, object: 'chat.completion', choices, ...(usage && { usage }) };
  },
};

const line = (message: object, more: object = { done: false }) =>
  `${JSON.stringify({ model: modelName, created_at: '2026-01-02T03:04:05Z', message: { role: 'assistant', content: '', ...message }, ...more })}\n`;

const lastOf = ({ finishReason = 'stop' }: FakeReply, usage: Counts | null) => ({
  done: true,
  done_reason: finishReason,
  ...(usage && { prompt_eval_count: usage.prompt_tokens, eval_count: usage.completion_tokens }),
});

const ollama: Wire = {
  type: 'application/x-ndjson',
  idle: line({}),
  piece: (content) => line({ content }),
  stream(_, reply, usage) {
    const thoughts = split(reply.thinking ?? '').map((thinking) => line({ thinking }));
    return [...thoughts, ...split(reply.text).map(ollama.piece), line({}, lastOf(reply, usage))];
  },
  document: (reply, usage) => JSON.parse(line({ content: reply.text }, lastOf(reply, usage))) as object,
};

const wires: Readonly<Record<string, Wire>> = { '/v1/chat/completions': openAi, '/api/chat': ollama };

/** Tokens are words, numbers and symbols here: near a real count, and not what our own estimate says. */
const countTokens = (text: string) => text.match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu)?.length ?? 0;

function sendReply(wire: Wire, request: FakeRequest, response: ServerResponse, reply: FakeReply): void {
  const counted = {
    prompt_tokens: request.body.messages.reduce((sum, message) => sum + countTokens(message.content), 0),
    completion_tokens: countTokens(reply.text),
  };
  const usage = reply.usage === undefined ? counted : reply.usage;
  if (!request.body.stream || reply.plain) {
    sendJson(response, 200, wire.document(reply, usage));
    return;
  }
  response.writeHead(200, { 'content-type': wire.type });
  for (const part of wire.stream(request, reply, usage)) response.write(part);
  response.end();
}
