/** Searches with a real model, as a user runs them. R2PO_TEST_MODEL: its GGUF file; LLAMA_SERVER: the program, or nothing. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findPackage, loadPackage } from '../../src/llm/local/package.ts';
import { gbnfOf } from '../../src/llm/reply/forms.ts';
import type { ReplyShape } from '../../src/llm/reply/shape.ts';
import type { EventOf } from '../../src/runs/journal/events.ts';
import { runCli } from '../support/cli.ts';

const file = resolve(process.env.R2PO_TEST_MODEL ?? '');
const server = process.env.LLAMA_SERVER;
const isShort = process.env.R2PO_MODELS_SHORT === '1';
/** node-llama-cpp is found from here. */
const packages = resolve('test-models');
const folder = mkdtempSync(join(tmpdir(), 'r2po-models-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** New tokens of a prompt, at most, once the history is what grows. */
const mostNewTokens = 200;
const iterations = 4;
/** after which an embedded run is broken off, to be resumed */
const firstCalls = 2;
const timeoutMs = 1_500_000;

type Call = EventOf<'llm_call'>;

function callsOf(name: string): { calls: Call[]; refused: number } {
  const lines = readFileSync(join(folder, name, 'events.jsonl'), 'utf8')
    .trim()
    .split('\n');
  const events = lines.map((line) => JSON.parse(line) as { type: string });
  return {
    calls: events.filter((event): event is Call => event.type === 'llm_call'),
    refused: events.filter(({ type }) => type === 'parse_failed').length,
  };
}

/** Small models copy known points, which is no matter here. */
const settings = [
  `iterations=${iterations}`,
  'search.duplicates=allow',
  'recheck.episodes=20',
  'llm.timeout_s=1200',
  '--backend=cpu',
];

/** Short critic prompts: the time goes into their evaluation. */
const criticSettings = (config: string) => (config.endsWith('/r2po') ? ['critic.trajectory_tokens=100'] : []);

const run = (config: string, model: string, name: string, ...more: string[]) => {
  const overrides = [...settings, ...criticSettings(config)];
  const place = ['--runs-dir', folder, '--name', name];
  return runCli(['run', config, '--model', model, ...overrides, ...place, ...more], { cwd: packages, timeoutMs });
};

const newTokens = ({ reply: { usage } }: Call) => usage.promptTokens - (usage.cachedTokens ?? 0);

function report(name: string, { calls, refused }: ReturnType<typeof callsOf>): void {
  const of = (purpose: string) => calls.filter((call) => call.purpose === purpose);
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const rate = mean(calls.flatMap(({ reply }) => reply.tokensPerSecond ?? []));
  const fresh = ['search', 'critic'].map((purpose) => `${purpose} ${of(purpose).map(newTokens).join(' ') || '-'}`);
  console.log(
    `${name}: ${calls.length - refused} of ${calls.length} replies usable; new prompt tokens ${fresh.join(', ')}; ` +
      `${rate.toFixed(1)} tokens/s; ${mean(calls.map(({ reply }) => reply.latencySeconds)).toFixed(1)} s a call`,
  );
}

/** Calls that find their purpose's prompt before in the cache; `resumedAt`: the first call of another process. */
function cached(calls: readonly Call[], resumedAt: number): Call[] {
  return calls.filter((call, i) =>
    calls.slice(i < resumedAt ? 0 : resumedAt, i).some((c) => c.purpose === call.purpose),
  );
}

function checkRun(name: string, resumedAt = 0): void {
  const done = callsOf(name);
  report(name, done);
  expect(done.refused).toBe(0);
  expect(done.calls.map(({ request }) => request.form)).toEqual(done.calls.map(() => 'grammar'));
  expect(done.calls.every(({ reply }) => reply.finish === 'stop')).toBe(true);
  const late = cached(done.calls, resumedAt).filter((call) => call.purpose === 'search' && call.iteration >= 3);
  expect(late.length).toBeGreaterThan(0);
  for (const call of late) expect(newTokens(call)).toBeLessThanOrEqual(mostNewTokens);
}

const all = ['frozenlake/props', 'cartpole/r2po', 'cartpole/props', 'frozenlake/r2po'];
const configs = isShort ? all.slice(0, 1) : all;

describe('grammars', () => {
  it('are taken by llama.cpp for every size of policy', async () => {
    const { llamaCpp } = await loadPackage('test', findPackage([join(packages, 'x')]));
    const llama = await llamaCpp.getLlama({
      gpu: false,
      build: 'never',
      progressLogs: false,
      logLevel: 'error',
      logger: () => {},
      maxThreads: 1,
    });
    const real = (low: number, high: number, decimals: number | null) =>
      ({ kind: 'real', low, high, decimals }) as const;
    const kinds: ReplyShape['values'][] = [
      real(-6, 6, 1),
      real(-6, 6, null),
      real(0.001, 0.002, 5),
      real(-1000, 1234.5, 12),
      { kind: 'choice', values: [0, 1, 2, 3, 4, 5] },
    ];
    for (const values of kinds) {
      for (const count of [1, 10, 105, 1000]) {
        await llama.createGrammar({ grammar: gbnfOf({ count, values, explanationLength: 300 }) });
      }
    }
  });
});

describe('embedded', () => {
  const model = `gguf:${file}#gpu=false`;

  it.each(configs)('%s', async (config) => {
    const name = `embedded-${config.replace('/', '-')}`;
    const stopped = await run(config, model, name, '--max-calls', `${firstCalls}`);
    expect(stopped, stopped.stderr).toMatchObject({ code: 5 });
    const ended = await run(config, model, name, '--resume');
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    checkRun(name, firstCalls);
    const replayed = await runCli(['replay', join(folder, name)], { cwd: packages, timeoutMs });
    expect(replayed, replayed.stderr).toMatchObject({ code: 0 });
  });
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => probe.once('listening', listening));
  const { port } = probe.address() as { port: number };
  await new Promise((closed) => probe.close(closed));
  return port;
}

describe.skipIf(!server)('behind llama-server', () => {
  let child: ReturnType<typeof spawn>;
  let model: string;

  beforeAll(async () => {
    const port = await freePort();
    const args = ['-m', file, '--port', `${port}`, '-t', '1', '-tb', '1', '-c', '16384', '-np', '2'];
    child = spawn(server as string, args, { stdio: 'ignore' });
    model = `http://127.0.0.1:${port}/v1#local`;
    for (let i = 0; i < 300; i++) {
      const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => null);
      if (answer?.ok) return;
      await delay(1000);
    }
    throw new Error(`${server} does not answer`);
  });
  afterAll(() => void child?.kill());

  it.each(configs)('%s', async (config) => {
    const name = `server-${config.replace('/', '-')}`;
    const ended = await run(config, model, name);
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    checkRun(name);
  });
});
