import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelError } from '../../src/base/errors.ts';
import { Generator } from '../../src/base/rng/generator.ts';
import { cartpole } from '../../src/envs/cartpole/index.ts';
import { pickOf, summarise } from '../../src/evaluation/summary.ts';
import type { Message } from '../../src/llm/chat.ts';
import { makeDomain, unusedPoint } from '../../src/llm/offline/domain.ts';
import { expectedImprovement, fitGaussianProcess } from '../../src/llm/offline/gaussian-process.ts';
import { offline } from '../../src/llm/offline/index.ts';
import { readPrompt } from '../../src/llm/offline/read.ts';
import { normalScores } from '../../src/llm/offline/surrogate.ts';
import { parseReply } from '../../src/llm/reply/parse.ts';
import { type CriticContext, noRemarks, type PastTrial, type PromptContext } from '../../src/methods/method.ts';
import { statisticsCritic as criticParts } from '../../src/methods/prompts/critic.ts';
import { promptMessage, repairMessage } from '../../src/methods/prompts/message.ts';
import { searchPrompt as searchParts } from '../../src/methods/prompts/search.ts';
import type { SearchSettings } from '../../src/methods/settings.ts';
import { buildPolicy } from '../../src/policies/index.ts';
import type { ParameterValues, Policy } from '../../src/policies/policy.ts';
import type { Trace } from '../../src/rollout/job.ts';

const searchPrompt = (context: PromptContext) => promptMessage(searchParts(context)).content;
const statisticsCritic = async (context: CriticContext) => promptMessage(await criticParts(context)).content;

const baseSettings: SearchSettings = {
  prompt: { knowledge: 'full', explanation: 'sentence', rewardDecimals: null, countFrom: 1 },
  iterations: 60,
  parameters: { low: -6, high: 6, decimals: 1, outOfRange: 'refuse' },
  optimum: 100,
  stepSize: 0.7,
  conservativeThreshold: 95,
  successThreshold: 98,
  trajectoryTokens: 2000,
  statistics: 'full',
  historyExcerpts: 3,
  sensitivityEpisodes: null,
  selection: 'mean',
  historyWindow: null,
  duplicates: 'allow',
  repairTurns: 2,
  warmupPolicies: 0,
  warmupSpread: 3,
  warmupInside: true,
  warmupDir: null,
  evaluationEpisodes: 5,
  maxSteps: null,
};

function policyWith(count: number, values: ParameterValues = { kind: 'real' }): Policy {
  const paramNames = Array.from({ length: count }, (_, i) => `weight ${i}`);
  return { ...buildPolicy('linear', cartpole), paramCount: count, paramNames, values };
}

function contextOf(
  policy: Policy,
  trials: readonly PastTrial[],
  settings: Partial<SearchSettings> = {},
): PromptContext {
  return {
    env: cartpole,
    policy,
    settings: { ...baseSettings, ...settings },
    iteration: 9,
    callNumber: 1,
    sets: 1,
    sideBySide: 1,
    remarks: noRemarks,
    trials,
    replyText: 'lines',
  };
}

/** A critic's view of a proposal whose episodes had these returns. */
function criticOf(context: PromptContext, proposal: readonly number[], returns: readonly number[]): CriticContext {
  const lengths = Uint32Array.from(returns, () => 2);
  const summary = summarise(Float64Array.from(returns), lengths, new Uint8Array(returns.length), {
    firstSeed: 40,
    successThreshold: context.settings.successThreshold,
  });
  const step = { state: [0, 0, 0, 0], obs: [0.01, 0.02, 0.03, 0.04], action: [1], reward: 0.5 };
  return {
    ...context,
    proposal,
    summary,
    others: [],
    sensitivity: null,
    trace: async (pick) => ({ ...noTrace, ...pickOf(summary, pick), steps: [step, step] }),
  };
}

const noTrace: Trace = {
  env: cartpole.id,
  seed: 0,
  return: 0,
  length: 0,
  end: 'terminated',
  steps: [],
  finalState: [],
};
const trace = async (): Promise<Trace> => noTrace;

async function textFor(prompt: string): Promise<string> {
  const messages: Message[] = [{ role: 'user', content: prompt }];
  return (await offline.complete({ messages, temperature: null, seed: null })).text;
}

function parsed(text: string, { policy, settings }: PromptContext): number[] {
  const reply = parseReply(text, { count: policy.paramCount, values: policy.values, ...settings.parameters });
  if (!reply.ok) throw new Error(`${reply.problem}\n${text}`);
  // In range and with the right decimals as written: nothing was left for the parser to mend.
  expect(reply.adjustments).toEqual([]);
  expect(text.split('\n')[1]?.length).toBeGreaterThan(10);
  return reply.params;
}

