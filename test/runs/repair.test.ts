/** A run whose journal holds less than its other files say: it is refused as it is, and repaired only when that is asked for. */
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exitCodes, UsageError } from '../../src/base/errors.ts';
import { type Claims, type Held, isFinished, missingFrom } from '../../src/runs/folder/missing.ts';
import { readRun } from '../../src/runs/folder/read-run.ts';
import { endsFinished } from '../../src/runs/journal/journal.ts';
import { RunTotals } from '../../src/runs/journal/totals.ts';
import { restoreSummary } from '../../src/runs/run.ts';
import {
  asKilled,
  execute,
  type PreparedRun,
  prepareRun,
  readJson,
  searchEvents,
  smallSettings,
  temporaryFolder,
  timeless,
} from '../support/experiment.ts';
import { runCommand } from '../support/in-process.ts';

const overrides = ['iterations=2', 'warmup.policies=2'];
/** Of a process that is gone. */
const staleLock = JSON.stringify({ pid: 2 ** 22 + 1, birth: '1', host: 'elsewhere', place: null });

let whole: PreparedRun;
beforeAll(async () => {
  whole = await prepareRun({ overrides });
  await execute(whole);
});
afterAll(() => whole.backend.close());

/** Every file below a folder with its bytes and the time of its last change. */
function contentOf(folder: string): [string, string, number][] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const found = statSync(path);
      return [name, found.isFile() ? readFileSync(path, 'latin1') : '', found.mtimeMs];
    });
}

/** A copy of the whole run with this journal; null: with none. */
function withJournal(journal: string | null): string {
  const folder = join(temporaryFolder(), 'run');
  cpSync(whole.folder, folder, { recursive: true });
  const path = join(folder, 'events.jsonl');
  if (journal === null) rmSync(path);
  else writeFileSync(path, journal);
  return folder;
}

const noBackend = async () => {
  throw new Error('must not be opened');
};

const linesOfWhole = () => readFileSync(join(whole.folder, 'events.jsonl'), 'utf8').trimEnd().split('\n');
const firstLines = (count: number) =>
  linesOfWhole()
    .slice(0, count)
    .map((line) => `${line}\n`)
    .join('');

async function refusal(action: () => Promise<unknown>): Promise<string> {
  const error = await action().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UsageError);
  return (error as UsageError).message;
}

describe('what a journal lacks', () => {
  const held: Held = {
    status: 'running',
    rows: [{}, {}] as unknown as Held['rows'],
    answered: { ...new RunTotals().answered, calls: 5 },
    episodes: 20,
    steps: 300,
    end: { events: 9, digest: 'last' },
    summaryDigest: 'seventh',
  };
  const same = { status: 'running', iterations: 2, llm: { calls: 5 }, episodes: 20, steps: 300 } as const;
  const summary = (more: object): Claims['summary'] => ({ ...same, ...more }) as NonNullable<Claims['summary']>;
  const none: Claims = { manifest: { status: 'running' }, summary: null, metrics: null };
  const rows = [
    { calls: 2, episodes: 10 },
    { calls: 5, episodes: 20 },
  ];
  const cases: readonly [string, Partial<Claims>, Partial<Held>, string | null][] = [
    ['nothing without claims', {}, {}, null],
    ['nothing where all say the same', { summary: summary({}), metrics: rows }, {}, null],
    ['nothing where the files are behind', { summary: summary({ iterations: 1, episodes: 9 }), metrics: [] }, {}, null],
    ['nothing of a finished journal', { manifest: { status: 'finished' } }, { status: 'finished' }, null],
    ['nothing of a journal that goes on', { summary: summary({ record: { events: 7, digest: 'seventh' } }) }, {}, null],
    ['nothing where metrics count no calls', { metrics: [{ calls: null, episodes: 20 }] }, {}, null],
    [
      'the end, by run.json',
      { manifest: { status: 'finished' } },
      {},
      'is finished by run.json, and events.jsonl does not end',
    ],
    [
      'the end, by summary.json',
      { summary: summary({ status: 'finished' }) },
      { status: 'stopped' },
      'is finished by summary.json, and',
    ],
    [
      'iterations',
      { summary: summary({ iterations: 6 }) },
      {},
      'summary.json counts more than events.jsonl: 6 iterations (2)',
    ],
    ['calls', { summary: summary({ llm: { calls: 6 } }) }, {}, ': 6 model calls (5)'],
    ['episodes', { summary: summary({ episodes: 21 }) }, {}, ': 21 episodes (20)'],
    ['steps', { summary: summary({ steps: 301 }) }, {}, ': 301 steps (300)'],
    ['rows', { metrics: [...rows, rows[1]!] }, {}, 'metrics.csv counts more than events.jsonl: 3 iterations (2)'],
    ['calls of a row', { metrics: [{ calls: 7, episodes: 1 }] }, {}, ': 7 model calls (5)'],
    ['episodes of a row', { metrics: [{ calls: 1, episodes: 70 }] }, {}, ': 70 episodes (20)'],
    [
      'events',
      { summary: summary({ record: { events: 10, digest: 'x' } }) },
      {},
      'made from 10 events, events.jsonl holds 9',
    ],
    ['the same lines', { summary: summary({ record: { events: 7, digest: 'x' } }) }, {}, 'line 7 has another digest'],
  ];
  it.each(cases)('%s', (_name, claims, others, words) => {
    const missing = missingFrom({ ...held, ...others }, { ...none, ...claims });
    if (words === null) expect(missing).toEqual([]);
    else expect(missing).toEqual([expect.stringContaining(words)]);
  });
});

