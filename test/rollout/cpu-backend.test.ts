/** The cpu backend: the same numbers however the work is cut, honest ends, and clear refusals. */
import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { R2poError, UsageError } from '../../src/base/errors.ts';
import { assetPath } from '../../src/base/node/assets.ts';
import { cartpole } from '../../src/envs/cartpole/index.ts';
import { defineEnv } from '../../src/envs/env.ts';
import { pendulum } from '../../src/envs/pendulum/index.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { buildPolicy } from '../../src/policies/index.ts';
import { linear } from '../../src/policies/linear.ts';
import type { Policy } from '../../src/policies/policy.ts';
import { Player } from '../../src/rollout/cpu/loop.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { WorkerPool } from '../../src/rollout/cpu/node/pool.ts';
import { ThreadedPlay } from '../../src/rollout/cpu/node/threaded-play.ts';
import { CANCELLED, type WorkerJob } from '../../src/rollout/cpu/node/worker-job.ts';
import { SingleThreadBackend } from '../../src/rollout/cpu/single-thread.ts';
import { allocateOutcomes, sliceSize } from '../../src/rollout/cpu/slices.ts';
import type { EpisodeTotals } from '../../src/rollout/episode-counts.ts';
import { type Episodes, endCauses, type RolloutJob } from '../../src/rollout/job.ts';
import { maxSeed } from '../../src/rollout/job-checks.ts';
import { type BackendOptions, openBackend } from '../../src/rollout/node/open.ts';
import { openWasmBackend } from '../../src/rollout/wasm/node/backend.ts';
import { toyEnv } from '../support/toy-env.ts';

const policy = buildPolicy('linear', cartpole);
/** balances for 500 steps */
const good = Float64Array.of(-1.7832, 1.3935, -0.9133, 1.7699, -5.0816, 4.3552, -4.2295, 1.0367, -0.0506, -1.412);
/** falls after 40 to 500 steps */
const fair = Float64Array.of(-0.2, 0.1, 0.3, -0.1, -0.9, 1.1, -0.4, 0.6, 0.02, -0.03);
/** falls within a dozen steps */
const bad = Float64Array.of(-6.4, -4.2, -2.6, 2, 1.4, -0.6, 2, 1.5, 0.5, -5.1);

const one = openCpuBackend({ threads: 1 });
const two = openCpuBackend({ threads: 2 });
afterAll(async () => {
  await one.close();
  await two.close();
});

function job(changes: Partial<RolloutJob> = {}): RolloutJob {
  return { env: cartpole, policy, candidates: [good], episodes: 3, seed: 40, maxSteps: null, ...changes };
}

const raw = ({ returns, lengths, ends }: Episodes) => ({
  returns: Array.from(returns),
  lengths: Array.from(lengths),
  ends: Array.from(ends),
});
const endsOf = (episodes: Episodes) => Array.from(episodes.ends, (code) => endCauses[code]);

