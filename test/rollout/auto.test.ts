/** What `--backend auto` is where there is no GPU: by the declared costs and the work, and never by a measurement. */
import { expect, it } from 'vitest';
import { readAsset } from '../../src/base/node/assets.ts';
import { workOfTraining } from '../../src/baselines/expected-work.ts';
import { resolveBaseline } from '../../src/baselines/settings.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { cartpole } from '../../src/envs/cartpole/index.ts';
import { envs } from '../../src/envs/index.ts';
import { nim } from '../../src/envs/nim/index.ts';
import { swimmer } from '../../src/envs/swimmer/index.ts';
import { buildPolicy } from '../../src/policies/index.ts';
import { hostBackend, valuesPerStep } from '../../src/rollout/auto.ts';
import { BackendPool } from '../../src/rollout/node/backend-pool.ts';
import { hostChoice } from '../../src/rollout/node/open.ts';
import { workOf } from '../../src/runs/expected-work.ts';
import { resolveUnits } from '../../src/runs/resolve-units.ts';
import { diceEnv, readDiceShader } from '../support/dice-env.ts';
import { execute, prepareRun, readJson } from '../support/experiment.ts';

const chosenFor = async (name: string, ...overrides: string[]) =>
  hostBackend(workOf(resolveUnits((await resolveConfig(name, overrides, {})).config))).id;

it.each([
  ['cartpole/r2po', 'cpu'],
  ['swimmer/r2po', 'wasm'],
  ['swimmer/cma-es', 'wasm'],
  ['inverted-double-pendulum/es-critic', 'wasm'],
  ['nim/r2po', 'cpu'],
])('a search with %s is played on %s', async (name, id) => {
  expect(await chosenFor(name)).toBe(id);
});

it('more episodes make wasm worth its compilation, and a step limit does not', async () => {
  expect(await chosenFor('cartpole/r2po', 'recheck.episodes=100000')).toBe('wasm');
  expect(await chosenFor('cartpole/r2po', 'evaluation.episodes=1000')).toBe('wasm');
  expect(await chosenFor('cartpole/r2po', 'evaluation.episodes=1000', 'evaluation.max_steps=9')).toBe('cpu');
  expect(await chosenFor('swimmer/r2po', 'recheck.episodes=20', 'iterations=2')).toBe('cpu');
});

it('the re-check of a trained network of 64 x 64 is played on wasm, and that of a linear policy on cpu', async () => {
  const choice = async (name: string) => hostBackend(workOfTraining(await resolveBaseline(name, [])));
  expect((await choice('cartpole/ppo')).id).toBe('wasm');
  expect((await choice('cartpole/ars')).id).toBe('cpu');
});

it('the declared costs are in the proportions of the recorded measurement, within a factor of 2', () => {
  const measured = JSON.parse(readAsset('bench/results/one-thread.json')) as {
    environments: { env: string; rows: { backend: string; stepsPerSecond: number }[] }[];
  };
  expect(measured.environments.map(({ env }) => env)).toEqual(envs.map(({ id }) => id));
  for (const [i, { rows }] of measured.environments.entries()) {
    const speed = (name: string) => rows.find(({ backend }) => backend === name)!.stepsPerSecond;
    const { cpu, wasm } = envs[i]!.stepCost!;
    const off = cpu / wasm / (speed('wasm') / speed('cpu'));
    expect(Math.max(off, 1 / off), envs[i]!.id).toBeLessThan(2);
  }
});

it('says how much work it is and what follows', () => {
  const linear = buildPolicy('linear', swimmer);
  const work = { env: swimmer, values: valuesPerStep(linear), episodes: 12_000, maxSteps: null };
  expect(hostBackend(work)).toEqual({
    id: 'wasm',
    why: 'at most 1e7 steps, about 5 times as fast as cpu, in float32',
  });
  expect(hostBackend({ ...work, episodes: 30 }).why).toBe('at most 3e4 steps, too few for wasm');
});

it('unknown work and environments without declared costs stay on cpu', () => {
  expect(hostBackend(null)).toEqual({ id: 'cpu', why: '' });
  const { stepCost: _, ...undeclared } = cartpole;
  const work = { env: { ...undeclared, id: 'Dock-v0' }, values: 10, episodes: 1e9, maxSteps: null };
  expect(hostBackend(work)).toEqual({ id: 'cpu', why: 'Dock-v0 declares no step cost' });
});

