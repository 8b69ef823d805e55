/**
 * Compares backends: start states bit for bit, single steps from the same states, and whole episodes over the same seeds.
 * `r2po parity` prints the result.
 */
import { type ArgumentRule, aNumber, checkFields, orNull } from '../base/arguments.ts';
import { CompileError } from '../base/errors.ts';
import { anEnv, observationSize } from '../envs/env.ts';
import type { Summary } from '../evaluation/summary.ts';
import { aPolicy } from '../policies/policy.ts';
import { aBackend, type Backend, type BackendId } from '../rollout/backend.ts';
import type { Episodes, ProbeOutput } from '../rollout/job.ts';
import { welch, welchOf } from '../stats/intervals.ts';
import { type Findings, ParityWork, type WorkRequest } from './parity-work.ts';

/** Start states of the same seeds on two backends. */
export interface StartParity {
  readonly seeds: number;
  /** start states that are not the reference's state rounded to f32 */
  readonly different: number;
  /** the first number of them that differs; null: none */
  readonly first: {
    readonly seed: number;
    /** name in the state */
    readonly entry: string;
    readonly expected: number;
    readonly got: number;
  } | null;
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
  /** transitions that are the same to the last bit, those of the reference rounded to f32 */
  readonly equal: number;
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
  /** two-sample Welch test of the means; 1 when all episodes are equal, or for a single one */
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

/**
 * Below this p two means differ. Seeds are fixed, so a backend that is right stays right; the level only has to be
 * low enough for a few comparisons per environment.
 */
const significance = 1e-4;

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

/** Compares the episodes of one policy on the reference and on another backend. */
export function compareOutcomes(expected: Outcomes, got: Outcomes): OutcomeParity {
  const episodes = expected.returns.length;
  let same = 0;
  for (let i = 0; i < episodes; i++) {
    const want = expected.returns[i]!;
    const equalReturn = Math.abs(want - got.returns[i]!) <= roundingOf(expected.lengths[i]!, want);
    if (equalReturn && expected.lengths[i] === got.lengths[i] && expected.ends[i] === got.ends[i]) same++;
  }
  const mean = (x: Float64Array): number => x.reduce((s, v) => s + v, 0) / x.length;
  const p = same === episodes || episodes < 2 ? 1 : welch(expected.returns, got.returns).p;
  return {
    episodes,
    equal: same / episodes,
    meanReference: mean(expected.returns),
    meanOther: mean(got.returns),
    p,
    ok: p >= significance,
  };
}

/** What is compared, and how much of it. */
export interface ParityRequest extends WorkRequest {
  readonly other: Backend;
  /** time limit of all episodes, s: fewer episodes are played when they would take longer; null: no limit */
  readonly maxSeconds: number | null;
}

const requestRules = {
  env: anEnv,
  policy: aPolicy,
  reference: aBackend,
  other: aBackend,
  seed: aNumber,
  transitions: aNumber,
  episodes: aNumber,
  maxSteps: orNull(aNumber),
  maxSeconds: orNull(aNumber),
} satisfies Record<keyof ParityRequest, ArgumentRule>;

/**
 * Compares `other` with `reference` in one environment: start states, single steps from the same states, whole episodes of a
 * few of many random policies. Throws what a backend throws.
 */
export async function compareBackends(request: ParityRequest): Promise<ParityReport> {
  checkFields('compareBackends', 'request', request, requestRules);
  const { other, maxSeconds, ...work } = request;
  return (await compareEach({ ...work, others: [{ backend: other, maxSeconds }] }))[0]!;
}

/** A backend beside the reference. */
export interface Compared extends Pick<ParityRequest, 'maxSeconds'> {
  readonly backend: Backend;
  /** `as written`: computes what the shaders say. `by a driver`: runs what a driver makes of them. Left out: has none. */
  readonly shaders?: 'as written' | 'by a driver';
}

/** As `ParityRequest`, with several backends beside the reference. */
export interface EachRequest extends WorkRequest {
  readonly others: readonly Compared[];
  /** is told of a backend that cannot compile the environment, which is left out; without it, that is thrown */
  readonly onRefused?: (refused: Compared, error: CompileError) => void;
}

/**
 * Compares each backend with the reference, and those that run the shaders on a device with the one that computes what they
 * say. The reference plays its part once.
 */
export async function compareEach({ others, onRefused, ...request }: EachRequest): Promise<ParityReport[]> {
  const { env } = request;
  const work = await ParityWork.prepare(request);
  const found: (Findings & Pick<Compared, 'shaders'>)[] = [];
  for (const other of others) {
    const { backend, maxSeconds, shaders } = other;
    try {
      found.push({ ...(await work.of(backend, maxSeconds)), ...(shaders && { shaders }) });
    } catch (error) {
      if (!onRefused || !(error instanceof CompileError)) throw error;
      onRefused(other, error);
    }
  }
  const reports: ParityReport[] = [];
  for (const got of found) {
    reports.push(reportOf(work, await work.reference(got.episodes), got, env.parity.singleStep));
  }
  const written = found.find(({ shaders }) => shaders === 'as written');
  const driven = found.find(({ shaders }) => shaders === 'by a driver');
  if (!written || !driven) return reports;
  // Each of the two may be off by the tolerance, in opposite directions.
  return [...reports, reportOf(work, written, driven, 2 * env.parity.singleStep)];
}

function reportOf(work: ParityWork, expected: Findings, got: Findings, tolerance: number): ParityReport {
  const { env, policy } = work.request;
  const start = compareStarts(work, expected, got);
  const step = compareSteps(work, expected, got, tolerance);
  const episodes = work.chosen.map(({ name }, c) => {
    const count = Math.min(expected.episodes, got.episodes);
    return { policy: name, ...compareOutcomes(outcomesOf(expected, c, count), outcomesOf(got, c, count)) };
  });
  return {
    ...{ env: env.id, policyKind: policy.kind, reference: expected.backend, other: got.backend },
    ...{ start, step, episodes },
    ok: start.ok && step.ok && episodes.every((e) => e.ok),
  };
}

function compareStarts(
  { request: { env, seed: firstSeed } }: ParityWork,
  { starts: expected }: Findings,
  { starts: got }: Findings,
): StartParity {
  const differs = (state: readonly number[], i: number) =>
    state.findIndex((value, j) => !Object.is(Math.fround(value), got[i]![j]));
  const entries = expected.map(differs);
  const at = entries.findIndex((entry) => entry >= 0);
  const entry = entries[at] ?? -1;
  const first =
    entry < 0
      ? null
      : {
          seed: firstSeed + at,
          entry: env.state[entry]!.name,
          expected: expected[at]![entry]!,
          got: got[at]![entry]!,
        };
  return { seeds: expected.length, different: entries.filter((one) => one >= 0).length, first, ok: first === null };
}

/** The first `count` episodes of a policy. */
function outcomesOf({ episodes, outcomes }: Findings, policy: number, count: number): Outcomes {
  const [from, to] = [policy * episodes, policy * episodes + count];
  const { returns, lengths, ends } = outcomes;
  return { returns: returns.subarray(from, to), lengths: lengths.subarray(from, to), ends: ends.subarray(from, to) };
}

function compareSteps(
  { inputs, request: { env } }: ParityWork,
  { steps: expected }: Findings,
  { steps: got }: Findings,
  tolerance: number,
): StepParity {
  const { reason } = env.parity;
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
  let equal = 0;
  let firstDifferentEnd: StepParity['firstDifferentEnd'] = null;
  expected.forEach((want, i) => {
    const { state, action, draws = [] } = inputs[i]!;
    if (want.terminated !== got[i]!.terminated) {
      terminatedDifferent++;
      firstDifferentEnd ??= { state, action, draws };
    }
    const found = entries(got[i]!);
    if (entries(want).every((value, j) => Object.is(Math.fround(value), Math.fround(found[j]!)))) equal++;
    const scale = Math.max(1, ...want.state.map(Math.abs));
    entries(want).forEach((value, j) => {
      const error = Math.abs(value - found[j]!) / scale;
      // A NaN is the worst error of all, and compares as none.
      if (!(error <= maxError)) {
        maxError = Number.isNaN(error) ? Infinity : error;
        worst = { entry: names[j]!, state, action, draws, expected: value, got: found[j]! };
      }
    });
  });
  const ok = maxError <= tolerance && terminatedDifferent === 0;
  const transitions = inputs.length;
  return { transitions, maxError, worst, equal, terminatedDifferent, firstDifferentEnd, tolerance, reason, ok };
}
