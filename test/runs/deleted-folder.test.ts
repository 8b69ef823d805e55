/** A run whose folder is deleted meanwhile says so, whatever it was doing. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LostLockError } from '../../src/runs/journal/lock.ts';
import { execute, prepareRun } from '../support/experiment.ts';

async function failureOf(type: string, remove: (folder: string) => void) {
  const notices: string[] = [];
  const prepared = await prepareRun({
    overrides: ['iterations=1'],
    options: {
      onNotice: (text) => notices.push(text),
      onProgress: ({ event }) => {
        if (event?.type === type) remove(prepared.folder);
      },
    },
  });
  const error = await execute(prepared).catch((thrown) => thrown);
  await prepared.backend.close();
  expect(error).toBeInstanceOf(LostLockError);
  expect(error.exitCode).toBe(1);
  expect(error.message).not.toContain('resume with');
  expect(notices).toEqual([]);
  return { error, folder: prepared.folder };
}

describe('a run whose folder is deleted', () => {
  it.each(['run_started', 'llm_call', 'iteration', 'rechecked', 'run_finished'])(
    'behind %s, ends with the reason and exit code 1',
    async (type) => {
      const { error, folder } = await failureOf(type, (path) => rmSync(path, { recursive: true, force: true }));
      expect(error.detail).toContain('was deleted or moved meanwhile');
      expect(existsSync(folder)).toBe(false);
    },
  );

  it('says that of its journal alone, too', async () => {
    const { error } = await failureOf('llm_call', (path) => rmSync(join(path, 'events.jsonl'), { force: true }));
    expect(error.message).toMatch(
      /^\[events\.jsonl\] expected ".*events\.jsonl" .* it was deleted or replaced meanwhile/,
    );
  });
});
