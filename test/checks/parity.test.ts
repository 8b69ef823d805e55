/** The parity check passes where the backends agree, and fails where they do not. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { assetPath, readAsset } from '../../src/base/node/assets.ts';
import { culpritOf, differenceOf } from '../../src/checks/diagnosis.ts';
import { type Compared, compareBackends, compareEach, type ParityReport } from '../../src/checks/parity.ts';
import type { Env } from '../../src/envs/env.ts';
import { envs } from '../../src/envs/index.ts';
import { policyKinds } from '../../src/policies/index.ts';
import type { Backend } from '../../src/rollout/backend.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { openWasmBackend } from '../../src/rollout/wasm/node/backend.ts';
import { openWebGpuBackend } from '../../src/rollout/webgpu/node/backend.ts';
import type { ReadShader } from '../../src/rollout/webgpu/program/programs.ts';
import { expectSameEnds, expectSameSteps, readOptionRecordings } from '../suites/env-options.ts';
import { runCli } from '../support/cli.ts';
import { describeGpu, hasAdapter } from '../support/gpu.ts';
import { runHere } from '../support/in-process.ts';

const cartpole = envs[0]!;
const recordings = readOptionRecordings();
/** step limits of environments without one */
const limitOf: Readonly<Record<string, number>> = { 'CliffWalking-v1': 37, 'Nim-v0': 2 };
const linear = policyKinds[0]!;
/** for the whole episodes of one policy kind: what a software adapter plays in it differs by a factor of a thousand */
const maxSeconds = 0.5;
/** steps of the episodes of networks in environments with long episodes, which linear policies play to their end */
const shortEpisode = 200;
const hasLongEpisodes = (env: Env): boolean => (env.timeLimit ?? 0) >= 1000;
let cpu: Backend;
beforeAll(() => {
  cpu = openCpuBackend({ threads: 1 });
});
afterAll(() => cpu.close());

async function parityWith(readShader: ReadShader, episodes = 64): Promise<ParityReport> {
  const other = openWasmBackend({ readShader });
  try {
    const policy = linear.build(cartpole, {});
    const sizes = { seed: 9, transitions: 512, episodes, maxSeconds: null, maxSteps: null };
    return await compareBackends({ env: cartpole, policy, reference: cpu, other, ...sizes });
  } finally {
    await other.close();
  }
}

/** The shipped shaders with one text replaced in one of them. */
function changed(path: string, from: string, to: string): ReadShader {
  expect(readAsset(path)).toContain(from);
  return (asked) => (asked === path ? readAsset(asked).replace(from, to) : readAsset(asked));
}

describeGpu.each(envs.map((env) => ({ env, id: env.id })))('parity of $id', ({ env }) => {
  // One for all policy kinds: a software adapter takes seconds to compile the programs that they share.
  let other: Backend;
  beforeAll(async () => {
    other = await openWebGpuBackend();
  });
  afterAll(() => other.close());

  it.each(policyKinds.filter((kind) => kind.accepts(env) === null).map((kind) => ({ kind, id: kind.id })))(
    'holds with $id: starts, single steps, whole episodes over up to 4096 seeds',
    async ({ kind }) => {
      const maxSteps = env.timeLimit === null ? 100 : kind !== linear && hasLongEpisodes(env) ? shortEpisode : null;
      const sizes = { seed: 1, transitions: 4096, episodes: 4096, maxSeconds, maxSteps };
      const report = await compareBackends({ env, policy: kind.build(env, {}), reference: cpu, other, ...sizes });
      expect(report.start).toEqual({ seeds: 4096, different: 0, first: null, ok: true });
      expect(report.step.maxError).toBeLessThanOrEqual(report.step.tolerance);
      expect(report.episodes).toHaveLength(4);
      expect(report.episodes[0]!.episodes).toBeGreaterThanOrEqual(64);
      expect(report.ok).toBe(true);
    },
  );

  // After the others: options are data of the programs that those have compiled.
  it('holds with other options: starts, recorded steps, and another step limit', async () => {
    for (const recording of recordings.filter((r) => r.env === env.id)) await expectSameSteps(recording, cpu, other);
    await expectSameEnds(env.id, limitOf[env.id] ?? env.timeLimit! + 33, cpu, other);
  });
});

