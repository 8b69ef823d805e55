/** A branch begins with the record of a run, byte for byte, goes on with other settings, and needs that run no more. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { offline } from '../../src/llm/offline/index.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { branchEffect } from '../../src/runs/branch/effect.ts';
import { type BranchRequest, planBranches } from '../../src/runs/branch/make-branch.ts';
import { ensureRunFolder } from '../../src/runs/folder/folder.ts';
import { readRun } from '../../src/runs/folder/read-run.ts';
import { oneModel } from '../../src/runs/models/models.ts';
import { openRecordedRun, replayRun } from '../../src/runs/replay.ts';
import { type OpenUnits, resolveUnits } from '../../src/runs/resolve-units.ts';
import { executeRun } from '../../src/runs/run.ts';
import type { RunProgress } from '../../src/runs/session/progress.ts';
import { verifyRun } from '../../src/runs/verify/verify.ts';
import {
  answerOf,
  asKilled,
  eventsOf,
  linesOf,
  readJson,
  rewriteRecord,
  scriptedModel,
  searchEvents,
  smallRun,
  temporaryFolder,
  timeless,
} from '../support/experiment.ts';
import { runCommand } from '../support/in-process.ts';

const backend = openCpuBackend({ threads: 1 });
let root: string;
let parent: string;

beforeAll(async () => {
  root = temporaryFolder();
  const overrides = ['selection=paired', 'recheck.episodes=30'];
  parent = (await smallRun({ runsDir: root, overrides })).folder;
});
afterAll(async () => {
  rmSync(root, { recursive: true, force: true });
  await backend.close();
});

function asked(request: Partial<BranchRequest> = {}): BranchRequest {
  const defaults = { folder: parent, iteration: 2, repeat: 1, name: null, overrides: [], flags: {}, now: 86_400_000 };
  return { ...defaults, ...request };
}

interface Played {
  readonly request?: Partial<BranchRequest>;
  readonly model?: typeof offline | null;
  /** of a branch to resume */
  readonly events?: number;
}

async function branched({ request, model = offline, events }: Played = {}) {
  const plan = await planBranches(asked(request));
  const [{ config, yaml, start }] = plan.branches as [(typeof plan.branches)[number]];
  const argv = ['branch', parent];
  const folder = ensureRunFolder(join(root, 'branches'), { config, yaml, start, argv, now: Date.now() });
  const models = model && oneModel(model);
  const units = { ...resolveUnits(config), backend, models } as OpenUnits;
  const onProgress = ({ event }: RunProgress): void => {
    if (event !== null && event.seq + 1 === events) throw new Error('killed');
  };
  const options = { folder, resume: true, resumeCommand: () => 'r2po branch x', argv, onProgress };
  return { folder, plan, ending: executeRun(units, options) };
}

const recordOf = (folder: string): string => readFileSync(join(folder, 'events.jsonl'), 'utf8');
const replayed = async (folder: string) => replayRun(await openRecordedRun(folder), backend);
const verified = (folder: string) => verifyRun(folder, { open: async () => backend });
const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => `${name}`);

describe('a branch without changes', () => {
  it('goes on as the run did, to the bit, from a copy of its lines', async () => {
    const before = recordOf(parent);
    const names = filesOf(parent);
    const { folder, ending } = await branched();
    const summary = await ending;
    expect({ ...timeless(summary), backend: '' }).toEqual({ ...timeless(readJson(parent)), backend: '' });
    const isOwn = (event: unknown) => (event as { type: string }).type !== 'branched';
    expect(searchEvents(folder).filter(isOwn)).toEqual(searchEvents(parent));
    const shared = eventsOf(folder).findIndex(({ type }) => type === 'branched');
    const lines = before.split('\n').slice(0, shared);
    expect(lines.at(-1)).toContain('"type":"iteration"');
    expect(recordOf(folder).startsWith(`${lines.join('\n')}\n`)).toBe(true);
    expect(recordOf(parent)).toBe(before);
    expect(filesOf(parent)).toEqual(names);
  });
});

