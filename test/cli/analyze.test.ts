/** `r2po analyze` as a user calls it, on short runs that are made here. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyses } from '../../src/report/analyses/index.ts';
import { runCli } from '../support/cli.ts';
import { answerOf, eventsOf, scriptedModel, smallRun, temporaryFolder } from '../support/experiment.ts';
import { runHere } from '../support/in-process.ts';

let root: string;
/** two runs with a critic, one without, a folder that is no run */
let offlineRuns: string;
let languageRun: string;
let threeTraj: string;

beforeAll(async () => {
  root = temporaryFolder();
  offlineRuns = join(root, 'offline');
  ({ folder: threeTraj } = await smallRun({ config: 'cartpole/three-traj', seed: 3, runsDir: offlineRuns }));
  await smallRun({ config: 'cartpole/tau-c-half', seed: 4, runsDir: offlineRuns, overrides: ['iterations=4'] });
  await smallRun({ config: 'cartpole/props', seed: 5, runsDir: offlineRuns, overrides: ['iterations=2'] });
  mkdirSync(join(offlineRuns, 'notes'));
  const model = scriptedModel((_, call) =>
    answerOf([call % 5, 0, 1, -1, 0, 2, 0, 1, 0, 0.5]).replace('Because', 'The worst episode:'),
  );
  const language = { config: 'cartpole/three-traj', seed: 6, runsDir: join(root, 'language'), model };
  ({ folder: languageRun } = await smallRun({ ...language, overrides: ['iterations=3', 'model=openai/scripted'] }));
});
afterAll(() => rmSync(root, { recursive: true }));

interface Document {
  readonly analysis: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly runs: readonly { readonly run: string; readonly status: string; readonly iterations: number }[];
  readonly left_out: readonly { readonly path: string; readonly reason: string }[];
  readonly groups: readonly Readonly<Record<string, unknown>>[];
}

async function analyzed(...args: string[]): Promise<{ document: Document; stderr: string }> {
  const { code, stdout, stderr } = await runHere(['analyze', ...args, '--json']);
  // What is damaged is left out, and the command fails at its end.
  expect(code, stderr).toBe(stderr.includes('left out: ') ? 1 : 0);
  return { document: JSON.parse(stdout) as Document, stderr };
}

