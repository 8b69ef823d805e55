import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/base/errors.ts';
import { cartpole } from '../../src/envs/cartpole/index.ts';
import { describeEnvironment } from '../../src/envs/node/description.ts';
import { findMethod, hybridMethods, llmMethods, methods } from '../../src/methods/index.ts';
import { runIteration } from '../../src/methods/interpreter.ts';
import { keepCandidate } from '../../src/methods/keep.ts';
import { type Effects, type Method, noRemarks, type PromptContext, purposes } from '../../src/methods/method.ts';
import { trajectoryText } from '../../src/methods/prompts/episode-text.ts';
import { promptMessage } from '../../src/methods/prompts/message.ts';
import { searchPrompt } from '../../src/methods/prompts/search.ts';
import { r2po } from '../../src/methods/r2po.ts';
import type { SearchSettings } from '../../src/methods/settings.ts';
import { describePolicy } from '../../src/policies/description.ts';
import { context, good, policy, replyOf, scripted, settings, trace, trials, vector } from '../support/methods.ts';

describe('one iteration of R2PO', () => {
  it('asks, plays, asks the critic, plays, and keeps the better one', async () => {
    const script = scripted(good, [120, 340]);
    const outcome = await runIteration(r2po, context, script.effects);
    expect(script.log).toEqual(['ask search 0 in 12', 'evaluate proposal', 'ask critic 0 in 12', 'evaluate revision']);
    expect(script.evaluated.map(({ params }) => params)).toEqual([vector(1), vector(2)]);
    expect(outcome).toEqual({
      iteration: 12,
      kept: 'revision',
      why: 'the revision (mean 340) beats the proposal (mean 120)',
      candidates: [
        { label: 'proposal', params: vector(1), mean: 120 },
        { label: 'revision', params: vector(2), mean: 340 },
      ],
      trial: { kind: 'iteration', params: vector(2), mean: 340 },
      remarks: noRemarks,
    });
  });

  it('gives a tie to the revision and keeps a better proposal', async () => {
    const tied = await runIteration(r2po, context, scripted(good, [200, 200]).effects);
    expect(tied.kept).toBe('revision');
    expect(tied.why).toContain('tie');
    const better = await runIteration(r2po, context, scripted(good, [200, 199]).effects);
    expect(better.kept).toBe('proposal');
    expect(better.trial).toEqual({ kind: 'iteration', params: vector(1), mean: 200 });
  });

  it('lets no NaN and no infinity win, on either side', async () => {
    expect((await runIteration(r2po, context, scripted(good, [Number.NaN, 9]).effects)).kept).toBe('revision');
    expect((await runIteration(r2po, context, scripted(good, [9, Number.NaN]).effects)).kept).toBe('proposal');
    expect((await runIteration(r2po, context, scripted(good, [9, Infinity]).effects)).kept).toBe('proposal');
    const neither = await runIteration(r2po, context, scripted(good, [Number.NaN, Number.NaN]).effects);
    expect(neither.kept).toBeNull();
    expect(neither.trial).toBeNull();
    expect(neither.why).toBe('no candidate has a finite mean');
  });

  it('plays the median episode once, and only for a prompt that is really needed', async () => {
    const live = scripted(good, [120, 340]);
    await runIteration(r2po, context, live.effects);
    expect(live.played).toEqual(['median']);

    const recorded = scripted(good, [120, 340]);
    let asked = 0;
    const effects: Effects = {
      ...recorded.effects,
      ask: async () => ({ text: good[asked++]!, reasoning: null, finish: 'stop', tokens: 9 }),
    };
    const outcome = await runIteration(r2po, context, effects);
    expect(outcome.kept).toBe('revision');
    expect(recorded.played).toEqual([]);
  });
});

