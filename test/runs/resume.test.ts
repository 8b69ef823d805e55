/** The built program is interrupted and starved; `--resume` must end where an unbroken run ends. Kills: test/torture.test.ts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assetPath } from '../../src/base/node/assets.ts';
import type { RunSummary } from '../../src/runs/folder/summary.ts';
import { mainFile, runCli } from '../support/cli.ts';
import {
  answerOf,
  asKilled,
  eventsOf,
  readJson,
  searchEvents,
  smallSettings,
  temporaryFolder,
  timeless,
} from '../support/experiment.ts';
import {
  type FakeRequest,
  type FakeServer,
  type FakeServerOptions,
  startFakeServer,
} from '../support/fake-model-server.ts';
import { describeGpu } from '../support/gpu.ts';
import { runHere } from '../support/in-process.ts';

const runArgs = (runsDir: string, ...more: string[]) => [
  'run',
  'cartpole/r2po',
  ...smallSettings,
  '--seed',
  '5',
  '--runs-dir',
  runsDir,
  ...more,
];

/** The files of a finished run that must not depend on how often it was broken off. */
function results(folder: string): unknown {
  const trajectories = readdirSync(join(folder, 'trajectories'));
  const withoutTimes = (csv: string) => csv.split('\n').map((line) => line.split(',').slice(0, 15).join(','));
  return {
    summary: timeless(readJson(folder)),
    events: searchEvents(folder),
    metrics: withoutTimes(readFileSync(join(folder, 'metrics.csv'), 'utf8')),
    best: readJson(folder, 'best.json'),
    trajectories: trajectories.map((name) => [name, readFileSync(join(folder, 'trajectories', name), 'utf8')]),
  };
}

const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

interface Killed {
  /** true when the child was killed, false when it came to its end before */
  readonly killed: boolean;
  readonly stderr: string;
}

/** Runs the program and kills it without warning once `isTime` says so. */
function runUntil(args: readonly string[], isTime: (child: ChildProcess) => boolean): Promise<Killed> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [mainFile, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const timer = setInterval(() => {
      if (isTime(child)) child.kill('SIGKILL');
    }, 1);
    child.on('close', (_code, signal) => {
      clearInterval(timer);
      resolve({ killed: signal === 'SIGKILL', stderr });
    });
  });
}

/** Parameters that depend on the prompt alone, as those of a model at temperature 0 would. */
function answer({ body }: FakeRequest): string {
  const digest = createHash('sha256').update(JSON.stringify(body.messages)).digest();
  return answerOf(Array.from(digest.subarray(0, 10), (byte) => ((byte % 13) - 6) / 2));
}

