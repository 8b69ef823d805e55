/** The provenance of an exported run: written beside its log, and trusted only if the log agrees. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mixedExperiments, openExportableRun } from '../../src/interop/reference/export.ts';
import { provenanceName } from '../../src/interop/reference/provenance.ts';
import { originOf } from '../../src/report/answered-by.ts';
import { readRunConfig } from '../../src/runs/folder/folder.ts';
import type { RunSummary } from '../../src/runs/folder/summary.ts';
import { runCli } from '../support/cli.ts';
import { eventsOf, readJson, scriptedModel, smallRun, temporaryFolder } from '../support/experiment.ts';
import { runHere } from '../support/in-process.ts';
import { exported, importAll } from '../support/reference-round-trip.ts';

const overrides = ['iterations=2', 'warmup.policies=2', 'evaluation.episodes=3', 'evaluation.max_steps=40'];
let folder: string;
/** holds `cartpole_reflective_prompted_policy_optimization/run_1` */
let log: string;
const inside = join('cartpole_reflective_prompted_policy_optimization', 'run_1', provenanceName);

beforeAll(async () => {
  ({ folder } = await smallRun({ seed: 71, overrides }));
  log = (await exported(folder)).root;
});
afterAll(() => rmSync(log, { recursive: true }));

type Value = Record<string, unknown>;
const told = (): Value => JSON.parse(readFileSync(join(log, inside), 'utf8')) as Value;

/** The log with another `r2po.json`, read. */
async function importedWith(content: string | Uint8Array) {
  const root = temporaryFolder();
  cpSync(log, root, { recursive: true });
  writeFileSync(join(root, inside), content);
  const [run] = await importAll(root);
  return run;
}

