/**
 * Keys without an effect on the run: another key decides that nothing reads them. A key that the user has set for this run
 * is refused then; one of settings that several methods share, or of a recorded run, stays.
 */
import { findEnv } from '../envs/registry.ts';
import { offline } from '../llm/offline/index.ts';
import { findLlmMethod } from '../methods/index.ts';
import { type Method, type PromptContent, type Purpose, purposes } from '../methods/method.ts';
import { buildPolicy } from '../policies/index.ts';
import type { Policy } from '../policies/policy.ts';
import { purposeSettings } from './purpose.ts';
import { asksModels, type Config, type LlmConfig, type OptimiserConfig } from './schema.ts';

export interface Idle {
  /** dotted */
  readonly key: string;
  /** dotted keys that decide; where one of them is overridden, a file is taken to have been written for another value */
  readonly decidedBy: readonly string[];
  /** as the end of "which has no effect: ..." */
  readonly reason: string;
}

interface Units {
  readonly config: LlmConfig;
  readonly method: Method;
  readonly policy: Policy;
  /** purposes whose calls an iteration makes */
  readonly asked: readonly Purpose[];
}

interface Rule {
  readonly keys: readonly string[];
  readonly decidedBy: readonly string[];
  /** null: they have an effect */
  reason(units: Units): string | null;
}

const unless = (holds: boolean, reason: string): string | null => (holds ? null : reason);

/** A setting of what the prompts of some methods show. */
function shownRule(key: string, content: PromptContent, what: string): Rule {
  return {
    keys: [key],
    decidedBy: ['method'],
    reason: ({ method }) => unless(method.shows.includes(content), `the prompts of ${method.id} show no ${what}`),
  };
}

/** Settings of the calls of one purpose. */
const samplingKeys = [
  'temperature',
  'top_p',
  'stop',
  'reply_form',
  'max_reply_tokens',
  'reasoning_effort',
  'think',
  'extra_body',
] as const;

/** Settings of requests to an endpoint, whatever their purpose. */
const requestKeys = [
  'seed',
  'num_ctx',
  'keep_alive',
  'headers',
  'fallback',
  'timeout_s',
  'idle_timeout_s',
  'max_concurrent',
  'min_spacing_s',
  'max_attempts',
] as const;

const parameterKeys = ['low', 'high', 'decimals', 'out_of_range'] as const;

const isOffline = (config: LlmConfig, purpose: Purpose): boolean =>
  purposeSettings(config, purpose).model === offline.id;
const offlineReason = 'the offline model is no language model and reads the text of the prompt only';
const modelKeys = ['model', 'llm.critic.model'];

const llmRules: readonly Rule[] = [
  {
    keys: [...samplingKeys, ...requestKeys].map((key) => `llm.${key}`),
    decidedBy: modelKeys,
    reason: ({ config, asked }) =>
      unless(
        asked.some((purpose) => !isOffline(config, purpose)),
        offlineReason,
      ),
  },
  ...purposes.map(
    (purpose): Rule => ({
      keys: samplingKeys.map((key) => `llm.${purpose}.${key}`),
      decidedBy: modelKeys,
      reason: ({ config }) => unless(!isOffline(config, purpose), offlineReason),
    }),
  ),
  ...samplingKeys
    .filter((key) => key !== 'extra_body')
    .map((key): Rule => {
      const own = purposes.map((purpose) => `llm.${purpose}.${key}`);
      return {
        keys: [`llm.${key}`],
        decidedBy: own,
        reason: ({ config: { llm }, asked }) =>
          unless(
            asked.some((purpose) => llm[purpose][key] === undefined),
            `${asked.map((purpose) => `llm.${purpose}.${key}`).join(' and ')} replace${asked.length === 1 ? 's' : ''} it`,
          ),
      };
    }),
];