describe('with a model endpoint', () => {
  let server: FakeServer;
  let reply: FakeServerOptions['reply'] = answer;
  let home: string;
  let model: string;
  let whole: { readonly folder: string; readonly results: unknown };
  const args = (name: string, ...more: string[]) => runArgs(home, '--name', name, '--model', model, ...more);

  beforeAll(async () => {
    server = await startFakeServer({ reply: (request, index) => reply(request, index) });
    home = temporaryFolder();
    model = `${server.url}#fake-1`;
    const env = { R2PO_API_KEY: 'secret-key-5521' };
    const { code, stderr } = await runCli(args('whole'), { env });
    expect(code, stderr).toBe(0);
    const folder = join(home, 'whole');
    whole = { folder, results: results(folder) };
    expect(stderr).not.toContain('secret-key-5521');
    expect(server.requests[0]!.headers.authorization).toContain('secret-key-5521');
  });
  afterAll(() => server.close());

  /** Results, with the number of failed calls left out: a broken run has more of them. */
  const unfailed = (folder: string) => {
    const { summary, ...rest } = results(folder) as { summary: RunSummary };
    return { ...rest, summary: { ...summary, llm: { ...summary.llm, failed_calls: 0 } } };
  };

  async function expectResumed(name: string): Promise<void> {
    reply = answer;
    const { code, stdout, stderr } = await runHere(args(name, '--resume', '--json'));
    expect(code, stderr).toBe(0);
    expect(unfailed(join(home, name))).toEqual(whole.results);
    expect(JSON.parse(stdout)).toEqual(readJson(join(home, name)));
  }

  it('never writes the key', () => {
    const files = readdirSync(whole.folder, { recursive: true, encoding: 'utf8' }).map((name) =>
      join(whole.folder, name),
    );
    expect(files.length).toBeGreaterThan(8);
    for (const file of files) {
      if (statSync(file).isFile()) expect(readFileSync(file, 'latin1')).not.toMatch(/secret-key-5521|authorization/i);
    }
    const summary = readJson(whole.folder);
    expect(summary).toMatchObject({ model, model_kind: 'model', llm: { calls: 12, failed_calls: 0 } });
    expect(summary.llm.prompt_tokens).toBeGreaterThan(1000);
  });

  it('killed in the middle of a call, it asks that call again and no other', async () => {
    const before = server.requests.length;
    let child: ChildProcess | null = null;
    reply = (request, index) => {
      if (index < before + 7) return answer(request);
      child?.kill('SIGKILL');
      return { hang: true };
    };
    const { killed } = await runUntil(args('killed'), (started) => {
      child = started;
      return false;
    });
    expect(killed).toBe(true);
    expect(eventsOf(join(home, 'killed')).filter(({ type }) => type === 'llm_call')).toHaveLength(7);
    const asked = server.requests.length;
    await expectResumed('killed');
    expect(server.requests.length - asked).toBe(12 - 7);
  });

  it.each([
    ['refuses the key', { status: 401, body: { error: { message: 'bad key' } } }],
    ['is down for longer than the attempts last', { status: 503, body: 'busy', headers: { 'retry-after': '0' } }],
    ['answers HTML', { status: 200, body: '<html>Welcome</html>' }],
  ] as const)('that %s, the run stops with exit 4 and can go on', async (what, failure) => {
    const name = what.split(' ').join('-');
    const before = server.requests.length;
    reply = (request, index) => (index < before + 5 ? answer(request) : failure);
    const stopped = await runHere(args(name, 'llm.max_attempts=2'));
    expect(stopped.code, stopped.stderr).toBe(4);
    expect(stopped.stderr).toMatch(
      /error: \[model .*; resume with: r2po run cartpole\/r2po .*--name \S+ .*--resume\n$/,
    );
    expect(eventsOf(join(home, name)).at(-1)).toMatchObject({ type: 'run_stopped', exit_code: 4 });
    expect(readJson(join(home, name))).toMatchObject({ status: 'stopped', iterations: 2 });
    await expectResumed(name);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('on %s it saves, says how to go on, and exits %i', async (signal, exitCode) => {
    const before = server.requests.length;
    const name = `interrupted-${signal}`;
    const child = spawn(process.execPath, [mainFile, ...args(name)], { stdio: ['ignore', 'ignore', 'pipe'] });
    reply = (request, index) => {
      if (index < before + 4) return answer(request);
      child.kill(signal);
      return { hang: true };
    };
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code, stderr).toBe(exitCode);
    expect(stderr).toContain('stopping the run and saving it; press Ctrl-C again to quit immediately');
    expect(stderr).toMatch(new RegExp(`interrupted \\(${signal}\\); resume with: r2po run .*--resume\n$`));
    expect(eventsOf(join(home, name)).at(-1)).toMatchObject({ type: 'run_stopped', exit_code: exitCode });
    await expectResumed(name);
  });

  it('reacts to Ctrl-C also without waits: the offline model and short evaluations', async () => {
    const folder = join(home, 'never-waits');
    const run = ['run', 'cartpole/r2po', 'iterations=100000', 'evaluation.episodes=2', '--backend', 'cpu'];
    const child = spawn(process.execPath, [mainFile, ...run, '--runs-dir', home, '--name', 'never-waits'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      if (stderr.includes('iteration 1/') && !child.killed) child.kill('SIGINT');
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code, stderr.slice(-2000)).toBe(130);
    const last = eventsOf(folder).at(-1);
    expect(last).toMatchObject({ type: 'run_stopped', exit_code: 130 });
  });

  it('stops at a budget with exit 5, and again when it is not raised', async () => {
    reply = answer;
    const stopped = await runHere(args('budget', '--max-calls', '7'));
    expect(stopped.code).toBe(5);
    expect(stopped.stderr).toMatch(
      /\[budget\] the budget of 7 model calls is used up \(7\); allow more with --max-calls; resume/,
    );
    expect((await runHere(args('budget', '--max-calls', '7', '--resume'))).code).toBe(5);
    await expectResumed('budget');
  });
});

describe('the model auto', () => {
  it('stays what it was: a resumed run does not change to the offline model when Ollama is gone', async () => {
    const ollama = await startFakeServer({ reply: answer, models: ['fake-1:latest'] });
    const env = { OLLAMA_HOST: `127.0.0.1:${ollama.port}`, OLLAMA_BASE_URL: undefined, OLLAMA_MODEL: 'fake-1' };
    const home = temporaryFolder();
    const args = runArgs(home, '--name', 'auto', '--model', 'auto', 'llm.max_attempts=1');
    const stopped = await runHere([...args, '--max-calls', '3'], { env });
    await ollama.close();
    expect(stopped.code, stopped.stderr).toBe(5);
    expect(readJson(join(home, 'auto'))).toMatchObject({ model: 'ollama/fake-1', model_kind: 'model' });
    const resumed = await runHere([...args, '--resume'], { env });
    expect(resumed.code, resumed.stderr).toBe(4);
    expect(resumed.stderr).not.toContain('offline');
    expect(eventsOf(join(home, 'auto')).filter(({ type }) => type === 'llm_call')).toHaveLength(3);
  });
});

describe('the second signal', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 143],
  ] as const)('%s ends the process at once, half a second after the first', async (signal, exitCode) => {
    const script = `
      const { listenForInterrupts } = await import(process.argv[1]);
      const { signal } = listenForInterrupts({ note: (text) => console.log(text) }, 'the work');
      signal.addEventListener('abort', () => console.log(signal.reason.message));
      setInterval(() => {}, 1000); // work that does not care
      console.log('ready');
    `;
    const file = assetPath('dist/cli/interrupt.js');
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let stdout = '';
    let aliveAfterTwo = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (text.includes('ready')) child.kill(signal);
      if (!text.includes('interrupted')) return;
      // The same signal again, as terminals and process managers send it.
      child.kill(signal);
      setTimeout(() => {
        aliveAfterTwo = child.exitCode === null && child.signalCode === null;
        child.kill(signal);
      }, 700);
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ aliveAfterTwo, code }).toEqual({ aliveAfterTwo: true, code: exitCode });
    expect(stdout).toContain(`[run] the work was interrupted (${signal})`);
  });
});

