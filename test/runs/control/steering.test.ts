/** A run that goes on is paused, stopped and given another budget, over its socket; the record has each action. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChatModel } from '../../../src/llm/chat.ts';
import { offline } from '../../../src/llm/offline/index.ts';
import { openCpuBackend } from '../../../src/rollout/cpu/node/backend.ts';
import { planBranches } from '../../../src/runs/branch/make-branch.ts';
import { controlRun, listLiveRuns, stateOfRun } from '../../../src/runs/control/client.ts';
import { socketPaths } from '../../../src/runs/control/places.ts';
import type { EventOf } from '../../../src/runs/journal/events.ts';
import { openRecordedRun, replayRun } from '../../../src/runs/replay.ts';
import type { RunProgress } from '../../../src/runs/session/progress.ts';
import { verifyRun } from '../../../src/runs/verify/verify.ts';
import {
  eventsOf,
  execute,
  prepareRun,
  readJson,
  type SmallRun,
  smallSettings,
  temporaryFolder,
} from '../../support/experiment.ts';

const root = temporaryFolder();
const before = process.env.XDG_RUNTIME_DIR;
beforeAll(() => {
  const runtime = join(root, 'runtime');
  mkdirSync(runtime, { mode: 0o700 });
  process.env.XDG_RUNTIME_DIR = runtime;
});
afterAll(() => {
  if (before === undefined) delete process.env.XDG_RUNTIME_DIR;
  else process.env.XDG_RUNTIME_DIR = before;
  rmSync(root, { recursive: true });
});

const quick = [...smallSettings, 'iterations=3', 'recheck.episodes=20', 'warmup.policies=2'];

type Act = (folder: string, call: number) => Promise<void> | void;

/** A model, the offline one by default, which does something else as the call with a number is made. */
function acting(act: Act, folder: () => string, model: ChatModel = offline): ChatModel {
  let call = 0;
  return {
    ...model,
    async complete(request, options) {
      await act(folder(), ++call);
      return model.complete(request, options);
    },
  };
}

/** A run that is steered while it goes on; `act` runs inside each call of its model. */
async function steered(act: Act, run: SmallRun = {}, onGeneration?: (folder: string) => void) {
  let folder = '';
  const model = acting(act, () => folder, run.model);
  const onProgress = ({ event }: RunProgress): void => {
    if (event?.type === 'generation') onGeneration?.(folder);
  };
  const options = { steerable: true, onProgress, ...run.options };
  const prepared = await prepareRun({ runsDir: join(root, 'runs'), settings: quick, ...run, model, options });
  folder = prepared.folder;
  const summary = execute(prepared).finally(() => prepared.backend.close());
  return { folder, summary };
}

const controls = (folder: string): EventOf<'control'>[] =>
  eventsOf(folder).filter((event) => event.type === 'control') as EventOf<'control'>[];

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((done) => setTimeout(done, 2));
}

async function holds(folder: string): Promise<void> {
  const backend = openCpuBackend({ threads: 1 });
  try {
    const replayed = await replayRun(await openRecordedRun(folder), backend);
    expect(replayed).toMatchObject({ difference: null });
    const { checks } = await verifyRun(folder, { open: async () => backend });
    expect(checks.filter(({ result }) => result === 'differs')).toEqual([]);
  } finally {
    await backend.close();
  }
}

