/** The scripts in bench/ that nothing else runs still find their inputs; speeds are not tested. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { assetPath } from '../../src/base/node/assets.ts';
import { describeGpu } from '../support/gpu.ts';

async function run(script: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    const done = await promisify(execFile)(process.execPath, [assetPath(`bench/${script}`), ...args]);
    return { code: 0, ...done };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

it('lanes.mjs counts how the lanes of warps are used', async () => {
  const { code, stdout } = await run('lanes.mjs', 'cliffwalking', 'nim');
  expect(code).toBe(0);
  const rows = stdout
    .trim()
    .split('\n')
    .slice(2)
    .map((line) => line.split(/ +/));
  expect(rows.map(([env]) => env)).toEqual(['CliffWalking-v1', 'Nim-v0']);
  const [cliff, [byCandidate, bySeed]] = rows.map(([, ...values]) => values.map(Number)) as [number[], number[]];
  // Every random policy walks until the limit, so no lane waits.
  expect(cliff).toEqual([1, 1, 1000]);
  for (const share of [byCandidate, bySeed]) {
    expect(share).toBeGreaterThan(1 / 32);
    expect(share).toBeLessThan(1);
  }
});

it('peers/run.mjs plays a line of ours and names what is missing', async () => {
  const args = ['maze', '--episodes', '150', '--repeats', '1', '--seconds-limit', '0.1', '--only', 'cpu,numpy'];
  const { code, stdout } = await run('peers/run.mjs', ...args);
  expect(code).toBe(0);
  expect(stdout).toMatch(/\| our cpu backend, one thread +\| .* 150 \| +30000 \|/);
  const wrong = await run('peers/run.mjs', '--only', 'nobody');
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toMatch(/^error: --only: expected some of cpu,.*got "nobody"/);
});

describeGpu('workgroups.mjs', () => {
  it('times a size after the other', async () => {
    const { code, stdout } = await run('workgroups.mjs', '--episodes', '70', '--repeats', '1', 'maze');
    expect(code).toBe(0);
    const [title, sizes, row] = stdout.trim().split('\n');
    expect(title).toContain('70 episodes, medians of 1');
    expect(sizes).toMatch(/32 +64\* +128 +256$/);
    const speeds = row!.split(/ +/).slice(1).map(Number);
    expect(speeds).toHaveLength(4);
    for (const speed of speeds) expect(speed).toBeGreaterThan(0);
  });

  it('refuses a number of episodes that is none', async () => {
    const { code, stderr } = await run('workgroups.mjs', '--episodes', 'many');
    expect(code).toBe(2);
    expect(stderr).toContain('expected whole numbers above 0');
  });
});

it.each(['optimisers', 'baselines', 'hybrids'])('%s.mjs finds its numbers in the document', async (name) => {
  const { code, stderr } = await run(`${name}.mjs`, 'check');
  expect(stderr).toBe('');
  expect(code).toBe(0);
});

it('generation.mjs gives the parts of a generation', async () => {
  const { code, stdout } = await run(
    'generation.mjs',
    'cpu',
    '--population',
    '4',
    '--episodes',
    '2',
    '--generations',
    '3',
  );
  expect(code).toBe(0);
  const rows = stdout.trim().split('\n').slice(2);
  expect(rows.map((row) => row.split(/ +/)[0])).toEqual(['first_of_process', 'first', 'last_third']);
  // The other rows are medians, of each part by itself.
  const [ask, play, tell, whole] = rows[0]!.split(/ +/).slice(1).map(Number) as [number, number, number, number];
  expect(whole).toBeCloseTo(ask + play + tell, 1);
});
