/** The solution of a table as a run: recorded, replayed and verified as all others. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { readRun } from '../../src/runs/folder/read-run.ts';
import { openRecordedRun, replayRun } from '../../src/runs/replay.ts';
import { verifyRun } from '../../src/runs/verify/verify.ts';
import { eventsOf, readJson, temporaryFolder } from '../support/experiment.ts';
import { runCommand } from '../support/in-process.ts';

const root = temporaryFolder();
const backend = openCpuBackend({ threads: 1 });
afterAll(async () => {
  rmSync(root, { recursive: true });
  await backend.close();
});

async function solved(name: string, ...options: string[]) {
  const result = await runCommand('solve', 'frozenlake', '--runs-dir', root, '--name', name, '--json', ...options);
  expect(result.code, result.stderr).toBe(0);
  const folder = join(root, name);
  const document = JSON.parse(result.stdout);
  expect(document.run).toBe(folder);
  const why = eventsOf(folder).flatMap((event) => (event.type === 'iteration' ? [event.why] : []));
  return { folder, document, why };
}

describe('r2po solve with a run', () => {
  it('plays the best table, records the bound, and the run is replayed and verified', async () => {
    const { folder, document, why } = await solved('best', '--max-steps', '21');
    const { params, mean } = document.stationary;
    expect(why).toEqual([
      `the best table, whose mean return is ${mean}; the best policy that knows the time has ${document.time_dependent.mean}`,
    ]);
    const { best, method, model_kind, llm } = readJson(folder);
    expect({ method, model_kind, calls: llm.calls, params: best?.params }).toEqual({
      ...{ method: 'exact', model_kind: 'none', calls: 0, params },
    });
    const [low, high] = best!.rechecked!.ci95!;
    expect(mean).toBeGreaterThan(low - 0.01);
    expect(mean).toBeLessThan(high + 0.01);
    expect(await replayRun(await openRecordedRun(folder), backend)).toMatchObject({ difference: null, complete: true });
    expect(await verifyRun(folder, { open: async () => backend })).toMatchObject({ difference: null });
    const report = await runCommand('report', folder, '--json');
    expect(report.code).toBe(0);
  });

  it('ends its search after as many tables when it is replayed as when it was made', async () => {
    const { folder, document, why } = await solved('ended', '--max-time', '0.000001', '--max-steps', '12');
    expect(document.stationary.exact).toBe(false);
    expect((readRun(folder).writtenConfig() as { optimiser: { work: number } }).optimiser.work).toBe(0);
    expect(why[0]).toContain(`none has more than ${document.stationary.bound}`);
    expect(await replayRun(await openRecordedRun(folder), backend)).toMatchObject({ difference: null, complete: true });
  });

  it.each(['map=["SF","HG"]', 'map=["SFH","FFG"]'])(
    'has no rounding between optima that are ordered: %s',
    async (map) => {
      const { stdout } = await runCommand('solve', 'FrozenLake-v1', '--env-option', map, '--json');
      const { stationary, time_dependent: timed, unlimited } = JSON.parse(stdout);
      expect(timed.mean).toBeGreaterThanOrEqual(stationary.mean);
      expect(unlimited.mean).toBeGreaterThanOrEqual(timed.mean);
    },
  );

  it('refuses a limit above that of the environment, which would have no effect', async () => {
    const { code, stderr, stdout } = await runCommand('solve', 'frozenlake', '--max-steps', '101', '--json');
    expect(stderr).toContain(
      '[--max-steps] expected at most 100, the step limit of FrozenLake-v1, got 101; for longer episodes, give ' +
        '--env-option max_episode_steps=101 instead',
    );
    expect([code, stdout]).toEqual([2, '']);
  });

  it('makes no run unless one is asked for', async () => {
    // Without a limit it is the same, however short the one of the table is.
    const short = JSON.parse((await runCommand('solve', 'frozenlake', '--max-steps', '5', '--json')).stdout);
    expect(short).toMatchObject({ step_limit: 5, unlimited: { mean: expect.closeTo(14 / 17, 9) } });
    const { stdout } = await runCommand('solve', 'maze', '--json');
    expect(Object.keys(JSON.parse(stdout))).toEqual([
      ...['env', 'env_options', 'step_limit', 'stationary', 'time_dependent', 'unlimited'],
    ]);
  });
});
