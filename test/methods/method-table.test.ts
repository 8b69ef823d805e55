/** Each method as a row: which calls it makes in which order, what each call sees and does not see, and what is kept. */
import { describe, expect, it } from 'vitest';
import { estimateTokens } from '../../src/base/tokens.ts';
import { cartpole } from '../../src/envs/cartpole/index.ts';
import { frozenlake } from '../../src/envs/frozenlake/index.ts';
import { describeEnvironment } from '../../src/envs/node/description.ts';
import { findLlmMethod, hybridMethods, llmMethods } from '../../src/methods/index.ts';
import { runIteration } from '../../src/methods/interpreter.ts';
import { type CandidateLabel, defineMethod, type PromptContext } from '../../src/methods/method.ts';
import { excerptText, trajectoryText } from '../../src/methods/prompts/episode-text.ts';
import { r2po } from '../../src/methods/r2po.ts';
import { describePolicy } from '../../src/policies/description.ts';
import { buildPolicy } from '../../src/policies/index.ts';
import { context, good, replyOf, scripted, settings, traceOf, traces, trials, vector } from '../support/methods.ts';

/** What a prompt may show. */
const facts = {
  environment: (c: PromptContext) => describeEnvironment(c.env),
  policy: (c: PromptContext) => describePolicy(c.policy, c.env.action),
  statistics: () => 'successes: 3 of 17',
  quantiles: () => '75 %: 222',
  threshold: () => 'conservative threshold: 486',
  medianEpisode: () => trajectoryText(traces.median, cartpole, settings.trajectoryTokens),
  meanEpisode: () => trajectoryText(traces.mean, cartpole, settings.trajectoryTokens),
  worstExcerpt: () => excerptText(traces.worst, cartpole, 25),
  medianExcerpt: () => excerptText(traces.median, cartpole, 25),
  bestExcerpt: () => excerptText(traces.best, cartpole, 25),
  lastEpisode: () => trajectoryText(traceOf(235, 235), cartpole, settings.trajectoryTokens),
  excerpts: () => 'trial 2, an episode of it (return 235, 235 steps, terminated):',
  proposal: () => '## Proposal',
  noRepeats: () => 'Do not return the parameters of a trial in the list',
  stepHint: () => 'by more than 0.75',
  optimum: () => '512',
  history: () => '; rollout_reward = 21',
  firstProposal: () => `trial 3: params = [${vector(1).join(', ')}]; mean_reward = 120`,
} as const;
type Fact = keyof typeof facts;

const blind: Fact[] = ['history', 'optimum'];
const informed: Fact[] = ['environment', 'policy', ...blind];
const reviewed: Fact[] = [...informed, 'proposal', 'stepHint'];
const r2poCritic: Fact[] = [...reviewed, 'statistics', 'quantiles', 'medianEpisode', 'threshold'];
const oneEpisode: Fact[] = [...reviewed, 'meanEpisode', 'excerpts', 'noRepeats'];

interface Expected {
  readonly calls: readonly string[];
  /** what the calls show, in their order, and nothing else of the list above */
  readonly shows: readonly (readonly Fact[])[];
  /** episodes of the proposal that are played again for the prompts */
  readonly played: readonly string[];
  /** what is kept when the first mean is higher, and when both are equal */
  readonly keeps: { readonly better: CandidateLabel; readonly tie: CandidateLabel };
}

const twoCalls = ['ask search', 'evaluate proposal', 'ask critic', 'evaluate revision'];
const oneCall = ['ask search', 'evaluate proposal'];
const best = { better: 'proposal', tie: 'revision' } as const;
const only = { better: 'proposal', tie: 'proposal' } as const;

