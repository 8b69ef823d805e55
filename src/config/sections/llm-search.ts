/** The configuration of a search with language models. */
import { z } from 'zod';
import {
  between,
  choice,
  fields,
  finite,
  flag,
  optional,
  orNull,
  part,
  positive,
  section,
  text,
  whole,
  withDefault,
} from '../../base/schema-fields.ts';
import { reasoningEfforts } from '../../llm/controls.ts';
import { replyForms } from '../../llm/reply/shape.ts';
import { explanations, knowledgeLevels, mostProposals, proposalForms } from '../../methods/settings.ts';
import { askingMethod, commonBudget, runKeys } from './run.ts';

/** Seeds of chat requests: many servers keep them in 32 bits. */
const maxModelSeed = 2 ** 31 - 1;
const day = 86_400;

const modelName = text('the name of a model');

/** What may differ between the search calls and the critic calls of a run. */
const sampling = {
  temperature: between(0, 2, orNull).nullable().describe('sampling temperature; null: not sent'),
  top_p: positive(1, 'number', orNull).nullable().describe('nucleus sampling: probability mass; null: not sent'),
  stop: z
    .array(text('a text that is not empty'), { error: 'a list of texts' })
    .max(16, { error: 'a list of at most 16 texts' })
    .describe('texts at which a reply ends'),
  reply_form: choice(['auto', ...replyForms]).describe(
    'how the form of replies is enforced: auto uses the strongest means of the endpoint (a grammar, a regular expression, a ' +
      'JSON schema, the prefix of a reply), else lines of text',
  ),
  max_reply_tokens: whole(16, 1_000_000, orNull)
    .nullable()
    .describe('maximum tokens of a reply, including reasoning; null: derived from the size of the reply'),
  reasoning_effort: choice(reasoningEfforts).nullable().describe('effort of a reasoning model; null: not sent'),
  think: flag(orNull).nullable().describe('whether a model that can reason does so; null: default of the model'),
  extra_body: fields('fields').describe('fields added to the body of each request'),
};

const usd = z.number({ error: 'a number of USD' }).min(0, { error: 'a number of USD of at least 0' });
const price = section('price of a model', {
  prompt_per_million: usd.describe('USD per million prompt tokens'),
  completion_per_million: usd.describe('USD per million completion tokens'),
  cached_per_million: usd.optional().describe('USD per million cached prompt tokens; default: prompt_per_million'),
  cache_write_per_million: usd
    .optional()
    .describe('USD per million prompt tokens written to a cache; default: prompt_per_million'),
  source: z
    .string({ error: 'a text' })
    .max(200, { error: 'a text of at most 200 characters' })
    .optional()
    .describe('source of the price'),
  date: z.iso.date({ error: 'a date as YYYY-MM-DD' }).describe('date of the price'),
});

