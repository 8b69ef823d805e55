/** Environments from the user's own files: the tutorial works as it is printed, and mistakes are named. */

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { checkEnvironment } from '../../src/checks/conformance.ts';
import { describeEnvironment } from '../../src/envs/node/description.ts';
import { loadEnv } from '../../src/envs/node/load.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { WorkerPool } from '../../src/rollout/cpu/node/pool.ts';
import { mainFile } from '../support/cli.ts';
import { hasAdapter } from '../support/gpu.ts';
import { runCommand, runHere } from '../support/in-process.ts';
import { blocks, writeTutorial } from '../support/tutorial.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'r2po-tutorial-'));
  writeTutorial(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A copy of the tutorial's folder with one text replaced; returns its path. */
function changed(name: string, file: string, from: string, to: string): string {
  const copy = join(folder, name);
  cpSync(join(folder, 'docking'), copy, { recursive: true });
  const text = readFileSync(join(copy, file), 'utf8');
  expect(text).toContain(from);
  writeFileSync(join(copy, file), text.replace(from, to));
  return copy;
}

const policy = '{ "kind": "linear", "params": [-1, -1.2, 0] }';
const evalOf = (env: string, ...rest: string[]) =>
  runHere(['eval', '--env', env, '--policy', '-', '--json', '--quiet', ...rest], { input: policy });

describe('the tutorial of docs/own-environment.md', () => {
  it('needs the module, the shader, the description and a configuration, and nothing else', () => {
    expect(blocks(/\//).map(({ name }) => name)).toEqual([
      'docking/index.js',
      'docking/docking.wgsl',
      'docking/prompt.md',
      'docking/r2po.yaml',
    ]);
  });

  it.each(
    blocks(/^sh$/)
      .map(({ text }) => text.trim())
      .filter((text) => hasAdapter || !text.includes('parity')),
  )('runs: %s', async (command) => {
    // The text says what a reader types; a software adapter plays its episodes for half a minute.
    const short = command.replace('r2po parity', 'r2po parity --max-seconds 0.1 --transitions 500');
    const script = `set -eo pipefail; r2po() { "${process.execPath}" "${mainFile}" "$@"; }; ${short}`;
    const { stdout } = await promisify(execFile)('bash', ['-c', script], { cwd: folder, timeout: 60_000 });
    expect(stdout).not.toBe('');
  });

  it('is an environment that keeps its promises and that a search solves', async () => {
    const env = await loadEnv(join(folder, 'docking'));
    const cpu = openCpuBackend({ threads: 1 });
    expect(await checkEnvironment(env, cpu, describeEnvironment)).toEqual([]);
    // On the cpu: the command of the tutorial, above, takes the adapter.
    const args = ['run', 'docking/r2po.yaml', '--name', 'again', '--backend', 'cpu', '--json', '--quiet'];
    const { stdout } = await runHere(args, { cwd: folder });
    const summary = JSON.parse(stdout);
    expect(summary.env).toBe('Docking-v0');
    expect(summary.best.rechecked.mean).toBeGreaterThan(env.success.threshold);
    const run = join(folder, 'runs', 'again');
    const replayed = await runHere(['replay', run, '--trust-env', join(folder, 'docking'), '--quiet']);
    expect(replayed.code).toBe(0);
  });

  it('plays the same on worker threads as on one', async () => {
    const env = await loadEnv(join(folder, 'docking'));
    const { buildPolicy } = await import('../../src/policies/index.ts');
    const params = Float64Array.of(-1, -1.2, 0);
    const job = {
      env,
      policy: buildPolicy('linear', env),
      candidates: [params],
      episodes: 5000,
      seed: 3,
      maxSteps: null,
    };
    const [one, two] = [openCpuBackend({ threads: 1 }), openCpuBackend({ threads: 2 })];
    const a = await one.play(job);
    const pooled = vi.spyOn(WorkerPool.prototype, 'run');
    const b = await two.play(job);
    expect(pooled).toHaveBeenCalledOnce();
    pooled.mockRestore();
    await two.close();
    expect(Array.from(b.returns)).toEqual(Array.from(a.returns));
  });
});

describe('a module that changes while a process has it loaded', () => {
  it('is refused by workers that start later, and when it is loaded again', async () => {
    const copy = changed('edited', 'index.js', 'value: 1.5', 'value: 1.4');
    const env = await loadEnv(copy);
    const { buildPolicy } = await import('../../src/policies/index.ts');
    const job = { env, policy: buildPolicy('linear', env), candidates: [Float64Array.of(-1, -1.2, 0)], seed: 3 };
    const text = readFileSync(join(copy, 'index.js'), 'utf8');
    writeFileSync(join(copy, 'index.js'), text.replace('value: 1.4', 'value: 0.4'));
    const cpu = openCpuBackend({ threads: 2 });
    expect((await cpu.play({ ...job, episodes: 20, maxSteps: null })).returns).toHaveLength(20);
    const message = /\[Docking-v0\] expected ".*edited.index\.js" as it was loaded, got it changed; start again/;
    await expect(cpu.play({ ...job, episodes: 5000, maxSteps: null })).rejects.toThrow(message);
    await cpu.close();
    await expect(loadEnv(copy)).rejects.toThrow(/as it was imported first, got it changed; start again/);
  });
});

/** A module of the tutorial whose push is an option that it does not repeat; returns its path. */
function withPushOption(name: string): string {
  const copy = changed(name, 'index.js', 'export default defineEnv({', 'const make = (push) => defineEnv({');
  const file = join(copy, 'index.js');
  const text = readFileSync(file, 'utf8')
    .replace('value: 1.5', 'value: push')
    .replace(
      '  dynamics,\n});',
      '  dynamics,\n  withOptions: (o) => make(o.push ?? 1.5),\n});\nexport default make(1.5);',
    );
  writeFileSync(file, text);
  return copy;
}

describe('a policy file that names an environment of one’s own', () => {
  it('means a path that is relative to the file', async () => {
    const path = join(folder, 'policies', 'dock.json');
    mkdirSync(join(folder, 'policies'));
    writeFileSync(path, JSON.stringify({ ...JSON.parse(policy), env: '../docking' }));
    const env = join(folder, 'docking');
    for (const given of [
      ['--policy', path],
      ['--policies', join(folder, 'policies')],
      ['--policy', path, '--env', env],
    ]) {
      const { code, stdout, stderr } = await runHere(['eval', ...given, '--trust-env', env, '--json', '--quiet']);
      expect(code, stderr).toBe(0);
      expect(JSON.parse(stdout).env).toBe('Docking-v0');
    }
    writeFileSync(path, JSON.stringify({ ...JSON.parse(policy), env: '../nowhere' }));
    const { code, stderr } = await runCommand('eval', '--policy', path);
    expect(stderr).toContain(`[policy] ${path}: expected`);
    expect(stderr).toContain(join(folder, 'nowhere'));
    expect(code).toBe(2);
  });
});

describe('options of an environment of one’s own', () => {
  it('are in its documents and play on worker threads, also where the module does not repeat them', async () => {
    const copy = withPushOption('options');
    const meanOf = async (...rest: string[]) => {
      const { code, stdout, stderr } = await evalOf(copy, '--backend', 'cpu', '--env-option', 'push=0.3', ...rest);
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout);
    };
    const [few, many] = [await meanOf('--episodes', '300'), await meanOf('--episodes', '30000')];
    expect(few.env_options).toEqual({ push: 0.3 });
    expect(many.mean).toBeCloseTo(few.mean, 0);
  });

  it('are listed with the step limit, which every environment takes', async () => {
    const copy = withPushOption('options-listed');
    const file = join(copy, 'index.js');
    writeFileSync(file, readFileSync(file, 'utf8').replace('  dynamics,', '  options: { push },\n  dynamics,'));
    const [listed] = JSON.parse((await runHere(['list', 'envs', copy, '--json'])).stdout);
    expect(listed.options).toEqual({ push: 1.5, max_episode_steps: 300 });
    const { stdout } = await runHere(['list', 'envs', copy]);
    expect(stdout).toMatch(/^option\s+push\s+1\.5\s+what the environment itself takes$/m);
    expect(stdout).toMatch(/^option\s+max_episode_steps\s+300\s+steps after which an episode is truncated; a whole/m);
  });

  it('replace one another, and keep the module', async () => {
    const env = await loadEnv(withPushOption('options-twice'));
    const once = env.withOptions!({ push: 0.3 });
    const twice = once.withOptions!({ push: 0.4 });
    expect(twice).toMatchObject({ module: env.module, options: { push: 0.4 }, params: { push: 0.4 } });
    expect(env.options).toEqual({});
  });
});

