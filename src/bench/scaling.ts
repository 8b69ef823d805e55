/** How the time of one `evaluate` call grows with the number of episodes and of candidates. */
import type { Backend } from '../rollout/backend.ts';
import { median, settled, timedCall } from './timing.ts';
import type { BenchWork } from './work.ts';

export const scalingAxes = ['episodes', 'candidates'] as const;
export type ScalingAxis = (typeof scalingAxes)[number];

export interface ScalingRow {
  readonly candidates: number;
  /** per candidate */
  readonly episodes: number;
  /** steps of all of them */
  readonly steps: number;
  /** one call, s */
  readonly seconds: number;
  readonly calls: number;
}

export interface Scaling {
  readonly axis: ScalingAxis;
  readonly rows: readonly ScalingRow[];
  /** up to this number the cost grows by `flatGrowth` per doubling at most; null when it does so to the last row */
  readonly flatUntil: number | null;
}

/** Cost per doubling from which on a curve no longer counts as flat. */
export const flatGrowth = 1.5;

/** Numbers of episodes of one candidate, and of candidates with a search's 20 episodes each. */
const counts: Record<ScalingAxis, readonly number[]> = {
  episodes: [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000],
  candidates: [1, 8, 64, 512, 4096, 32_768, 65_536],
};
const episodesPerCandidate = 20;

/** Goes on until a call is expected to take more than `maxSeconds`: never more than its count grows. */
export async function scaling(
  backend: Backend,
  work: BenchWork,
  axis: ScalingAxis,
  limits: { readonly repeats: number; readonly maxSeconds: number },
): Promise<Scaling> {
  const rows: ScalingRow[] = [];
  let before: { readonly count: number; readonly seconds: number } | null = null;
  for (const count of counts[axis]) {
    if (before !== null && (before.seconds * count) / before.count > limits.maxSeconds) break;
    const [episodes, candidates] = axis === 'episodes' ? [count, 1] : [episodesPerCandidate, count];
    const once = () => timedCall(backend, work, episodes, candidates);
    // What was played before may have left the backend cold for calls this small.
    if (before === null) await once();
    const first = await once();
    const times = await settled(first.seconds, once, limits.repeats, limits.maxSeconds);
    const seconds = median(times);
    rows.push({ candidates, episodes, steps: first.result.played.steps, seconds, calls: times.length });
    before = { count, seconds };
  }
  return { axis, rows, flatUntil: flatUntil(rows.map((row) => ({ count: row[axis], seconds: row.seconds }))) };
}

/** The count after which the cost first grows by more than `flatGrowth` per doubling; null when it never does. */
export function flatUntil(rows: readonly { readonly count: number; readonly seconds: number }[]): number | null {
  for (let i = 1; i < rows.length; i++) {
    const [from, to] = [rows[i - 1], rows[i]];
    const doublings = Math.log2(to.count / from.count);
    if ((to.seconds / from.seconds) ** (1 / doublings) > flatGrowth) return from.count;
  }
  return null;
}