describe('an exported run of the offline optimiser', () => {
  it('is imported as one, with its seed and its settings', async () => {
    const [run] = await importAll(log);
    const back = run!.folder as string;
    expect(run!.files_skipped).toEqual([]);
    expect(run!.notes).toEqual(['r2po.json says that offline answered; ignoring "ollama/test"']);
    expect(readJson(back)).toMatchObject({ model: 'offline', model_kind: 'offline', seed: 71, status: 'finished' });
    expect(readJson(back, 'run.json')).toMatchObject({ model: 'offline', model_kind: 'offline', seed: 71 });
    expect(await readRunConfig(back)).toEqual(await readRunConfig(folder));
    expect(originOf(eventsOf(back))).toBe('offline');
    expect((await exported(back)).files).toEqual((await exported(folder)).files);
  });

  it('is the same run where every line ends as on Windows', async () => {
    const root = temporaryFolder();
    cpSync(log, root, { recursive: true });
    for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
      const path = join(root, name);
      if (statSync(path).isFile()) writeFileSync(path, readFileSync(path, 'utf8').replaceAll('\n', '\r\n'));
    }
    const [run] = await importAll(root);
    const [plain] = await importAll(log);
    expect(run!.files_skipped).toEqual([]);
    const { record: _, ...summary } = readJson<RunSummary>(run!.folder as string);
    const { record: __, ...expected } = readJson<RunSummary>(plain!.folder as string);
    expect(summary).toEqual(expected);
    const texts = (of: string) =>
      eventsOf(of).flatMap((event) => (event.type === 'llm_call' ? [event.reply.text] : []));
    expect(texts(run!.folder as string)).toEqual(texts(plain!.folder as string));
  });

  it('is not grouped with runs of language models', async () => {
    const model = scriptedModel(() => `${Array.from({ length: 10 }, (_, i) => `params[${i}]: 1`).join(', ')}\nSo.`);
    const other = await smallRun({ seed: 72, overrides, model });
    const [offline] = await importAll(log);
    const [language] = await importAll((await exported(other.folder)).root);
    expect(readJson(language!.folder as string)).toMatchObject({ model: 'openai/scripted', model_kind: 'model' });
    for (const command of [['report'], ['analyze', 'edits']]) {
      const { code, stderr } = await runHere([...command, offline!.folder as string, language!.folder as string]);
      expect(code).toBe(2);
      expect(stderr).toContain('offline optimiser');
    }
  }, 60_000);

  it('is imported as one where it is a branch with other episodes per evaluation', async () => {
    const runsDir = temporaryFolder();
    const options = ['--at', '1', '--name', 'more', '--runs-dir', runsDir, 'evaluation.episodes=4'];
    const { code, stderr } = await runHere(['branch', folder, ...options]);
    expect(code, stderr).toBe(0);
    const [run] = await importAll((await exported(join(runsDir, 'more'))).root);
    expect(run!.files_skipped).toEqual([]);
    expect(readJson(run!.folder as string)).toMatchObject({ model: 'offline', model_kind: 'offline', seed: 71 });
  });

  it('stays a branch, and is pooled with no other run', async () => {
    const runsDir = temporaryFolder();
    const branching = ['branch', folder, '--at', '1', '--name', 'apart', '--runs-dir', runsDir, 'seed=72'];
    expect(await runHere(branching)).toMatchObject({ code: 0 });
    const [parent] = await importAll(log);
    const [branch] = await importAll((await exported(join(runsDir, 'apart'))).root);
    const back = branch!.folder as string;
    const { branch: origin } = readJson<Value>(join(runsDir, 'apart'), 'run.json');
    expect(origin).toMatchObject({ iteration: 1 });
    expect(readJson(back, 'run.json')).toMatchObject({ branch: origin });
    expect(await runHere(['verify', back])).toMatchObject({ code: 0 });
    const { stdout } = await runHere(['report', parent!.folder as string, back, '--json']);
    const { groups } = JSON.parse(stdout) as { groups: { runs: unknown[] }[] };
    expect(groups.map(({ runs }) => runs.length)).toEqual([1, 1]);
  });

  it('has the length that its search was given while it went on', async () => {
    const changed = join(temporaryFolder(), 'changed');
    cpSync(folder, changed, { recursive: true });
    writeFileSync(join(changed, 'run.json'), JSON.stringify({ ...readJson<Value>(folder, 'run.json'), iterations: 3 }));
    const [run] = await importAll((await exported(changed)).root);
    expect(run!.files_skipped).toEqual([]);
    expect(readJson(run!.folder as string, 'run.json')).toMatchObject({ iterations: 3, model: 'offline' });
    const longer = { ...told(), config: { ...(told().config as Value), iterations: 1 }, iterations: 2 };
    expect((await importedWith(JSON.stringify(longer)))!.files_skipped).toEqual([]);
  });

  it('is unfinished if it had not ended', async () => {
    const run = await importedWith(JSON.stringify({ ...told(), status: 'stopped' }));
    expect(readJson(run!.folder as string)).toMatchObject({ status: 'stopped', iterations: 2 });
  });
});