describe('a branch', () => {
  it('goes on with another seed, critic and prompts; is replayed and verified without its run', async () => {
    const overrides = ['critic.conservative_threshold=77.125', 'prompt.count_from=0', 'selection=mean', 'seed=41'];
    const lone = join(root, 'lone');
    cpSync(parent, lone, { recursive: true });
    const { folder, ending } = await branched({ request: { folder: lone, iteration: 3, overrides } });
    await ending;
    rmSync(lone, { recursive: true });
    const calls = eventsOf(folder).filter((event) => event.type === 'llm_call');
    const told = calls.map(({ iteration, request }) => [iteration, request.messages[0]!.content.includes('77.125')]);
    expect(told.filter(([, isTold]) => isTold).every(([iteration]) => Number(iteration) > 3)).toBe(true);
    expect(told.some(([, isTold]) => isTold)).toBe(true);
    expect(readJson<{ branch: unknown }>(folder, 'run.json').branch).toMatchObject({ run: 'lone', iteration: 3 });
    expect(await replayed(folder)).toMatchObject({ difference: null, complete: true, iterations: 6 });
    expect(await verified(folder)).toMatchObject({ difference: null });
  });

  it('ends the same when it is interrupted and resumed', async () => {
    const request = { overrides: ['seed=8', 'recheck.episodes=23'] };
    const at = eventsOf(parent).findIndex((event) => event.type === 'iteration' && event.iteration === 2);
    const first = await branched({ request, events: at + 6 });
    await expect(first.ending).rejects.toThrow('killed');
    const rest = await branched({ request });
    expect(rest.folder).toBe(first.folder);
    const summary = await rest.ending;
    const other = await branched({ request: { ...request, name: 'whole' } });
    expect(timeless(await other.ending)).toEqual(timeless(summary));
    expect(searchEvents(rest.folder)).toEqual(searchEvents(other.folder));
  });

  it('of a branch has the configurations of both, on either side of its iteration', async () => {
    const first = await branched({ request: { iteration: 2, overrides: ['seed=21'], name: 'first' } });
    await first.ending;
    const later = await branched({
      request: { folder: first.folder, iteration: 4, overrides: ['seed=22'], name: 'later' },
    });
    await later.ending;
    const earlier = await branched({
      request: { folder: first.folder, iteration: 1, overrides: ['seed=23'], name: 'earlier' },
    });
    await earlier.ending;
    const seeds = (folder: string) =>
      eventsOf(folder).flatMap((event) => (event.type === 'branched' ? [[event.iteration, event.config.seed]] : []));
    expect(seeds(later.folder)).toEqual([
      [2, 3],
      [4, 21],
    ]);
    expect(seeds(earlier.folder)).toEqual([[1, 3]]);
    for (const { folder } of [later, earlier]) {
      expect(await replayed(folder)).toMatchObject({ difference: null, iterations: 6 });
      expect(await verified(folder)).toMatchObject({ difference: null });
    }
  });

  it('goes on with another model, whose answers and those of the run are counted apart', async () => {
    const model = scriptedModel((_, call) => answerOf(Array.from({ length: 10 }, (_, i) => ((call + i) % 9) - 4)));
    const { folder, ending } = await branched({ request: { flags: { model: 'openai/scripted' } }, model });
    const { model: named, model_kind, llm } = await ending;
    // A part of its answers is that of a numeric optimiser, so it does not count as a run of a language model.
    expect({ named, model_kind }).toEqual({ named: 'openai/scripted', model_kind: 'offline' });
    expect(Object.keys(llm.by_model)).toEqual(['offline', 'openai/scripted']);
    expect(llm.by_model['openai/scripted']!.calls).toBe(model.requests.length);
    expect(model.requests.length).toBeGreaterThanOrEqual(8);
    expect(await verified(folder)).toMatchObject({ difference: null });
  });

  it.each(['centaur', 'tuned'])('of %s goes on with the state of its optimiser', async (method) => {
    const short = ['iterations=3', 'warmup.policies=2', 'evaluation.episodes=3', 'recheck.episodes=10'];
    const population = 'optimiser.population=5';
    const episodes = method === 'tuned' ? ['optimiser.episodes=20'] : [];
    const run = { runsDir: root, config: `cartpole/${method}`, settings: [...short, population, ...episodes] };
    const { folder: whole } = await smallRun(run);
    const same = await branched({ request: { folder: whole, iteration: 1 } });
    await same.ending;
    const withoutBranch = (folder: string) =>
      searchEvents(folder).filter((event) => (event as { type: string }).type !== 'branched');
    expect(withoutBranch(same.folder)).toEqual(searchEvents(whole));
    const request = { folder: whole, iteration: 2, overrides: ['prompt.count_from=0', 'seed=41'] };
    const other = await branched({ request });
    expect(await other.ending).toMatchObject({ status: 'finished', iterations: 3 });
    expect(await replayed(other.folder)).toMatchObject({ difference: null, complete: true, iterations: 3 });
    expect(await verified(other.folder)).toMatchObject({ difference: null });
  });

  it('of a run in format 1 goes on in format 1', async () => {
    const old = join(root, 'old');
    cpSync('test/cases/finished-run', old, { recursive: true });
    const { folder, ending } = await branched({ request: { folder: old, iteration: 1, overrides: ['seed=5'] } });
    await ending;
    const [first] = linesOf(folder);
    expect(first).not.toHaveProperty('journal');
    expect(recordOf(folder)).not.toContain('"prev"');
    expect(await replayed(folder)).toMatchObject({ difference: null });
    expect(await verified(folder)).toMatchObject({ difference: null, record: { format: 1 } });
  });

  it.each([
    ['maze/cem', ['optimiser.episodes=200', 'evaluation.episodes=3']],
    ['cartpole/cma-es', ['optimiser.episodes=200', 'evaluation.episodes=3']],
  ])('of %s goes on from the state of its optimiser', async (config, settings) => {
    const run = await runCommand(
      ...['run', config, ...settings, 'recheck.episodes=20', 'evaluation.backend=cpu', '--seed', '5'],
      ...['--runs-dir', root, '--name', config.replace('/', '-'), '--quiet'],
    );
    expect(run.code).toBe(0);
    const folder = join(root, config.replace('/', '-'));
    const plain = await branched({ request: { folder }, model: null });
    expect(timeless(await plain.ending)).toMatchObject({ best: timeless(readJson(folder)).best });
    const request = { folder, overrides: ['seed=6', 'evaluation.episodes=4'] };
    const other = await branched({ request, model: null });
    await other.ending;
    const generations = (of: string) => eventsOf(of).filter((event) => event.type === 'generation');
    const [own, shared] = [generations(other.folder), generations(folder)];
    expect(own.slice(0, 2).map(({ means }) => means)).toEqual(shared.slice(0, 2).map(({ means }) => means));
    expect(own[2]!.episodes).toBe(4);
    expect(await replayed(other.folder)).toMatchObject({ difference: null, complete: true });
    expect(await verified(other.folder)).toMatchObject({ difference: null });
    const fixed = planBranches(
      asked({ folder, overrides: [config === 'maze/cem' ? 'optimiser.population=7' : 'optimiser.sigma=3'] }),
    );
    await expect(fixed).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining('as in the run') });
  });
});

