/** Methods with an optimiser beside the model: who proposes what, what is recorded, and that any end can be resumed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { proposedPlaces } from '../../src/config/optimisation.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import type { LlmConfig } from '../../src/config/schema.ts';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { openRecordedRun, replayRun } from '../../src/runs/replay.ts';
import { resolveUnits } from '../../src/runs/resolve-units.ts';
import type { RunProgress } from '../../src/runs/session/progress.ts';
import {
  answerOf,
  eventsOf,
  execute,
  prepareRun,
  type SmallRun,
  scriptedModel,
  searchEvents,
  smallRun,
  timeless,
} from '../support/experiment.ts';

const short = ['iterations=3', 'warmup.policies=2', 'evaluation.episodes=3', 'recheck.episodes=20'];
const small: Record<string, readonly string[]> = {
  centaur: [...short, 'optimiser.population=7'],
  tuned: [...short, 'optimiser.episodes=20', 'optimiser.population=3'],
  'es-critic': [...short, 'optimiser.population=4'],
};
const runOf = (method: string, more: SmallRun = {}): SmallRun => ({
  ...more,
  config: `cartpole/${method}`,
  settings: small[method]!,
});

/** Ends as a killed process does, behind so many events. */
async function killedAfter(events: number, run: SmallRun): Promise<string> {
  const onProgress = ({ event }: RunProgress): void => {
    if (event !== null && event.seq + 1 >= events) throw new Error('killed');
  };
  const options = await prepareRun({ ...run, options: { onProgress } });
  await expect(execute(options).finally(() => options.backend.close())).rejects.toThrow('killed');
  return options.folder;
}

describe.each(['centaur', 'tuned', 'es-critic'])('%s', (method) => {
  it('ends the same wherever it was broken off, replays to the last bit', async () => {
    const whole = await smallRun(runOf(method));
    expect(whole.summary).toMatchObject({ status: 'finished', method, model_kind: 'offline', iterations: 3 });
    const types = eventsOf(whole.folder).map(({ type }) => type);
    const second = types.indexOf('iteration') + 1;
    const third = types.indexOf('iteration', second) + 1;
    for (let events = second + 1; events <= third; events++) {
      const folder = await killedAfter(events, runOf(method));
      const rest = await smallRun(runOf(method, { folder }));
      expect(timeless(rest.summary), `after ${types[events - 1]}`).toEqual(timeless(whole.summary));
      expect(searchEvents(folder)).toEqual(searchEvents(whole.folder));
    }
    const backend = openCpuBackend({ threads: 1 });
    try {
      const report = await replayRun(await openRecordedRun(whole.folder), backend);
      expect(report).toMatchObject({ difference: null, complete: true, iterations: 3, rechecked: true });
    } finally {
      await backend.close();
    }
  });
});

/** Parameters of CartPole that no optimiser draws. */
const asked = (first: number) => Array.from({ length: 10 }, (_, i) => (i === 0 ? first : 0.1 * i));

