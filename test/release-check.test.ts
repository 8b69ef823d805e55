/** The release check in small: the table is read as it is meant, and its quickest steps pass in this checkout. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { runStep, stepsOf } from '../scripts/release-check.mjs';

const steps = stepsOf(readFileSync('docs/release-check.md', 'utf8'));

it('has sixty steps in their order, of which every command is tried', () => {
  expect(steps.map(({ number }) => number)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
  for (const { code, seen } of steps) expect([Number.isInteger(code), seen.length > 0]).toEqual([true, true]);
  expect(steps.find(({ command }) => command.startsWith('echo'))!.command).toContain("' | r2po probe");
});

it('passes its quick steps, and tells a wrong exit code and a missing text', () => {
  const folder = mkdtempSync(join(tmpdir(), 'r2po-steps-'));
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const program = resolve('dist/cli/main.js');
  writeFileSync(join(bin, 'r2po'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, { mode: 0o755 });
  try {
    for (const number of [1, 5, 13]) expect(runStep(steps[number - 1]!, folder, [bin])).toBeNull();
    expect(runStep({ ...steps[0]!, code: 3 }, folder, [bin])).toContain('expected exit code 3, got 0');
    expect(runStep({ ...steps[0]!, seen: 'nowhere' }, folder, [bin])).toContain('expected "nowhere" in the output');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
