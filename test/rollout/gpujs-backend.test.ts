/** The GPU.js backend as a backend: episodes, traces, and what it refuses. Its numbers: recorded-steps.test.ts, parity.test.ts. */
import { afterAll, describe, expect, it } from 'vitest';
import { checkGpujsKernel } from '../../src/envs/check-spec.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { buildPolicy } from '../../src/policies/index.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { openGpujsBackend } from '../../src/rollout/gpujs/node/open.ts';
import type { RolloutJob } from '../../src/rollout/job.ts';
import { readGolden } from '../suites/golden.ts';
import { runCli } from '../support/cli.ts';
import { toyEnv } from '../support/toy-env.ts';

const backend = await openGpujsBackend();
const cpu = openCpuBackend({ threads: 1 });
afterAll(async () => {
  await backend.close();
  await cpu.close();
});

/** Two policies of the recording, which reach a goal or fall, from seed 30 on. */
function jobIn(id: string, changes: Partial<RolloutJob> = {}): RolloutJob {
  const env = findEnv(id);
  const policies = (readGolden(id)?.episodes ?? [])
    .filter((e) => e.policy.kind === 'linear')
    .map((e) => e.policy.params);
  const candidates = [policies[0], policies.at(-1) ?? []].map((params) => Float64Array.from(params!));
  return { env, policy: buildPolicy('linear', env), candidates, episodes: 150, seed: 30, maxSteps: null, ...changes };
}

const mean = (values: Float64Array): number => values.reduce((sum, v) => sum + v, 0) / values.length;

describe.each(['CartPole-v1', 'MountainCar-v0', 'MountainCarContinuous-v0', 'Acrobot-v1', 'Pendulum-v1'])(
  '%s',
  (id) => {
    it('plays as the float64 backend does, up to rounding', async () => {
      const job = jobIn(id);
      const [want, got] = [await cpu.play(job), await backend.play(job)];
      let same = 0;
      for (let i = 0; i < want.returns.length; i++) {
        if (want.lengths[i] === got.lengths[i] && want.ends[i] === got.ends[i]) same++;
      }
      // A pole that a bang-bang policy balances amplifies the rounding of f32; most episodes are equal all the same.
      expect(same).toBeGreaterThanOrEqual(0.5 * want.returns.length);
      expect(Math.abs(mean(got.returns) - mean(want.returns))).toBeLessThanOrEqual(0.03 * Math.abs(mean(want.returns)));
      expect(got.steps).toBe(got.lengths.reduce((sum, n) => sum + n, 0));
    });

    it('traces the played episode, bit for bit', async () => {
      const job = jobIn(id, { episodes: 4 });
      const played = await backend.play(job);
      const trace = await backend.trace(job, 1, 2);
      const at = 1 * job.episodes + 2;
      expect(trace).toMatchObject({ seed: 32, return: played.returns[at], length: played.lengths[at] });
      expect(trace.steps).toHaveLength(trace.length);
      expect(trace.steps[0]!.state).toEqual((await backend.resets(job.env, 32, 1))[0]);
      const after = trace.steps.map((_, t) => trace.steps[t + 1]?.state ?? trace.finalState);
      const again = await backend.probe(job.env, trace.steps);
      expect(again.map((step) => step.state)).toEqual(after);
      expect(trace.steps.map((step) => step.reward)).toEqual(again.map((step) => step.reward));
      expect(trace.steps.slice(1).map((step) => step.obs)).toEqual(again.slice(0, -1).map((step) => step.obs));
    });
  },
);

describe('the gpujs backend', () => {
  it('says what it really runs on', () => {
    expect(backend.adapter).toMatch(/^GPU\.js \d+\.\d+\.\d+ \(WebAssembly, no GPU\)$/);
  });

  it('plays policies with and without bias, and knows them apart', async () => {
    const env = findEnv('CartPole-v1');
    const policy = buildPolicy('linear', env, { bias: false });
    const job = jobIn('CartPole-v1', { policy, candidates: [Float64Array.of(0, 1, 0, 2, 0, 3, 0, 4)] });
    const [want, got] = [await cpu.play(job), await backend.play(job)];
    expect(mean(got.returns)).toBeCloseTo(mean(want.returns), 0);
  });

  it('stops at our own cap and calls it so', async () => {
    const played = await backend.play(jobIn('Pendulum-v1', { maxSteps: 7, episodes: 3 }));
    expect(Array.from(played.lengths)).toEqual(Array(6).fill(7));
    expect(Array.from(played.ends)).toEqual(Array(6).fill(2));
  });

  it('refuses environments and policies that it has no kernels for', async () => {
    const pong = findEnv('Pong-v0');
    const mlp = buildPolicy('mlp', findEnv('CartPole-v1'));
    expect(backend.supports(pong, null)).toMatch(
      /kernels for CartPole-v1, .*not for Pong-v0; use auto, webgpu, wasm or cpu/,
    );
    const job = jobIn('CartPole-v1', { policy: mlp, candidates: [new Float64Array(mlp.paramCount)] });
    await expect(backend.play(job)).rejects.toThrow('plays the policy kind "linear", not "mlp"');
    await expect(backend.resets(pong, 0, 1)).rejects.toThrow('not for Pong-v0');
  });

  it('has no kernels for an environment that its loop would play wrongly', () => {
    const gpujs = { observe: ['x', 't'], step: 't += 1;' };
    const one = { kind: 'box', rows: toyEnv.action.kind === 'box' ? toyEnv.action.rows.slice(1) : [] } as const;
    const spec = { ...toyEnv, action: one };
    expect(() => checkGpujsKernel(spec, gpujs)).not.toThrow();
    expect(() => checkGpujsKernel(spec, { ...gpujs, observe: ['x'] })).toThrow(
      'expected 2 expressions in gpujs.observe, one per entry, got 1',
    );
    expect(() => checkGpujsKernel(toyEnv, gpujs)).toThrow('expected one action entry');
    expect(() => checkGpujsKernel({ ...spec, memory: toyEnv.state }, gpujs)).toThrow(
      'no memory rows for a GPU.js kernel, got 2',
    );
    expect(() => checkGpujsKernel({ ...spec, stepDraws: 3 }, gpujs)).toThrow(
      'steps without draws for a GPU.js kernel, got 3',
    );
  });

  it('stops between two calls of a kernel when asked to', async () => {
    const abort = new AbortController();
    const playing = backend.play(jobIn('Acrobot-v1', { episodes: 100_000 }), { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(playing).rejects.toThrow('enough');
  });

  it('says how to get the package where it is not installed', async () => {
    const load = () => Promise.reject(new Error("Cannot find package 'gpu.js'"));
    await expect(openGpujsBackend({ load })).rejects.toThrow(
      '[--backend] the backend "gpujs" needs the package gpu.js, which is not installed; run "npm install gpu.js"',
    );
  });

  it('serves the command line', async () => {
    const evaluate = (env: string, file: string): ReturnType<typeof runCli> => {
      const policy = `docs/images/gallery/policies/${file}`;
      return runCli(['eval', '--backend', 'gpujs', '--env', env, '--policy', policy, '--episodes', '50', '--json']);
    };
    const { code, stdout } = await evaluate('CartPole-v1', 'cartpole.json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ backend: 'gpujs', adapter: backend.adapter, episodes: 50 });
    const refused = await evaluate('Nim-v0', 'nim.json');
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain('not for Nim-v0');
  });
});
