/** A run in its folder: what it records, what it reports, how it stops, and that it goes on as if it had not. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { orInterrupted } from '../../src/base/async.ts';
import { exitCodes, InterruptedError, ModelError, R2poError, UsageError } from '../../src/base/errors.ts';
import { loadPolicy } from '../../src/config/read-policy.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { cartpole } from '../../src/envs/cartpole/index.ts';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import type { ChatModel } from '../../src/llm/chat.ts';
import { offline } from '../../src/llm/offline/index.ts';
import { duration, progressLine, shortCount } from '../../src/report/progress.ts';
import type { Backend } from '../../src/rollout/backend.ts';
import { createRunFolder, findRunToResume, readRunConfig } from '../../src/runs/folder/folder.ts';
import type { Manifest } from '../../src/runs/folder/manifest.ts';
import type { RunSummary } from '../../src/runs/folder/summary.ts';
import type { RunEvent } from '../../src/runs/journal/events.ts';
import { Journal, readEvents } from '../../src/runs/journal/journal.ts';
import { restoreSummary } from '../../src/runs/run.ts';
import { deriveGenerator, deriveSeed, type SeedPurpose } from '../../src/runs/seeds.ts';
import type { RunProgress } from '../../src/runs/session/progress.ts';
import {
  answerOf,
  asKilled,
  eventsOf,
  execute,
  prepareRun,
  readJson,
  rewriteRecord,
  scriptedModel,
  searchEvents,
  smallRun,
  smallSettings,
  temporaryFolder,
  timeless,
  uselessRun,
} from '../support/experiment.ts';
import { llmConfig } from '../support/llm-config.ts';

/** Holds CartPole for 500 steps from every start. */
const perfect = [0, 0.5, 0, 1, 0, 6, 0, 6, 0, 0];
/** Pushes to the left only: falls within a dozen steps. */
const poor = [1, 0, 0, 0, 0, 0, 0, 0, 3, 0];

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;
const ofType = <T extends RunEvent['type']>(events: readonly RunEvent[], type: T) =>
  events.filter((event): event is EventOf<T> => event.type === type);

async function failureOf(action: () => Promise<unknown>): Promise<R2poError> {
  try {
    await action();
  } catch (error) {
    expect(error).toBeInstanceOf(R2poError);
    return error as R2poError;
  }
  throw new Error('expected a failure');
}

describe('seeds', () => {
  it('depend on the run, the purpose and the number, and on nothing else', () => {
    const purposes: SeedPurpose[] = ['warmupParameters', 'warmupEpisode', 'evaluation', 'recheck', 'model'];
    const seen = new Set<number>();
    const runs = [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1];
    for (const seed of runs) {
      for (const purpose of purposes) {
        for (const index of [0, 1, 2, 50]) {
          const derived = deriveSeed(seed, purpose, index);
          expect(derived).toBe(deriveSeed(seed, purpose, index));
          expect(Number.isInteger(derived) && derived >= 0 && derived < 2 ** 52).toBe(true);
          seen.add(derived);
        }
      }
    }
    expect(seen.size).toBe(runs.length * purposes.length * 4);
    expect(deriveGenerator(1, 'warmupParameters', 2).random()).not.toBe(
      deriveGenerator(1, 'warmupParameters', 3).random(),
    );
  });

  it('keep the episodes of iterations and of the re-check apart', () => {
    const episodes = 1_000_000;
    const starts = [
      deriveSeed(0, 'recheck', 0),
      ...Array.from({ length: 100 }, (_, i) => deriveSeed(0, 'evaluation', i + 1)),
    ];
    starts.sort((a, b) => a - b);
    for (let i = 1; i < starts.length; i++) expect(starts[i]! - starts[i - 1]!).toBeGreaterThan(episodes);
  });

  it('do not change between versions: recorded runs must stay replayable', () => {
    // NumPy: high and low word of SeedSequence([seed % 2**32, seed // 2**32, purpose, index]).generate_state(2)
    expect(deriveSeed(3, 'evaluation', 1)).toBe(2_278_172_165_206_347);
    expect(deriveSeed(2 ** 40 + 7, 'recheck', 0)).toBe(1_357_078_744_109_221);
  });
});

