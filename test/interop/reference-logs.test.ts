/** Logs of the Python reference: imported, exported, and their problems reported. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { csvLine } from '../../src/base/csv-line.ts';
import type { Config } from '../../src/config/schema.ts';
import { readExperimentName } from '../../src/interop/reference/layout.ts';
import { readRunConfig } from '../../src/runs/folder/folder.ts';
import { settingsOf } from '../../src/runs/folder/identity.ts';
import type { RunEvent } from '../../src/runs/journal/events.ts';
import { openRecordedRun, recordedModel } from '../../src/runs/replay.ts';
import { anyText } from '../support/any-text.ts';
import { runCli } from '../support/cli.ts';
import { eventsOf, execute, prepareRun, readJson, smallRun, temporaryFolder } from '../support/experiment.ts';
import { runHere } from '../support/in-process.ts';
import { type HandLayout, type WrittenCandidate, writeReferenceLog } from '../support/reference-log.ts';
import { exported, importAll, tree } from '../support/reference-round-trip.ts';

const ofType = <T extends RunEvent['type']>(events: readonly RunEvent[], type: T) =>
  events.filter((event): event is Extract<RunEvent, { type: T }> => event.type === type);

const linear = (first: number): number[] => Array.from({ length: 10 }, (_, i) => first + i / 10);
const table = (shift: number): number[] => Array.from({ length: 16 }, (_, i) => (i + shift) % 4);
const candidate = (params: number[], returns: number[], lengths: number[]): WrittenCandidate => ({
  params,
  returns,
  lengths,
});

const experiments: [HandLayout, string, string, boolean][] = [
  ['two-call', 'cartpole_reflective_prompted_policy_optimization', 'r2po', false],
  ['two-call', 'frozenlake_reflective', 'reptraj', true],
  ['two-search', 'cartpole_pure_search', 'pure-search', false],
  ['two-search', 'frozenlake_actor_second_pass', 'actor-second-pass', true],
  ['critic-only', 'cartpole_critic_only', 'critic-only', false],
  ['single-call', 'cartpole_propsp', 'props-plus', false],
  ['single-call', 'frozenlake_props', 'props', true],
];

/** Two iterations of three rollouts; the first keeps the second candidate where there are two, the second the first. */
function handLog(folder: string, layout: HandLayout, isTable: boolean): void {
  const params = isTable ? table : linear;
  const pair = layout.startsWith('two');
  const one = [candidate(params(1), [10, 12.5, 17], [10, 12, 17]), candidate(params(2), [20, 21, 25], [20, 21, 25])];
  const two = [candidate(params(3), [40, 45, 56], [40, 45, 56]), candidate(params(0), [1, 2, 4.5], [1, 2, 5])];
  writeReferenceLog({
    folder,
    layout,
    table: isTable,
    printsLatest: folder.includes('_reflective'),
    iterations: [one, two].map((both) => (pair ? both : both.slice(0, 1))),
    warmups: [candidate(params(1), [7], [7]), candidate(params(2), [9], [9])],
  });
}

