/** A run whose folder is deleted meanwhile says so, whatever it was doing. */
import { existsSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LostLockError } from '../../src/runs/journal/lock.ts';
import { execute, prepareRun } from '../support/experiment.ts';

describe('a run whose folder is deleted', () => {
  it.each(['run_started', 'llm_call', 'iteration', 'rechecked', 'run_finished'])(
    'behind %s, ends with the reason and exit code 1',
    async (type) => {
      const notices: string[] = [];
      const prepared = await prepareRun({
        overrides: ['iterations=1'],
        options: {
          onNotice: (text) => notices.push(text),
          onProgress: ({ event }) => {
            if (event?.type === type) rmSync(prepared.folder, { recursive: true, force: true });
          },
        },
      });
      const error = await execute(prepared).catch((thrown) => thrown);
      await prepared.backend.close();
      expect(error).toBeInstanceOf(LostLockError);
      expect(error).toMatchObject({ exitCode: 1, detail: expect.stringContaining('was deleted or moved meanwhile') });
      expect(error.message).not.toContain('resume with');
      expect(notices).toEqual([]);
      expect(existsSync(prepared.folder)).toBe(false);
    },
  );
});
