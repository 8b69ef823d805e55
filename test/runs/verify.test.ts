/** A run is as it was recorded: what verification finds when something in its folder was edited, cut or lost. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { meansAgree } from '../../src/checks/parity.ts';
import type { Summary } from '../../src/evaluation/summary.ts';
import type { Backend } from '../../src/rollout/backend.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import type { CheckName } from '../../src/runs/verify/check.ts';
import { type VerifyReport, verifyRun } from '../../src/runs/verify/verify.ts';
import { asKilled, readJson, rewriteRecord, smallRun, temporaryFolder } from '../support/experiment.ts';
import { runCommand } from '../support/in-process.ts';

const backend = openCpuBackend({ threads: 1 });
const overrides = ['iterations=3', 'warmup.policies=2', 'recheck.episodes=8'];
let whole: string;
beforeAll(async () => {
  whole = (await smallRun({ overrides })).folder;
});
afterAll(() => backend.close());

/** The backend under another name. */
const named = (id: 'webgpu', adapter: string): Backend => ({
  ...{ id, adapter, supports: () => null },
  play: (...args) => backend.play(...args),
  measure: (...args) => backend.measure(...args),
  trace: (...args) => backend.trace(...args),
  resets: (...args) => backend.resets(...args),
  probe: (...args) => backend.probe(...args),
  close: async () => {},
});
const verify = (folder: string, on: Backend = backend) => verifyRun(folder, { open: async () => on });

/** A copy of the whole run, edited. */
function copyOf(edit: (folder: string) => void, from = whole): string {
  const folder = join(temporaryFolder(), 'run');
  cpSync(from, folder, { recursive: true });
  edit(folder);
  return folder;
}

/** Files of any shape. */
// biome-ignore lint/suspicious/noExplicitAny: each case knows the file that it edits
type Content = any;
const editJson = (name: string, change: (value: Content) => void) => (folder: string) => {
  const value = readJson<Content>(folder, name);
  change(value);
  writeFileSync(join(folder, name), JSON.stringify(value));
};
const editText = (name: string, change: (text: string) => string) => (folder: string) => {
  const path = join(folder, name);
  const before = readFileSync(path, 'utf8');
  const after = change(before);
  expect(after).not.toBe(before);
  writeFileSync(path, after);
};
/** Changes the record so that every digest holds, and the summary with it. */
const forge = (edit: (text: string) => string) => (folder: string) => rewriteRecord(folder, edit);

const resultsOf = ({ checks }: VerifyReport) => Object.fromEntries(checks.map(({ check, result }) => [check, result]));

describe('a run that nobody touched', () => {
  it('holds in every check, and is not changed by it', async () => {
    const files = () =>
      readdirSync(whole, { recursive: true, encoding: 'utf8' }).map((name) => [
        name,
        statSync(join(whole, name)).mtimeMs,
      ]);
    const before = files();
    const report = await verify(whole);
    expect(report).toMatchObject({ difference: null, record: { format: 2, events: 20 } });
    expect(new Set(report.checks.map(({ result }) => result))).toEqual(new Set(['holds']));
    expect(files()).toEqual(before);
  });

  it.each(['stopped-run', 'finished-run', 'earlier-run'])('of format 1 holds without digests: %s', async (name) => {
    const report = await verify(join('test', 'cases', name));
    expect(report.difference).toBeNull();
    expect(report.checks[0]!.detail).toContain('format 1 has no digests');
  });

  it.each(['cartpole-r2po', 'frozenlake-props-plus', 'mountaincar-continuous-three-traj'])(
    'holds: %s',
    async (name) => {
      expect((await verify(join('test', 'replay', name))).difference).toBeNull();
    },
  );

  it('that says of itself that it still runs is not said to agree, and is compared in all the rest', async () => {
    const running = editJson('run.json', (manifest) => {
      manifest.status = 'running';
    });
    const report = await verify(copyOf(running));
    expect(report.difference).toBeNull();
    expect(resultsOf(report).manifest).toBe('not checked');
    const other = copyOf(running);
    editJson('run.json', (manifest) => {
      manifest.model = 'openai/gpt-5';
    })(other);
    expect((await verify(other)).difference).toMatchObject({
      check: 'manifest',
      detail: expect.stringContaining('expected model "offline"'),
    });
  });

  it('without a TensorBoard file is not said to have one', async () => {
    const report = await verify(copyOf((folder) => rmSync(join(folder, 'tb'), { recursive: true })));
    expect(report.difference).toBeNull();
    expect(resultsOf(report).tensorboard).toBe('not checked');
    const edited = copyOf((folder) => {
      const [name] = readdirSync(join(folder, 'tb'));
      const bytes = readFileSync(join(folder, 'tb', name!));
      bytes[bytes.length - 6]! ^= 1;
      writeFileSync(join(folder, 'tb', name!), bytes);
    });
    expect((await verify(edited)).difference).toMatchObject({ check: 'tensorboard' });
  });

  it('that was killed holds as far as it goes', async () => {
    const lines = readFileSync(join(whole, 'events.jsonl'), 'utf8').split('\n');
    for (const count of [0, 1, 4, 9, 17]) {
      const folder = copyOf((copy) => {
        writeFileSync(
          join(copy, 'events.jsonl'),
          lines
            .slice(0, count)
            .map((line) => `${line}\n`)
            .join(''),
        );
        asKilled(copy);
        rmSync(join(copy, 'trajectories'), { recursive: true });
      });
      expect((await verify(folder)).difference, String(count)).toBeNull();
    }
    const torn = copyOf((copy) => {
      writeFileSync(join(copy, 'events.jsonl'), `${lines.slice(0, 9).join('\n')}\n{"type":"eval`);
      asKilled(copy);
    });
    expect((await verify(torn)).checks[0]!.detail).toContain('torn last line');
  });
});

