/** Start states as the float64 dynamics draw them. */
import { Generator } from '../base/rng/generator.ts';
import { type Env, stateArraySize } from '../envs/env.ts';
import { checkSeeds } from './job-checks.ts';

/** The state rows `[STATE_DIM]` at the start of the episode seeds `seed ... seed + count - 1`. */
export function startStates(env: Env, seed: number, count: number): number[][] {
  checkSeeds('resets', seed, count);
  const rng = Generator.from(0);
  const state = new Float64Array(stateArraySize(env));
  return Array.from({ length: count }, (_, i) => {
    rng.reseed(seed + i);
    env.dynamics.reset(env.params, rng, state);
    return Array.from(state.subarray(0, env.state.length));
  });
}