const warmup = (params: number[], mean: number): PastTrial => ({ kind: 'warmup', params, mean, trace });
const iterated = (params: number[], mean: number): PastTrial => ({ kind: 'iteration', params, mean, trace });

describe('reading prompts', () => {
  const trials = [warmup([1.5, -2, 0], 12.25), iterated([-0.1, 6, 3], -400.5)];
  const context = contextOf(policyWith(3), trials);

  it('finds every fact of a real search prompt', () => {
    expect(readPrompt(searchPrompt(context))).toEqual({
      count: 3,
      domain: { kind: 'range', low: -6, high: 6, decimals: 1 },
      step: 0.7,
      optimum: 100,
      iteration: 9,
      iterations: 60,
      trials: [
        { params: [1.5, -2, 0], value: 12.25, averaged: false },
        { params: [-0.1, 6, 3], value: -400.5, averaged: true },
      ],
      proposal: null,
    });
  });

  it('finds every fact of a real critic prompt', async () => {
    const read = readPrompt(await statisticsCritic(criticOf(context, [4, -5.5, 0.3], [10, 99, 98, 30, 40])));
    expect(read.proposal).toEqual({
      params: [4, -5.5, 0.3],
      value: 55.4,
      successRate: 2 / 5,
      conservativeThreshold: 95,
    });
    expect(read.trials).toHaveLength(2);
  });

  it('treats unstated facts as unknown', async () => {
    const bare = contextOf(policyWith(2), [], {
      optimum: null,
      stepSize: null,
      conservativeThreshold: null,
      parameters: { low: -0.5, high: 20, decimals: null, outOfRange: 'refuse' },
    });
    const read = readPrompt(await statisticsCritic(criticOf(bare, [0.123, 19], [3, 4])));
    expect(read).toMatchObject({ step: null, optimum: null, trials: [] });
    expect(read.domain).toEqual({ kind: 'range', low: -0.5, high: 20, decimals: null });
    expect(read.proposal?.conservativeThreshold).toBeNull();
  });

  it('reads listed values', () => {
    const read = readPrompt(searchPrompt(contextOf(policyWith(2, { kind: 'choice', values: [0, 1, 3] }), [])));
    expect(read.domain).toEqual({ kind: 'choice', values: [0, 1, 3] });
  });

  it('names the facts that it could not find', async () => {
    const prompt = searchPrompt(context);
    const cases: [string, RegExp][] = [
      ['Write a poem about poles.', /"## Parameters"/],
      [prompt.replace('- count: 3', '- many'), /the number of parameters/],
      [prompt.replace('- smallest allowed:', '- span:'), /a range or the allowed values/],
      [prompt.replace('Iteration 9 of 60.', 'Early.'), /the iteration/],
      [prompt.replace('## Measured so far', '## History'), /"## Measured so far"/],
      [prompt.replace('[1.5, -2, 0]', '[1.5, -2]'), /3 numbers in every trial/],
    ];
    for (const [text, reason] of cases) {
      const failure = await textFor(text).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(ModelError);
      expect((failure as ModelError).message).toMatch(/^\[offline\] expected a prompt that states /);
      expect((failure as ModelError).message).toMatch(reason);
    }
    await expect(offline.complete({ messages: [], temperature: null, seed: null })).rejects.toThrow(ModelError);
  });
});

