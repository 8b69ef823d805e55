/**
 * Compares two backends: start states bit for bit, single steps from the same states, and whole episodes
 * over the same seeds. `r2po parity` prints the result.
 */
import { RecordingDraws } from '../base/rng/draws.ts';
import { Generator } from '../base/rng/generator.ts';
import { type Env, observationSize, stateArraySize } from '../envs/env.ts';
import type { Summary } from '../evaluation/summary.ts';
import type { Policy } from '../policies/policy.ts';
import type { Backend, BackendId } from '../rollout/backend.ts';
import type { Episodes, ProbeInput, ProbeOutput, RolloutJob } from '../rollout/job.ts';
import { welch, welchOf } from '../stats/intervals.ts';
import { randomAction } from './conformance.ts';

/** Start states of the same seeds on two backends. */
export interface StartParity {
  readonly seeds: number;
  /** start states that are not the reference's state rounded to f32 */
  readonly different: number;
  readonly ok: boolean;
}

/** The single step in which two backends differ most. */
export interface WorstStep {
  /** the entry, e.g. "theta_dot" */
  readonly entry: string;
  readonly state: readonly number[];
  readonly action: readonly number[];
  readonly draws: readonly number[];
  /** value of the entry after the step */
  readonly expected: number;
  readonly got: number;
}

/** Single steps from the same states on two backends. */
export interface StepParity {
  readonly transitions: number;
  /** largest |difference| of a state, observation or reward entry, relative to max(1, largest state entry) */
  readonly maxError: number;
  /** where it is; null when there is no difference at all */
  readonly worst: WorstStep | null;
  readonly terminatedDifferent: number;
  /** the first step after which one side has ended and the other has not */
  readonly firstDifferentEnd: Pick<WorstStep, 'state' | 'action' | 'draws'> | null;
  readonly tolerance: number;
  readonly reason: string;
  readonly ok: boolean;
}

/** The same episodes on two backends. */
export interface OutcomeParity {
  readonly episodes: number;
  /** share of episodes with the same length, end cause and return, up to the rounding of its f32 sum */
  readonly equal: number;
  readonly meanReference: number;
  readonly meanOther: number;
  /** two-sample Welch test of the means; 1 when all episodes are equal */
  readonly p: number;
  readonly ok: boolean;
}

export interface EpisodeParity extends OutcomeParity {
  /** description of the policy: "best of 64 random" */
  readonly policy: string;
}

/** How two backends compare in one environment with one policy kind. */
export interface ParityReport {
  /** id of the environment */
  readonly env: string;
  /** id of the policy kind of the episodes */
  readonly policyKind: string;
  /** the backend that is right: cpu, in float64 */
  readonly reference: BackendId;
  /** the backend that is compared with it */
  readonly other: BackendId;
  /** start states */
  readonly start: StartParity;
  /** single steps */
  readonly step: StepParity;
  /** whole episodes, per policy */
  readonly episodes: readonly EpisodeParity[];
  /** whether everything is within tolerance */
  readonly ok: boolean;
}

/** What is compared, and how much of it. */
export interface ParityRequest {
  readonly env: Env;
  readonly policy: Policy;
  /** float64 */
  readonly reference: Backend;
  readonly other: Backend;
  readonly seed: number;
  /** start states and single steps compared */
  readonly transitions: number;
  /** episodes per policy */
  readonly episodes: number;
  /** time limit of all episodes, s: fewer episodes are played when they would take longer; null: no limit */
  readonly maxSeconds: number | null;
  readonly maxSteps: number | null;
}

/**
 * Below this p two means differ. Seeds are fixed, so a backend that is right stays right; the level only has to be
 * low enough for a few comparisons per environment.
 */
const significance = 1e-4;
const randomPolicies = 64;
const trialEpisodes = 64;
/** per random policy; they only order the policies */
const firstLookEpisodes = 4;
const spread = 3;

