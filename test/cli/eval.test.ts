/** `r2po eval`, `probe` and `doctor` as a user calls them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assetPath } from '../../src/base/node/assets.ts';
import { runCli } from '../support/cli.ts';
import { hasAdapter } from '../support/gpu.ts';
import { runHere } from '../support/in-process.ts';

interface GoldenEpisode {
  readonly seed: number;
  readonly policy: { readonly kind: string; readonly params: number[] };
  readonly length: number;
  readonly total_reward: number;
  readonly terminated: boolean;
}
const golden = JSON.parse(readFileSync(assetPath('test/golden/CartPole-v1.json'), 'utf8')) as {
  episodes: GoldenEpisode[];
  single_step: { s: number[]; a: number; ns: number[]; o: number[]; r: number; term: boolean }[];
};

const noAdapter = { VK_ICD_FILENAMES: '/nonexistent.json', VK_DRIVER_FILES: '/nonexistent.json', LD_LIBRARY_PATH: '' };

let folder: string;
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'r2po-eval-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const evalArgs = ['eval', '--env', 'CartPole-v1', '--backend', 'cpu'];

describe('r2po eval', () => {
  it.each(golden.episodes.map((episode) => ({ episode, seed: episode.seed })))(
    'returns what the original returned for seed $seed',
    async ({ episode }) => {
      const policy = JSON.stringify({ kind: episode.policy.kind, params: episode.policy.params });
      const args = [...evalArgs, '--policy', '-', '--episodes', '1', '--seed', String(episode.seed), '--json'];
      const { code, stdout, stderr } = await runHere(args, { input: policy });
      expect(stderr).toBe('');
      expect(code).toBe(0);
      const document = JSON.parse(stdout);
      expect(document.mean).toBe(episode.total_reward);
      expect(document.length.max).toBe(episode.length);
      expect(document.ends.terminated).toBe(episode.terminated ? 1 : 0);
      expect(document.ends.truncated).toBe(episode.terminated ? 0 : 1);
    },
  );

  it('prints the documented fields, in one document', async () => {
    const path = file('good.json', JSON.stringify({ kind: 'linear', params: golden.episodes[4]!.policy.params }));
    const { stdout } = await runCli([...evalArgs, '--policy', path, '--episodes', '30', '--seed', '17', '--json']);
    const document = JSON.parse(stdout);
    expect(Object.keys(document)).toEqual([
      ...['env', 'env_options', 'policy', 'backend', 'adapter', 'episodes', 'seed', 'mean', 'std', 'stderr', 'ci95'],
      ...[
        'min',
        'max',
        'median',
        'quantiles',
        'success',
        'length',
        'ends',
        'median_episode',
        'steps',
        'wall_s',
        'steps_per_s',
      ],
    ]);
    expect(document).toMatchObject({ env: 'CartPole-v1', backend: 'cpu', adapter: null, episodes: 30, seed: 17 });
    expect(document.ends.terminated + document.ends.truncated + document.ends.capped).toBe(30);
  });

  it('writes every return and the median episode to files', async () => {
    const path = file('bad.json', JSON.stringify({ kind: 'linear', params: golden.episodes[8]!.policy.params }));
    const [returns, trajectory] = [join(folder, 'returns.csv'), join(folder, 'median.json')];
    const files = ['--returns', returns, '--trajectory', trajectory];
    const run = await runHere([...evalArgs, '--policy', path, '--episodes', '9', '--seed', '100', '--json', ...files]);
    expect(run.code).toBe(0);
    const document = JSON.parse(run.stdout);
    const lines = readFileSync(returns, 'utf8').trim().split('\n');
    expect(lines[0]).toBe('index,seed,return,length,end');
    expect(lines).toHaveLength(10);
    expect(lines[4]).toMatch(/^3,103,\d+,\d+,terminated$/);
    const trace = JSON.parse(readFileSync(trajectory, 'utf8'));
    expect(Object.keys(trace)).toEqual(['env', 'seed', 'return', 'length', 'end', 'steps']);
    expect(trace.seed).toBe(document.median_episode.seed);
    expect(trace.return).toBe(document.median_episode.return);
    expect(trace.steps).toHaveLength(trace.length);
    expect(Object.keys(trace.steps[0])).toEqual(['state', 'obs', 'action', 'reward']);
  });

  it('counts episodes that --max-steps stopped as capped', async () => {
    const path = file('good.json', JSON.stringify({ kind: 'linear', params: golden.episodes[0]!.policy.params }));
    const args = [...evalArgs, '--policy', path, '--episodes', '3', '--max-steps', '40', '--json'];
    expect(JSON.parse((await runHere(args)).stdout).ends).toEqual({ terminated: 0, truncated: 0, capped: 3 });
  });

  it('prints the program of the GPU without playing', async () => {
    const path = file('good.json', JSON.stringify({ kind: 'linear', params: golden.episodes[0]!.policy.params }));
    const { stdout, code } = await runHere(['eval', '--env', 'CartPole-v1', '--policy', path, '--dump-wgsl', '-']);
    expect(code).toBe(0);
    expect(stdout).toContain('fn env_step(');
    expect(stdout).toContain('(*memory).weights[4]');
  });

  it.each([
    [
      'an unknown environment',
      ['--env', 'CartPol-v1'],
      '{}',
      /unknown environment "CartPol-v1"; did you mean "CartPole-v1"\?/,
    ],
    ['a policy that is no JSON', [], '{"kind": "linear",\n "params": [1,}', /<stdin>.*2:\d+/],
    ['a wrong number of parameters', [], '{"kind":"linear","params":[1,2,3]}', /expected 10 params .* got 3/],
    [
      'a parameter that is no number',
      [],
      '{"kind":"linear","params":[1,2,3,4,5,6,7,8,9,null]}',
      /params\[9\], got null/,
    ],
    ['a parameter beyond f32', [], '{"kind":"linear","params":[1,2,3,4,5,6,7,8,9,1e99]}', /finite number.*params\[9\]/],
    [
      'an unknown policy kind',
      [],
      '{"kind":"linaer","params":[]}',
      /unknown policy kind "linaer"; did you mean "linear"\?/,
    ],
    [
      'a seed out of range',
      ['--seed', '9007199254740990', '--episodes', '5'],
      '{"kind":"linear","params":[1,2,3,4,5,6,7,8,9,0]}',
      /expected episode seeds in 0 \.\.\. 9007199254740991/,
    ],
    ['a seed that is no number', ['--seed', '-1'], '{}', /--seed\] expected a whole number in 0/],
    ['no episodes', ['--episodes', '0'], '{}', /--episodes\] expected a whole number in 1/],
  ])('refuses %s with exit code 2', async (_what, more, input, message) => {
    const { code, stdout, stderr } = await runHere([...evalArgs, '--policy', '-', ...more], { input });
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it('refuses a missing policy file and an unwritable output file', async () => {
    const missing = await runHere([...evalArgs, '--policy', join(folder, 'none.json')]);
    expect(missing.stderr).toMatch(/none\.json".*file not found/);
    expect(missing.code).toBe(2);
    const path = file('good.json', JSON.stringify({ kind: 'linear', params: golden.episodes[0]!.policy.params }));
    const unwritable = await runHere([...evalArgs, '--policy', path, '--returns', join(folder, 'no', 'dir.csv')]);
    expect(unwritable.stderr).toMatch(/cannot write .*dir\.csv/);
    expect(unwritable.code).toBe(2);
  });

  it('uses the cpu with a note if auto finds no adapter, and exits 3 with --backend webgpu', async () => {
    const input = JSON.stringify({ kind: 'linear', params: golden.episodes[0]!.policy.params });
    const args = ['eval', '--env', 'CartPole-v1', '--policy', '-', '--episodes', '2', '--json'];
    const auto = await runCli(args, { input, env: noAdapter });
    // Dawn itself may say before that it found no Vulkan library.
    expect(auto.stderr).toMatch(/backend: cpu \(no WebGPU adapter\)\n$/);
    expect(JSON.parse(auto.stdout).backend).toBe('cpu');
    const asked = await runCli([...args, '--backend', 'webgpu'], { input, env: noAdapter });
    expect(asked.stderr).toMatch(/expected a WebGPU adapter, found none/);
    expect(asked.code).toBe(3);
  });

  it.skipIf(!hasAdapter)('plays on webgpu when asked, and names the adapter', async () => {
    const input = JSON.stringify({ kind: 'linear', params: golden.episodes[8]!.policy.params });
    const args = ['eval', '--env', 'CartPole-v1', '--policy', '-', '--seed', '8', '--episodes', '1', '--json'];
    const { stdout, stderr, code } = await runCli([...args, '--backend', 'webgpu'], { input });
    expect(code).toBe(0);
    expect(stderr).toMatch(/^backend: webgpu on /);
    expect(JSON.parse(stdout)).toMatchObject({ backend: 'webgpu', mean: golden.episodes[8]!.total_reward });
  });
});

describe('r2po probe', () => {
  const probe = (input: unknown, ...more: string[]) =>
    runHere(['probe', '--env', 'CartPole-v1', '--in', '-', ...more], { input: JSON.stringify(input) });

  it('reproduces the recorded steps of the original exactly', async () => {
    const inputs = golden.single_step.map(({ s, a }) => ({ state: s, action: [a] }));
    const { stdout, code } = await probe(inputs, '--json');
    expect(code).toBe(0);
    const expected = golden.single_step.map(({ ns, o, r, term }) => ({
      state: ns,
      obs: o,
      reward: r,
      terminated: term,
    }));
    expect(JSON.parse(stdout)).toEqual(expected);
  });

  it.each([
    [{ state: [0, 0, 0, 0] }, /expected a list of \{ "state", "action" \} at the top/],
    [[{ state: [0, 0, 0], action: [0] }], /expected a list of 4 finite numbers at \[0\]\.state/],
    [
      [
        { state: [0, 0, 0, 0], action: [0] },
        { state: [0, 0, 0, 0], action: [2] },
      ],
      /expected an action in 0 \.\.\. 1, got 2 in entry 1/,
    ],
    [[{ state: [0, 0, 0, 0], action: [0], draw: [] }], /only the keys "state", "action", "draws" at \[0\], got "draw"/],
    [[{ state: [0, 0, 0, 0], action: [0], draws: [0.5] }], /expected at most 0 draws, got 1 in entry 0/],
  ])('refuses %j with exit code 2', async (input, message) => {
    const { code, stderr } = await probe(input);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  it.each([
    [[], [1e300, 0, 0, 1e300], 'expected finite numbers after the step of entry 1, got NaN as x_dot; give smaller'],
    [
      [],
      [1e300, 0, 0, 0],
      'expected finite numbers after the step of entry 1, got Infinity as observed x; give smaller',
    ],
    [['--backend', 'wasm'], [1e39, 0, 0, 0], 'expected finite numbers (in f32), got 1e+39 in entry 1'],
  ])('%j from %j names what overflowed, exit 2', async (options, state, message) => {
    const inputs = [
      { state: [0, 0, 0, 0], action: [1] },
      { state, action: [1] },
    ];
    const { code, stdout, stderr } = await probe(inputs, ...options);
    expect(stderr).toContain(message);
    expect([code, stdout]).toEqual([2, '']);
  });
});

describe('r2po doctor', () => {
  it('goes on in an engine without WebAssembly, in which Node sends no request', async () => {
    const { code, stdout } = await runCli(['doctor', '--json'], { nodeArgs: ['--jitless'], env: noAdapter });
    expect(code).toBe(0);
    const { findings } = JSON.parse(stdout) as { findings: { topic: string; found: string }[] };
    expect(findings).toContainEqual(expect.objectContaining({ topic: 'model ollama/...', found: 'not asked' }));
    expect(findings).toContainEqual(expect.objectContaining({ topic: '--backend auto', found: 'cpu' }));
  });

  it('lists every component with its status and advice', async () => {
    const { code, stdout } = await runHere(['doctor', '--json'], {
      env: { ...noAdapter, OPENAI_API_KEY: 'sk-test-secret', ANTHROPIC_API_KEY: undefined, OLLAMA_HOST: '127.0.0.1:9' },
    });
    expect(code).toBe(0);
    expect(stdout).not.toContain('sk-test-secret');
    const { findings } = JSON.parse(stdout) as {
      findings: { topic: string; status: string; found: string; advice: string | null }[];
    };
    const of = (topic: string) => findings.find((f) => f.topic === topic);
    expect(of('WebGPU adapter')).toMatchObject({ status: 'missing', found: 'none' });
    expect(of('WebGPU adapter')?.advice).toMatch(/Vulkan/);
    expect(of('--backend auto')?.found).toBe('wasm for searches that are long enough, else cpu');
    expect(of('wasm backend')).toMatchObject({ status: 'ok', advice: null });
    expect(of('model openai/...')).toMatchObject({ status: 'ok', found: 'OPENAI_API_KEY is set', advice: null });
    expect(of('model anthropic/...')?.advice).toMatch(/set ANTHROPIC_API_KEY/);
    expect(of('model ollama/...')?.found).toBe('no answer at http://127.0.0.1:9');
  });

  it.skipIf(!hasAdapter)('names the adapter', async () => {
    const { stdout } = await runHere(['doctor']);
    expect(stdout).toMatch(/WebGPU adapter +\S+/);
    expect(stdout).toContain('offline');
  });
});