describe('pause', () => {
  it('takes effect behind the step under way, does not count as time of the run, and ends with continue', async () => {
    let paused: Promise<unknown> | null = null;
    let clock = Date.parse('2026-01-01T00:00:00Z');
    const answers: unknown[] = [];
    const { folder, summary } = await steered(
      async (run, call) => {
        if (call !== 3) return;
        answers.push(await controlRun(run, { action: 'pause' }));
        paused = until(async () => (await stateOfRun(run))?.state === 'paused').then(async () => {
          clock += 3_600_000;
          answers.push(await controlRun(run, { action: 'pause' }));
          answers.push(await controlRun(run, { action: 'continue' }));
        });
      },
      { options: { now: () => clock++ }, overrides: ['budget.max_time_s=1000'] },
    );
    expect((await summary).wall_s).toBeLessThan(10);
    await paused;
    expect(answers).toMatchObject([
      { state: 'pausing', message: 'pauses after the reply of the model (iteration 2)', step: expect.any(String) },
      { state: 'paused', message: 'paused before', step: null },
      { state: 'running', message: 'goes on', iteration: 1, iterations: 3 },
    ]);
    const events = eventsOf(folder);
    const at = events.findIndex(({ type }) => type === 'control');
    expect(events.slice(at - 1, at + 2)).toMatchObject([
      { type: 'llm_call', iteration: 2 },
      { type: 'control', optional: true, action: 'pause' },
      { type: 'control', optional: true, action: 'continue' },
    ]);
    await holds(folder);
  });

  it('that is taken back before the run has paused is on record, and stops nothing', async () => {
    const { folder, summary } = await steered(async (run, call) => {
      if (call !== 2) return;
      await controlRun(run, { action: 'continue' });
      await controlRun(run, { action: 'pause' });
      await controlRun(run, { action: 'continue' });
    });
    await summary;
    expect(controls(folder).map(({ action }) => action)).toEqual(['pause', 'continue']);
  });

  it('of a run ends with a signal to its process, too', async () => {
    const interrupt = new AbortController();
    const { folder, summary } = await steered(
      async (run, call) => {
        if (call !== 2) return;
        await controlRun(run, { action: 'pause' });
        void until(async () => (await stateOfRun(run))?.state === 'paused').then(() => interrupt.abort());
      },
      { options: { signal: interrupt.signal } },
    );
    await expect(summary).rejects.toMatchObject({ exitCode: 130 });
    expect(eventsOf(folder).slice(-2)).toMatchObject([{ action: 'pause' }, { type: 'run_stopped' }]);
    expect(await stateOfRun(folder)).toBeNull();
  });
});

describe('stop', () => {
  it('ends the run as SIGTERM does, in the middle of a call; a resumed run takes the same path', async () => {
    const { folder, summary } = await steered(async (run, call) => {
      if (call === 4) await controlRun(run, { action: 'stop' });
    });
    await expect(summary).rejects.toMatchObject({
      exitCode: 143,
      message: expect.stringMatching(/stopped with "r2po ctl".*resume with:/),
    });
    expect(controls(folder)).toMatchObject([{ action: 'stop' }]);
    expect(eventsOf(folder).at(-1)).toMatchObject({ type: 'run_stopped', exit_code: 143 });
    const resumed = await steered(() => {}, { folder });
    expect(await resumed.summary).toMatchObject({ status: 'finished', iterations: 3 });
    await holds(folder);
  });
});