/** An f32 sum of `length` rewards may differ by this much from one in float64: half a unit in the last place for each. */
function roundingOf(length: number, value: number): number {
  return length * 2 ** -24 * Math.max(1, Math.abs(value));
}

/** Whether two backends may give these summaries of the same episodes: equal means up to rounding, or Welch's test of them. */
export function meansAgree(expected: Summary, got: Summary): boolean {
  if (expected.episodes !== got.episodes) return false;
  const longest = Math.max(expected.length.max, got.length.max);
  if (Math.abs(expected.mean - got.mean) <= roundingOf(longest, expected.mean)) return true;
  const moments = ({ mean, std, episodes: n }: Summary) => ({ mean, variance: (std ?? 0) ** 2, n });
  // A single episode that took another course says nothing about the mean.
  return expected.episodes < 2 || welchOf(moments(expected), moments(got)).p >= significance;
}

type Outcomes = Pick<Episodes, 'returns' | 'lengths' | 'ends'>;

/** Compares the episodes of one policy, two or more, on the reference and on another backend. */
export function compareOutcomes(expected: Outcomes, got: Outcomes): OutcomeParity {
  const episodes = expected.returns.length;
  let same = 0;
  for (let i = 0; i < episodes; i++) {
    const want = expected.returns[i]!;
    const equalReturn = Math.abs(want - got.returns[i]!) <= roundingOf(expected.lengths[i]!, want);
    if (equalReturn && expected.lengths[i] === got.lengths[i] && expected.ends[i] === got.ends[i]) same++;
  }
  const mean = (x: Float64Array): number => x.reduce((s, v) => s + v, 0) / x.length;
  const p = same === episodes ? 1 : welch(expected.returns, got.returns).p;
  return {
    episodes,
    equal: same / episodes,
    meanReference: mean(expected.returns),
    meanOther: mean(got.returns),
    p,
    ok: p >= significance,
  };
}

/**
 * Compares `other` with `reference` in one environment: start states, single steps from the same states, whole episodes of a
 * few of many random policies. Throws what a backend throws.
 */
export async function compareBackends(request: ParityRequest): Promise<ParityReport> {
  const { env, policy, reference, other } = request;
  const start = await compareStarts(request);
  const candidates = drawPolicies(policy, request.seed);
  const step = await compareSteps(request, candidates);
  const episodes = await compareEpisodes(request, candidates);
  return {
    env: env.id,
    policyKind: policy.kind,
    reference: reference.id,
    other: other.id,
    start,
    step,
    episodes,
    ok: start.ok && step.ok && episodes.every((e) => e.ok),
  };
}

function drawPolicies(policy: Policy, seed: number): Float64Array[] {
  const rng = Generator.from([seed, 1]);
  return Array.from({ length: randomPolicies }, () => policy.sample(rng, spread));
}

async function compareStarts({ env, reference, other, seed, transitions }: ParityRequest): Promise<StartParity> {
  const expected = await reference.resets(env, seed, transitions);
  const got = await other.resets(env, seed, transitions);
  const different = expected.filter((state, i) => state.some((v, j) => !Object.is(Math.fround(v), got[i]![j]))).length;
  return { seeds: transitions, different, ok: different === 0 };
}

/**
 * States that random policies reach, each with a random action. They are rounded to f32 first, so that both sides
 * start from the same numbers and only the error of one step remains.
 */