describe('centaur', () => {
  it('plays the share of the model in the generation of CMA-ES, and shows it the state and its results', async () => {
    const sets = [1, 2].map((set) => asked(set / 2));
    const model = scriptedModel((_request, call) =>
      sets.map((params) => answerOf(params.map((value) => value + call)).split('\n')[0]).join('\n'),
    );
    const { folder, summary } = await smallRun(runOf('centaur', { model }));
    const generations = eventsOf(folder).filter((event) => event.type === 'generation');
    // 30 % of 7 candidates.
    expect(generations.map(({ means }) => means.length)).toEqual([7, 7, 7]);
    expect(generations.map(({ proposed }) => proposed?.length)).toEqual([2, 2, 2]);
    expect(generations[0]!.proposed![1]!.params).toEqual(asked(1).map((value) => Number(value.toFixed(1))));
    expect(summary.episodes).toBe(2 + 3 * 7 * 3);
    const prompts = eventsOf(folder).flatMap((event) =>
      event.type === 'llm_call' ? [event.request.messages[0]!.content!] : [],
    );
    expect(prompts[0]).toContain('## State of CMA-ES\n- mean: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]\n- step size: 2\n');
    expect(prompts[0]).toContain('CMA-ES draws 5 candidates, and you propose 2.');
    expect(prompts[1]).toContain('- axis 3: standard deviation ');
    expect(prompts[1]).not.toContain('- step size: 2\n');
    const { means } = generations[0]!;
    expect(prompts[1]).toContain(`mean_reward = ${Number(means[5]!.toPrecision(6))}\n`);
    expect(prompts[1]).toMatch(/## Best trials, the best first\ntrial 3: params = /);
  });

  it('asks for 64 sets at most', async () => {
    const { config } = await resolveConfig('cartpole/centaur');
    expect([10, 4, 300].map((population) => proposedPlaces(config as LlmConfig, population))).toEqual([3, 1, 64]);
  });

  it('goes on with CMA-ES alone where the model gives no usable reply', async () => {
    const model = scriptedModel(() => 'no parameters');
    const { folder, summary } = await smallRun(
      runOf('centaur', { model, overrides: ['search.repair_turns=0', 'iterations=2'] }),
    );
    expect(summary).toMatchObject({ status: 'finished', iterations: 2, llm: { unusable_replies: 2 } });
    const iteration = eventsOf(folder).find((event) => event.type === 'iteration');
    expect(iteration?.why).toMatch(/^the search replies could not be used; the proposal \(mean .*, the best of 7\)/);
    // Too many in a row stop the run, although populations are played.
    const stopped = smallRun(runOf('centaur', { model, overrides: ['llm.max_unusable_in_a_row=3'] }));
    await expect(stopped).rejects.toMatchObject({ exitCode: 4 });
  });
});

describe('tuned', () => {
  it('compares each proposal with its refinement on common seeds, and tells the model what came of it', async () => {
    const { folder, summary } = await smallRun(runOf('tuned'));
    const events = eventsOf(folder);
    const refined = events.filter((event) => event.type === 'refined');
    expect(refined).toHaveLength(3);
    for (const { episodes, means } of refined) {
      // Generations of 3 candidates with 2 episodes; a fourth would take 24 episodes.
      expect(episodes).toBe(18);
      expect(means).toHaveLength(3);
    }
    const evaluated = events.filter((event) => event.type === 'evaluated' && event.iteration === 1);
    expect(evaluated).toMatchObject([{ candidate: 'proposal' }, { candidate: 'refinement' }]);
    expect(new Set(evaluated.map((event) => 'seed' in event && event.seed)).size).toBe(1);
    expect(refined.map(({ seed }) => seed)).not.toContain((evaluated[0] as { seed: number }).seed);
    const plays = events.filter(({ type }) => type === 'evaluated').length;
    expect(summary.episodes).toBe(2 + 3 * 18 + 3 * plays);
    const prompts = events.flatMap((event) => (event.type === 'llm_call' ? [event.request.messages[0]!.content!] : []));
    expect(prompts[0]).not.toContain('## What became of your latest proposals');
    expect(prompts[1]).toMatch(
      /## What became of your latest proposals\ntrial 3: you proposed \[.*\] with mean_reward /,
    );
  });

  it('refines tables of actions', async () => {
    const { summary } = await smallRun({
      config: 'maze/tuned',
      settings: [...short, 'optimiser.episodes=12', 'optimiser.population=3'],
    });
    expect(summary).toMatchObject({ status: 'finished', method: 'tuned' });
  });
});

describe('es-critic', () => {
  it('lets the critic revise the best of each generation, and gives a kept revision to the next one', async () => {
    // It balances for some time.
    const model = scriptedModel((_request, call) => answerOf([call / 10, 0, 0, 0, -2, 2, -2, 2, 0, 0]));
    const { folder, summary } = await smallRun(
      runOf('es-critic', { model, overrides: ['optimiser.sigma=0.01', 'iterations=4'] }),
    );
    expect(summary.llm.calls).toBe(4);
    expect(summary.episodes).toBe(2 + 4 * (4 * 3 + 3));
    const events = eventsOf(folder);
    const iterations = events.filter((event) => event.type === 'iteration');
    expect(iterations.map(({ candidates }) => candidates.map(({ label }) => label))).toEqual(
      Array(4).fill(['proposal', 'revision']),
    );
    const generations = events.filter((event) => event.type === 'generation');
    const keptRevision = iterations.findIndex(({ kept }) => kept === 'revision');
    expect([0, 1, 2]).toContain(keptRevision);
    const { params } = iterations[keptRevision]!.trial!;
    const { seed, means } = generations[keptRevision + 1]!;
    const backend = openCpuBackend({ threads: 1 });
    const { env, policy } = resolveUnits((await resolveConfig('cartpole/es-critic')).config);
    const candidates = [Float64Array.from(params)];
    const again = await evaluate({ backend, env, policy, candidates, episodes: 3, seed });
    await backend.close();
    expect(means.at(-1)).toBe(again.means[0]);
    expect(generations[0]!.proposed).toBeUndefined();
  });
});

describe('the configuration of such a method', () => {
  it('has the sections of a model and of an optimiser, and only settings with an effect', async () => {
    const { folder } = await smallRun(runOf('tuned', { overrides: ['iterations=1'] }));
    const written = parse(readFileSync(join(folder, 'config.yaml'), 'utf8'));
    expect(written.optimiser).toEqual({
      ...{ grid: true, episodes: 20, candidate_episodes: 2, population: 3, sigma: 0.5 },
      ...{ adapt_sigma: true, target_success: 0.2, mutation_rate: null },
    });
    expect(written.llm).toBeDefined();
    await expect(resolveConfig('cartpole/tuned', ['optimiser.start=random'])).rejects.toThrow('"optimiser.start"');
    await expect(resolveConfig('maze/tuned', ['optimiser.sigma=1'])).rejects.toThrow('which has no effect here');
    await expect(resolveConfig('cartpole/centaur', ['search.proposals=4'])).rejects.toThrow('optimiser.share');
    await expect(resolveConfig('cartpole/es-critic', ['search.proposals=4'])).rejects.toThrow('makes no search calls');
    await expect(resolveConfig('cartpole/r2po', ['optimiser.share=0.5'])).rejects.toThrow('has no effect here');
  });

  it('refuses what cannot be searched, and says who can', async () => {
    for (const method of ['centaur', 'es-critic']) {
      await expect(resolveConfig(`frozenlake/${method}`)).rejects.toThrow(
        `expected a policy with numeric parameters for ${method}, got a table of actions; use one of random-search, hill-climbing, cem, tuned`,
      );
    }
    await expect(resolveConfig('cartpole/tuned', ['optimiser.episodes=11'])).rejects.toThrow(
      'expected "optimiser.episodes" of at least 12, one generation of 6 candidates with 2 episodes each, got 11; raise it, ' +
        'or lower the population or optimiser.candidate_episodes',
    );
    for (const bad of ['optimiser.population=1', 'optimiser.share=0', 'optimiser.share=1', 'optimiser.share=x']) {
      await expect(resolveConfig('cartpole/centaur', [bad])).rejects.toMatchObject({ exitCode: 2 });
    }
  });
});