describe('a whole run', () => {
  it('records its steps in order and every other file follows from the record', async () => {
    const { folder, summary } = await smallRun();
    const events = eventsOf(folder);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i));
    const iteration = ['llm_call', 'evaluated', 'llm_call', 'evaluated', 'iteration'];
    expect(events.map(({ type }) => type)).toEqual([
      'run_started',
      ...Array(4).fill('warmup'),
      ...Array(6).fill(iteration).flat(),
      'rechecked',
      'run_finished',
    ]);

    const iterations = ofType(events, 'iteration');
    const means = iterations.map(({ trial }) => trial!.mean);
    const evaluated = ofType(events, 'evaluated');
    const warmups = ofType(events, 'warmup');
    const [rechecked] = ofType(events, 'rechecked');
    const best = iterations[means.indexOf(Math.max(...means))]!;
    const calls = ofType(events, 'llm_call');
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
    const counted = {
      calls: 12,
      prompt_tokens: sum(calls.map(({ reply }) => reply.usage.promptTokens)),
      completion_tokens: sum(calls.map(({ reply }) => reply.usage.completionTokens)),
      cached_tokens: null,
      cache_write_tokens: null,
      reasoning_tokens: null,
    };
    expect(summary).toEqual({
      status: 'finished',
      env: 'CartPole-v1',
      method: 'r2po',
      model: 'offline',
      models: { search: 'offline', critic: 'offline' },
      model_kind: 'offline',
      seed: 3,
      iterations: 6,
      mean_reward: sum(means) / 6,
      best_reward: Math.max(...means),
      final_reward: means[5],
      best: {
        iteration: best.iteration,
        params: best.trial!.params,
        mean: best.trial!.mean,
        rechecked: { episodes: 50, mean: rechecked!.summary.mean, ci95: rechecked!.summary.ci95 },
      },
      llm: {
        ...counted,
        failed_calls: 0,
        unusable_replies: 0,
        seconds: sum(calls.map(({ reply }) => reply.latencySeconds)),
        // It runs here.
        cost_usd: 0,
        by_model: { offline: counted },
      },
      episodes: 4 + 6 * 2 * 5,
      steps: sum(warmups.map(({ length }) => length)) + sum(evaluated.map((e) => e.summary.steps)),
      wall_s: (Date.parse(events.at(-1)!.time) - Date.parse(events[0]!.time)) / 1000,
      backend: 'cpu',
      adapter: null,
      record: readEvents(folder).end,
    });
    expect(readJson(folder)).toEqual(summary);

    // Both candidates of an iteration share their seeds; the re-check has fresh ones.
    evaluated.forEach(({ seed, iteration: number }) => {
      expect(seed).toBe(deriveSeed(3, 'evaluation', number));
    });
    expect(rechecked!.seed).toBe(deriveSeed(3, 'recheck', 0));
    expect(rechecked!.params).toEqual(best.trial!.params);

    const lines = readFileSync(join(folder, 'metrics.csv'), 'utf8').trimEnd().split('\n');
    const rows = lines.slice(1).map((line) => {
      const cells = line.split(',');
      return Object.fromEntries(lines[0]!.split(',').map((name, i) => [name, cells[i]]));
    });
    expect(rows.map((row) => Number(row.mean))).toEqual(means);
    expect(rows.map((row) => row.kept)).toEqual(iterations.map(({ kept }) => kept));
    expect(rows.map((row) => Number(row.episodes))).toEqual([14, 24, 34, 44, 54, 64]);
    expect(rows.map((row) => Number(row.best))).toEqual(means.map((_, i) => Math.max(...means.slice(0, i + 1))));
    expect(Number(rows[5]!.steps)).toBe(summary.steps);
    expect(rows.map((row) => Number(row.llm_calls))).toEqual([2, 4, 6, 8, 10, 12]);

    expect(Array.from((await loadPolicy(folder, cartpole)).params)).toEqual(best.trial!.params);
    expect(llmConfig(await readRunConfig(folder)).iterations).toBe(6);
    expect(readdirSync(join(folder, 'tb'))).toHaveLength(1);

    expect(readdirSync(join(folder, 'trajectories'))).toEqual([1, 2, 3, 4, 5, 6].map((i) => `iteration-000${i}.json`));
    iterations.forEach(({ iteration: number, kept }) => {
      const { summary: played } = evaluated.find((e) => e.iteration === number && e.candidate === kept)!;
      const { index: _, ...median } = played.median_episode;
      const file = readJson<{ steps: unknown[] }>(folder, `trajectories/iteration-000${number}.json`);
      expect(file).toMatchObject({ env: 'CartPole-v1', ...median });
      expect(Object.keys(file)).toEqual(['env', 'seed', 'return', 'length', 'end', 'steps']);
      expect(file.steps).toHaveLength(median.length);
    });

    const manifest = readJson<Manifest>(folder, 'run.json');
    expect(manifest).toMatchObject({
      schemaVersion: 1,
      status: 'finished',
      argv: ['run', 'cartpole/r2po'],
      config_hash: events[0]!.type === 'run_started' ? events[0].config_hash : '',
      versions: { r2po: expect.stringMatching(/^\d/), node: process.version, dawn: expect.stringMatching(/^\d/) },
      backend: 'cpu',
      adapter: null,
      model: 'offline',
      model_kind: 'offline',
      stopped: null,
    });
    expect(existsSync(join(folder, 'run.lock'))).toBe(false);
    expect(readdirSync(folder).sort()).toEqual([
      'best.json',
      'config.yaml',
      'events.jsonl',
      'metrics.csv',
      'run.json',
      'summary.json',
      'tb',
      'trajectories',
    ]);
  });

  it('is the same run for the same seed and another one for another', async () => {
    const [a, b, c] = [await smallRun(), await smallRun(), await smallRun({ seed: 4 })];
    expect(searchEvents(b.folder)).toEqual(searchEvents(a.folder));
    expect(timeless(b.summary)).toEqual(timeless(a.summary));
    const warmups = (folder: string) => ofType(eventsOf(folder), 'warmup').map(({ params }) => params);
    expect(warmups(c.folder)).not.toEqual(warmups(a.folder));
  });

  it('plays what it records: an evaluation by hand gives the same summary', async () => {
    const { folder } = await smallRun({ overrides: ['evaluation.max_steps=11'] });
    const [event] = ofType(eventsOf(folder), 'evaluated');
    expect(event!.summary.ends.capped).toBeGreaterThan(0);
    const { backend, env, policy } = await prepareRun();
    const { summaries } = await evaluate({
      backend,
      env,
      policy,
      candidates: [Float64Array.from(event!.params)],
      episodes: 5,
      seed: event!.seed,
      maxSteps: 11,
      successThreshold: 500,
    });
    await backend.close();
    expect(summaries[0]).toEqual(event!.summary);
  });

  it('reports the last of equally good policies, and keeps its numbers', async () => {
    const replies = [poor, poor, perfect, poor, perfect, perfect];
    const model = scriptedModel((_, call) => answerOf(replies[call]!));
    const { folder, summary } = await smallRun({ model, overrides: ['iterations=3', 'search.duplicates=allow'] });
    const means = ofType(eventsOf(folder), 'iteration').map(({ trial }) => trial!.mean);
    expect(means.slice(1)).toEqual([500, 500]);
    expect(summary).toMatchObject({
      mean_reward: (means[0]! + 1000) / 3,
      final_reward: 500,
      best: { iteration: 3, params: perfect, mean: 500, rechecked: { episodes: 50, mean: 500 } },
      llm: { calls: 6, prompt_tokens: 600, completion_tokens: 42, seconds: 1.5 },
    });
    expect(ofType(eventsOf(folder), 'rechecked')).toMatchObject([{ iteration: 3, params: perfect }]);
    const best = { env: 'CartPole-v1', env_options: {}, kind: 'linear', params: perfect, options: { bias: true } };
    expect(readJson(folder, 'best.json')).toEqual(best);
  });

  it('records unusable replies and continues; without a usable one it stops without a best policy', async () => {
    const some = scriptedModel((_, call) => (call % 3 === 0 ? 'I would rather not.' : answerOf(perfect)));
    const mixed = await smallRun({ model: some, overrides: ['iterations=2'] });
    const failed = ofType(eventsOf(mixed.folder), 'parse_failed');
    expect(failed.length).toBeGreaterThan(0);
    expect(mixed.summary.llm).toMatchObject({ calls: some.requests.length, unusable_replies: failed.length });
    expect(mixed.summary.best_reward).toBe(500);

    const folder = await uselessRun({ model: scriptedModel(() => 'No.'), overrides: ['iterations=2'] });
    expect(readJson(folder)).toMatchObject({
      status: 'stopped',
      iterations: 2,
      mean_reward: null,
      best_reward: null,
      final_reward: null,
      best: null,
      llm: { calls: 6, failed_calls: 0, unusable_replies: 6 },
      episodes: 4,
    });
    expect(readdirSync(join(folder, 'trajectories'))).toEqual([]);
    expect(existsSync(join(folder, 'best.json'))).toBe(false);
    expect(readFileSync(join(folder, 'metrics.csv'), 'utf8')).toMatch(/^1,4,\d+,,,,,,,,,,3,300,21,/m);
  });

  it('sends each request its own seed when one is configured, and none otherwise', async () => {
    const seeds = async (overrides: string[]) => {
      const model = scriptedModel(() => answerOf(poor));
      await smallRun({ model, overrides: ['iterations=2', 'search.duplicates=allow', ...overrides] });
      return model.requests.map(({ seed, temperature }) => ({ seed, temperature }));
    };
    expect(await seeds(['llm.temperature=0.25'])).toEqual(Array(4).fill({ seed: null, temperature: 0.25 }));
    const given = (await seeds(['llm.seed=11'])).map(({ seed }) => seed!);
    expect(new Set(given).size).toBe(4);
    for (const seed of given) expect(seed >= 0 && seed < 2 ** 31 && Number.isInteger(seed)).toBe(true);
    expect((await seeds(['llm.seed=11'])).map(({ seed }) => seed)).toEqual(given);
  });

  it('reports progress', async () => {
    const seen: RunProgress[] = [];
    let clock = 1_700_000_000_000;
    const now = () => {
      clock += 1000;
      return clock;
    };
    const lines: string[] = [];
    await smallRun({
      options: {
        now,
        onProgress: (progress) => {
          seen.push(progress);
          lines.push(progressLine(progress));
        },
      },
    });
    expect(seen.map(({ event }) => event?.seq)).toEqual([...Array(37).keys()]);
    // Each event and each look at the clock takes a second, so what is left shrinks and ends at zero.
    const left = seen.filter(({ event }) => event?.type === 'iteration').map(({ etaSeconds }) => etaSeconds!);
    expect(left[0]).toBeGreaterThan(left[3]!);
    expect(left[5]).toBe(0);
    expect(lines.find((line) => line.startsWith('iteration 2/6'))).toMatch(
      /^iteration 2\/6 \| left \d.* \| last [\d.]+ \| best [\d.]+ ± [\d.]+ \| revisions \d kept, \d not \| unusable replies 0 \| tokens [\d.]+k?/,
    );
  });
});

