import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRun } from '../../../src/runs/folder/read-run.ts';
import { meanInterval } from '../../../src/stats/intervals.ts';
import { apiProblem, rowChanges, runIndex } from '../../../src/view/api/index-of-runs.ts';
import { IndexOfRuns } from '../../../src/view/server/index-of-runs.ts';
import { LockWatch } from '../../../src/view/server/lock-watch.ts';
import { RunRoot } from '../../../src/view/server/run-root.ts';
import { writeRun } from '../../support/run-folders.ts';
import { type TestView, testView } from '../../support/view.ts';

let folder: string;
let view: TestView;
const runs = () => join(folder, 'runs');

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'r2po-index-'));
  writeRun(join(runs(), 'a'), {
    seed: 4,
    means: [10, 30, 20],
    settings: 'iterations: 7\nevaluation:\n  episodes: 23\n',
  });
  writeRun(join(runs(), 'group', 'b #%2F?'), { status: 'stopped' });
  writeRun(join(runs(), 'broken-summary'));
  writeFileSync(join(runs(), 'broken-summary', 'summary.json'), '{"status": 7}');
  writeRun(join(runs(), 'later'));
  writeFileSync(join(runs(), 'later', 'run.json'), '{"schemaVersion": 99}');
  mkdirSync(join(runs(), 'lost'));
  writeFileSync(join(runs(), 'lost', 'events.jsonl'), '');
  writeRun(join(folder, 'secret'));
  writeRun(join(runs(), 'linked'));
  unlinkSync(join(runs(), 'linked', 'config.yaml'));
  symlinkSync(join(folder, 'secret', 'config.yaml'), join(runs(), 'linked', 'config.yaml'));
  symlinkSync(join(folder, 'secret'), join(runs(), 'outside'));
  symlinkSync('circle', join(runs(), 'circle'));
  view = testView(runs());
});
afterAll(() => rmSync(folder, { recursive: true }));

async function rows() {
  const { runs: found } = runIndex.parse(await view.json('/api/runs'));
  return new Map(found.map((row) => [row.id, row]));
}

describe('GET /api/runs', () => {
  it('gives a row for every run, by its path below the root', async () => {
    const found = await rows();
    const ids = ['a', 'broken-summary', 'group/b #%2F?', 'later', 'linked', 'lost'];
    expect([...found.keys()].sort()).toEqual(ids.sort());
    expect(found.get('a')).toMatchObject({
      ...{ status: 'finished', env: 'CartPole-v1', seed: 4, iterations: 3, planned: 7, best: 30 },
      ...{ calls: 6, tokens: 970, costUsd: null, sparkline: [10, 30, 30], problem: null },
      rechecked: { episodes: 500, mean: 25, ci95: [23, 27] },
    });
    expect(found.get('group/b #%2F?')?.status).toBe('stopped');
  });

  it('shows runs that cannot be read as damaged, with the reason', async () => {
    const found = await rows();
    const problems = ['broken-summary', 'later', 'linked', 'lost'].map((id) => {
      expect(found.get(id)?.status).toBe('damaged');
      return found.get(id)!.problem;
    });
    expect(problems[0]).toContain('is not the summary of a run');
    expect(problems[1]).toContain('expected schemaVersion 1');
    expect(problems[2]).toContain('is a link to a place outside');
    expect(problems[3]).toContain('has lost its run.json');
  });

  it('reads no link out of the folder, neither of a run nor of one of its files', async () => {
    expect((await rows()).has('outside')).toBe(false);
    for (const answer of [
      view.get('/api/runs/linked'),
      view.get('/api/runs/linked/live'),
      view.get('/api/compare?run=a&run=linked'),
      view.post('/api/runs/linked/control', { action: 'pause' }),
      view.post('/api/runs/linked/branch', { at: 1 }),
    ]) {
      expect(apiProblem.parse(await (await answer).json()).problem).toContain('is a link to a place outside');
    }
  });
});

