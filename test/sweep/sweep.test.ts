/** Sweeps in one process: expansion, equality with single runs, and the effect of failures. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { sleep } from '../../src/base/async.ts';
import { exitCodes, UsageError } from '../../src/base/errors.ts';
import { combinations, parseAxis } from '../../src/config/axes.ts';
import { parseOverride } from '../../src/config/overrides.ts';
import { lockFolder } from '../../src/runs/journal/lock.ts';
import { expandSweep, type SweepRequest, type SweepRun, splitArguments, variedKeys } from '../../src/sweep/expand.ts';
import { type SweepOptions, type SweepState, sweepHere } from '../../src/sweep/local.ts';
import { directoryStore } from '../../src/sweep/queue/published-runs.ts';
import { RunPlayer } from '../../src/sweep/queue/run-player.ts';
import { runCli } from '../support/cli.ts';
import {
  answerOf,
  asKilled,
  eventsOf,
  readJson,
  searchEvents,
  smallRun,
  smallSettings,
  temporaryFolder,
  timeless,
} from '../support/experiment.ts';
import { startFakeServer } from '../support/fake-model-server.ts';
import { runHere } from '../support/in-process.ts';
import { llmConfig } from '../support/llm-config.ts';

const roots: string[] = [];
function newFolder(): string {
  const folder = temporaryFolder();
  roots.push(folder);
  return folder;
}
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true, force: true });
});

async function expanded(args: readonly string[], changes: Partial<SweepRequest> = {}): Promise<SweepRun[]> {
  const runs: SweepRun[] = [];
  for await (const run of expandSweep({ ...splitArguments(args), flags: {}, shard: null, ...changes })) runs.push(run);
  return runs;
}

describe('values of an override', () => {
  it.each([
    ['seed=0..3', ['seed=0', 'seed=1', 'seed=2', 'seed=3']],
    ['seed=3..1', ['seed=3', 'seed=2', 'seed=1']],
    ['parameters.low=-2..-1', ['parameters.low=-2', 'parameters.low=-1']],
    ['seed=7, 0..1,5', ['seed=7', 'seed=0', 'seed=1', 'seed=5']],
    ['method=r2po,props', ['method=r2po', 'method=props']],
    ['model=ollama/a:1,http://h:1/v1#b', ['model=ollama/a:1', 'model=http://h:1/v1#b']],
    ['env_options.map=[SF, FG],4x4', ['env_options.map=[SF, FG]', 'env_options.map=4x4']],
    ['x={a: [1, 2], b: 3},4', ['x={a: [1, 2], b: 3}', 'x=4']],
    [`model="a,b",'c,d'`, ['model="a,b"', "model='c,d'"]],
    ["model=it's,b", ["model=it's", 'model=b']],
    ['seed=4', ['seed=4']],
  ])('%s', (text, choices) => {
    expect(parseAxis(text, 1).choices).toEqual(choices);
  });

  it.each([
    ['seed', 'override 2 (seed): expected key=value, key=a,b,c or key=0..9'],
    ['seed=1,,2', 'override 2 (seed=1,,2): expected a value between the commas, got nothing'],
    ['seed=', 'expected a value between the commas'],
    ['seed=1,1', 'expected distinct values, got one of them twice'],
    ['seed=0..3,2', 'got one of them twice'],
    ['seed=0..1000000', 'expected at most 1000000 values, got 1000001'],
    ['seed=0..99999999999999999999', 'expected a range of whole numbers'],
  ])('refuses %s', (text, message) => {
    expect(() => parseAxis(text, 2)).toThrow(UsageError);
    expect(() => parseAxis(text, 2)).toThrow(message);
  });

  it('are each what a single override may be, or refused as one is', () => {
    const piece = fc.constantFrom(...'0123..,,"\'[]{}-ab \\');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const text = `model=${pieces.join('')}`;
        let choices: readonly string[];
        try {
          choices = parseAxis(text, 1).choices;
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
          return;
        }
        expect(new Set(choices).size).toBe(choices.length);
        for (const choice of choices) {
          try {
            expect(parseOverride(choice, 1).path).toEqual(['model']);
          } catch (error) {
            expect(error).toBeInstanceOf(UsageError);
          }
        }
      }),
    );
  });

  it('combine each with each, the last one changing fastest', () => {
    const axes = ['a=1,2', 'b=x', 'c=5..7'].map(parseAxis);
    expect([...combinations(axes)]).toEqual([
      ['a=1', 'b=x', 'c=5'],
      ['a=1', 'b=x', 'c=6'],
      ['a=1', 'b=x', 'c=7'],
      ['a=2', 'b=x', 'c=5'],
      ['a=2', 'b=x', 'c=6'],
      ['a=2', 'b=x', 'c=7'],
    ]);
    expect([...combinations([])]).toEqual([[]]);
  });
});

describe('runs of a sweep', () => {
  it('are every combination of configurations and values, each once', async () => {
    const runs = await expanded(['cartpole/r2po', 'nim/props', 'cartpole/r2po', 'iterations=3,4', 'seed=5..7']);
    expect(runs).toHaveLength(12);
    expect(new Set(runs.map(({ id }) => id)).size).toBe(12);
    expect(runs[4]!.config).toMatchObject({ env: 'CartPole-v1', method: 'r2po', iterations: 4, seed: 6 });
    expect(runs[11]!.config).toMatchObject({ env: 'Nim-v0', method: 'props', iterations: 4, seed: 7 });
  });

  it('are found by patterns of shipped names', async () => {
    const all = await expanded(['*/props', 'nim/*']);
    const methods = new Set(all.filter(({ config }) => config.env === 'Nim-v0').map(({ config }) => config.method));
    expect(methods.size).toBeGreaterThan(8);
    expect(new Set(all.map(({ config }) => config.env)).size).toBeGreaterThan(8);
    await expect(expanded(['*/none'])).rejects.toThrow('expected shipped configurations like "*/none", found none');
  });

  it('fall into shards that have no run in common and together all of them', async () => {
    const args = ['cartpole/r2po', 'seed=0..10'];
    const all = await expanded(args);
    const shards = await Promise.all([1, 2, 3].map((index) => expanded(args, { shard: { index, of: 3 } })));
    expect(shards.map((runs) => runs.length)).toEqual([4, 4, 3]);
    expect(shards.flatMap((runs) => runs.map(({ id }) => id)).sort()).toEqual(all.map(({ id }) => id).sort());
  });

  it('name the keys that tell them apart', () => {
    const { axes } = splitArguments(['cartpole/r2po', 'seed=0..3', 'iterations=5', 'evaluation.episodes=5,6']);
    expect(variedKeys(axes)).toEqual(['evaluation.episodes']);
  });

  it.each([
    [['seed=0..3'], 'expected a configuration, got none'],
    [['cartpole/r2po', 'seed=1', 'seed=2'], 'expected each key once, got "seed" again (seed=2)'],
    [['cartpole/r2po', 'sed=1..2'], 'unknown key "sed"'],
    [['cartpole/r2po', 'iterations=1,x'], 'override 1 (iterations=x)'],
    [['cartpol/r2po'], 'did you mean "cartpole/r2po"'],
  ])('%j are refused', async (args, message) => {
    await expect((async () => expanded(args))()).rejects.toThrow(message);
  });
});

