/** Runs of optimisers are ordinary runs: recorded, resumed in the middle of a generation, replayed, verified. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadPolicy } from '../../src/config/read-policy.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { optimisers } from '../../src/optimisers/index.ts';
import type { Backend } from '../../src/rollout/backend.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { firstSeed } from '../../src/rollout/job.ts';
import { brokenReturn } from '../../src/rollout/statistics.ts';
import { createRunFolder } from '../../src/runs/folder/folder.ts';
import { openRecordedRun, replayRun } from '../../src/runs/replay.ts';
import { type OpenUnits, resolveUnits } from '../../src/runs/resolve-units.ts';
import { executeRun } from '../../src/runs/run.ts';
import type { RunProgress } from '../../src/runs/session/progress.ts';
import { eventsOf, readJson, searchEvents, temporaryFolder, timeless } from '../support/experiment.ts';

const small = ['evaluation.episodes=3', 'recheck.episodes=20', 'evaluation.backend=cpu'];

interface Asked {
  readonly overrides?: readonly string[];
  readonly folder?: string;
  /** the process ends after so many events */
  readonly events?: number;
  /** whether the episodes of a candidate break */
  readonly breaks?: (params: Float64Array) => boolean;
}

/** Plays on the cpu, but for candidates whose episodes break. */
function openBackend(breaks: NonNullable<Asked['breaks']>): Backend {
  const backend = openCpuBackend({ threads: 1 });
  return {
    ...{ id: backend.id, adapter: backend.adapter },
    supports: (env, policy) => backend.supports(env, policy),
    play: (job, options) => backend.play(job, options),
    async measure(job, request, options) {
      if (job.candidates.some((params) => breaks(params))) throw brokenReturn(Number.NaN, firstSeed(job, 0));
      return backend.measure(job, request, options);
    },
    async trace(job, candidate, episode) {
      const trace = await backend.trace(job, candidate, episode);
      if (!breaks(job.candidates[candidate]!)) return trace;
      return { ...trace, steps: trace.steps.map((step) => ({ ...step, obs: step.obs.map(() => Number.NaN) })) };
    },
    resets: (env, seed, count) => backend.resets(env, seed, count),
    probe: (env, inputs) => backend.probe(env, inputs),
    close: () => backend.close(),
  };
}

async function play(name: string, { overrides = [], folder: earlier, events, breaks = () => false }: Asked = {}) {
  const { config, yaml } = await resolveConfig(name, [...small, ...overrides], { seed: 5 });
  const argv = ['run', name];
  const folder = earlier ?? createRunFolder({ runsDir: temporaryFolder(), name: null }, { config, yaml, argv, now: 0 });
  const units = { ...resolveUnits(config), backend: openBackend(breaks), models: null } as OpenUnits;
  const onProgress = ({ event }: RunProgress): void => {
    if (event !== null && events !== undefined && event.seq + 1 >= events) throw new Error('killed');
  };
  const options = {
    folder,
    resume: earlier !== undefined,
    resumeCommand: () => 'r2po run x --resume',
    argv,
    onProgress,
  };
  const ending = executeRun(units, options).finally(() => units.backend.close());
  return { folder, units, ending };
}

const budget = (episodes: number) => `optimiser.episodes=${episodes}`;

