/** Numbers of a run that somebody edited are not reported: the run is listed with the reason, and the others are reported. */
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readReportRun } from '../../src/report/run-records.ts';
import { readJson, smallRun, temporaryFolder } from '../support/experiment.ts';
import { runCommand } from '../support/in-process.ts';

let whole: string;
beforeAll(async () => {
  whole = (await smallRun({ overrides: ['iterations=3', 'warmup.policies=2', 'recheck.episodes=8'] })).folder;
});

const editText = (name: string, change: (text: string) => string) => (folder: string) => {
  const text = readFileSync(join(folder, name), 'utf8');
  expect(change(text)).not.toBe(text);
  writeFileSync(join(folder, name), change(text));
};
const editSummary = (change: (summary: ReturnType<typeof copyOfSummary>) => void) => (folder: string) => {
  const summary = copyOfSummary(folder);
  change(summary);
  writeFileSync(join(folder, 'summary.json'), JSON.stringify(summary));
};
// biome-ignore lint/suspicious/noExplicitAny: each case sets what it edits
const copyOfSummary = (folder: string) => readJson<any>(folder);

/** A folder with an edited copy of the run and one of another seed that nobody touched. */
function twoRuns(edit: (folder: string) => void): { readonly runs: string; readonly edited: string } {
  const runs = temporaryFolder();
  const edited = join(runs, 'edited');
  cpSync(whole, edited, { recursive: true });
  cpSync(join('test', 'cases', 'finished-run'), join(runs, 'good'), { recursive: true });
  edit(edited);
  return { runs, edited };
}

const changedLine = (text: string) => text.replace(/("type":"evaluated".*?"mean":)[\d.]+/, '$1300');
const cut = (text: string) => `${text.split('\n').slice(0, 9).join('\n')}\n`;

