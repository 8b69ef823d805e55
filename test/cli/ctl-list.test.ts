/** `r2po ctl list` with what the sockets of the user answer, whatever else goes on here. */
import { expect, it, vi } from 'vitest';
import type { LiveRuns } from '../../src/runs/control/client.ts';
import { runCommand } from '../support/in-process.ts';

let found: LiveRuns;
vi.mock('../../src/runs/control/client.ts', async (original) => ({
  ...(await original<typeof import('../../src/runs/control/client.ts')>()),
  listLiveRuns: async () => found,
}));

it.each([
  [0, ''],
  [1, 'warning: 1 socket of a run did not answer; try again\n'],
])('says that no run goes on, and that %i sockets did not answer', async (silent, warning) => {
  found = { runs: [], silent };
  expect(await runCommand('ctl', 'list')).toEqual({
    code: 0,
    stdout: 'no run of this user goes on here\n',
    stderr: warning,
  });
  expect(JSON.parse((await runCommand('ctl', 'list', '--json')).stdout)).toEqual({ runs: [] });
});