describe('results', () => {
  it('are the same bytes without any worker, as a page plays them, and can be replayed', async () => {
    const request = job({ candidates: [fair, bad], episodes: 40, seed: 90_001 });
    const page = new SingleThreadBackend();
    const a = await page.play(request);
    expect(raw(a)).toEqual(raw(await two.play(request)));
    expect(await page.trace(request, 1, 7)).toEqual(await two.trace(request, 1, 7));
    await page.close();
    await expect(page.play(request)).rejects.toThrow('expected an open backend, got a closed one');
  });

  it('are the same bytes on one thread and on two', async () => {
    const request = job({ candidates: [fair, bad, good], episodes: 400, seed: 90_001 });
    const pooled = vi.spyOn(WorkerPool.prototype, 'run');
    const a = await one.play(request);
    expect(pooled, 'the calling thread played').not.toHaveBeenCalled();
    const b = await two.play(request);
    expect(pooled, 'the workers played').toHaveBeenCalledOnce();
    pooled.mockRestore();
    expect(raw(b)).toEqual(raw(a));
    expect(b.steps).toBe(a.steps);
    expect(new Set(a.returns).size).toBeGreaterThan(50);
  });

  it('are the same when the workers get two jobs at once', async () => {
    const requests = [
      job({ candidates: [bad, fair], episodes: 600 }),
      job({ candidates: [fair], episodes: 1100, seed: 5 }),
    ];
    const together = await Promise.all(requests.map((request) => two.play(request)));
    expect(raw(together[0]!)).toEqual(raw(await one.play(requests[0]!)));
    expect(raw(together[1]!)).toEqual(raw(await one.play(requests[1]!)));
  });

  it('do not depend on how the episodes are cut', () => {
    const request = { candidates: [fair, bad, good], episodes: 7, seed: 12 };
    const limit = { steps: 60, cause: 'capped' } as const;
    const total = 21;
    const play = (cuts: readonly number[]) => {
      const player = new Player(cartpole, policy, limit);
      const outcomes = allocateOutcomes(total, false);
      const borders = [0, ...cuts.toSorted((x, y) => x - y), total];
      for (let i = 1; i < borders.length; i++) player.play(request, borders[i - 1]!, borders[i]!, outcomes, null);
      return outcomes;
    };
    const whole = play([]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: total })), (cuts) => {
        expect(play(cuts)).toEqual(whole);
      }),
      { numRuns: 25 },
    );
  });

  it('give every candidate the same seeds, and every seed the same episode', async () => {
    const alone = await one.play(job({ candidates: [fair], episodes: 9, seed: 33 }));
    const among = await one.play(job({ candidates: [bad, fair, good], episodes: 9, seed: 33 }));
    expect(among.returns.slice(9, 18)).toEqual(alone.returns);
    const later = await one.play(job({ candidates: [fair], episodes: 4, seed: 38 }));
    expect(later.returns).toEqual(alone.returns.slice(5));
  });

  it('count the steps really played', async () => {
    const episodes = await one.play(job({ candidates: [bad, fair], episodes: 11 }));
    expect(episodes.steps).toBe(episodes.lengths.reduce((sum, length) => sum + length, 0));
    expect(episodes.gpuSeconds).toBeNull();
    expect(episodes.seconds).toBeGreaterThan(0);
  });
});

describe('statistics', () => {
  it.each([
    { what: 'few different returns', env: cartpole, size: 10, maxSteps: null },
    { what: 'returns that all differ', env: pendulum, size: 4, maxSteps: 30 },
  ])('of $what are the same on any number of threads', async ({ env, size, maxSteps }) => {
    const candidates = [new Float64Array(size).fill(0.5)];
    const policy = linear.build(env, {});
    const of = { env, policy, candidates, episodes: 20_000, seed: 7, maxSteps };
    const request = { ranks: [0, 9999, 19_999], successThreshold: 12 };
    const pooled = vi.spyOn(WorkerPool.prototype, 'run');
    const measured = await two.measure(of, request);
    expect(pooled).toHaveBeenCalledOnce();
    // The workers have counted, each a part.
    const totals = await pooled.mock.results[0]!.value;
    pooled.mockRestore();
    const counted = totals.map(({ outcomes }: EpisodeTotals) => outcomes.episodes);
    expect(counted.reduce((a: number, b: number) => a + b)).toBe(20_000);
    expect(measured.of(0)).toEqual((await one.measure(of, request)).of(0));
  });
});

describe('several calls at once', () => {
  it('give what each gives alone, whether they want outcomes or only statistics', async () => {
    const asked = [1, 2, 3, 4].map((seed) => job({ candidates: [bad], episodes: 300_000, seed }));
    const measured = async (backend: typeof two, of: RolloutJob) =>
      (await backend.measure(of, { ranks: [100_000], successThreshold: 12 })).of(0);
    const expected = [await measured(one, asked[0]!), await measured(one, asked[2]!)];
    for (let round = 0; round < 2; round++) {
      const [first, , second] = await Promise.all([
        measured(two, asked[0]!),
        two.play(asked[1]!),
        measured(two, asked[2]!),
        two.play(asked[3]!),
      ]);
      expect([first, second]).toEqual(expected);
    }
  });
});