describe('a finished run without its whole journal', () => {
  it('is refused with every byte as it was, wherever the journal was cut', async () => {
    const lines = linesOfWhole();
    const cuts = [null, 'torn', ...lines.map((_, count) => firstLines(count)), `${firstLines(5)}{"type":"evalua`];
    for (const cut of cuts) {
      const folder = withJournal(cut);
      writeFileSync(join(folder, 'run.lock'), staleLock);
      const before = contentOf(folder);
      for (const action of [
        () => execute({ ...whole, folder, resume: true }),
        () => restoreSummary(folder, whole, noBackend),
      ]) {
        const message = await refusal(action);
        expect(message).toContain('events.jsonl does not end in run_finished');
        expect(message).toContain('--resume --repair');
        expect(contentOf(folder)).toEqual(before);
      }
      expect(endsFinished(folder)).toBe(false);
      expect(isFinished(readRun(folder))).toBe(false);
    }
    expect(isFinished(readRun(whole.folder))).toBe(true);
  }, 30_000);

  it('is refused whatever run.json says', async () => {
    const folder = withJournal(firstLines(8));
    writeFileSync(
      join(folder, 'run.json'),
      JSON.stringify({ ...readJson<object>(folder, 'run.json'), status: 'stopped' }),
    );
    const before = contentOf(folder);
    expect(await refusal(() => execute({ ...whole, folder, resume: true }))).toMatch(
      /summary.json counts more than events.jsonl: 2 iterations \(\d\), /,
    );
    rmSync(join(folder, 'summary.json'));
    expect(await refusal(() => execute({ ...whole, folder, resume: true }))).toMatch(
      /metrics.csv counts more than events.jsonl: 2 iterations/,
    );
    expect(contentOf(folder).map(([name]) => name)).toEqual(
      before.map(([name]) => name).filter((name) => name !== 'summary.json'),
    );
  });

  it('is refused where its journal is that of another run', async () => {
    const other = await prepareRun({ overrides, seed: 4 });
    await execute(other);
    await other.backend.close();
    const folder = withJournal(readFileSync(join(other.folder, 'events.jsonl'), 'utf8'));
    expect(await refusal(() => restoreSummary(folder, whole, noBackend))).toMatch(
      /another events.jsonl: line \d+ has another digest|was made from \d+ events/,
    );
  });

  it('that a kill left so is resumed', async () => {
    const folder = withJournal(`${firstLines(8)}{"type":"evalua`);
    asKilled(folder);
    const summary = await execute({ ...whole, folder, resume: true });
    expect(timeless(summary)).toEqual(timeless(readJson(whole.folder)));
  });
});

describe('r2po run --resume --repair', () => {
  it('keeps the old files, continues from the journal, and says how many calls that costs', async () => {
    const runsDir = temporaryFolder();
    const args = ['run', 'cartpole/r2po', ...smallSettings, ...overrides, '--runs-dir', runsDir, '--name', 'one'];
    expect(await runCommand(...args)).toMatchObject({ code: 0 });
    const folder = join(runsDir, 'one');
    const expected = { summary: timeless(readJson(folder)), events: searchEvents(folder) };
    const lines = readFileSync(join(folder, 'events.jsonl'), 'utf8').split('\n');
    writeFileSync(join(folder, 'events.jsonl'), `${lines.slice(0, 9).join('\n')}\n{"torn`);
    const before = contentOf(folder);

    const refused = await runCommand(...args, '--resume');
    expect(refused.code).toBe(exitCodes.usage);
    expect(refused.stderr).toMatch(
      /got less: the run is finished by run.json and summary.json, .*--resume --repair.* 1 lost model call again/s,
    );
    expect(contentOf(folder)).toEqual(before);

    const repaired = await runCommand(...args, '--resume', '--repair');
    expect(repaired, repaired.stderr).toMatchObject({ code: 0 });
    expect(repaired.stderr).toMatch(/about 1 model call, of which 1 had been made/);
    expect({ summary: timeless(readJson(folder)), events: searchEvents(folder) }).toEqual(expected);
    const [kept] = readdirSync(folder).filter((name) => name.startsWith('before-repair-'));
    const bytes = (content: ReturnType<typeof contentOf>) => content.map(([name, text]) => [name, text]);
    expect(bytes(contentOf(join(folder, kept!)))).toEqual(bytes(before));

    const again = await runCommand(...args, '--resume', '--repair');
    expect(again.stderr).toContain('is already finished');
    expect(readdirSync(folder).filter((name) => name.startsWith('before-repair-'))).toEqual([kept]);
  }, 30_000);

  it('needs --resume', async () => {
    const { code, stderr } = await runCommand('run', 'cartpole/r2po', '--repair');
    expect(code).toBe(exitCodes.usage);
    expect(stderr).toContain('[--repair] expected it together with --resume');
  });
});