describe('budget', () => {
  it('raises limits of the process; a resumed run keeps them', async () => {
    const { folder, summary } = await steered(
      async (run, call) => {
        if (call === 1) await controlRun(run, { action: 'budget', calls: 5, tokens: null });
      },
      { overrides: ['budget.max_calls=3'] },
    );
    await expect(summary).rejects.toMatchObject({ exitCode: 5, message: expect.stringContaining('budget of 5 model') });
    expect(controls(folder)).toMatchObject([{ action: 'budget', limits: { calls: 5, tokens: null } }]);
    // A process that dies leaves no reason.
    const notes: string[] = [];
    const stopped = await steered(
      async (run, call) => {
        if (call === 2) await controlRun(run, { action: 'budget', calls: 9 });
        if (call === 3) await controlRun(run, { action: 'stop' });
      },
      { overrides: ['budget.max_calls=7', 'iterations=6'], seed: 8 },
    );
    await expect(stopped.summary).rejects.toMatchObject({ exitCode: 143 });
    const resumed = await steered(() => {}, {
      ...{ folder: stopped.folder, overrides: ['budget.max_calls=7', 'iterations=6'], seed: 8 },
      options: { log: (text) => notes.push(text) },
    });
    await expect(resumed.summary).rejects.toMatchObject({ message: expect.stringContaining('budget of 9 model') });
    expect(notes).toEqual(['limits from "r2po ctl" still hold: calls 9']);
    const stated = await steered(() => {}, {
      folder: stopped.folder,
      overrides: ['budget.max_calls=null', 'iterations=6'],
      seed: 8,
    });
    expect(await stated.summary).toMatchObject({ status: 'finished' });
  });

  it('of an earlier session holds on, unless the command or the run itself has ended it', async () => {
    const notes: string[] = [];
    const options = { log: (text: string) => void notes.push(text) };
    const six = (limit: number) => [`budget.max_calls=${limit}`, 'iterations=6'];
    const stopsAt =
      (last: number): Act =>
      async (run, call) => {
        if (call === last) await controlRun(run, { action: 'stop' });
      };
    const { folder, summary } = await steered(
      async (run, call) => {
        if (call === 2) await controlRun(run, { action: 'budget', calls: 11, tokens: 10_000_000 });
        await stopsAt(3)(run, call);
      },
      { overrides: six(8) },
    );
    await expect(summary).rejects.toMatchObject({ exitCode: 143 });
    const stated = await steered(stopsAt(2), { folder, overrides: six(10), options });
    await expect(stated.summary).rejects.toMatchObject({ exitCode: 143 });
    const next = await steered(
      async (run, call) => {
        if (call === 2) await controlRun(run, { action: 'budget', calls: 6, cost: 5 });
      },
      { folder, overrides: six(8), options },
    );
    await expect(next.summary).rejects.toMatchObject({ message: expect.stringContaining('budget of 6 model') });
    const last = await steered(() => {}, { folder, overrides: six(8), options: { ...options, lifts: ['max_calls'] } });
    await expect(last.summary).rejects.toMatchObject({ message: expect.stringContaining('budget of 8 model') });
    const lifting = await steered(() => {}, {
      folder,
      overrides: six(8),
      options: { ...options, lifts: ['max_calls'] },
    });
    expect(await lifting.summary).toMatchObject({ status: 'finished' });
    const held = 'limits from "r2po ctl" still hold';
    expect(notes.filter((note) => note.startsWith('limits'))).toEqual([
      `${held}: tokens 10000000; limits from "r2po ctl" hold no more (calls): the command states others`,
      `${held}: tokens 10000000`,
      `${held}: tokens 10000000, cost 5; limits from "r2po ctl" hold no more (calls): they have stopped the run`,
      `${held}: tokens 10000000, cost 5; limits that have stopped the run are lifted: calls 8`,
    ]);
    await holds(folder);
  });

  it('refuses a limit below what is used, and one that has no meaning for the run', async () => {
    const problems: string[] = [];
    const ask = (run: string, body: object) =>
      controlRun(run, { action: 'budget', ...body }).catch(({ message }) => problems.push(message));
    const { folder, summary } = await steered(async (run, call) => {
      if (call !== 5) return;
      await ask(run, { calls: 3 });
      await ask(run, { episodes: 2 });
      await ask(run, { iterations: 2 });
      await ask(run, {});
      await ask(run, { iteration: 2 });
    });
    await summary;
    expect(problems).toEqual([
      expect.stringContaining('calls of at least 4, which the run has used, got 3'),
      expect.stringContaining('episodes of at least'),
      expect.stringContaining('iterations of at least 3, the one under way, got 2'),
      expect.stringContaining('expected a limit, got none'),
      expect.stringContaining('Unrecognized key'),
    ]);
    expect(controls(folder)).toEqual([]);
  });

  it('refuses a limit of the cost without the price of a model that answered before', async () => {
    const problems: string[] = [];
    const billed: ChatModel = {
      ...offline,
      kind: 'model',
      complete: async (request, options) => ({
        ...(await offline.complete(request, options)),
        answeredBy: 'azure/earlier',
      }),
    };
    const { summary } = await steered(
      async (run, call) => {
        if (call !== 3) return;
        await controlRun(run, { action: 'budget', cost: 7 }).catch(({ message }) => problems.push(message));
      },
      { model: billed },
    );
    await summary;
    expect(problems).toEqual([
      expect.stringContaining('expected a price of "azure/earlier" to enforce a limit of 7 USD'),
    ]);
  });

  it('makes the search longer and shorter; replay, verify, resume and branch know the number of each iteration', async () => {
    const six = { overrides: ['iterations=6'] };
    const longer = await steered(async (run, call) => {
      if (call === 4) await controlRun(run, { action: 'budget', iterations: 8 });
      if (call === 5) expect(readJson<{ iterations: number }>(run, 'run.json').iterations).toBe(8);
      if (call === 13) await controlRun(run, { action: 'stop' });
    }, six);
    const { folder } = longer;
    await expect(longer.summary).rejects.toMatchObject({ exitCode: 143 });
    const resumed = await steered(() => {}, { folder, ...six });
    expect(await resumed.summary).toMatchObject({ status: 'finished', iterations: 8 });
    expect(controls(folder)[0]).toMatchObject({ limits: { iterations: 8 }, from_iteration: 3 });
    const calls = eventsOf(folder).filter((event) => event.type === 'llm_call');
    const prompt = (iteration: number) => {
      const call = calls.find((one) => one.type === 'llm_call' && one.iteration === iteration);
      return JSON.stringify(call);
    };
    expect(prompt(2)).toContain('Iteration 2 of 6.');
    expect(prompt(3)).toContain('Iteration 3 of 8.');
    expect(readJson<{ iterations: number }>(folder, 'run.json').iterations).toBe(8);
    await holds(folder);
    const { branches } = await planBranches({
      ...{ folder, iteration: 4, repeat: 1, name: null, overrides: [], flags: {} },
      now: Date.now(),
    });
    expect(branches[0]!.config).toMatchObject({ iterations: 6 });

    const shorter = await steered(async (run, call) => {
      if (call === 5) await controlRun(run, { action: 'budget', iterations: 3 });
    }, six);
    expect(await shorter.summary).toMatchObject({ status: 'finished', iterations: 3, best: { rechecked: {} } });
    await holds(shorter.folder);
  });

  it('of a search with an optimiser changes its number of generations', async () => {
    const settings = [
      'optimiser.episodes=4000',
      'evaluation.episodes=5',
      'recheck.episodes=20',
      'evaluation.backend=cpu',
    ];
    let asked: Promise<unknown> | null = null;
    const { folder, summary } = await steered(
      () => {},
      { config: 'cartpole/cem', settings },
      (run) => {
        asked ??= Promise.all([
          controlRun(run, { action: 'budget', iterations: 4 }),
          controlRun(run, { action: 'budget', calls: 4 }).catch(({ message }) => message),
        ]);
      },
    );
    expect(await summary).toMatchObject({ status: 'finished', iterations: 4 });
    expect(await asked).toMatchObject([{ iterations: 4 }, expect.stringContaining('asks no model, got calls')]);
    await holds(folder);
  });
});

