/** Stable-Baselines3 trainings: imported, compared with searches, and their problems reported. */
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assetPath } from '../../src/base/node/assets.ts';
import { findEnv } from '../../src/envs/registry.ts';
import { openExportableRun } from '../../src/interop/reference/export.ts';
import { findTrainings } from '../../src/interop/sb3/find.ts';
import { importTraining } from '../../src/interop/sb3/import.ts';
import {
  cellsOf,
  eachEpisode,
  MonitorFile,
  MonitorParser,
  type TrainingEpisode,
} from '../../src/interop/sb3/monitor.ts';
import { algorithmIn, envIn, methodOf, numberIn } from '../../src/interop/sb3/subject.ts';
import { findAnalysedRuns } from '../../src/report/analyses/runs.ts';
import { defaultReport, makeReport, type ReportOptions, reportTables } from '../../src/report/report.ts';
import { findReportRuns, groupValue } from '../../src/report/run-records.ts';
import { readManifest } from '../../src/runs/folder/manifest.ts';
import { metricsCsv } from '../../src/runs/folder/metrics.ts';
import { encodeScalars } from '../../src/runs/folder/tensorboard.ts';
import type { RunEvent } from '../../src/runs/journal/events.ts';
import { RunTotals } from '../../src/runs/journal/totals.ts';
import { openRecordedRun } from '../../src/runs/replay.ts';
import { runCli } from '../support/cli.ts';
import { eventsOf, readJson, smallRun, temporaryFolder } from '../support/experiment.ts';
import { runHere } from '../support/in-process.ts';
import { writeRun } from '../support/run-folders.ts';

const optionsUnknown = 'options of CartPole-v1 unknown, taken for those by default: there is no args.yml';

interface Row {
  readonly r: number;
  readonly l: number;
  readonly t: number;
}

const header = (start: number, id: string | null = 'CartPole-v1') =>
  `#${JSON.stringify({ t_start: start, env_id: id })}\n`;
/** As Python's csv module ends them. */
const row = ({ r, l, t }: Row): string => `${r},${l},${t}\r\n`;
const monitor = (start: number, rows: readonly Row[], id: string | null = 'CartPole-v1'): string =>
  `${header(start, id)}r,l,t\r\n${rows.map(row).join('')}`;