describe('a run of an optimiser', () => {
  it('plays whole generations within its episodes, and asks no model', async () => {
    const { folder, ending } = await play('cartpole/cma-es', { overrides: [budget(200)] });
    const summary = await ending;
    // 10 candidates with 3 episodes each: a seventh generation would take the 200 episodes to 210.
    expect(summary).toMatchObject({
      ...{ status: 'finished', method: 'cma-es', model: 'none', model_kind: 'none', iterations: 6, episodes: 180 },
      llm: { calls: 0, cost_usd: 0 },
    });
    expect(summary.best?.rechecked?.episodes).toBe(20);
    const written = parse(readFileSync(join(folder, 'config.yaml'), 'utf8'));
    expect(
      Object.keys(written).filter((key) => ['llm', 'model', 'prompt', 'critic', 'search', 'warmup'].includes(key)),
    ).toEqual([]);
    expect(written.optimiser).toEqual({
      episodes: 200,
      grid: false,
      population: null,
      sigma: 2,
      start: 'centre',
      restarts: 'none',
    });
    const types = eventsOf(folder).map(({ type }) => type);
    expect(types.slice(0, 5)).toEqual(['run_started', 'generation', 'evaluated', 'iteration', 'generation']);
    expect(types.slice(-2)).toEqual(['rechecked', 'run_finished']);
    expect(readFileSync(join(folder, 'metrics.csv'), 'utf8').trim().split('\n')).toHaveLength(7);
    expect(readJson(folder, 'best.json')).toMatchObject({ kind: 'linear', params: summary.best?.params });
    expect(readdirSync(join(folder, 'trajectories')).length).toBeGreaterThan(0);
  });

  it('has the best candidate of the first generation as its first kept policy, played on common seeds', async () => {
    const { folder, ending } = await play('cartpole/cem', { overrides: [budget(60)] });
    await ending;
    const [, generation, evaluated] = eventsOf(folder);
    if (generation?.type !== 'generation' || evaluated?.type !== 'evaluated') throw new Error('other events');
    expect(evaluated.seed).toBe(generation.seed);
    expect(evaluated.candidate).toBe('proposal');
    expect(evaluated.summary.mean).toBe(Math.max(...generation.means));
    expect(generation.means).toHaveLength(20);
  });

  it.each(optimisers)('$id replays to the last bit, and resumes wherever it ended', async ({ id }) => {
    const overrides = [budget(150), ...(id === 'ars' ? ['optimiser.version=v2', 'optimiser.directions=4'] : [])];
    const whole = await play(`cartpole/${id}`, { overrides });
    const summary = await whole.ending;
    const expected = searchEvents(whole.folder);
    // Behind a generation, behind its best member, and behind an iteration.
    const ends = id === 'cma-es' || id === 'ars' ? [5, 6, 7] : [5];
    for (const events of ends) {
      const halted = await play(`cartpole/${id}`, { overrides, events });
      await expect(halted.ending).rejects.toThrow('killed');
      const rest = await play(`cartpole/${id}`, { overrides, folder: halted.folder });
      expect(timeless(await rest.ending)).toEqual(timeless(summary));
      expect(searchEvents(halted.folder)).toEqual(expected);
    }
    const backend = openCpuBackend({ threads: 1 });
    const report = await replayRun(await openRecordedRun(whole.folder), backend).finally(() => backend.close());
    expect(report).toMatchObject({ difference: null, complete: true, calls: 0, rechecked: true });
  });

  it('searches tables of actions with the optimisers that take them, and names them for the others', async () => {
    for (const id of ['random-search', 'hill-climbing', 'cem']) {
      const { ending } = await play(`maze/${id}`, { overrides: [budget(120)] });
      expect((await ending).best?.params).toHaveLength(9);
    }
    await expect(resolveConfig('frozenlake/cma-es')).rejects.toThrow('use one of random-search, hill-climbing, cem');
  });

  it('stops at a budget of episodes, and continues with a higher one', async () => {
    const overrides = [budget(120), 'budget.max_episodes=50'];
    const { folder, ending } = await play('cartpole/hill-climbing', { overrides });
    await expect(ending).rejects.toMatchObject({
      exitCode: 5,
      message: expect.stringContaining('the budget of 50 episodes is used up (60); allow more with --max-episodes'),
    });
    const more = await play('cartpole/hill-climbing', { overrides: [budget(120)], folder });
    expect(await more.ending).toMatchObject({ status: 'finished', episodes: 120 });
  });

  it.each(['random-search', 'cma-es', 'ars'])('of %s goes on with the others where candidates break', async (id) => {
    // In MountainCar most of the others tie.
    const overrides = [budget(120), ...(id === 'ars' ? ['optimiser.version=v2', 'optimiser.directions=4'] : [])];
    const breaks = (params: Float64Array) => params[0]! < 0;
    const { folder, ending } = await play(`mountaincar/${id}`, { overrides, breaks });
    expect((await ending).status).toBe('finished');
    const events = eventsOf(folder);
    const means = events.flatMap((event) => (event.type === 'generation' ? [event.means] : []));
    const kept = events.flatMap((event) => (event.type === 'iteration' ? [event.trial?.mean] : []));
    expect(means.flat().some(Number.isNaN)).toBe(true);
    expect(kept).toEqual(means.map((all) => Math.max(...all.filter(Number.isFinite))));
  });

  it('learns nothing from a generation of which every candidate breaks, and goes on', async () => {
    const first = new Set<string>();
    const breaks = (params: Float64Array) => first.size < 10 || first.has(`${params}`);
    const told = (params: Float64Array) => {
      const isFirst = breaks(params);
      if (isFirst) first.add(`${params}`);
      return isFirst;
    };
    const overrides = [budget(120)];
    const { folder, ending } = await play('cartpole/cma-es', { overrides, breaks: told });
    expect(await ending).toMatchObject({ status: 'finished', iterations: 4, episodes: 120, best: { iteration: 4 } });
    const events = searchEvents(folder);
    expect(events.slice(0, 2)).toMatchObject([
      { type: 'generation', means: Array(10).fill(Number.NaN), steps: 0 },
      { type: 'iteration', kept: null, candidates: [], trial: null, why: expect.stringContaining('none of 10 cand') },
    ]);
    expect(eventsOf(folder).filter(({ type }) => type === 'evaluated')).toHaveLength(3);
  });

  it('is not said to go on where every candidate breaks', async () => {
    const { ending } = await play('cartpole/cma-es', { overrides: [budget(60)], breaks: () => true });
    await expect(ending).rejects.toThrow(
      /in one of 2 iterations, got none; each has a return .*; start a new run, with parameters.low and parameters.high closer to 0$/,
    );
  });

  it('gives its best policy to other commands', async () => {
    const { folder, units, ending } = await play('cartpole/random-search', { overrides: [budget(60)] });
    const { best } = await ending;
    expect(existsSync(join(folder, 'best.json'))).toBe(true);
    expect([...(await loadPolicy(folder, units.env)).params]).toEqual(best?.params);
  });
});