describe('a step that sets its outcome only where something happens', () => {
  it('plays and probes as one that always sets it', async () => {
    const outcome = [
      '    out.reward = (docked ? p.bonus : lost ? -p.bonus : 0) - Math.abs(position) * p.timeStep;',
      '    out.terminated = docked || lost;',
    ].join('\n');
    const whole = changed('whole', 'index.js', outcome, outcome.replace(' - Math.abs(position) * p.timeStep', ''));
    const rare = changed(
      'rare',
      'index.js',
      outcome,
      'if (docked || lost) Object.assign(out, { reward: docked ? p.bonus : -p.bonus, terminated: true });',
    );
    const docking = [-0.01, 0.05];
    const states = [docking, [-1.5, 0.4], docking, [1, 0]].map((state) => ({ state, action: [0] }));
    const played = async (copy: string) => {
      const { stdout } = await evalOf(copy, '--backend', 'cpu');
      const probed = await runHere(['probe', '--env', copy, '--in', '-'], { input: JSON.stringify(states) });
      const { mean, std, length, ends } = JSON.parse(stdout);
      return { mean, std, length, ends, probed: JSON.parse(probed.stdout) };
    };
    const wanted = await played(whole);
    expect(wanted.length.min).toBeGreaterThan(1);
    expect(wanted.probed.map(({ terminated }: { terminated: boolean }) => terminated)).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(await played(rare)).toEqual(wanted);
    const cpu = openCpuBackend({ threads: 1 });
    expect(await checkEnvironment(await loadEnv(rare), cpu, describeEnvironment)).toEqual([]);
  });
});

