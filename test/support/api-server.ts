/** A loopback server with scripted answers for any API. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ApiRequest {
  readonly method: string;
  /** with its query */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  // biome-ignore lint/suspicious/noExplicitAny: tests look at whatever an API has in it
  readonly body: Readonly<Record<string, any>>;
}

export interface ApiAnswer {
  /** 200 when left out */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** server-sent events; those with a `type` are named by it, as Anthropic's and OpenAI's are */
  readonly events?: readonly object[];
  readonly text?: string;
}

export interface ApiServer {
  /** without a path */
  readonly url: string;
  /** POST requests so far; those for lists of models are not among them */
  readonly requests: readonly ApiRequest[];
  close(): Promise<void>;
}

const eventText = (payload: object) =>
  `${'type' in payload ? `event: ${payload.type}\n` : ''}data: ${JSON.stringify(payload)}\n\n`;

/** `answer` gets the requests that are POST; `models` is the answer to all others, 404 when left out. */
export async function startApiServer(
  answer: (request: ApiRequest, index: number) => ApiAnswer,
  models?: unknown,
): Promise<ApiServer> {
  const requests: ApiRequest[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const asked = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: text === '' ? {} : JSON.parse(text),
    };
    const isPost = asked.method === 'POST';
    if (isPost) requests.push(asked);
    const given = isPost
      ? answer(asked, requests.length - 1)
      : models === undefined
        ? { status: 404 }
        : { json: models };
    const type = given.events ? 'text/event-stream' : 'json' in given ? 'application/json' : 'text/plain';
    response.writeHead(given.status ?? 200, { 'content-type': type, ...given.headers });
    response.end(given.events?.map(eventText).join('') ?? ('json' in given ? JSON.stringify(given.json) : given.text));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