describe('the configuration of an optimiser', () => {
  it('takes from an environment only what a run without a model reads', async () => {
    const { config } = await resolveConfig('swimmer/ars');
    expect(Object.keys(config)).toEqual([
      ...[
        'env',
        'env_options',
        'method',
        'seed',
        'policy',
        'parameters',
        'optimiser',
        'evaluation',
        'recheck',
        'budget',
      ],
    ]);
    expect(Object.keys(config.parameters)).toEqual(['low', 'high', 'decimals']);
  });

  it.each([
    [
      ['llm.temperature=0.5'],
      'override 1 (llm.temperature=0.5): expected no "llm" (model calls), which has no effect here',
    ],
    [['optimiser.directions=3'], 'expected no "optimiser.directions"'],
    [['optimiser.populaton=30'], 'did you mean "optimiser.population"'],
    [['optimiser.population=1'], 'a whole number in 2 ...'],
    [['optimiser.episodes=39'], 'at least 40, one generation of 10 candidates with 4 episodes each, got 39'],
    [['policy.kind=tabular'], 'tabular policy cannot act'],
    [['parameters.low=0.01', 'parameters.high=0.09', 'optimiser.grid=true'], 'at least two values'],
    [['iterations=5'], 'expected no "iterations"'],
  ])('refuses %j', async (overrides, message) => {
    await expect(resolveConfig('cartpole/cma-es', overrides)).rejects.toThrow(message);
  });

  it('refuses a filter of the observations without biases, and the settings of an optimiser with a model', async () => {
    const overrides = ['optimiser.version=v2', 'policy.options.bias=false'];
    await expect(resolveConfig('cartpole/ars', overrides)).rejects.toThrow('set policy.options.bias=true');
    await expect(resolveConfig('cartpole/r2po', ['optimiser.episodes=5'])).rejects.toThrow('expected no "optimiser"');
  });
});