describe('an environment in TypeScript', () => {
  it('is read as it is', async () => {
    const copy = changed(
      'typed',
      'index.js',
      'reset(p, rng, state) {',
      'reset(p: any, rng: any, state: Float64Array): void {',
    );
    cpSync(join(copy, 'index.js'), join(copy, 'index.ts'));
    rmSync(join(copy, 'index.js'));
    const [js, ts] = [await evalOf(join(folder, 'docking')), await evalOf(copy)];
    expect(ts.code, ts.stderr).toBe(0);
    expect(JSON.parse(ts.stdout).mean).toBe(JSON.parse(js.stdout).mean);
  });
});

describe('a mistake in an environment of one’s own', () => {
  it.each([
    ['missing', 'export default', 'const unused =', /exports nothing|expected .* to export one environment/],
    ['syntax', 'const source =', 'const const =', /cannot use the environment's module ".*index\.js"/],
    ['typo', 'timeLimit: 300', 'timeLimits: 300', /\[Docking-v0\].*(timeLimit|timeLimits)/],
    ['bounds', 'low: -3, high: 3', 'low: 3, high: -3', /expected a row with low below high at state\.0/],
    ['reserved', '    bonus: {', '    target: {', /expected a name that WGSL does not reserve, got "target"/],
    ['reserved-row', "name: 'velocity'", "name: 'filter'", /expected a name that WGSL does not reserve, got "filter"/],
    ['unnameable', '    bonus: {', "    'bo-nus': {", /expected names of letters, digits and _.* got "bo-nus"/],
    [
      'unbounded',
      "to larger positions', unit: '1', low: -1",
      "to larger positions', unit: '1', low: -Infinity",
      /expected a row with bounds that are finite in f32, as actions are clipped to them at action\.rows\.0/,
    ],
    [
      'same-rows',
      'state: [position, velocity]',
      'state: [position, position]',
      /expected names of different fields in WGSL, got "position" and "position"/,
    ],
    [
      'same-memory',
      'state: [position, velocity]',
      'state: [position, velocity], memory: [velocity]',
      /got "velocity" and "velocity", both "velocity"; rename one/,
    ],
    ['same-constants', '    bonus: {', '    time_step: {', /got "timeStep" and "time_step", both "time_step"/],
    ['no-build', 'timeLimit: 300', 'options: { level: 2 }, timeLimit: 300', /expected "withOptions" beside .* level/],
    [
      'folder',
      "folder: 'docking'",
      "folder: 'My Docking'",
      /expected a name of small letters.* at folder, got "My Docking"/,
    ],
    [
      'returns',
      'returnRange: [-',
      'returnRange: [Infinity, -',
      /expected the smallest and the largest return at returnRange, got \["Infinity",-/,
    ],
    ['no-step', '  step(', '  steps(', /expected a function at dynamics\.step, got nothing/],
    ['taken', "id: 'Docking-v0'", "id: 'CartPole-v1'", /expected an id of its own in .*"CartPole-v1"/],
  ])('%s: is named with its file, exit 2', async (name, from, to, message) => {
    const { code, stderr, stdout } = await evalOf(changed(name, 'index.js', from, to));
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it('is named where an episode is another one when it is played again', async () => {
    const copy = changed('chance', 'index.js', 'const thrust = ', 'state[0] += Math.random() / 10; const thrust = ');
    const { code, stderr } = await evalOf(copy, '--backend', 'cpu', '--trajectory', join(folder, 'chance.json'));
    expect(stderr).toContain('; Docking-v0 depends on more than the seed and the actions, see "r2po parity"');
    expect(code).toBe(1);
  });

  it('says that nothing is there, or what a folder should hold', async () => {
    expect((await evalOf('./nowhere/env.js')).stderr).toMatch(
      /expected an environment's module at ".\/nowhere\/env.js"/,
    );
    mkdirSync(join(folder, 'empty'));
    expect((await evalOf(join(folder, 'empty'))).stderr).toMatch(/expected one of index\.ts, index\.js, index\.mjs/);
  });

  it('is told how to write a path without a dot', async () => {
    const { code, stderr } = await runHere(['eval', '--env', 'nested/docking', '--policy', '-'], { cwd: folder });
    expect(stderr).toContain('unknown environment "nested/docking"');
    cpSync(join(folder, 'docking'), join(folder, 'nested', 'docking'), { recursive: true });
    const there = await runHere(['parity', '--env', 'nested/docking'], { cwd: folder });
    expect(there.stderr).toContain(
      'expected the name of an environment or a path, got "nested/docking"; write ./nested/docking',
    );
    expect([code, there.code]).toEqual([2, 2]);
  });

  it('is told to write ./ before the name of a folder in a configuration', async () => {
    const { code, stderr } = await runHere(['run', 'cartpole/r2po', 'env=docking', '--dry-run'], { cwd: folder });
    expect(stderr).toContain(
      'env=docking): expected the name of an environment or a path, got "docking"; write ./docking',
    );
    expect(code).toBe(2);
    writeFileSync(join(folder, 'name.yaml'), 'env: docking\nmethod: r2po\npolicy: { kind: linear }\n');
    const file = await runHere(['run', 'name.yaml', '--dry-run'], { cwd: folder });
    expect(file.stderr).toMatch(/\[config\] name\.yaml:1:6: expected .* write \.\/docking/);
  });

  it('names key and file in a configuration', async () => {
    writeFileSync(join(folder, 'bad.yaml'), 'env: ./nowhere\nmethod: r2po\npolicy: { kind: linear }\n');
    const { code, stderr } = await runHere(['run', 'bad.yaml'], { cwd: folder });
    expect(stderr).toMatch(/\[config\] bad\.yaml:1:6: expected an environment's module at ".*nowhere"/);
    expect(code).toBe(2);
  });

  it.skipIf(!hasAdapter)('shows what the shader compiler says with the file and line of the shader', async () => {
    const copy = changed('compiler', 'docking.wgsl', 'let docked = abs(position)', 'let docked = abs(positoin)');
    const { code, stderr } = await evalOf(copy, '--backend', 'webgpu');
    expect(stderr).toMatch(/compiler\/docking\.wgsl:13:20 .*positoin/);
    expect(code).toBe(1);
  });

  it('plays a shader with a byte order mark and the line ends of Windows as another', async () => {
    const copy = changed('windows', 'docking.wgsl', 'let docked', 'let docked');
    const path = join(copy, 'docking.wgsl');
    writeFileSync(path, `\uFEFF${readFileSync(path, 'utf8').replaceAll('\n', '\r\n')}`);
    const [own, other] = [
      await evalOf(copy, '--backend', 'wasm'),
      await evalOf(join(folder, 'docking'), '--backend', 'wasm'),
    ];
    expect([own.code, own.stderr]).toEqual([0, '']);
    const { mean } = JSON.parse(other.stdout);
    expect(JSON.parse(own.stdout)).toMatchObject({ backend: 'wasm', mean });
    expect(mean).toBeGreaterThan(0);
  });

  it('is none where a shader has what wasm does not read: the other backends are measured', async () => {
    const from = 'return EnvState(';
    const copy = changed('unread', 'docking.wgsl', from, `let m = pack2x16float(vec2f()); ${from}`);
    const sizes = ['--episodes', '5', '--repeats', '1', '--million-seconds', '0.1'];
    const { code, stdout, stderr } = await runCommand('bench', copy, ...sizes, '--json');
    expect(stderr).toMatch(/wasm skipped: .*docking\.wgsl:2:\d+: expected .*"pack2x16float"/);
    expect([code, stdout]).toEqual([0, expect.not.stringContaining('"wasm')]);
  });

  it.each(['wasm', ...(hasAdapter ? ['webgpu'] : [])])(
    'says on %s how a bound of a draw becomes an F64',
    async (backend) => {
      const copy = changed(`inexact-${backend}`, 'index.js', "['startLow', 'startHigh']", '[]');
      const { code, stderr } = await evalOf(copy, '--backend', backend);
      expect(stderr).toMatch(/docking\.wgsl:2:\d+:? .*F64.*f32.*; list the constant under "exact" in the environment/);
      expect(code).toBe(1);
    },
  );

  it.skipIf(!hasAdapter)('names the state and the entry where the two halves disagree', async () => {
    const copy = changed('halves', 'docking.wgsl', 'p.push * thrust', 'p.push * 1.1 * thrust');
    const { code, stderr } = await runHere([
      'parity',
      '--env',
      copy,
      '--episodes',
      '64',
      '--transitions',
      '500',
      '--quiet',
    ]);
    expect(stderr).toMatch(
      /Docking-v0, linear: webgpu is out of tolerance: (reward|velocity|observed velocity|position|observed position) is .* from state \[.*\], action \[.*\]/,
    );
    expect(code).toBe(6);
  });

  it.skipIf(!hasAdapter)('says which promise is broken', async () => {
    const copy = changed('promise', 'index.js', 'returnRange: [-55, 10]', 'returnRange: [-1, 10]');
    const { code, stderr } = await runHere(['parity', '--env', copy, '--quiet']);
    expect(stderr).toMatch(/Docking-v0: seed \d+: expected a return in -1 \.\.\. 10, got -/);
    expect(code).toBe(6);
  });
});