it('an environment whose shader has what wasm does not read is played on cpu', async () => {
  const dice = diceEnv();
  const shader = (statement: string, where: string) => ({
    path: 'dice.wgsl',
    text: readDiceShader('shaders/envs/dice.wgsl').replace(new RegExp(`fn ${where}.*\\{\\n`), `$&  ${statement}\n`),
  });
  const choice = (statement: string, where = 'env_step') => {
    const env = { ...dice, shader: () => shader(statement, where), stepCost: { cpu: 900, wasm: 9, compile: 50 } };
    return hostChoice('no GPU', { env, values: 1, episodes: 1e6, maxSteps: null });
  };
  expect((await choice('')).id).toBe('wasm');
  for (const where of ['env_step', 'env_reset', 'env_observe']) {
    const { id, why } = await choice('let m = pack2x16float(vec2f());', where);
    expect(id).toBe('cpu');
    expect(why).toMatch(/^no GPU; wasm does not read the shader: dice\.wgsl:\d+:\d+: expected .* got "pack2x16float"/);
  }
  await expect(choice('let m = nobody;')).rejects.toThrow(/dice\.wgsl:\d+:\d+ unresolved value 'nobody'/);
});

it('an environment with a known longest episode is not charged for its step cap', () => {
  const work = { env: nim, values: 0, episodes: 12_000, maxSteps: null };
  expect(hostBackend(work).why).toBe('at most 6e4 steps, too few for wasm');
});

it('a table reads no values, a linear policy its relative weights, a network all of its own', () => {
  expect(valuesPerStep(buildPolicy('tabular', nim))).toBe(0);
  expect(valuesPerStep(buildPolicy('linear', cartpole))).toBe(5);
  expect(valuesPerStep(buildPolicy('mlp', cartpole, { hidden: [64, 64] }))).toBe(4610);
});

it('a pool gives each run the backend of its own work, opens each one once, and says so once', async () => {
  const notes: string[] = [];
  const pool = new BackendPool({ adapter: null, note: (text) => notes.push(text) });
  const small = { env: swimmer, values: 18, episodes: 30, maxSteps: null };
  const large = { ...small, episodes: 12_000 };
  const chosen = [];
  for (const work of [large, small, large, null]) chosen.push(await pool.choose('auto', work));
  const named = await pool.choose('wasm', small);
  const hardware = chosen[0]!.backend.id === 'webgpu';
  expect(chosen.map(({ backend }) => backend.id)).toEqual(
    hardware ? Array(4).fill('webgpu') : ['wasm', 'cpu', 'wasm', 'cpu'],
  );
  expect(chosen[2]!.backend).toBe(chosen[0]!.backend);
  expect(named.why).toBeNull();
  if (!hardware) {
    expect(named.backend).toBe(chosen[0]!.backend);
    expect(notes).toHaveLength(2);
    expect(notes[0]).toMatch(
      /^backend: wasm \((no|the only) WebGPU adapter.*; at most 1e7 steps, about 5 times as fast/,
    );
    expect(notes[1]).toMatch(/^backend: cpu \((no|the only) WebGPU adapter.*; at most 3e4 steps, too few for wasm\)$/);
    expect(chosen[0]!.why).toBe(notes[0]!.slice('backend: wasm ('.length, -1));
  }
  await pool.close();
});

it('run.json keeps why a run was played on its backend when it is resumed', async () => {
  const run = await prepareRun();
  const readWhy = () => readJson<{ backend_why?: string }>(run.folder, 'run.json').backend_why;
  const stop = new AbortController();
  const onProgress: typeof run.onProgress = ({ event }) => {
    if (event?.type === 'iteration') stop.abort();
  };
  const first = { ...run, backendWhy: 'no WebGPU adapter; a reason', signal: stop.signal, onProgress };
  await expect(execute(first)).rejects.toThrow();
  expect(readWhy()).toBe('no WebGPU adapter; a reason');
  await execute({ ...run, backendWhy: null, resume: true });
  expect(readWhy()).toBe('no WebGPU adapter; a reason');
});