describe('the offline model', () => {
  const trials = [warmup([1, 2, 3, 4], 5), iterated([2, -2, 1, 0.5], 30), iterated([3, -2, 2, 0.1], 45)];
  const context = contextOf(policyWith(4), trials);

  it('reports its kind and that its token counts are estimates', async () => {
    const messages: Message[] = [{ role: 'user', content: searchPrompt(context) }];
    const reply = await offline.complete({ messages, temperature: null, seed: null });
    expect(offline).toMatchObject({ id: 'offline', kind: 'offline' });
    expect(reply).toMatchObject({ model: 'offline', requests: 0, latencySeconds: 0 });
    expect(reply.usage.estimated).toBe(true);
    expect(reply.usage.promptTokens).toBeGreaterThan(100);
    expect(reply.usage.completionTokens).toBeGreaterThan(10);
  });

  it('answers from the text of the messages and nothing else', async () => {
    const messages: Message[] = [{ role: 'user', content: searchPrompt(context) }];
    const first = await offline.complete({ messages, temperature: null, seed: 7 });
    const again = await offline.complete({ messages, temperature: 1, seed: 8 });
    expect(again).toEqual(first);
    const later = { ...context, iteration: 10 };
    expect(await textFor(searchPrompt(later))).not.toBe(first.text);
  });

  it('says so where all trials are equal, which tell it nothing', async () => {
    const flat = [warmup([1, 2, 3, 4], 0), iterated([2, -2, 1, 0.5], 0), iterated([3, -2, 2, 0.1], 0)];
    expect(await textFor(searchPrompt({ ...context, trials: flat }))).toContain(
      'All 3 trials measured 0, so nothing tells',
    );
    expect(await textFor(searchPrompt(context))).not.toContain('nothing tells');
  });

  it('answers repair turns, in the search and in the critic', async () => {
    for (const prompt of [searchParts(context), await criticParts(criticOf(context, [1, 2, 3, 4], [1, 2]))]) {
      const messages = [repairMessage(context, prompt, { replies: 1, problem: 'The reply holds no parameters.' })];
      const reply = await offline.complete({ messages, temperature: null, seed: null });
      expect(parsed(reply.text, context)).toHaveLength(4);
    }
  });

  it('leaves a proposal alone that is above the threshold and never failed', async () => {
    const proposal = [1, 2.5, 3, -4];
    const text = await textFor(await statisticsCritic(criticOf(context, proposal, [100, 99, 100])));
    expect(parsed(text, context)).toEqual(proposal);
  });

  it('changes one parameter a little when it is above the threshold and failed once', async () => {
    const proposal = [1, 2.5, 3, -4];
    const text = await textFor(await statisticsCritic(criticOf(context, proposal, [100, 100, 100, 90])));
    const changes = parsed(text, context).map((value, i) => Math.abs(value - proposal[i]!));
    expect(changes.filter((change) => change > 0)).toHaveLength(1);
    expect(Math.max(...changes)).toBeLessThanOrEqual(0.2 * 0.7 + 0.051);
  });

  it('never moves a parameter by more than the step in the critic, and always changes something', async () => {
    for (let k = 0; k < 12; k++) {
      const proposal = [k / 2 - 3, 6, -6, 0.1 * k];
      const text = await textFor(await statisticsCritic(criticOf(context, proposal, [10 + k, 20])));
      const revision = parsed(text, context);
      expect(revision).not.toEqual(proposal);
      // Rounding to one decimal may add half a tenth.
      revision.forEach((value, i) => {
        expect(Math.abs(value - proposal[i]!)).toBeLessThanOrEqual(0.7 + 0.051);
      });
    }
  });
});

/** Any history, over any range and number of decimals. */
const situation = fc
  .record({
    count: fc.integer({ min: 1, max: 7 }),
    low: fc.integer({ min: -500, max: 400 }),
    span: fc.integer({ min: 10, max: 900 }),
    divisor: fc.constantFrom(1, 10, 100),
    decimals: fc.constantFrom(null, 1, 2, 4),
    stepSize: fc.constantFrom(null, 0.01, 1, 50),
    optimum: fc.constantFrom(null, -120, 0.74, 9359),
    threshold: fc.constantFrom(null, 5),
    size: fc.integer({ min: 0, max: 25 }),
    seed: fc.nat(),
  })
  .map(({ count, low, span, divisor, decimals, stepSize, optimum, threshold, size, seed }) => {
    const rng = Generator.from(seed);
    const from = low / divisor;
    const to = (low + span * 3) / divisor;
    const domain = makeDomain({ kind: 'range', low: from, high: to, decimals });
    const point = () => Array.from({ length: count }, () => domain.value(rng.integers(0, domain.levels)));
    const trials = Array.from({ length: size }, (_, i): PastTrial => {
      const mean = rng.random() < 0.3 ? 10 : rng.uniform(-1000, 1000);
      // Warm-ups may lie outside the range.
      return i < 5
        ? warmup(
            point().map((x) => x * 1.5),
            mean,
          )
        : iterated(point(), mean);
    });
    const context = contextOf(policyWith(count), trials, {
      parameters: { low: from, high: to, decimals, outOfRange: 'refuse' },
      stepSize,
      optimum,
      conservativeThreshold: threshold,
    });
    const points = domain.levels ** count;
    return { context, points, proposal: point(), returns: [rng.uniform(-10, 10), rng.uniform(-10, 10)] };
  });

describe('replies to any history', () => {
  it('parse, lie in the range, have the right decimals, and in the search repeat no trial', async () => {
    await fc.assert(
      fc.asyncProperty(situation, async ({ context, points, proposal, returns }) => {
        const { trials } = context;
        const next = parsed(await textFor(searchPrompt(context)), context);
        // A coarse range of one parameter has fewer points than some histories have trials.
        if (trials.length < points) for (const { params } of trials) expect(next).not.toEqual(params);
        parsed(await textFor(await statisticsCritic(criticOf(context, proposal, returns))), context);
      }),
      { numRuns: 60 },
    );
  });

  it('hold for listed values too', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.nat({ max: 30 }), fc.nat(), async (count, size, seed) => {
        const rng = Generator.from(seed);
        const values = [0, 1, 2, 5];
        const point = () => Array.from({ length: count }, () => values[rng.integers(0, 4)]!);
        const trials = Array.from({ length: size }, () => iterated(point(), rng.integers(0, 3)));
        const context = contextOf(policyWith(count, { kind: 'choice', values }), trials);
        const next = parsed(await textFor(searchPrompt(context)), context);
        const tried = new Set(trials.map(({ params }) => params.join()));
        // With one parameter, all four points may have been tried.
        if (tried.size < 4 ** count) expect(tried.has(next.join())).toBe(false);
        parsed(await textFor(await statisticsCritic(criticOf(context, point(), [1, 2]))), context);
      }),
      { numRuns: 40 },
    );
  });
});

