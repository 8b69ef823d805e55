/** A numeric optimiser as a driver: it uses the step log, the player, the re-check, the budget and the saving as they are. */
import { describe, expect, it } from 'vitest';
import type { Driver } from '../../src/runs/drivers/driver.ts';
import { Player, playedEpisode } from '../../src/runs/drivers/player.ts';
import { betterKept, type KeptTrial, recheck } from '../../src/runs/drivers/recheck.ts';
import { recordedStep } from '../../src/runs/journal/steps.ts';
import { deriveGenerator, deriveSeed } from '../../src/runs/seeds.ts';
import { eventsOf, execute, prepareRun, scriptedModel, searchEvents, timeless } from '../support/experiment.ts';
import { llmConfig } from '../support/llm-config.ts';

/** Random search: each iteration plays a random policy and keeps it. */
function randomSearch(stopAt = Number.POSITIVE_INFINITY): Driver {
  return {
    promptVersion: null,
    saveIntervalSeconds: 0,
    async run({ units, steps, signal, checkBudget, onIteration }) {
      const { config, settings, policy } = units;
      const player = new Player({ ...units, ...settings, keepOutcomes: false, signal });
      let best: KeptTrial | null = null;
      for (let iteration = 1; iteration <= llmConfig(config).iterations; iteration++) {
        const params = [...policy.sample(deriveGenerator(config.seed, 'warmupParameters', iteration), 2)];
        const seed = deriveSeed(config.seed, 'evaluation', iteration);
        const known = { iteration, candidate: 'sample', params, seed };
        const played = await recordedStep(steps, 'evaluated', known, async () => {
          checkBudget();
          if (iteration === stopAt) throw new Error('killed');
          const { summaries } = await player.play(params, 7, seed);
          return { type: 'evaluated', ...known, adjustments: [], summary: summaries[0]!, paired: null };
        });
        const { mean } = played.summary;
        const outcome = {
          ...{ iteration, kept: 'sample', why: 'every sample is kept' },
          candidates: [{ label: 'sample', params, mean }],
          trial: { kind: 'iteration', params, mean },
        } as const;
        const event = await recordedStep(steps, 'iteration', outcome, async () => ({ type: 'iteration', ...outcome }));
        best = betterKept(best, event);
        await onIteration(event, () =>
          player.replay(params, playedEpisode({ params, episodes: 7, seed, summary: played.summary }, 'median')),
        );
      }
      await recheck(best, { steps, player, seed: config.seed, episodes: config.recheck.episodes });
    },
    iterations: ({ config }) => llmConfig(config).iterations,
    plannedEpisodes: ({ config }) => 7 * llmConfig(config).iterations,
    goesOn: () => true,
    openModels: () => Promise.reject(new Error('asks no model')),
    estimate: () => Promise.reject(new Error('not asked for')),
  };
}

const run = async (driver: Driver, folder?: string, overrides: readonly string[] = []) => {
  const model = scriptedModel(() => 'never asked');
  const prepared = await prepareRun({ model, overrides, ...(folder !== undefined && { folder }), options: { driver } });
  return { folder: prepared.folder, model, ending: execute(prepared).finally(() => prepared.backend.close()) };
};

describe('a driver that asks no model', () => {
  it('runs to its end, with all files and a re-check', async () => {
    const { folder, model, ending } = await run(randomSearch());
    const summary = await ending;
    expect(summary).toMatchObject({ status: 'finished', iterations: 6, llm: { calls: 0 } });
    expect(summary.best?.rechecked?.episodes).toBe(50);
    expect(model.requests).toEqual([]);
    const [started] = eventsOf(folder);
    expect(started).not.toHaveProperty('prompts');
  });

  it('ends the same when it is interrupted and resumed', async () => {
    const whole = await run(randomSearch());
    const first = await run(randomSearch(4));
    await expect(first.ending).rejects.toThrow('killed');
    const rest = await run(randomSearch(), first.folder);
    expect(timeless(await rest.ending)).toEqual(timeless(await whole.ending));
    expect(searchEvents(first.folder)).toEqual(searchEvents(whole.folder));
  });

  it('stops at a budget of time, resumable', async () => {
    const { ending } = await run(randomSearch(), undefined, ['budget.max_time_s=0.000001']);
    await expect(ending).rejects.toMatchObject({ exitCode: 5, message: expect.stringContaining('resume with:') });
  });
});