describe('a run whose files cannot be looked at', () => {
  it('is damaged, with the reason, and the others are shown', async () => {
    // So deep that the system takes the path of run.json, and none that is longer.
    const longest = process.platform === 'linux' ? 4095 : 1023;
    let root = join(folder, 'deep');
    const wanted = longest - '/locked/run.json'.length;
    while (root.length + 1 < wanted) root = join(root, 'x'.repeat(Math.min(200, wanted - root.length - 1)));
    mkdirSync(join(root, 'locked'), { recursive: true });
    writeFileSync(join(root, 'locked', 'run.json'), '{}');
    const index = new IndexOfRuns(new RunRoot(root), 0);
    await index.refresh();
    expect(index.rows()).toMatchObject([
      { id: 'locked', status: 'damaged', problem: expect.stringMatching(/cannot read .*summary\.json": ENAMETOOLONG/) },
    ]);
  });
});

describe('rows', () => {
  it('have the interval of the best policy over its episodes', async () => {
    const root = join(folder, 'interval');
    writeRun(join(root, 'c'), { means: [4, 9] });
    writeFileSync(join(root, 'c', 'metrics.csv'), 'iteration,mean,std,best\n1,4,2,4\n2,9,3,9\n');
    const index = new IndexOfRuns(new RunRoot(root), 0);
    await index.refresh();
    expect(index.rows()[0]?.bestCi95).toEqual([...meanInterval(9, 3 / Math.sqrt(23), 23)]);
  });

  it('have the numbers of the record where a run was stopped before it wrote a summary', async () => {
    const root = join(folder, 'without-summary');
    cpSync('test/cases/earlier-run', join(root, 'stopped'), { recursive: true });
    cpSync('test/cases/earlier-run', join(root, 'damaged'), { recursive: true });
    writeFileSync(join(root, 'damaged', 'events.jsonl'), 'no event\n{}\n');
    const index = new IndexOfRuns(new RunRoot(root), 0);
    await index.refreshChecked();
    const totals = readRun(join(root, 'stopped')).totals();
    expect(index.rows()).toMatchObject([
      { id: 'damaged', status: 'damaged', iterations: 0, problem: expect.stringContaining('events.jsonl:1') },
      {
        ...{ id: 'stopped', status: 'stopped', iterations: 1, best: totals.best!.mean, episodes: totals.episodes },
        ...{ calls: totals.answered.calls, tokens: totals.tokens, steps: totals.steps },
      },
    ]);
    expect(totals.answered.calls).toBeGreaterThan(0);
  });

  it('of a run whose process is gone are unfinished, and running while a process has the folder', async () => {
    const root = join(folder, 'live');
    const run = writeRun(join(root, 'd'));
    writeFileSync(join(run, 'run.json'), JSON.stringify({ ...JSON.parse(manifestOf(run)), status: 'running' }));
    const clock = { now: 0 };
    const watch = new LockWatch(() => clock.now);
    const lock = (beat: number) =>
      writeFileSync(join(run, 'run.lock'), JSON.stringify({ host: 'elsewhere', pid: 1, period: 100, beat }));
    expect(watch.isHeld(run)).toBe(false);
    lock(1);
    expect(watch.isHeld(run)).toBe(true);
    clock.now = 299;
    expect(watch.isHeld(run)).toBe(true);
    clock.now = 301;
    expect(watch.isHeld(run)).toBe(false);
    lock(2);
    expect(watch.isHeld(run)).toBe(true);
    const index = new IndexOfRuns(new RunRoot(root), 0);
    await index.refresh();
    expect(index.rows()[0]?.status).toBe('running');
    const control = (action: string, seq: number) => `${JSON.stringify({ type: 'control', action, seq })}\n`;
    writeFileSync(join(run, 'events.jsonl'), control('pause', 0) + control('budget', 1));
    await index.refresh();
    expect(index.rows()[0]?.status).toBe('paused');
    writeFileSync(join(run, 'events.jsonl'), control('pause', 0) + control('continue', 1));
    await index.refresh();
    expect(index.rows()[0]?.status).toBe('running');
  });
});

const manifestOf = (run: string): string => readFileSync(join(run, 'run.json'), 'utf8');

describe('ids of runs', () => {
  it('name runs of the list alone, whatever they hold', async () => {
    const part = fc.oneof(
      fc.constantFrom('..', '.', '%2e%2e', '%2F', '\0', 'a', 'secret', 'etc', 'passwd', '\\', '', 'outside', 'linked'),
      fc.string({ maxLength: 8 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 6 }), async (parts) => {
        const id = parts.join('/');
        const known = (await rows()).has(id);
        const response = await view.get(`/api/runs/${encodeURIComponent(id)}`);
        if (known || ['.', '..', ''].includes(id)) return;
        expect(response.status).toBe(404);
        apiProblem.parse(await response.json());
      }),
      { numRuns: 100 },
    );
  });
});

describe('changes of the list', () => {
  it('are the rows that are new or changed, and the ids that are gone', async () => {
    const root = join(folder, 'changes');
    for (const name of ['x', 'y']) writeRun(join(root, name));
    const index = new IndexOfRuns(new RunRoot(root), 0);
    await index.refresh();
    const before = index.revision;
    expect(index.changesSince(before)).toEqual({ rows: [], gone: [], all: false });
    rmSync(join(root, 'x'), { recursive: true });
    cpSync(join(root, 'y'), join(root, 'z'), { recursive: true });
    await index.refresh();
    const { rows: changed, gone } = index.changesSince(before);
    expect([changed.map(({ id }) => id), gone]).toEqual([['z'], ['x']]);
    expect(index.changesSince('other-3')).toMatchObject({ rows: [{ id: 'y' }, { id: 'z' }], gone: [], all: true });
  });

  it('are found by a request for a run that began after the list was read', async () => {
    const root = join(folder, 'just-begun');
    writeRun(join(root, 'x'));
    const index = new IndexOfRuns(new RunRoot(root), 300);
    await index.refresh();
    writeRun(join(root, 'begun'));
    expect(await index.find('begun')).toMatchObject({ row: { id: 'begun' } });
    expect(await index.find('never')).toBeNull();
  });

  it('arrive as events while the page is open', async () => {
    const root = join(folder, 'followed');
    writeRun(join(root, 'x'));
    const live = testView(root);
    const { revision } = runIndex.parse(await live.json('/api/runs'));
    const events = live.events(`/api/runs/live?after=${revision}`);
    writeRun(join(root, 'later'));
    const { event, data, id } = await events.next();
    expect([event, rowChanges.parse(data).rows.map((row) => row.id)]).toEqual(['rows', ['later']]);
    expect(id).not.toBe(revision);
    await events.close();
  });
});

describe('a page that never reads', () => {
  it('is cut off after a while, which the user is told', async () => {
    const times = { poll: 2, heartbeat: 1000, stall: 20 };
    const slow = testView(runs(), { times });
    const response = await slow.get('/api/runs/live');
    expect(response.status).toBe(200);
    await expect.poll(() => slow.notes).toEqual(['closed the connection of a page that did not read for 0.02 s']);
  });
});

describe('the folder that is viewed', () => {
  it('may be one run, which is shown alone', async () => {
    const index = new IndexOfRuns(new RunRoot(join(runs(), 'a')));
    await index.refresh();
    expect(index.rows().map(({ id }) => id)).toEqual(['a']);
  });

  it('is refused with advice where it is none', () => {
    expect(() => new RunRoot(join(folder, 'nowhere'))).toThrow(/expected a folder of runs at .*start a run first/);
  });

  it('may be deleted while it is shown', async () => {
    const root = join(folder, 'deleted');
    writeRun(join(root, 'x'));
    const index = new IndexOfRuns(new RunRoot(root), 0);
    await index.refresh();
    rmSync(root, { recursive: true });
    await index.refresh();
    expect([index.rows(), index.problem]).toEqual([[], expect.stringContaining('found no')]);
  });
});