function write(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const settings = { env: null, method: null, window: 2, argv: ['import'], now: 1_000_000 };

async function importAll(root: string, options: Partial<Parameters<typeof importTraining>[1]> = {}) {
  const { found, skipped } = findTrainings(root);
  const runs = [];
  const runsDir = options.runsDir ?? temporaryFolder();
  for (const one of found) runs.push(await importTraining(one, { ...settings, runsDir, ...options }));
  return { runs, skipped };
}

const means = (folder: string): number[] =>
  eventsOf(folder).flatMap((event: RunEvent) =>
    event.type === 'iteration' ? event.candidates.map((c) => c.mean) : [],
  );

/** What a parser makes of these lines. */
function parse(text: string, origin = 7): { parser: MonitorParser; episodes: TrainingEpisode[] } {
  const episodes: TrainingEpisode[] = [];
  const parser = new MonitorParser(origin, (episode) => episodes.push(episode));
  const lines = text.split('\n');
  lines.forEach((line, i) => {
    if (i === lines.length - 1 && line === '') return;
    parser.line(line.replace(/\r$/, ''), i + 1, i < lines.length - 1);
  });
  parser.end();
  return { parser, episodes };
}

const whole: fc.Arbitrary<Row> = fc.record({
  r: fc.double({ min: -1e100, max: 1e100, noNaN: true }),
  l: fc.integer({ min: 1, max: 1000 }),
  t: fc.double({ min: 0, max: 1e6, noNaN: true }),
});

describe('a monitor file', () => {
  it('gives back the rows that were written, whatever stands in other columns', () => {
    const extra = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', ' ', '1') });
    fc.assert(
      fc.property(fc.array(fc.tuple(whole, extra)), fc.integer({ min: 1, max: 2e9 }), (rows, start) => {
        const quoted = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
        const sorted = rows.map(([r]) => r.t).sort((a, b) => a - b);
        const lines = rows.map(([one, note], i) => `${one.r},${one.l},${sorted[i]},${quoted(note)}\r\n`);
        const { parser, episodes } = parse(`${header(start, 'Pong-v0')}r,l,t,note\r\n${lines.join('')}`);
        expect(episodes).toEqual(
          rows
            .map(([one], i) => ({ return: one.r, length: one.l, time: start + sorted[i]! }))
            .map((e) => ({
              ...e,
              return: e.return + 0,
            })),
        );
        expect(parser.envId).toBe('Pong-v0');
        expect(parser.problems).toEqual(rows.length === 0 ? [{ expected: 'rows of episodes', found: 'none' }] : []);
      }),
    );
  });

  it('loses the damaged rows alone, and says which', () => {
    const damage = [
      '1,2',
      '1,2,3,4',
      'nan,2,3',
      'inf,2,3',
      '1,0,3',
      '1,2.5,3',
      '1,2,-3',
      'x',
      '1,2,',
      '#{"t_',
      '0x10,2,3',
      '1e200,2,3',
    ];
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...damage), fc.integer({ min: 1, max: 499 })), {
          minLength: 1,
          maxLength: 30,
        }),
        (lines) => {
          const text = lines.map((line, i) =>
            typeof line === 'number' ? row({ r: line, l: line, t: i }) : `${line}\r\n`,
          );
          const { parser, episodes } = parse(`${header(5)}r,l,t\r\n${text.join('')}`);
          const good = lines.filter((line) => typeof line === 'number');
          expect(episodes.map((e) => e.length)).toEqual(good);
          const bad = lines.flatMap((line, i) => (typeof line === 'number' ? [] : [i + 3]));
          const named = parser.problems
            .flatMap(({ expected }) => /in line (\d+)$/.exec(expected)?.[1] ?? [])
            .map(Number);
          expect(named).toEqual(bad.slice(0, 20));
          if (bad.length > 20) expect(parser.problems.at(-1)?.found).toBe(`${bad.length - 20} more invalid lines`);
        },
      ),
    );
  });

  it('takes any text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('#', '{', '}', '"', ',', '\n', 'r', 'l', 't', '1', '.', 'e', '9') }),
        (text) => {
          const { episodes } = parse(text);
          for (const { length, time } of episodes) expect([length >= 1, Number.isFinite(time)]).toEqual([true, true]);
        },
      ),
    );
  });

  it('goes on where it was appended to, with and without a second header', () => {
    const text =
      `${monitor(100, [
        { r: 1, l: 11, t: 5 },
        { r: 2, l: 12, t: 9 },
      ])}` +
      `${row({ r: 3, l: 13, t: 4 })}` +
      `${monitor(500, [{ r: 4, l: 14, t: 6 }])}`;
    const { parser, episodes } = parse(text);
    expect(episodes.map(({ time }) => time)).toEqual([105, 109, 113, 506]);
    expect([parser.resumed, parser.start, parser.problems]).toEqual([2, 100, []]);
  });

  it('counts from its own time without a header, and keeps columns in any order', () => {
    const { parser, episodes } = parse('t,x,l,r\r\n2.5,a,9,-3\r\n', 40);
    expect(episodes).toEqual([{ return: -3, length: 9, time: 42.5 }]);
    expect([parser.envId, parser.start]).toEqual([null, null]);
    expect(parse(`${header(3, 'None')}1,2,3\r\n`).parser.problems).toEqual([
      { expected: 'the columns r, l and t in line 2', found: '"1,2,3"' },
    ]);
  });

  it('does not take a half-written last line', () => {
    const { parser, episodes } = parse(`${monitor(1, [{ r: 8, l: 80, t: 1 }])}9,90,2`);
    expect(episodes).toHaveLength(1);
    expect(parser.breaksOff).toBe(true);
    expect(parser.problems).toEqual([{ expected: 'a whole line in line 4', found: '"9,90,2"' }]);
  });

  it('gives up a quoted cell that never ends', () => {
    expect(cellsOf('1,"a,""b",2')).toEqual(['1', 'a,"b', '2']);
    expect(cellsOf('1,"a')).toBeNull();
    const { parser, episodes } = parse(`${header(1)}r,l,t,x\r\n1,2,3,"a\r\n${'1,2,3,b\r\n'.repeat(70)}`);
    expect(parser.problems[0]!.expected).toBe('a quoted cell of fewer than 64 lines in line 3');
    expect(episodes).toHaveLength(70 - 63);
  });

  it('is merged with others by time', async () => {
    const times = fc
      .array(fc.integer({ min: 0, max: 50 }), { maxLength: 12 })
      .map((list) => list.sort((a, b) => a - b));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ start: fc.integer({ min: 0, max: 40 }), times }), { minLength: 1, maxLength: 4 }),
        async (envs) => {
          const folder = temporaryFolder();
          const files = envs.map(({ start, times: list }, i) => {
            const rows = list.map((t, k) => ({ r: i, l: k + 1, t }));
            return new MonitorFile(write(join(folder, `${i}.monitor.csv`), monitor(start, rows)), 0);
          });
          const seen: TrainingEpisode[] = [];
          await eachEpisode(files, (episode) => {
            seen.push(episode);
            return true;
          });
          for (const file of files) await file.close();
          const expected = envs.flatMap(({ start, times: list }, i) => list.map((t) => ({ time: start + t, i })));
          // Of episodes that end together those of the first file come first.
          expected.sort((a, b) => a.time - b.time || a.i - b.i);
          expect(seen.map((e) => ({ time: e.time, i: e.return }))).toEqual(expected);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('names', () => {
  it.each([
    ['logs/ppo/CartPole-v1_3', 'ppo', 'CartPole-v1', 3],
    ['pong_sb3/a2c/run_10', 'a2c', 'Pong-v0', 10],
    ['mountaincar_sb3_more/dqn/run_2', 'dqn', 'MountainCar-v0', 2],
    ['mine/PPO_LSTM_swimmer/seed4', 'ppo_lstm', 'Swimmer-v5', 4],
    ['a2c_cartpole_tensorboard/first_run_1', 'a2c', 'CartPole-v1', 1],
    ['x/Swimmer-v5', null, 'Swimmer-v5', 0],
    ['sacred/hippo', null, undefined, 0],
  ])('of %s', (path, algorithm, env, number) => {
    const names = path.split('/');
    expect([algorithmIn(names), envIn(names)?.id, numberIn(names[names.length - 1]!)]).toEqual([
      algorithm,
      env,
      number,
    ]);
  });

  it('of algorithms are plain', () => {
    expect([methodOf('PPO'), methodOf('sb3/my-ppo')]).toEqual(['sb3/ppo', 'sb3/my-ppo']);
    expect(() => methodOf('../ppo')).toThrow('expected the name of an algorithm, such as ppo, got "../ppo"');
  });
});

/** Two environments side by side: ends at 1003, 1004, 1007, 1008 and 1011 s. */
function twoMonitors(root: string, name = 'ppo/CartPole-v1_3'): string {
  const folder = join(root, name);
  const first = [
    { r: 10, l: 10, t: 3 },
    { r: 30, l: 30, t: 8 },
    { r: 70, l: 70, t: 11 },
  ];
  const second = [
    { r: 20, l: 20, t: 2 },
    { r: 500, l: 500, t: 5 },
  ];
  write(join(folder, '0.monitor.csv'), monitor(1000, first));
  write(join(folder, '1.monitor.csv'), monitor(1002, second));
  return folder;
}

describe('an imported training', () => {
  it('has a mean of every so many episodes, in the order in which they ended', async () => {
    const root = temporaryFolder();
    twoMonitors(root);
    const { runs, skipped } = await importAll(root);
    expect(skipped).toEqual([]);
    expect(runs).toHaveLength(1);
    expect(runs[0]).toMatchObject({
      env: 'CartPole-v1',
      method: 'sb3/ppo',
      layout: 'monitor',
      iterations: 3,
      files_read: 2,
      files_skipped: [],
      notes: [optionsUnknown, 'the first mean is that of 1 episode, the others of 2'],
      played: { episodes: 5, steps: 630, mean_return: 126, max_return: 500 },
    });
    const folder = runs[0]!.folder as string;
    // No episode is dropped, least of all the newest.
    expect(means(folder)).toEqual([10, 260, 50]);
    expect(readJson(folder)).toMatchObject({
      status: 'finished',
      imported: true,
      method: 'sb3/ppo',
      model: 'none',
      model_kind: 'none',
      seed: 3,
      mean_reward: 320 / 3,
      best_reward: 260,
      final_reward: 50,
      episodes: 5,
      steps: 630,
      wall_s: 11,
    });
    expect(readManifest(folder)?.imported).toMatchObject({
      format: 'Stable-Baselines3',
      layout: 'monitor',
      training: { evaluated: false },
    });
    const evaluated = eventsOf(folder).filter((event) => event.type === 'evaluated');
    expect(evaluated.map((event) => event.rollouts)).toEqual([
      { returns: [10], lengths: [10] },
      { returns: [20, 500], lengths: [20, 500] },
      { returns: [30, 70], lengths: [30, 70] },
    ]);
    expect(evaluated.map((event) => event.summary.ends)).toEqual([
      { terminated: 1, truncated: 0, capped: 0 },
      { terminated: 1, truncated: 1, capped: 0 },
      { terminated: 2, truncated: 0, capped: 0 },
    ]);
    expect(readdirSync(folder)).not.toContain('best.json');
    // The record alone gives the numbers back.
    const totals = new RunTotals();
    for (const event of eventsOf(folder)) totals.add(event);
    expect(readFileSync(join(folder, 'metrics.csv'), 'utf8')).toBe(metricsCsv(totals.rows.from(0)));
  });

  it('is imported once, and again when the files or the options say something else', async () => {
    const root = temporaryFolder();
    const folder = twoMonitors(root);
    const runsDir = temporaryFolder();
    const [first] = (await importAll(root, { runsDir })).runs;
    expect((await importAll(root, { runsDir })).runs[0]).toEqual({ ...first, already: true });
    const [wide] = (await importAll(root, { runsDir, window: 4 })).runs;
    expect([wide!.already, means(wide!.folder as string)]).toEqual([false, [10, 155]]);
    // Two readings of the same files are one run to a report.
    expect(findReportRuns([runsDir]).leftOut).toHaveLength(1);
    appendFileSync(join(folder, '0.monitor.csv'), row({ r: 90, l: 90, t: 12 }));
    const [longer] = (await importAll(root, { runsDir })).runs;
    expect([longer!.already, means(longer!.folder as string)]).toEqual([false, [15, 265, 80]]);
    // A training that went on is one run to a report, too: the import with the most steps.
    const report = findReportRuns([runsDir]);
    expect(report.runs.map((run) => run.folder)).toEqual([longer!.folder]);
    expect(report.leftOut).toHaveLength(2);
  });

  it('with fewer episodes than a mean takes has one mean', async () => {
    const root = temporaryFolder();
    twoMonitors(root);
    const { runs } = await importAll(root, { window: 50 });
    expect(means(runs[0]!.folder as string)).toEqual([126]);
  });

  it('needs an algorithm and an environment from somewhere', async () => {
    const root = temporaryFolder();
    write(join(root, 'mine', 'monitor.csv'), monitor(9, [{ r: 1, l: 1, t: 1 }], 'None'));
    write(join(root, 'ppo', 'walker_1', 'monitor.csv'), monitor(9, [{ r: 1, l: 1, t: 1 }], 'Walker2d-v4'));
    const { runs } = await importAll(root);
    expect(runs.map((run) => run.folder)).toEqual([null, null]);
    expect(runs[0]!.files_skipped[0]!.expected).toMatch(/^an environment of r2po .* or --env$/);
    expect(runs[1]!.files_skipped[0]!.found).toMatch(/^unknown environment "Walker2d-v4"/);
    const pong = findEnv('pong');
    const told = await importAll(join(root, 'mine'), { env: pong });
    expect(told.runs[0]!.files_skipped[0]!.expected).toMatch(/or --method with its name$/);
    const both = await importAll(root, { env: pong, method: 'qrdqn' });
    // No option speaks against the file.
    expect(both.runs.map(({ env, method, files_skipped }) => [env, method, files_skipped[0]?.found])).toEqual([
      ['Pong-v0', 'sb3/qrdqn', undefined],
      [null, null, 'files of Walker2d-v4; leave out --env'],
    ]);
  });

  it('leaves evaluations and second accounts of the same episodes out', async () => {
    const root = temporaryFolder();
    const one = monitor(9, [{ r: 1, l: 1, t: 1 }]);
    for (const name of ['monitor.csv', '0.monitor.csv', 'eval.monitor.csv', 'eval/monitor.csv', 'evaluations.npz']) {
      write(join(root, 'sac', name), one);
    }
    for (const name of ['ppo_a.monitor.csv', 'dqn_2.monitor.csv']) write(join(root, 'many', name), one);
    mkdirSync(join(root, 'search', 'episode_0'), { recursive: true });
    write(join(root, 'search', 'overall_log.txt'), 'Iteration\n');
    const { runs, skipped } = await importAll(root);
    expect(runs.map(({ method }) => method).sort()).toEqual(['sb3/dqn', 'sb3/ppo', 'sb3/sac']);
    expect(skipped.map(({ path }) => path.slice(root.length + 1)).sort()).toEqual([
      'sac/0.monitor.csv',
      'sac/eval',
      'sac/eval.monitor.csv',
    ]);
    expect(runs.flatMap(({ files_skipped }) => files_skipped.map(({ expected }) => expected))).toEqual([
      'a zip archive',
    ]);
  });

  it('is stopped where its file ends early, and read up to invalid bytes', async () => {
    const root = temporaryFolder();
    const folder = twoMonitors(root);
    appendFileSync(join(folder, '1.monitor.csv'), '500,50');
    appendFileSync(join(folder, '0.monitor.csv'), Buffer.from([0xff, 0xfe, 10]));
    const [run] = (await importAll(root)).runs;
    expect(run!.files_skipped.map(({ expected }) => expected)).toEqual(['UTF-8 text in line 6']);
    expect(run!.lines_skipped.map(({ expected }) => expected)).toEqual(['a whole line in line 5']);
    expect([run!.iterations, readJson(run!.folder as string).status]).toEqual([3, 'stopped']);
  });

  it('survives any bytes in its file', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(whole).map((rows) => Buffer.from(monitor(1e9, rows))),
    );
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 0, max: 40 }), async (content, cut) => {
        const root = temporaryFolder();
        const folder = twoMonitors(root);
        writeFileSync(join(folder, '0.monitor.csv'), content.subarray(0, Math.max(0, content.length - cut)));
        const [run] = (await importAll(root)).runs;
        expect(run!.iterations).toBeGreaterThanOrEqual(1);
        expect(findReportRuns([run!.folder as string]).runs).toHaveLength(1);
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});