describe('a log written after the reference', () => {
  it.each(experiments)('imports the %s layout of %s', async (layout, experiment, method, isTable) => {
    const root = temporaryFolder();
    handLog(join(root, experiment, 'run_4'), layout, isTable);
    const [run] = await importAll(root);
    expect(run!.files_skipped).toEqual([]);
    expect(run).toMatchObject({ method, layout, iterations: 2, already: false, notes: [] });
    const folder = run!.folder as string;
    const events = eventsOf(folder);
    expect(events[0]).toMatchObject({ type: 'imported', layout, source: `${experiment}/run_4` });
    expect(ofType(events, 'warmup').map((event) => [event.return, event.length])).toEqual([
      [7, 7],
      [9, 9],
    ]);
    const pair = layout.startsWith('two');
    const iterations = ofType(events, 'iteration');
    expect(iterations.map(({ kept }) => kept)).toEqual([pair ? 'revision' : 'proposal', 'proposal']);
    const params = isTable ? table : linear;
    expect(iterations[1]!.candidates.map((c) => c.params)).toEqual((pair ? [3, 0] : [3]).map(params));
    expect(iterations[1]!.trial).toMatchObject({ params: params(3), mean: 47 });
    expect(iterations[1]!.logged).toMatchObject({ cpu_s: 1, api_s: 6.5, reward: 47 });
    const [first] = ofType(events, 'evaluated');
    expect(first!.summary).toMatchObject({ episodes: 3, min: 10, max: 17, median: 12.5, steps: 39 });
    expect(ofType(events, 'llm_call')[0]!.reply.text).toContain('params[0]');
    expect(readJson(folder)).toMatchObject({
      imported: true,
      status: 'finished',
      iterations: 2,
      best_reward: 47,
      seed: 4,
      model: 'ollama/test',
      episodes: pair ? 14 : 8,
    });
    expect(readJson<{ params: number[] }>(folder, 'best.json').params).toEqual(params(3));
    const rows = readFileSync(join(folder, 'metrics.csv'), 'utf8').trim().split('\n');
    const column = rows[0]!.split(',').indexOf('llm_calls');
    expect(rows.slice(1).map((row) => row.split(',')[column])).toEqual(pair ? ['2', '4'] : ['1', '2']);

    // What was written by hand differs in wording only: read again, ours says the same.
    const again = await importAll((await exported(folder)).root);
    expect(again[0]!.files_skipped).toEqual([]);
    const timeless = (f: string) =>
      eventsOf(f).map(({ time: _, ...event }) => (event.type === 'imported' ? { ...event, source: '' } : event));
    const comparable = (f: string) => timeless(f).filter(({ type }) => type !== 'run_started');
    expect(comparable(again[0]!.folder as string)).toEqual(comparable(folder));
  });

  it('is found in a tree of experiments, and imported once', async () => {
    const root = temporaryFolder();
    for (const [layout, experiment, , isTable] of experiments)
      handLog(join(root, 'logs', experiment, 'run_1'), layout, isTable);
    handLog(join(root, 'logs', 'cartpole_props', 'run_10'), 'single-call', false);
    mkdirSync(join(root, 'logs', 'cartpole_props', 'eval_report'));
    const runsDir = temporaryFolder();
    const first = await importAll(root, runsDir);
    expect(first).toHaveLength(8);
    expect(new Set(first.map(({ folder }) => folder)).size).toBe(8);
    const names = readdirSync(runsDir);
    const second = await importAll(join(root, 'logs'), runsDir);
    expect(second.map(({ already }) => already)).toEqual(Array(8).fill(true));
    expect(readdirSync(runsDir)).toEqual(names);
    appendFileSync(join(root, 'logs', 'cartpole_props', 'run_10', 'overall_log.txt'), '\n');
    expect((await importAll(root, runsDir)).filter(({ already }) => !already)).toHaveLength(1);
  });

  it('is refused by resume and replay', async () => {
    const root = temporaryFolder();
    handLog(join(root, 'cartpole_props', 'run_1'), 'single-call', false);
    const { folder } = (await importAll(root))[0]!;
    await expect(openRecordedRun(folder as string)).rejects.toThrow(/imported from a log/);
    expect(() => recordedModel(folder as string)).toThrow(/imported from a log/);
    const options = await prepareRun();
    try {
      const resumed = execute({ ...options, folder: folder as string, resume: true });
      await expect(resumed).rejects.toThrow(/imported from a log/);
    } finally {
      await options.backend.close();
    }
  });

  it.each([
    ['cartpole_reflective_prompted_policy_optimization', 'CartPole-v1', 'r2po'],
    ['mountaincarcontinuous_reflective', 'MountainCarContinuous-v0', 'reptraj'],
    ['swimmer_propsp_projected_mlp', 'Swimmer-v5', 'props-plus'],
    ['pong_tau_c_sensitivity_half', 'Pong-v0', 'tau-c'],
    ['notes', undefined, undefined],
  ])('tells environment and method from %s', (name, env, method) => {
    const told = readExperimentName(name);
    expect([told.env?.id, told.method?.id]).toEqual([env, method]);
  });
});

