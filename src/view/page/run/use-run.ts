/** The document of a run, kept up to date for as long as the view is open. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RunPage, RunUpdate } from '../../api/run.ts';
import { follow, type Loaded, useGet } from '../data.ts';
import { withUpdate } from './run-data.ts';

/** Several updates within this time, ms, are one change of the page. */
const pause = 100;

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
    const apply = (): void => {
      const all = waiting;
      waiting = [];
      if (known.current === null) return;
      known.current = all.reduce(withUpdate, known.current);
      setPage(known.current);
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