describe('replies that cannot be used', () => {
  it('asks again with the prompt and the reason, without the reply, keeping the purpose', async () => {
    const tooShort = 'params[0]: 1, params[1]: 2';
    const outside = replyOf(vector(9.5));
    const script = scripted([tooShort, outside, good[0]!, good[1]!], [1, 2]);
    await runIteration(r2po, context, script.effects);
    expect(script.log).toEqual([
      'ask search 0 in 12',
      'refused search 0',
      'ask search 1 in 12',
      'refused search 1',
      'ask search 2 in 12',
      'evaluate proposal',
      'ask critic 0 in 12',
      'evaluate revision',
    ]);
    const [original, first, second] = script.prompts;
    for (const [messages, reply, problem] of [
      [first, tooShort, `An earlier reply could not be used: ${script.problems[0]}`],
      [second, outside, `2 earlier replies could not be used. The latest: ${script.problems[1]}`],
    ] as const) {
      expect(messages!.map(({ role }) => role)).toEqual(['user']);
      const { content, cacheBreaks } = messages![0]!;
      expect(content.startsWith(`${original![0]!.content}\n\n## Answer again\n${problem}\n`)).toBe(true);
      expect(cacheBreaks).toEqual(original![0]!.cacheBreaks);
      expect(content).not.toContain(reply);
      const format = content.slice(content.indexOf(problem));
      expect(format).toContain('begins with "params[0]:"');
      expect(format).toContain('params[0]: v, params[1]: v, params[2]: v');
      expect(format).toContain('at most 2 decimals');
    }
    expect(script.problems[1]).toContain('9.5');
  });

  it('refuses a reply that was cut off, repeats itself or is empty, with any content', async () => {
    const unusable = [
      { reply: { text: good[0]!, finish: 'length', tokens: 777 }, says: 'cut off at the limit of 777 tokens' },
      {
        reply: { text: '', reasoning: 'Hm.', finish: 'length', tokens: 778 },
        says: '778 tokens, all of them reasoning',
      },
      { reply: { text: good[0]!, finish: 'repetition' }, says: 'repeated itself' },
      { reply: { text: ' \n', reasoning: null }, says: 'The reply is empty.' },
      {
        reply: { text: '', reasoning: `A draft:\n${good[0]}`, tokens: 779 },
        says: 'reasoning of 779 tokens holds no answer',
      },
      { reply: { text: '', reasoning: replyOf(vector(9.5)) }, says: 'holds no answer' },
    ] as const;
    for (const { reply, says } of unusable) {
      const script = scripted([reply, good[0]!, good[1]!], [1, 2]);
      await runIteration(r2po, context, script.effects);
      expect(script.problems).toEqual([expect.stringContaining(says)]);
      expect(script.evaluated[0]!.params).toEqual(vector(1));
      expect(script.notices).toEqual([]);
    }
  });

  it('takes a whole answer from the reasoning field, with a notice', async () => {
    const script = scripted([{ text: '', reasoning: `\n${good[0]}` }, good[1]!], [1, 2]);
    await runIteration(r2po, context, script.effects);
    expect(script.evaluated[0]).toEqual({
      params: vector(1),
      adjustments: ['taken from the reasoning field, as the reply itself was empty'],
    });
    expect(script.notices).toEqual([expect.stringContaining('reasoning field held the answer')]);
    expect(script.evaluated[1]!.adjustments).toEqual([]);
  });

  it('ends the iteration without candidates when the search stays unusable, and reports it in the next prompt', async () => {
    const script = scripted(['?', '?', '??'], []);
    const { remarks, ...outcome } = await runIteration(r2po, context, script.effects);
    expect(script.log.filter((line) => line.startsWith('ask'))).toHaveLength(3);
    expect(outcome).toEqual({
      iteration: 12,
      kept: null,
      why: 'the search replies could not be used',
      candidates: [],
      trial: null,
    });
    expect(remarks).toEqual({ search: `The last iteration gave no usable reply: ${script.problems[2]}`, critic: null });
    const next = scripted(good, [1, 2]);
    await runIteration(r2po, { ...context, iteration: 13, remarks }, next.effects);
    expect(next.prompts[0]![0]!.content).toContain(`Iteration 13 of 83.\n${remarks.search}`);
    expect(next.prompts[1]![0]!.content).not.toContain(remarks.search);
  });

  it('keeps the proposal when the critic stays unusable, and plays its median episode once for all turns', async () => {
    const script = scripted([good[0]!, '?', '?', '?'], [77]);
    const outcome = await runIteration(r2po, context, script.effects);
    expect(script.log.slice(2)).toEqual([
      'ask critic 0 in 12',
      'refused critic 0',
      'ask critic 1 in 12',
      'refused critic 1',
      'ask critic 2 in 12',
      'refused critic 2',
    ]);
    expect(outcome.kept).toBe('proposal');
    expect(outcome.candidates).toHaveLength(1);
    expect(outcome.trial).toEqual({ kind: 'iteration', params: vector(1), mean: 77 });
    expect(outcome.why).toBe('the critic replies could not be used; the proposal (mean 77) is the only candidate');
    expect(script.played).toEqual(['median']);
  });

  it('asks once when no repair turns are allowed, and hands on what the parser changed', async () => {
    const none = { ...context, settings: { ...settings, repairTurns: 0 } };
    const script = scripted(['?'], []);
    await runIteration(r2po, none, script.effects);
    expect(script.log).toEqual(['ask search 0 in 12', 'refused search 0']);

    const rounded = scripted([replyOf(vector(1.23456)), good[1]!], [1, 2]);
    await runIteration(r2po, context, rounded.effects);
    expect(rounded.evaluated[0]!.params[0]).toBe(1.23);
    expect(rounded.evaluated[0]!.adjustments.join()).toContain('1.23456');
    expect(rounded.evaluated[1]!.adjustments).toEqual([]);
  });
});

