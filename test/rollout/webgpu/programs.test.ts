/**
 * Every program compiles, on Dawn's null backend: no GPU needed, so this runs everywhere. Plus the checks that turn a
 * compiler message into a place in one of our files.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAsset } from '../../../src/base/node/assets.ts';
import { defineEnv, type Env } from '../../../src/envs/env.ts';
import { envs } from '../../../src/envs/index.ts';
import { policyKinds } from '../../../src/policies/index.ts';
import type { Policy } from '../../../src/policies/policy.ts';
import type { GpuDevice } from '../../../src/rollout/webgpu/device.ts';
import { plainEntry } from '../../../src/rollout/webgpu/episodes/episode-kernel.ts';
import { openWebGpuBackend } from '../../../src/rollout/webgpu/node/backend.ts';
import { openDevice } from '../../../src/rollout/webgpu/node/dawn.ts';
import { envParamWords, seedWords } from '../../../src/rollout/webgpu/program/declarations.ts';
import { probeProgram, rolloutProgram } from '../../../src/rollout/webgpu/program/programs.ts';
import { Runner } from '../../../src/rollout/webgpu/run/runner.ts';

let gpu: GpuDevice;
let runner: Runner;
beforeAll(async () => {
  gpu = await openDevice({ nothingRuns: true });
  runner = new Runner(gpu);
});
afterAll(() => gpu.close());

describe.each(envs.map((env) => ({ env, id: env.id })))('$id', ({ env }) => {
  it.each(policyKinds.filter((k) => k.accepts(env) === null).map((kind) => ({ kind, id: kind.id })))(
    'compiles with the policy $id',
    async ({ kind }) => {
      const kernel = await runner.kernel(rolloutProgram(env, kind.build(env, {}), readAsset), plainEntry('play', 4, 2));
      expect(kernel.pipeline.label).toBe('play');
    },
  );

  it('compiles for single transitions and for start states', async () => {
    const transitions = await runner.kernel(
      probeProgram(env, 'transitions', readAsset),
      plainEntry('transitions', 4, 1),
    );
    expect(transitions.pipeline.label).toBe('transitions');
    const resets = await runner.kernel(probeProgram(env, 'resets', readAsset), plainEntry('resets', 2, 1));
    expect(resets.pipeline.label).toBe('resets');
  });
});

describe('variants', () => {
  const [env] = envs;
  const [kind] = policyKinds;

  it('compiles a linear policy without bias', async () => {
    const policy = kind!.build(env!, { bias: false });
    expect(
      (await runner.kernel(rolloutProgram(env!, policy, readAsset), plainEntry('play', 4, 2))).pipeline.label,
    ).toBe('play');
  });

  it('compiles the clip to a box and a policy that names the action itself', async () => {
    const rows = [
      { name: 'left', meaning: 'left motor', unit: 'N', low: -1, high: 2 },
      { name: 'right', meaning: 'right motor', unit: 'N', low: -3, high: 4 },
    ];
    const boxed: Env = { ...env!, action: { kind: 'box', rows } };
    const read = (path: string): string => readAsset(path).replace('action == 1u', 'action[0] > 0.0');
    const policy = kind!.build(boxed, {});
    expect((await runner.kernel(rolloutProgram(boxed, policy, read), plainEntry('play', 4, 2))).pipeline.label).toBe(
      'play',
    );

    const direct: Policy = { ...kind!.build(env!, {}), output: 'action' };
    const { code } = rolloutProgram(env!, direct, readAsset);
    expect(code).toContain('return u32((*outputs)[0]);');
    await runner.kernel(rolloutProgram(env!, direct, readAsset), plainEntry('play', 4, 2));
  });
});

describe('angles that are known to be small', () => {
  const near = Number(/const TRIG_NEAR: f32 = ([\d.]+);/.exec(readAsset('shaders/lib/trig.wgsl'))![1]);

  it('are asked for by CartPole only, whose episodes end before they are not', () => {
    const asking = envs.filter(({ folder }) => readAsset(`shaders/envs/${folder}.wgsl`).includes('trig_sincos_within'));
    expect(asking.map(({ id }) => id)).toEqual(['CartPole-v1']);
    const { angleLimit, resetLow, resetHigh } = asking[0]!.params;
    expect(near).toBe(0.21);
    expect(angleLimit).toBeGreaterThan(0.2);
    expect(Math.fround(angleLimit!)).toBeLessThan(Math.fround(near));
    expect(Math.max(-resetLow!, resetHigh!)).toBeLessThan(near);
  });

  it('are not assumed when steps begin in given states', () => {
    const [kind] = policyKinds;
    for (const env of envs) {
      const declared = (code: string) => /const FROM_ANY_STATE: bool = (\w+);/.exec(code)?.[1];
      expect(declared(probeProgram(env, 'transitions', readAsset).code)).toBe('true');
      if (kind!.accepts(env) === null)
        expect(declared(rolloutProgram(env, kind!.build(env, {}), readAsset).code)).toBe('false');
    }
  });
});

describe('statistics', () => {
  it.each([
    { software: false, candidates: 8, episodes: 64, place: 'host' },
    { software: false, candidates: 27, episodes: 19, place: 'device' },
    { software: false, candidates: 1, episodes: 513, place: 'device' },
    { software: true, candidates: 27, episodes: 19, place: 'host' },
    { software: true, candidates: 100, episodes: 100, place: 'host' },
  ])('of $candidates x $episodes episodes are made by the $place, software: $software', async (given) => {
    const own = await openDevice({ nothingRuns: true });
    const programs = new Set<string | undefined>();
    const createShaderModule = own.device.createShaderModule.bind(own.device);
    own.device.createShaderModule = (descriptor) => {
      programs.add(descriptor.label);
      return createShaderModule(descriptor);
    };
    const adapter = { value: { ...own.adapter, software: given.software } };
    const backend = await openWebGpuBackend({ gpu: Object.create(own, { adapter }) });
    const env = envs[0]!;
    const policy = policyKinds[0]!.build(env, {});
    const candidates = Array(given.candidates).fill(new Float64Array(policy.paramCount));
    const job = { env, policy, candidates, episodes: given.episodes, seed: 1, maxSteps: null };
    // Nothing is played here, so what comes back may be anything.
    await backend.measure(job, { successThreshold: 1, ranks: [0] }).catch(() => {});
    await backend.close();
    expect([...programs].sort()).toEqual(given.place === 'host' ? ['play'] : ['play', 'progress', 'whole']);
  });
});

describe('cached programs', () => {
  it('is a bind group, until one of its buffers is replaced', async () => {
    const given = await openDevice({ nothingRuns: true });
    let groups = 0;
    let writes = 0;
    const { device } = given;
    const createBindGroup = device.createBindGroup.bind(device);
    device.createBindGroup = (descriptor) => {
      groups += 1;
      return createBindGroup(descriptor);
    };
    const { queue } = device;
    const writeBuffer = queue.writeBuffer.bind(queue);
    queue.writeBuffer = (...args: Parameters<GPUQueue['writeBuffer']>) => {
      writes += 1;
      return writeBuffer(...args);
    };
    Object.defineProperty(device, 'queue', { value: queue });
    const own = new Runner(given);
    const [env] = envs;
    const kernel = await own.kernel(probeProgram(env!, 'resets', readAsset), plainEntry('resets', 2, 1));
    const run = async (count: number, bytes = 4096) => {
      const buffers = [
        own.upload('reset job', Uint32Array.of(count, 0, 0)),
        own.upload('environment', envParamWords(env!)),
        own.buffer('rows', bytes),
      ];
      const bindings = buffers.map((buffer) => ({ buffer }));
      await own.submit({ dispatches: [{ kernel, bindings, workgroups: 1 }] }, () => null);
      return [groups, writes];
    };
    expect(await run(3)).toEqual([1, 2]);
    expect(await run(3)).toEqual([1, 2]);
    // Another number is written, into the same buffer.
    expect(await run(4)).toEqual([1, 3]);
    expect(await run(4, 9000)).toEqual([2, 3]);
    expect(await run(4)).toEqual([2, 3]);
    // What a program may have written to is not known any more.
    own.buffer('reset job', 12);
    expect(await run(4)).toEqual([2, 4]);
    // The oldest go when there are many.
    for (let bytes = 2 ** 15; bytes <= 2 ** 22; bytes *= 2) await run(4, bytes);
    expect(groups).toBe(10);
    given.close();
  });
});

describe('errors', () => {
  const [env] = envs;

  it('name the file, line and column of our source, not of the joined text', async () => {
    const path = `shaders/envs/${env!.folder}.wgsl`;
    const read = (asked: string): string => {
      const text = readAsset(asked);
      return asked === path ? text.replace('let temp = force', 'let temp = undeclared_name') : text;
    };
    const line =
      readAsset(path)
        .split('\n')
        .findIndex((l) => l.includes('let temp = force')) + 1;
    await expect(
      runner.kernel(probeProgram(env!, 'transitions', read), plainEntry('transitions', 4, 1)),
    ).rejects.toThrow(new RegExp(`${path}:${line}:\\d+ unresolved value 'undeclared_name'`));
  });

  it('name a shader that does not do its part', () => {
    const read = (asked: string): string => {
      const text = readAsset(asked);
      return asked.includes('/envs/') ? text.replace('fn env_observe', 'fn env_watch') : text;
    };
    expect(() => probeProgram(env!, 'resets', read)).toThrow(/must declare "env_observe"; it declares .*env_watch/);
  });
});

describe('layout', () => {
  it('writes each number where its field is: f32 bits, or two words for an exact one', () => {
    const env = defineEnv({
      ...envs[0]!,
      constants: {
        half: { value: 0.5, unit: 'm', source: 'test' },
        tenth: { value: 0.1, unit: 'm', source: 'test' },
        third: { value: 3, unit: 'm', source: 'test' },
      },
      derive: (c) => ({ sum: c.half + c.third }),
      exact: ['tenth'],
    });
    const expected = new DataView(new ArrayBuffer(20));
    expected.setFloat32(0, 0.5, true);
    expected.setFloat64(4, 0.1, true);
    expected.setFloat32(12, 3, true);
    expected.setFloat32(16, 3.5, true);
    expect([...envParamWords(env)]).toEqual([...new Uint32Array(expected.buffer)]);
  });

  it('splits a seed into words beyond 32 bits', () => {
    expect(seedWords(5)).toEqual([5, 0]);
    expect(seedWords(3 * 2 ** 32 + 0xfffffff0)).toEqual([0xfffffff0, 3]);
  });
});
