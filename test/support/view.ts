/** The server of `r2po view` inside the test process, without a socket. */

import { SingleThreadBackend } from '../../src/rollout/cpu/single-thread.ts';
import { type Access, accessFor } from '../../src/view/server/access.ts';
import { createViewApp, type ViewOptions } from '../../src/view/server/app.ts';
import { Evaluator } from '../../src/view/server/evaluator.ts';
import type { StreamTimes } from '../../src/view/server/event-stream.ts';
import type { PageFile } from '../../src/view/server/page-files.ts';
import { RunRoot } from '../../src/view/server/run-root.ts';
import { mainFile } from './cli.ts';

const file = (name: string, type: string, text: string): [string, PageFile] => [
  name,
  { name, type, read: () => Buffer.from(text) },
];

/** A page of two files, as small as it can be. */
export const smallPage = new Map([
  file(
    'index.html',
    'text/html; charset=utf-8',
    '<!doctype html><meta name="r2po-data" content="server" /><script defer src="app.js"></script>',
  ),
  file('app.js', 'text/javascript; charset=utf-8', ';'),
]);

const quick: StreamTimes = { poll: 5, heartbeat: 1000, stall: 1000 };

export interface Received {
  readonly event: string;
  readonly data: unknown;
  readonly id: string;
}

export interface TestView {
  readonly notes: string[];
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  post(
    path: string,
    body: unknown,
    headers?: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<Response>;
  /** the JSON of an answer that must be 2xx */
  json(path: string): Promise<unknown>;
  events(
    path: string,
    headers?: Readonly<Record<string, string>>,
  ): { next(): Promise<Received>; close(): Promise<void> };
}

export interface TestViewOptions extends Partial<Omit<ViewOptions, 'root'>> {
  readonly access?: Access;
}

export function testView(runs: string, options: TestViewOptions = {}): TestView {
  const notes: string[] = [];
  const app = createViewApp({
    root: new RunRoot(runs),
    access: accessFor('127.0.0.1', false),
    page: smallPage,
    note: (text) => notes.push(text),
    signal: new AbortController().signal,
    times: quick,
    evaluator: new Evaluator(async () => new SingleThreadBackend()),
    program: mainFile,
    ...options,
  });
  const host = { host: '127.0.0.1:7420' };
  const send = async (path: string, init: RequestInit): Promise<Response> =>
    app.request(`http://127.0.0.1:7420${path}`, init);
  const get: TestView['get'] = (path, headers = {}) => send(path, { headers: { ...host, ...headers } });
  return {
    notes,
    get,
    post: (path, body, headers = {}, signal = undefined) =>
      send(path, {
        method: 'POST',
        headers: { ...host, 'content-type': 'application/json', 'x-r2po': '1', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...(signal && { signal }),
      }),
    async json(path) {
      const response = await get(path);
      const text = await response.text();
      if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
      return JSON.parse(text);
    },
    events(path, headers) {
      const opened = get(path, headers).then((response) =>
        response.body!.pipeThrough(new TextDecoderStream()).getReader(),
      );
      let text = '';
      return {
        async next() {
          const reader = await opened;
          for (;;) {
            const end = text.indexOf('\n\n');
            if (end < 0) {
              const { value, done } = await reader.read();
              if (done) throw new Error('the stream ended');
              text += value;
              continue;
            }
            const lines = text.slice(0, end).split('\n');
            text = text.slice(end + 2);
            const fields = Object.fromEntries(
              lines.map((line) => [line.split(': ')[0], line.slice(line.indexOf(': ') + 2)]),
            );
            if (fields.event === undefined) continue;
            return { event: fields.event, data: JSON.parse(fields.data!), id: fields.id ?? '' };
          }
        },
        close: async () => (await opened).cancel(),
      };
    },
  };
}