describe('the contents of the prompts', () => {
  async function bothPrompts(of: PromptContext = context): Promise<{ search: string; critic: string }> {
    const script = scripted(good, [120, 340]);
    await runIteration(r2po, of, script.effects);
    expect(script.prompts.map((messages) => messages.map(({ role }) => role))).toEqual([['user'], ['user']]);
    return { search: script.prompts[0]![0]!.content, critic: script.prompts[1]![0]!.content };
  }

  it('gives the search all that it may know', async () => {
    const { search } = await bothPrompts();
    for (const fact of [
      '- count: 10',
      '- smallest allowed: -7.0',
      '- largest allowed: 9.0',
      '- decimals: at most 2',
      '- exploration step: 0.75',
      '- expected optimum: 512',
      'Iteration 12 of 83.',
      'trial 1: params = [1.5, -2, 0, 3, 4, 5, 6, 7, 8, 8.5]; rollout_reward = 21',
      'trial 2: params = [-1.25, 2, 0, -3, 4, -5, 6, -6, 8, -6.5]; mean_reward = 234.568',
      'mean of 17 measurements',
      `${Array.from({ length: 10 }, (_, i) => `params[${i}]: v`).join(', ')}\n`,
      'with at most 2 decimals, such as 1.6 or -2.6; smallest allowed: -7.0; largest allowed: 9.0.',
    ]) {
      expect(search).toContain(fact);
    }
  });

  it('gives the search nothing about the environment, the policy, or the observations', async () => {
    const { search } = await bothPrompts();
    const words = [
      cartpole.id,
      ...cartpole.state.flatMap(({ name, unit }) => [name, unit]).filter((word) => word.length > 3),
      'cart',
      'pole',
      'environment',
      'policy',
      'weight',
      'bias',
      'action',
      'observation',
      'episode',
      'truncated',
    ];
    for (const word of words) expect(search.toLowerCase()).not.toContain(word.toLowerCase());
    expect(search).not.toContain(trajectoryText(trace, cartpole, settings.trajectoryTokens));
  });

  it('gives the critic the environment, the policy, the proposal, its statistics and its median episode', async () => {
    const { critic } = await bothPrompts();
    for (const fact of [
      describeEnvironment(cartpole),
      describePolicy(policy, cartpole.action),
      trajectoryText(trace, cartpole, settings.trajectoryTokens),
      vector(1)
        .map((value, i) => `params[${i}]: ${value}`)
        .join(', '),
      'mean_reward = 120 (mean return over 17 episodes)',
      'The target is a mean return of 512.',
      'mean 120, standard deviation 33.25, lowest 61, highest 388',
      '5 %: 62.5, 25 %: 93, 50 %: 150, 75 %: 222, 95 %: 377',
      'mean 163.5, shortest 64, longest 391',
      '- successes: 3 of 17, failures: 14 (a success has a return of at least 498)',
      '13 terminated, 4 truncated, 0 capped',
      'conservative threshold: 486. If the mean_reward of the proposal is at or above it and no consistent failure is visible',
      'by more than 0.75',
      'Iteration 12 of 83.',
      'rollout_reward = 21',
      'mean_reward = 234.568',
    ]) {
      expect(critic).toContain(fact);
    }
  });

  it('does not show the proposal in the history of its own critic', async () => {
    const { critic } = await bothPrompts();
    expect(critic.match(/^trial \d+:/gm)).toHaveLength(trials.length);
    expect(critic).not.toContain(`params = [${vector(1).join(', ')}]`);
  });

  it('shortens the median episode to the budget of the settings', async () => {
    const { critic } = await bothPrompts({ ...context, settings: { ...settings, trajectoryTokens: 400 } });
    expect(critic).toContain('steps are left out here');
    expect(critic).toContain('\n151 | ');
  });

  it('leaves out what is not set', async () => {
    const bare: SearchSettings = {
      ...settings,
      optimum: null,
      stepSize: null,
      conservativeThreshold: null,
      warmupPolicies: 0,
      parameters: { low: 0, high: 3, decimals: null, outOfRange: 'clip' },
    };
    const { search, critic } = await bothPrompts({
      ...context,
      settings: { ...bare, parameters: { ...bare.parameters, low: -9 } },
      trials: [],
    });
    for (const text of [search, critic]) expect(text).toContain('There are no earlier trials.');
    expect(search).toContain('- decimals: any number');
    for (const text of [search, critic]) {
      expect(text).not.toMatch(/optimum|exploration step|threshold: \d|target|null|undefined|NaN/);
      expect(text).not.toContain('rollout_reward');
    }
  });

  it('lists the allowed values of a policy whose parameters are choices', () => {
    const table = { ...policy, paramCount: 2, values: { kind: 'choice', values: [0, 1, 5] } } as const;
    const text = promptMessage(searchPrompt({ ...context, policy: table, trials: [] })).content;
    expect(text).toContain('- count: 2');
    expect(text).toContain('- allowed values: 0, 1, 5');
    expect(text).toContain('params[0]: v, params[1]: v\nEach v is one of 0, 1, 5.');
    expect(text).not.toMatch(/smallest|decimal|exploration step|negative/);
  });
});