describe('numbers for people', () => {
  it('are short', () => {
    expect([0, 59.4, 59.6, 3599, 7384].map(duration)).toEqual(['0 s', '59 s', '1 min 0 s', '59 min 59 s', '2 h 3 min']);
    expect([0, 999, 1000, 12_345, 4_560_000].map(shortCount)).toEqual(['0', '999', '1k', '12.3k', '4.56M']);
  });
});

/** A copy of a run folder as it was after its first `count` events, with nothing but what a kill leaves behind. */
function cutAfter(folder: string, count: number, torn = ''): string {
  const copy = join(temporaryFolder(), 'run');
  cpSync(folder, copy, { recursive: true });
  const lines = readFileSync(join(folder, 'events.jsonl'), 'utf8').split('\n');
  const kept = lines.slice(0, count).map((line) => `${line}\n`);
  writeFileSync(join(copy, 'events.jsonl'), kept.join('') + torn);
  for (const name of ['trajectories', 'tb']) rmSync(join(copy, name), { recursive: true, force: true });
  asKilled(copy);
  return copy;
}

describe('resuming', () => {
  it('equals the uninterrupted run, after an interruption at any event', async () => {
    // A reply in three cannot be used, so that the record also ends before, between and after repair turns.
    const answer = (_: unknown, call: number) => (call % 3 === 1 ? 'Hm.' : answerOf(call % 2 ? perfect : poor));
    // With seeds for the requests, which must not start again from the first.
    const overrides = ['iterations=2', 'warmup.policies=2', 'llm.seed=9'];
    const whole = await smallRun({ model: scriptedModel(answer), overrides });
    const events = eventsOf(whole.folder);
    expect(new Set(events.map(({ type }) => type)).size).toBe(8);
    for (let count = 0; count <= events.length; count++) {
      const folder = cutAfter(whole.folder, count, count % 2 ? '{"type":"evalua' : '');
      const done = events.slice(0, count).filter(({ type }) => type === 'llm_call').length;
      const model = scriptedModel((request, call) => answer(request, call + done));
      const notices: string[] = [];
      const resumed = await smallRun({
        folder,
        model,
        overrides,
        options: { onNotice: (text) => notices.push(text) },
      });
      expect(searchEvents(folder)).toEqual(searchEvents(whole.folder));
      expect(timeless(resumed.summary)).toEqual(timeless(whole.summary));
      expect(timeless(readJson(folder))).toEqual(timeless(whole.summary));
      expect(notices).toHaveLength(count % 2);
      // What was asked before is not asked again.
      const calls = events.filter(({ type }) => type === 'llm_call').length;
      expect(model.requests).toHaveLength(calls - done);
      expect(readdirSync(join(folder, 'trajectories'))).toEqual(readdirSync(join(whole.folder, 'trajectories')));
      for (const name of readdirSync(join(folder, 'trajectories'))) {
        const path = join('trajectories', name);
        expect(readFileSync(join(folder, path))).toEqual(readFileSync(join(whole.folder, path)));
      }
    }
  }, 60_000);

  it('appends one start per session and adds up their times', async () => {
    const whole = await smallRun();
    const folder = cutAfter(whole.folder, 9);
    const before = eventsOf(folder);
    const { summary } = await smallRun({ folder });
    const events = eventsOf(folder);
    expect(events[9]).toMatchObject({ type: 'run_started', resumed: true });
    const span = (list: readonly RunEvent[]) => (Date.parse(list.at(-1)!.time) - Date.parse(list[0]!.time)) / 1000;
    expect(summary.wall_s).toBeCloseTo(span(before) + span(events.slice(9)), 9);
  });

  it.each(['cartpole/r2po', 'cartpole/sep-cma-es'])(
    'of a finished run of %s plays lost trajectories again',
    async (config) => {
      const optimiser = ['optimiser.episodes=150', 'evaluation.episodes=5', 'recheck.episodes=10'];
      const settings = config === 'cartpole/r2po' ? smallSettings : [...optimiser, 'evaluation.backend=cpu'];
      const { folder } = await smallRun({ config, settings });
      const place = join(folder, 'trajectories');
      const textsOf = () => readdirSync(place).map((name) => [name, readFileSync(join(place, name), 'utf8')]);
      const before = textsOf();
      expect(before.length).toBeGreaterThan(1);
      rmSync(place, { recursive: true });
      const { backend, ...units } = await prepareRun({ config, settings });
      const notices: string[] = [];
      const failing = async () => {
        throw new R2poError('backend', 'no adapter');
      };
      await restoreSummary(folder, units, failing, (text) => notices.push(text));
      expect(notices).toEqual([`trajectories of "${folder}" are missing, and cannot be played again: no adapter`]);
      await restoreSummary(folder, units, (use) => use(backend));
      expect(textsOf()).toEqual(before);
      await backend.close();
    },
  );

  it('of a finished run only rewrites its files', async () => {
    const { folder, summary } = await smallRun();
    const record = readFileSync(join(folder, 'events.jsonl'));
    for (const name of ['summary.json', 'metrics.csv', 'best.json', 'tb'])
      rmSync(join(folder, name), { recursive: true });
    const silent: ChatModel = scriptedModel(() => {
      throw new Error('must not be asked');
    });
    const options = await prepareRun();
    await options.backend.close();
    const noBackend = async () => {
      throw new Error('must not be opened');
    };
    expect(await restoreSummary(folder, options, noBackend)).toEqual(summary);
    expect(readJson(folder)).toEqual(summary);
    expect(existsSync(join(folder, 'best.json')) && existsSync(join(folder, 'metrics.csv'))).toBe(true);
    const again = await smallRun({ folder, model: { ...silent, id: 'offline', kind: 'offline' } });
    expect(again.summary).toEqual(summary);
    expect(readFileSync(join(folder, 'events.jsonl'))).toEqual(record);
  });

  it('refuses the record of another configuration, and leaves it as it is', async () => {
    const { folder } = await smallRun();
    const short = cutAfter(folder, 12);
    const record = readFileSync(join(short, 'events.jsonl'));
    const error = await failureOf(() => smallRun({ folder: short, seed: 4 }));
    expect(error).toMatchObject({ exitCode: exitCodes.usage });
    expect(error.message).toMatch(/does not belong to this configuration.*seq 1 \(warmup 0\) expected params/);
    expect(readFileSync(join(short, 'events.jsonl'))).toEqual(record);
  });

  it('refuses a record with an edited result', async () => {
    const { folder } = await smallRun();
    const copy = cutAfter(folder, 12);
    rewriteRecord(copy, (text) => text.replace(/("type":"evaluated".*?"mean":)[\d.]+/, '$1499'));
    const error = await failureOf(() => smallRun({ folder: copy }));
    expect(error.exitCode).toBe(exitCodes.usage);
    expect(error.message).toMatch(/iteration 1\) expected (kept|why) /);
  });

  it('refuses to resume with another model or backend', async () => {
    const { folder } = await smallRun();
    const short = cutAfter(folder, 12);
    const other = await failureOf(() => smallRun({ folder: short, model: scriptedModel(() => 'x') }));
    expect(other.exitCode).toBe(exitCodes.usage);
    expect(other.message).toContain('expected the model of the earlier part, "offline", got "openai/scripted"');
    const { adapter: _, ...rest } = (await prepareRun()).backend;
    const gpu = { ...rest, id: 'webgpu' as const, adapter: 'card', close: async () => {} } as Backend;
    const device = await failureOf(() => smallRun({ folder: short, options: { backend: gpu } }));
    expect(device.message).toContain('add --backend cpu');
    expect(eventsOf(short)).toHaveLength(12);
  });

  it('refuses to start a new run in a folder with events', async () => {
    const { folder } = await smallRun();
    const error = await failureOf(() => smallRun({ folder, options: { resume: false } }));
    expect(error.message).toMatch(/expected no events in .*, got 37; use --resume/);
  });

  it('refuses a folder that another process writes', async () => {
    const options = await prepareRun();
    const journal = Journal.open(options.folder);
    const error = await failureOf(() => execute(options));
    expect(error.message).toContain(`process ${process.pid}`);
    journal.close();
    await options.backend.close();
  });
});

