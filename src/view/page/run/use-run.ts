/** The document of a run, kept up to date for as long as the view is open. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RunPage, RunUpdate } from '../../api/run.ts';
import { follow, type Loaded, useGet } from '../data.ts';
import { withUpdate } from './run-data.ts';

/** Several updates within this time, ms, are one change of the page; more where a change takes long to draw. */
const shortestPause = 100;
const longestPause = 5000;
/** time between changes, in times that one takes */
const shareOfPause = 10;

export function useRun(id: string): Loaded<RunPage> {
  const path = `/api/runs/${encodeURIComponent(id)}`;
  const loaded = useGet<RunPage>(path);
  const [page, setPage] = useState<RunPage | null>(null);
  const known = useRef<RunPage | null>(null);
  const { data, reload } = loaded;
  useEffect(() => {
    known.current = data;
    setPage(data);
  }, [data]);

  const isReady = data !== null;
  useEffect(() => {
    if (!isReady) return;
    let waiting: RunUpdate[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    let pause = shortestPause;
    const apply = (): void => {
      const all = waiting;
      waiting = [];
      if (known.current === null) return;
      known.current = all.reduce(withUpdate, known.current);
      const begun = performance.now();
      setPage(known.current);
      requestAnimationFrame(() =>
        setTimeout(() => {
          const spent = performance.now() - begun;
          pause = Math.min(longestPause, Math.max(shortestPause, shareOfPause * spent));
        }),
      );
    };
    const after = (): number => known.current?.iterations.at(-1)?.iteration ?? 0;
    const stop = follow<RunUpdate>(
      () => `${path}/live?after=${after()}`,
      'update',
      (update) => {
        waiting.push(update);
        if (waiting.length === 1) timer = setTimeout(apply, pause);
      },
    );
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [path, isReady]);

  if (page === null || loaded.data === null) return loaded;
  return { ...loaded, data: page, reload } as Loaded<RunPage>;
}
