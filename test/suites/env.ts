/** What every environment must do, driven by its rows and by the recording of the original. */

import { expect, it } from 'vitest';
import { Generator } from '../../src/base/rng/generator.ts';
import { checkEnvironment } from '../../src/checks/conformance.ts';
import { actionSize, type Env, observationSize, stateArraySize } from '../../src/envs/env.ts';
import { describeEnvironment } from '../../src/envs/node/description.ts';
import { buildPolicy, policyKinds } from '../../src/policies/index.ts';
import { policyValues } from '../../src/policies/policy.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import type { RolloutJob } from '../../src/rollout/job.ts';
import { asVector, drawsOf, type GoldenEpisode, observationOf, readGolden } from './golden.ts';

export interface GoldenTolerance {
  /** one step from the recorded state: |difference| relative to max(1, largest state entry) */
  readonly singleStep: number;
  /** any step of an episode that runs freely from its seed */
  readonly episode: number;
  /**
   * For motion that amplifies rounding: an episode is followed as long as the recorded rerun from a start 1e-6 away is not
   * farther away than `until`, and may be off by `slack` times the farthest that it was so far.
   */
  readonly chaotic?: { readonly until: number; readonly slack: number };
  /** the limit that ends an episode of the original, where it is not the registered one */
  readonly timeLimit?: number;
  /** from an observation of the recording to ours, where the original shows the same in another form */
  readonly observed?: (recorded: readonly number[]) => readonly number[];
}

const cpu = openCpuBackend({ threads: 1 });
const policyKindOf: Readonly<Record<string, string>> = { linear: 'linear', table: 'tabular' };
/** numpy's matrix product sums in an order of its own */
const outputTolerance = 1e-12;
/** An f32 observation of a state that is off in its last bit may round to the neighbour. */
const observationTolerance = 2 ** -23;
/** an environment without a limit of its own is stopped here */
const cap = 1000;

function jobOf(env: Env, params: readonly number[], kind: string, seed: number): RolloutJob {
  return {
    env,
    policy: buildPolicy(kind, env),
    candidates: [Float64Array.from(params)],
    episodes: 1,
    seed,
    maxSteps: env.timeLimit === null ? (readGolden(env.id)?.episode_cap ?? cap) : null,
  };
}

/** Largest |difference|, relative to max(1, largest wanted entry). */
function errorOf(got: readonly number[], wanted: readonly number[]): number {
  expect(got.length).toBe(wanted.length);
  const scale = Math.max(1, ...wanted.map(Math.abs));
  return Math.max(...got.map((value, i) => Math.abs(value - wanted[i]!) / scale));
}

function firstKind(env: Env): string {
  const kind = policyKinds.find((k) => k.accepts(env) === null);
  if (kind === undefined) throw new Error(`no policy kind acts in ${env.id}`);
  return kind.id;
}

function sampleOf(env: Env, rng: Generator): Float64Array {
  return buildPolicy(firstKind(env), env).sample(rng, 3);
}

/** Plays random policies of the first kind that fits. */
async function randomTraces(env: Env, count: number) {
  const rng = Generator.from(91);
  const traces = [];
  for (let i = 0; i < count; i++) {
    traces.push(await cpu.trace(jobOf(env, Array.from(sampleOf(env, rng)), firstKind(env), 700 + i), 0, 0));
  }
  return traces;
}

/** Every start is the same, and no step draws. */
function drawsNothing(env: Env): boolean {
  const state = new Float64Array(stateArraySize(env));
  const starts = Array.from({ length: 16 }, (_, seed) => {
    env.dynamics.reset(env.params, Generator.from(seed), state);
    return Array.from(state).join();
  });
  return env.stepDraws === 0 && new Set(starts).size === 1;
}

