/** A key that somebody types in the wrong place is not printed. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { temporaryFolder } from '../support/experiment.ts';
import { runCommand } from '../support/in-process.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'mine.yaml');
const key = (n: number) => `sk-Misplaced-${n}-q7Lx0`;
writeFileSync(file, `extends: cartpole/r2po\nllm:\n  headers: {X-Api: ${key(4)}}\n`);

it.each([
  ['an option', ['cartpole/r2po', `--openai-api-key=${key(0)}`], "unknown option '--openai-api-key'"],
  ['an override', ['cartpole/r2po', `llm.api_key=${key(1)}`], 'unknown key "llm.api_key"'],
  ['a header', ['cartpole/r2po', `llm.headers.Authorization=${key(2)}`], 'the name of an environment variable'],
  ['headers', ['cartpole/r2po', `llm.headers={X-Api: ${key(3)}}`], 'the name of an environment variable'],
  ['a file', [file], 'the name of an environment variable'],
])('in %s', async (_where, args, message) => {
  const { code, stdout, stderr } = await runCommand('run', ...args);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  expect(stdout + stderr).not.toContain('q7Lx0');
});