describe('stopping', () => {
  /** Runs into a stop, then resumes to the end; the result must be that of an unbroken run. */
  async function stopAndGoOn(stop: {
    readonly first: ChatModel;
    readonly options?: Parameters<typeof smallRun>[0];
    readonly exitCode: number;
    readonly status: RunSummary['status'];
  }) {
    const options = await prepareRun({ ...stop.options, model: stop.first });
    const error = await failureOf(() => execute(options));
    await options.backend.close();
    const { folder } = options;
    expect(error.exitCode).toBe(stop.exitCode);
    expect(error.message).toMatch(/; resume with: r2po run cartpole\/r2po --resume$/);
    expect(eventsOf(folder).at(-1)).toMatchObject({ type: 'run_stopped', exit_code: stop.exitCode });
    expect(readJson(folder).status).toBe(stop.status);
    expect(readJson<Manifest>(folder, 'run.json')).toMatchObject({
      status: stop.status,
      stopped: { exit_code: stop.exitCode },
    });
    expect(existsSync(join(folder, 'run.lock'))).toBe(false);
    const resumed = await smallRun({ folder });
    const whole = await smallRun();
    expect(searchEvents(folder)).toEqual(searchEvents(whole.folder));
    expect(readJson<Manifest>(folder, 'run.json')).toMatchObject({ status: 'finished', stopped: null });
    return { error, folder, resumed: resumed.summary, whole: whole.summary };
  }

  /** The offline model until call `n`, from 0, which does something else. */
  const offlineUntil = (n: number, otherwise: () => never): ChatModel => {
    let call = 0;
    return {
      ...offline,
      complete: async (request) => (call++ === n ? otherwise() : offline.complete(request)),
    };
  };

  it('by a model that cannot be used: exit 4', async () => {
    const first = offlineUntil(5, () => {
      throw new ModelError('model x', 'connection refused');
    });
    const { error, resumed, whole } = await stopAndGoOn({ first, exitCode: 4, status: 'stopped' });
    expect(error.message).toContain('[model x] connection refused; resume with');
    expect(timeless(resumed)).toEqual({ ...timeless(whole), llm: { ...timeless(whole).llm, failed_calls: 1 } });
  });

  it('by a budget of calls, tokens or seconds: exit 5', async () => {
    let clock = 1_700_000_000_000;
    const now = () => {
      clock += 100;
      return clock;
    };
    for (const [override, said] of [
      ['budget.max_calls=3', 'budget of 3 model calls is used up (3); allow more with --max-calls'],
      ['budget.max_tokens=90', 'budget of 90 tokens is used up'],
      ['budget.max_time_s=1.5', 'budget of 1.5 seconds is used up'],
    ]) {
      const { error, resumed, whole, folder } = await stopAndGoOn({
        first: offline,
        options: { overrides: [override!], options: { now } },
        exitCode: 5,
        status: 'stopped',
      });
      expect(error.message).toContain(said);
      expect(timeless(resumed)).toEqual(timeless(whole));
      expect(eventsOf(folder).filter(({ type }) => type === 'run_stopped')).toHaveLength(1);
    }
  });

  it('by the budget of seconds while a call waits for its reply, which is given up', async () => {
    let signal: AbortSignal | undefined;
    const silent: ChatModel = {
      id: 'openai/silent',
      kind: 'model',
      replyForms: ['lines'],
      complete: (_request, options) => {
        signal = options?.signal;
        return orInterrupted(new Promise<never>(() => {}), signal);
      },
    };
    const runsDir = temporaryFolder();
    const stopped = smallRun({ model: silent, runsDir, overrides: ['budget.max_time_s=0.4'] });
    await expect(stopped).rejects.toMatchObject({
      exitCode: 5,
      message: expect.stringMatching(/budget of 0\.4 seconds is used up \(0\.\d+\); allow more with --max-time/),
    });
    expect(signal?.aborted).toBe(true);
    const [folder] = readdirSync(runsDir).map((name) => join(runsDir, name));
    expect(eventsOf(folder!).at(-1)).toMatchObject({ type: 'run_stopped', exit_code: 5 });
    expect(readJson(folder!)).toMatchObject({ status: 'stopped', llm: { calls: 0, failed_calls: 0 } });
  });

  it('by the user, for any error of the current call: exit 130 and 143', async () => {
    for (const [name, exitCode] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const controller = new AbortController();
      const first = offlineUntil(4, () => {
        controller.abort(new InterruptedError('run', `the run was interrupted (${name})`, name));
        throw new DOMException('This operation was aborted', 'AbortError');
      });
      const { error, resumed, whole } = await stopAndGoOn({
        first,
        options: { options: { signal: controller.signal } },
        exitCode,
        status: 'stopped',
      });
      expect(error.message).toContain(`interrupted (${name})`);
      expect(timeless(resumed)).toEqual(timeless(whole));
    }
  });

  it('by a failure of the device: exit 1, recorded as failed, and still resumable', async () => {
    const first = offlineUntil(2, () => {
      throw new R2poError('webgpu', 'the device was lost');
    });
    const { resumed, whole } = await stopAndGoOn({ first, exitCode: 1, status: 'failed' });
    expect(timeless(resumed)).toEqual(timeless(whole));
  });

  it('by a defect: the error itself comes out, and the record says what it was', async () => {
    const defect = new TypeError('x is not a function');
    const first = offlineUntil(2, () => {
      throw defect;
    });
    const options = await prepareRun({ model: first });
    await expect(execute(options)).rejects.toBe(defect);
    await options.backend.close();
    expect(eventsOf(options.folder).at(-1)).toMatchObject({
      type: 'run_stopped',
      reason: defect.message,
      exit_code: 1,
    });
  });
});