describe('a damaged or wrong r2po.json', () => {
  const config = (changes: Value) => () => ({ ...told(), config: { ...(told().config as Value), ...changes } });
  const cases: [string, () => Value | string, string][] = [
    ['half of it', () => readFileSync(join(log, inside), 'utf8').slice(0, 90), 'JSON'],
    ['a list', () => '[]', 'where the run came from'],
    ['another version', () => ({ ...told(), schemaVersion: 2 }), 'where the run came from'],
    ['another log', () => ({ ...told(), log_sha256: 'ab'.repeat(32) }), 'the digest of this overall log'],
    ['a language model of the offline kind', () => ({ ...told(), model: 'ollama/big' }), 'a model of the stated kind'],
    ['an optimiser that is a language model', () => ({ ...told(), model_kind: 'model' }), 'a model of the stated kind'],
    [
      'replies of the optimiser by a language model',
      () => ({ ...told(), model: 'ollama/big', model_kind: 'model' }),
      'replies of the stated kind',
    ],
    ['another environment', config({ env: 'InvertedPendulum-v5' }), 'the environment: CartPole-v1'],
    ['an environment to load', config({ env: './mine.mjs' }), 'the configuration of a run'],
    ['another method', config({ method: 'reptraj' }), 'the method: r2po'],
    ['an unknown key', config({ wanted: 1 }), 'the configuration of a run'],
    ['fewer iterations', config({ iterations: 1 }), 'at least 2 iterations'],
    ['a search that was cut short', () => ({ ...told(), iterations: 1 }), 'at least 2 iterations'],
  ];
  it.each(cases)('with %s is ignored and reported', async (_, content, expected) => {
    const value = content();
    const run = await importedWith(typeof value === 'string' ? value : JSON.stringify(value));
    expect(run!.files_skipped).toMatchObject([
      { path: expect.stringContaining(provenanceName), expected: expect.stringContaining(expected) },
    ]);
    expect(run!.notes).toEqual([]);
    const summary = readJson<RunSummary>(run!.folder as string);
    expect(summary).toMatchObject({ model: 'ollama/test', model_kind: 'model', seed: 1, iterations: 2 });
  });

  it('never aborts an import', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .dictionary(fc.constantFrom(...Object.keys(told())), fc.jsonValue())
        .map((changes) => Buffer.from(JSON.stringify({ ...told(), ...changes, log_sha256: 'none' }))),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (content) => {
        const run = await importedWith(content);
        expect(run!.iterations).toBe(2);
        expect(run!.files_skipped).toHaveLength(1);
      }),
      { numRuns: 30 },
    );
  }, 60_000);
});

describe('the folder of an experiment', () => {
  it.each([
    ['cartpole/tau-c', [], 'cartpole_tau_c_sensitivity_default'],
    ['cartpole/tau-c-half', [], 'cartpole_tau_c_sensitivity_half'],
    ['frozenlake/tau-c-none', [], 'frozenlake_tau_c_sensitivity_none'],
    ['cartpole/tau-c', ['critic.conservative_threshold=123.5'], 'cartpole_tau_c_sensitivity_123.5'],
    // The threshold of R2PO itself is no experiment of its own.
    ['cartpole/r2po', ['critic.conservative_threshold=123.5'], 'cartpole_reflective_prompted_policy_optimization'],
    ['swimmer/props-plus-projected-mlp', ['evaluation.max_steps=40'], 'swimmer_propsp_projected_mlp'],
  ])('of %s with %j is %s', async (config, more, name) => {
    const run = await smallRun({ config, overrides: [...overrides, ...more] });
    expect((await openExportableRun(run.folder)).experiment).toBe(name);
  });

  it('contains runs of equal settings, or a warning names the difference', async () => {
    const open = async (seed: number, more: string[] = []) =>
      openExportableRun((await smallRun({ seed, overrides: [...overrides, ...more] })).folder);
    const [one, two, three] = [await open(1), await open(2), await open(3, ['parameters.high=5'])];
    expect(mixedExperiments([one, two])).toEqual([]);
    const lines = mixedExperiments([one, two, three]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('cartpole_reflective_prompted_policy_optimization holds runs of different settings');
    expect(lines[0]).toContain('parameters.high (');
    expect(lines[0]).not.toContain('seed');
    const { code, stderr } = await runCli([
      ...['export', one.folder, three.folder, '--format', 'reference'],
      ...['--out', join(temporaryFolder(), 'out')],
    ]);
    expect(code).toBe(0);
    expect(stderr).toContain('the scripts of the reference pool them');
  }, 60_000);
});

it('a log of the reference itself gets no r2po.json when it is exported again', async () => {
  const root = temporaryFolder();
  cpSync(log, root, { recursive: true });
  rmSync(join(root, inside));
  const [run] = await importAll(root);
  const again = (await exported(run!.folder as string)).root;
  expect(existsSync(join(again, inside))).toBe(false);
  expect(existsSync(join(again, inside, '..', 'overall_log.txt'))).toBe(true);
});