describe('a folder of the reference with fixed random weights', () => {
  /** One iteration on Swimmer, whose `parameters.txt` is `printed`. */
  async function imported(folder: string, count: number, printed?: string) {
    const root = temporaryFolder();
    const params = Array.from({ length: count }, (_, i) => i / 10);
    const run = join(root, folder);
    writeReferenceLog({ folder: run, layout: 'single-call', iterations: [[candidate(params, [5, 8], [5, 8])]] });
    if (printed !== undefined) writeFileSync(join(run, 'episode_0', 'parameters.txt'), printed);
    const [read] = await importAll(root);
    expect(read!.files_skipped).toEqual([]);
    const config = (await readRunConfig(read!.folder as string)) as Config;
    const written = parse(readFileSync(join(read!.folder as string, 'config.yaml'), 'utf8'));
    return {
      config,
      settings: settingsOf(written, { imported: { format: 'r2po', layout: '', source: '', digest: '' } }),
    };
  }

  it.each([
    ['swimmer_props_random_projection_qr_opaque_prompt', 'projected-mlp', 3000, 10, { latent: [5, 5], hidden: 4 }],
    ['swimmer_propsp_random_projection_qr_opaque_prompt', 'projected-mlp', 3000, 10, { low: -6, high: 6 }],
    ['swimmer_propsp_random_features_tanh_h8_same_dim', 'random-features', 1000, 18, { obs_scale: 3, hidden: 8 }],
  ])('%s is a %s', async (name, kind, base, count, options) => {
    const two = [];
    for (const n of [3, 7]) {
      const { config, settings } = await imported(`${name}/run_${n}`, count);
      expect(config.policy).toMatchObject({ kind, options: { ...options, seed: base + n } });
      expect(config.seed).toBe(n);
      two.push(settings);
    }
    // The seed of the weights follows from the number of the run: the runs are repetitions of each other.
    expect(two[0]).toEqual(two[1]);
  });

  it('has the settings that its policy prints, whatever the folder is called', async () => {
    const printed = [
      'Projected MLP policy',
      'projection_seed=4711',
      'hidden_dim=3',
      'latent_dim_layer1=4',
      'latent_dim_layer2=2',
      'activation=tanh',
      'latent_param_range=[-5.0, 4.5]',
      'latent_init_std=2.0',
      'decoded_weight_scale=1.5',
      'Latent:',
      '0.1, 0.2',
    ];
    const { config } = await imported('swimmer_props_mine/run_2', 6, printed.join('\n'));
    const options = { seed: 4711, hidden: 3, latent: [4, 2], low: -5, high: 4.5, scale: 1.5 };
    expect(config.policy).toEqual({ kind: 'projected-mlp', options });
    const features =
      'Frozen random-feature policy\nprojection_seed=1009\nhidden_dim=5\nparam_range=[-2.0, 2.0]\n' +
      'readout_init_std=0.75\nobs_scale=2.5\noutput_gain=0.25\nReadout:\n0.1';
    const other = await imported('swimmer_propsp/run_9', 12, features);
    expect(other.config.policy).toMatchObject({
      kind: 'random-features',
      options: { seed: 1009, hidden: 5, low: -2, high: 2, obs_scale: 2.5, output_gain: 0.25 },
    });
  });
});

