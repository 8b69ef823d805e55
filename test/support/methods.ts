/** A run in the middle, with a scripted model: numbers that differ everywhere, so that a mix-up shows. */
import { cartpole } from '../../src/envs/cartpole/index.ts';
import type { Summary } from '../../src/evaluation/summary.ts';
import type { Message } from '../../src/llm/chat.ts';
import type { ForbiddenValue, ReplyForm } from '../../src/llm/reply/shape.ts';
import {
  type AskedReply,
  type Effects,
  noRemarks,
  type PastTrial,
  type PromptContext,
  type ProposedParameters,
} from '../../src/methods/method.ts';
import type { SearchSettings } from '../../src/methods/settings.ts';
import { buildPolicy } from '../../src/policies/index.ts';
import type { Trace } from '../../src/rollout/job.ts';
import { type EpisodePick, episodePicks } from '../../src/rollout/statistics.ts';
import type { PairedTest } from '../../src/stats/intervals.ts';

export const settings: SearchSettings = {
  prompt: { knowledge: 'full', explanation: 'sentence', rewardDecimals: null, countFrom: 1 },
  iterations: 83,
  parameters: { low: -7, high: 9, decimals: 2, outOfRange: 'refuse' },
  optimum: 512,
  stepSize: 0.75,
  conservativeThreshold: 486,
  successThreshold: 498,
  trajectoryTokens: 3000,
  statistics: 'full',
  historyExcerpts: 2,
  sensitivityEpisodes: null,
  selection: 'mean',
  historyWindow: null,
  duplicates: 'allow',
  repairTurns: 2,
  warmupPolicies: 2,
  warmupSpread: 3,
  warmupInside: true,
  warmupDir: null,
  evaluationEpisodes: 17,
  maxSteps: null,
};

export const trials: PastTrial[] = [
  { kind: 'warmup', params: [1.5, -2, 0, 3, 4, 5, 6, 7, 8, 8.5], mean: 21, trace: () => pastTrace(21) },
  {
    kind: 'iteration',
    params: [-1.25, 2, 0, -3, 4, -5, 6, -6, 8, -6.5],
    mean: 234.5678,
    trace: () => pastTrace(235),
  },
];

async function pastTrace(length: number): Promise<Trace> {
  return traceOf(length, length);
}

export const policy = buildPolicy('linear', cartpole);
export const context: PromptContext = {
  env: cartpole,
  policy,
  settings,
  iteration: 12,
  callNumber: 1,
  sets: 1,
  sideBySide: 1,
  replyText: 'lines',
  trials,
  remarks: noRemarks,
};

export const vector = (first: number) => [first, 0.5, -0.5, 1, -1, 2, -2, 3, -3, 4];
export const replyOf = (params: readonly number[]) =>
  `${params.map((value, i) => `params[${i}]: ${value}`).join(', ')}\nA short reason.`;

/** An episode of this length, as it would be with this seed. */
export function traceOf(length: number, seed: number): Trace {
  return {
    env: cartpole.id,
    seed,
    return: length,
    length,
    end: 'terminated',
    steps: Array.from({ length }, (_, t) => ({
      state: [0, 0, 0, 0],
      obs: [0.0137 * t, 0.2, -0.003, seed / 1000],
      action: [t % 2],
      reward: 1,
    })),
    finalState: [0, 0, 0, 0],
  };
}

/** Lengths of the episodes that stand for a proposal. */
const lengths = { median: 151, mean: 163, worst: 61, best: 388, first: 99 } as const;
export const trace = traceOf(lengths.median, 1003);
export const traces = Object.fromEntries(
  episodePicks.map((pick) => [pick, pick === 'median' ? trace : traceOf(lengths[pick], 2000 + lengths[pick])]),
) as Record<EpisodePick, Trace>;

const episode = (length: number, index: number) => ({ index, seed: 1000 + index, return: length, length });
const picked = {
  median_episode: episode(lengths.median, 3),
  mean_episode: episode(lengths.mean, 5),
  worst_episode: episode(lengths.worst, 7),
  best_episode: episode(lengths.best, 11),
  first_episode: episode(lengths.first, 0),
};

