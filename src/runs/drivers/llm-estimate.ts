/**
 * What a run will take, before it takes it: calls and episodes counted from the method, tokens from the prompts of its
 * first and of its last iteration, made from policies that are drawn at random and played.
 */
import { estimateTokens } from '../../base/tokens.ts';
import { refinementOf, startOptimisation } from '../../config/optimisation.ts';
import { purposeSettings } from '../../config/purpose.ts';
import { evaluate } from '../../evaluation/evaluate.ts';
import { sensitivity } from '../../evaluation/sensitivity.ts';
import { runIteration } from '../../methods/interpreter.ts';
import { type Effects, noRemarks, type PastTrial, type Purpose, purposes, type Stage } from '../../methods/method.ts';
import { sensitivityChanges } from '../../methods/settings.ts';
import { warmupParameters } from '../../methods/warmup.ts';
import type { Backend } from '../../rollout/backend.ts';
import { stepLimit, type Trace } from '../../rollout/job.ts';
import { type EpisodePick, unlessBroken } from '../../rollout/statistics.ts';
import { costOf, priceDate, priceOf } from '../models/cost.ts';
import type { LlmUnits } from '../resolve-units.ts';
import { deriveGenerator, deriveSeed } from '../seeds.ts';
import type { CostEstimate, TokenCounts } from './driver.ts';
import { MethodOptimiser } from './method-optimiser.ts';
import { readRecordedTrials } from './recorded-trials.ts';

/** Of the calls of one purpose in one iteration. */
interface CallTokens {
  prompt: number;
  completion: number;
  /** prompt and reply of the longest */
  longest: number;
}

interface OneIteration {
  readonly calls: number;
  readonly evaluations: number;
  readonly sensitivityEpisodes: number;
  readonly refinementEpisodes: number;
  readonly tokens: Readonly<Record<Purpose, CallTokens>>;
}

/** Plays nothing that counts: its policies are random, and nothing is written. */
export async function estimateSearch(
  units: LlmUnits,
  backend: Backend,
  counts: TokenCounts = {},
): Promise<CostEstimate> {
  const { config, settings } = units;
  const warmups = warmupsOf(units);
  const pass = { units, backend, counts, warmups };
  const first = await oneIteration(pass, 1);
  const last = settings.iterations === 1 ? first : await oneIteration(pass, settings.iterations);
  const longestEpisodes = await oneIteration({ ...pass, stretched: true }, settings.iterations);
  // The history grows by a line an iteration.
  const sum = (from: number, to: number): number => Math.round(((from + to) / 2) * settings.iterations);
  const paid = purposes.map((purpose) => ({
    price: priceOf(config, purposeSettings(config, purpose).model),
    promptTokens: sum(first.tokens[purpose].prompt, last.tokens[purpose].prompt),
    completionTokens: sum(first.tokens[purpose].completion, last.tokens[purpose].completion),
    cachedTokens: null,
    cacheWriteTokens: null,
  }));
  const costs = paid
    .filter(({ promptTokens }) => promptTokens > 0)
    .map(({ price, ...tokens }) => costOf(price, tokens));
  const { price } = paid[0]!;
  const longest = (purpose: Purpose) => longestEpisodes.tokens[purpose].longest || null;
  const perIteration =
    first.evaluations * settings.evaluationEpisodes + first.sensitivityEpisodes + first.refinementEpisodes;
  return {
    calls: first.calls * settings.iterations,
    // Recorded trials are not played.
    episodes: (settings.warmupDir === null ? warmups : 0) + perIteration * settings.iterations,
    recheck_episodes: config.recheck.episodes + (config.evaluation.holdout ?? 0),
    prompt_tokens: paid.reduce((total, { promptTokens }) => total + promptTokens, 0),
    completion_tokens: paid.reduce((total, { completionTokens }) => total + completionTokens, 0),
    longest_call_tokens: { search: longest('search'), critic: longest('critic') },
    cost_usd: costs.reduce((total, cost) => (total === null || cost === null ? null : total + cost), 0),
    price_date: priceDate(price),
    price_source: price?.source ?? null,
  };
}

const warmupsOf = ({ settings, policy }: LlmUnits): number =>
  settings.warmupDir === null
    ? settings.warmupPolicies
    : readRecordedTrials(settings.warmupDir, policy.paramCount).length;

/** The most episodes of the search: every call gives different proposals, and each of them is played. */
export function plannedEpisodes(units: LlmUnits): number {
  const { config, settings, env, policy, method } = units;
  const each = settings.evaluationEpisodes;
  const changes = policy.paramCount * (policy.values.kind === 'choice' ? policy.values.values.length - 1 : 2);
  const ofStage: Readonly<Record<Stage, () => number>> = {
    search: () => 0,
    critic: () => (changes + 1) * (settings.sensitivityEpisodes ?? 0),
    evaluate: () => each,
    generation: () => startOptimisation(config, env, policy).population * each,
    refine: () => refinementOf(config)?.episodes ?? 0,
  };
  const further = (settings.proposals ?? 1) - 1;
  const searches = method.stages.filter((stage) => stage === 'search').length;
  const perIteration = method.stages.reduce((sum, stage) => sum + ofStage[stage](), searches * further * each);
  const warmups = settings.warmupDir === null ? settings.warmupPolicies : 0;
  return warmups + settings.iterations * perIteration;
}

