/** Many policies from disk: folders with runs and files, and files with a policy per line. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/base/errors.ts';
import type { EnvOptions } from '../../src/envs/env.ts';
import type { GivenEnv } from '../../src/runs/folder/policy-env.ts';
import { loadPolicySet } from '../../src/runs/folder/policy-set.ts';
import { runCli } from '../support/cli.ts';
import { runCommand, runHere } from '../support/in-process.ts';

const given = (env: string | undefined, envOption: EnvOptions = {}): GivenEnv => ({ env, envOption });
const cartpole = given('CartPole-v1');
const params = [0.5, -1, 2, 3.25, -4, 5, 6, 7e-3, 8, -9];
const linear = (shift: number, more: object = {}) => ({
  kind: 'linear',
  params: params.map((p) => p + shift),
  ...more,
});
const line = (document: unknown): string => `${JSON.stringify(document)}\n`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'r2po-set-'));
});
afterEach(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
};
const readLines = (path: string): string[] => readFileSync(path, 'utf8').split('\n');
const names = ({ groups }: Awaited<ReturnType<typeof loadPolicySet>>) =>
  groups.map(({ members }) => members.map(({ name }) => name));

describe('a file with a policy per line', () => {
  it('is grouped by kind and options, with names or places', async () => {
    const path = file(
      'p.jsonl',
      [
        line(linear(0, { name: 'first' })),
        line({ kind: 'linear', params: params.slice(0, 8), options: { bias: false } }),
        '\r\n',
        line(linear(1, { options: { bias: true } })),
        line(linear(2, { name: 'first' })),
        JSON.stringify(linear(0, { name: 'again' })),
      ].join(''),
    );
    const set = await loadPolicySet(path, cartpole);
    expect(names(set)).toEqual([['first', `${path}:4`, `first (${path}:5)`], [`${path}:2`]]);
    expect(set.groups[0]!.policy.options).toEqual({ bias: true });
    expect(set.groups[0]!.members[1]!.params[0]).toBe(1.5);
    expect(set.groups[1]!.policy.paramCount).toBe(8);
    expect(set.duplicates).toEqual([{ name: 'again', of: 'first' }]);
  });

  it.each([
    ['a damaged line', '{"kind": "linear", "params": [1,\n', /p\.jsonl:2:33: expected JSON, got the end of the text/],
    [
      'a wrong number of parameters',
      line({ kind: 'linear', params: [1, 2] }),
      /p\.jsonl:2: expected 10 params .* got 2/,
    ],
    ['an unknown kind', line({ kind: 'linaer', params }), /p\.jsonl:2: unknown policy kind "linaer"; did you mean/],
    [
      'a number beyond f32',
      line({ kind: 'linear', params: params.with(3, 1e99) }),
      /p\.jsonl:2: expected a finite number/,
    ],
    ['a list', '[1]\n', /p\.jsonl:2: expected \{ "kind"/],
    ['an unknown environment', line(linear(3, { env: 'Pole-v1' })), /p\.jsonl:2: unknown environment "Pole-v1"/],
  ])('is refused for %s, with its line', async (_what, text, message) => {
    const path = file('p.jsonl', line(linear(0)) + text + line(linear(1)));
    await expect(loadPolicySet(path, cartpole)).rejects.toThrow(message);
    await expect(loadPolicySet(path, cartpole)).rejects.toThrow(UsageError);
  });

  it('is refused when it is empty, missing or no text', async () => {
    const empty = file('e.jsonl', '\n\n');
    await expect(loadPolicySet(empty, cartpole)).rejects.toThrow('expected policies of CartPole-v1');
    await expect(loadPolicySet(join(folder, 'no.jsonl'), cartpole)).rejects.toThrow('file not found');
    const binary = join(folder, 'b.jsonl');
    writeFileSync(binary, Uint8Array.of(...Buffer.from(line(linear(0))), 0xff, 0xfe));
    await expect(loadPolicySet(binary, cartpole)).rejects.toThrow('expected UTF-8 text');
  });

  it('is read or refused with its name, for any content', async () => {
    const value = fc.oneof(fc.constant('linear'), fc.jsonValue());
    const lines = fc.array(
      fc.oneof(
        fc.string(),
        fc.record({ kind: value, params: fc.oneof(fc.constant(params), fc.jsonValue()), name: value }).map(line),
      ),
      { maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(lines, async (texts) => {
        const path = file('any.jsonl', texts.join('\n'));
        try {
          expect((await loadPolicySet(path, cartpole)).groups.length).toBeGreaterThan(0);
        } catch (error) {
          if (!(error instanceof UsageError)) throw error;
          expect(error.message).toContain('any.jsonl');
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('a folder of policies', () => {
  const manifest = (env: string) =>
    JSON.stringify({
      ...{ schemaVersion: 1, status: 'finished', argv: [], created: '2026-01-01T00:00:00Z', config_hash: 'x', env },
      ...{ method: 'r2po', seed: 1, git: null, versions: { r2po: '0', node: '20', dawn: null }, backend: 'cpu' },
      ...{ adapter: null, model: 'offline', model_kind: 'offline', stopped: null },
    });
  const run = (name: string, env: string, best: unknown, options = ''): void => {
    file(`${name}/run.json`, manifest(env));
    file(
      `${name}/config.yaml`,
      `env: ${env}\nmethod: r2po\niterations: 3\npolicy: { kind: ${(best as { kind?: string } | null)?.kind ?? 'linear'} }\n${options}`,
    );
    if (best !== null) file(`${name}/best.json`, JSON.stringify(best));
    file(`${name}/summary.json`, '{}');
  };

  it('gives its policy files and the best policies of its runs; the rest is left out with the reason', async () => {
    run('runs/a', 'CartPole-v1', linear(1));
    run('runs/b', 'MountainCar-v0', { kind: 'linear', params: params.slice(0, 9) });
    run('runs/young', 'CartPole-v1', null);
    file('hand.json', JSON.stringify(linear(2)));
    file('twin.json', JSON.stringify(linear(1)));
    file('named.json', JSON.stringify(linear(3, { name: 'mine' })));
    file('notes.json', '{"text": 1}');
    file('readme.txt', 'no policy');
    symlinkSync(folder, join(folder, 'loop'));
    file('a/b/c/d/deep.json', JSON.stringify(linear(4)));
    const set = await loadPolicySet(folder, cartpole);
    expect(names(set)).toEqual([['hand', 'mine', 'runs/a']]);
    expect(set.duplicates).toEqual([{ name: 'twin', of: 'runs/a' }]);
    const reasons = set.leftOut.map(({ path, reason }) => [path, reason]);
    expect(reasons).toEqual([
      [join(folder, 'a', 'b', 'c'), expect.stringMatching(/^holds 1 folder that was not searched, more than 3 levels/)],
      [join(folder, 'notes.json'), expect.stringMatching(/unknown key "text"/)],
      [join(folder, 'runs', 'b'), 'it is a run of MountainCar-v0, not of CartPole-v1'],
      [join(folder, 'runs', 'young'), expect.stringMatching(/best\.json.*file not found/)],
    ]);
  });

  it('leaves out runs with other options of the environment', async () => {
    const small = { kind: 'tabular', params: Array(16).fill(2) };
    run('usual', 'FrozenLake-v1', small);
    run('dry', 'FrozenLake-v1', { ...small, params: Array(16).fill(1) }, 'env_options: { is_slippery: false }\n');
    const usual = await loadPolicySet(folder, given('FrozenLake-v1', { is_slippery: true }));
    expect(names(usual)).toEqual([['usual']]);
    expect(usual.leftOut[0]!.reason).toMatch(/its environment has the options .*"is_slippery":false/);
    expect(names(await loadPolicySet(folder, given(undefined, { is_slippery: false })))).toEqual([['dry']]);
    // Neither the options nor the environment may be guessed.
    await expect(loadPolicySet(folder, given('FrozenLake-v1'))).rejects.toThrow(
      /got FrozenLake-v1 .*"is_slippery":false.* and FrozenLake-v1 .*"is_slippery":true.*; choose one with --env-option/,
    );
    run('pole', 'CartPole-v1', linear(0));
    await expect(loadPolicySet(folder, given(undefined))).rejects.toThrow(/choose one with --env/);
  });

  it('brings its environment and options along', async () => {
    run(
      'dry',
      'FrozenLake-v1',
      { kind: 'tabular', params: Array(16).fill(1) },
      'env_options: { is_slippery: false }\n',
    );
    file('hand.json', JSON.stringify({ kind: 'tabular', params: Array(16).fill(2) }));
    file('other.json', JSON.stringify({ env: 'CliffWalking-v1', kind: 'tabular', params: Array(48).fill(2) }));
    const set = await loadPolicySet(folder, given('FrozenLake-v1'));
    expect(set.env.options).toEqual({ map: '4x4', is_slippery: false });
    expect(names(set)).toEqual([['dry', 'hand']]);
    expect(set.leftOut.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/other\.json: it is a policy of CliffWalking-v1, not of FrozenLake-v1/),
    ]);
  });

  it('leaves out policies whose environment cannot be opened', async () => {
    file('hand.json', JSON.stringify(linear(2, { env: 'CartPole-v1' })));
    file('unknown.json', JSON.stringify(linear(3, { env: 'CartPol-v1' })));
    file('options.json', JSON.stringify(linear(4, { env: 'CartPole-v1', env_options: { gravity: 3 } })));
    file('module.json', JSON.stringify(linear(5, { env: './my-env' })));
    const reasons = [
      expect.stringMatching(/it is a policy of ".*my-env", not of CartPole-v1$/),
      expect.stringMatching(/options\.json: expected only the options .* got "gravity"/),
      expect.stringMatching(/unknown\.json: unknown environment "CartPol-v1"; did you mean/),
    ];
    for (const env of ['CartPole-v1', undefined]) {
      const set = await loadPolicySet(folder, given(env));
      expect([set.env.id, names(set)]).toEqual(['CartPole-v1', [['hand']]]);
      expect(set.leftOut.map(({ reason }) => reason)).toEqual(reasons);
      expect(set.leftOut.map(({ broken = false }) => broken)).toEqual([false, true, true]);
    }
    rmSync(join(folder, 'hand.json'));
    await expect(loadPolicySet(folder, given(undefined))).rejects.toThrow(/\.json: (expected|unknown)/);
  });

  it('may be a run itself, and must contain a policy', async () => {
    run('one', 'CartPole-v1', linear(4));
    expect(names(await loadPolicySet(join(folder, 'one'), cartpole))).toEqual([[join(folder, 'one')]]);
    mkdirSync(join(folder, 'none'));
    await expect(loadPolicySet(join(folder, 'none'), cartpole)).rejects.toThrow(/found none/);
    const pendulum = loadPolicySet(join(folder, 'one'), given('Pendulum-v1'));
    await expect(pendulum).rejects.toThrow(/found none that can be used; .*it is a run of CartPole-v1/);
  });
});

describe('r2po eval --policies', () => {
  const args = ['eval', '--env', 'CartPole-v1', '--backend', 'cpu', '--episodes', '15'];

  it('ranks the others when policies are damaged, lists those, and exits 1', async () => {
    file('good.json', JSON.stringify(linear(0)));
    file('other.json', JSON.stringify(linear(1)));
    file('notes.json', '{"text": 1}');
    const ranked = await runCommand(...args, '--policies', folder, '--json');
    expect(ranked).toMatchObject({ code: 0, stderr: expect.stringContaining('notes.json') });
    file('cut.json', '{"kind": "linear", "params": [1,');
    file('short.json', JSON.stringify({ kind: 'linear', params: [1] }));
    file('run/run.json', '{');
    const { code, stdout, stderr } = await runCommand(...args, '--policies', folder, '--json');
    expect(code).toBe(1);
    for (const name of ['cut.json', 'short.json', 'run']) expect(stderr).toContain(`left out: ${join(folder, name)}`);
    expect(stderr).toMatch(/error: \[eval\] .*3 parts left out/);
    expect(JSON.parse(stdout)).toMatchObject({ policies: 2, left_out: { length: 4 } });
  });

  it('prints one document, and writes every policy as CSV', async () => {
    const csv = join(folder, 'all.csv');
    const input = [line(linear(0, { name: 'a' })), line(linear(0.25, { name: 'b' })), line(linear(0, { name: 'c' }))];
    const more = ['--policies', '-', '--seed', '7', '--recheck', '6', '--csv', csv, '--json'];
    const { code, stdout, stderr } = await runHere([...args, ...more], { input: input.join('') });
    expect(code).toBe(0);
    expect(stderr).toBe(`wrote ${csv}\nc: same parameters as a; skipped\n`);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ env: 'CartPole-v1', backend: 'cpu', policies: 2, episodes: 15, seed: 7 });
    expect(document.ranking.map(({ name }: { name: string }) => name).sort()).toEqual(['a', 'b']);
    expect(document.best.policy.params).toHaveLength(10);
    expect(document.recheck).toMatchObject({ seed: 22, episodes: 6 });
    expect(document.duplicates).toEqual([{ name: 'c', of: 'a' }]);
    const [header, first] = readLines(csv);
    expect(header).toMatch(/^rank,name,kind,mean,/);
    expect(first!.split(',')[3]).toBe(String(document.ranking[0].mean));
    const alone = await runHere([...args, '--policy', '-', '--seed', '7', '--json'], {
      input: JSON.stringify(document.best.policy),
    });
    expect(JSON.parse(alone.stdout).mean).toBe(document.ranking[0].mean);
  });

  it('shows the first lines, and what the order means', async () => {
    const path = file(
      'many.jsonl',
      Array.from({ length: 30 }, (_, i) => line(linear(i / 8, { name: `p${i}` }))).join(''),
    );
    const { code, stdout } = await runCli([...args, '--policies', path, '--top', '4', '--recheck', '0']);
    expect(code).toBe(0);
    expect(stdout).toContain('30 policies, 15 episodes each, seeds 0 ... 14');
    expect(stdout).toMatch(/of the other 29 do not differ significantly from the best/);
    expect(stdout).toContain('check them on fresh seeds (--recheck)');
    expect(stdout.trim().split('\n').slice(4)).toHaveLength(4);
  });

  it.each([
    [[], /expected --policy for one or --policies for many, got none/],
    [['--policy', '-', '--policies', '-'], /got both/],
    [['--policies', '-', '--returns', 'x.csv'], /expected --policy with --returns/],
    [['--policies', '-', '--dump-wgsl', '-'], /expected --policy with --dump-wgsl/],
    [['--policy', '-', '--csv', 'x.csv'], /expected --policies or --vary with --csv/],
    [['--policy', '-', '--top', '4'], /expected --policies with --top/],
    [['--policies', 'no-such-folder'], /file not found/],
  ])('refuses %j', async (more, message) => {
    const { code, stdout, stderr } = await runHere([...args, ...more]);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});