async function sweep(runs: readonly SweepRun[], runsDir: string, changes: Partial<SweepOptions> = {}) {
  const states: SweepState[] = [];
  const result = await sweepHere({
    runs,
    runsDir,
    jobs: 3,
    failFast: false,
    argv: ['sweep'],
    command: (exhausted) => `r2po sweep again${exhausted === null ? '' : ` without ${exhausted.key}`}`,
    note: () => {},
    onState: (state) => states.push(state),
    ...changes,
  });
  return { ...result, states, outcomes: result.results.map(({ outcome }) => outcome) };
}

const small = (...more: string[]): Promise<SweepRun[]> => expanded(['cartpole/r2po', ...smallSettings, ...more]);

describe('a sweep in one process', () => {
  it('gives the runs that each would be alone, byte for byte but for times', async () => {
    const runsDir = newFolder();
    const runs = await small('method=r2po,props', 'seed=3..5', 'selection=mean,paired');
    const { results, sharing, states } = await sweep(runs, runsDir, { jobs: 12 });
    for (const [i, { run, folder, outcome }] of results.entries()) {
      expect(outcome).toBe('finished');
      expect(run).toBe(runs[i]);
      const { method, seed, selection } = llmConfig(run.config);
      const alone = await smallRun({
        overrides: [`method=${method}`, `selection=${selection}`],
        seed,
        runsDir: newFolder(),
      });
      expect(basename(folder as string)).toBe(basename(alone.folder));
      expect(searchEvents(folder as string)).toEqual(searchEvents(alone.folder));
      expect(JSON.stringify(timeless(readJson(folder as string)))).toBe(
        JSON.stringify(timeless(readJson(alone.folder))),
      );
    }
    expect(sharing.calls).toBeLessThan(sharing.requests);
    expect(states.at(-1)).toMatchObject({ runs: 12, finished: 12, already: 0, unfinished: 0, running: [] });
    expect(Math.max(...states.map(({ running }) => running.length))).toBe(12);
  });

  it('skips finished runs and resumes interrupted ones', async () => {
    const runsDir = newFolder();
    const runs = await small('seed=6..8');
    await sweep(runs, runsDir);
    const [first, second] = readdirSync(runsDir).map((name) => join(runsDir, name));
    const whole = searchEvents(second!);
    const lines = readFileSync(join(second!, 'events.jsonl'), 'utf8').split('\n');
    writeFileSync(join(second!, 'events.jsonl'), `${lines.slice(0, 17).join('\n')}\n{"torn`);
    asKilled(second!);
    const before = eventsOf(first!);
    const again = await sweep(runs, runsDir);
    expect(again.results.map(({ already }) => already)).toEqual([true, false, true]);
    expect(again.outcomes).toEqual(['finished', 'finished', 'finished']);
    expect(eventsOf(first!)).toEqual(before);
    expect(searchEvents(second!)).toEqual(whole);
    expect(readdirSync(runsDir)).toHaveLength(3);
    expect(again.states.at(-1)).toMatchObject({ finished: 3, already: 2 });
  });

  it('counts a finished run without its whole journal as failed, here and at a worker, and keeps its files', async () => {
    const [runsDir, published] = [newFolder(), newFolder()];
    const [run] = await small('seed=6');
    await sweep([run!], runsDir);
    const [folder] = readdirSync(runsDir).map((name) => join(runsDir, name));
    const lines = readFileSync(join(folder!, 'events.jsonl'), 'utf8').split('\n');
    const silent = { note() {}, warn() {} };
    for (const journal of ['', `${lines.slice(0, 17).join('\n')}\n`]) {
      writeFileSync(join(folder!, 'events.jsonl'), journal);
      const files = () => readdirSync(folder!).map((name) => [name, statSync(join(folder!, name)).mtimeMs]);
      const before = files();
      const { outcomes, results } = await sweep([run!], runsDir);
      expect(outcomes).toEqual(['failed']);
      const words = 'events.jsonl does not end in run_finished';
      expect(results[0]!.error?.message).toContain(words);
      // A worker whose own copy is such a run, and one that finds it published.
      cpSync(runsDir, published, { recursive: true });
      for (const [own, store] of [
        [runsDir, null],
        [runsDir, directoryStore(newFolder())],
        [newFolder(), directoryStore(published)],
      ] as const) {
        const more = { backend: null, argv: [], jobs: 1, copyInterval: 1e6 };
        const player = new RunPlayer({ runsDir: own, store, ...more, ...silent });
        const played = player.play({ ...run!, isRecorded: () => false }, new AbortController().signal, () => {});
        await expect(played).rejects.toThrow(words);
        await player.publishPart(folder!);
        await player.close();
      }
      expect(files()).toEqual(before);
    }
  });

  it('finds a run by its configuration, whatever its folder is called', async () => {
    const runsDir = newFolder();
    const { folder } = await smallRun({ seed: 4, runsDir: newFolder() });
    cpSync(folder, join(runsDir, 'mine'), { recursive: true });
    const { results } = await sweep(await small('seed=4'), runsDir);
    expect(results[0]).toMatchObject({ folder: join(runsDir, 'mine'), already: true });
  });

  it('draws the figure of a run that its own command was killed before it drew, here and at a worker', async () => {
    const [killed, stopped, atWorker] = [newFolder(), newFolder(), newFolder()];
    const { folder } = await smallRun({ seed: 4, runsDir: killed });
    cpSync(folder, join(atWorker, basename(folder)), { recursive: true });
    const limit = smallRun({ seed: 4, runsDir: stopped, overrides: ['budget.max_calls=3'] });
    await expect(limit).rejects.toThrow('budget of 3 model calls');
    const [run] = await small('seed=4');
    for (const runsDir of [killed, stopped]) expect((await sweep([run!], runsDir)).outcomes).toEqual(['finished']);
    const player = new RunPlayer({
      ...{ runsDir: atWorker, store: null, backend: null, argv: [], jobs: 1, copyInterval: 1e6 },
      ...{ note() {}, warn() {} },
    });
    await player.play({ ...run!, isRecorded: () => false }, new AbortController().signal, () => {});
    await player.close();
    for (const runsDir of [killed, stopped, atWorker]) {
      expect(existsSync(join(runsDir, basename(folder), 'reward.svg')), runsDir).toBe(true);
    }
    // Its own runs get none.
    const runsDir = newFolder();
    await sweep([run!], runsDir);
    expect(readdirSync(join(runsDir, readdirSync(runsDir)[0]!))).not.toContain('reward.svg');
  });

  it('does not let one failure keep the others from going on', async () => {
    const runsDir = newFolder();
    const runs = await small('seed=1..4');
    await sweep(runs.slice(1, 2), runsDir, {});
    const [damaged] = readdirSync(runsDir).map((name) => join(runsDir, name));
    writeFileSync(join(damaged!, 'events.jsonl'), 'no record\n{}\n');
    writeFileSync(join(damaged!, 'run.json'), JSON.stringify({ ...readJson(damaged!, 'run.json'), status: 'stopped' }));
    const { outcomes, results } = await sweep(runs, runsDir);
    expect(outcomes).toEqual(['finished', 'failed', 'finished', 'finished']);
    expect(results[1]!.error?.message).toContain('events.jsonl:1: expected an event');
    const rest = await small('seed=11,12');
    const halted = await sweep([runs[1]!, ...rest], runsDir, { jobs: 1, failFast: true });
    expect(halted.outcomes).toEqual(['failed', 'waiting', 'waiting']);
  });

  it('calls a budget and an interruption a stop, and what another process has busy', async () => {
    const runsDir = newFolder();
    const budget = await sweep(await small('seed=1,2', 'budget.max_calls=3'), runsDir);
    expect(budget.outcomes).toEqual(['stopped', 'stopped']);
    expect(budget.results[0]!.error?.message).toContain('resume with: r2po sweep again without max_calls');
    const controller = new AbortController();
    const interrupted = await sweep(await small('seed=1..4'), runsDir, {
      jobs: 2,
      signal: controller.signal,
      onState: ({ running }) => {
        if (running.some(({ progress }) => (progress?.totals.rows.length ?? 0) >= 2)) controller.abort();
      },
    });
    expect(interrupted.outcomes).toEqual(['stopped', 'stopped', 'waiting', 'waiting']);
    const [run] = await small('seed=1');
    const [name] = readdirSync(runsDir).filter((found) => found.includes('-s1-'));
    const lock = lockFolder(join(runsDir, name!));
    // Another process of this machine, as far as the lock tells.
    writeFileSync(join(runsDir, name!, 'run.lock'), JSON.stringify({ pid: 1, birth: null, host: 'elsewhere' }));
    const busy = await sweep([run!], runsDir);
    expect(busy.outcomes).toEqual(['busy']);
    lock.release();
  });

  it('ends well beside another one in the same folder', async () => {
    const runsDir = newFolder();
    const args = ['sweep', 'cartpole/r2po', ...smallSettings, 'seed=1..4', '--runs-dir', runsDir];
    const env = { R2PO_HEARTBEAT_S: '0.1' };
    const both = await Promise.all([runCli([...args, '-j', '2'], { env }), runCli([...args, '-j', '2'], { env })]);
    for (const { code, stderr } of both) expect(code, stderr).toBe(0);
    expect(readdirSync(runsDir).filter((name) => name.includes('-s'))).toHaveLength(4);
  });

  it('continues a run that another process left, and waits for nothing that shows no life', async () => {
    const runsDir = newFolder();
    const [run] = await small('seed=1');
    await sweep(await small('seed=1', 'budget.max_calls=3'), runsDir);
    const [name] = readdirSync(runsDir);
    const folder = join(runsDir, name!);
    const lock = lockFolder(folder);
    const notes: string[] = [];
    vi.stubEnv('R2PO_HEARTBEAT_S', '0.1');
    const released = sleep(0.3).then(() => lock.release());
    const { outcomes } = await sweep([run!], runsDir, { note: (text) => notes.push(text) });
    await released;
    vi.unstubAllEnvs();
    expect(outcomes).toEqual(['finished']);
    expect(notes.join('\n')).toContain('waiting for 1 run of another process');
  });

  it('keeps to the limit of an endpoint over all runs, and lets none of them wait for the others to end', async () => {
    const order: string[] = [];
    const server = await startFakeServer({
      delay: 5,
      reply: ({ body }) => {
        order.push(body.model);
        return answerOf([order.length % 5, 0, 1, -1, 0, 2, 0, 1, 0, 0.5]);
      },
    });
    const models = ['a', 'b', 'c'].map((name) => `${server.url}#${name}`).join(',');
    const runs = await small(
      `model=${models}`,
      'seed=1,2',
      'llm.max_concurrent=2',
      'method=props',
      'search.duplicates=allow',
    );
    const { outcomes } = await sweep(runs, newFolder(), { jobs: 6 });
    await server.close();
    expect(outcomes).toEqual(Array(6).fill('finished'));
    expect(server.requests).toHaveLength(36);
    expect(server.mostAtOnce).toBe(2);
    // Two runs of each model, six calls each: all have begun before any can be through.
    const first = ['a', 'b', 'c'].map((name) => order.indexOf(name));
    expect(Math.max(...first)).toBeLessThan(12);
  });

  it('tells at once what is wrong with all of them', async () => {
    const runsDir = newFolder();
    await expect(sweep(await small('model=nobody/knows', 'seed=1,2'), runsDir)).rejects.toThrow('nobody');
    expect(existsSync(join(runsDir, 'cartpole')) || readdirSync(runsDir).length > 0).toBe(false);
  });

  it.runIf(existsSync('/proc/self'))('says once that its folder cannot be written to', async () => {
    await expect(sweep(await small('seed=1,2'), '/proc/nope')).rejects.toThrow(UsageError);
    await expect(sweep(await small('seed=1,2'), '/proc/nope')).rejects.toThrow('expected a writable folder');
  });
});

