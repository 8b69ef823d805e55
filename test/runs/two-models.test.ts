/** A run whose search and critic calls are answered by different models, or by one that stands in. */
import { describe, expect, it } from 'vitest';
import { exitCodes, ModelError } from '../../src/base/errors.ts';
import type { ChatModel } from '../../src/llm/chat.ts';
import { ModelChain } from '../../src/llm/fallback.ts';
import { runRows } from '../../src/report/tables/run-table.ts';
import { verifyRun } from '../../src/runs/verify/verify.ts';
import {
  answerOf,
  eventsOf,
  execute,
  linesOf,
  prepareRun,
  readJson,
  scriptedModel,
  smallRun,
} from '../support/experiment.ts';
import { runCommand } from '../support/in-process.ts';

const answer = (_: unknown, call: number) => answerOf([call / 10, 1, 2, 3, 4, 5, 6, 0, -1, -2]);
const named = (id: string, usage: object) => ({ ...scriptedModel(answer, { answeredBy: id, usage }), id });
const cheap = () => named('openai/cheap', { promptTokens: 900, completionTokens: 20, cachedTokens: 700 });
const strong = () => named('openai/strong', { promptTokens: 500, completionTokens: 80, reasoningTokens: 60 });
const overrides = ['iterations=2', 'llm.critic.temperature=0.7', 'search.duplicates=allow'];

describe('two models', () => {
  it('are asked each with its own settings, recorded, counted apart, and needed again by a resume', async () => {
    const [search, critic] = [cheap(), strong()];
    const models = { search: new ModelChain(search), critic: new ModelChain(critic) };
    const { folder, summary } = await smallRun({ models, overrides });
    expect(summary).toMatchObject({
      model: 'openai/cheap',
      model_kind: 'model',
      models: { search: 'openai/cheap', critic: 'openai/strong' },
      llm: { calls: 4, prompt_tokens: 2800, cached_tokens: 1400, reasoning_tokens: 120, cost_usd: null },
    });
    expect(summary.llm.by_model).toMatchObject({ 'openai/cheap': { calls: 2 }, 'openai/strong': { calls: 2 } });
    const asked = eventsOf(folder).flatMap((event) =>
      event.type === 'llm_call' ? [[event.purpose, event.request.temperature]] : [],
    );
    expect(asked).toEqual([
      ['search', 0],
      ['critic', 0.7],
      ['search', 0],
      ['critic', 0.7],
    ]);
    const rows = runRows(summary);
    expect(rows).toContainEqual(['tokens', '2800 in (1400 from a cache), 200 out (120 of reasoning)']);
    expect(rows).toContainEqual(['model of the critic', 'openai/strong']);
    await expect(smallRun({ model: search, overrides, folder })).rejects.toThrow(
      'expected the model of the critic of the earlier part, "openai/strong", got "openai/cheap"',
    );
  });

  it('names the fallback that answered', async () => {
    const down = scriptedModel(() => {
      throw new ModelError('model openai/scripted', 'down');
    });
    const chain = new ModelChain(down, [cheap()]);
    const { summary, folder } = await smallRun({ models: { search: chain, critic: chain }, overrides });
    expect(summary.models.search).toBe('openai/scripted');
    expect(Object.keys(summary.llm.by_model)).toEqual(['openai/cheap']);
    expect(runRows(summary)).toContainEqual(['answered by openai/cheap', expect.stringMatching(/^4 calls, /)]);
    const { stdout } = await runCommand('report', folder);
    expect(stdout.match(/openai\/scripted\*/g)).toHaveLength(2);
    expect(stdout).toContain('* openai/scripted: all calls were answered by openai/cheap.');
  });
});

