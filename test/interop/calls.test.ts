/** `r2po export --format calls`: every request of a run as it was sent, whatever the format of its journal. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { callLines } from '../../src/interop/calls.ts';
import { walkEvents } from '../../src/runs/journal/journal.ts';
import { runCli } from '../support/cli.ts';
import { answerOf, linesOf, scriptedModel, smallRun, temporaryFolder } from '../support/experiment.ts';

const linesFrom = (folder: string) => [...callLines(walkEvents(folder), null)].map((line) => JSON.parse(line));

describe('the calls of a run', () => {
  it('are what the model was sent, to the bit, in the order of the calls', async () => {
    const params = [0.1, -2, 3, 0, 0.5, 6, 0, 6, -1, 1];
    // A refused reply with marks that a journal writes as escapes, so that repair turns quote it.
    const model = scriptedModel((_, call) =>
      call % 4 === 1 ? 'no ☃ \u202e' : answerOf([call / 10, ...params.slice(1)]),
    );
    const { folder } = await smallRun({ model, overrides: ['iterations=4'] });
    const lines = linesFrom(folder);
    expect(lines.map(({ messages }) => messages)).toEqual(
      model.requests.map(({ messages }) => messages.map(({ role, content }) => ({ role, content }))),
    );
    expect(Object.keys(lines[1])).toEqual(['seq', 'iteration', 'purpose', 'attempt', 'messages', 'reply', 'usage']);
    expect(lines.slice(0, 3)).toMatchObject([
      { seq: 5, iteration: 1, purpose: 'search', attempt: 0, reply: answerOf([0, ...params.slice(1)]) },
      {
        iteration: 1,
        purpose: 'critic',
        attempt: 0,
        reply: 'no ☃ \u202e',
        usage: { promptTokens: 100, completionTokens: 7 },
      },
      { iteration: 1, purpose: 'critic', attempt: 1 },
    ]);
    // Most of it stands in the journal once.
    expect(readFileSync(join(folder, 'events.jsonl'), 'utf8').split('You review the parameters')).toHaveLength(2);
  });

  it('of a journal of format 1 are its messages', () => {
    const recorded = linesOf('test/cases/finished-run').filter(({ type }) => type === 'llm_call');
    expect(recorded.length).toBeGreaterThan(0);
    expect(linesFrom('test/cases/finished-run').map(({ messages }) => messages)).toEqual(
      recorded.map(({ request }) => (request as { messages: unknown }).messages),
    );
  });

  it('go into one file, which is replaced only where that is asked for', async () => {
    const out = join(temporaryFolder(), 'calls.jsonl');
    const command = ['export', 'test/cases/finished-run', 'test/cases/stopped-run', '--format', 'calls', '--out', out];
    expect(JSON.parse((await runCli([...command, '--json'])).stdout)).toEqual({
      format: 'calls',
      written: [out],
      left_out: [],
    });
    const lines = readFileSync(out, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect([...new Set(lines.map(({ run }) => run))]).toEqual(['finished-run', 'stopped-run']);
    const again = await runCli(command);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('add --force to replace it');
    expect(existsSync(`${out}.tmp`)).toBe(false);
  });
});