describe('r2po run', () => {
  const home = temporaryFolder();
  const whole = join(home, 'whole');
  beforeAll(async () => {
    expect(await runCli(runArgs(home, '--name', 'whole'))).toMatchObject({ code: 0 });
  });

  /** A copy of the finished run as a kill after `count` events leaves it. */
  function broken(name: string, change: (lines: string[]) => string): string {
    const folder = join(home, name);
    cpSync(whole, folder, { recursive: true });
    const path = join(folder, 'events.jsonl');
    writeFileSync(path, change(readFileSync(path, 'utf8').split('\n')));
    asKilled(folder);
    return folder;
  }

  it('says on stderr and everywhere else that the offline model is not a language model', async () => {
    const { stdout, stderr } = await runHere(runArgs(home, '--name', 'labelled'));
    expect(stderr).toContain('model: offline (a numeric optimiser, not a language model)');
    expect(stderr.match(/^iteration \d\/6 \|(?: left .* \|)? last .* \| best .* ± /gm)).toHaveLength(6);
    expect(stdout).toMatch(/^model\s+offline \(a numeric optimiser, not a language model\)$/m);
    expect(stdout).toMatch(/^best policy, re-checked\s+[\d.]+ \(95 % interval .*, 50 fresh episodes\)$/m);
    expect(stdout).toContain(`run folder: ${join(home, 'labelled')}`);
    expect(readJson<object>(join(home, 'labelled'), 'run.json')).toMatchObject({ model_kind: 'offline' });
  });

  it('prints one JSON document with --json and nothing else with --quiet', async () => {
    const { stdout, stderr } = await runHere(runArgs(home, '--name', 'json', '--json', '--quiet'));
    expect(JSON.parse(stdout)).toEqual(readJson(join(home, 'json')));
    expect(stderr).toBe('');
  });

  it('drops a torn last line with a notice and continues', async () => {
    const folder = broken('torn', (lines) => `${lines.slice(0, 14).join('\n')}\n{"type":"evalu`);
    const { code, stderr } = await runHere(runArgs(home, '--name', 'torn', '--resume'));
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(`warning: ${join(folder, 'events.jsonl')}:15: dropped a torn last line (14 bytes)`);
    expect(stderr).toContain('resumed after 1 of 6 iterations');
    expect(results(folder)).toEqual(results(whole));
  });

  it('refuses a damaged earlier line with its number: exit 2', async () => {
    const folder = broken('damaged', (lines) =>
      [...lines.slice(0, 6), lines[6]!.slice(9), ...lines.slice(7, 20), ''].join('\n'),
    );
    const before = readFileSync(join(folder, 'events.jsonl'));
    const { code, stderr } = await runHere(runArgs(home, '--name', 'damaged', '--resume'));
    expect(code).toBe(2);
    expect(stderr).toContain(`error: [events.jsonl] ${join(folder, 'events.jsonl')}:7: expected an event, got no JSON`);
    expect(readFileSync(join(folder, 'events.jsonl'))).toEqual(before);
  });

  it('refuses the folder of another configuration and names the keys: exit 2', async () => {
    broken('other', (lines) => `${lines.slice(0, 9).join('\n')}\n`);
    const { code, stderr } = await runHere(
      runArgs(home, '--name', 'other', '--resume', 'iterations=9', 'warmup.spread=2'),
    );
    expect(code).toBe(2);
    expect(stderr).toContain(
      'is a run of another configuration: iterations (6 there, 9 here), warmup.spread (3 there, 2 here)',
    );
  });

  it('without a name resumes the newest unfinished run, and prints the summary of a finished one', async () => {
    const runsDir = temporaryFolder();
    const none = await runHere(runArgs(runsDir, '--resume'));
    expect(none.code).toBe(2);
    expect(none.stderr).toContain('got nothing to resume; start one without --resume');
    const stopped = await runHere(runArgs(runsDir, '--max-calls', '5'));
    expect(stopped.code).toBe(5);
    const [name] = readdirSync(runsDir);
    const resumed = await runHere(runArgs(runsDir, '--resume', '--json'));
    expect(resumed.code).toBe(0);
    expect(readdirSync(runsDir)).toEqual([name]);
    expect(results(join(runsDir, name!))).toEqual(results(whole));
    const again = await runHere(runArgs(runsDir, '--resume', '--json'));
    expect(again.code).toBe(0);
    expect(again.stdout).toBe(resumed.stdout);
    expect(again.stderr).toContain('is already finished');
    // Without --resume it is a new run beside the old one.
    expect((await runHere(runArgs(runsDir))).stdout).toContain(`${name}-2`);
  });

  it('refuses a runs folder that cannot be written to: exit 2', async () => {
    const file = join(home, 'a-file');
    writeFileSync(file, '');
    const { code, stderr } = await runHere(runArgs(file));
    expect(code).toBe(2);
    expect(stderr).toContain(`[--runs-dir] expected a folder that can be written to, got "${file}"`);
  });

  // A limit on the size of files stands in for a full disk: writes fail in the middle of a line.
  it.skipIf(process.platform === 'win32')('on a full disk stops with what is saved, and goes on later', async () => {
    const args = runArgs(home, '--name', 'full');
    const limit = Math.floor(sizeOf(join(whole, 'events.jsonl')) / 2 / 1024);
    const command = ['ulimit -f', String(limit), '; exec "$0" "$@"'].join(' ');
    const child = spawn('bash', ['-c', command, process.execPath, mainFile, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    const folder = join(home, 'full');
    expect(code, stderr).toBe(1);
    const saved = eventsOf(folder).length - 1;
    expect(saved).toBeGreaterThan(5);
    expect(stderr).toMatch(
      new RegExp(
        `cannot write to .*; everything up to event ${saved} is on disk, make room first; resume with: r2po run`,
      ),
    );
    expect(await runHere([...args, '--resume'])).toMatchObject({ code: 0 });
    expect(results(folder)).toEqual(results(whole));
  });

  it('lets one process at a time into a run folder', async () => {
    const folder = broken('twice', (lines) => `${lines.slice(0, 9).join('\n')}\n`);
    rmSync(join(folder, 'run.lock'), { force: true });
    const args = runArgs(home, '--name', 'twice', '--resume', '--quiet');
    const codes = await Promise.all([1, 2, 3].map(async () => (await runCli(args)).code));
    // Whoever comes later is refused, or finds the run finished.
    expect(codes).toContain(0);
    for (const code of codes) expect([0, 2]).toContain(code);
    expect(results(folder)).toEqual(results(whole));
  });
});

describeGpu('on webgpu', () => {
  it('an interrupted run resumes to the same result, and replays', async () => {
    const home = temporaryFolder();
    const args = (name: string, ...more: string[]) =>
      runArgs(home, '--name', name, 'iterations=1', '--backend', 'webgpu', ...more);
    expect(await runCli(args('whole'))).toMatchObject({ code: 0 });
    const whole = join(home, 'whole');
    expect(readJson(whole)).toMatchObject({ backend: 'webgpu', adapter: expect.stringMatching(/./) });
    // The record ends after the proposal was evaluated: the critic's trajectory must be played again.
    const folder = join(home, 'cut');
    cpSync(whole, folder, { recursive: true });
    const lines = readFileSync(join(folder, 'events.jsonl'), 'utf8').split('\n');
    writeFileSync(join(folder, 'events.jsonl'), `${lines.slice(0, 7).join('\n')}\n`);
    asKilled(folder);
    const { code, stderr } = await runHere(args('cut', '--resume'));
    expect(code, stderr).toBe(0);
    expect(results(folder)).toEqual(results(whole));
    expect((await runHere(['replay', folder])).code).toBe(0);
  });
});
