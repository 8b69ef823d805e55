/** What a run will take, before it takes it, and what it costs by the prices of its configuration. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { estimateTokens } from '../../src/base/tokens.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import type { ChatModel } from '../../src/llm/chat.ts';
import { ModelChain } from '../../src/llm/fallback.ts';
import { llmMethods } from '../../src/methods/index.ts';
import { runRows } from '../../src/report/tables/run-table.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import type { CostEstimate } from '../../src/runs/drivers/driver.ts';
import { countsOf, outgrown } from '../../src/runs/models/context.ts';
import { costOf } from '../../src/runs/models/cost.ts';
import { resolveUnits } from '../../src/runs/resolve-units.ts';
import { runCli } from '../support/cli.ts';
import { answerOf, scriptedModel, smallRun, temporaryFolder } from '../support/experiment.ts';
import { runCommand, runHere } from '../support/in-process.ts';
import { llmConfig } from '../support/llm-config.ts';

const backend = openCpuBackend({ threads: 1 });
afterAll(() => backend.close());

const price = 'prices.offline={prompt_per_million: 2.5, completion_per_million: 10, date: 2026-11-20}';

async function estimateOf(config: string, overrides: readonly string[] = []) {
  const units = resolveUnits((await resolveConfig(config, overrides)).config);
  return units.driver.estimate(units, backend);
}

describe('the estimate', () => {
  it.each(llmMethods)('of $id counts the calls and episodes of its stages', async ({ id, stages, candidates }) => {
    const config = llmConfig((await resolveConfig(`cartpole/${id}`, [])).config);
    const calls = config.iterations * (stages.length - candidates.length);
    const episodes = 20 + config.iterations * candidates.length * 20;
    const estimate = await estimateOf(`cartpole/${id}`);
    expect(estimate).toMatchObject({ calls, episodes, recheck_episodes: 10_000, cost_usd: 0 });
    expect(calls).toBeGreaterThan(190);
    expect(calls).toBeLessThanOrEqual(200);
    expect(estimate.prompt_tokens).toBeGreaterThan(100_000);
    expect(estimate.completion_tokens).toBeGreaterThan(5_000);
  });

  it.each([
    // Warm-up, then a generation of 10 candidates; a proposal, its refinement and 60 episodes for it; a generation and a revision.
    { id: 'centaur', calls: 40, episodes: 20 + 40 * 200 },
    { id: 'tuned', calls: 80, episodes: 20 + 80 * (20 + 60 + 20) },
    { id: 'es-critic', calls: 36, episodes: 20 + 36 * 220 },
  ])('of $id counts the episodes of its optimiser', async ({ id, calls, episodes }) => {
    expect(await estimateOf(`cartpole/${id}`)).toMatchObject({ calls, episodes });
  });

  it('is close to the actual cost of the run', async () => {
    const overrides = ['iterations=12', 'warmup.policies=6', 'recheck.episodes=5', 'evaluation.backend=cpu'];
    for (const config of ['cartpole/reptraj', 'frozenlake/props-plus']) {
      const estimate = await estimateOf(config, overrides);
      const { summary } = await smallRun({ config, overrides: [...overrides, 'evaluation.episodes=20'] });
      expect(estimate.calls).toBe(summary.llm.calls);
      expect(estimate.episodes).toBe(summary.episodes);
      expect(estimate.prompt_tokens / summary.llm.prompt_tokens).toBeGreaterThan(0.5);
      expect(estimate.prompt_tokens / summary.llm.prompt_tokens).toBeLessThan(2);
    }
  });

  it('counts the episodes of the sensitivity', async () => {
    const { episodes } = await estimateOf('cartpole/r2po', ['critic.sensitivity_episodes=7', 'iterations=3']);
    const evaluations = 20 + 3 * 40;
    // Each of ten parameters a step down and up, where the range allows it, and the proposal itself.
    expect(episodes).toBeGreaterThan(evaluations + 3 * 7 * 11);
    expect(episodes).toBeLessThanOrEqual(evaluations + 3 * 7 * 21);
  });

  it('counts the tokens of a purpose as its model does', async () => {
    const units = resolveUnits((await resolveConfig('cartpole/r2po', ['iterations=3'])).config);
    const plain = await estimateOf('cartpole/r2po', ['iterations=3']);
    const counted = await units.driver.estimate(units, backend, { critic: (text) => 7 * estimateTokens(text) });
    const { search, critic } = plain.longest_call_tokens;
    expect(counted.longest_call_tokens).toEqual({ search, critic: 7 * critic! });
    expect(counted.prompt_tokens).toBeGreaterThan(3 * plain.prompt_tokens);
  });

  it('expects the longest call to show the longest episodes', async () => {
    const longest = async (steps: number) => {
      const overrides = ['iterations=3', 'critic.trajectory_tokens=null', `evaluation.max_steps=${steps}`];
      return (await estimateOf('cartpole/r2po', overrides)).longest_call_tokens;
    };
    const [short, long] = [await longest(300), await longest(400)];
    expect(long.search).toBe(short.search);
    // At least 20 tokens a step.
    expect(long.critic! - short.critic!).toBeGreaterThan(2000);
  });

  it('warns of prompts that a context does not take, with what can still be done', () => {
    const estimate = { longest_call_tokens: { search: 500, critic: 9000 } } as CostEstimate;
    const model = (more: Partial<ChatModel>) => ({ ...scriptedModel(() => ''), ...more });
    const warning = (chain: ModelChain, begun: boolean) =>
      outgrown(
        (['search', 'critic'] as const).map((purpose) => ({ purpose, model: 'm', tokens: 8192, chain })),
        estimate,
        begun,
      );
    const many = 'the last critic prompts will have up to about 9000 tokens with their replies, and m takes 8192; ';
    const lower = ', or lower critic.trajectory_tokens or iterations';
    const [larger, full] = [model({ maxContextTokens: 9000 }), model({ maxContextTokens: 8999 })];
    expect(warning(new ModelChain(larger), false)).toEqual([
      `${many}give it ctx=9000 or more (at most 9000) behind its name${lower}`,
    ]);
    expect(warning(new ModelChain(full), false)).toEqual([
      `${many}use a model with a larger context (a local server: llm.num_ctx)${lower}`,
    ]);
    expect(warning(new ModelChain(larger), true)).toEqual([
      `${many}name a model with a larger context in llm.fallback, to answer those that do not fit`,
    ]);
    for (const begun of [true, false]) {
      expect(warning(new ModelChain(full, [larger]), begun)).toEqual([
        `${many}llm.fallback answers those that do not fit`,
      ]);
    }
    const counts = countsOf([
      { purpose: 'search', model: 'm', tokens: 8192, chain: new ModelChain(full) },
      { purpose: 'critic', model: 'm', tokens: 8192, chain: new ModelChain(model({ countTokens: () => 11 })) },
    ]);
    expect(Object.keys(counts)).toEqual(['critic']);
    expect(counts.critic?.('a')).toBe(11);
  });

  it('names the cost where there is a price', async () => {
    const estimate = await estimateOf('cartpole/props', [price]);
    const { prompt_tokens: prompt, completion_tokens: completion } = estimate;
    expect(estimate.cost_usd).toBeCloseTo((2.5 * prompt + 10 * completion) / 1e6, 12);
    expect(estimate.price_date).toBe('2026-11-20');
    expect(
      costOf(null, { promptTokens: 5, completionTokens: 5, cachedTokens: null, cacheWriteTokens: null }),
    ).toBeNull();
  });
});

describe('r2po run', () => {
  it('--dry-run refuses a model that cannot be, and needs no key of one that can', async () => {
    const asked = (...args: string[]) => runCommand('run', ...args, '--dry-run');
    const none = await asked('cartpole/r2po', '--model', 'nope');
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('unknown model "nope"')]);
    expect((await runCommand('doctor', '--model', 'nope')).code).toBe(2);
    const optimiser = await asked('cartpole/cma-es');
    expect([optimiser.code, optimiser.stdout]).toEqual([0, expect.stringMatching(/^model calls\s+none$/m)]);
    expect(optimiser.stdout).not.toContain('tokens');
  });

  it('--dry-run refuses what a run refuses', async () => {
    const asked = (...more: string[]) => runCommand('run', 'cartpole/r2po', ...more, '--dry-run');
    const local = await asked('--model', 'http://127.0.0.1:9/v1#m', 'llm.num_ctx=4096');
    expect([local.code, local.stderr]).toEqual([2, expect.stringContaining('expected no llm.num_ctx')]);
    const stopped = await runCommand(
      ...['run', 'cartpole/r2po', '--model', 'offline', '--max-calls', '1', '--json', '--backend', 'cpu'],
      ...['--runs-dir', temporaryFolder()],
    );
    expect([stopped.code, JSON.parse(stopped.stdout)]).toMatchObject([5, { status: 'stopped', llm: { calls: 1 } }]);
  });

  it('--dry-run prints the estimate and creates nothing', async () => {
    const runsDir = `${temporaryFolder()}/runs`;
    const args = ['run', 'cartpole/r2po', '--dry-run', '--runs-dir', runsDir];
    const { code, stdout } = await runCli([...args, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ method: 'r2po', model: 'offline', calls: 200, cost_usd: 0 });
    expect((await runHere(args)).stdout).toMatch(/model calls +200[\s\S]*cost +none/);
    expect(existsSync(runsDir)).toBe(false);
  });

  it('refuses a limit of the cost without a price', async () => {
    const { code, stderr } = await runHere([
      'run',
      'cartpole/r2po',
      '--model',
      'http://models.example.org/v1#m',
      '--max-cost',
      '1.5',
      '--runs-dir',
      temporaryFolder(),
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain(
      'expected a price of "http://models.example.org/v1#m" to enforce a limit of 1.5 USD, got none',
    );
  });

  it('refuses a limit of the cost without the price of a model that answered before', async () => {
    const runsDir = temporaryFolder();
    const before = 'azure/earlier';
    const answer = (_: unknown, call: number) => answerOf([call / 10, 1, 2, 3, 4, 5, 6, 0, -1, -2]);
    const overrides = [
      'model=openai/scripted',
      'prices.openai/scripted={prompt_per_million: 2, completion_per_million: 10, date: 2026-11-20}',
    ];
    const model = scriptedModel(answer, { answeredBy: before });
    await expect(smallRun({ model, runsDir, overrides: [...overrides, 'budget.max_calls=3'] })).rejects.toThrow(
      '3 model calls',
    );
    const folder = join(runsDir, readdirSync(runsDir)[0]!);
    const limited = [...overrides, 'budget.max_cost_usd=0.001'];
    const now = scriptedModel(answer);
    await expect(smallRun({ model: now, folder, overrides: limited })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(`expected a price of "${before}" to enforce a limit of 0.001 USD, got none`),
    });
    expect(now.requests).toHaveLength(0);
    // Three calls of 100 and 7 tokens.
    const price = `prices.${before}={prompt_per_million: 3, completion_per_million: 11, date: 2026-11-20}`;
    await expect(smallRun({ model: now, folder, overrides: [...limited, price] })).rejects.toThrow(
      '0.001 USD is used up (0.001131)',
    );
    expect(now.requests).toHaveLength(0);
  });

  it('stops, resumable, when the cost is used up, and reports it', async () => {
    const model = scriptedModel((_, call) => answerOf([call / 10, 1, 2, 3, 4, 5, 6, 0, -1, -2]), {
      usage: { promptTokens: 1000, completionTokens: 200, estimated: false },
    });
    const priced = 'prices.openai/scripted={prompt_per_million: 2.5, completion_per_million: 10, date: 2026-11-20}';
    const overrides = ['model=openai/scripted', priced, 'budget.max_cost_usd=0.02'];
    // 0.0045 USD a call: the fifth is the one that passes the limit.
    await expect(smallRun({ model, overrides })).rejects.toThrow('the budget of 0.02 USD is used up (0.0225)');
    expect(model.requests).toHaveLength(5);
    const { summary } = await smallRun({ model, overrides: overrides.slice(0, 2) });
    expect(summary.llm.cost_usd).toBeCloseTo(12 * 0.0045, 12);
    expect(runRows(summary)).toContainEqual(['cost', '0.0540 USD']);
    const unpriced = { ...summary, llm: { ...summary.llm, cost_usd: null } };
    expect(runRows(unpriced)).toContainEqual(['cost', 'unknown: the configuration has no price']);
    const offline = { ...summary, model_kind: 'offline' as const, llm: { ...summary.llm, cost_usd: 0 } };
    expect(runRows(offline)).toContainEqual(['cost', '0 USD']);
  });
});