export function suiteForEnv(env: Env, tolerance: GoldenTolerance): void {
  const golden = readGolden(env.id);
  const observed = tolerance.observed ?? ((recorded: readonly number[]) => recorded);
  const isAction = (a: number | readonly number[]): boolean =>
    env.action.kind === 'box' || (asVector(a)[0]! >= 0 && asVector(a)[0]! < env.action.meanings.length);
  const rows = [
    ...env.state,
    ...(env.observation.kind === 'vector' ? env.observation.rows : []),
    ...(env.action.kind === 'box' ? env.action.rows : []),
  ];

  it('has rows with WGSL names, meaning, unit and ordered bounds', () => {
    for (const row of rows) {
      expect(row.name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(row.meaning).not.toBe('');
      expect(row.unit).not.toBe('');
      expect(row.low).toBeLessThan(row.high);
    }
    const names = env.state.map((row) => row.name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('has constants with unit and source, and a reachable success threshold', () => {
    const constants = Object.entries(env.constants);
    expect(constants.length).toBeGreaterThan(0);
    for (const [name, constant] of constants) {
      expect(constant.unit, name).not.toBe('');
      expect(constant.source, name).not.toBe('');
      expect(env.params[name]).toBe(constant.value);
    }
    expect(env.success.source).not.toBe('');
    expect(env.success.threshold).toBeLessThanOrEqual(env.returnRange[1]);
    expect(env.success.threshold).toBeGreaterThanOrEqual(env.returnRange[0]);
  });

  it('keeps what it promises', async () => {
    expect(await checkEnvironment(env, cpu, describeEnvironment)).toEqual([]);
  });

  it('keeps observations, actions and returns of random policies inside the rows', async () => {
    const isWithin = (value: number, { low, high }: { readonly low: number; readonly high: number }) =>
      value >= low && value <= high;
    const { observation, action } = env;
    const obsBounds = (i: number) =>
      observation.kind === 'vector' ? observation.rows[i]! : { low: 0, high: observation.n - 1 };
    const actionBounds = (i: number) =>
      action.kind === 'box' ? action.rows[i]! : { low: 0, high: action.meanings.length - 1 };
    for (const trace of await randomTraces(env, 20)) {
      expect(trace.return).toBeGreaterThanOrEqual(env.returnRange[0]);
      expect(trace.return).toBeLessThanOrEqual(env.returnRange[1]);
      // One assertion for all steps: one for each of a million numbers takes longer than the episodes.
      const wrong = trace.steps.filter(
        (step) =>
          step.state.length !== env.state.length ||
          step.obs.length !== observationSize(observation) ||
          step.action.length !== actionSize(action) ||
          !step.obs.every((value, i) => isWithin(value, obsBounds(i))) ||
          !step.action.every((value, i) => isWithin(value, actionBounds(i))),
      );
      expect(wrong).toEqual([]);
    }
  });

  it('plays the same episode from the same seed and another one from another', async () => {
    const [first] = await randomTraces(env, 1);
    const [again] = await randomTraces(env, 1);
    expect(again).toEqual(first);
    // In another one, unless nothing is drawn: then another seed is the same episode.
    const seeds = Array.from({ length: 16 }, (_, i) => 700 + i);
    const job = {
      ...jobOf(env, [], firstKind(env), 0),
      candidates: [Generator.from(91)].map((rng) => sampleOf(env, rng)),
    };
    const traces = await Promise.all(seeds.map((seed) => cpu.trace({ ...job, seed }, 0, 0)));
    const different = new Set(traces.map(({ steps }) => JSON.stringify(steps))).size;
    if (drawsNothing(env)) expect(different).toBe(1);
    else expect(different).toBeGreaterThan(1);
  });

  if (golden === null) {
    console.warn(
      `NOT TESTED: the dynamics of ${env.id}, as there is no test/golden/${env.id}.json to compare them with`,
    );
    return;
  }
  const recorded = golden;

  it('has a recording of the original with its shapes and limit', () => {
    expect(golden.state_names.length).toBe(env.state.length);
    const { observation, action } = env;
    if (observation.kind === 'vector') {
      expect(golden.obs_names.length).toBe(observation.rows.length);
      expect(golden.policy_inputs).toBe(observation.rows.length);
      expect(golden.policy_outputs).toBe(action.kind === 'box' ? action.rows.length : action.meanings.length);
    } else {
      expect(golden.policy_inputs).toBe(observation.n);
      expect(golden.policy_outputs).toBe(1);
    }
    expect(tolerance.timeLimit ?? golden.time_limit).toBe(env.timeLimit);
    expect(golden.episodes.length).toBeGreaterThanOrEqual(10);
    expect(golden.single_step.length).toBeGreaterThanOrEqual(60);
  });

  it('starts in the recorded state of each seed, to the last bit', async () => {
    for (const episode of golden.episodes) {
      expect(await cpu.resets(env, episode.seed, 1)).toEqual([episode.initial_state]);
    }
  });

  it(`takes each recorded single step (${tolerance.singleStep})`, async () => {
    const steps = golden.single_step.filter((step) => isAction(step.a));
    const inputs = steps.map((step) => ({ state: step.s, action: asVector(step.a), draws: drawsOf(step) }));
    const outputs = await cpu.probe(env, inputs);
    steps.forEach((step, i) => {
      const name = `step ${i}`;
      expect(errorOf(outputs[i]!.state, step.ns), name).toBeLessThanOrEqual(tolerance.singleStep);
      const obs = observed(observationOf(golden, step.o, step.ns));
      expect(errorOf(outputs[i]!.obs, obs), name).toBeLessThanOrEqual(tolerance.singleStep);
      expect(errorOf([outputs[i]!.reward], [step.r]), name).toBeLessThanOrEqual(tolerance.singleStep);
      expect(outputs[i]!.terminated, name).toBe(step.term);
    });
  });

  const refused = golden.single_step.filter(({ a }) => !isAction(a));
  it.runIf(refused.length > 0)('refuses the recorded steps whose action is none of the listed ones', async () => {
    for (const step of refused) {
      const input = { state: step.s, action: asVector(step.a), draws: drawsOf(step) };
      await expect(async () => cpu.probe(env, [input])).rejects.toThrow(/expected an action in 0 \.\.\. \d+, got/);
    }
  });

  it.each(golden.episodes.map((episode) => ({ episode, name: `seed ${episode.seed}, ${episode.policy.label}` })))(
    `plays the recorded episode of $name (${tolerance.episode})`,
    ({ episode }) => checkEpisode(episode),
  );

  async function checkEpisode(episode: GoldenEpisode): Promise<void> {
    const job = jobOf(env, episode.policy.params, policyKindOf[episode.policy.kind]!, episode.seed);
    const trace = await cpu.trace(job, 0, 0);
    const { until, slack: share } = tolerance.chaotic ?? { until: Infinity, slack: 0 };
    const left = episode.steps.findIndex((step) => (step.d ?? 0) > until);
    const steps = left === -1 ? episode.steps : episode.steps.slice(0, left);
    let farthest = 0;
    const slack = steps.map((step) => {
      farthest = Math.max(farthest, step.d ?? 0);
      return share * farthest;
    });
    if (left === -1) {
      expect(trace.length).toBe(episode.length);
      const summed = farthest * share * episode.length;
      expect(errorOf([trace.return], [episode.total_reward])).toBeLessThanOrEqual(Math.max(tolerance.episode, summed));
      expect(trace.end).toBe(episode.terminated ? 'terminated' : episode.truncated ? 'truncated' : 'capped');
    } else {
      expect(left).toBeGreaterThanOrEqual(50);
    }
    expect(trace.steps[0]!.obs).toEqual(observed(asVector(episode.initial_obs)));

    // The end state is checked as that of the last step: the field `final_state` of the files is the one of the rerun
    // from a displaced start.
    expect(episode.steps.at(-1)?.t).toBe(episode.length);
    const outputs = new Float64Array(job.policy.outputCount);
    let seen = { t: 0, obs: observed(asVector(episode.initial_obs)) };
    for (const [i, step] of steps.entries()) {
      const name = `step ${step.t}`;
      const taken = trace.steps[step.t - 1]!;
      const state = trace.steps[step.t]?.state ?? trace.finalState;
      const allowed = Math.max(tolerance.episode, slack[i]!);
      expect(errorOf(taken.action, asVector(step.a)), name).toBeLessThanOrEqual(allowed);
      expect(errorOf([taken.reward], [step.r]), name).toBeLessThanOrEqual(allowed);
      expect(errorOf(state, step.s), name).toBeLessThanOrEqual(allowed);
      if (seen.t === step.t - 1) {
        expect(errorOf(taken.obs, seen.obs), name).toBeLessThanOrEqual(observationTolerance + slack[i]!);
        job.policy.act(policyValues(job.policy, job.candidates[0]!), Float64Array.from(seen.obs), outputs);
        if (step.y) expect(errorOf(Array.from(outputs), step.y), name).toBeLessThanOrEqual(outputTolerance);
      }
      seen = { t: step.t, obs: observed(observationOf(recorded, step.o, step.s)) };
    }
  }
}