describe('export', () => {
  const shipped = [
    'cartpole/r2po',
    'cartpole/always-critic',
    'cartpole/three-traj',
    'frozenlake/reptraj',
    'frozenlake/pure-search',
    'mountaincar-continuous/critic-only',
    'nim/actor-second-pass',
    'pong/props',
    'maze/props-plus',
    'cartpole/tau-c',
  ];
  it('is the same after an import, whatever was searched', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...shipped), fc.integer({ min: 0, max: 999 }), async (config, seed) => {
        const overrides = ['iterations=2', 'warmup.policies=2', 'evaluation.episodes=3', 'evaluation.max_steps=60'];
        const { folder } = await smallRun({ config, seed, overrides });
        const first = await exported(folder);
        const [run] = await importAll(first.root);
        expect(run!.files_skipped).toEqual([]);
        expect(run!.method).toBe(config.split('/')[1]);
        const before = ofType(eventsOf(folder), 'evaluated');
        const after = ofType(eventsOf(run!.folder as string), 'evaluated');
        const numbers = (events: typeof before) => events.map(({ params, summary: s }) => [params, s.mean, s.steps]);
        expect(numbers(after)).toEqual(numbers(before));
        const second = await exported(run!.folder as string);
        expect(second.files).toEqual(first.files);
      }),
      { numRuns: 12 },
    );
  }, 120_000);

  it('writes what the scripts of the reference look for', async () => {
    const overrides = ['iterations=2', 'warmup.policies=1', 'evaluation.episodes=3'];
    const { folder, summary } = await smallRun({ config: 'cartpole/three-traj', overrides });
    const { files } = await exported(folder);
    const run = 'cartpole_three_traj/run_1';
    const rows = files[`${run}/overall_log.txt`]!.trim().split('\n').slice(1);
    expect(rows.map((row) => Number(row.split(', ')[5])).at(-1)).toBe(summary.final_reward);
    expect(rows[1]!.split(', ')[3]).toBe(String(summary.episodes));
    const outcome = files[`${run}/episode_0/reflection_outcome.txt`];
    expect(outcome).toMatch(
      /^initial_reward=-?\d+\.\d{4}\nrevised_reward=-?\d+\.\d{4}\nwinner=(revision|original)_won\n/,
    );
    const reasoning = files[`${run}/episode_0/parameters_reasoning.txt`]!;
    for (const name of ['Worst', 'Median', 'Best']) {
      expect(reasoning).toMatch(new RegExp(`^${name} rollout \\(rollout \\d+, reward=[-+]?\\d+(?:\\.\\d+)?\\):$`, 'm'));
    }
    expect(reasoning.match(/^LLM:$/gm)).toHaveLength(1);
    expect(reasoning.match(/^Critic-LLM response:$/gm)).toHaveLength(1);
    const totals = files[`${run}/episode_1/revised_proposal_rollout.txt`]!.match(/^Total reward: -?\d+\.\d+$/gm);
    expect(totals).toHaveLength(3);
  });
});

