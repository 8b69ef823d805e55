/** A run that nobody can steer goes on as any other. */
import { expect, it, vi } from 'vitest';
import { smallRun } from '../../support/experiment.ts';

vi.mock('../../../src/runs/control/server.ts', () => ({
  listenForControl: async () => ({ problem: '"/run/user/7/r2po": EROFS: the file system is read-only' }),
}));

it('a run without a socket goes on, and its process says so once', async () => {
  const notes: string[] = [];
  const options = { steerable: true, log: (text: string) => notes.push(text) };
  for (const seed of [4, 5]) {
    const { summary } = await smallRun({ overrides: ['iterations=1'], seed, options });
    expect(summary.status).toBe('finished');
  }
  expect(notes).toEqual([
    '"r2po ctl" cannot steer runs of this process: no socket in "/run/user/7/r2po": EROFS: the file system is read-only',
  ]);
});
