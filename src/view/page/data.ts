/** Where the page has its data from: the server that it came from, or the scripts of a static export. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import { exportScript } from '../api/export.ts';

/** An answer that is no data; `status` 0: there was no answer. */
export class DataError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Whether the page is a static export, which can neither follow nor ask for anything. */
export const isExport = document.querySelector<HTMLMetaElement>('meta[name="r2po-data"]')?.content === 'scripts';

// ---- connection ----

export type Connection = 'connected' | 'lost';
let connection: Connection = 'connected';
const watchers = new Set<(state: Connection) => void>();

function setConnection(state: Connection): void {
  if (state === connection) return;
  connection = state;
  for (const watcher of [...watchers]) watcher(state);
}

/** Whether the server answers. */
export function useConnection(): Connection {
  const [state, setState] = useState(connection);
  useEffect(() => {
    watchers.add(setState);
    setState(connection);
    return () => void watchers.delete(setState);
  }, []);
  return state;
}

// ---- from the server ----

const noAnswer = 'the server of this page does not answer; start it again with: r2po view';

async function ask(path: string, init: RequestInit): Promise<unknown> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, init);
    text = await response.text();
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    setConnection('lost');
    throw new DataError(0, noAnswer);
  }
  setConnection('connected');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DataError(response.status, `expected JSON of ${path}, got status ${response.status}`);
  }
  if (response.ok) return value;
  const problem = (value as { problem?: unknown } | null)?.problem;
  throw new DataError(response.status, typeof problem === 'string' ? problem : `status ${response.status} of ${path}`);
}

// ---- from scripts ----

const arrived = new Map<string, unknown>();
const scripts = new Map<string, Promise<void>>();
if (isExport) Object.assign(globalThis, { r2po_data: (key: string, value: unknown) => void arrived.set(key, value) });

function loadScript(file: string): Promise<void> {
  const begun = scripts.get(file);
  if (begun) return begun;
  const promise = new Promise<void>((resolve) => {
    const element = document.createElement('script');
    element.src = file;
    element.onload = () => resolve();
    element.onerror = () => resolve();
    document.head.append(element);
  });
  scripts.set(file, promise);
  return promise;
}

async function fromScripts(key: string): Promise<unknown> {
  if (!arrived.has(key)) await loadScript(exportScript(key));
  if (!arrived.has(key)) throw new DataError(404, `this export has no data of ${key}; run r2po view to see it`);
  return arrived.get(key);
}

// ---- what the views use ----

/** The path of the document of a run; `near`: number of an iteration that a long run is not to be shown without. */
export function runPath(id: string, near: number | null = null): string {
  const path = `/api/runs/${encodeURIComponent(id)}`;
  return near === null || isExport ? path : `${path}?near=${near}`;
}

/** The value of a path of the API, such as `/api/runs`. Throws a DataError. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  if (isExport) return (await fromScripts(path)) as T;
  return (await ask(path, { headers: { accept: 'application/json' }, ...(signal && { signal }) })) as T;
}

/** Asks the server to do something. Throws a DataError. */
export async function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  if (isExport) throw new DataError(404, 'a static export has no server that could do this; run r2po view');
  const headers = { accept: 'application/json', 'content-type': 'application/json', 'x-r2po': '1' };
  return (await ask(path, { method: 'POST', headers, body: JSON.stringify(body), ...(signal && { signal }) })) as T;
}

const shortestWait = 500;
const longestWait = 5_000;

/**
 * Server-sent events of one name until `stop` is called. A stream that breaks is opened again; one of a hidden tab rests,
 * because a browser has six connections for all tabs of a server. `path` is asked for each time it is opened, so that a
 * stream goes on behind what is known (`id` of the last event); `onBack` is called when it was interrupted, where that does not suffice.
 */
export function follow<T>(
  path: string | (() => string),
  event: string,
  onData: (data: T, id: string) => void,
  onBack?: () => void,
): () => void {
  if (isExport) return () => {};
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wait = shortestWait;
  let interrupted = false;

  const close = (): void => {
    clearTimeout(timer);
    source?.close();
    source = null;
  };
  const open = (): void => {
    close();
    const opened = new EventSource(typeof path === 'string' ? path : path());
    source = opened;
    opened.onopen = () => {
      wait = shortestWait;
      setConnection('connected');
      if (interrupted) onBack?.();
      interrupted = false;
    };
    opened.onerror = () => {
      close();
      interrupted = true;
      // A stream that ends or is refused is no dead server; a question that has no answer is.
      void ask('/api/health', {}).catch(() => {});
      timer = setTimeout(open, wait);
      wait = Math.min(longestWait, wait * 2);
    };
    opened.addEventListener(event, (message) => {
      const { data, lastEventId } = message as MessageEvent<string>;
      onData(JSON.parse(data) as T, lastEventId);
    });
  };
  const onVisibility = (): void => {
    if (document.hidden) {
      close();
      interrupted = true;
    } else if (source === null) {
      open();
    }
  };
  document.addEventListener('visibilitychange', onVisibility);
  if (!document.hidden) open();
  return () => {
    document.removeEventListener('visibilitychange', onVisibility);
    close();
  };
}

export type Loaded<T> =
  | { readonly state: 'loading'; readonly data: T | null; readonly reload: () => void }
  | { readonly state: 'ready'; readonly data: T; readonly reload: () => void }
  | {
      readonly state: 'failed';
      readonly data: T | null;
      readonly problem: string;
      readonly status: number;
      readonly reload: () => void;
    };

/** The value of a path, again when the path changes or the server is back. null: nothing to load yet. */
export function useGet<T>(path: string | null): Loaded<T> {
  const [round, setRound] = useState(0);
  const [found, setFound] = useState<{ path: string; data: T | null; problem: string | null; status: number } | null>(
    null,
  );
  const reload = useCallback(() => setRound((n) => n + 1), []);
  const isConnected = useConnection() === 'connected';
  useEffect(() => {
    if (path === null) return;
    const controller = new AbortController();
    get<T>(path, controller.signal).then(
      (data) => {
        if (!controller.signal.aborted) setFound({ path, data, problem: null, status: 200 });
      },
      (error: unknown) => {
        if (controller.signal.aborted) return;
        const status = error instanceof DataError ? error.status : 0;
        const problem = error instanceof Error ? error.message : String(error);
        setFound((before) => ({ path, data: before?.path === path ? before.data : null, problem, status }));
      },
    );
    return () => controller.abort();
  }, [path, round]);
  const failedWithoutServer = found?.problem != null && found.status === 0;
  useEffect(() => {
    if (isConnected && failedWithoutServer) reload();
  }, [isConnected, failedWithoutServer, reload]);
  if (found === null || found.path !== path) return { state: 'loading', data: null, reload };
  if (found.problem !== null) {
    return { state: 'failed', data: found.data, problem: found.problem, status: found.status, reload };
  }
  return { state: 'ready', data: found.data as T, reload };
}
