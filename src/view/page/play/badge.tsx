/** Compares what plays with float64, in this browser, on 256 seeds. */
import { useEffect, useState } from 'preact/hooks';
import { numberText, pText, shareText } from '../common/format.ts';
import { type ExecutorId, executorTitles } from './executor.ts';
import type { ExecutorPool } from './executors.ts';
import type { Batch, PlayJob } from './host.ts';
import type { Engine } from './load.ts';
import type { PlaySession } from './session.ts';

const badgeSeeds = 256;
/** A slider that moves asks for no comparison. */
const quietMs = 600;

export interface BadgeReport {
  readonly episodes: number;
  /** share with the same return, up to the rounding of an f32 sum, length and end */
  readonly equal: number;
  readonly largest: number;
  readonly p: number;
  readonly ok: boolean;
}

/** The verdict of `r2po parity` on whole episodes, and the largest difference of a return. */
function badgeOf(compare: Engine['compareOutcomes'], expected: Batch, got: Batch): BadgeReport {
  const unknown = new Uint8Array(expected.returns.length);
  // Where one side does not know why an episode ended, its return and length are compared.
  const areKnown = expected.ends !== null && got.ends !== null;
  const outcomes = ({ returns, lengths, ends }: Batch) => ({
    returns,
    lengths,
    ends: areKnown && ends !== null ? ends : unknown,
  });
  const { episodes, equal, p, ok } = compare(outcomes(expected), outcomes(got));
  let largest = 0;
  expected.returns.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value - got.returns[i]!));
  });
  return { episodes, equal, largest, p, ok };
}

export function Badge({
  engine,
  pool,
  session,
  id,
  job,
}: {
  engine: Engine;
  pool: ExecutorPool;
  session: PlaySession;
  id: ExecutorId;
  job: PlayJob;
}) {
  const [state, setState] = useState<BadgeReport | string | null>(null);
  const key = JSON.stringify([id, job.playable, job.params, job.constants, job.seed]);
  useEffect(() => {
    setState(null);
    if (id === 'cpu') return;
    const controller = new AbortController();
    const compare = async (): Promise<void> => {
      const small = { ...job, episodes: badgeSeeds };
      const expected = await (await pool.open('cpu')).play(small, controller.signal);
      const got = await session.playAside(small, controller.signal);
      if (!controller.signal.aborted) setState(badgeOf(engine.compareOutcomes, expected, got));
    };
    const timer = setTimeout(() => {
      compare().catch((error: Error) => !controller.signal.aborted && setState(error.message));
    }, quietMs);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [key]);
  if (id === 'cpu') return <p class="badge">This is the float64 reference itself.</p>;
  const against = `${executorTitles[id]} against float64`;
  if (state === null) {
    return (
      <p class="badge" role="status">
        {against}: {badgeSeeds} seeds are compared ...
      </p>
    );
  }
  if (typeof state === 'string') {
    return (
      <p class="badge badge-differs" role="status">
        {against}: the comparison failed: {state}
      </p>
    );
  }
  const { episodes, equal, largest, p, ok } = state;
  return (
    <p class={`badge badge-${ok ? 'ok' : 'differs'}`} role="status">
      <strong>{ok ? '✓ ok' : '✕ DIFFERS'}</strong> {against}: {shareText(equal)} of {episodes} episodes equal, largest
      difference {numberText(largest, 3)}, p = {pText(p)} of the two means
    </p>
  );
}