const table: Readonly<Record<string, Expected>> = {
  r2po: { calls: twoCalls, shows: [blind, r2poCritic], played: ['median'], keeps: best },
  'tau-c': { calls: twoCalls, shows: [blind, r2poCritic], played: ['median'], keeps: best },
  props: { calls: oneCall, shows: [blind], played: [], keeps: only },
  'props-plus': { calls: oneCall, shows: [informed], played: [], keeps: only },
  reptraj: { calls: twoCalls, shows: [blind, oneEpisode], played: ['mean'], keeps: best },
  'always-critic': {
    calls: twoCalls,
    shows: [blind, oneEpisode],
    played: ['mean'],
    keeps: { better: 'revision', tie: 'revision' },
  },
  'three-traj': {
    calls: twoCalls,
    shows: [blind, [...reviewed, 'worstExcerpt', 'medianExcerpt', 'bestExcerpt', 'noRepeats']],
    played: ['worst', 'median', 'best'],
    keeps: best,
  },
  'critic-only': {
    calls: oneCall,
    shows: [[...informed, 'lastEpisode', 'excerpts', 'noRepeats']],
    played: [],
    keeps: only,
  },
  'pure-search': {
    calls: ['ask search', 'ask search', 'evaluate proposal', 'evaluate revision'],
    shows: [blind, blind],
    played: [],
    keeps: best,
  },
  'actor-second-pass': {
    calls: ['ask search', 'evaluate proposal', 'ask search', 'evaluate revision'],
    shows: [blind, [...blind, 'firstProposal']],
    played: [],
    keeps: best,
  },
  centaur: { calls: ['ask search', 'generation proposal'], shows: [informed], played: [], keeps: only },
  tuned: {
    calls: ['ask search', 'evaluate proposal', 'refine', 'evaluate refinement'],
    shows: [informed],
    played: [],
    keeps: { better: 'proposal', tie: 'refinement' },
  },
  'es-critic': {
    calls: ['generation proposal', 'ask critic', 'evaluate revision'],
    shows: [r2poCritic],
    played: ['median'],
    keeps: best,
  },
};

const askingMethods = [...llmMethods, ...hybridMethods];

it('covers every method', () => {
  expect(askingMethods.map((m) => m.id).sort()).toEqual(Object.keys(table).sort());
});

/** Three candidates; no shipped method has more than two. */
const reviewedTwice = defineMethod({
  ...r2po,
  id: 'reviewed-twice',
  title: 'R2PO with a second review',
  about: 'Its row shows that the checks of the table fit a third candidate.',
  stages: [...r2po.stages, 'critic', 'evaluate'],
  candidates: ['proposal', 'revision', 'second-revision'],
});
const reviewedTwiceRow: Expected = {
  calls: [...twoCalls, 'ask critic', 'evaluate second-revision'],
  shows: [blind, r2poCritic, r2poCritic],
  played: ['median', 'median'],
  keeps: { better: 'proposal', tie: 'second-revision' },
};

const rows = Object.entries(table).map(([id, expected]) => ({ id, method: findLlmMethod(id), expected }));
rows.push({ id: reviewedTwice.id, method: reviewedTwice, expected: reviewedTwiceRow });

describe.each(rows)('$id', ({ id, method, expected }) => {
  const calls = (log: readonly string[]) => log.map((line) => line.replace(/^(ask \w+) 0 in 12$/, '$1'));

  it('makes its calls in order and shows each what it may see', async () => {
    const script = scripted(
      good,
      method.candidates.map((_, i) => 120 + 220 * i),
    );
    await runIteration(method, context, script.effects);
    expect(calls(script.log)).toEqual(expected.calls);
    expect(script.played).toEqual(expected.played);
    expect(script.prompts).toHaveLength(expected.shows.length);
    script.prompts.forEach((messages, i) => {
      expect(messages.map(({ role }) => role)).toEqual(['user']);
      const text = messages[0]!.content;
      const shown = (Object.keys(facts) as Fact[]).filter((fact) => text.includes(facts[fact](context)));
      expect(shown.sort(), `call ${i + 1}`).toEqual([...expected.shows[i]!].sort());
      expect(text).toContain('Iteration 12 of 83.');
      expect(text).toContain('with at most 2 decimals');
      expect(text.endsWith('the first line begins with "params[0]:".')).toBe(true);
    });
  });

  it('keeps the candidate of its rule, which enters the history', async () => {
    const keptOf = async (meanOf: (candidate: number) => number) => {
      const means = method.candidates.map((_, i) => meanOf(i));
      const outcome = await runIteration(method, context, scripted(good, means).effects);
      const kept = outcome.candidates.find(({ label }) => label === outcome.kept);
      expect(outcome.trial).toEqual({ kind: 'iteration', params: kept?.params, mean: kept?.mean });
      return outcome.kept;
    };
    expect(await keptOf((i) => 120 - 0.5 * i)).toBe(expected.keeps.better);
    expect(await keptOf(() => 120)).toBe(expected.keeps.tie);
  });

  it('has a short text for the list', () => {
    const others = askingMethods.filter((other) => other.id !== id);
    expect(others.map((other) => other.title)).not.toContain(method.title);
    expect(others.map((other) => other.about)).not.toContain(method.about);
    for (const text of [method.title, method.about]) expect(text.length).toBeLessThan(140);
  });
});