/** The wasm backend in the place of a driver. */
function drivenBy(readShader: ReadShader): Compared {
  const backend = openWasmBackend({ readShader });
  Object.defineProperty(backend, 'id', { value: 'webgpu' });
  return { backend, maxSeconds: null, shaders: 'by a driver' };
}

async function reportsOf(written: ReadShader, driven: ReadShader): Promise<ParityReport[]> {
  const meaning = {
    backend: openWasmBackend({ readShader: written }),
    maxSeconds: null,
    shaders: 'as written',
  } as const;
  const sizes = { seed: 9, transitions: 64, episodes: 32, maxSteps: 60 };
  const others = [drivenBy(driven), meaning];
  return compareEach({ env: cartpole, policy: linear.build(cartpole, {}), reference: cpu, others, ...sizes });
}

describe('three backends', () => {
  const off = changed(`shaders/envs/${cartpole.folder}.wgsl`, 'p.gravity * sincos.x', 'p.gravity * 1.02 * sincos.x');

  it('that agree are compared in pairs, the driver with what the shaders say', async () => {
    const reports = await reportsOf(readAsset, readAsset);
    const pairs = reports.map(({ other, reference, ok }) => ({ other, reference, ok }));
    expect(pairs).toEqual([
      { other: 'webgpu', reference: 'cpu', ok: true },
      { other: 'wasm', reference: 'cpu', ok: true },
      { other: 'webgpu', reference: 'wasm', ok: true },
    ]);
    const [toCpu, , toWasm] = reports;
    expect(toWasm!.step).toMatchObject({ maxError: 0, equal: 64, tolerance: 2 * toCpu!.step.tolerance });
    expect(toCpu!.step.equal).toBeLessThan(64);
    expect(toWasm!.episodes.every(({ equal }) => equal === 1)).toBe(true);
    expect(culpritOf(reports)).toBeNull();
  });

  it('tell a driver that differs from a shader that is wrong', async () => {
    const driver = await reportsOf(readAsset, off);
    expect(driver.map(({ ok }) => ok)).toEqual([false, true, false]);
    expect(culpritOf(driver)).toMatch(/^the shaders as they are written \(wasm\) agree: the driver of webgpu/);
    expect(differenceOf(driver[2]!)).toMatch(
      /^webgpu is out of tolerance: .*theta_dot is .* on wasm, after one step from/,
    );
    const shader = await reportsOf(off, off);
    expect(shader.map(({ ok }) => ok)).toEqual([false, false, true]);
    expect(culpritOf(shader)).toMatch(
      /^wasm and webgpu agree with each other: the shaders differ from the float64 code/,
    );
    const compiler = await reportsOf(off, readAsset);
    expect(culpritOf(compiler)).toMatch(/^only wasm differs/);
  });

  it('two alone have no culprit', async () => {
    const [toCpu] = await reportsOf(off, off);
    expect(culpritOf([toCpu!])).toBeNull();
  });
});

it('of a single episode that takes another course says nothing about the means', async () => {
  const wrong = changed('shaders/envs/cartpole.wgsl', 'p.gravity *', '1.5 * p.gravity *');
  const { episodes, step } = await parityWith(wrong, 1);
  expect(step.ok).toBe(false);
  expect(episodes.some(({ equal }) => equal < 1)).toBe(true);
  for (const { p, ok } of episodes) expect({ p, ok }).toEqual({ p: 1, ok: true });
});

it('does not take the start of threads, in the first long call, for the time of playing', async () => {
  const backend = openCpuBackend({ threads: 1 });
  const play = backend.play.bind(backend);
  let calls = 0;
  vi.spyOn(backend, 'play').mockImplementation(async (...given) => {
    // The first call is short: it compiles.
    calls += 1;
    return { ...(await play(...given)), seconds: calls === 2 ? 100 : 1e-6 };
  });
  const sizes = { seed: 9, transitions: 8, episodes: 512, maxSeconds: 60, maxSteps: 5 };
  const request = { env: cartpole, policy: linear.build(cartpole, {}), reference: cpu, other: backend, ...sizes };
  const { episodes } = await compareBackends(request);
  await backend.close();
  expect(episodes.map((one) => one.episodes)).toEqual([512, 512, 512, 512]);
});

