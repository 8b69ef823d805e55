/** `--out` of every command: a path that can be no folder is wrong usage, said before the work is done. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/experiment.ts';
import { runCommand } from '../support/in-process.ts';

const run = 'test/cases/format-2-finished-run';
const runsDir = join(temporaryFolder(), 'runs');

describe.runIf(existsSync('/proc'))('--out /proc/nope', () => {
  it.each([
    ['export', run, '--format', 'csv'],
    ['export', run, '--format', 'parquet'],
    ['export', run, '--format', 'reference'],
    ['export', run, '--format', 'calls'],
    ['report', run],
    ['sweep', 'cartpole/r2po', 'iterations=1', '--runs-dir', runsDir],
  ])('of %s %s %s %s ends with exit code 2', async (...args) => {
    const { code, stderr } = await runCommand(...args, '--out', '/proc/nope');
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('[--out] ') });
    expect(stderr).toContain('"/proc/nope');
    expect(existsSync(runsDir)).toBe(false);
  });
});
