/** Checks of all backends: jobs, episodes and transitions that cannot be played are refused. */
import { UsageError } from '../base/errors.ts';
import { RecordedDraws } from '../base/rng/draws.ts';
import { actionSize, type Env, stateArraySize } from '../envs/env.ts';
import { allowsParameter, type Policy } from '../policies/policy.ts';
import { type ProbeInput, type RolloutJob, stepLimit } from './job.ts';

/** Seeds are whole numbers that doubles hold exactly, as are all the seeds of a job. */
export const maxSeed = Number.MAX_SAFE_INTEGER;
/** Maximum number of steps of an episode: their count shares a word with the end cause on the GPU. */
export const maxEpisodeSteps = 2 ** 30 - 1;
/** Maximum number of episodes in one call whose outcomes come back to the host. */
export const maxEpisodes = 2 ** 28;
/** Maximum number of episodes in one call of which only the statistics do; it fits a signed word. */
export const maxMeasuredEpisodes = 2 ** 31;

/** Refuses `count` seeds from `seed` on that are not all whole numbers which doubles hold exactly. */
export function checkSeeds(unit: string, seed: number, count: number): void {
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new UsageError(unit, `expected a positive whole number of episodes, got ${count}`);
  }
  if (!Number.isSafeInteger(seed) || seed < 0 || seed > maxSeed - (count - 1)) {
    throw new UsageError(unit, `expected episode seeds in 0 ... ${maxSeed}, got ${seed} and the ${count - 1} after it`);
  }
}

/** Refuses a candidate or an episode that the job does not have. */
export function checkEpisode(job: RolloutJob, candidate: number, episode: number): void {
  const check = (what: string, index: number, count: number): void => {
    if (!Number.isSafeInteger(index) || index < 0 || index >= count) {
      throw new UsageError('trace', `expected ${what} in 0 ... ${count - 1}, got ${index}`);
    }
  };
  check('a candidate', candidate, job.candidates.length);
  check('an episode', episode, job.episodes);
}

/** Refuses states and actions that the environment could not have, or that a backend which computes in f32 does not hold. */
export function checkProbes(env: Env, inputs: readonly ProbeInput[], precision: 'f32' | 'f64'): void {
  const actions = actionSize(env.action);
  inputs.forEach(({ state, action, draws = [] }, index) => {
    const fail = (message: string): never => {
      throw new UsageError('probe', `${message} in entry ${index}`);
    };
    if (state.length !== env.state.length) fail(`expected ${env.state.length} state entries, got ${state.length}`);
    if (action.length !== actions) fail(`expected ${actions} action entries, got ${action.length}`);
    for (const value of [...state, ...action]) {
      if (!Number.isFinite(value)) fail(`expected finite numbers, got ${value}`);
      if (precision === 'f32' && !Number.isFinite(Math.fround(value))) {
        fail(`expected finite numbers (in f32), got ${value}`);
      }
    }
    if (env.action.kind === 'discrete') {
      const count = env.action.meanings.length;
      if (!Number.isInteger(action[0]) || action[0]! < 0 || action[0]! >= count) {
        fail(`expected an action in 0 ... ${count - 1}, got ${action[0]}`);
      }
    }
    if (env.observation.kind === 'discrete') checkNumberedState(env, env.observation.n, state, fail);
    if (draws.length > env.stepDraws) fail(`expected at most ${env.stepDraws} draws, got ${draws.length}`);
    for (const value of draws) if (!Number.isFinite(value)) fail(`expected finite draws, got ${value}`);
    if (env.stepDraws > 0) checkDraws(env, state, action, draws, fail);
  });
}

