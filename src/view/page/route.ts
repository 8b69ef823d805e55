/** Where the page is: `#/run/ID?at=12`. In the hash, so that the same links work from disk. */
import { useEffect, useState } from 'preact/hooks';

export interface Route {
  /** decoded parts: `['run', 'folder/cartpole-s0']`; empty: the list of runs */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

export type QueryValue = string | number | boolean | null | undefined | readonly string[];
/** null, undefined, false and '' leave a key out, true is `1`, a list repeats it */
export type QueryChanges = Readonly<Record<string, QueryValue>>;

/** A part that is no valid encoding stays as it is: an address that somebody typed is no reason to fail. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function parseRoute(hash: string): Route {
  const text = hash.replace(/^#/, '');
  const mark = text.indexOf('?');
  const path = mark < 0 ? text : text.slice(0, mark);
  return {
    path: path
      .split('/')
      .filter((part) => part !== '')
      .map(decoded),
    query: new URLSearchParams(mark < 0 ? '' : text.slice(mark + 1)),
  };
}

function changed(query: URLSearchParams, changes: QueryChanges): URLSearchParams {
  const next = new URLSearchParams(query);
  for (const [key, value] of Object.entries(changes)) {
    next.delete(key);
    if (value === null || value === undefined || value === false || value === '') continue;
    for (const one of Array.isArray(value) ? value : [value === true ? '1' : String(value)]) next.append(key, one);
  }
  return next;
}

function hashOf(path: readonly string[], query: URLSearchParams): string {
  const text = query.toString();
  return `#/${path.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`;
}

/** `link(['run', id], { at: 12 })` -> `#/run/ID?at=12` */
export function link(path: readonly string[], query: QueryChanges = {}): string {
  return hashOf(path, changed(new URLSearchParams(), query));
}

export const currentRoute = (): Route => parseRoute(location.hash);

const listeners = new Set<() => void>();
const notify = (): void => {
  for (const listener of [...listeners]) listener();
};

/** Goes to a state of the page with an entry in the history. */
export function go(path: readonly string[], query: QueryChanges = {}): void {
  location.hash = link(path, query);
}

/** Changes keys of the query in the address, without an entry in the history: for filters, selections and cursors. */
export function setQuery(changes: QueryChanges): void {
  const { path, query } = currentRoute();
  const hash = hashOf(path, changed(query, changes));
  if (hash === hashOf(path, query)) return;
  history.replaceState(history.state, '', hash);
  notify();
}

export function useRoute(): Route {
  const [route, setRoute] = useState(currentRoute);
  useEffect(() => {
    const update = (): void => setRoute(currentRoute());
    listeners.add(update);
    addEventListener('hashchange', update);
    update();
    return () => {
      listeners.delete(update);
      removeEventListener('hashchange', update);
    };
  }, []);
  return route;
}