const logHeader = 'Iteration, CPU Time, API Time, Total Episodes, Total Steps, Total Reward\n';

/** As `baselines/sb3` of the reference writes it: 20 evaluation episodes after each training episode. */
function referenceTraining(folder: string, rewards: readonly number[], summary: object | null): string {
  const rows = rewards.map(
    (reward, i) => `${i + 1}, ${0.5 * (i + 1)}, 0.0, ${21 * (i + 1)}, ${30 * (i + 1)}, ${reward}\n`,
  );
  write(join(folder, 'overall_log.txt'), `${logHeader}${rows.join('')}`);
  utimesSync(join(folder, 'overall_log.txt'), 5000, 5000);
  if (summary) write(join(folder, 'summary.json'), JSON.stringify(summary));
  return folder;
}

const ended = {
  label: 'TRPO/run_4',
  logdir: 'logs/cartpole_sb3/trpo/run_4',
  use_periodic_eval: true,
  eval_episodes: 20,
  hyperparam_source: 'exact',
  hyperparams: { n_steps: 512, gamma: 0.98 },
  mean_reward: 30,
  best_reward: 60,
  final_reward: 20,
};

describe('a baseline of the reference', () => {
  it('is reported when its summary has no log, but not when it summarises the folders beside it', () => {
    const root = temporaryFolder();
    referenceTraining(join(root, 'trpo', 'run_1'), [10, 60, 20], ended);
    write(join(root, 'trpo', 'summary.json'), '{"num_runs": 2}');
    write(join(root, 'trpo', 'run_2', 'summary.json'), JSON.stringify(ended));
    const { found, skipped } = findTrainings(root);
    expect(found.map(({ folder }) => folder)).toEqual([join(root, 'trpo', 'run_1')]);
    expect(skipped).toEqual([
      {
        path: join(root, 'trpo', 'run_2', 'summary.json'),
        expected: 'the log that it summarises, overall_log.txt, beside it',
        found: 'the summary alone',
      },
    ]);
  });

  it('has the evaluations that it logged', async () => {
    const root = temporaryFolder();
    referenceTraining(join(root, 'copied', 'run_4'), [10, 60, 20], ended);
    const [run] = (await importAll(root)).runs;
    expect(run).toMatchObject({
      env: 'CartPole-v1',
      method: 'sb3/trpo',
      layout: 'evaluations',
      iterations: 3,
      files_read: 2,
      files_skipped: [],
      notes: [],
    });
    const folder = run!.folder as string;
    expect(readJson(folder)).toMatchObject({
      status: 'finished',
      seed: 4,
      mean_reward: 30,
      best_reward: 60,
      final_reward: 20,
      episodes: 63,
      steps: 90,
      wall_s: 1.5,
    });
    expect(readManifest(folder)?.imported?.training).toEqual({
      rewards: 'means of 20 evaluation episodes each',
      evaluated: true,
    });
    const [found] = findReportRuns([folder]).runs;
    expect(['sb3.hyperparams.n_steps', 'evaluation.episodes'].map((key) => groupValue(found!, key))).toEqual([
      '512',
      '20',
    ]);
  });

  it('without its summary did not end, and a contradicting summary is reported', async () => {
    const root = temporaryFolder();
    referenceTraining(join(root, 'nim_sb3', 'a2c', 'run_1'), [-1, 0.5], null);
    referenceTraining(join(root, 'nim_sb3', 'a2c', 'run_2'), [-1, 0.25], {
      ...ended,
      label: 'A2C/run_2',
      best_reward: 0.25,
    });
    write(
      join(root, 'nim_sb3', 'a2c', 'run_3', 'overall_log.txt'),
      `${logHeader}1, 0.5, 0.0, 21, 30, nan\n2, 1.0, 0.0\n`,
    );
    const { runs } = await importAll(root);
    expect(readJson(runs[0]!.folder as string)).toMatchObject({ status: 'stopped', env: 'Nim-v0', method: 'sb3/a2c' });
    expect(runs[1]!.notes).toEqual([
      'the rows of the log give mean_reward -0.375, the summary gives 30',
      'the rows of the log give final_reward 0.25, the summary gives 20',
    ]);
    expect([runs[2]!.folder, runs[2]!.files_skipped.length]).toEqual([null, 2]);
  });
});