describe('slices', () => {
  it('hold about the same number of steps, and at least one episode', () => {
    expect(sliceSize(1_000_000, 500, 1)).toBe(400);
    expect(sliceSize(1_000_000, 1000, 2)).toBe(200);
    expect(sliceSize(10, 2 ** 31 - 1, 1)).toBe(1);
  });

  it('are so many that each thread gets four', () => {
    expect(sliceSize(20, 500, 1)).toBe(20);
    expect(sliceSize(1200, 500, 3)).toBe(100);
    expect(sliceSize(5, 10, 8)).toBe(1);
  });
});

describe('ends', () => {
  it('distinguish termination, the limit of the environment and our cap', async () => {
    const [fallen] = (await one.play(job({ candidates: [bad], episodes: 1 }))).lengths;
    expect(fallen).toBeLessThan(100);
    const end = async (params: Float64Array, maxSteps: number | null) => {
      const episodes = await one.play(job({ candidates: [params], episodes: 1, maxSteps }));
      return [endsOf(episodes)[0], episodes.lengths[0]];
    };
    expect(await end(bad, null)).toEqual(['terminated', fallen]);
    expect(await end(bad, fallen! - 1)).toEqual(['capped', fallen! - 1]);
    // The environment's word counts when both happen in one step.
    expect(await end(bad, fallen!)).toEqual(['terminated', fallen]);
    expect(await end(good, null)).toEqual(['truncated', 500]);
    expect(await end(good, 500)).toEqual(['truncated', 500]);
    expect(await end(good, 499)).toEqual(['capped', 499]);
    expect(await end(good, 1)).toEqual(['capped', 1]);
  });
});

describe('trace', () => {
  it('returns what was played, bit for bit, and each step leads to the next', async () => {
    const fromTenths = (tenths: readonly number[]) => Float64Array.from(tenths, (value) => value / 10);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -60, max: 60 }), { minLength: 10, maxLength: 10 }).map(fromTenths),
        fc.integer({ min: 0, max: maxSeed - 4 }),
        fc.integer({ min: 0, max: 4 }),
        async (params, seed, episode) => {
          const request = job({ candidates: [bad, params], episodes: 5, seed });
          const played = await one.play(request);
          const trace = await one.trace(request, 1, episode);
          expect(trace.seed).toBe(seed + episode);
          expect(trace.return).toBe(played.returns[5 + episode]);
          expect(trace.length).toBe(played.lengths[5 + episode]);
          expect(trace.end).toBe(endCauses[played.ends[5 + episode]!]);
          expect(trace.steps.length).toBe(trace.length);
          expect(trace.steps.reduce((sum, step) => sum + step.reward, 0)).toBe(trace.return);
          expect([trace.steps[0]!.state]).toEqual(await one.resets(cartpole, seed + episode, 1));
          const after = await one.probe(cartpole, trace.steps);
          expect(after.map((step) => step.state)).toEqual([
            ...trace.steps.slice(1).map((s) => s.state),
            trace.finalState,
          ]);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('refuses a candidate or an episode that the job has not', async () => {
    await expect(one.trace(job(), 1, 0)).rejects.toThrow('[trace] expected a candidate in 0 ... 0, got 1');
    await expect(one.trace(job(), 0, 3)).rejects.toThrow('[trace] expected an episode in 0 ... 2, got 3');
  });
});

