/** The one interface of all rollout backends, and the records that cross it. Nothing here knows how episodes are played. */
import { UsageError } from '../base/errors.ts';
import { RecordedDraws } from '../base/rng/draws.ts';
import { actionSize, type Env, stateArraySize } from '../envs/env.ts';
import { allowsParameter, type Policy } from '../policies/policy.ts';
import type { Statistics, StatisticsRequest } from './statistics.ts';

/** Why an episode stopped; the position is the code in `Episodes.ends`. */
export const endCauses = ['terminated', 'truncated', 'capped'] as const;
export type EndCause = (typeof endCauses)[number];

export interface RolloutJob {
  readonly env: Env;
  readonly policy: Policy;
  /** P parameter vectors, each `[paramCount]` */
  readonly candidates: readonly Float64Array[];
  /** E: every candidate plays the episode seeds `seed ... seed + E - 1` */
  readonly episodes: number;
  /** one for all candidates, so that they can be compared pair by pair; or one for each `[P]` */
  readonly seed: number | readonly number[];
  /** our own step cap (`capped`), on top of the environment's limit (`truncated`); null for none */
  readonly maxSteps: number | null;
}

/** What a call took. */
export interface Played {
  /** environment steps really played */
  readonly steps: number;
  /** wall time of the call, s */
  readonly seconds: number;
  /** time that the GPU spent in its dispatches, s; null when not asked for or not measurable */
  readonly gpuSeconds: number | null;
  /** the part of `seconds` that went into the program; next to nothing when it was compiled before, null without one */
  readonly compileSeconds: number | null;
}

/** Raw outcomes, candidate-major: entry `candidate * episodes + episode`. */
export interface Episodes extends Played {
  readonly returns: Float64Array;
  readonly lengths: Uint32Array;
  /** indices into `endCauses` */
  readonly ends: Uint8Array;
}

/** The outcomes of each candidate summed up. */
export interface Measured extends Played {
  /** mean return per candidate `[P]` */
  readonly means: Float64Array;
  /** `candidate` in 0 ... P - 1 */
  of(candidate: number): Statistics;
}

export interface TraceStep {
  /** before the step */
  readonly state: readonly number[];
  /** what the policy saw */
  readonly obs: readonly number[];
  /** what the environment was given, after argmax or clip */
  readonly action: readonly number[];
  readonly reward: number;
}

/** One whole episode. */
export interface Trace {
  readonly env: string;
  readonly seed: number;
  readonly return: number;
  readonly length: number;
  readonly end: EndCause;
  readonly steps: readonly TraceStep[];
  readonly finalState: readonly number[];
}

export interface ProbeInput {
  readonly state: readonly number[];
  readonly action: readonly number[];
  /** the random numbers that the step draws, in their order; needed where a step draws any */
  readonly draws?: readonly number[];
}

/** After one step from the given state. */
export interface ProbeOutput {
  readonly state: readonly number[];
  readonly obs: readonly number[];
  readonly reward: number;
  readonly terminated: boolean;
}

export const backendIds = ['webgpu', 'cpu', 'gpujs'] as const;
export type BackendId = (typeof backendIds)[number];

/** What a user may ask for. */
export const backendChoices = ['auto', ...backendIds] as const;
export type BackendChoice = (typeof backendChoices)[number];

export interface PlayOptions {
  /** An abort rejects with the signal's reason, between two dispatches or slices. */
  readonly signal?: AbortSignal;
  /** Fill `gpuSeconds`, at the cost of some latency. */
  readonly timing?: boolean;
  /** Hears now and then which share of the call is done, 0 ... 1. */
  readonly onProgress?: (share: number) => void;
}

export interface Backend {
  readonly id: BackendId;
  /** name of the GPU adapter, or of what takes its place; null on the cpu */
  readonly adapter: string | null;
  /** null when it plays this policy in this environment, else why not; `policy` null asks for the environment alone */
  supports(env: Env, policy: Policy | null): string | null;
  /** Brings back every outcome: at most `maxEpisodes`. */
  play(job: RolloutJob, options?: PlayOptions): Promise<Episodes>;
  /**
   * Brings back the statistics of each candidate only: of at most `maxMeasuredEpisodes` in all.
   * @throws R2poError when a return is not finite
   */
  measure(job: RolloutJob, request: StatisticsRequest, options?: PlayOptions): Promise<Measured>;
  /** Plays one episode of one candidate again while recording; its return equals the played one bit for bit. */
  trace(job: RolloutJob, candidate: number, episode: number): Promise<Trace>;
  /** Start states of the episode seeds `seed ... seed + count - 1`. */
  resets(env: Env, seed: number, count: number): Promise<number[][]>;
  /** Single transitions from given states. */
  probe(env: Env, inputs: readonly ProbeInput[]): Promise<ProbeOutput[]>;
  close(): Promise<void>;
}

/** Seeds are whole numbers that doubles hold exactly, as are all the seeds of a job. */
export const maxSeed = Number.MAX_SAFE_INTEGER;
/** Most steps of an episode: their count shares a word with the end cause on the GPU. */
export const maxEpisodeSteps = 2 ** 30 - 1;
/** Most episodes in one call whose outcomes come back to the host. */
export const maxEpisodes = 2 ** 28;
/** Most episodes in one call of which only the statistics do; their number fits a word with its sign. */
export const maxMeasuredEpisodes = 2 ** 31;