describe('tables of actions', () => {
  const policy = buildPolicy('tabular', frozenlake);
  const past = trials.map((trial, i) => ({
    ...trial,
    params: Array.from({ length: 16 }, (_, s) => (s + i) % 4),
    trace: async () => ({ ...traceOf(20 + i, 20 + i), steps: lakeSteps(20 + i) }),
  }));
  const lakeSteps = (length: number) =>
    Array.from({ length }, (_, t) => ({ state: [t % 16], obs: [t % 16], action: [(t + length) % 4], reward: 0 }));
  const lake: PromptContext = { ...context, env: frozenlake, policy, trials: past };
  const reply = `${Array.from({ length: 16 }, (_, i) => `params[${i}]: ${i % 4}`).join(', ')}\nA reason.`;

  async function promptsOf(id: string, of: PromptContext): Promise<string[]> {
    const script = scripted([reply, reply], [0.5, 0.6]);
    await runIteration(findLlmMethod(id), of, script.effects);
    return script.prompts.map((messages) => messages[0]!.content);
  }

  it.each(askingMethods.map((m) => m.id))('are asked for by %s with their allowed values and no step', async (id) => {
    for (const text of await promptsOf(id, lake)) {
      expect(text).toContain('- allowed values: 0, 1, 2, 3');
      expect(text).not.toMatch(/exploration step|decimals|by (more than|about) 0.75/);
    }
  });

  it('are shown to ProPS+ with an episode of each trial, the newest that fit', async () => {
    const [whole] = await promptsOf('props-plus', lake);
    expect(whole).toContain('  return 21, length 21 steps');
    expect(whole).toContain('  return 20, length 20 steps');
    expect(whole).not.toContain('left out');
    const [short] = await promptsOf('props-plus', { ...lake, settings: { ...settings, trajectoryTokens: 350 } });
    expect(short).toContain('  return 21, length 21 steps');
    expect(short).not.toContain('return 20, length 20 steps');
    expect(short).toMatch(/^trial 1: .*\n\(Episodes up to here are left out.\)\ntrial 2: /m);
  });

  it('keep the beginning of the prompt for most trials, although episodes are dropped', async () => {
    const many = Array.from({ length: 40 }, (_, i) => ({
      ...past[i % 2]!,
      mean: i,
      trace: async () => ({ ...traceOf(20, i), steps: lakeSteps(20) }),
    }));
    const texts: string[] = [];
    for (let n = 1; n <= many.length; n++) {
      const of = { ...lake, trials: many.slice(0, n), settings: { ...settings, trajectoryTokens: 2500 } };
      texts.push((await promptsOf('props-plus', of))[0]!);
      expect(estimateTokens(texts[n - 1]!)).toBeLessThan(2500 + 3000);
      expect(texts[n - 1]).toContain(`trial ${n}: `);
      expect(texts[n - 1]).toContain(`return 20, length 20 steps`);
    }
    const kept = texts.slice(1).filter((text, i) => {
      const history = texts[i]!.slice(0, texts[i]!.indexOf('\n\n## Progress'));
      return text.startsWith(history);
    });
    expect(kept.length).toBeGreaterThan(30);
    expect(kept.length).toBeLessThan(39);
  });
});

