/** Prices that come after the start of a run: its folder has them, so that its cost can be made again from it. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { temporaryFolder } from '../support/experiment.ts';
import { type FakeRequest, type FakeServer, startFakeServer } from '../support/fake-model-server.ts';
import { runHere } from '../support/in-process.ts';

const root = temporaryFolder();
let server: FakeServer;
/** Which requests a filter blocks; they are billed as all others. */
let refuses: (request: FakeRequest, call: number) => boolean = () => false;
beforeAll(async () => {
  server = await startFakeServer({
    reply: (request, call) => ({
      finishReason: refuses(request, call) ? 'content_filter' : 'stop',
      text: Array.from({ length: 10 }, (_x, i) => `params[${i}]: ${(call + i) % 5}`).join(', '),
      usage: { prompt_tokens: 1_000_000, completion_tokens: 0 },
    }),
  });
});
afterAll(async () => {
  await server.close();
  rmSync(root, { recursive: true });
});

const short = ['iterations=4', 'recheck.episodes=20', 'evaluation.episodes=3', 'warmup.policies=2', '--backend', 'cpu'];
const price = (usd: number) =>
  `prices={${JSON.stringify(`${server.url}#m`)}: {prompt_per_million: ${usd}, completion_per_million: 1, date: 2026-01-02}}`;
const configOf = (folder: string) => parse(readFileSync(join(root, folder, 'config.yaml'), 'utf8'));
const costOf = (folder: string) => JSON.parse(readFileSync(join(root, folder, 'summary.json'), 'utf8')).llm.cost_usd;
const verified = async (folder: string) => (await runHere(['verify', folder], { cwd: root })).code;

it('of a resumed run are kept, and its cost verified', async () => {
  const folder = join('runs', 'a');
  const place = ['--name', 'a', '--model', `${server.url}#m`];
  const begun = await runHere(['run', 'cartpole/props', ...short, ...place, '--max-calls', '2'], { cwd: root });
  expect(begun.code, begun.stderr).toBe(5);
  const before = configOf(folder);
  expect(before.prices).toMatchObject({ [`${server.url}#m`]: { prompt_per_million: 0 } });
  const again = await runHere(['run', folder, '--resume', price(7), '--max-calls', '2'], { cwd: root });
  expect(again.code, again.stderr).toBe(5);
  expect([costOf(folder), await verified(folder)]).toEqual([14, 0]);

  const ended = await runHere(['run', folder, '--resume', price(7)], { cwd: root });
  expect(ended.code, ended.stderr).toBe(0);
  expect(costOf(folder)).toBe(28);
  const { prices, ...others } = configOf(folder);
  expect({ ...others, prices: before.prices }).toEqual(before);
  expect(prices[`${server.url}#m`]).toMatchObject({ prompt_per_million: 7, date: '2026-01-02' });
  expect(await verified(folder)).toBe(0);

  // Of a finished run too, and without a price the one that is kept holds.
  await runHere(['run', folder, '--resume', price(9)], { cwd: root });
  expect([costOf(folder), await verified(folder)]).toEqual([36, 0]);
  await runHere(['run', folder, '--resume'], { cwd: root });
  expect([costOf(folder), await verified(folder)]).toEqual([36, 0]);
});

it('count requests that got no reply, of calls that failed and of others', async () => {
  const folder = join('runs', 'refused');
  const summaryOf = () => JSON.parse(readFileSync(join(root, folder, 'summary.json'), 'utf8')).llm;
  const model = ['--name', 'refused', '--model', `${server.url}#m`, price(7), 'llm.temperature=0.7', 'iterations=3'];
  const from = server.requests.length;
  // One of the first call, and all of the second.
  refuses = (_request, call) => call === from || call >= from + 2;
  const begun = await runHere(['run', 'cartpole/props', ...short, ...model], { cwd: root });
  expect(begun.code, begun.stderr).toBe(4);
  expect(server.requests.length - from).toBe(4);
  const used = { calls: 1, failed_calls: 3, prompt_tokens: 4_000_000, cost_usd: 28 };
  expect(summaryOf()).toMatchObject(used);
  expect(await verified(folder)).toBe(0);

  const again = await runHere(['run', folder, '--resume', '--max-cost', '28'], { cwd: root });
  expect(again.code, again.stderr).toBe(5);
  expect(again.stderr).toContain('budget of 28 USD is used up (28)');
  expect(server.requests.length - from).toBe(4);
  refuses = () => false;
  const ended = await runHere(['run', folder, '--resume', '--max-cost', '50'], { cwd: root });
  expect(ended.code, ended.stderr).toBe(0);
  expect(summaryOf()).toMatchObject({ ...used, calls: 3, prompt_tokens: 6_000_000, cost_usd: 42 });
  expect([await verified(folder), (await runHere(['replay', folder], { cwd: root })).code]).toEqual([0, 0]);
});

it('of a sweep that is repeated are kept by its runs', async () => {
  const sweep = (...more: string[]) =>
    runHere(['sweep', 'cartpole/props', 'seed=1', ...short, '--model', `${server.url}#m`, '--runs-dir', 's', ...more], {
      cwd: root,
    });
  const first = await sweep('--max-calls', '2', '--json');
  expect(first.code, first.stderr).toBe(7);
  const [run] = JSON.parse(first.stdout).runs as { folder: string }[];
  const { folder } = run!;
  expect([costOf(folder), await verified(folder)]).toEqual([0, 0]);
  await sweep(price(2), '--max-calls', '3');
  expect([costOf(folder), await verified(folder)]).toEqual([6, 0]);
  await sweep();
  expect([costOf(folder), await verified(folder)]).toEqual([8, 0]);
});
