/** Damaged logs of other programs are imported without crashing, and their problems are reported. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readReplyParams, readTable } from '../../src/interop/reference/text.ts';
import { MonitorFile } from '../../src/interop/sb3/monitor.ts';
import { methodNamed } from '../../src/interop/sb3/subject.ts';
import { temporaryFolder } from '../support/experiment.ts';

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true }));

it('takes no parameter that is no number of ours', () => {
  expect(readReplyParams('params[0]: 1, params[1]: -2.5e1', 2, 'last')).toEqual([1, -25]);
  expect(readReplyParams('params[0]: 1, params[1]: 1e999', 2, 'last')).toBeNull();
  expect(readReplyParams('params[0]: 1', 2, 'last')).toBeNull();
  expect(readTable('{0: 1.0, 1: np.float64(2.0)}', 2)).toEqual([1, 2]);
  expect(readTable(`{0: 1.0, 1: ${'9'.repeat(400)}}`, 2)).toBeNull();
});

it('says of a file that cannot be opened that it cannot be read, when it is its turn', async () => {
  const file = new MonitorFile(join(root, 'gone.monitor.csv'), 0);
  // Longer than it takes to find that there is no such file.
  await new Promise((resolve) => setTimeout(resolve, 20));
  await file.fill();
  expect(file.next).toBeUndefined();
  expect(file.damaged).toMatchObject({ expected: 'a readable file' });
  expect(file.problems).toEqual([]);
  await file.close();
});

it('takes a label that is no name for none', () => {
  expect(methodNamed('SB3/PPO')).toBe('sb3/ppo');
  expect(methodNamed('PPO v2/run_1')).toBeNull();
});
