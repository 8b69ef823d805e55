/** The server of `r2po view` as a function from requests to answers. */
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { secureHeaders } from 'hono/secure-headers';
import { exitCodes, R2poError } from '../../base/errors.ts';
import { machineFault } from '../../base/machine-fault.ts';
import { environmentFacts } from '../../runs/folder/manifest.ts';
import type { RunIndex } from '../api/index-of-runs.ts';
import { type Access, guard } from './access.ts';
import { dataText } from './data-text.ts';
import { eventStream, type StreamTimes, streamTimes } from './event-stream.ts';
import { IndexOfRuns } from './index-of-runs.ts';
import { indexPage, type PageFile } from './page-files.ts';
import type { RunRoot } from './run-root.ts';

export interface ViewOptions {
  readonly root: RunRoot;
  readonly access: Access;
  /** by name */
  readonly page: ReadonlyMap<string, PageFile>;
  /** a line for the user */
  readonly note: (text: string) => void;
  /** fires when the server closes */
  readonly signal: AbortSignal;
  readonly times?: StreamTimes;
}

/** Parameters of a large policy, as JSON. */
const maxBodyBytes = 4 * 2 ** 20;

export const answer = (c: Context, value: unknown): Response =>
  c.body(dataText(value), 200, { 'content-type': 'application/json; charset=utf-8' });

export const problem = (c: Context, status: 400 | 404 | 409 | 413 | 429 | 500 | 503, text: string): Response =>
  c.json({ problem: text }, status);

/** Everything that the page may load: itself, and workers that it makes of its own scripts. */
const contentPolicy = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'", "'wasm-unsafe-eval'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:', 'blob:'],
  fontSrc: ["'self'"],
  connectSrc: ["'self'"],
  workerSrc: ["'self'", 'blob:'],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
};

function failure(c: Context, error: unknown, note: ViewOptions['note']): Response {
  const expected = error instanceof R2poError ? error : machineFault(error);
  if (expected) return problem(c, expected.exitCode === exitCodes.usage ? 400 : 500, expected.detail);
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  note(`unexpected failure of ${new URL(c.req.url).pathname}, a bug in r2po: ${text}`);
  return problem(c, 500, `unexpected failure, a bug in r2po: ${text}`);
}

export function createViewApp(options: ViewOptions): Hono {
  const { root, access, page, note, signal, times = streamTimes } = options;
  const index = new IndexOfRuns(root);
  const app = new Hono();

  app.use(
    secureHeaders({
      contentSecurityPolicy: contentPolicy,
      xFrameOptions: 'DENY',
      referrerPolicy: 'no-referrer',
      crossOriginOpenerPolicy: 'same-origin',
      crossOriginResourcePolicy: 'same-origin',
      // Served without TLS.
      strictTransportSecurity: false,
    }),
  );
  app.use(guard(access));
  app.use('/api/*', async (c, next) => {
    await next();
    c.header('cache-control', 'no-store');
  });
  app.use(
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: (c) => problem(c, 413, `expected a request of at most ${maxBodyBytes} bytes, got more`),
    }),
  );
  app.onError((error, c) => failure(c, error, note));
  app.notFound((c) => problem(c, 404, 'expected a path of this server, got another; see docs/view.md'));

  const version = environmentFacts().versions.r2po;

  app.get('/api/health', (c) => answer(c, { version }));
  app.get('/api/runs', async (c) => {
    await index.refresh();
    return answer(c, {
      version,
      root: root.path,
      problem: index.problem,
      revision: index.revision,
      can: { follow: true, evaluate: false, steer: false },
      machine: null,
      runs: index.rows(),
    } satisfies RunIndex);
  });
  app.get('/api/runs/live', async (c) => {
    await index.refresh();
    let known = c.req.header('last-event-id') ?? c.req.query('after') ?? index.revision;
    // A list of thousands takes long to read: it is not read all the time.
    const stream = { times: { ...times, poll: Math.max(times.poll, 20 * index.duration) }, signal, note };
    return eventStream(c, stream, async () => {
      await index.refresh();
      const changes = index.changesSince(known);
      known = index.revision;
      const isNew = changes.rows.length + changes.gone.length > 0;
      return isNew ? { event: 'rows', data: changes, id: known } : 'nothing';
    });
  });

  const send = (c: Context, file: PageFile): Response =>
    c.body(new Uint8Array(file.read()), 200, { 'content-type': file.type, 'cache-control': 'no-cache' });
  for (const file of page.values()) app.get(`/${file.name}`, (c) => send(c, file));
  app.get('/', (c) => send(c, page.get(indexPage)!));
  return app;
}