describe('what was edited is found, and the first event that differs is named', () => {
  const cases: readonly [string, (folder: string) => void, CheckName, number | null, RegExp][] = [
    [
      'a line of the record',
      editText('events.jsonl', (t) => t.replace(/("return":)\d+/, '$177')),
      'record',
      1,
      /changed \(seq 1/,
    ],
    [
      'two lines in another order',
      editText('events.jsonl', (t) => {
        const lines = t.split('\n');
        return [lines[0], lines[2], lines[1], ...lines.slice(3)].join('\n');
      }),
      'record',
      1,
      /seq 2 instead of 1/,
    ],
    [
      'a record that was cut',
      editText('events.jsonl', (t) => `${t.split('\n').slice(0, 9).join('\n')}\n`),
      'record',
      9,
      /finished by run.json/,
    ],
    [
      'the last line',
      editText('events.jsonl', (t) => t.replace(/(run_finished","time":")2/, '$13')),
      'record',
      19,
      /another digest/,
    ],
    ['a line behind the end', editText('events.jsonl', (t) => `${t}{"type":"wa`), 'record', 20, /behind the end/],
    ['no record', (f) => rmSync(join(f, 'events.jsonl')), 'record', 0, /found none/],
    ['no JSON', editText('events.jsonl', (t) => t.replace('{', '')), 'record', 0, /no JSON/],
    [
      'a record that is a folder',
      (f) => {
        rmSync(join(f, 'events.jsonl'));
        cpSync(join(f, 'tb'), join(f, 'events.jsonl'), { recursive: true });
      },
      'record',
      null,
      /events.jsonl/,
    ],
    [
      'a best of 99,999',
      editJson('summary.json', (s) => {
        s.best_reward = 99_999;
        s.best.mean = 99_999;
      }),
      'summary',
      null,
      /best_reward .*99999/,
    ],
    [
      'a re-check',
      editJson('summary.json', (s) => {
        s.best.rechecked.mean += 1;
      }),
      'summary',
      null,
      /best\.rechecked\.mean/,
    ],
    [
      'a count of calls',
      editJson('summary.json', (s) => {
        s.llm.calls -= 1;
      }),
      'summary',
      null,
      /llm\.calls/,
    ],
    [
      'the cost',
      editJson('summary.json', (s) => {
        s.llm.cost_usd = 3;
      }),
      'summary',
      null,
      /llm\.cost_usd/,
    ],
    [
      'a summary without its record',
      editJson('summary.json', (s) => {
        delete s.record;
        s.mean_reward += 1;
      }),
      'summary',
      null,
      /mean_reward/,
    ],
    [
      'a summary of another shape',
      editJson('summary.json', (s) => {
        s.episodes = 'many';
      }),
      'summary',
      null,
      /"episodes"/,
    ],
    ['no summary', (f) => rmSync(join(f, 'summary.json')), 'summary', null, /found none/],
    [
      'a row of metrics',
      editText('metrics.csv', (t) => t.replace(/^2,(.*)$/m, '2,9$1')),
      'metrics',
      12,
      /metrics.csv:3: expected episodes/,
    ],
    [
      'a row too few',
      editText('metrics.csv', (t) => `${t.split('\n').slice(0, 3).join('\n')}\n`),
      'metrics',
      null,
      /expected 3 rows, got 2/,
    ],
    ['no metrics', (f) => rmSync(join(f, 'metrics.csv')), 'metrics', null, /found none/],
    [
      'the best policy',
      editJson('best.json', (p) => {
        p.params[3] += 1;
      }),
      'best',
      null,
      /params\[3\]/,
    ],
    [
      'another environment of the best policy',
      (f) =>
        editJson('best.json', (p) => {
          p.env = 'Acrobot-v1';
        })(f),
      'best',
      null,
      /expected env "CartPole-v1", got "Acrobot-v1"/,
    ],
    ['no best policy', (f) => rmSync(join(f, 'best.json')), 'best', null, /found none/],
    [
      'a trajectory',
      editJson('trajectories/iteration-0001.json', (t) => {
        t.return += 1;
      }),
      'trajectories',
      7,
      /expected return/,
    ],
    [
      'a trajectory without steps',
      editJson('trajectories/iteration-0001.json', (t) => {
        t.steps = [];
      }),
      'trajectories',
      7,
      /expected steps/,
    ],
    [
      'no trajectory',
      (f) => rmSync(join(f, 'trajectories', 'iteration-0003.json')),
      'trajectories',
      null,
      /iteration-0003/,
    ],
    [
      'the seed of run.json',
      editJson('run.json', (m) => {
        m.seed = 99;
      }),
      'manifest',
      null,
      /expected seed 3/,
    ],
    [
      'the status of run.json',
      editJson('run.json', (m) => {
        m.status = 'stopped';
      }),
      'manifest',
      null,
      /expected status "finished"/,
    ],
    [
      'the model of run.json',
      editJson('run.json', (m) => {
        m.model = 'openai/gpt-9';
      }),
      'manifest',
      null,
      /expected model "offline"/,
    ],
    [
      'the configuration',
      editText('config.yaml', (t) => t.replace(/episodes: 5/, 'episodes: 6')),
      'manifest',
      null,
      /config_hash/,
    ],
    [
      'a configuration that cannot be read',
      (f) => writeFileSync(join(f, 'config.yaml'), 'env: [\n'),
      'manifest',
      null,
      /config\.yaml/,
    ],
    ['run.json', (f) => writeFileSync(join(f, 'run.json'), '{'), 'manifest', null, /expected JSON/],
  ];
  it.each(cases)('%s', async (_name, edit, check, seq, detail) => {
    const { difference } = await verify(copyOf(edit));
    expect(difference).toMatchObject({ check, seq, detail: expect.stringMatching(detail) });
  });

  // Whoever writes the digests anew cannot make the numbers true.
  const forged: readonly [string, (text: string) => string, CheckName, RegExp][] = [
    [
      'a return that CartPole cannot give',
      (t) => t.replace(/("type":"warmup".*?"return":)\d+/, '$1501'),
      'returns',
      /return in 1 ... 500 .*got 501/,
    ],
    [
      'a mean outside of its minimum and maximum',
      (t) => t.replace(/("type":"evaluated".*?"mean":)[\d.]+/, '$1499.5'),
      'returns',
      /evaluated: expected summary\.mean/,
    ],
    [
      'a mean of a candidate that was not measured',
      (t) => t.replace(/("type":"iteration".*?"mean":)[\d.]+/, '$17.25'),
      'returns',
      /iteration: expected mean .* of "proposal"/,
    ],
    ['episodes that ended in no way', (t) => t.replace(/("ends":{"terminated":)\d+/, '$12'), 'returns', /as many ends/],
    [
      'a re-check that was never played',
      (t) =>
        t.replace(/("type":"rechecked".*)$/m, (line) =>
          line.replaceAll(/"(mean|median|min)":[\d.]+/g, '"$1":490').replaceAll(/"max":[\d.]+/g, '"max":490'),
        ),
      'returns',
      /rechecked/,
    ],
    ['a type that is not known', (t) => t.replace('"type":"warmup"', '"type":"warmdown"'), 'record', /something else/],
  ];
  it.each(forged)('in a record whose digests hold: %s', async (_name, edit, check, detail) => {
    const report = await verify(copyOf(forge(edit)));
    const found = report.checks.filter(({ result }) => result === 'differs');
    expect(found).toContainEqual(expect.objectContaining({ check, detail: expect.stringMatching(detail) }));
  });

  it('in a whole forgery: the best policy does not give that mean again', async () => {
    const { params } = readJson<{ params: number[] }>(whole, 'best.json');
    const other = params.map((value) => -value - 0.5);
    const folder = copyOf(forge((t) => t.replaceAll(JSON.stringify(params), JSON.stringify(other))));
    expect((await verify(folder)).checks.find(({ check }) => check === 'played again')).toMatchObject({
      result: 'differs',
      detail: expect.stringMatching(/^(evaluated|rechecked): expected summary\..* on cpu/),
    });
  });
});

describe('what cannot be checked is said, and is no difference', () => {
  it('on another backend the mean has to agree within the tolerance of parity', async () => {
    const report = await verify(whole, named('webgpu', 'another card'));
    expect(report.difference).toBeNull();
    expect(report.checks.at(-1)!.detail).toContain('within the tolerance of parity on another card');
    const summary = { episodes: 20, mean: 100, std: 10, length: { max: 100 } } as Summary;
    expect(meansAgree(summary, { ...summary, mean: 100.0001 })).toBe(true);
    expect(meansAgree(summary, { ...summary, mean: 103 })).toBe(true);
    expect(meansAgree(summary, { ...summary, mean: 120 })).toBe(false);
    expect(meansAgree({ ...summary, std: 0 }, { ...summary, std: 0, mean: 101 })).toBe(false);
  });

  it('of an imported run, episodes of another program and files that it has not', async () => {
    const runsDir = temporaryFolder();
    const log = join(temporaryFolder(), 'cartpole_r2po', 'run_1');
    expect(await runCommand('export', whole, '--format', 'reference', '--out', log)).toMatchObject({ code: 0 });
    const imported = JSON.parse((await runCommand('import', 'r2po', log, '--runs-dir', runsDir, '--json')).stdout);
    const { difference, checks } = await verify(imported.imports[0].folder);
    expect(difference).toBeNull();
    expect(resultsOf({ checks } as VerifyReport)).toMatchObject({
      record: 'holds',
      summary: 'holds',
      metrics: 'holds',
      returns: 'not checked',
      'played again': 'not checked',
    });
  });

  it('of a training that was imported, everything but its rewards', async () => {
    const log = temporaryFolder();
    const rows = ['#{"t_start": 1700000000.5, "env_id": "CartPole-v1"}', 'r,l,t', '9,9,0.1', '30,30,0.4', ''];
    writeFileSync(join(log, '0.monitor.csv'), rows.join('\n'));
    const found = await runCommand('import', 'sb3', log, '--method', 'ppo', '--runs-dir', temporaryFolder(), '--json');
    const { difference, checks } = await verify(JSON.parse(found.stdout).imports[0].folder);
    expect(difference).toBeNull();
    expect(resultsOf({ checks } as VerifyReport)).toMatchObject({
      record: 'holds',
      summary: 'holds',
      metrics: 'holds',
    });
  });

  it('of a record that somebody sent alone', async () => {
    const folder = copyOf((copy) => {
      for (const name of readdirSync(copy)) {
        if (!['config.yaml', 'run.json', 'events.jsonl'].includes(name)) rmSync(join(copy, name), { recursive: true });
      }
    });
    const report = await verify(folder);
    expect(report.difference).toBeNull();
    expect(resultsOf(report)).toMatchObject({ record: 'holds', summary: 'not checked', 'played again': 'holds' });
  });

  it('without a backend for the run', async () => {
    const report = await verifyRun(whole, { open: async () => ({ reason: 'no adapter here' }) });
    expect(report.difference).toBeNull();
    expect(report.checks.at(-1)).toMatchObject({ result: 'not checked', detail: 'no adapter here' });
  });
});

describe('r2po verify', () => {
  it('exits 0 when everything holds and 6 when not, names the run, and prints one JSON document', async () => {
    const runs = temporaryFolder();
    cpSync(whole, join(runs, 'good'), { recursive: true });
    const held = await runCommand('verify', join(runs, 'good'));
    expect(held).toMatchObject({ code: 0 });
    expect(held.stdout).toMatch(/record +holds +20 events of format 2/);
    cpSync(whole, join(runs, 'bad'), { recursive: true });
    editJson('summary.json', (s) => {
      s.best_reward = 99_999;
    })(join(runs, 'bad'));
    cpSync(whole, join(runs, 'headless'), { recursive: true });
    rmSync(join(runs, 'headless', 'run.json'));
    const { code, stdout, stderr } = await runCommand('verify', runs, '--json');
    expect(code).toBe(6);
    expect(stderr).toMatch(/\[verify\] .*bad: summary: .*99999/);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      runs: [
        { ok: false, first_difference: { check: 'summary' } },
        { ok: true, format: 2, events: 20, first_difference: null },
        { ok: false, first_difference: { check: 'manifest', detail: expect.stringContaining('run.json') } },
      ],
    });
    expect(existsSync(join(runs, 'headless', 'run.json'))).toBe(false);
  });

  it('refuses a path without a run', async () => {
    const { code, stderr } = await runCommand('verify', temporaryFolder());
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('got none') });
  });
});
