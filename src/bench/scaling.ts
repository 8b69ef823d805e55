/** Measures how the time of one `evaluate` call grows with the number of episodes and of candidates. */
import type { Backend } from '../rollout/backend.ts';
import { median, settled, timedCall } from './timing.ts';
import type { BenchWork } from './work.ts';

export const scalingAxes = ['episodes', 'candidates'] as const;
export type ScalingAxis = (typeof scalingAxes)[number];

export interface ScalingRow {
  readonly candidates: number;
  /** per candidate */
  readonly episodes: number;
  /** total steps */
  readonly steps: number;
  /** time of one call, s */
  readonly seconds: number;
  readonly calls: number;
}

export interface Scaling {
  readonly axis: ScalingAxis;
  readonly rows: readonly ScalingRow[];
  /** count up to which the cost grows by at most `flatGrowth` per doubling; null: up to the last row */
  readonly flatUntil: number | null;
}

/** Maximum cost ratio per doubling of a flat curve. */
export const flatGrowth = 1.5;

/** Counts to measure: episodes of one candidate, and candidates with a search's 20 episodes each. */
const counts: Record<ScalingAxis, readonly number[]> = {
  episodes: [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000],
  candidates: [1, 8, 64, 512, 4096, 32_768, 65_536],
};
const episodesPerCandidate = 20;

/** Stops before a call that would take more than `maxSeconds`, assuming linear growth. */
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
    // The previous work may have left the backend cold for calls this small.
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
    const doublings = Math.log2(to!.count / from!.count);
    if ((to!.seconds / from!.seconds) ** (1 / doublings) > flatGrowth) return from!.count;
  }
  return null;
}
