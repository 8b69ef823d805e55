/** Our closed forms against MuJoCo itself, one step at a time, over long runs that ignore the end of an episode. */
import { afterAll, describe, expect, it } from 'vitest';
import { Generator } from '../../src/base/rng/generator.ts';
import { actionSize, type Env, observationSize, type Params, stateArraySize } from '../../src/envs/env.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { buildPolicy } from '../../src/policies/index.ts';
import { readGolden } from '../suites/golden.ts';
import { mujocoVersion, type Simulation, simulate } from '../support/mujoco.ts';

const steps = 1000;
const seeds = [11, 12, 13];

type Controller = (state: Float64Array, t: number, rng: Generator) => number[];

/** Ways to drive a model: noise, full force to and fro until the stops, and the policy that stands or swims. */
const controllers: Readonly<Record<string, (env: Env) => Controller>> = {
  random: (env) => (_state, _t, rng) => uniform(env, rng),
  held: (env) => {
    let action: number[] = [];
    return (_state, t, rng) => {
      if (t % 10 === 0) action = uniform(env, rng);
      return action;
    };
  },
  'bang-bang': (env) => (_state, t) => {
    const most = env.params.controlLimit;
    return Array.from({ length: actionSize(env.action) }, (_, i) =>
      Math.floor(t / (25 + 12 * i)) % 2 === 0 ? most! : -most!,
    );
  },
  feedback: (env) => {
    const policy = buildPolicy('linear', env);
    const good = readGolden(env.id)?.episodes.find((episode) => episode.policy.label === 'good');
    if (good === undefined) throw new Error(`no good policy in the recording of ${env.id}`);
    const params = Float64Array.from(good.policy.params);
    const observation = new Float64Array(observationSize(env.observation));
    const action = new Float64Array(policy.outputCount);
    return (state) => {
      env.dynamics.observe(env.params, state, observation);
      policy.act(params, observation, action);
      return Array.from(action);
    };
  },
};

function uniform(env: Env, rng: Generator): number[] {
  const most = env.params.controlLimit;
  return Array.from({ length: actionSize(env.action) }, () => rng.uniform(-most!, most!));
}

/** Largest errors of single steps, relative to the largest entry of the state, at least 1. */
interface Errors {
  free: number;
  freeSteps: number;
  limited: number;
  limitedSteps: number;
}

/** Steps MuJoCo through one run, and our dynamics from each of its states. */
function compare(env: Env, simulation: Simulation, control: Controller, seed: number, errors: Errors): void {
  const rng = Generator.from(seed);
  const state = new Float64Array(stateArraySize(env));
  const out = { reward: 0, terminated: false };
  env.dynamics.reset(env.params, rng, state);
  simulation.set(state);
  for (let t = 0; t < steps; t++) {
    state.set(simulation.read());
    const action = control(state, t, rng);
    const limited = simulation.step(action);
    env.dynamics.step(env.params, state, Float64Array.from(action), rng, out);
    const wanted = simulation.read();
    const scale = Math.max(1, ...wanted.map(Math.abs));
    const error = Math.max(...wanted.map((value, i) => Math.abs(state[i]! - value))) / scale;
    // Not a maximum, which would lose a NaN.
    if (limited) {
      errors.limitedSteps++;
      if (!(error <= errors.limited)) errors.limited = error;
    } else {
      errors.freeSteps++;
      if (!(error <= errors.free)) errors.free = error;
    }
  }
}

function measure(env: Env, tolerance: number | null, name: string): Errors {
  const errors: Errors = { free: 0, freeSteps: 0, limited: 0, limitedSteps: 0 };
  for (const seed of seeds) {
    const simulation = simulate(env, tolerance);
    try {
      compare(env, simulation, controllers[name]!(env), seed, errors);
    } finally {
      simulation.free();
    }
  }
  return errors;
}

const rows: string[] = [];

afterAll(() => {
  const head = ['model', 'driven by', 'in a stop', 'free', 'stop, as shipped', 'stop, tolerance 0'];
  console.log(`MuJoCo ${mujocoVersion}, ${seeds.length} runs of ${steps} steps each\n| ${head.join(' | ')} |`);
  console.log(rows.join('\n'));
});

const ids = ['InvertedPendulum-v5', 'InvertedDoublePendulum-v5', 'Swimmer-v5'];

/** What MuJoCo compiles from the model, and we derive: masses, inertias across, and the inverse weights of joints with stops. */
const compiled: Readonly<Record<string, (p: Params) => { masses: number[]; inertias: number[]; weights: number[] }>> = {
  'InvertedPendulum-v5': (p) => ({
    masses: [p.cartMass!, p.poleMass!],
    inertias: [Number.NaN, p.hingeInertia! - p.poleMass! * (p.poleEndX! ** 2 + p.poleEndZ! ** 2) * 0.25],
    weights: [p.railInverseWeight!, p.hingeInverseWeight!],
  }),
  'InvertedDoublePendulum-v5': (p) => ({
    masses: [p.cartMass!, p.poleMass!, p.poleMass!],
    inertias: Array(3)
      .fill(Number.NaN)
      .fill(p.upperInertia! - p.poleMass! * (p.poleLength! / 2) ** 2, 1),
    weights: [p.railInverseWeight!, Number.NaN, Number.NaN],
  }),
  'Swimmer-v5': (p) => ({
    masses: [p.linkMass!, p.linkMass!, p.linkMass!],
    inertias: [p.linkInertia!, p.linkInertia!, p.linkInertia!],
    weights: [Number.NaN, Number.NaN, Number.NaN, p.joint1InverseWeight!, p.joint2InverseWeight!],
  }),
};

/** Equal to 1e-12, where something (not NaN) is wanted. */
function expectClose(got: readonly number[], wanted: readonly number[]): void {
  expect(got.length).toBe(wanted.length);
  wanted.forEach((value, i) => {
    if (!Number.isNaN(value)) expect(Math.abs(got[i]! / value - 1), `entry ${i}`).toBeLessThanOrEqual(1e-12);
  });
}

describe.each(ids)('%s', (id) => {
  const env = findEnv(id);

  it('has the masses, inertias and inverse weights that MuJoCo compiles', () => {
    const simulation = simulate(env, null);
    const wanted = compiled[id]!(env.params);
    expectClose(simulation.masses, wanted.masses);
    expectClose(simulation.inertias, wanted.inertias);
    expectClose(simulation.inverseWeights, wanted.weights);
    simulation.free();
  });

  it.each(Object.keys(controllers))('steps as MuJoCo does, driven by %s', (name) => {
    const shipped = measure(env, null, name);
    const exact = measure(env, 0, name);
    const share = (100 * shipped.limitedSteps) / (shipped.limitedSteps + shipped.freeSteps);
    const shown = (error: number, count: number): string => (count === 0 ? '-' : error.toExponential(0));
    const cells = [
      `${share.toFixed(1)} %`,
      shown(Math.max(shipped.free, exact.free), shipped.freeSteps),
      shown(shipped.limited, shipped.limitedSteps),
      shown(exact.limited, exact.limitedSteps),
    ];
    rows.push(`| ${id} | ${name} | ${cells.join(' | ')} |`);
    expect(shipped.free).toBeLessThanOrEqual(1e-9);
    expect(shipped.limited).toBeLessThanOrEqual(1e-6);
    expect(exact.free).toBeLessThanOrEqual(1e-9);
    expect(exact.limited).toBeLessThanOrEqual(1e-12);
    if (name === 'bang-bang') expect(shipped.limitedSteps).toBeGreaterThan(100);
    if (name === 'feedback') expect(shipped.freeSteps).toBeGreaterThan(2000);
  });
});