describe('parity finds', () => {
  const env = `shaders/envs/${cartpole.folder}.wgsl`;

  it('a constant that is off by two per cent', async () => {
    const report = await parityWith(changed(env, 'p.gravity * sincos.x', 'p.gravity * 1.02 * sincos.x'));
    expect(report.step.ok).toBe(false);
    expect(report.step.worst?.entry).toMatch(/theta_dot/);
    expect(report.ok).toBe(false);
  });

  it('a start state that is off by one unit in the last place', async () => {
    const off = 'EnvState(s.x, s.y, bitcast<f32>(bitcast<u32>(s.z) + 1u), s.w)';
    const report = await parityWith(changed(env, 'EnvState(s.x, s.y, s.z, s.w)', off));
    expect(report.start).toMatchObject({ seeds: 512, different: 512, ok: false });
    const { expected, got } = report.start.first!;
    expect(report.start.first).toMatchObject({ seed: 9, entry: 'theta' });
    expect(Math.abs(got / Math.fround(expected) - 1)).toBeCloseTo(2 ** -24, 7);
    expect(differenceOf(report)).toBe(
      `512 of 512 start states of ${report.other} differ from cpu in f32; the first with seed 9: theta is ${got}, and ` +
        `${Math.fround(expected)} on cpu`,
    );
  });

  it('a wrong termination', async () => {
    const report = await parityWith(
      changed(env, 'abs(next.theta) > p.angle_limit', 'abs(next.theta) > 2.0 * p.angle_limit'),
    );
    expect(report.step.terminatedDifferent).toBeGreaterThan(0);
    expect(report.step.ok).toBe(false);
    expect(report.episodes.some((e) => !e.ok)).toBe(true);
  });

  it('a policy that reads its parameters in another order', async () => {
    const report = await parityWith(
      changed('shaders/policies/linear.wgsl', 'offset + i]', 'offset + (i + 1u) % PARAM_COUNT]'),
      512,
    );
    expect(report.start.ok && report.step.ok).toBe(true);
    expect(report.ok).toBe(false);
  });

  it('a step that gives NaN', async () => {
    const report = await parityWith(
      changed(env, 'return Transition(next, select(', 'return Transition(next, sqrt(-1.0 - abs(s.x)) + select('),
    );
    expect(report.step.maxError).toBe(Number.POSITIVE_INFINITY);
    expect(report.step.worst?.entry).toBe('reward');
  });
});

describe.skipIf(!hasAdapter)('r2po parity', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'r2po-shaders-'));
    cpSync(assetPath('shaders'), folder, { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const small = ['--transitions', '300', '--episodes', '200', '--json', '--quiet'];

  it('exits 0 with a document when all checks pass', async () => {
    const result = await runCli(['parity', 'FrozenLake-v1', ...small]);
    expect(result.stderr).toBe('');
    expect(result.code).toBe(0);
    const document = JSON.parse(result.stdout);
    expect(document.ok).toBe(true);
    expect(document.reports[0].step.transitions).toBe(300);
    expect(document.reports[0].episodes[0].episodes).toBe(200);
  });

  it('exits 6 when a constant in a copy of the shaders is wrong, after printing the numbers', async () => {
    const path = join(folder, 'envs', 'cartpole.wgsl');
    writeFileSync(path, readFileSync(path, 'utf8').replace('p.gravity *', '1.001 * p.gravity *'));
    const result = await runHere(['parity', 'CartPole-v1', ...small, '--shaders', folder]);
    expect(result.code).toBe(6);
    expect(result.stderr).toMatch(
      /CartPole-v1, linear: wasm and webgpu agree with each other: the shaders differ from the float64 code/,
    );
    expect(result.stderr).toMatch(
      /CartPole-v1, linear: webgpu is out of tolerance: .*theta_dot is .* on cpu, after one step from state \[.*\], action \[[01]\]; error .*, tolerance/,
    );
    expect(JSON.parse(result.stdout).ok).toBe(false);
  });
});

const noAdapter = { VK_ICD_FILENAMES: '/nonexistent.json', VK_DRIVER_FILES: '/nonexistent.json', LD_LIBRARY_PATH: '' };