/** Our cap on the steps of an episode when none is asked for: 1000 where the environment has no limit of its own. */
export function usualCap(env: Env): number | null {
  return env.timeLimit === null ? 1000 : null;
}

/**
 * Steps after which an episode is stopped, and whose limit that is: the environment's own or our cap.
 * Throws a usage error when there is neither.
 */
export function stepLimit(job: RolloutJob): { readonly steps: number; readonly cause: EndCause } {
  const own = job.env.timeLimit ?? Infinity;
  const cap = job.maxSteps ?? Infinity;
  if (own === Infinity && cap === Infinity) {
    throw new UsageError('evaluate', `${job.env.id} has no step limit of its own; set max-steps`);
  }
  return own <= cap ? { steps: own, cause: 'truncated' } : { steps: cap, cause: 'capped' };
}

/** The episode seed that a candidate begins with. */
export function firstSeed({ seed }: Pick<RolloutJob, 'seed'>, candidate: number): number {
  return typeof seed === 'number' ? seed : seed[candidate];
}

/** The same job for the candidates `from ... to - 1`. */
export function partOfJob(job: RolloutJob, from: number, to: number): RolloutJob {
  const seed = typeof job.seed === 'number' ? job.seed : job.seed.slice(from, to);
  return { ...job, candidates: job.candidates.slice(from, to), seed };
}

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

/** Refuses states and actions that the environment could not have. */
export function checkProbes(env: Env, inputs: readonly ProbeInput[]): void {
  const actions = actionSize(env.action);
  inputs.forEach(({ state, action, draws = [] }, index) => {
    const fail = (message: string): never => {
      throw new UsageError('probe', `${message} in entry ${index}`);
    };
    if (state.length !== env.state.length) fail(`expected ${env.state.length} state entries, got ${state.length}`);
    if (action.length !== actions) fail(`expected ${actions} action entries, got ${action.length}`);
    for (const value of [...state, ...action]) {
      if (!Number.isFinite(value)) fail(`expected finite numbers, got ${value}`);
    }
    if (env.action.kind === 'discrete') {
      const count = env.action.meanings.length;
      if (!Number.isInteger(action[0]) || action[0] < 0 || action[0] >= count) {
        fail(`expected an action in 0 ... ${count - 1}, got ${action[0]}`);
      }
    }
    if (env.observation.kind === 'discrete') checkNumberedState(env, env.observation.n, state, fail);
    if (draws.length > env.stepDraws) fail(`expected at most ${env.stepDraws} draws, got ${draws.length}`);
    for (const value of draws) if (!Number.isFinite(value)) fail(`expected finite draws, got ${value}`);
    if (env.stepDraws > 0) checkDraws(env, state, action, draws, fail);
  });
}

/** A state without a number would be looked up where nothing stands. */
function checkNumberedState(env: Env, n: number, state: readonly number[], fail: (message: string) => never): void {
  env.state.forEach(({ name, low, high }, i) => {
    if (!(state[i] >= low && state[i] <= high)) fail(`expected ${name} in ${low} ... ${high}, got ${state[i]}`);
  });
  const scratch = new Float64Array(stateArraySize(env));
  scratch.set(state);
  const seen = new Float64Array(1);
  env.dynamics.observe(env.params, scratch, seen);
  const [number] = seen;
  if (!Number.isInteger(number) || number < 0 || number >= n) {
    fail(`expected a state with a whole number in 0 ... ${n - 1}, got ${number}`);
  }
}

/** A GPU cannot say that a step wanted another random number, so the float64 step is asked before. */
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

/**
 * Refuses a job that no backend could play, or one of more than `most` episodes. Throws a usage error that names what is
 * wrong.
 */
export function checkJob(job: RolloutJob, most: number): void {
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
  if (candidates.length * episodes > most) {
    fail(`expected at most ${most} episodes in one call, got ${candidates.length} x ${episodes}; split the call`);
  }
  if (maxSteps !== null && (!Number.isSafeInteger(maxSteps) || maxSteps < 1 || maxSteps > maxEpisodeSteps)) {
    fail(`expected max-steps to be a whole number in 1 ... ${maxEpisodeSteps}, got ${maxSteps}`);
  }
  stepLimit(job);
  const choices = policy.values.kind === 'choice' ? policy.values.values : null;
  candidates.forEach((params, c) => {
    const name = candidates.length === 1 ? 'the policy' : `candidate ${c}`;
    if (params.length !== policy.paramCount) {
      fail(`expected ${policy.paramCount} parameters for ${policy.kind} in ${env.id}, got ${params.length} in ${name}`);
    }
    for (let i = 0; i < params.length; i++) {
      const value = params[i];
      if (!Number.isFinite(Math.fround(value))) {
        fail(`expected finite parameters (in f32), got ${value} at index ${i} (${policy.paramNames[i]}) of ${name}`);
      }
      if (choices !== null && !allowsParameter(policy.values, value)) {
        fail(`expected one of ${choices.join(', ')} at index ${i} (${policy.paramNames[i]}) of ${name}, got ${value}`);
      }
    }
  });
}