describe('run folders', () => {
  const configOf = (overrides: readonly string[] = [], seed = 3) =>
    resolveConfig('cartpole/r2po', [...smallSettings, ...overrides], { seed });

  const make = async (runsDir: string, name: string | null = null, overrides: readonly string[] = [], now = 5_000) => {
    const { config, yaml } = await configOf(overrides);
    return createRunFolder({ runsDir, name }, { config, yaml, argv: ['run'], now });
  };

  it('are named after the run and never used twice', async () => {
    const runsDir = join(temporaryFolder(), 'deep', 'runs');
    const first = await make(runsDir);
    expect(first).toMatch(/[\\/]cartpole-r2po-s3-[0-9a-f]{8}$/);
    expect(await make(runsDir)).toBe(`${first}-2`);
    expect(await make(runsDir)).toBe(`${first}-3`);
    expect(await make(runsDir, null, ['budget.max_calls=9'])).toBe(`${first}-4`);
    expect(await make(runsDir, null, ['iterations=7'])).not.toContain(first);
    expect(readdirSync(runsDir).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('with a name of the user are refused when it is taken or no plain name', async () => {
    const runsDir = temporaryFolder();
    expect(await make(runsDir, 'mine')).toBe(join(runsDir, 'mine'));
    await expect(make(runsDir, 'mine')).rejects.toThrow(/expected a new folder, got .*mine", which exists/);
    for (const name of ['../x', 'a/b', '', '.', '.hidden', 'C:x']) {
      await expect(make(runsDir, name)).rejects.toThrow(UsageError);
    }
    expect(readdirSync(runsDir)).toEqual(['mine']);
  });

  it('are refused where nothing can be written', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    for (const runsDir of [file, join(file, 'below'), '/sys/r2po-runs']) {
      const error = await failureOf(() => make(runsDir));
      expect(error).toBeInstanceOf(UsageError);
      expect(error.message).toContain(`expected a folder that can be written to, got "${runsDir}"`);
    }
  });

  const setStatus = (folder: string, status: string) => {
    const path = join(folder, 'run.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), status }));
  };

  it('are found again: the newest unfinished one, else the newest finished one', async () => {
    const runsDir = temporaryFolder();
    const { config } = await configOf();
    const find = async (name: string | null = null) => (await findRunToResume({ runsDir, name }, config)).folder;
    const [old, middle, latest] = [
      await make(runsDir, 'b', [], 1000),
      await make(runsDir, 'c', [], 3000),
      await make(runsDir, 'a', [], 2000),
    ];
    writeFileSync(join(runsDir, 'notes.txt'), 'no run');
    expect(await find()).toBe(middle);
    setStatus(middle, 'finished');
    expect(await find()).toBe(latest);
    setStatus(latest, 'finished');
    setStatus(old, 'stopped');
    expect(await find()).toBe(old);
    setStatus(old, 'finished');
    expect(await find()).toBe(middle);
    expect(await find('a')).toBe(latest);
  });

  it('of another configuration are refused with the keys that differ', async () => {
    const runsDir = temporaryFolder();
    const mine = await make(runsDir, 'mine');
    const { config } = await configOf(['iterations=7', 'evaluation.episodes=8', 'budget.max_calls=3']);
    const place = (name: string | null) => ({ runsDir, name });
    const named = await failureOf(() => findRunToResume(place('mine'), config));
    expect(named).toMatchObject({ exitCode: exitCodes.usage });
    expect(named.message).toContain(
      `"${mine}" is a run of another configuration: iterations (6 there, 7 here), evaluation.episodes (5 there, 8 here);`,
    );
    const searched = await failureOf(() => findRunToResume(place(null), config));
    expect(searched.message).toMatch(/got nothing to resume; .*mine" differs in iterations \(6 there, 7 here\)/);
    // What only decides when a run stops may differ.
    const { config: free } = await configOf(['budget.max_tokens=1', 'llm.max_unusable_in_a_row=5']);
    expect(await findRunToResume(place('mine'), free)).toEqual({ folder: mine, config: free });
  });

  it('that do not exist or are not runs are refused', async () => {
    const runsDir = temporaryFolder();
    const { config } = await configOf();
    const none = await failureOf(() => findRunToResume({ runsDir: join(runsDir, 'none'), name: null }, config));
    expect(none.message).toContain('got nothing to resume; start one');
    await expect(findRunToResume({ runsDir, name: 'x' }, config)).rejects.toThrow('got no such folder');
    const mine = await make(runsDir, 'mine');
    const path = join(mine, 'run.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...manifest, schemaVersion: 2 }));
    await expect(findRunToResume({ runsDir, name: 'mine' }, config)).rejects.toThrow('expected schemaVersion 1');
    writeFileSync(path, JSON.stringify({ ...manifest, status: 'done' }));
    await expect(findRunToResume({ runsDir, name: 'mine' }, config)).rejects.toThrow('"status"');
    writeFileSync(path, '{');
    await expect(findRunToResume({ runsDir, name: 'mine' }, config)).rejects.toThrow('expected JSON');
    rmSync(path);
    await expect(findRunToResume({ runsDir, name: 'mine' }, config)).rejects.toThrow('no run.json in it');
  });
});