describe('a branch is refused', () => {
  it.each([
    [{ iteration: 0 }, 'got 0; it has the iterations 1 ... 6; a branch at the beginning is a new run'],
    [{ iteration: 7 }, 'expected an iteration of'],
    [
      { iteration: 6 },
      'got 6, the last one: nothing is left to go on with; choose an earlier one, or make the branch longer (iterations=...)',
    ],
    [
      { iteration: 4, overrides: ['iterations=3'] },
      'goes on from iteration 4, got iterations=3, with which it has ended',
    ],
    [{ overrides: ['env=swimmer'] }, 'override 1 (env=swimmer): expected env "CartPole-v1", as in the run'],
    [{ overrides: ['method=props'] }, 'expected method "r2po", as in the run, got "props"'],
    [{ overrides: ['warmup.policies=9'] }, 'expected warmup.policies 4'],
    [{ overrides: ['evaluation.max_steps=90'] }, 'evaluation.max_steps'],
    [{ overrides: ['parameters.decimals=2'] }, 'expected parameters.decimals 1'],
    [{ overrides: ['evaluation.backend=webgpu'] }, 'expected evaluation.backend "cpu"'],
    [{ name: 'a/b' }, '[--name]'],
  ])('for %j', async (request, message) => {
    await expect(planBranches(asked(request))).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(message),
    });
  });

  it('of a solution, which no search goes on from', async () => {
    const solve = ['solve', 'maze', '--runs-dir', root, '--name', 'solved'];
    expect((await runCommand(...solve)).code).toBe(0);
    const { code, stderr } = await runCommand('branch', join(root, 'solved'), '--at', '1', '--runs-dir', root);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('computes its only policy') });
  });

  it('at the end of a run, unless it gets longer', async () => {
    await expect(planBranches(asked({ iteration: 6, overrides: ['iterations=8'] }))).resolves.toBeDefined();
  });

  it('of a damaged record, and of one that was cut', async () => {
    const edit = async (change: (text: string) => string, message: string) => {
      const copy = join(root, 'damaged');
      cpSync(parent, copy, { recursive: true });
      writeFileSync(join(copy, 'events.jsonl'), change(recordOf(copy)));
      await expect(planBranches(asked({ folder: copy }))).rejects.toMatchObject({
        exitCode: 2,
        message: expect.stringContaining(message),
      });
      rmSync(copy, { recursive: true });
    };
    await edit((text) => text.replace('"mean":', '"mean":1'), 'that was changed');
    await edit((text) => text.split('\n').slice(0, -4).join('\n'), 'got less');
  });

  it('that lost the place where it begins, or names another one than its manifest', async () => {
    const { folder, ending } = await branched({ request: { overrides: ['seed=31'] }, events: 1 });
    await ending.catch(() => {});
    asKilled(folder);
    rewriteRecord(folder, (text) => text.replace(/("type":"branched".*?"iteration":)2/, '$11'));
    const again = await branched({ request: { overrides: ['seed=31'] } });
    await expect(again.ending).rejects.toThrow(
      'a branch at iteration 2, as run.json has it, got a branch at iteration 1',
    );
    expect((await verified(folder)).difference?.detail).toMatch(/branch/);
  });
});