describe('a model that refuses', () => {
  it('is counted with what it used, and answers nothing', async () => {
    const usage = { promptTokens: 60, completionTokens: 3, cachedTokens: null, cacheWriteTokens: null };
    const refusing: ChatModel = {
      ...scriptedModel(() => ''),
      complete: async (_request, options) => {
        const billed = { ...usage, reasoningTokens: null, estimated: false };
        options?.onFailure?.({ model: 'openai/scripted', usage: billed });
        throw new ModelError('model openai/scripted', 'a refusal');
      },
    };
    const chain = new ModelChain(refusing, [cheap()]);
    const { summary, folder } = await smallRun({ models: { search: chain, critic: chain }, overrides });
    // After its first call it is passed over.
    expect(summary.llm).toMatchObject({ calls: 4, failed_calls: 1, prompt_tokens: 3660, completion_tokens: 83 });
    expect(summary.llm.by_model).toMatchObject({
      'openai/scripted': { calls: 0, prompt_tokens: 60, completion_tokens: 3 },
      'openai/cheap': { calls: 4, prompt_tokens: 3600 },
    });
    const calls = eventsOf(folder).filter((event) => event.type === 'llm_call');
    expect(calls.map(({ failed_usage: used }) => used?.map(({ model }) => model))).toEqual([
      ['openai/scripted'],
      ...Array(3).fill(undefined),
    ]);
    const { stdout } = await runCommand('report', folder);
    expect(stdout).toContain('* openai/scripted: all calls were answered by openai/cheap.');
  });
});

describe('replies that cannot be used', () => {
  it('stop a run that gets nothing else, resumable, and no call counts as failed', async () => {
    let useful = false;
    const model = scriptedModel((request, call) => (useful ? answer(request, call) : 'I cannot.'));
    const limit = [...overrides, 'llm.max_unusable_in_a_row=3'];
    const { failure, folder } = await failingRun(model, limit);
    expect(failure).toMatchObject({ exitCode: exitCodes.model });
    expect(failure.message).toMatch(
      /got 3 unusable ones in a row; the first one: .*it was "I cannot\."; .*resume with:/,
    );
    useful = true;
    const { summary } = await smallRun({ model, overrides: limit, folder });
    expect(summary).toMatchObject({ status: 'finished', llm: { unusable_replies: 3, failed_calls: 0 } });
  });

  it('in every iteration end a run that has as many iterations again when it is resumed', async () => {
    let useful = false;
    const model = scriptedModel((request, call) => (useful ? answer(request, call) : 'I cannot.'));
    const few = [...overrides, 'iterations=2', 'llm.max_unusable_in_a_row=null', 'search.repair_turns=0'];
    const { failure, folder } = await failingRun(model, few);
    expect(failure).toMatchObject({ exitCode: exitCodes.model });
    expect(failure.message).toMatch(/in one of 2 iterations, got none; .* as many iterations again; resume with:/);
    expect(linesOf(folder).at(-1)).toMatchObject({ type: 'run_stopped', exit_code: exitCodes.model });
    // Nothing usable again: as many once more.
    await expect(smallRun({ model, overrides: few, folder })).rejects.toThrow('in one of 4 iterations');
    useful = true;
    const { summary } = await smallRun({ model, overrides: few, folder });
    expect(summary).toMatchObject({ status: 'finished', iterations: 6, llm: { unusable_replies: 4 } });
    const lengths = linesOf(folder).flatMap(({ type, limits, from_iteration }) =>
      type === 'control' ? [[limits, from_iteration]] : [],
    );
    expect(lengths).toEqual([
      [{ iterations: 4 }, 3],
      [{ iterations: 6 }, 5],
    ]);
    expect(readJson(folder, 'run.json')).toMatchObject({ iterations: 6 });
    const { difference } = await verifyRun(folder, { open: async () => ({ reason: 'not asked' }) });
    expect(difference).toBeNull();
  });
});

async function failingRun(model: ReturnType<typeof scriptedModel>, withLimit: readonly string[]) {
  const options = await prepareRun({ model, overrides: withLimit });
  try {
    await execute(options);
  } catch (error) {
    return { failure: error as ModelError, folder: options.folder };
  } finally {
    await options.backend.close();
  }
  throw new Error('expected a failure');
}