describe('settings of the evidence', () => {
  it('leaves spread, quantiles and end causes out of basic statistics', async () => {
    const script = scripted(good, [120, 340]);
    const basic = { ...context, settings: { ...settings, statistics: 'basic' as const } };
    await runIteration(findLlmMethod('r2po'), basic, script.effects);
    const critic = script.prompts[1]![0]!.content;
    expect(critic).toContain('- return: mean 120, lowest 61, highest 388');
    expect(critic).toContain('successes: 3 of 17');
    expect(critic).not.toMatch(/standard deviation|quantiles|truncated:/);
  });

  it('names no environment, observation or action without knowledge', async () => {
    const prompt = { ...settings.prompt, knowledge: 'none' as const };
    for (const { id } of askingMethods) {
      const script = scripted(good, [120, 340]);
      await runIteration(findLlmMethod(id), { ...context, settings: { ...settings, prompt } }, script.effects);
      for (const { content } of script.prompts.map((messages) => messages[0]!)) {
        expect(content).not.toMatch(/CartPole|\bcart\b|\bpole\b|theta|x_dot|push|## Environment/);
      }
    }
  });

  it('counts from 0, prints two decimals and asks for an explanation, where that is asked for', async () => {
    const prompt = { knowledge: 'reference', explanation: 'reasoning', rewardDecimals: 2, countFrom: 0 } as const;
    const of = { ...context, settings: { ...settings, prompt, trajectoryTokens: null } };
    const script = scripted(good, [120.129, 340]);
    await runIteration(findLlmMethod('r2po'), of, script.effects);
    const [search, critic] = script.prompts.map((messages) => messages[0]!.content);
    for (const text of [search, critic]) {
      expect(text).toMatch(/^trial 0: .* = 21$/m);
      expect(text).toMatch(/^trial 1: .* = 234.57$/m);
      expect(text).toContain('Iteration 11 of 83.');
      expect(text).toContain('explain what you changed and why');
    }
    expect(critic).toContain('mean_reward = 120.13');
    expect(critic).not.toContain('left out');
    expect(critic).toContain(describeEnvironment(cartpole, 'reference'));
  });

  it('shows excerpts of the last trials only, each made once', async () => {
    let played = 0;
    const counted = trials.map((trial) => ({
      ...trial,
      trace: () => {
        played++;
        return trial.trace();
      },
    }));
    const of = (historyExcerpts: number) => ({
      ...context,
      trials: counted,
      settings: { ...settings, historyExcerpts },
    });
    const critic = async (excerpts: number): Promise<string> => {
      const script = scripted(good, [120, 340]);
      await runIteration(findLlmMethod('reptraj'), of(excerpts), script.effects);
      return script.prompts[1]![0]!.content;
    };
    expect(await critic(0)).not.toContain('an episode of it');
    expect(played).toBe(0);
    const one = await critic(1);
    expect(one).toContain('trial 2, an episode of it (return 235, 235 steps, terminated):');
    expect(one).toContain('... 227 steps are left out here (5 to 231)');
    expect(one).not.toContain('an episode of it (return 21');
    expect(await critic(2)).toContain('trial 1, an episode of it (return 21, 21 steps, terminated):');
    expect(played).toBe(2);
  });

  it('shows what a change of each parameter does, where that is asked for', async () => {
    const script = scripted(good, [120, 340]);
    const asked = { ...context, settings: { ...settings, sensitivityEpisodes: 29 } };
    await runIteration(findLlmMethod('r2po'), asked, script.effects);
    expect(script.log).toEqual([
      'ask search 0 in 12',
      'evaluate proposal',
      'sensitivity',
      'ask critic 0 in 12',
      'evaluate revision',
    ]);
    const critic = script.prompts[1]![0]!.content;
    expect(critic).toContain('over the same 29 episodes:');
    expect(critic).toContain('- params[0] from 1 to 0.25: -12.5 (95 % interval -15 to -10)');
    expect(critic).toContain('- params[3] from 1 to 1.75: +3.25 (95 % interval 0.75 to 5.75)');
    expect(script.prompts[0]![0]!.content).not.toContain('interval');
  });

  it('lets a paired test decide, and keeps the later one where it cannot', async () => {
    const kept = async (p: number, means: readonly number[]) => {
      const test = { difference: means[1]! - means[0]!, ci95: null, p };
      return runIteration(findLlmMethod('r2po'), context, scripted(good, means, test).effects);
    };
    expect((await kept(0.04, [120, 119])).kept).toBe('proposal');
    const open = await kept(0.06, [120, 119]);
    expect(open.kept).toBe('revision');
    expect(open.why).toBe(
      'the revision (mean 119) and the proposal (mean 120) cannot be told apart (p = 0.06 on common seeds); the later one is kept',
    );
    expect((await kept(0.01, [120, 340])).kept).toBe('revision');
  });

  it('sends parameters of the history back once, where that is asked for', async () => {
    const repeat = replyOf(trials[1]!.params);
    const asked = { ...context, settings: { ...settings, duplicates: 'repair' as const } };
    const mended = scripted([repeat, good[0]!], [120]);
    await runIteration(findLlmMethod('props'), asked, mended.effects);
    expect(mended.problems).toEqual([
      'That is trial 2. Change at least 2 of its numbers, for example params[2] and params[7].',
    ]);
    expect(mended.evaluated[0]!.params).toEqual(vector(1));
    // Where a grammar holds the reply, it cannot be the same again.
    const [two, seven] = [2, 7].map((index) => ({ index, value: trials[1]!.params[index] }));
    expect(mended.forbidden).toEqual([[], [two, seven]]);
    const insists = scripted([repeat, repeat], [120]);
    await runIteration(findLlmMethod('props'), asked, insists.effects);
    expect(insists.log).toEqual(['ask search 0 in 12', 'refused search 0', 'ask search 1 in 12', 'evaluate proposal']);
    const allowed = scripted([repeat], [120]);
    await runIteration(findLlmMethod('props'), context, allowed.effects);
    expect(allowed.problems).toEqual([]);
  });

  it('shows no episode where there is no trial yet', async () => {
    const script = scripted(good, [120]);
    await runIteration(findLlmMethod('critic-only'), { ...context, trials: [] }, script.effects);
    const text = script.prompts[0]![0]!.content;
    expect(text).toContain('There are no earlier trials.');
    expect(text).not.toMatch(/^## (?:An episode|Excerpts)/m);
  });
});
