/** What backends are compared on: the same start states, single steps and episodes for each of them. */
import { RecordingDraws } from '../base/rng/draws.ts';
import { Generator } from '../base/rng/generator.ts';
import { type Env, stateArraySize } from '../envs/env.ts';
import type { Policy } from '../policies/policy.ts';
import type { Backend, BackendId } from '../rollout/backend.ts';
import type { Episodes, ProbeInput, ProbeOutput, RolloutJob } from '../rollout/job.ts';
import { randomAction } from './conformance.ts';

export interface WorkRequest {
  readonly env: Env;
  readonly policy: Policy;
  /** float64 */
  readonly reference: Backend;
  readonly seed: number;
  /** start states and single steps compared */
  readonly transitions: number;
  /** episodes per policy */
  readonly episodes: number;
  readonly maxSteps: number | null;
}

/** What one backend makes of the work. */
export interface Findings {
  readonly backend: BackendId;
  readonly starts: readonly (readonly number[])[];
  readonly steps: readonly ProbeOutput[];
  /** of each policy */
  readonly episodes: number;
  /** policy by policy */
  readonly outcomes: Episodes;
}

const randomPolicies = 64;
const trialEpisodes = 64;
/** per random policy; they only order the policies */
const firstLookEpisodes = 4;
const spread = 3;

/** Backends of which the first long call, which starts threads, is not taken for the time that playing takes. */
const timed = new WeakSet<Backend>();

export interface ChosenPolicy {
  /** "best of 64 random" */
  readonly name: string;
  readonly params: Float64Array;
}

export class ParityWork {
  readonly request: WorkRequest;
  readonly inputs: readonly ProbeInput[];
  readonly chosen: readonly ChosenPolicy[];
  readonly #played = new Map<number, Episodes>();
  #single: Promise<Pick<Findings, 'starts' | 'steps'>> | null = null;

  private constructor(request: WorkRequest, inputs: readonly ProbeInput[], chosen: readonly ChosenPolicy[]) {
    this.request = request;
    this.inputs = inputs;
    this.chosen = chosen;
  }

  static async prepare(request: WorkRequest): Promise<ParityWork> {
    const candidates = drawPolicies(request.policy, request.seed);
    const inputs = await reachableInputs(request, candidates);
    return new ParityWork(request, inputs, await choosePolicies(request, candidates));
  }

  /** What the reference makes of it, with so many episodes of each policy. */
  async reference(episodes: number): Promise<Findings> {
    const { reference } = this.request;
    this.#single ??= this.#singlesOf(reference);
    const outcomes = await this.#referencePlays(episodes);
    return { backend: reference.id, ...(await this.#single), episodes, outcomes };
  }

  /** What a backend makes of it. `maxSeconds`: fewer episodes are played where these and the reference's would take longer. */
  async of(backend: Backend, maxSeconds: number | null): Promise<Findings> {
    const singles = await this.#singlesOf(backend);
    const { episodes: wanted } = this.request;
    const play = async (episodes: number): Promise<Findings> => {
      const outcomes = await backend.play(this.#job(episodes));
      return { backend: backend.id, ...singles, episodes, outcomes };
    };
    const trialSize = Math.min(trialEpisodes, wanted);
    if (maxSeconds === null || trialSize === wanted) return play(wanted);
    // The first call compiles.
    await backend.play(this.#job(1));
    let trial = await play(trialSize);
    let seconds = trial.outcomes.seconds + (await this.#referencePlays(trialSize)).seconds;
    if (seconds * wanted > maxSeconds * trialSize && !timed.has(backend)) {
      timed.add(backend);
      trial = await play(trialSize);
      seconds = trial.outcomes.seconds + (await this.request.reference.play(this.#job(trialSize))).seconds;
    }
    const affordable = trialSize * 2 ** Math.floor(Math.log2(Math.max(1, maxSeconds / seconds)));
    return affordable === trialSize ? trial : play(Math.min(wanted, affordable));
  }

  async #referencePlays(episodes: number): Promise<Episodes> {
    const played = this.#played.get(episodes) ?? (await this.request.reference.play(this.#job(episodes)));
    this.#played.set(episodes, played);
    return played;
  }

  async #singlesOf(backend: Backend): Promise<Pick<Findings, 'starts' | 'steps'>> {
    const { env, seed, transitions } = this.request;
    const starts = await backend.resets(env, seed, transitions);
    return { starts, steps: await backend.probe(env, this.inputs) };
  }

  #job(episodes: number): RolloutJob {
    const { env, policy, seed, maxSteps } = this.request;
    return { env, policy, candidates: this.chosen.map(({ params }) => params), episodes, seed, maxSteps };
  }
}

function drawPolicies(policy: Policy, seed: number): Float64Array[] {
  const rng = Generator.from([seed, 1]);
  return Array.from({ length: randomPolicies }, () => policy.sample(rng, spread));
}

/**
 * States that random policies reach, each with a random action. They are rounded to f32 first, so that both sides
 * start from the same numbers and only the error of one step remains.
 */
async function reachableInputs(request: WorkRequest, candidates: readonly Float64Array[]): Promise<ProbeInput[]> {
  const { env, policy, reference, seed, transitions, maxSteps } = request;
  const job: RolloutJob = { env, policy, candidates, episodes: 1, seed, maxSteps };
  const states: (readonly number[])[] = [];
  for (let c = 0; c < candidates.length; c++) {
    const trace = await reference.trace(job, c, 0);
    for (const { state } of trace.steps) states.push(state);
  }
  const rng = Generator.from([seed, 2]);
  return Array.from({ length: transitions }, () => {
    const state = states[rng.integers(0, states.length)]!.map(Math.fround);
    const action = randomAction(env, rng);
    return { state, action, draws: drawsOf(env, state, action, rng) };
  });
}

/** What the float64 step draws in this state: whole numbers or fractions, as it asks for them. */
function drawsOf(env: Env, state: readonly number[], action: readonly number[], rng: Generator): number[] {
  if (env.stepDraws === 0) return [];
  const draws = new RecordingDraws(rng);
  const scratch = new Float64Array(stateArraySize(env));
  scratch.set(state);
  const out = { reward: 0, terminated: false };
  env.dynamics.step(env.params, scratch, Float64Array.from(action), draws, out);
  return draws.values;
}

/** The three best and the median of the random policies by a first look at the reference: long and short episodes. */
async function choosePolicies(request: WorkRequest, candidates: readonly Float64Array[]): Promise<ChosenPolicy[]> {
  const { env, policy, reference, seed, maxSteps } = request;
  const episodes = firstLookEpisodes;
  const look = await reference.play({ env, policy, candidates, episodes, seed, maxSteps });
  const means = candidates.map((params, c) => ({
    params,
    mean: look.returns.subarray(c * episodes, (c + 1) * episodes).reduce((a, b) => a + b, 0) / episodes,
  }));
  means.sort((a, b) => b.mean - a.mean);
  return [
    { name: `best of ${candidates.length} random`, params: means[0]!.params },
    { name: 'second best', params: means[1]!.params },
    { name: 'third best', params: means[2]!.params },
    { name: 'median', params: means[means.length >> 1]!.params },
  ];
}