describe('a damaged log', () => {
  const whole = temporaryFolder();
  handLog(join(whole, 'cartpole_reflective', 'run_1'), 'two-call', false);
  const paths = Object.keys(tree(whole));

  it('is read as far as it goes, wherever a file is cut off', async () => {
    const cases = fc.record({ file: fc.constantFrom(...paths), share: fc.double({ min: 0, max: 1, noNaN: true }) });
    await fc.assert(
      fc.asyncProperty(cases, async ({ file, share }) => {
        const root = temporaryFolder();
        cpSync(whole, root, { recursive: true });
        const path = join(root, file);
        truncateSync(path, Math.floor(share * statSync(path).size));
        const [run] = await importAll(root);
        expect(run!.iterations).toBeGreaterThanOrEqual(1);
        expect(run!.files_skipped.every((skip) => skip.expected !== '' && skip.found !== '')).toBe(true);
        const { best_reward, iterations } = readJson(run!.folder as string);
        expect(iterations).toBe(run!.iterations);
        expect([22, 47]).toContain(best_reward);
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it('is read whatever bytes a file holds', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      anyText({ maxLength: 200 }).map((s) => Buffer.from(s)),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), bytes, async (file, content) => {
        const root = temporaryFolder();
        cpSync(whole, root, { recursive: true });
        writeFileSync(join(root, file), content);
        const [run] = await importAll(root);
        expect(run!.iterations).toBeGreaterThanOrEqual(1);
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it('names the file, what was expected and what was found', async () => {
    const root = temporaryFolder();
    cpSync(whole, root, { recursive: true });
    const at = (name: string) => join(root, 'cartpole_reflective', 'run_1', name);
    writeFileSync(at('episode_0/initial_proposal_rollout.txt'), Buffer.from([0, 255, 1, 10]));
    writeFileSync(at('episode_1/reflection_outcome.txt'), '');
    writeFileSync(
      at('warmup/warmup_rollout_0.txt'),
      '1.0, 2.0\nparameter ends\n\nstate | action | reward\n[0.1] | 1 | 1.0\n',
    );
    writeFileSync(at('episode_1/notes.md'), 'mine');
    appendFileSync(at('overall_log.txt'), '3, 1.0, 2.0');
    const [run] = await importAll(root);
    expect(run!.iterations).toBe(2);
    const found = Object.fromEntries(
      run!.files_skipped.map((s) => [relative(at(''), s.path), `${s.expected}: ${s.found}`]),
    );
    expect(found).toMatchObject({
      'episode_0/initial_proposal_rollout.txt': 'UTF-8 text in line 1: other bytes',
      'episode_1/reflection_outcome.txt': 'a winner and the rewards: a text without them',
      'warmup/warmup_rollout_0.txt': '"Total reward: ..." at the end: an incomplete rollout',
      'episode_1/notes.md': 'a file of the two-call layout: another',
      'overall_log.txt': 'a whole row of six numbers in line 4: "3, 1.0, 2.0"',
    });
    const iterations = ofType(eventsOf(run!.folder as string), 'iteration');
    // The lost mean comes from the outcome, the lost outcome from the row.
    expect(iterations[0]!.candidates[0]!.mean).toBe(13.1667);
    expect(iterations[1]!.kept).toBe('proposal');
  });

  it('notices the parameters of another policy, and keeps what it returned', async () => {
    const root = temporaryFolder();
    const odd = candidate([1, 2, 3], [5, 8], [5, 8]);
    writeReferenceLog({ folder: join(root, 'cartpole_props', 'run_1'), layout: 'single-call', iterations: [[odd]] });
    const [run] = await importAll(root);
    expect(run!.files_skipped).toMatchObject([{ expected: '10 parameters, as the policy has', found: '3' }]);
    const { candidates } = ofType(eventsOf(run!.folder as string), 'iteration')[0]!;
    expect(candidates).toEqual([{ label: 'proposal', params: [], mean: 6.5 }]);
    expect(ofType(eventsOf(run!.folder as string), 'evaluated')[0]!.summary).toMatchObject({ episodes: 2, max: 8 });
  });

  it('reports fewer rollouts than the logged mean covers', async () => {
    const root = temporaryFolder();
    cpSync(whole, root, { recursive: true });
    const path = join(root, 'cartpole_reflective', 'run_1', 'episode_0', 'initial_proposal_rollout.txt');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.slice(0, text.lastIndexOf('1.0, 1.1')));
    const [run] = await importAll(root);
    expect(run!.files_skipped).toMatchObject([{ path, expected: 'rollouts with the logged mean 13.1667' }]);
  });

  it('may have files where folders should be, and folders where files should be', async () => {
    const root = temporaryFolder();
    cpSync(whole, root, { recursive: true });
    const run = join(root, 'cartpole_reflective', 'run_1');
    for (const name of ['episode_0', 'warmup']) {
      rmSync(join(run, name), { recursive: true });
      writeFileSync(join(run, name), 'no folder');
    }
    rmSync(join(run, 'episode_1', 'revised_proposal_rollout.txt'));
    mkdirSync(join(run, 'episode_1', 'revised_proposal_rollout.txt'));
    const [imported] = await importAll(root);
    expect(imported!.iterations).toBe(1);
    const skipped = imported!.files_skipped.map(({ path }) => relative(run, path));
    expect(skipped).toContain('episode_0');
    expect(skipped).toContain('warmup');
    expect(skipped).toContain(join('episode_1', 'revised_proposal_rollout.txt'));
  });

  it('is an unfinished run when its last iteration is incomplete', async () => {
    const root = temporaryFolder();
    cpSync(whole, root, { recursive: true });
    const run = join(root, 'cartpole_reflective', 'run_1');
    mkdirSync(join(run, 'episode_2'));
    writeFileSync(join(run, 'episode_2', 'initial_proposal_rollout.txt'), '1.0\nparameter');
    const [imported] = await importAll(root);
    expect(readJson(imported!.folder as string)).toMatchObject({ status: 'stopped', iterations: 2 });
  });

  it('does not fill the memory', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const folder = join(temporaryFolder(), 'cartpole_props', 'run_1');
    // Nearly all of it in one file, which would be seen if it were read as a whole.
    const long = (k: number, steps: number) => candidate(linear(k), [k, k + 1], [steps, steps - 7]);
    writeReferenceLog({ folder, layout: 'single-call', iterations: [[long(1, 500_000)], [long(3, 40_000)]] });
    const size = Object.values(readdirSync(folder, { recursive: true, encoding: 'utf8' })).reduce(
      (sum, name) => sum + statSync(join(folder, name)).size,
      0,
    );
    expect(size).toBeGreaterThan(13e6);
    const held = (): number => {
      gc();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    // The texts of the log itself have to be gone first.
    await new Promise((resolve) => setTimeout(resolve, 50));
    held();
    const before = held();
    const grown: number[] = [];
    let timer: NodeJS.Timeout;
    // The collections, and not the import, would take most of the time if they came at fixed intervals.
    const look = (): void => {
      const start = performance.now();
      grown.push(held() - before);
      timer = setTimeout(look, 2 * (performance.now() - start));
    };
    timer = setTimeout(look, 100);
    const [run] = await importAll(dirname(folder)).finally(() => clearTimeout(timer));
    expect(run!.iterations).toBe(2);
    expect(run!.files_skipped).toEqual([]);
    expect(grown.length).toBeGreaterThan(3);
    expect(Math.max(...grown)).toBeLessThan(13e6);
  }, 240_000);
});

describe('the commands', () => {
  it('import and export, with one JSON document each', async () => {
    const root = temporaryFolder();
    handLog(join(root, 'cartpole_pure_search', 'run_2'), 'two-search', false);
    const runsDir = join(root, 'runs');
    const imported = await runCli(['import', 'r2po', root, '--runs-dir', runsDir, '--json']);
    expect(imported).toMatchObject({ code: 0, stderr: '' });
    const account = JSON.parse(imported.stdout);
    expect(account).toMatchObject({ runs: 1, iterations: 2, files_read: 13, files_skipped: 0, already_imported: 0 });
    const { folder } = account.imports[0];
    const csv = await runHere(['export', folder, '--format', 'csv', '--out', join(root, 'csv')]);
    expect(csv).toMatchObject({ code: 0 });
    const lines = readFileSync(join(root, 'csv', 'runs.csv'), 'utf8')
      .trim()
      .split('\n');
    expect(lines[0]).toBe('run,env,method,model,seed,iteration,candidate,mean,std,kept,episodes,calls,tokens');
    expect(lines).toHaveLength(5);
    expect(lines[2]).toMatch(/,CartPole-v1,pure-search,unknown,2,1,revision,22,2\.6457513110645907,1,8,2,\d+$/);
    const again = await runHere(['export', folder, '--format', 'csv', '--out', join(root, 'csv')]);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('--force');
    const logs = ['export', folder, '--format', 'reference', '--out', join(root, 'out')];
    expect((await runCli(logs)).code).toBe(0);
    expect(existsSync(join(root, 'out', 'cartpole_pure_search', 'run_1', 'episode_1', 'selection_outcome.txt'))).toBe(
      true,
    );
    expect((await runHere(logs)).code).toBe(2);
    mkdirSync(join(root, 'out', 'cartpole_pure_search', 'run_2'));
    const forced = await runHere([...logs, '--force']);
    expect(forced.code).toBe(0);
    expect(forced.stderr).toMatch(
      /runs of an earlier export are beside these: .*run_2; the scripts of the reference pool/,
    );
    const replayed = await runHere(['replay', folder]);
    expect(replayed.code).toBe(2);
    expect(replayed.stderr).toContain('was imported from a log');
  }, 60_000);

  it('refuse a folder without logs, a wrong format and a name that says nothing', async () => {
    const root = temporaryFolder();
    const empty = await runHere(['import', 'r2po', root]);
    expect(empty.code).toBe(2);
    expect(empty.stderr).toContain(
      `no runs of the reference found in "${root}"; expected a folder with overall_log.txt`,
    );
    expect((await runHere(['import', 'sb4', root])).code).toBe(2);
    handLog(join(root, 'thing', 'run_1'), 'single-call', false);
    const nameless = await runHere(['import', 'r2po', root, '--runs-dir', join(root, 'runs')]);
    expect(nameless.code).toBe(1);
    expect(nameless.stderr).toContain('--env');
    const told = [
      'import',
      'r2po',
      root,
      '--runs-dir',
      join(root, 'runs'),
      '--env',
      'cartpole',
      '--method',
      'props-plus',
    ];
    expect((await runHere(told)).code).toBe(0);
    rmSync(root, { recursive: true });
  }, 60_000);
});

describe('a cell of the table', () => {
  it('reads back as what it was', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', 'é') }), { minLength: 1 }),
        (cells) => {
          expect(parseCsv(csvLine(cells).slice(0, -1))).toEqual(cells);
        },
      ),
    );
  });

  /** One record after RFC 4180. */
  function parseCsv(text: string): string[] {
    return [...`,${text}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^,"]*))/g)].map(([, quoted, bare]) =>
      quoted === undefined ? bare! : quoted.replaceAll('""', '"'),
    );
  }
});