describe('continuous actions', () => {
  const toy = buildPolicy('linear', toyEnv);
  /** bias 5 for `walk` (bounds -0.5 ... 2) and 0.25 for `run` (bounds -1 ... 4) */
  const params = Float64Array.of(0, 0, 0, 0, 5, 0.25);

  it('are clipped to their bounds before the environment sees them', async () => {
    const trace = await two.trace(job({ env: toyEnv, policy: toy, candidates: [params] }), 0, 0);
    expect(trace.steps.map((step) => step.action)).toEqual(Array(12).fill([2, 0.25]));
    const [start] = trace.steps[0]!.state;
    expect(trace.finalState).toEqual([start! + 12 * 2.5, 12]);
    expect(trace.return).toBe((12 * start! + 2.5 * 78) / 4);
    const down = Float64Array.of(0, 0, 0, 0, -5, -3);
    const other = await two.trace(job({ env: toyEnv, policy: toy, candidates: [down] }), 0, 0);
    expect(other.steps[0]!.action).toEqual([-0.5, -1]);
  });

  it('are passed on as they are when the policy gives the action itself', async () => {
    const direct: Policy = { ...toy, output: 'action' };
    const trace = await two.trace(job({ env: toyEnv, policy: direct, candidates: [params] }), 0, 0);
    expect(trace.steps[0]!.action).toEqual([5, 0.25]);
  });

  it('of an environment that workers cannot find by name are played on the calling thread', async () => {
    const episodes = await two.play(job({ env: toyEnv, policy: toy, candidates: [params], episodes: 50_000 }));
    expect(episodes.returns.buffer).toBeInstanceOf(ArrayBuffer);
    expect(new Set(episodes.returns).size).toBe(8);
  });
});

describe('objects that a program has changed', () => {
  const weak = { ...cartpole, params: { ...cartpole.params, force: 0.5 } };
  const doubled = {
    ...cartpole,
    dynamics: {
      ...cartpole.dynamics,
      step: (...args: Parameters<typeof cartpole.dynamics.step>) => {
        cartpole.dynamics.step(...args);
        args[4].reward *= 2;
      },
    },
  };
  const right: Policy = { ...policy, act: (_values, _observation, outputs) => outputs.set([0, 1]) };
  const { params: _, ...spec } = weak;
  const own = defineEnv({
    ...spec,
    constants: { ...cartpole.constants, force: { value: 0.5, unit: 'N', source: '' } },
  });

  it.each([
    ['other parameters', { env: weak }],
    ['other dynamics', { env: doubled }],
    ['an environment of its own under a shipped id', { env: own }],
    ['another act', { policy: right }],
  ])('are played as they are on any number of threads: %s', async (_, changes) => {
    const request = job({ candidates: [fair], episodes: 20_000, ...changes });
    const changed = raw(await two.play(request));
    expect(changed).toEqual(raw(await one.play(request)));
    expect(changed).not.toEqual(raw(await two.play(job({ candidates: [fair], episodes: 20_000 }))));
    const wasm = openWasmBackend({ threads: 1 });
    const refusal = /the backend "wasm" expected (CartPole-v1|a policy) as .* use such a one, or the backend cpu/;
    await expect(wasm.play(request)).rejects.toThrow(refusal);
    await expect(wasm.trace(request, 0, 0)).rejects.toThrow(refusal);
    await wasm.close();
  });

  it('are no shipped ones, which cannot be changed', () => {
    expect(() => Object.assign(cartpole.params, { force: 0.5 })).toThrow(TypeError);
    expect(() => Object.assign(cartpole.constants.force!, { value: 0.5 })).toThrow(TypeError);
    expect(() => Object.assign(cartpole.dynamics, { step: () => {} })).toThrow(TypeError);
    expect(() => Object.assign(findEnv('CartPole-v1', { max_episode_steps: 9 }), { timeLimit: 8 })).toThrow(TypeError);
    expect(() => Object.assign(policy, { act: () => {} })).toThrow(TypeError);
    expect(() => Object.assign(policy.options, { bias: false })).toThrow(TypeError);
  });

  it('are not the lists that options were given as', async () => {
    const hidden = [4];
    const network = buildPolicy('mlp', cartpole, { hidden });
    hidden.push(3);
    expect(network.options).toMatchObject({ hidden: [4] });
  });
});

