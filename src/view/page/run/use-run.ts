/** The document of a run, kept up to date for as long as the view is open. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { RunPage, RunUpdate } from '../../api/run.ts';
import { follow, type Loaded, runPath, useGet } from '../data.ts';
import { useIndex } from '../runs/index-store.ts';
import { leavesOut, withUpdate } from './run-data.ts';

/** Several updates within this time, ms, are one change of the page; more where a change takes long to draw. */
const shortestPause = 250;
const longestPause = 5000;
/** time between changes, in times that one takes */
const shareOfPause = 10;

/**
 * `at`: number of the iteration that the reader wants to see; null: none. Of a long run that leaves it out, the document is
 * loaded again, with that one.
 */
export function useRun(id: string, at: number | null): Loaded<RunPage> {
  const base = runPath(id);
  const [near, setNear] = useState<{ readonly base: string; readonly at: number } | null>(null);
  const chosen = near?.base === base ? near.at : null;
  const loaded = useGet<RunPage>(runPath(id, chosen));
  const [page, setPage] = useState<RunPage | null>(null);
  const known = useRef<RunPage | null>(null);
  const { data, reload } = loaded;
  useEffect(() => {
    known.current = data;
    setPage(data);
  }, [data]);

  const began = data?.row.started ?? null;
  const { index } = useIndex();
  const listed = useMemo(() => index?.runs.find((row) => row.id === id)?.started ?? null, [index, id]);
  useEffect(() => {
    // Another run has taken the place of the one that is shown.
    if (began !== null && listed !== null && listed !== began) reload();
  }, [began, listed, reload]);

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
      for (const update of all) known.current = withUpdate(known.current, update, chosen);
      const begun = performance.now();
      setPage(known.current);
      // The second frame begins when the first is on the screen: without a GPU, that takes longer than the page's own work.
      requestAnimationFrame(() =>
        requestAnimationFrame(() => {
          const spent = performance.now() - begun;
          pause = Math.min(longestPause, Math.max(shortestPause, shareOfPause * spent));
        }),
      );
    };
    const after = (): number => known.current?.iterations.at(-1)?.iteration ?? 0;
    const stop = follow<RunUpdate>(
      () => `${base}/live?after=${after()}`,
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
  }, [base, chosen, isReady, began]);

  const isLeftOut = page !== null && at !== null && leavesOut(page, at);
  useEffect(() => {
    if (isLeftOut && at !== null) setNear({ base, at });
  }, [base, at, isLeftOut]);

  if (page === null || loaded.data === null) return loaded;
  return { ...loaded, data: page, reload } as Loaded<RunPage>;
}