/** Random policies of which one can be played in any environment that a search can do something in. */
const maxOthers = 100;

/** The episode with its steps repeated until there are as many as an episode can have. */
function stretch(trace: Trace, steps: number): Trace {
  const { length } = trace.steps;
  return { ...trace, length: steps, steps: Array.from({ length: steps }, (_, i) => trace.steps[i % length]!) };
}

interface Pass {
  readonly units: LlmUnits;
  readonly backend: Backend;
  readonly counts: TokenCounts;
  readonly warmups: number;
  /** whether the prompts show the longest possible episodes: those of random policies are often shorter than those of good ones */
  readonly stretched?: boolean;
}

async function oneIteration(
  { units, backend, counts, warmups, stretched = false }: Pass,
  iteration: number,
): Promise<OneIteration> {
  const { config, settings, env, policy, method } = units;
  const inside = { ...settings, warmupInside: true };
  const draw = (index: number): number[] =>
    warmupParameters(policy, inside, deriveGenerator(config.seed, 'warmupParameters', index));
  const seed = deriveSeed(config.seed, 'evaluation', 0);
  const job = { env, policy, episodes: 1, seed, maxSteps: settings.maxSteps };
  const { steps } = stepLimit({ ...job, candidates: [] });
  const shown = async (played: Promise<Trace>) => (stretched ? stretch(await played, steps) : played);
  const trace = (params: readonly number[]) =>
    shown(backend.trace({ ...job, candidates: [Float64Array.from(params)] }, 0, 0));
  const trials = Array.from({ length: warmups + iteration - 1 }, (_, i): PastTrial => {
    const params = draw(i);
    const kind = i < warmups ? 'warmup' : 'iteration';
    // Digits of a measured mean.
    return { kind, params, mean: 123.456, trace: () => trace(params) };
  });
  const none = (): CallTokens => ({ prompt: 0, completion: 0, longest: 0 });
  const tokens: Record<Purpose, CallTokens> = { search: none(), critic: none() };
  const total = { calls: 0, evaluations: 0, sensitivityEpisodes: 0, refinementEpisodes: 0, tokens };
  const view = MethodOptimiser.of(units)?.prepare(units, iteration);
  const playedOnce = async (params: readonly number[]) => {
    const candidates = [Float64Array.from(params)];
    const { summaries, trace: replay } = await evaluate({ ...job, backend, candidates, episodes: 3 });
    return { summary: summaries[0]!, paired: null, trace: (pick: EpisodePick) => shown(replay(0, pick)) };
  };
  /** Of other parameters where the episodes of these break. */
  const played = async (params: readonly number[]) => {
    for (let other = 0; other < maxOthers; other++) {
      const result = await unlessBroken(playedOnce(other === 0 ? params : draw(4_000_000 + other)));
      if (result !== null) return result;
    }
    return playedOnce(params);
  };
  const bestOf = async (proposed: readonly { readonly params: readonly number[] }[], among: number) => {
    const params = proposed[0]?.params ?? draw(3_000_000);
    return { ...(await played(params)), params, means: proposed.map(() => 123.456), among };
  };
  const effects: Effects = {
    async ask({ messages, purpose, sets }) {
      // None of the history, which would be sent back.
      const lines = Array.from({ length: sets }, (_, set) =>
        draw(1_000_000 + total.calls * sets + set)
          .map((value, i) => `params[${i}]: ${value}`)
          .join(', '),
      );
      const text = `${lines.join('\n')}\nOne sentence that says why.`;
      total.calls += 1;
      const count = counts[purpose] ?? estimateTokens;
      const asked = (await messages('lines')).reduce((sum, { content }) => sum + count(content), 0);
      const replied = count(text);
      const of = tokens[purpose];
      of.prompt += asked;
      of.completion += replied;
      of.longest = Math.max(of.longest, asked + replied);
      return { text, reasoning: null, finish: 'stop', tokens: replied };
    },
    sideBySide() {},
    notice() {},
    async refused() {
      total.calls -= 1;
    },
    async evaluate({ params }) {
      total.evaluations += 1;
      return played(params);
    },
    async evaluateTogether({ proposed }) {
      total.evaluations += proposed.length;
      return bestOf(proposed, proposed.length);
    },
    async generation({ proposed }) {
      const { population } = view!;
      total.evaluations += population;
      return bestOf(proposed, population);
    },
    async refine() {
      const { population } = startOptimisation(config, env, policy);
      const { episodes, each } = refinementOf(config)!;
      total.refinementEpisodes += Math.floor(episodes / (population * each)) * population * each;
      return draw(2_000_000);
    },
    async sensitivity({ params }) {
      const measured = await sensitivity(backend, job, params, sensitivityChanges(settings));
      total.sensitivityEpisodes += (measured.effects.length + 1) * (settings.sensitivityEpisodes ?? 0);
      return measured;
    },
  };
  const context = { env, policy, settings, iteration, trials, remarks: noRemarks, ...(view && { optimiser: view }) };
  await runIteration(method, context, effects);
  return total;
}
