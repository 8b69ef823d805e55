/** The default picture of an environment: a bar per state entry. */
import { extremes } from '../base/extremes.ts';
import type { Env } from '../envs/env.ts';
import { type Picture, type Shape, scene } from '../envs/picture.ts';
import type { Trace } from '../rollout/job.ts';

const left = 120;
const right = 20;
const rowHeight = 24;
const maxRows = Math.floor((scene.height - 10) / rowHeight);

/** The bounds of the row; where it is unbounded, the range of the episode. */
function rangeOf(low: number, high: number, values: readonly number[]): readonly [number, number] {
  const [least, greatest] = extremes(values);
  const from = Number.isFinite(low) ? low : Math.min(least, 0);
  const to = Number.isFinite(high) ? high : Math.max(greatest, 0);
  return to > from ? [from, to] : [from, from + 1];
}

export function barsPicture(env: Env, trace: Trace): Picture {
  const states = [...trace.steps.map((step) => step.state), trace.finalState];
  const rows = env.state.slice(0, maxRows).map((row, i) => {
    const seen = states.map((state) => state[i]!);
    return { name: row.name, range: rangeOf(row.low, row.high, seen) };
  });
  const top = (scene.height - rows.length * rowHeight) / 2;
  const width = scene.width - left - right;
  return {
    stepSeconds: 0.05,
    draw: (_params, state) =>
      rows.flatMap(({ name, range: [low, high] }, i): Shape[] => {
        const y = top + i * rowHeight;
        const share = (value: number) => Math.min(Math.max((value - low) / (high - low), 0), 1);
        const zero = left + width * share(0);
        const end = left + width * share(state[i]!);
        const bar = { kind: 'rect', y: y + 4, height: rowHeight - 8, round: 2 } as const;
        return [
          { kind: 'text', tone: 'ink', x: left / 2, y: y + rowHeight / 2, text: name },
          { ...bar, tone: 'ground', x: left, width },
          { ...bar, tone: 'accent', x: Math.min(zero, end), width: Math.abs(end - zero) },
        ];
      }),
  };
}