describe('the parts of the optimiser', () => {
  it('finds the only unused point', () => {
    const domain = makeDomain({ kind: 'range', low: 0, high: 2, decimals: 0 });
    const all = Array.from({ length: 9 }, (_, i) => [i % 3, Math.floor(i / 3)]);
    for (let left = 0; left < 9; left++) {
      const used = all.filter((_, i) => i !== left);
      expect(unusedPoint(domain, [1, 1], used, Generator.from(left))).toEqual(all[left]);
    }
  });

  it('keeps allowed values inside a range that is not made of them', () => {
    const domain = makeDomain({ kind: 'range', low: -0.55, high: 0.301, decimals: 1 });
    expect([domain.low, domain.high, domain.levels]).toEqual([-0.5, 0.3, 9]);
    expect(domain.value(5)).toBe(0);
    expect(() => makeDomain({ kind: 'range', low: 0.11, high: 0.19, decimals: 1 })).toThrow(ModelError);
  });

  it('scores by rank, equal values alike', () => {
    const [low, tied, same, high] = normalScores([-1e9, 3, 3, 1e9]);
    expect(tied).toBe(same);
    expect(low).toBeCloseTo(-high!, 12);
    expect(tied).toBeCloseTo(0, 12);
    expect(high).toBeGreaterThan(1);
  });

  it('interpolates its measurements, with more uncertainty far from them', () => {
    const points = [0, 0.1, 0.2, 0.3, 0.4];
    const process = fitGaussianProcess(
      points.map((point) => ({ point, value: Math.sin(10 * point), noise: 1 })),
      { distance: (a, b) => Math.abs(a - b), lengthScales: [0.02, 0.2], noiseVariances: [1e-6] },
    );
    expect(process.lengthScale).toBe(0.2);
    expect(process.predict(0.15).mean).toBeCloseTo(Math.sin(1.5), 1);
    expect(process.predict(0.2).deviation).toBeLessThan(0.01);
    expect(process.predict(9).deviation).toBeCloseTo(1, 6);
  });

  it('expects the improvement of the closed form', () => {
    // E[max(0, X - t)] of N(1, 2^2) at t = 0: 2 (z P(z) + p(z)) with z = 0.5.
    expect(expectedImprovement({ mean: 1, deviation: 2 }, 0)).toBeCloseTo(1.39559, 3);
    expect(expectedImprovement({ mean: 1, deviation: 1e-6 }, 0)).toBeCloseTo(1, 6);
  });
});

describe('searching with the real prompts', () => {
  /** 100 at the optimum, falling by the squared distance; `noise` is the deviation of one measurement. */
  const quadratic = (params: readonly number[], goal: readonly number[]) =>
    100 - params.reduce((sum, x, i) => sum + (x - goal[i]!) ** 2, 0);

  async function best(goal: readonly number[], iterations: number, seed: number): Promise<number> {
    const rng = Generator.from(seed);
    const policy = policyWith(goal.length);
    const trials: PastTrial[] = [];
    for (let i = 0; i < 5; i++) {
      const params = goal.map(() => Math.round(rng.standardNormal() * 30) / 10);
      trials.push(warmup(params, quadratic(params, goal) + 6 * rng.standardNormal()));
    }
    let found = -Infinity;
    for (let iteration = 1; iteration <= iterations; iteration++) {
      const context = { ...contextOf(policy, trials, { iterations }), iteration };
      const params = parsed(await textFor(searchPrompt(context)), context);
      trials.push(iterated(params, quadratic(params, goal) + rng.standardNormal()));
      found = Math.max(found, quadratic(params, goal));
    }
    return found;
  }

  it('climbs a noisy quadratic, wherever its top is', async () => {
    const found = [
      await best([2.2, -1.4, 0.5, -3.1, 4.4, 0.8, -2.6], 40, 1),
      await best([-5.5, 3.1, 1.2, 0, -0.7, 2, 5.1], 40, 2),
      await best([4, 0.3, -4.9, 1.1, -1.8, 5.2, -0.4], 40, 3),
    ];
    // 45 points drawn at random from this box reach about 66 on average.
    expect((found[0]! + found[1]! + found[2]!) / 3).toBeGreaterThan(88);
  });
});