/** A state without a number would be looked up outside of the policy's table. */
function checkNumberedState(env: Env, n: number, state: readonly number[], fail: (message: string) => never): void {
  env.state.forEach(({ name, low, high }, i) => {
    if (!(state[i]! >= low && state[i]! <= high)) fail(`expected ${name} in ${low} ... ${high}, got ${state[i]}`);
  });
  const scratch = new Float64Array(stateArraySize(env));
  scratch.set(state);
  const seen = new Float64Array(1);
  env.dynamics.observe(env.params, scratch, seen);
  const [number] = seen;
  if (!Number.isInteger(number) || number! < 0 || number! >= n) {
    fail(`expected a state with a whole number in 0 ... ${n - 1}, got ${number}`);
  }
}

/** A GPU cannot report that a step needs another random number, so the float64 step is tried first. */
function checkDraws(
  env: Env,
  state: readonly number[],
  action: readonly number[],
  draws: readonly number[],
  fail: (message: string) => never,
): void {
  const scratch = new Float64Array(stateArraySize(env));
  scratch.set(state);
  try {
    const out = { reward: 0, terminated: false };
    env.dynamics.step(env.params, scratch, Float64Array.from(action), new RecordedDraws(draws), out);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    fail(error.detail);
  }
}

/** Whether the policy was built for the observations and actions of this environment, names and bounds included. */
function fits({ spaces }: Policy, { observation, action }: Env): boolean {
  if (spaces === undefined || (spaces.observation === observation && spaces.action === action)) return true;
  return JSON.stringify(spaces) === JSON.stringify({ observation, action });
}

/**
 * Refuses a job that no backend could play, or one of more than `max` episodes. Throws a usage error that names the
 * problem.
 */
export function checkJob(job: RolloutJob, max: number): void {
  const fail = (message: string): never => {
    throw new UsageError('evaluate', message);
  };
  const { env, policy, candidates, episodes, seed, maxSteps } = job;
  if (typeof seed === 'number') checkSeeds('evaluate', seed, episodes);
  else {
    if (seed.length !== candidates.length) fail(`expected ${candidates.length} first seeds, got ${seed.length}`);
    for (const first of seed) checkSeeds('evaluate', first, episodes);
  }
  if (candidates.length === 0) fail('expected at least one candidate, got none');
  if (candidates.length * episodes > max) {
    fail(`expected at most ${max} episodes in one call, got ${candidates.length} x ${episodes}; split the call`);
  }
  if (maxSteps !== null && (!Number.isSafeInteger(maxSteps) || maxSteps < 1 || maxSteps > maxEpisodeSteps)) {
    fail(`expected max-steps to be a whole number in 1 ... ${maxEpisodeSteps}, got ${maxSteps}`);
  }
  const { steps } = stepLimit(job);
  // A shader holds them in a word, where a longer limit would be another one.
  if (!Number.isSafeInteger(steps) || steps < 1 || steps > maxEpisodeSteps) {
    fail(
      `expected ${env.id} to have a step limit in 1 ... ${maxEpisodeSteps}, got ${steps}; change its "timeLimit", or set max-steps`,
    );
  }
  if (!fits(policy, env)) {
    fail(
      `expected a policy for the observations and actions of ${env.id}, got one of others; use buildPolicy with ${env.id}`,
    );
  }
  const choices = policy.values.kind === 'choice' ? policy.values.values : null;
  candidates.forEach((params, c) => {
    const name = candidates.length === 1 ? 'the policy' : `candidate ${c}`;
    if (params.length !== policy.paramCount) {
      fail(`expected ${policy.paramCount} parameters for ${policy.kind} in ${env.id}, got ${params.length} in ${name}`);
    }
    for (let i = 0; i < params.length; i++) {
      const value = params[i]!;
      if (!Number.isFinite(Math.fround(value))) {
        fail(`expected finite parameters (in f32), got ${value} at index ${i} (${policy.paramNames[i]}) of ${name}`);
      }
      if (choices !== null && !allowsParameter(policy.values, value)) {
        fail(`expected one of ${choices.join(', ')} at index ${i} (${policy.paramNames[i]}) of ${name}, got ${value}`);
      }
    }
  });
}