async function reachableInputs(request: ParityRequest, candidates: readonly Float64Array[]): Promise<ProbeInput[]> {
  const { env, policy, reference, seed, transitions, maxSteps } = request;
  const job: RolloutJob = { env, policy, candidates, episodes: 1, seed, maxSteps };
  const states: (readonly number[])[] = [];
  for (let c = 0; c < candidates.length; c++) {
    const trace = await reference.trace(job, c, 0);
    states.push(...trace.steps.map((s) => s.state));
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

async function compareSteps(request: ParityRequest, candidates: readonly Float64Array[]): Promise<StepParity> {
  const { env, reference, other } = request;
  const { singleStep: tolerance, reason } = env.parity;
  const inputs = await reachableInputs(request, candidates);
  const expected = await reference.probe(env, inputs);
  const got = await other.probe(env, inputs);
  const names = [
    ...env.state.map((r) => r.name),
    ...Array.from({ length: observationSize(env.observation) }, (_, i) =>
      env.observation.kind === 'vector' ? `observed ${env.observation.rows[i]!.name}` : 'observed state',
    ),
    'reward',
  ];
  const entries = (o: ProbeOutput): number[] => [...o.state, ...o.obs, o.reward];
  let maxError = 0;
  let worst: WorstStep | null = null;
  let terminatedDifferent = 0;
  let firstDifferentEnd: StepParity['firstDifferentEnd'] = null;
  expected.forEach((want, i) => {
    const { state, action, draws = [] } = inputs[i]!;
    if (want.terminated !== got[i]!.terminated) {
      terminatedDifferent++;
      firstDifferentEnd ??= { state, action, draws };
    }
    const scale = Math.max(1, ...want.state.map(Math.abs));
    const have = entries(got[i]!);
    entries(want).forEach((value, j) => {
      const error = Math.abs(value - have[j]!) / scale;
      // A NaN is the worst error of all, and compares as none.
      if (!(error <= maxError)) {
        maxError = Number.isNaN(error) ? Infinity : error;
        worst = { entry: names[j]!, state, action, draws, expected: value, got: have[j]! };
      }
    });
  });
  const ok = maxError <= tolerance && terminatedDifferent === 0;
  const transitions = inputs.length;
  return { transitions, maxError, worst, terminatedDifferent, firstDifferentEnd, tolerance, reason, ok };
}

/** The three best and the median of the random policies by a first look at the reference: long and short episodes. */
async function choosePolicies(
  request: ParityRequest,
  candidates: readonly Float64Array[],
): Promise<{ name: string; params: Float64Array }[]> {
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

interface PlayedTwice {
  readonly episodes: number;
  readonly want: Episodes;
  readonly have: Episodes;
}

/** Plays as many of the wanted episodes on both backends as fit into the time, and no fewer than the trial's. */
async function playAffordable(
  wanted: RolloutJob,
  { reference, other, maxSeconds }: ParityRequest,
): Promise<PlayedTwice> {
  const play = async (episodes: number): Promise<PlayedTwice> => {
    const job = { ...wanted, episodes };
    return { episodes, want: await reference.play(job), have: await other.play(job) };
  };
  const trialSize = Math.min(trialEpisodes, wanted.episodes);
  if (maxSeconds === null || trialSize === wanted.episodes) return play(wanted.episodes);
  // The first call compiles.
  await other.play({ ...wanted, episodes: 1 });
  const trial = await play(trialSize);
  const seconds = trial.want.seconds + trial.have.seconds;
  const affordable = trialSize * 2 ** Math.floor(Math.log2(Math.max(1, maxSeconds / seconds)));
  return affordable === trialSize ? trial : play(Math.min(wanted.episodes, affordable));
}

async function compareEpisodes(request: ParityRequest, candidates: readonly Float64Array[]): Promise<EpisodeParity[]> {
  const { env, policy, seed, maxSteps } = request;
  const chosen = await choosePolicies(request, candidates);
  const wanted = { env, policy, candidates: chosen.map((c) => c.params), episodes: request.episodes, seed, maxSteps };
  const { episodes, want: a, have: b } = await playAffordable(wanted, request);
  const part = (outcomes: Episodes, c: number): Outcomes => {
    const [from, to] = [c * episodes, (c + 1) * episodes];
    const { returns, lengths, ends } = outcomes;
    return {
      returns: returns.subarray(from, to),
      lengths: lengths.subarray(from, to),
      ends: ends.subarray(from, to),
    };
  };
  return chosen.map(({ name }, c) => ({ policy: name, ...compareOutcomes(part(a, c), part(b, c)) }));
}