describe('r2po parity of a shader that does not compile', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'r2po-shaders-'));
    cpSync(assetPath('shaders'), folder, { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function parityOf(statement: string, options: { env?: Record<string, string> } = {}, others = ['Nim-v0']) {
    const path = join(folder, 'envs', 'cliffwalking.wgsl');
    const text = readFileSync(path, 'utf8');
    expect(text).toMatch(/fn env_step.*\{\n/);
    writeFileSync(path, text.replace(/fn env_step.*\{\n/, `$&  ${statement}\n`));
    const small = ['--transitions', '50', '--episodes', '20', '--json', '--quiet'];
    const play = options.env ? runCli : runHere;
    const result = await play(['parity', 'CliffWalking-v1', ...others, '--shaders', folder, ...small], options);
    return { ...result, document: JSON.parse(result.stdout) };
  }
  const comparedIn = (document: { reports: readonly ParityReport[] }, env: string) =>
    document.reports.filter((report) => report.env === env).map(({ other }) => other);

  it.skipIf(!hasAdapter)('here, on WebAssembly, compares the others', async () => {
    const { code, stderr, document } = await parityOf('let m = pack2x16float(vec2f());');
    expect(comparedIn(document, 'CliffWalking-v1')).toEqual(['webgpu']);
    expect(comparedIn(document, 'Nim-v0')).toContain('wasm');
    const reason = expect.stringMatching(
      /^CliffWalking-v1: shaders.envs.cliffwalking\.wgsl:\d+:\d+: expected .*"pack2x16float"/,
    );
    expect(document.left_out).toContainEqual({ backend: 'wasm', reason });
    expect(stderr).toMatch(/warning: \[parity\] the comparison of wasm is left out: CliffWalking-v1: .*pack2x16float/);
    expect({ ok: document.ok, code }).toEqual({ ok: true, code: 0 });
  });

  it('here, without an adapter, is not compared', async () => {
    const { code, stderr, document } = await parityOf('let m = pack2x16float(vec2f());', { env: noAdapter });
    expect(comparedIn(document, 'CliffWalking-v1')).toEqual([]);
    expect(comparedIn(document, 'Nim-v0')).toEqual(['wasm']);
    expect(document.left_out).toContainEqual({ backend: 'wasm', reason: expect.stringMatching(/"pack2x16float"/) });
    expect(stderr).toMatch(/warning: \[parity\] the comparison of wasm is left out: CliffWalking-v1: .*pack2x16float/);
    expect({ ok: document.ok, code }).toEqual({ ok: true, code: 0 });
  });

  it('here, without an adapter and another environment, ends in an error: nothing is compared', async () => {
    const { code, stderr, document } = await parityOf('let m = pack2x16float(vec2f());', { env: noAdapter }, []);
    expect(document).toMatchObject({ reports: [], ok: false });
    expect(stderr).toMatch(/\[parity\] expected a comparison, got none that could be made:\n +wasm: .*"pack2x16float"/);
    expect(code).toBe(1);
  });

  it('anywhere compares the other environments, and fails with the places', async () => {
    const { code, stderr, document } = await parityOf('let m = nobody;');
    expect(comparedIn(document, 'CliffWalking-v1')).toEqual([]);
    expect(comparedIn(document, 'Nim-v0')).toContain('wasm');
    expect(stderr).toMatch(
      /\[parity\] expected shaders that compile, got errors; mend them:\n(.*\n)*.*cliffwalking\.wgsl:\d+/,
    );
    expect({ ok: document.ok, code }).toEqual({ ok: false, code: 1 });
  });
});

describe('r2po parity without an adapter', () => {
  it('compares the shaders on WebAssembly and names the skipped checks', async () => {
    const result = await runCli(['parity', 'CliffWalking-v1', '--json', '--episodes', '300'], { env: noAdapter });
    expect(result.stderr).toMatch(
      /warning: \[parity\] the comparison of webgpu is left out: expected a WebGPU adapter, found none: .*"r2po doctor".*--backend cpu/,
    );
    const { adapter, problems, reports, left_out: leftOut } = JSON.parse(result.stdout);
    expect(leftOut).toContainEqual({ backend: 'webgpu', reason: expect.stringMatching(/^expected a WebGPU adapter/) });
    expect({ adapter, problems, code: result.code }).toEqual({ adapter: null, problems: [], code: 0 });
    const [{ other, step, start }] = reports;
    expect({ other, start }).toEqual({ other: 'wasm', start: { seeds: 4096, different: 0, first: null, ok: true } });
    expect(step.maxError).toBe(0);
  });

  it('exits 3 when an adapter is named', async () => {
    const result = await runCli(['parity', '--adapter', 'geforce'], { env: noAdapter });
    expect(result.stderr).toMatch(/expected a WebGPU adapter, found none/);
    expect(result.code).toBe(3);
  });
});
