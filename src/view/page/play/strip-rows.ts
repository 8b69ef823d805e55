/** The rows of the strip below a replay: state, action and reward over time. */
import type { Env } from '../../../envs/env.ts';
import type { Trace } from '../../../rollout/job.ts';

export interface StripRow {
  readonly name: string;
  readonly unit: string;
  /** per episode, per frame; the last value of an action and a reward is held */
  readonly lines: readonly (readonly number[])[];
  /** drawn as steps: it does not change between frames */
  readonly isStepped: boolean;
  readonly low: number;
  readonly high: number;
  /** name of a value, such as that of a discrete action; null: its number */
  readonly nameOf: ((value: number) => string) | null;
}

/** State entries that are shown; more would push the picture off the screen. */
export const mostStates = 8;

function row(
  name: string,
  unit: string,
  lines: readonly (readonly number[])[],
  isStepped: boolean,
  nameOf: StripRow['nameOf'] = null,
): StripRow {
  let [low, high] = [Infinity, -Infinity];
  for (const line of lines) {
    for (const value of line) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (!(low <= high)) [low, high] = [0, 0];
  if (low === high) [low, high] = [low - 1, high + 1];
  return { name, unit, lines, isStepped, low, high, nameOf };
}

/** The rows of episodes of one environment. */
export function stripRows(env: Env, traces: readonly Trace[]): StripRow[] {
  const states = env.state.slice(0, mostStates).map(({ name, unit }, i) =>
    row(
      name,
      unit,
      traces.map(({ steps, finalState }) => [...steps.map(({ state }) => state[i]!), finalState[i]!]),
      false,
    ),
  );
  const { action } = env;
  const actions =
    action.kind === 'discrete'
      ? [
          row(
            'action',
            '',
            traces.map(({ steps }) => steps.map((step) => step.action[0]!)),
            true,
            (value) => action.meanings[value] ?? String(value),
          ),
        ]
      : action.rows.map(({ name, unit }, i) =>
          row(
            name,
            unit,
            traces.map(({ steps }) => steps.map((step) => step.action[i]!)),
            true,
          ),
        );
  const rewards = row(
    'reward',
    '',
    traces.map(({ steps }) => steps.map(({ reward }) => reward)),
    true,
  );
  return [...states, ...actions, rewards];
}

/** The value of a line at a frame; behind its end the last one. undefined: the episode has no step. */
export function valueAt(line: readonly number[], at: number): number | undefined {
  return line[Math.min(at, line.length - 1)];
}
