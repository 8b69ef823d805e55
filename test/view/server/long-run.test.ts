/** The page of a run of many iterations has a part of them, and every other one when it is asked for. */
import { appendFileSync, closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { plainReply } from '../../../src/llm/chat.ts';
import type { EventBody } from '../../../src/runs/journal/events.ts';
import { RecordLines } from '../../../src/runs/journal/record.ts';
import { callPage, type RunPage, runPage } from '../../../src/view/api/run.ts';
import { mostShown, nearShown } from '../../../src/view/api/thinned.ts';
import { writeRun } from '../../support/run-folders.ts';
import { type TestView, testView } from '../../support/view.ts';

const length = mostShown + 301;
const leftOut = 1235;
let folder: string;
let view: TestView;
let seq = 0;

/** Every 5th reply cannot be used. */
function* eventsOf(iteration: number): Generator<EventBody> {
  const usage = { promptTokens: 3, completionTokens: 2, estimated: false };
  const reply = plainReply({ text: `params[0]: ${iteration}`, usage, requests: 1, model: 'm' });
  const messages = [{ role: 'user', content: `prompt of iteration ${iteration}` }] as const;
  const request = { messages, temperature: 1, seed: null, form: 'lines' } as const;
  yield { type: 'llm_call', iteration, purpose: 'search', attempt: 0, request, reply };
  if (iteration % 5 === 0) {
    yield { type: 'parse_failed', iteration, purpose: 'search', attempt: 0, problem: `no use ${iteration}` };
  }
  const candidates = [{ label: 'proposal', params: [iteration, 1], mean: iteration }];
  const trial = { kind: 'iteration', params: [iteration, 1], mean: iteration } as const;
  yield { type: 'iteration', iteration, kept: 'proposal', why: 'it is alone', candidates, trial };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'r2po-long-'));
  const lines = new RecordLines('events.jsonl');
  const written: Uint8Array[] = [];
  for (let iteration = 1; iteration <= length; iteration++) {
    for (const body of eventsOf(iteration)) {
      if (iteration === leftOut && body.type === 'llm_call') seq = lines.count;
      written.push(lines.make(body, new Date(1e12 + 1000 * iteration).toISOString()).line);
    }
  }
  writeRun(join(folder, 'long'));
  writeFileSync(join(folder, 'long', 'events.jsonl'), Buffer.concat(written));
  view = testView(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

const page = async (query: string): Promise<RunPage> => runPage.parse(await view.json(`/api/runs/long${query}`));

it('has a part of the iterations, and those near one that is asked for', async () => {
  const { iterations, calls, every, projection } = await page('');
  const numbers = iterations.map(({ iteration }) => iteration);
  expect([every > 1, numbers.length < mostShown, numbers.at(-1), numbers.includes(leftOut)]).toEqual([
    ...[true, true, length, false],
  ]);
  expect([calls.length, projection?.x.length]).toEqual([numbers.length, numbers.length]);
  const near = new Set((await page(`?near=${leftOut}`)).iterations.map(({ iteration }) => iteration));
  for (let n = leftOut - nearShown; n <= leftOut + nearShown; n++) expect(near.has(n)).toBe(true);
  expect((await view.get('/api/runs/long?near=x')).status).toBe(400);
});

it('has the calls of the others, too', async () => {
  const { call, messages } = callPage.parse(await view.json(`/api/runs/long/calls/${seq}`));
  expect([call.iteration, call.problem, messages[0]?.content]).toEqual([
    ...[leftOut, `no use ${leftOut}`, `prompt of iteration ${leftOut}`],
  ]);
  expect((await view.get(`/api/runs/long/calls/${seq + 1}`)).status).toBe(404);
});

it('reads the calls of a run that goes on from where it read the one before', async () => {
  const lines = new RecordLines('events.jsonl');
  const written = Array.from({ length: 4 }, (_, i) =>
    [...eventsOf(i + 1)].map((body) => lines.make(body, new Date(1e12).toISOString()).line),
  );
  writeRun(join(folder, 'live'));
  const path = join(folder, 'live', 'events.jsonl');
  writeFileSync(path, Buffer.concat(written.slice(0, 2).flat()));
  expect((await view.get('/api/runs/live/calls/2')).status).toBe(200);
  appendFileSync(path, Buffer.concat(written.slice(2).flat()));
  // Whoever reads the first line again finds it damaged.
  const fd = openSync(path, 'r+');
  writeSync(fd, 'X', 0);
  closeSync(fd);
  const { call, messages } = callPage.parse(await view.json('/api/runs/live/calls/6'));
  expect([call.iteration, messages[0]?.content]).toEqual([4, 'prompt of iteration 4']);
});
