/**
 * The only episode loop of the cpu backend: seed, observe, act, choose the action, step, until an end. It runs on the
 * calling thread and in every worker, with and without a recorder, so that all of them give the same numbers.
 */
import { Generator } from '../../base/rng/generator.ts';
import { actionSize, type Env, observationSize, stateArraySize, type Transition } from '../../envs/env.ts';
import { type Policy, policyValues } from '../../policies/policy.ts';
import { type EndCause, type Episodes, endCauses, firstSeed, type RolloutJob, type TraceStep } from '../job.ts';
import { argmax, clipToBox } from './actions.ts';

/** Where the outcomes go, candidate-major as in `Episodes`. */
export type Outcomes = Pick<Episodes, 'returns' | 'lengths' | 'ends'>;

/** Plays the entries `from ... to - 1` of a job, candidate-major, into `out`. */
export interface EpisodePlayer {
  play(
    job: Pick<RolloutJob, 'candidates' | 'episodes' | 'seed'>,
    from: number,
    to: number,
    out: Outcomes,
    recorder: null,
  ): void;
}

/** Array.from without its iterator, which is slow for few numbers. */
function plainArray(values: Float64Array, count: number): number[] {
  const copy: number[] = [];
  for (let i = 0; i < count; i++) copy.push(values[i]!);
  return copy;
}

/** Collects the steps of one episode. */
export class Recorder {
  readonly steps: TraceStep[] = [];
  #state: number[] = [];
  #obs: number[] = [];
  #action: number[] = [];
  readonly #stateSize: number;

  /** `env`: whose state rows are recorded; what else the state array carries is not. */
  constructor(env: Env) {
    this.#stateSize = env.state.length;
  }

  beforeStep(state: Float64Array, observation: Float64Array, action: Float64Array): void {
    this.#state = plainArray(state, this.#stateSize);
    this.#obs = plainArray(observation, observation.length);
    this.#action = plainArray(action, action.length);
  }

  afterStep(reward: number): void {
    this.steps.push({ state: this.#state, obs: this.#obs, action: this.#action, reward });
  }
}

const terminatedCode = endCauses.indexOf('terminated');

/** How outputs become actions. */
const ARGMAX = 0;
const CLIP = 1;
const AS_IS = 2;

/**
 * A class of its own: V8 gives all literals that begin with the same key one layout, and one with a text as `reward`
 * elsewhere would make each number that is written here an object.
 */
class Outcome implements Transition {
  reward = 0;
  terminated = false;
}

/** Episodes of one policy kind in one environment; everything that a step touches is allocated here. */
export class Player {
  readonly state: Float64Array;
  readonly #env: Env;
  readonly #policy: Policy;
  readonly #maxSteps: number;
  readonly #limitCode: number;
  readonly #rng = Generator.from(0);
  readonly #observation: Float64Array;
  readonly #outputs: Float64Array;
  readonly #action: Float64Array;
  readonly #low: Float64Array;
  readonly #high: Float64Array;
  readonly #rule: number;
  readonly #transition = new Outcome();

  /** `limit`: steps after which an episode is stopped, and the cause that is noted then. */
  constructor(env: Env, policy: Policy, limit: { readonly steps: number; readonly cause: EndCause }) {
    const { action } = env;
    const box = action.kind === 'box' ? action.rows : [];
    this.#env = env;
    this.#policy = policy;
    this.#maxSteps = limit.steps;
    this.#limitCode = endCauses.indexOf(limit.cause);
    this.state = new Float64Array(stateArraySize(env));
    this.#observation = new Float64Array(observationSize(env.observation));
    this.#outputs = new Float64Array(policy.outputCount);
    this.#action = new Float64Array(actionSize(action));
    this.#low = Float64Array.from(box, (row) => row.low);
    this.#high = Float64Array.from(box, (row) => row.high);
    this.#rule = policy.output === 'action' ? AS_IS : action.kind === 'box' ? CLIP : ARGMAX;
  }

  /**
   * Plays the entries `from ... to - 1` of the job (candidate-major) into `out`, and leaves the last state in `state`.
   * One function for the loops over episodes and steps: V8 inlines about a thousand bytes into a function, most called
   * first, and all of them should go to the step.
   */
  play(
    job: Pick<RolloutJob, 'candidates' | 'episodes' | 'seed'>,
    from: number,
    to: number,
    out: Outcomes,
    recorder: Recorder | null,
  ): void {
    const { candidates, episodes } = job;
    const env = this.#env.dynamics;
    const constants = this.#env.params;
    const policy = this.#policy;
    const maxSteps = this.#maxSteps;
    const rng = this.#rng;
    const state = this.state;
    const observation = this.#observation;
    const outputs = this.#outputs;
    const action = this.#action;
    const low = this.#low;
    const high = this.#high;
    const rule = this.#rule;
    const transition = this.#transition;

    let known = -1;
    let values = candidates[0]!;
    let seed = 0;
    for (let entry = from; entry < to; entry++) {
      const candidate = Math.floor(entry / episodes);
      if (candidate !== known) {
        values = policyValues(policy, candidates[candidate]!);
        seed = firstSeed(job, candidate);
        known = candidate;
      }
      rng.reseed(seed + (entry - candidate * episodes));
      env.reset(constants, rng, state);
      let total = 0;
      let length = 0;
      let terminated = false;
      while (!terminated && length < maxSteps) {
        env.observe(constants, state, observation);
        policy.act(values, observation, outputs);
        if (rule === ARGMAX) action[0] = argmax(outputs);
        else if (rule === CLIP) clipToBox(outputs, low, high, action);
        else for (let j = 0; j < action.length; j++) action[j] = outputs[j]!;
        if (recorder !== null) recorder.beforeStep(state, observation, action);
        // A step that leaves one of them out would repeat what another step, or another episode, has left there.
        transition.reward = 0;
        transition.terminated = false;
        env.step(constants, state, action, rng, transition);
        if (recorder !== null) recorder.afterStep(transition.reward);
        total += transition.reward;
        terminated = transition.terminated;
        length++;
      }
      out.returns[entry] = total;
      out.lengths[entry] = length;
      out.ends[entry] = terminated ? terminatedCode : this.#limitCode;
    }
  }
}