/** An array of whole numbers as NumPy writes it. */
function npy(rows: readonly (readonly number[] | number)[]): Buffer {
  const shape = Array.isArray(rows[0]) ? `${rows.length}, ${rows[0].length}` : `${rows.length},`;
  const header = Buffer.from(`{'descr': '<f8', 'fortran_order': False, 'shape': (${shape}), }\n`);
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0]);
  return Buffer.concat([start, header, Buffer.from(Float64Array.from(rows.flat()).buffer)]);
}

/** `evaluations.npz` with the returns of each evaluation, made after every 100 steps. */
function archiveOf(results: readonly (readonly number[])[]): Buffer {
  const timesteps = results.map((_, i) => 100 * (i + 1));
  const arrays = { timesteps, results, ep_lengths: results.map((returns) => returns.map(() => 200)) };
  const [parts, directory]: [Buffer[], Buffer[]] = [[], []];
  for (const [key, rows] of Object.entries(arrays)) {
    const [name, content] = [Buffer.from(`${key}.npy`), npy(rows)];
    const [local, entry] = [Buffer.alloc(30), Buffer.alloc(46)];
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt32LE(crc32(content), 16);
    for (const at of [20, 24]) entry.writeUInt32LE(content.length, at);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(Buffer.concat(parts).length, 42);
    parts.push(local, name, content);
    directory.push(entry, name);
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(3, 10);
  end.writeUInt32LE(Buffer.concat(parts).length, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

describe('a training with SB3 in the folders of rl-zoo', () => {
  const zoo = assetPath('test/cases/sb3');

  it('has the seed and the settings of its files, and the evaluations beside its episodes', async () => {
    const [run] = (await importAll(join(zoo, 'ppo'), { window: 20 })).runs;
    expect(run).toMatchObject({
      ...{ env: 'CartPole-v1', method: 'sb3/ppo', seed: 3, files_read: 11, files_skipped: [], lines_skipped: [] },
      played: { episodes: 202, steps: 48221, max_return: 500 },
      evaluations: { points: 10, episodes_each: 5, last_timestep: 50000, best_mean: 500, last_mean: 500 },
      notes: [
        'evaluations.npz: 10 evaluations of 5 episodes, best mean 500, last 500',
        'the first mean is that of 2 episodes, the others of 20',
      ],
    });
    expect(run!.played!.mean_return).toBeCloseTo(238.717821782, 9);
    const folder = run!.folder as string;
    expect(readJson(folder)).toMatchObject({ seed: 3, final_reward: 500, episodes: 202, steps: 48221 });
    const [found] = findReportRuns([folder]).runs;
    const keys = ['sb3.hyperparams.n_steps', 'sb3.hyperparams.gae_lambda', 'sb3.env_options'];
    expect(keys.map((key) => groupValue(found!, key))).toEqual(['32', '0.8', '{}']);
  });

  it('is read from its evaluations, its progress or its TensorBoard file where nothing else is there', async () => {
    const root = temporaryFolder();
    const at = (name: string) => join(zoo, 'ppo', 'CartPole-v1_3', name);
    for (const name of ['evaluations.npz', 'progress.csv']) {
      const folder = join(root, `with-${name}`, 'ppo', 'CartPole-v1_4');
      mkdirSync(folder, { recursive: true });
      cpSync(at(name), join(folder, name));
    }
    cpSync(join(zoo, 'a2c_cartpole_tensorboard'), join(root, 'x', 'a2c_cartpole_tensorboard'), { recursive: true });
    const { runs } = await importAll(root);
    expect(runs.map(({ layout, method, env, iterations }) => [layout, method, env, iterations])).toEqual([
      ['archive', 'sb3/ppo', 'CartPole-v1', 10],
      ['progress', 'sb3/ppo', 'CartPole-v1', expect.any(Number)],
      ['tensorboard', 'sb3/a2c', 'CartPole-v1', 6],
    ]);
    const [archive, progress, events] = runs.map(({ folder }) => folder as string);
    expect(readManifest(archive!)?.imported?.training).toMatchObject({ evaluated: true });
    expect(readJson(archive!)).toMatchObject({ best_reward: 500, final_reward: 500, episodes: 50 });
    expect(readJson(progress!).steps).toBeGreaterThan(45_000);
    expect(readManifest(events!)?.imported?.training?.rewards).toMatch(/^moving means of training episodes/);
    // Episodes of evaluations, or none, are no budget; neither the archive nor this file of scalars has times.
    const searches = temporaryFolder();
    for (const method of ['r2po', 'cma-es']) writeRun(join(searches, method), { method, secondsPerIteration: 2 });
    const report = makeReport(findReportRuns([searches, archive!, progress!, events!]), {
      ...defaultReport,
      allowMixed: true,
    });
    const without = (what: string, ...folders: (string | undefined)[]) =>
      folders.sort().map((folder) => ({ folder, reason: `its ${what} are not known` }));
    const [episodes, time] = report.anytime.map(({ panels: [panel], leftOut }) => ({
      budget: panel!.budget,
      leftOut: leftOut.toSorted((a, b) => (a.folder < b.folder ? -1 : 1)),
    }));
    expect(episodes).toEqual({ budget: 125, leftOut: without('episodes', archive, progress, events) });
    expect(time).toEqual({ budget: 2.834, leftOut: without('times', archive, progress) });
    const curves = report.curves.flatMap(({ leftOut }) => leftOut);
    expect(curves.map(({ reason }) => reason)).toEqual(Array(3).fill('its episodes are not known'));
  });

  it('of which evaluations alone are there is one run while it grows, and none of another seed', async () => {
    const [root, runsDir] = [temporaryFolder(), temporaryFolder()];
    const evaluated = async (n: number, ...means: readonly number[]) => {
      const folder = join(root, 'ppo', `MountainCar-v0_${n}`);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'evaluations.npz'), archiveOf(means.map((value) => [value, value])));
      await importAll(folder, { runsDir });
    };
    // Nothing is learned at first; the seeds 1 and 3 never learn.
    await evaluated(1, -200, -200);
    await evaluated(2, -200, -150);
    await evaluated(3, -200, -200);
    expect(findReportRuns([runsDir])).toMatchObject({ runs: { length: 3 }, leftOut: [] });
    await evaluated(2, -200, -150, -120);
    const { runs, leftOut } = findReportRuns([runsDir]);
    expect(runs.map(({ summary }) => [summary.seed, summary.final_reward]).sort()).toEqual([
      [1, -200],
      [2, -120],
      [3, -200],
    ]);
    expect(leftOut).toHaveLength(1);
  });

  it('has the points of all its event files, of which a later one repeats what followed a checkpoint', async () => {
    const folder = join(temporaryFolder(), 'ppo', 'CartPole-v1_6');
    mkdirSync(folder, { recursive: true });
    const events = (name: string, start: number, points: readonly (readonly [step: number, value: number])[]) => {
      const steps = points.map(([step, value], i) => ({
        ...{ step, wallTime: start + i + 1, values: { 'rollout/ep_rew_mean': value } },
      }));
      writeFileSync(join(folder, `events.out.tfevents.${name}`), encodeScalars(start, steps));
    };
    events('9.host.1.0', 900, [
      [100, 20],
      [200, 40],
      [300, 60],
    ]);
    events('10.host.1.0', 1000, [
      [300, 320],
      [400, 400],
    ]);
    writeFileSync(join(folder, 'events.out.tfevents.11.host.1.0'), Buffer.alloc(40, 7));
    const { runs } = await importAll(folder);
    expect(runs[0]).toMatchObject({ iterations: 4, files_read: 2 });
    expect(runs[0]!.files_skipped.map(({ path }) => path)).toEqual([join(folder, 'events.out.tfevents.11.host.1.0')]);
    expect(means(runs[0]!.folder as string)).toEqual([20, 40, 320, 400]);
    const [run] = findReportRuns([runs[0]!.folder as string]).runs;
    expect(run!.rows.map(({ seconds }) => seconds)).toEqual([1, 2, 101, 102]);
  });

  it('is not mistaken for replays, and has its lost files named', async () => {
    const root = temporaryFolder();
    const one = monitor(9, [{ r: 1, l: 1, t: 1 }]);
    for (const n of [0, 1, 4, 11]) write(join(root, 'ppo', 'CartPole-v1_2', `${n}.monitor.csv`), one);
    write(join(root, 'benchmark', 'CartPole-v1-ppo', '0.monitor.csv'), one);
    const { runs, skipped } = await importAll(root);
    expect(skipped).toEqual([
      {
        path: join(root, 'benchmark'),
        expected: 'training episodes',
        found: 'a folder of replays by trained agents',
      },
    ]);
    expect(runs[0]!.notes).toEqual([
      optionsUnknown,
      '8 files of 0 ... 11 missing, whose episodes are not counted: ' +
        [2, 3, 5, 6, 7, 8, 9, 10].map((n) => `${n}.monitor.csv`).join(', '),
    ]);
  });

  it('is flagged and kept apart when the environment cannot have played it', async () => {
    const root = temporaryFolder();
    const trained = (name: string, rows: readonly Row[], id = 'CartPole-v1') =>
      write(join(root, 'ppo', name, 'monitor.csv'), monitor(name.length, rows, id));
    trained('CartPole-v1_1', [{ r: 30, l: 30, t: 1 }]);
    trained('CartPole-v1_20', [{ r: 1800, l: 1800, t: 1 }]);
    trained('CartPole-v1_300', [
      { r: 2.5, l: 25, t: 1 },
      { r: 9, l: 9, t: 2 },
    ]);
    trained('Pendulum-v1_1', [{ r: -900, l: 200, t: 1 }], 'Pendulum-v0');
    trained('FrozenLake-v1_1', [{ r: 0, l: 7, t: 1 }], 'FrozenLake-v1');
    const runsDir = temporaryFolder();
    const { runs } = await importAll(root, { runsDir });
    const notes = runs.map(({ notes: all }) => all.filter((note) => !note.startsWith('the first')));
    const [plain, raised, shaped, lake, pendulum] = notes.map((all) => all.join('; '));
    expect(plain).not.toContain('apart');
    expect(raised).toContain('1 of 1 episode longer than the limit of 500 steps');
    expect(raised).toContain('1 of 1 episode with a return outside of 1 ... 500');
    expect(shaped).toContain('1 of 2 episodes with a return that no episode of its length has: other rewards');
    expect(lake).toContain('options of FrozenLake-v1 unknown');
    expect(pendulum).toContain('Pendulum-v0 has the dynamics of Pendulum-v1');
    expect(runs[4]!.env).toBe('Pendulum-v1');
    const report = makeReport(findReportRuns([runsDir]), { ...defaultReport, published: true });
    const cartpole = report.groups.filter(({ runs: [run] }) => run!.summary.env === 'CartPole-v1');
    expect(cartpole.map(({ runs: members }) => members.length)).toEqual([1, 1, 1]);
    const beside = report.published!.filter(({ env }) => env === 'CartPole-v1');
    expect(beside.map(({ bestTraining }) => bestTraining !== null).sort()).toEqual([false, false, true]);
  });

  it('has the options of the environment that args.yml states, and none that the environment does not have', async () => {
    const root = temporaryFolder();
    const args = (folder: string, kwargs: string) =>
      write(
        join(root, 'ppo', folder, 'FrozenLake-v1', 'args.yml'),
        `!!python/object/apply:collections.OrderedDict\n- - - env\n    - FrozenLake-v1\n  - - seed\n    - 41\n  - - env_kwargs\n    - ${kwargs}\n`,
      );
    for (const n of [1, 2]) {
      write(
        join(root, 'ppo', `FrozenLake-v1_${n}`, 'monitor.csv'),
        monitor(n, [{ r: 1, l: 7, t: 1 }], 'FrozenLake-v1'),
      );
    }
    args('FrozenLake-v1_1', '{is_slippery: false}');
    args('FrozenLake-v1_2', '{wings: 2}');
    const { runs } = await importAll(root);
    expect([runs[0]!.seed, runs[0]!.notes, runs[1]!.folder]).toEqual([
      41,
      ['the first mean is that of 1 episode, the others of 2'],
      null,
    ]);
    expect(runs[1]!.files_skipped[0]!.found).toContain('wings');
    const [found] = findReportRuns([runs[0]!.folder as string]).runs;
    expect(groupValue(found!, 'sb3.env_options')).toBe('{"is_slippery":false}');
    // The ceiling is that of the environment with its default options.
    const report = makeReport(findReportRuns([runs[0]!.folder as string]), { ...defaultReport, published: true });
    expect(report.published!.map(({ ceiling }) => ceiling)).toEqual([null]);
  });

  it.each([
    ['an alias without an anchor', 'algo: *nothing'],
    [
      'aliases that expand too far',
      `a: &a [${'1,'.repeat(99)}]\nb: &b [${'*a,'.repeat(99)}]\nc: [${'*b,'.repeat(99)}]`,
    ],
    ['brackets that exhaust the parser', '['.repeat(20_000)],
  ])('loses only its arguments where they are %s', async (_, text) => {
    const folder = join(temporaryFolder(), 'ppo', 'CartPole-v1_1');
    write(join(folder, 'monitor.csv'), monitor(9, [{ r: 1, l: 1, t: 1 }]));
    const args = write(join(folder, 'args.yml'), text);
    const { runs } = await importAll(folder);
    expect(runs[0]).toMatchObject({
      iterations: 1,
      files_skipped: [{ path: args, expected: 'a dictionary of settings', found: 'another text' }],
    });
  });

  it('survives any bytes in its other files', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .record({ at: fc.nat(1649), value: fc.nat(255), name: fc.constantFrom('evaluations.npz') })
        .map(({ at, value }) => {
          const content = Buffer.from(readFileSync(join(zoo, 'ppo', 'CartPole-v1_3', 'evaluations.npz')));
          content[at] = value;
          return content;
        }),
    );
    await fc.assert(
      fc.asyncProperty(
        bytes,
        fc.constantFrom('evaluations.npz', 'progress.csv', 'events.out.tfevents.1.a.1.0', 'args.yml'),
        async (content, name) => {
          const root = temporaryFolder();
          const folder = join(root, 'ppo', 'CartPole-v1_1');
          mkdirSync(folder, { recursive: true });
          writeFileSync(join(folder, name), content);
          const { runs } = await importAll(root);
          for (const run of runs) expect(run.folder !== null || run.files_skipped.length > 0).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('beside searches', () => {
  it('stands in one report, is held against them without pairs, and beside the published one', async () => {
    const runsDir = temporaryFolder();
    for (const seed of [1, 2]) await smallRun({ seed, runsDir });
    const root = temporaryFolder();
    const at = (n: number) => join(root, 'cartpole_sb3', 'trpo', `run_${n}`);
    for (const n of [1, 2]) referenceTraining(at(n), [100 * n, 50, 30 + n], ended);
    twoMonitors(root);
    await importAll(root, { runsDir });
    const found = findReportRuns([runsDir]);
    expect(found.leftOut).toEqual([]);
    const options: ReportOptions = {
      by: ['env', 'method', 'model'],
      pool: false,
      axes: ['episodes'],
      value: 'kept',
      compare: null,
      reward: 'mean',
      published: true,
      includeUnfinished: false,
      allowMixed: false,
    };
    const report = makeReport(found, options);
    const trained = report.groups.filter(({ runs }) => runs[0]!.manifest.imported);
    expect(trained.map(({ values, runs, rewards }) => [values[1], runs.length, rewards.mean?.mean])).toEqual([
      ['sb3/ppo', 1, 320 / 3],
      ['sb3/trpo', 2, (181 / 3 + 282 / 3) / 2],
    ]);
    // Seed 1 of a search and run 1 of a training have nothing in common.
    expect(report.comparison?.lines.map(({ other, paired }) => [other, paired])).toEqual([['sb3/trpo', null]]);
    // And what is said first is about both.
    expect(report.findings).toEqual([
      {
        setting: 'CartPole-v1, offline',
        text: expect.stringMatching(/^highest mean reward by sb3\/ppo, 106.7 over one run/),
      },
    ]);
    const [rewards] = reportTables(report);
    expect(rewards!.note).toContain('CartPole-v1, sb3/trpo, none: means of 20 evaluation episodes each.');
    const [ours, ppo, trpo] = report.published!;
    expect([ours, ppo, trpo].map((one) => [one?.method, one?.bestTraining?.mean.mean])).toEqual([
      ['r2po', 216.92],
      ['sb3/ppo', 216.92],
      ['sb3/trpo', 216.92],
    ]);
    expect([ppo!.published, ppo!.differences]).toEqual([
      null,
      [expect.stringMatching(/^means of 2 training episodes each/)],
    ]);
    expect(trpo!.best?.published).toEqual({ mean: 490.76, std: 29.22 });
    expect(trpo!.differences).toEqual(['2 runs, published 10', 'iterations 3, published 190']);
  });

  it('is refused where policies or prompts are needed', async () => {
    const root = temporaryFolder();
    twoMonitors(root);
    const { folder } = (await importAll(root)).runs[0]!;
    const path = folder as string;
    const refusal = /an imported training \(Stable-Baselines3, monitor\) that has rewards only/;
    await expect(openRecordedRun(path)).rejects.toThrow(refusal);
    await expect(openExportableRun(path)).rejects.toThrow(refusal);
    await expect(findAnalysedRuns([path], { id: 'edits', refuses: () => null })).rejects.toThrow(refusal);
    const played = await runCli(['eval', '--env', 'CartPole-v1', '--policy', path]);
    expect([played.code, played.stderr]).toEqual([2, expect.stringMatching(refusal)]);
  });

  it('is what the command makes of a folder', async () => {
    const root = temporaryFolder();
    twoMonitors(root);
    cpSync(join(root, 'ppo'), join(root, 'ddpg'), { recursive: true });
    const runsDir = temporaryFolder();
    const args = ['import', 'sb3', root, '--runs-dir', runsDir, '--window', '3', '--json'];
    const { code, stdout } = await runHere([...args, '--method', 'TD3']);
    const document = JSON.parse(stdout);
    expect([code, document.runs, document.already_imported, document.iterations]).toEqual([0, 2, 1, 4]);
    expect(document.imports[0]).toMatchObject({ method: 'sb3/td3', env: 'CartPole-v1' });
    expect(readdirSync(runsDir)).toEqual([
      expect.stringMatching(/^cartpole-sb3-td3-imported-CartPole-v1-3-[0-9a-f]{8}$/),
    ]);
    const empty = temporaryFolder();
    const none = await runHere(['import', 'sb3', empty]);
    expect([none.code, none.stderr]).toEqual([
      2,
      expect.stringMatching(/no trainings with Stable-Baselines3 found in/),
    ]);
  });
});
