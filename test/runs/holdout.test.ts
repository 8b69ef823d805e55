/** `evaluation.holdout`: the best policy on seeds that no search plays, the same for all runs. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import { defaultReport, groupTable, makeReport, runTable } from '../../src/report/report.ts';
import { findReportRuns } from '../../src/report/run-records.ts';
import { runRows } from '../../src/report/tables/run-table.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { maxEpisodes } from '../../src/rollout/job-checks.ts';
import { readRun } from '../../src/runs/folder/read-run.ts';
import { openRecordedRun, replayRun } from '../../src/runs/replay.ts';
import { resolveUnits } from '../../src/runs/resolve-units.ts';
import { deriveSeed, holdoutSeed } from '../../src/runs/seeds.ts';
import { verifyRun } from '../../src/runs/verify/verify.ts';
import { smallRun, temporaryFolder } from '../support/experiment.ts';

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true }));

const holdout = 'evaluation.holdout=30';
const [search, optimiser, without] = [
  await smallRun({ runsDir: root, overrides: ['iterations=2', holdout] }),
  await smallRun({
    runsDir: root,
    config: 'cartpole/cma-es',
    settings: ['optimiser.episodes=100', 'evaluation.episodes=5', 'recheck.episodes=40', 'evaluation.backend=cpu'],
    overrides: [holdout],
  }),
  await smallRun({ runsDir: root, overrides: ['iterations=2'], seed: 8 }),
];

it('no seed of a search is one of the held-out ones', () => {
  const purposes = ['warmupEpisode', 'evaluation', 'recheck', 'model'] as const;
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.constantFrom(...purposes), fc.nat(2 ** 31), (seed, purpose, index) => {
      expect(deriveSeed(seed, purpose, index) + maxEpisodes).toBeLessThan(holdoutSeed);
    }),
  );
  expect(holdoutSeed + maxEpisodes).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER);
});

it('the best policy of a search and of an optimiser plays the same episodes', async () => {
  const backend = openCpuBackend({ threads: 1 });
  for (const { folder, summary } of [search, optimiser]) {
    const { env, policy, settings } = resolveUnits(await readRun(folder).config());
    const candidates = [Float64Array.from(summary.best!.params)];
    const again = await evaluate({ backend, env, policy, candidates, episodes: 30, seed: holdoutSeed });
    const { mean, ci95 } = again.summaries[0]!;
    expect(settings.maxSteps).toBeNull();
    expect(summary.best!.holdout).toEqual({ episodes: 30, mean, ci95 });
    expect(runRows(summary).map(([title]) => title)).toContain('best policy, held-out seeds');
  }
  await backend.close();
  expect(without.summary.best).not.toHaveProperty('holdout');
});

it('replay and verify play it again, and name a held-out mean that is another one', async () => {
  const backend = openCpuBackend({ threads: 1 });
  expect((await replayRun(await openRecordedRun(optimiser.folder), backend)).difference).toBeNull();
  const open = async () => backend;
  const checks = async (folder: string) => (await verifyRun(folder, { open })).checks;
  expect((await checks(search.folder)).filter(({ result }) => result !== 'holds')).toEqual([]);
  const path = join(search.folder, 'summary.json');
  const text = readFileSync(path, 'utf8');
  const summary = JSON.parse(text);
  summary.best.holdout.mean += 1;
  writeFileSync(path, JSON.stringify(summary));
  expect(findReportRuns([search.folder]).leftOut[0]!.reason).toContain('expected best.holdout.mean');
  writeFileSync(path, text);
  await backend.close();
});

it('reports have it beside the re-check, and only where a run has it', () => {
  const titles = (paths: string[]) => {
    const report = makeReport(findReportRuns(paths), { ...defaultReport, reward: 'holdout' });
    return [groupTable(report), runTable(report)].map(({ columns }) => columns.map(({ title }) => title));
  };
  for (const columns of titles([root])) expect(columns).toContain('held-out seeds');
  for (const columns of titles([without.folder])) expect(columns).not.toContain('held-out seeds');
  const report = makeReport(findReportRuns([root]), { ...defaultReport, reward: 'holdout' });
  const means = report.groups.map(({ rewards }) => rewards.holdout?.mean ?? null);
  expect(means.filter((mean) => mean !== null)).toHaveLength(2);
});
