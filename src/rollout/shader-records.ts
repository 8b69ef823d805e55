/** What the programs of the shaders take and leave for recorded episodes and single steps, on every backend that runs them. */
import { actionSize, type Env, observationSize } from '../envs/env.ts';
import type { ProbeInput, ProbeOutput, Trace } from './job.ts';

/** Words per recorded step: state, observation, action, reward. */
export function traceWords(env: Env): number {
  return env.state.length + observationSize(env.observation) + actionSize(env.action) + 1;
}

/**
 * The episode of `records [length + 1][traceWords]`: record t holds where the episode stands after t steps, and the step that
 * led there.
 */
export function traceOfRecords(
  env: Env,
  records: Float32Array,
  played: Pick<Trace, 'seed' | 'return' | 'length' | 'end'>,
): Trace {
  const size = traceWords(env);
  const obsAt = env.state.length;
  const actionAt = obsAt + observationSize(env.observation);
  const part = (record: number, from: number, to: number): number[] =>
    Array.from(records.subarray(record * size + from, record * size + to));
  const { length } = played;
  return {
    env: env.id,
    ...played,
    steps: Array.from({ length }, (_, t) => ({
      state: part(t, 0, obsAt),
      obs: part(t, obsAt, actionAt),
      action: part(t + 1, actionAt, size - 1),
      reward: records[(t + 2) * size - 1]!,
    })),
    finalState: part(length, 0, obsAt),
  };
}

/** States and actions of single steps, and the random numbers that each may take. */
export function probeWords(
  env: Env,
  inputs: readonly ProbeInput[],
): { steps: Float32Array<ArrayBuffer>; draws: Uint32Array<ArrayBuffer> } {
  const stateSize = env.state.length;
  const inputSize = stateSize + actionSize(env.action);
  const steps = new Float32Array(inputs.length * inputSize);
  // Not empty: a program binds it.
  const draws = new Float64Array(Math.max(1, inputs.length * env.stepDraws));
  inputs.forEach((input, i) => {
    steps.set(input.state, i * inputSize);
    steps.set(input.action, i * inputSize + stateSize);
    draws.set(input.draws ?? [], i * env.stepDraws);
  });
  return { steps, draws: new Uint32Array(draws.buffer) };
}

/** Numbers per row that a single step leaves. */
export function probeRowSize(env: Env): number {
  return env.state.length + observationSize(env.observation) + 2;
}

export function probeOutputOf(env: Env, row: readonly number[]): ProbeOutput {
  const stateSize = env.state.length;
  const size = probeRowSize(env);
  return {
    state: row.slice(0, stateSize),
    obs: row.slice(stateSize, size - 2),
    reward: row[size - 2]!,
    terminated: row[size - 1] === 1,
  };
}