describe('a branch of a run that is not finished', () => {
  it('goes on from what is recorded, without the budget that stopped the run', async () => {
    const base = ['run', 'cartpole/r2po', 'iterations=6', 'warmup.policies=4', 'evaluation.episodes=5'];
    const rest = ['recheck.episodes=20', 'evaluation.backend=cpu', '--runs-dir', root, '--name', 'halted', '--quiet'];
    const { code } = await runCommand(...base, ...rest, '--max-calls', '7');
    expect(code).toBe(5);
    const folder = join(root, 'halted');
    await expect(planBranches(asked({ folder, iteration: 4 }))).rejects.toThrow('it has the iterations 1 ... 3');
    const { ending } = await branched({ request: { folder, iteration: 3 } });
    expect(await ending).toMatchObject({ status: 'finished', iterations: 6 });
  });

  it('keeps the limits that did not stop the run, and those that the command states', async () => {
    const base = ['run', 'cartpole/props', 'iterations=6', 'warmup.policies=4', 'evaluation.episodes=5'];
    const rest = ['recheck.episodes=20', 'evaluation.backend=cpu', '--runs-dir', root, '--name', 'limited', '--quiet'];
    expect(await runCommand(...base, ...rest, '--max-episodes', '12', '--max-calls', '40')).toMatchObject({ code: 5 });
    const folder = join(root, 'limited');
    const budgetOf = async (request: Partial<BranchRequest>) =>
      (await planBranches(asked({ folder, iteration: 1, ...request }))).branches[0]!.config.budget;
    expect(await budgetOf({})).toMatchObject({ max_episodes: null, max_calls: 40 });
    expect(await budgetOf({ overrides: ['budget={max_episodes: 45}'] })).toMatchObject({
      max_episodes: 45,
      max_calls: null,
    });
    expect(await budgetOf({ overrides: ['budget.max_episodes=12'] })).toMatchObject({ max_episodes: 12 });
    expect(await budgetOf({ flags: { maxEpisodes: 13 } })).toMatchObject({ max_episodes: 13, max_calls: 40 });
    await expect(budgetOf({ overrides: ['iteration=7'] })).rejects.toThrow('override 1 (iteration=7)');
  });
});