export function summaryOf(mean: number): Summary {
  return {
    episodes: 17,
    mean,
    std: 33.25,
    stderr: 8,
    ci95: [100, 200],
    min: 61,
    max: 388,
    median: 150,
    quantiles: { '0.05': 62.5, '0.25': 93, '0.5': 150, '0.75': 222, '0.95': 377 },
    success: { threshold: 498, count: 3, rate: 3 / 17 },
    length: { mean: 163.5, min: 64, max: 391 },
    ends: { terminated: 13, truncated: 4, capped: 0 },
    ...picked,
    steps: 2780,
  };
}

/** Effects that answer from lists, and write down what they were asked. */
export function scripted(
  replies: readonly (string | Partial<AskedReply>)[],
  means: readonly number[],
  test: PairedTest | null = null,
  form: ReplyForm = 'lines',
) {
  const log: string[] = [];
  const prompts: (readonly Message[])[] = [];
  const problems: string[] = [];
  const forbidden: (readonly ForbiddenValue[])[] = [];
  const notices: string[] = [];
  const evaluated: { params: readonly number[]; adjustments: readonly string[] }[] = [];
  let asked = 0;
  const played: EpisodePick[] = [];
  /** The last one is the best. */
  const bestOf = (proposed: readonly ProposedParameters[]) => {
    const mean = means[evaluated.length]!;
    const best = proposed.at(-1)!;
    evaluated.push(best);
    const trace = async (pick: EpisodePick) => {
      played.push(pick);
      return traces[pick];
    };
    const { length } = proposed;
    const each = proposed.map((_, i) => mean - (length - 1 - i));
    return { summary: summaryOf(mean), paired: null, trace, params: best.params, means: each, among: length };
  };
  const effects: Effects = {
    async ask({ iteration, purpose, attempt, messages, forbidden: values }) {
      forbidden.push(values);
      log.push(`ask ${purpose} ${attempt} in ${iteration}`);
      prompts.push(await messages(form));
      const reply = replies[asked++];
      const whole = { text: '', reasoning: null, finish: 'stop', tokens: 40 } as const;
      return typeof reply === 'string' ? { ...whole, text: reply } : { ...whole, ...reply };
    },
    notice(text) {
      notices.push(text);
    },
    async refused({ purpose, attempt, problem }) {
      log.push(`refused ${purpose} ${attempt}`);
      problems.push(problem);
    },
    async evaluate({ candidate, params, adjustments }) {
      log.push(`evaluate ${candidate}`);
      const mean = means[evaluated.length]!;
      evaluated.push({ params, adjustments });
      return {
        summary: summaryOf(mean),
        paired: evaluated.length > 1 ? test : null,
        trace: async (pick) => {
          played.push(pick);
          return traces[pick];
        },
      };
    },
    sideBySide() {},
    async evaluateTogether({ candidate, proposed }) {
      log.push(`evaluate ${proposed.length} as ${candidate}`);
      return bestOf(proposed);
    },
    async generation({ candidate, proposed }) {
      log.push(`generation ${candidate}`);
      return bestOf(proposed.length > 0 ? proposed : [{ params: vector(7), adjustments: [] }]);
    },
    async refine({ params }) {
      log.push('refine');
      return params.map((value) => value / 2);
    },
    async sensitivity({ params }) {
      log.push('sensitivity');
      const effect = (index: number, to: number, difference: number) => ({
        index,
        from: params[index]!,
        to,
        difference,
        ci95: [difference - 2.5, difference + 2.5] as const,
      });
      return { episodes: 29, steps: 999, effects: [effect(0, 0.25, -12.5), effect(3, 1.75, 3.25)] };
    },
  };
  return { effects, log, prompts, problems, forbidden, notices, evaluated, played };
}

/** Usable replies, more than a method has calls in one iteration. */
export const good = [1, 2, 3, 4, 5, 6].map((first) => replyOf(vector(first)));