describe('report', () => {
  const cases: readonly [string, (folder: string) => void, RegExp][] = [
    [
      'a best of 99,999',
      editSummary((s) => {
        s.best_reward = 99_999;
        s.best.mean = 99_999;
      }),
      /expected best_reward [\d.]+, as metrics.csv has it, got 99999/,
    ],
    [
      'a best of 99,999 in metrics too',
      (folder) => {
        editText('metrics.csv', (t) => t.replace(/^(3,(?:[^,]*,){8})[^,]*/m, '$199999'))(folder);
        editSummary((s) => {
          s.best_reward = 99_999;
          s.best.mean = 99_999;
        })(folder);
      },
      /expected a return in 1 ... 500 as best_reward, got 99999/,
    ],
    [
      'a mean',
      editSummary((s) => {
        s.mean_reward += 1;
      }),
      /expected mean_reward/,
    ],
    [
      'a re-check',
      editSummary((s) => {
        s.best.rechecked.mean = 499;
      }),
      /expected best.rechecked.mean .*, as events.jsonl has it, got 499/,
    ],
    [
      'a count of calls',
      editSummary((s) => {
        s.llm.calls = 1;
      }),
      /expected calls 6/,
    ],
    [
      'iterations',
      editSummary((s) => {
        s.iterations = 30;
      }),
      /expected iterations 3/,
    ],
    [
      'no record',
      editSummary((s) => {
        delete s.record;
      }),
      /expected "record" in summary.json/,
    ],
    [
      'a row of metrics',
      editText('metrics.csv', (t) => t.replace(/^(3,(?:[^,]*,){8})[^,]*/m, '$1499')),
      /expected best_reward 499/,
    ],
    ...(
      [
        ['env', 'Swimmer-v5'],
        ['method', 'reptraj'],
        ['model', 'openai/gpt-5'],
        ['models', { search: 'offline', critic: 'openai/gpt-5' }],
        ['model_kind', 'model'],
        ['seed', 5],
        ['backend', 'webgpu'],
        ['status', 'running'],
      ] as const
    ).map(([key, value]): (typeof cases)[number] => [
      `another ${key}`,
      editSummary((s) => {
        s[key] = value;
      }),
      new RegExp(`summary.json: expected ${key}.*, as run.json has it, got`),
    ]),
    [
      'parameters of another policy',
      editSummary((s) => {
        s.best.params[1] = 123;
      }),
      /summary.json: expected best.params\[1\] .*, as best.json has it, got 123/,
    ],
    [
      'another configuration',
      editText('config.yaml', (t) => t.replace(/^iterations: 3$/m, 'iterations: 4')),
      /config.yaml: expected the configuration [0-9a-f]{12}, as run.json has it, got [0-9a-f]{12}: it was changed/,
    ],
    ['a line of the journal', editText('events.jsonl', changedLine), /events.jsonl:5: the line was changed \(seq 4\)/],
    [
      'a line that lost its end',
      editText('events.jsonl', (t) =>
        t
          .split('\n')
          .map((line, i) => (i === 6 ? line.slice(0, -1) : line))
          .join('\n'),
      ),
      /events.jsonl:7: expected an event, got no JSON/,
    ],
    [
      'the last line',
      editText('events.jsonl', (t) => t.replace(/(run_finished","time":")2/, '$13')),
      /the last line of events.jsonl has another digest/,
    ],
    ['a journal that was cut', editText('events.jsonl', cut), /does not end in run_finished/],
    ['an empty journal', (folder) => writeFileSync(join(folder, 'events.jsonl'), ''), /of 20 events, found none/],
    [
      'a folder in place of its journal',
      (folder) => {
        rmSync(join(folder, 'events.jsonl'));
        mkdirSync(join(folder, 'events.jsonl'));
      },
      /cannot read ".*events\.jsonl": EISDIR: it is a folder/,
    ],
    ['no journal', (folder) => rmSync(join(folder, 'events.jsonl')), /of 20 events, found none/],
  ];
  it.each(cases)('refuses a run with %s, and reports the others', async (_name, edit, reason) => {
    const { runs, edited } = twoRuns(edit);
    const { code, stdout, stderr } = await runCommand('report', runs, '--json');
    expect(stderr).toContain(`left out: ${edited}: `);
    expect(stderr).toMatch(reason);
    expect(code).toBe(1);
    expect(JSON.parse(stdout).groups).toMatchObject([{ runs: [{ folder: join(runs, 'good') }] }]);
  });

  it('reads only the end of a long journal that is older than the summary', () => {
    const { edited } = twoRuns(() => {});
    const path = join(edited, 'events.jsonl');
    const text = readFileSync(path, 'utf8');
    const { mtimeMs } = statSync(join(edited, 'summary.json'));
    // Nobody reads these lines, whose digests do not hold.
    writeFileSync(path, `${'{"not":"read"}\n'.repeat(30_000)}${text}`);
    utimesSync(path, mtimeMs / 1000 - 5, mtimeMs / 1000 - 5);
    expect(readReportRun(edited).summary.iterations).toBe(3);
    utimesSync(path, mtimeMs / 1000 + 60, mtimeMs / 1000 + 60);
    expect(() => readReportRun(edited)).toThrow('the line was changed');
  });

  it('refuses a stopped run that its summary calls a failed one', () => {
    const edited = join(temporaryFolder(), 'stopped');
    cpSync(join('test', 'cases', 'format-2-stopped-run'), edited, { recursive: true });
    expect(readReportRun(edited).summary.status).toBe('stopped');
    editSummary((s) => {
      s.status = 'failed';
    })(edited);
    expect(() => readReportRun(edited)).toThrow('expected status "stopped", as events.jsonl has it, got "failed"');
  });

  it('takes a configuration with a comment and another limit, which is the same', () => {
    const { edited } = twoRuns(
      editText('config.yaml', (t) => `# kept\n${t.replace('max_calls: null', 'max_calls: 999')}`),
    );
    expect(readReportRun(edited).summary.iterations).toBe(3);
  });

  it('takes a run whose journal goes on behind its summary, as a kill leaves it', () => {
    const { edited } = twoRuns((folder) => {
      const lines = readFileSync(join(folder, 'events.jsonl'), 'utf8').split('\n');
      writeFileSync(join(folder, 'events.jsonl'), `${lines.slice(0, 16).join('\n')}\n{"torn`);
      editText('metrics.csv', (t) => `${t.split('\n').slice(0, 3).join('\n')}\n`)(folder);
      const rows = readFileSync(join(folder, 'metrics.csv'), 'utf8').trim().split('\n').slice(1);
      const [, , , , mean] = rows[1]!.split(',');
      editSummary((s) => {
        const record = { events: 13, digest: JSON.parse(lines[13]!).prev };
        const kept = rows.map((row) => Number(row.split(',')[4]));
        const best = Math.max(...kept);
        Object.assign(s, { status: 'running', iterations: 2, record, final_reward: Number(mean), best_reward: best });
        Object.assign(s, { mean_reward: (kept[0]! + kept[1]!) / 2, best: { ...s.best, mean: best, rechecked: null } });
      })(folder);
      const manifest = readJson<object>(folder, 'run.json');
      writeFileSync(join(folder, 'run.json'), JSON.stringify({ ...manifest, status: 'running' }));
    });
    expect(readReportRun(edited).summary.iterations).toBe(2);
  });
});

describe('what reads the journal', () => {
  it.each([
    ['analyze', ['analyze', 'edits'], [changedLine]],
    ['export', ['export', '--out', 'OUT'], [changedLine, cut]],
    ['export --format calls', ['export', '--format', 'calls', '--out', 'OUT/calls.jsonl'], [changedLine, cut]],
    ['export --format reference', ['export', '--format', 'reference', '--out', 'OUT'], [changedLine, cut]],
  ] as const)('%s refuses one that was edited, and uses the others', async (_name, args, changes) => {
    for (const change of changes) {
      const { runs, edited } = twoRuns(editText('events.jsonl', change));
      const out = join(temporaryFolder(), 'out');
      mkdirSync(out);
      const [name, ...options] = args.map((arg) => arg.replace('OUT', out));
      const { code, stderr } = await runCommand(name!, ...options, runs);
      expect(stderr).toContain(edited);
      expect(stderr).toMatch(
        change === cut ? /got less: the run is finished by run.json/ : /events.jsonl:5: .*was changed/,
      );
      expect(code).toBe(1);
    }
  });
});
