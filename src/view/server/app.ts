/** The server of `r2po view` as a function from requests to answers. */
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { secureHeaders } from 'hono/secure-headers';
import { exitCodes, R2poError, UsageError } from '../../base/errors.ts';
import { machineFault } from '../../base/machine-fault.ts';
import { programVersion } from '../../base/node/assets.ts';
import type { RunIndex } from '../api/index-of-runs.ts';
import { type Access, guard } from './access.ts';
import { CallPages } from './call-pages.ts';
import { comparisonOf } from './comparison.ts';
import { dataText } from './data-text.ts';
import { Evaluator, TooBusyError } from './evaluator.ts';
import { eventStream, type StreamTimes, streamTimes } from './event-stream.ts';
import { IndexOfRuns } from './index-of-runs.ts';
import { indexPage, type PageFile } from './page-files.ts';
import { runPageOf, runUpdateOf } from './run-page.ts';
import { RunReadings } from './run-reading.ts';
import type { RunRoot } from './run-root.ts';
import { control, startBranch } from './steering.ts';

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
  /** whoever gives one closes it */
  readonly evaluator?: Evaluator;
  /** the program that starts branches, to be called with node; left out: the one that runs */
  readonly program?: string;
}

/** Parameters of a large policy, as JSON. */
const maxBodyBytes = 4 * 2 ** 20;

const answer = (c: Context, value: unknown): Response =>
  c.body(dataText(value), 200, { 'content-type': 'application/json; charset=utf-8' });

const problem = (c: Context, status: 400 | 404 | 409 | 413 | 429 | 500 | 503, text: string): Response =>
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

/** There is nothing under this path. */
class NotFoundError extends UsageError {}

function wholeNumber(text: string, name: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError('view', `expected a whole number as "${name}", got "${text}"`);
}

async function bodyOf(c: Context): Promise<unknown> {
  const text = await c.req.text();
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError('view', `expected JSON, got a text that is none: ${(cause as Error).message}`, cause);
  }
}

function failure(c: Context, error: unknown, note: ViewOptions['note']): Response {
  if (error instanceof TooBusyError) return problem(c, 429, error.detail);
  if (error instanceof NotFoundError) return problem(c, 404, error.detail);
  const expected = error instanceof R2poError ? error : machineFault(error);
  if (expected) return problem(c, expected.exitCode === exitCodes.usage ? 400 : 500, expected.detail);
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  note(`unexpected failure of ${new URL(c.req.url).pathname}, a bug in r2po: ${text}`);
  return problem(c, 500, `unexpected failure, a bug in r2po: ${text}`);
}

export function createViewApp(options: ViewOptions): Hono {
  const { root, access, page, note, signal, times = streamTimes } = options;
  const { evaluator = new Evaluator(), program = process.argv[1] ?? '' } = options;
  const index = new IndexOfRuns(root, Math.min(100, times.poll), signal);
  const readings = new RunReadings();
  const calls = new CallPages();
  const starting = new Set<string>();
  const found = async (id: string) => {
    const run = await index.find(id);
    if (run === null) {
      const text = `expected a run of this folder, got "${id}"; it may have been deleted or renamed`;
      throw new NotFoundError('view', text);
    }
    // Of a folder whose files are links out of the root only the row is shown.
    const link = root.filesOf(run.folder).problem;
    if (link !== null) throw new UsageError('view', link);
    return run;
  };
  const readingOf = async (c: Context) => {
    const { folder, row } = await found(c.req.param('id') ?? '');
    const near = c.req.query('near');
    return { reading: await readings.read(folder, near === undefined ? null : wholeNumber(near, 'near')), row };
  };
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

  const version = programVersion();

  app.get('/api/health', (c) => answer(c, { version }));
  app.get('/api/runs', async (c) => {
    await index.refresh();
    return answer(c, {
      version,
      root: root.path,
      problem: index.problem,
      revision: index.revision,
      can: { follow: true, evaluate: true, steer: true },
      machine: evaluator.known,
      runs: index.rows(),
    } satisfies RunIndex);
  });
  app.get('/api/runs/live', async (c, next) => {
    // A run may have this name: a page that asks for JSON asks for the run.
    if (c.req.header('accept')?.startsWith('application/json')) return next();
    // What is found now is new to a page that has just asked for the list.
    const before = index.revision;
    await index.refresh();
    let known = c.req.header('last-event-id') ?? c.req.query('after') ?? before;
    return eventStream(c, { times, signal, note }, async () => {
      await index.refresh();
      const changes = index.changesSince(known);
      known = index.revision;
      const isNew = changes.rows.length + changes.gone.length > 0;
      return isNew ? { event: 'rows', data: changes, id: known } : 'nothing';
    });
  });

  app.get('/api/runs/:id', async (c) => {
    const { reading, row } = await readingOf(c);
    return answer(c, runPageOf(reading, row));
  });
  app.get('/api/runs/:id/calls/:seq', async (c) => {
    const { reading } = await readingOf(c);
    const seq = wholeNumber(c.req.param('seq'), 'seq');
    const page = await calls.read(reading, seq);
    if (page === null) throw new NotFoundError('view', `expected the seq of a call of this run, got ${seq}`);
    return answer(c, page);
  });
  app.get('/api/runs/:id/live', async (c) => {
    await readingOf(c);
    let after = wholeNumber(c.req.header('last-event-id') ?? c.req.query('after') ?? '0', 'after');
    let seen = '';
    return eventStream(c, { times, signal, note }, async () => {
      const run = await index.find(c.req.param('id'));
      if (run === null || root.filesOf(run.folder).problem !== null) return 'end';
      const reading = await readings.read(run.folder);
      const state = `${reading.revision} ${JSON.stringify(run.row)}`;
      if (state === seen) return 'nothing';
      const isFirst = seen === '';
      seen = state;
      const data = runUpdateOf(reading, run.row, after);
      const { iterations, calls, spans } = data;
      if (isFirst && iterations.length + calls.length + spans.length === 0) return 'nothing';
      after = Math.max(after, iterations.at(-1)?.iteration ?? 0);
      return { event: 'update', data, id: String(after) };
    });
  });

  app.get('/api/machine', async (c) => answer(c, await evaluator.machine()));
  app.get('/api/compare', async (c) => {
    const chosen = await Promise.all(
      (c.req.queries('run') ?? []).map(async (id) => ({ id, folder: (await found(id)).folder })),
    );
    return answer(c, await comparisonOf(chosen, c.req.queries('by') ?? []));
  });
  app.post('/api/evaluate', async (c) => {
    const body = await bodyOf(c);
    return answer(c, await evaluator.evaluate(body, AbortSignal.any([c.req.raw.signal, signal])));
  });
  app.post('/api/runs/:id/control', async (c) => {
    const { folder } = await found(c.req.param('id'));
    return answer(c, await control(folder, await bodyOf(c)));
  });
  app.post('/api/runs/:id/branch', async (c) => {
    const id = c.req.param('id');
    const { folder, row } = await found(id);
    const { name, command } = await startBranch({ folder, method: row.method }, await bodyOf(c), { program, starting });
    return answer(c, { id: [...id.split('/').slice(0, -1), name].join('/'), command });
  });

  const send = (c: Context, file: PageFile): Response =>
    c.body(new Uint8Array(file.read()), 200, { 'content-type': file.type, 'cache-control': 'no-cache' });
  for (const file of page.values()) app.get(`/${file.name}`, (c) => send(c, file));
  app.get('/', (c) => send(c, page.get(indexPage)!));
  return app;
}
