/** The plans of the paper's tables: all runs exist in the published number, and a rehearsal ends in the table. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAxis } from '../../src/config/axes.ts';
import { findLlmMethod } from '../../src/methods/index.ts';
import { analyses } from '../../src/report/analyses/index.ts';
import { publishedResults, publishedSettings } from '../../src/report/published/published.ts';
import { expandSweep, type SweepRun } from '../../src/sweep/expand.ts';
import { findPaperPlan, type PaperPlan, paperPlans, publishedSeeds } from '../../src/sweep/paper-plans.ts';
import { runCli } from '../support/cli.ts';
import { temporaryFolder } from '../support/experiment.ts';
import { runCommand, runHere } from '../support/in-process.ts';
import { llmConfig } from '../support/llm-config.ts';

async function runsOf({ configs }: PaperPlan): Promise<SweepRun[]> {
  const axes = ['settings=published', `seed=${publishedSeeds}`].map(parseAxis);
  const runs: SweepRun[] = [];
  for await (const run of expandSweep({ configs, axes, flags: {}, shard: null })) runs.push(run);
  return runs;
}

describe('plans', () => {
  it.each(paperPlans)('$id: runs as published, each with the published calls and episodes', async (plan) => {
    const runs = await runsOf(plan);
    expect(runs).toHaveLength(plan.configs.length * publishedSettings.runs);
    for (const config of runs.map((run) => llmConfig(run.config))) {
      const calls = findLlmMethod(config.method).stages.filter((stage) => stage !== 'evaluate').length;
      expect(config.iterations * calls).toBe(publishedSettings.calls);
      expect(config.evaluation.episodes).toBe(publishedSettings.evaluationEpisodes);
      expect(config.settings).toBe('published');
    }
    for (const kind of plan.analyses) expect(analyses.map(({ id }) => id)).toContain(kind);
  });

  it('core and ablations cover every published line', async () => {
    const runs = [...(await runsOf(findPaperPlan('core'))), ...(await runsOf(findPaperPlan('ablations')))];
    const planned = new Set(runs.map(({ config }) => `${config.env} ${config.method}`));
    const lines = publishedResults.map(({ env, method }) => `${env} ${method}`);
    expect([...planned].sort()).toEqual([...new Set(lines)].sort());
  });

  it('tau-c tells its thresholds apart', async () => {
    const runs = await runsOf(findPaperPlan('tau-c'));
    const thresholds = (env: string) =>
      new Set(
        runs
          .filter(({ config }) => config.env === env)
          .map(({ config }) => llmConfig(config).critic.conservative_threshold),
      );
    expect(thresholds('CartPole-v1')).toEqual(new Set([480, 240, null]));
    expect(thresholds('Pong-v0')).toEqual(new Set([2.8, 1.4, null]));
  });
});

describe('r2po reproduce', () => {
  it('makes what is missing and prints the tables', async () => {
    const runsDir = temporaryFolder();
    const args = [
      'reproduce',
      'salience',
      '--model',
      'offline',
      '--seeds',
      '0,1',
      'iterations=3',
      'recheck.episodes=20',
    ];
    const place = ['--backend', 'cpu', '--runs-dir', runsDir];
    const plan = await runHere([...args, ...place, '--dry-run']);
    expect(plan.stdout).toContain('4 runs, 0 of them finished; estimate for the others: 24 model calls');
    const first = await runCli([...args, ...place]);
    expect(first.code, first.stderr).toBe(0);
    expect(first.stdout).toContain('Comparison with the published results');
    expect(first.stdout).toContain('a numeric optimiser, no language model');
    expect(first.stdout).toMatch(/strict/);
    const again = JSON.parse((await runHere([...args, ...place, '--json'])).stdout);
    expect(again.runs.map(({ already }: { already: boolean }) => already)).toEqual([true, true, true, true]);
    expect(again).toMatchObject({ plan: 'salience', analyses: [{ analysis: 'salience', counts: { runs: 4 } }] });

    // A character inside of the record of a finished run: the sweep takes it as finished, and its table must not.
    const broken: string = again.runs[2].folder;
    const record = join(broken, 'events.jsonl');
    writeFileSync(record, readFileSync(record, 'utf8').replace('"mean":', '"mean":1'));
    const rest = await runCommand(...args, ...place, '--json');
    expect(rest.code).toBe(1);
    expect(rest.stderr).toContain(`left out: ${broken}: events.jsonl`);
    expect(rest.stderr).toContain('the line was changed');
    const { report, runs } = JSON.parse(rest.stdout);
    expect(runs).toHaveLength(4);
    expect(JSON.stringify(report)).toContain(basename(again.runs[3].folder));
    expect(JSON.stringify(report.groups)).not.toContain(basename(broken));
    rmSync(runsDir, { recursive: true });
  }, 60_000);

  it('that is broken off says how to go on, and analyses nothing', async () => {
    const runsDir = temporaryFolder();
    const args = ['reproduce', 'salience', '--model', 'offline', '--seeds', '4', 'iterations=3', '--max-calls', '1'];
    const { code, stdout, stderr } = await runHere([...args, '--backend', 'cpu', '--runs-dir', runsDir]);
    expect({ code, stderr }).toMatchObject({
      code: 7,
      stderr: expect.stringContaining('2 of 2 runs are not finished'),
    });
    expect(stdout).not.toMatch(/strict/);
    rmSync(runsDir, { recursive: true });
  });

  it.each([
    [['reproduce', 'cor', '--model', 'offline'], 'unknown plan "cor"; did you mean "core"?'],
    [['reproduce', 'core'], '[--model] expected the model to run with, got none'],
    [['reproduce', 'core', '--model', 'offline', '--seeds', '1,1'], 'got one of them twice'],
    [['reproduce', 'core', 'seed=3', '--model', 'offline'], 'expected each key once, got "seed" again (seed=0..9)'],
  ])('%j: exit 2', async (given, message) => {
    const { code, stderr } = await runHere(given);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  });
});