describe('a job that cannot be played', () => {
  const withValue = (index: number, value: number) => good.with(index, value);
  it.each<{ changes: Partial<RolloutJob>; message: string }>([
    { changes: { candidates: [] }, message: 'expected at least one candidate, got none' },
    {
      changes: { candidates: [good, good.slice(0, 9)] },
      message: 'expected 10 parameters for linear in CartPole-v1, got 9 in candidate 1',
    },
    {
      changes: { candidates: [withValue(3, NaN)] },
      message: 'got NaN at index 3 (weight x_dot -> action 1) of the policy',
    },
    { changes: { candidates: [withValue(8, 1e39)] }, message: 'got 1e+39 at index 8 (bias action 0) of the policy' },
    { changes: { episodes: 0 }, message: 'expected a positive whole number of episodes, got 0' },
    { changes: { episodes: 2.5 }, message: 'expected a positive whole number of episodes, got 2.5' },
    { changes: { seed: -1 }, message: 'expected episode seeds in 0 ... 9007199254740991, got -1 and the 2 after it' },
    { changes: { seed: maxSeed - 1 }, message: 'expected episode seeds in' },
    { changes: { seed: 0.5 }, message: 'expected episode seeds in' },
    { changes: { maxSteps: 0 }, message: 'expected max-steps to be a whole number in 1 ... 1073741823, got 0' },
    {
      changes: { env: findEnv('Acrobot-v1') },
      message: 'expected a policy for the observations and actions of Acrobot-v1, got one of others; use buildPolicy',
    },
    {
      changes: {
        env: findEnv('FrozenLake-v1', { map_name: '8x8' }),
        policy: buildPolicy('tabular', findEnv('FrozenLake-v1')),
        candidates: [new Float64Array(16)],
      },
      message: 'expected a policy for the observations and actions of FrozenLake-v1, got one of others',
    },
    { changes: { env: { ...cartpole, timeLimit: null } }, message: 'has no step limit of its own; set max-steps' },
    ...[2 ** 30, 2.5, 0].map((timeLimit) => ({
      changes: { env: { ...cartpole, timeLimit } },
      message: `expected CartPole-v1 to have a step limit in 1 ... 1073741823, got ${timeLimit}; change its "timeLimit"`,
    })),
  ])('is refused: $message', async ({ changes, message }) => {
    await expect(one.play(job(changes))).rejects.toThrow(UsageError);
    await expect(one.play(job(changes))).rejects.toThrow(message);
    await expect(one.trace(job(changes), 0, 0)).rejects.toThrow(message);
  });

  it('may use the last seed there is', async () => {
    const episodes = await one.play(job({ seed: maxSeed - 2, candidates: [bad] }));
    expect(episodes.returns.length).toBe(3);
  });

  it.each([0, -2, 1.5, NaN])('cannot ask for %s threads', (threads) => {
    expect(() => openCpuBackend({ threads })).toThrow('[cpu] expected a positive whole number of threads');
  });
});

it.each<[unknown, unknown, string]>([
  ['CPU', {}, '[openBackend] unknown backend "CPU"; did you mean "cpu"? known: auto, webgpu, wasm, cpu, gpujs'],
  [5, {}, '[openBackend] expected a name as the backend, got 5; known: auto'],
  [undefined, {}, '[openBackend] expected a name as the backend, got nothing'],
  ['cpu', { threads: 0 }, '[openBackend] unknown key in "options" "threads"; known: adapter, note, work'],
  ['cpu', null, '[openBackend] expected an object as "options", got null'],
  ['webgpu', { adapter: 5 }, '[openBackend] expected a text, or null as "options.adapter", got 5'],
])('openBackend refuses %j with %j', async (name, options, message) => {
  const opening = openBackend(name as 'cpu', options as BackendOptions);
  await expect(opening).rejects.toThrow(UsageError);
  await expect(opening).rejects.toThrow(message);
});