describe('r2po sweep', () => {
  /** nobody listens there */
  const queue = ['--queue', 'redis://127.0.0.1:1'];
  const args = (runsDir: string, ...more: string[]) => [
    ...['sweep', 'cartpole/r2po', 'nim/props', ...smallSettings.slice(0, 4)],
    ...['seed=0,1', '--backend', 'cpu', '--runs-dir', runsDir, ...more],
  ];

  it('ends with the report, and says the second time that all is done', async () => {
    const runsDir = newFolder();
    const plan = await runHere(args(runsDir, '--dry-run', '--json'));
    expect(JSON.parse(plan.stdout)).toMatchObject({
      groups: [
        { env: 'CartPole-v1', runs: 2, finished: 0, each: { calls: 12, episodes: 64, recheck_episodes: 50 } },
        { env: 'Nim-v0', runs: 2, finished: 0, each: { calls: 6, episodes: 34, recheck_episodes: 50 } },
      ],
      total: { runs: 4, finished: 0, calls: 36, episodes: 396 },
    });
    const first = await runCli(args(runsDir));
    expect(first.code, first.stderr).toBe(0);
    expect(first.stdout).toContain('Rewards');
    expect(first.stdout.match(/cartpole-r2po-s1-/g)).toHaveLength(1);
    expect(first.stderr).toContain('4/4 runs finished');
    const second = await runHere(args(runsDir, '--json', '--out', join(runsDir, 'report')));
    const document = JSON.parse(second.stdout);
    expect(document.runs.map(({ already }: { already: boolean }) => already)).toEqual([true, true, true, true]);
    expect(document.report.groups).toHaveLength(2);
    expect(existsSync(join(runsDir, 'report', 'index.html'))).toBe(true);
    const dry = await runHere(args(runsDir, '--dry-run'));
    expect(dry.stdout).toContain('4 runs, 4 of them finished; estimate for the others: 0 model calls, 0 episodes');
  }, 60_000);

  it('exits 7 when a run is not finished, and says how to go on', async () => {
    const runsDir = newFolder();
    const { code, stderr } = await runHere(args(runsDir, '--max-calls', '7', '--quiet'));
    expect(code).toBe(exitCodes.someRunsFailed);
    expect(stderr).toContain(
      '2 of 4 runs are not finished (2 stopped); continue with: r2po sweep cartpole/r2po nim/props',
    );
  }, 60_000);

  it.each([
    [['sweep', 'cartpole/r2po', '--shard', '3/2'], 'expected i/n with i in 1 ... n, such as 2/8, got "3/2"'],
    [['sweep', 'cartpole/r2po', '--jobs', '0'], '[--jobs] expected a whole number in 1 ... 10000'],
    [['sweep', 'seed=1..3'], 'expected a configuration, got none'],
    [
      ['sweep', 'cartpole/r2po', 'seed=0..4', ...queue, '--cancel'],
      '[--cancel] expected no configurations, got cartpole/r2po seed=0..4; leave them out',
    ],
    [
      ['sweep', '--queue', 'cartpole/r2po'],
      'got a word that is no URL; for the queue that R2PO_QUEUE names, write --queue at the end of the command',
    ],
    [['sweep', 'cartpole/r2po', '--queue-prefix', 'a'], '[--queue-prefix] expected it together with --queue'],
    [['sweep', 'cartpole/r2po', '--wait'], '[--wait] expected it together with --queue'],
    [['sweep', 'cartpole/r2po', ...queue, '--out', 'report'], '[--out] expected it together with --wait'],
    [['sweep', 'cartpole/r2po', ...queue, '--adapter', '1'], '[--adapter] expected it without --queue'],
    [['sweep', ...queue, '--cancel', '--dry-run'], '[--dry-run] expected it without --cancel, got both'],
    [['sweep', ...queue, '--status', '--runs-dir', 'runs'], '[--runs-dir] expected it without --status, got both'],
  ])('%j: exit 2', async (given, message) => {
    const { code, stderr } = await runHere(given);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  });
});