describe('the effect of branches', () => {
  it('pairs the best policies of both continuations on the same fresh episodes', async () => {
    const { folder, plan, ending } = await branched({ request: { overrides: ['seed=51'] } });
    await ending;
    const units = resolveUnits(plan.branches[0]!.config);
    const of = (path: string) => ({ folder: path, events: readRun(path).events().events });
    const compare = (branches: readonly string[], iteration = 2) =>
      branchEffect({
        ...{ units, backend, iteration, episodes: 40 },
        parent: { ...of(parent), seed: 3 },
        branches: branches.map(of),
      });
    const one = await compare([folder]);
    expect(one).toMatchObject({ iterations: [3, 6], episodes: 40, effect: { over: 'episodes', n: 40 } });
    expect(one!.branches[0]!.test!.difference).toBeCloseTo(one!.branches[0]!.best!.mean - one!.parent!.mean, 9);
    // The run itself has no difference, and halves the mean.
    const two = await compare([folder, parent]);
    expect(two!.branches[1]!.test).toEqual({ difference: 0, ci95: [0, 0], p: 1 });
    expect(two!.effect).toMatchObject({ over: 'branches', n: 2, difference: one!.effect!.difference / 2 });
    // Two that are the run itself: how others would vary is not known.
    const none = { difference: 0, ci95: null, p: null, over: 'branches', n: 2 };
    expect((await compare([parent, parent]))!.effect).toEqual(none);
    expect(await compare([folder], 6)).toBeNull();
  });
});

describe('r2po branch', () => {
  it('makes as many branches as asked, goes on with them when it is called again, and reports as JSON', async () => {
    const command = ['branch', parent, '--at', '4', '--repeat', '2', '--runs-dir', root, '--name', 'twice', '--json'];
    const first = await runCommand(...command);
    expect(first.code).toBe(0);
    const document = JSON.parse(first.stdout);
    expect(document).toMatchObject({
      ...{ run: parent, iteration: 4, compared: { iterations: [5, 6], episodes: 30 }, reason: null },
      branches: [
        { folder: join(root, 'twice-1'), seed: 3, outcome: 'finished', already: false, difference: 0 },
        { folder: join(root, 'twice-2'), seed: 4, outcome: 'finished', already: false },
      ],
      effect: { over: 'branches', n: 2 },
    });
    const second = JSON.parse((await runCommand(...command)).stdout);
    expect(second.branches.map(({ already }: { already: boolean }) => already)).toEqual([true, true]);
    expect(second.effect).toEqual(document.effect);
    const report = await runCommand('report', parent, join(root, 'twice-1'), join(root, 'twice-2'), '--json');
    expect(report.code).toBe(0);
    // Two branches of one run are repetitions of each other, not of the run.
    expect(
      JSON.parse(report.stdout)
        .groups.map(({ runs }: { runs: unknown[] }) => runs.length ?? runs)
        .sort(),
    ).toEqual([1, 2]);
    const resumed = await runCommand('run', join(root, 'twice-2'), '--resume', '--json');
    expect({ code: resumed.code, stderr: resumed.stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('already finished'),
    });
  });

  it('refuses the name of another run, and an endpoint that only the run folder names', async () => {
    const taken = await runCommand('branch', parent, '--at', '2', '--runs-dir', root, '--name', 'twice-1', 'seed=99');
    expect({ code: taken.code, text: taken.stderr }).toMatchObject({
      code: 2,
      text: expect.stringContaining('twice-1'),
    });
    const strange = join(root, 'strange');
    cpSync(parent, strange, { recursive: true });
    const config = join(strange, 'config.yaml');
    writeFileSync(config, readFileSync(config, 'utf8').replace(/^model: .*$/m, 'model: http://models.example/v1#m'));
    process.env.R2PO_API_KEY = 'canary-key-7702';
    try {
      const refused = await runCommand('branch', strange, '--at', '2', '--runs-dir', root);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain('got "http://models.example/v1#m" out of a run folder');
    } finally {
      delete process.env.R2PO_API_KEY;
    }
  });
});