const rules: readonly Rule[] = [
  shownRule('prompt.knowledge', 'environment', 'description of the environment'),
  shownRule('critic.conservative_threshold', 'threshold', 'conservative threshold'),
  shownRule('critic.statistics', 'statistics', 'statistics'),
  shownRule('critic.history_excerpts', 'excerpts', 'excerpts of episodes'),
  {
    keys: ['critic.trajectory_tokens'],
    decidedBy: ['method', 'policy', 'env'],
    reason: ({ method: { shows, id }, policy }) =>
      unless(
        shows.includes('episodes') || (shows.includes('episodes of tables') && policy.values.kind === 'choice'),
        `the prompts of ${id} show no whole episodes${shows.includes('episodes of tables') ? ' with this policy' : ''}`,
      ),
  },
  {
    keys: ['critic.sensitivity_episodes', ...['model', ...samplingKeys].map((key) => `llm.critic.${key}`)],
    decidedBy: ['method'],
    reason: ({ method, asked }) => unless(asked.includes('critic'), `${method.id} makes no critic calls`),
  },
  {
    keys: ['selection'],
    decidedBy: ['method'],
    reason: ({ method: { keep, candidates, id } }) =>
      unless(
        keep === 'best' && candidates.length > 1,
        candidates.length > 1 ? `${id} always keeps its ${keep}` : `${id} has one candidate in an iteration`,
      ),
  },
  {
    keys: ['search.history'],
    decidedBy: ['iterations', 'warmup.policies', 'warmup.dir'],
    reason: ({ config: { search, warmup, iterations } }) => {
      const most = warmup.policies + iterations;
      const isWide = search.history !== null && warmup.dir === null && search.history >= most;
      return unless(!isWide, `a run has at most ${most} trials`);
    },
  },
  {
    keys: ['warmup.policies', 'warmup.spread', 'warmup.inside'],
    decidedBy: ['warmup.dir'],
    reason: ({ config: { warmup } }) => unless(warmup.dir === null, 'the trials of warmup.dir replace random policies'),
  },
  {
    keys: ['warmup.spread', 'warmup.inside'],
    decidedBy: ['warmup.policies'],
    reason: ({ config }) => unless(config.warmup.policies > 0, 'there are no warm-up policies (warmup.policies is 0)'),
  },
  {
    keys: ['warmup.spread', 'warmup.inside', 'search.step_size', ...parameterKeys.map((key) => `parameters.${key}`)],
    decidedBy: ['policy', 'env'],
    reason: ({ policy: { values, kind } }) =>
      unless(values.kind === 'real', `the parameters of a ${kind} policy are numbers of actions`),
  },
  {
    keys: ['search.proposals'],
    decidedBy: ['method'],
    reason: ({ config, asked, method }) => {
      if (!asked.includes('search')) return `${method.id} makes no search calls`;
      return unless(
        config.optimiser?.share === undefined,
        `optimiser.share is the part of ${method.id} that the model proposes`,
      );
    },
  },
  {
    keys: ['search.proposals_by'],
    decidedBy: ['method', 'search.proposals'],
    reason: ({ config, asked, method }) => {
      if (!asked.includes('search')) return `${method.id} makes no search calls`;
      const several = (config.search.proposals ?? 1) > 1 || config.optimiser?.share !== undefined;
      return unless(several, 'a search asks for one proposal (search.proposals is 1)');
    },
  },
  {
    keys: samplingKeys.map((key) => `llm.search.${key}`),
    decidedBy: ['method'],
    reason: ({ method, asked }) => unless(asked.includes('search'), `${method.id} makes no search calls`),
  },
  {
    keys: ['grid', 'sigma', 'adapt_sigma', 'target_success'].map((key) => `optimiser.${key}`),
    decidedBy: ['policy', 'env'],
    reason: ({ policy: { values, kind } }) =>
      unless(values.kind === 'real', `the parameters of a ${kind} policy are numbers of actions`),
  },
  {
    keys: ['optimiser.mutation_rate'],
    decidedBy: ['policy', 'env'],
    reason: ({ policy: { values, kind } }) =>
      unless(values.kind === 'choice', `a ${kind} policy is no table of actions`),
  },
  ...llmRules,
];

/** The same of a search with an optimiser. */
function idleOfOptimiser({ env, env_options, policy, optimiser }: OptimiserConfig): Idle[] {
  const { values, kind } = buildPolicy(policy.kind, findEnv(env, env_options), policy.options);
  if (values.kind === 'choice') {
    const reason = `the parameters of a ${kind} policy are numbers of actions`;
    return ['low', 'high', 'decimals'].map((key) => ({
      key: `parameters.${key}`,
      decidedBy: ['policy', 'env'],
      reason,
    }));
  }
  if (optimiser.grid) return [];
  const reason = 'candidates are not rounded (optimiser.grid is false)';
  return [{ key: 'parameters.decimals', decidedBy: ['optimiser.grid', 'method'], reason }];
}

/** The keys of a valid configuration that have no effect on its run. */
export function idleKeys(config: Config): Idle[] {
  if (!asksModels(config)) return idleOfOptimiser(config);
  const method = findLlmMethod(config.method);
  const env = findEnv(config.env, config.env_options);
  const policy = buildPolicy(config.policy.kind, env, config.policy.options);
  const asked = purposes.filter((purpose) => method.stages.includes(purpose));
  return rules.flatMap(({ keys, decidedBy, reason }) => {
    const found = reason({ config, method, policy, asked });
    return found === null ? [] : keys.map((key) => ({ key, decidedBy, reason: found }));
  });
}