describe('probe', () => {
  const state = [0.1, -0.2, 0.03, 0.4];
  it.each([
    { input: { state: [1, 2, 3], action: [0] }, message: 'expected 4 state entries, got 3 in entry 1' },
    { input: { state, action: [] }, message: 'expected 1 action entries, got 0 in entry 1' },
    { input: { state, action: [2] }, message: 'expected an action in 0 ... 1, got 2 in entry 1' },
    { input: { state, action: [0.5] }, message: 'expected an action in 0 ... 1, got 0.5 in entry 1' },
    { input: { state: [0, NaN, 0, 0], action: [1] }, message: 'expected finite numbers, got NaN in entry 1' },
  ])('refuses: $message', async ({ input, message }) => {
    await expect(one.probe(cartpole, [{ state, action: [1] }, input])).rejects.toThrow(UsageError);
    await expect(one.probe(cartpole, [{ state, action: [1] }, input])).rejects.toThrow(message);
  });

  it('takes numbers beyond f32, which backends in f32 refuse', async () => {
    const inputs = [{ state: [1e39, 0, 0, 0], action: [1] }];
    expect((await one.probe(cartpole, inputs))[0]!.state[0]).toBe(1e39);
    const wasm = openWasmBackend({ threads: 1 });
    await expect(wasm.probe(cartpole, inputs)).rejects.toThrow(
      'expected finite numbers (in f32), got 1e+39 in entry 0',
    );
    await wasm.close();
  });

  it('does not change what it was given', async () => {
    const input = { state: [...state], action: [1] };
    const [output] = await one.probe(cartpole, [input]);
    expect(input.state).toEqual(state);
    expect(output!.obs).toEqual(output!.state.map(Math.fround));
    expect(output!.state[0]).toBe(0.1 + 0.02 * -0.2);
  });
});

describe('resets', () => {
  it('refuse seeds out of range', async () => {
    await expect(one.resets(cartpole, maxSeed, 2)).rejects.toThrow('[resets] expected episode seeds in');
    await expect(one.resets(cartpole, 1, -1)).rejects.toThrow(
      '[resets] expected a positive whole number of episodes, got -1',
    );
  });
});

describe('stopping', () => {
  const long = job({ episodes: 400_000 });

  it.each([
    { backend: one, name: 'on the calling thread' },
    { backend: two, name: 'in the workers' },
  ])('leaves an aborted job between two slices and can play the next: $name', async ({ backend }) => {
    const reason = new Error('enough');
    const early = new AbortController();
    early.abort(reason);
    await expect(backend.play(long, { signal: early.signal })).rejects.toBe(reason);
    const controller = new AbortController();
    const playing = backend.play(long, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 5);
    await expect(playing).rejects.toBe(reason);
    const next = job({ candidates: [bad], episodes: 1100 });
    expect(raw(await backend.play(next))).toEqual(raw(await one.play(next)));
  });

  it('gives the workers nothing when it is aborted while their work is prepared', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const prepare = async () => controller.abort(reason);
    const threaded = new ThreadedPlay({ threads: 2, stepSeconds: 1, prepare });
    const pooled = vi.spyOn(WorkerPool.prototype, 'run');
    const playing = threaded.play(job(), { signal: controller.signal }, (given) => one.play(given));
    await expect(playing).rejects.toBe(reason);
    expect(pooled).not.toHaveBeenCalled();
    pooled.mockRestore();
    await threaded.close();
  });

  it('fails with what a progress report throws, and plays on afterwards', async () => {
    const onProgress = () => {
      throw new Error('full disk');
    };
    await expect(two.play(job({ episodes: 100_000 }), { onProgress })).rejects.toThrow('full disk');
    expect(raw(await two.play(job()))).toEqual(raw(await one.play(job())));
  });

  it('lets the event loop turn while it plays', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await one.play(job({ episodes: 4000 }));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(2);
  });

  it('refuses to play once closed', async () => {
    const backend = openCpuBackend({ threads: 1 });
    await backend.close();
    await expect(backend.play(job())).rejects.toThrow('[cpu] expected an open backend, got a closed one; open another');
  });

  it('does not keep a finished process alive', async () => {
    const url = (path: string) => JSON.stringify(pathToFileURL(assetPath(path)).href);
    const program = `
      import { openCpuBackend } from ${url('dist/rollout/cpu/node/backend.js')};
      import { cartpole } from ${url('dist/envs/cartpole/index.js')};
      import { buildPolicy } from ${url('dist/policies/index.js')};
      import { WorkerPool } from ${url('dist/rollout/cpu/node/pool.js')};
      const { run } = WorkerPool.prototype;
      let pooled = false;
      WorkerPool.prototype.run = function (...given) { pooled = true; return run.apply(this, given); };
      const policy = buildPolicy('linear', cartpole);
      const job = { env: cartpole, policy, candidates: [new Float64Array(10)], episodes: 2000, seed: 0, maxSteps: null };
      const { returns } = await openCpuBackend({ threads: 2 }).play(job);
      console.log(pooled, returns.length);`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      timeout: 30_000,
    });
    expect(stdout).toBe('true 2000\n');
  });
});

