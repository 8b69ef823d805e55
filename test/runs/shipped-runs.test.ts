/** Every shipped configuration runs to its end with the offline model, and its record replays to the last bit. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InterruptedError } from '../../src/base/errors.ts';
import { shippedConfigs } from '../../src/config/shipped.ts';
import type { ChatModel } from '../../src/llm/chat.ts';
import { offline } from '../../src/llm/offline/index.ts';
import { findLlmMethod, llmMethods } from '../../src/methods/index.ts';
import { optimisers } from '../../src/optimisers/index.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import { openRecordedRun, replayRun } from '../../src/runs/replay.ts';
import { eventsOf, execute, prepareRun, searchEvents, smallRun, timeless } from '../support/experiment.ts';

let runsDir: string;
beforeAll(() => {
  runsDir = mkdtempSync(join(tmpdir(), 'r2po-shipped-'));
});
afterAll(() => rmSync(runsDir, { recursive: true }));

const backend = openCpuBackend({ threads: 1 });
afterAll(() => backend.close());

/** Short: two iterations after two warm-ups. */
const short = ['iterations=2', 'warmup.policies=2', 'evaluation.episodes=3', 'recheck.episodes=5'];

const asking = shippedConfigs().filter((name) => !optimisers.some(({ id }) => name.endsWith(`/${id}`)));

describe.each(asking)('%s', (config) => {
  it('runs with the offline model', async () => {
    const { folder, summary } = await smallRun({ config, overrides: short, runsDir });
    expect(summary).toMatchObject({ status: 'finished', model_kind: 'offline', iterations: 2 });
    expect(summary.llm.unusable_replies).toBe(0);
    expect(summary.best?.rechecked?.episodes).toBe(5);
    const { stages } = findLlmMethod(summary.method);
    const calls = stages.filter((stage) => stage === 'search' || stage === 'critic').length;
    expect(eventsOf(folder).filter(({ type }) => type === 'llm_call')).toHaveLength(2 * calls);
  });
});

/** With every option that adds evidence or decides otherwise. */
const options = ['selection=paired', 'critic.sensitivity_episodes=3', 'search.duplicates=repair'];
const replayed = llmMethods.flatMap(({ id }) => [
  { config: `cartpole/${id}`, extra: [] },
  { config: `frozenlake/${id}`, extra: [] },
  { config: `mountaincar-continuous/${id}`, extra: options },
]);

describe.each(replayed)('$config $extra', ({ config, extra }) => {
  it('replays exactly, and ends the same after an interruption', async () => {
    const overrides = [...short, 'iterations=3', ...extra];
    const whole = await smallRun({ config, overrides, runsDir });
    const report = await replayRun(await openRecordedRun(whole.folder), backend);
    expect(report).toMatchObject({ iterations: 3, rewordedPrompts: 0, complete: true, difference: null });

    // Broken off before its second call, resumed, broken off after one more, and so on to the end.
    const calls = eventsOf(whole.folder).filter(({ type }) => type === 'llm_call').length;
    let folder: string | undefined;
    for (let session = 1; session <= calls; session++) {
      let asked = 0;
      const model: ChatModel = {
        ...offline,
        complete: (request, options) =>
          ++asked > 1 ? Promise.reject(new InterruptedError('run', 'stopped')) : offline.complete(request, options),
      };
      const options = await prepareRun({
        config,
        overrides,
        runsDir,
        model,
        ...(folder !== undefined && { folder }),
      });
      folder = options.folder;
      const run = execute(options).finally(() => options.backend.close());
      if (session < calls) await expect(run).rejects.toThrow('stopped');
      else expect(timeless(await run)).toEqual(timeless(whole.summary));
    }
    expect(searchEvents(folder ?? '')).toEqual(searchEvents(whole.folder));
  });
});
