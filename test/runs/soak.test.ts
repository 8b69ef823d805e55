/**
 * Runs of mixed methods against a server that fails in every way it knows, killed and resumed at random moments: no
 * iteration is lost or done twice, each record replays, no connection stays. `R2PO_SOAK_RUNS=200` makes it long.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Generator } from '../../src/base/rng/generator.ts';
import { llmMethods } from '../../src/methods/index.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { openRecordedRun, replayRun } from '../../src/runs/replay.ts';
import { mainFile } from '../support/cli.ts';
import { eventsOf, readJson } from '../support/experiment.ts';
import { type ScriptedServer, type ScriptedStep, startScriptedServer } from '../support/scripted-model.ts';

const runs = Number(process.env.R2PO_SOAK_RUNS ?? 3);
const iterations = 4;
/** Each run is killed up to this often, then left alone. */
const mostKills = 3;

const envs = ['cartpole', 'frozenlake', 'pendulum', 'nim', 'swimmer'];
/** Most requests are answered, as with a real server on a bad day. */
const steps: ScriptedStep[] = [
  {},
  { fault: 'empty' },
  {},
  { fault: 'prose' },
  { fault: 'too-few' },
  { delayMs: 120 },
  { fault: 'rate-limit', retryAfter: 0.05 },
  {},
  { fault: 'ansi' },
  { fault: 'cut' },
  {},
  { fault: 'injection' },
  { fault: 'markup' },
  {},
  { fault: 'error' },
  { fault: 'too-many' },
  {},
  { fault: 'slow', pauseMs: 5 },
];

let server: ScriptedServer;
let runsDir: string;
beforeAll(async () => {
  runsDir = mkdtempSync(join(tmpdir(), 'r2po-soak-'));
  server = await startScriptedServer({ models: { flaky: steps }, loop: true });
});
afterAll(async () => {
  await server.stop();
  rmSync(runsDir, { recursive: true });
});

interface Outcome {
  readonly name: string;
  readonly kills: number;
  readonly sessions: number;
  readonly folder: string;
}

/** Starts the program again and again until the run has ended by itself. */
async function soak(index: number): Promise<Outcome> {
  const rng = Generator.from([index, 88]);
  const method = llmMethods[index % llmMethods.length]!.id;
  const env = envs[Math.floor(index / 2) % envs.length];
  const name = `soak-${index}-${env}-${method}`;
  const folder = join(runsDir, name);
  const base = index % 2 === 0 ? `${server.openai}#flaky` : 'ollama/flaky';
  const small = [`iterations=${iterations}`, 'warmup.policies=3', 'evaluation.episodes=4', 'recheck.episodes=10'];
  const patient = ['llm.idle_timeout_s=5', 'llm.max_attempts=20', 'search.repair_turns=6', 'evaluation.max_steps=100'];
  let kills = 0;
  for (let sessions = 1; ; sessions++) {
    const resume = existsSync(folder) ? ['--resume'] : [];
    const place = ['--runs-dir', runsDir, '--name', name, '--backend', 'cpu', '--quiet'];
    const args = ['run', `${env}/${method}`, ...small, ...patient, '--model', base, ...place, ...resume];
    const child = spawn(process.execPath, [mainFile, ...args], {
      env: { ...process.env, OLLAMA_BASE_URL: server.ollama, NO_COLOR: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const ended = once(child, 'close');
    const wait = 200 + 1500 * rng.random();
    const timer = kills < mostKills ? setTimeout(() => child.kill('SIGKILL'), wait) : undefined;
    const [code, signal] = (await ended) as [number | null, string | null];
    clearTimeout(timer);
    if (code === 0) return { name, kills, sessions, folder };
    if (signal !== 'SIGKILL') throw new Error(`${name} ended with ${code ?? signal}: ${stderr}`);
    kills++;
  }
}

it(
  `${runs} runs end whole, however often they were killed`,
  async () => {
    const limit = pLimit(2);
    const outcomes = await Promise.all(Array.from({ length: runs }, (_, i) => limit(() => soak(i))));
    expect(outcomes.reduce((sum, { kills }) => sum + kills, 0)).toBeGreaterThan(0);
    const backend = openCpuBackend({ threads: 1 });
    for (const { name, folder } of outcomes) {
      const events = eventsOf(folder);
      expect(
        events.map(({ seq }) => seq),
        name,
      ).toEqual(events.map((_, i) => i));
      const done = events.flatMap((event) => (event.type === 'iteration' ? [event.iteration] : []));
      expect(done, name).toEqual(Array.from({ length: iterations }, (_, i) => i + 1));
      expect(events.filter(({ type }) => type === 'rechecked').length, name).toBeLessThanOrEqual(1);
      expect(readJson(folder), name).toMatchObject({ status: 'finished', iterations });
      const report = await replayRun(await openRecordedRun(folder), backend);
      expect(report, name).toMatchObject({ iterations, complete: true, difference: null });
    }
    await backend.close();
    const { open, faults } = await server.state();
    expect(open).toBe(0);
    expect(Object.keys(faults).length).toBeGreaterThan(5);
  },
  60_000 + 20_000 * runs,
);
