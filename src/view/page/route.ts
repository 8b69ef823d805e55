/** Where the page is, and how it goes elsewhere. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { changed, hashOf, link, parseRoute, type QueryChanges, type Route } from './address.ts';

export { link, type QueryChanges, type Route } from './address.ts';

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

/** The values of a key that has several, the same list as long as they are the same. */
export function useValues(query: URLSearchParams, key: string): readonly string[] {
  const text = JSON.stringify(query.getAll(key).filter((value) => value !== ''));
  return useMemo(() => JSON.parse(text) as string[], [text]);
}