describe('the keep rule', () => {
  const proposal = { label: 'proposal', params: [1], mean: 50 } as const;
  const revision = { label: 'revision', params: [2], mean: 40 } as const;

  it('follows methods that always keep one of the two', () => {
    expect(keepCandidate('revision', [proposal, revision]).kept).toBe(revision);
    expect(keepCandidate('proposal', [proposal, revision]).kept).toBe(proposal);
    expect(keepCandidate('best', [proposal, revision]).kept).toBe(proposal);
  });

  it('still lets no NaN win', () => {
    expect(keepCandidate('revision', [proposal, { ...revision, mean: Number.NaN }]).kept).toBe(proposal);
    expect(keepCandidate('best', []).kept).toBeNull();
  });
});

describe('the registry', () => {
  it('finds methods by id and names the nearest one', () => {
    expect(findMethod('r2po')).toBe(r2po);
    expect(() => findMethod('r2p0')).toThrow(UsageError);
    expect(() => findMethod('r2p0')).toThrow(/unknown method "r2p0"; did you mean "r2po"\?/);
  });

  it('holds methods whose stages have the prompts that they need, under ids of their own', () => {
    expect(new Set(methods.map(({ id }) => id)).size).toBe(methods.length);
    for (const { stages, prompts } of [...llmMethods, ...hybridMethods]) {
      for (const purpose of purposes) if (stages.includes(purpose)) expect(prompts[purpose]).not.toBeNull();
    }
  });

  it('refuses a method without the prompt of one of its stages', async () => {
    const broken: Method = { ...r2po, id: 'broken', prompts: { ...r2po.prompts, critic: null } };
    const iteration = runIteration(broken, context, scripted(good, [1, 2]).effects);
    await expect(iteration).rejects.toThrow('[broken] has a critic stage and no critic prompt');
  });
});