/** In the order in which files are written. */
export const llmSearchSchema = section('a search run of r2po', {
  env: runKeys.env,
  env_options: runKeys.env_options,
  method: askingMethod,
  model: modelName
    .default('offline')
    .describe(
      'model that answers the prompts: offline (a numeric optimiser, not a language model), auto, ollama/<m>, openai/<m>, ' +
        'anthropic/<m>, gemini/<m>, openrouter/<vendor>/<m>, azure/<deployment>, http(s)://host:port/v1#<m>, gguf:<file>, or replay:<run folder>',
    ),
  settings: runKeys.settings,
  seed: runKeys.seed,
  iterations: runKeys.iterations,
  policy: runKeys.policy,
  parameters: runKeys.parameters,
  prompt: section('content of the prompts', {
    knowledge: choice(knowledgeLevels)
      .default('full')
      .describe(
        'description of the environment in prompts that have one: full; reference, the facts in the texts of the ' +
          'reference; none, not even observations and actions',
      ),
    explanation: choice(explanations)
      .default('sentence')
      .describe('explanation requested with the parameters: one short sentence, or the changes and their reasons'),
    reward_decimals: optional(whole(0, 12, orNull), 'decimals of returns; null: six significant digits'),
    count_from: z
      .union([z.literal(0), z.literal(1)], { error: '0 or 1' })
      .default(1)
      .describe('number of the first trial and of the first iteration'),
  }).prefault({}),
  search: section('the search calls', {
    optimum: optional(finite(orNull), 'optimal return, in the prompt; null: not mentioned'),
    step_size: optional(
      positive(Number.MAX_VALUE, 'finite number', orNull),
      'exploration step size, in the prompt; null: not mentioned',
    ),
    history: optional(
      whole(1, 1_000_000, orNull),
      'maximum number of trials in the prompts of search and critic; when it is exceeded, the oldest half is dropped, so that ' +
        'prompts keep a common beginning; null: all trials',
    ),
    duplicates: choice(['allow', 'repair'])
      .default('repair')
      .describe('a repeated proposal: play it again, or return it to the model with one repair turn'),
    // Without defaults: the configurations of earlier runs have no such keys.
    proposals: whole(1, mostProposals)
      .optional()
      .describe('parameter sets that each search asks for, played together; the best is kept; default: 1'),
    proposals_by: choice(proposalForms)
      .optional()
      .describe(
        'several proposals: call, one call for all of them (default), or calls, a call for each at the same time',
      ),
    repair_turns: whole(0, 20)
      .default(2)
      .describe('maximum number of further turns after an unusable reply, each quoting the reason'),
  }).prefault({}),
  critic: section('the critic calls', {
    conservative_threshold: optional(
      finite(orNull),
      'mean return from which the critic shall change little or nothing; null: no such rule',
    ),
    trajectory_tokens: whole(100, 1_000_000, orNull)
      .nullable()
      .default(6000)
      .describe('maximum tokens of a trajectory, approximately; longer ones are shortened; null: no limit'),
    sensitivity_episodes: optional(
      whole(1, 1_000_000, orNull),
      'episodes per parameter for the sensitivities in the prompt of the critic; null: no sensitivities',
    ),
    statistics: choice(['basic', 'full'])
      .default('full')
      .describe('full adds the spread, the quantiles and the end causes of the returns'),
    history_excerpts: whole(0, 10_000)
      .default(5)
      .describe('number of latest trials that are shown with an excerpt of an episode, by methods that show excerpts'),
  }).prefault({}),
  selection: choice(['mean', 'paired'])
    .default('mean')
    .describe('how the better candidate is chosen: by the means, or by a paired test on common seeds'),
  warmup: section('random policies before the first iteration, one episode each', {
    policies: whole(0, 10_000).default(20).describe('number of policies'),
    spread: positive(1e6, 'number').default(3).describe('standard deviation of their parameters'),
    inside: flag()
      .default(true)
      .describe('true: their parameters have the range and the decimals of proposals; false: as drawn'),
    dir: optional(
      text('a folder, or null'),
      'folder of recorded trials (warmup_rollout_<i>.txt, as in the folder "warmup" of a run of the reference) that replace ' +
        'the random policies, relative to this file; null: none',
    ),
  }).prefault({}),
  evaluation: runKeys.evaluation,
  recheck: runKeys.recheck,
  llm: section('model calls', {
    temperature: withDefault(sampling.temperature, 0),
    top_p: withDefault(sampling.top_p, null),
    stop: withDefault(sampling.stop, []),
    seed: optional(whole(0, maxModelSeed, orNull), 'seed of the requests; null: not sent'),
    reply_form: withDefault(sampling.reply_form, 'auto'),
    max_reply_tokens: withDefault(sampling.max_reply_tokens, null),
    reasoning_effort: withDefault(sampling.reasoning_effort, null),
    think: withDefault(sampling.think, null),
    num_ctx: optional(
      whole(512, 10_000_000, orNull),
      'context length on a local server, tokens; null: from the length of the prompt',
    ),
    keep_alive: z
      .string({ error: 'a time such as 30m, or null' })
      .regex(/^(?:-1|0|\d+(?:ms|s|m|h))$/, { error: 'a time such as 30m, 0 or -1' })
      .nullable()
      .default(null)
      .describe('how long a local server keeps the model loaded after a call; null: 30m'),
    extra_body: withDefault(sampling.extra_body, {}),
    headers: z
      .record(
        z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, { error: 'the name of a header' }),
        z
          .string({ error: 'the name of an environment variable behind a $' })
          .regex(/^\$[A-Za-z_][A-Za-z0-9_]*$/, { error: 'the name of an environment variable behind a $' }),
        { error: ({ code }) => (code === 'invalid_key' ? 'the name of a header' : 'a section of headers') },
      )
      .default({})
      .describe('headers of each request; a value is the name of an environment variable behind a $, never a secret'),
    fallback: z
      .array(modelName, { error: 'a list of model names' })
      .max(8, { error: 'a list of at most 8 model names' })
      .default([])
      .describe('fallback models, in this order'),
    max_unusable_in_a_row: whole(1, 1_000_000, orNull)
      .nullable()
      .default(10)
      .describe('consecutive unusable replies after which the run stops in a resumable state; null: no limit'),
    timeout_s: positive(day, 'number of seconds').default(300).describe('maximum time of a request, s'),
    idle_timeout_s: positive(day, 'number of seconds')
      .default(120)
      .describe('maximum time without data from the endpoint, s'),
    max_concurrent: optional(
      whole(1, 1000, orNull),
      'maximum concurrent requests to one endpoint; null: depends on the endpoint',
    ),
    min_spacing_s: z
      .number({ error: 'a number of seconds' })
      .min(0, { error: 'a number of seconds of at least 0' })
      .max(day, { error: 'a number of seconds of at most a day' })
      .default(0)
      .describe('minimum time between the starts of two requests to one endpoint, s'),
    max_attempts: whole(1, 100)
      .default(10)
      .describe('maximum requests per call, including the first, before the run stops'),
    search: withDefault(part('overrides for the search calls', sampling), {}),
    critic: withDefault(
      part('overrides for the critic calls', { model: modelName.describe('model of the critic calls'), ...sampling }),
      {},
    ),
  }).prefault({}),
  budget: section('limits that stop the run in a resumable state; null: no limit', {
    max_calls: optional(whole(1, Number.MAX_SAFE_INTEGER, orNull), 'model calls'),
    max_tokens: optional(whole(1, Number.MAX_SAFE_INTEGER, orNull), 'prompt and completion tokens together'),
    max_cost_usd: optional(
      positive(Number.MAX_VALUE, 'number of USD', orNull),
      'cost of the model calls by `prices`, USD',
    ),
    ...commonBudget,
  }).prefault({}),
  prices: z
    .record(z.string(), price, { error: 'a section of prices by model name' })
    .default({})
    .describe('prices by model name as in `model`; a new run adds missing ones from the list of known prices'),
});