describe('a folder that is steered', () => {
  it('is listed while its run goes on, and says why it cannot be steered afterwards', async () => {
    // Other runs of this user may go on meanwhile.
    const listedOf = async (run: string) => (await listLiveRuns()).runs.filter((one) => one.folder === run);
    let listed: unknown;
    const { folder, summary } = await steered(async (run, call) => {
      if (call === 1) listed = await listedOf(run);
    });
    await summary;
    expect(listed).toMatchObject([{ folder, pid: process.pid, state: 'running', iteration: 0 }]);
    expect(await listedOf(folder)).toEqual([]);
    expect(socketPaths(folder).filter((path) => existsSync(path))).toEqual([]);
    await expect(controlRun(folder, { action: 'pause' })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('got one that is finished'),
    });
    await expect(controlRun(join(root, 'none'), { action: 'pause' })).rejects.toMatchObject({
      message: expect.stringContaining('got no run folder'),
    });
  });

  it('that was moved away ends its paused run as soon as it goes on', async () => {
    let paused: Promise<unknown> | null = null;
    const { folder, summary } = await steered(async (run, call) => {
      if (call !== 2) return;
      await controlRun(run, { action: 'pause' });
      paused = until(async () => (await stateOfRun(run))?.state === 'paused').then(async () => {
        renameSync(run, `${run}-moved`);
        await controlRun(run, { action: 'continue' }).catch(() => {});
      });
    });
    await expect(summary).rejects.toThrow('deleted or moved');
    await paused;
    expect(await stateOfRun(folder)).toBeNull();
  });
});