describe('r2po analyze', () => {
  it.each(analyses.map(({ id }) => id))('%s prints tables, and lists skipped runs on stderr', async (kind) => {
    const file = join(root, `${kind}.csv`);
    const hasRows = analyses.find(({ id }) => id === kind)!.hasRows === true;
    const { code, stdout, stderr } = await runHere(['analyze', kind, offlineRuns, ...(hasRows ? ['--csv', file] : [])]);
    expect(existsSync(file)).toBe(hasRows);
    if (hasRows) {
      const [header, ...rows] = readFileSync(file, 'utf8').trimEnd().split('\n');
      expect(header).toMatch(/^run,env,method,model,seed,iteration,category,/);
      expect(rows.length).toBeGreaterThan(5);
      expect(stdout).toContain('Largest regressions');
      const refused = await runHere(['analyze', 'salience', offlineRuns, '--csv', file]);
      expect(refused).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('an analysis with rows (edits, search)'),
      });
    }
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('notes": neither is nor contains a run folder'),
    });
    expect(stderr).toMatch(/left out ".*props.*": an iteration of props makes a single candidate/);
    expect(stdout).toContain('CartPole-v1');
    expect(stdout).toContain('2 runs (0 unfinished), 10 iterations');
    expect(stdout).toContain('a numeric optimiser, not a language model');
    expect(stdout).not.toMatch(/NaN|undefined|\[object/);
  });

  it.each(analyses.map(({ id }) => id))('%s prints one document with --json, counts first', async (kind) => {
    const { document } = await analyzed(kind, offlineRuns);
    expect(Object.keys(document).slice(0, 2)).toEqual(['analysis', 'counts']);
    expect(document.counts).toMatchObject({ runs: 2, unfinished: 0, left_out: 2, offline_model: 2, iterations: 10 });
    // The analysis by threshold sees the variants of a method as one.
    const variant = kind === 'tau-c' ? 'tau-c' : 'tau-c-half';
    expect(document.groups.map(({ method }) => method).sort()).toEqual([variant, 'three-traj']);
  });

  it('counts runs, iterations and pairs of the record', async () => {
    const { document } = await analyzed('salience', threeTraj);
    const decided = eventsOf(threeTraj).flatMap((event) => (event.type === 'iteration' ? [event.candidates] : []));
    const deltas = decided.filter((c) => c.length === 2).map(([a, b]) => b!.mean - a!.mean);
    expect(deltas.length).toBeGreaterThan(3);
    expect(document.groups[0]).toMatchObject({
      pairs: deltas.length,
      regressions: deltas.filter((delta) => delta < 0).length,
      improvements: deltas.filter((delta) => delta > 0).length,
    });
  });

  it('groups by the threshold in the prompts of the critic', async () => {
    const { document } = await analyzed('tau-c', offlineRuns);
    const thresholds = document.groups.map(({ method, threshold }) => [method, threshold]);
    expect(thresholds).toContainEqual(['tau-c', 240]);
    // Its configuration has a threshold, its critic is told none.
    expect(thresholds).toContainEqual(['three-traj', null]);
  });

  it('counts a run once even if it is named several times', async () => {
    const { document } = await analyzed('edits', threeTraj, offlineRuns, `${threeTraj}/`);
    expect(document.counts.runs).toBe(2);
    const copy = join(root, 'copy');
    cpSync(threeTraj, copy, { recursive: true });
    const copied = await analyzed('edits', threeTraj, copy);
    expect(copied.document.counts.runs).toBe(1);
    expect(copied.document.left_out).toEqual([
      { path: copy, reason: `has the configuration and the seed of "${threeTraj}"` },
    ]);
  });

  it('counts the iterations that branches share with their run once', async () => {
    const branches = join(root, 'branches');
    const plan = ['--at', '2', '--repeat', '2', 'iterations=5', '--runs-dir', branches];
    expect(await runHere(['branch', threeTraj, ...plan])).toMatchObject({ code: 0 });
    const pairsOf = ({ runs }: Document) => runs.map(({ iterations }) => iterations);
    // Whatever the order, the run itself has all of its iterations.
    const whole = await analyzed('edits', branches, threeTraj);
    expect(whole.document.counts.iterations).toBe(6 + 3 + 3);
    expect(pairsOf(whole.document)).toEqual([6, 3, 3]);
    expect(whole.stderr).toContain(`its first 2 iterations are counted once, with "${threeTraj}"`);
    const siblings = await analyzed('salience', branches);
    expect(pairsOf(siblings.document)).toEqual([5, 3]);
    const csv = join(root, 'search.csv');
    const search = await runHere(['analyze', 'search', branches, threeTraj, '--replay', '0', '--csv', csv, '--json']);
    const { groups, per_run } = JSON.parse(search.stdout);
    expect(groups.reduce((sum: number, { iterations }: { iterations: number }) => sum + iterations, 0)).toBe(12);
    expect(per_run.map((run: { shared_iterations: number }) => run.shared_iterations)).toEqual([0, 2, 2]);
    expect(readFileSync(csv, 'utf8').trimEnd().split('\n')).toHaveLength(1 + 12);
    const out = join(root, 'branches.csv');
    const exported = await runHere(['export', threeTraj, branches, '--out', out]);
    expect(exported.stderr.match(/its rows up to iteration 2 are those of .*; count them once/g)).toHaveLength(2);
    // A branch that has not gone on yet.
    const [begun] = whole.document.runs.slice(1).map(({ run }) => run);
    const lines = readFileSync(join(begun!, 'events.jsonl'), 'utf8').split('\n');
    const shared = lines.findIndex((line) => line.includes('"type":"branched"'));
    writeFileSync(join(begun!, 'events.jsonl'), `${lines.slice(0, shared + 1).join('\n')}\n`);
    const { document } = await analyzed('edits', begun!, threeTraj);
    expect(document.left_out).toEqual([{ path: begun, reason: `has no iteration that "${threeTraj}" has not` }]);
  });

  it('uses the completed iterations of an unfinished run, and skips a damaged run', async () => {
    const unfinished = join(root, 'unfinished');
    const damaged = join(root, 'damaged');
    cpSync(threeTraj, unfinished, { recursive: true });
    cpSync(languageRun, damaged, { recursive: true });
    const lines = readFileSync(join(threeTraj, 'events.jsonl'), 'utf8').split('\n');
    const third = lines.flatMap((line, i) => (line.includes('"type":"iteration"') ? [i] : []))[2]!;
    writeFileSync(join(unfinished, 'events.jsonl'), `${lines.slice(0, third + 2).join('\n')}\n{"type":"eval`);
    writeFileSync(join(damaged, 'events.jsonl'), '{"type":"what"}\n{}\n');
    const { document, stderr } = await analyzed('reward-groups', unfinished, damaged);
    expect(document.runs).toMatchObject([{ run: unfinished, status: 'running', iterations: 3 }]);
    expect(document.counts).toMatchObject({ unfinished: 1, left_out: 1 });
    expect(stderr).toContain(`unfinished "${unfinished}": uses its 3 completed iterations`);
    expect(stderr).toMatch(/left out ".*damaged": .*events\.jsonl:1/);
    const table = await runCli(['analyze', 'edits', unfinished]);
    expect(table.stdout).toContain(`${unfinished} (unfinished)  `);
    // Of the same configuration and seed, the longer one counts.
    const both = await analyzed('reward-groups', unfinished, threeTraj);
    expect(both.document.runs.map(({ run }) => run)).toEqual([threeTraj]);
    expect(both.document.left_out.map(({ path }) => path)).toEqual([unfinished]);
  });

  it('pools the optimiser with a language model only with --allow-mixed', async () => {
    const refused = await runHere(['analyze', 'salience', offlineRuns, languageRun]);
    expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('pool them with --allow-mixed');
    const { document } = await analyzed('salience', offlineRuns, languageRun, '--allow-mixed');
    expect(document.counts).toMatchObject({ offline_model: 2, language_model: 1 });
    const alone = await runHere(['analyze', 'salience', languageRun]);
    expect(alone.stdout).toContain('language models: openai/scripted (1 run)');
    expect(alone.stdout).not.toContain('optimiser');
  });

  it.each([
    [['salience'], 'got none; see'],
    [['edit', 'runs'], 'unknown kind of analysis "edit"; did you mean "edits"?'],
    [['edits', 'no-such-folder'], 'found no "no-such-folder"'],
  ])('%j is wrong usage', async (args, message) => {
    const { code, stdout, stderr } = await runHere(['analyze', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  it('fails without a usable run', async () => {
    const none = await runHere(['analyze', 'salience', join(offlineRuns, 'notes')]);
    expect(none.code).toBe(2);
    expect(none.stderr).toMatch(
      /expected runs that "salience" can use, got none: ".*notes": neither is nor contains a run folder/,
    );
  });
});
