/** The f32 backends take the recorded steps of the originals, ends of episodes included, as the float64 one does. */
import { readdirSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { envs } from '../../src/envs/index.ts';
import type { Backend } from '../../src/rollout/backend.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { openGpujsBackend } from '../../src/rollout/gpujs/node/open.ts';
import { openWasmBackend } from '../../src/rollout/wasm/node/backend.ts';
import { openWebGpuBackend } from '../../src/rollout/webgpu/node/backend.ts';
import { asVector, drawsOf, readGolden } from '../suites/golden.ts';
import { hasAdapter } from '../support/gpu.ts';

const cpu = openCpuBackend({ threads: 1 });
const others: Backend[] = [
  openWasmBackend({ threads: 1 }),
  await openGpujsBackend(),
  ...(hasAdapter ? [await openWebGpuBackend()] : []),
];
afterAll(async () => {
  for (const backend of [cpu, ...others]) await backend.close();
});

/** The others end by their step limit only. */
const neverTerminate = ['Pendulum-v1', 'Swimmer-v5'];
const recorded = envs.flatMap((env) => {
  const golden = readGolden(env.id);
  return golden === null ? [] : [{ env, golden }];
});
const pairs = others.flatMap((other) =>
  recorded
    .filter(({ env }) => other.supports(env, null) === null)
    .map(({ env, golden }) => ({ other, env, golden, id: env.id, name: other.id })),
);

describe('recorded steps', () => {
  it('belong to an environment each', () => {
    const others = ['env-options.json', 'numpy-legacy.json', 'pcg64.json', 'special-functions.json'];
    const files = readdirSync(new URL('../golden', import.meta.url)).filter((name) => name.endsWith('.json'));
    const ids = files.filter((name) => !others.includes(name)).map((name) => name.replace('.json', ''));
    expect(ids.sort()).toEqual(recorded.map(({ env }) => env.id).sort());
  });

  it('cover every recorded environment on wasm and webgpu, and classic control on gpujs', () => {
    expect(pairs.filter(({ name }) => name === 'wasm')).toHaveLength(recorded.length);
    expect(pairs.filter(({ name }) => name === 'gpujs')).toHaveLength(5);
    if (hasAdapter) expect(pairs.filter(({ name }) => name === 'webgpu')).toHaveLength(recorded.length);
  });

  it.each(pairs)('of $id on $name', async ({ env, other, golden }) => {
    const count = env.action.kind === 'discrete' ? env.action.meanings.length : Infinity;
    const legal = (a: number): boolean => Number.isInteger(a) && a >= 0 && a < count;
    const steps = golden.single_step.filter(({ a }) => env.action.kind === 'box' || legal(asVector(a)[0]!));
    const inputs = steps.map((step) => ({
      state: step.s.map(Math.fround),
      action: asVector(step.a).map(Math.fround),
      draws: drawsOf(step),
    }));
    const wanted = await cpu.probe(env, inputs);
    const got = await other.probe(env, inputs);
    expect(inputs.length).toBeGreaterThanOrEqual(50);
    wanted.forEach((want, i) => {
      const scale = Math.max(1, ...want.state.map(Math.abs));
      const have = [...got[i]!.state, ...got[i]!.obs, got[i]!.reward];
      [...want.state, ...want.obs, want.reward].forEach((value, j) => {
        const error = Math.abs(value - have[j]!) / scale;
        expect(error, `step ${i}, entry ${j}`).toBeLessThanOrEqual(env.parity.singleStep);
      });
      // Some records lie on a limit, where rounding the state to f32 decides.
      expect([want.terminated, steps[i]!.term], `step ${i}`).toContain(got[i]!.terminated);
    });
    expect(got.some((step) => step.terminated)).toBe(!neverTerminate.includes(env.id));
  });
});
