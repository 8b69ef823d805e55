/** Addresses of the page as text: `#/run/ID?at=12`. In the hash, so that the same links work from disk. */

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

export function changed(query: URLSearchParams, changes: QueryChanges): URLSearchParams {
  const next = new URLSearchParams(query);
  for (const [key, value] of Object.entries(changes)) {
    next.delete(key);
    if (value === null || value === undefined || value === false || value === '') continue;
    for (const one of Array.isArray(value) ? value : [value === true ? '1' : String(value)]) next.append(key, one);
  }
  return next;
}

export function hashOf(path: readonly string[], query: URLSearchParams): string {
  const text = query.toString();
  return `#/${path.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`;
}

/** `link(['run', id], { at: 12 })` -> `#/run/ID?at=12` */
export function link(path: readonly string[], query: QueryChanges = {}): string {
  return hashOf(path, changed(new URLSearchParams(), query));
}