describe('worker pool', () => {
  const work = (seed: number): WorkerJob => ({
    env: { name: 'CartPole-v1', code: null, options: {}, changed: {} },
    policy: { kind: 'linear', options: {} },
    candidates: [good],
    episodes: 1,
    seed,
    limit: { steps: 500, cause: 'truncated' },
    sliceSize: 1,
    total: 1,
    workers: 1,
    outcomes: allocateOutcomes(1, true),
    control: new Int32Array(new SharedArrayBuffer(8)),
  });

  it.each([
    { seed: 1, message: '[cpu] a worker thread stopped: out of luck; try again, or use one thread' },
    { seed: 2, message: '[cpu] a worker thread stopped: it exited with code 3; try again, or use one thread' },
  ])('says what a worker died of, and starts another for the next job: $message', async ({ seed, message }) => {
    const pool = new WorkerPool(2, 'test/support/broken-worker.mjs');
    const failing = work(seed);
    await expect(pool.run(failing, 2)).rejects.toThrow(new R2poError('cpu', message.slice('[cpu] '.length)));
    expect(failing.control[CANCELLED]).toBe(1);
    await pool.run(work(0), 2);
    await pool.close();
  });

  it('passes on what a worker says to the user', async () => {
    const pool = new WorkerPool(1, 'test/support/broken-worker.mjs');
    const fields = { name: 'UsageError', unit: 'maze', detail: 'no such map', exitCode: 2 };
    await expect(pool.run(work(4), 1)).rejects.toMatchObject(fields);
    await pool.close();
  });

  it('waits for the others when one dies', async () => {
    const pool = new WorkerPool(2, 'test/support/broken-worker.mjs');
    await expect(pool.run(work(3), 2)).rejects.toThrow('first one down');
    await pool.run(work(0), 2);
    await pool.close();
  });

  it('asks for a build when the worker file is missing', async () => {
    const pool = new WorkerPool(1, 'dist/no-such-worker.js');
    await expect(pool.run(work(0), 1)).rejects.toThrow('found none; run "npm run build"');
  });

  it('gives outcomes that later jobs leave alone, and more than the memory that is kept', async () => {
    const [first, later] = [job({ episodes: 900, seed: 5 }), job({ episodes: 1300, seed: 77 })];
    const played = await Promise.all([two.play(first), two.play(later)]);
    await two.play(job({ candidates: [bad], episodes: 2000, seed: 9 }));
    expect(raw(played[0])).toEqual(raw(await one.play(first)));
    expect(raw(played[1])).toEqual(raw(await one.play(later)));
    const many = job({ candidates: [bad], episodes: 2 ** 20 + 5, seed: 40, maxSteps: 2 });
    const { returns, steps } = await two.play(many);
    expect(returns.every((value) => value === 2)).toBe(true);
    expect(steps).toBe(2 * (2 ** 20 + 5));
  });

  it('builds policies with the options of the job', async () => {
    const plain = linear.build(cartpole, { bias: false });
    const request = job({ policy: plain, candidates: [fair.slice(0, 8)], episodes: 1200, seed: 3 });
    const pooled = vi.spyOn(WorkerPool.prototype, 'run');
    const played = await two.play(request);
    expect(pooled).toHaveBeenCalledOnce();
    pooled.mockRestore();
    expect(raw(played)).toEqual(raw(await one.play(request)));
  });
});
