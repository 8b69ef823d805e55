/** Anthropic's messages API. */
import { UsageError } from '../../base/errors.ts';
import type { Message } from '../chat.ts';
import type { Controls, ReasoningEffort } from '../controls.ts';
import type { ReplyForm } from '../reply/shape.ts';
import { modelIds } from './answer.ts';
import { claudeTraits } from './anthropic-models.ts';
import { anthropicReader } from './anthropic-reader.ts';
import { cacheBlocks } from './cache-blocks.ts';
import { type EndpointModel, endpointModel } from './endpoint.ts';
import { objectOf, type ServerError } from './failure.ts';
import type { Body, EndpointOptions, PreparedRequest, Protocol } from './protocol.ts';
import { refusedParameter } from './refusals.ts';
import { refusedKeyword, schemaFor } from './schema-keywords.ts';

const badUrl = 'is the base URL that of the messages API? It ends in /v1';
const apiVersion = '2023-06-01';

/** The API requires a limit; every model allows this one. */
const defaultMaxTokens = 8192;
/** JSON Schema keywords that the API accepts; it refuses bounds, lengths and counts. */
const keywords = { bounds: false, steps: false, counts: false, lengths: false };

/** The API's minimum thinking budget, and the budgets of the effort levels, tokens. */
const minBudget = 1024;
const budgets: Readonly<Record<ReasoningEffort, number>> = {
  none: 0,
  minimal: minBudget,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 32_768,
};

/** `baseURL` ends before `/messages`. */
export function anthropic(options: EndpointOptions): EndpointModel {
  return endpointModel(options, anthropicProtocol(options));
}

/** Whether the user asks for thinking; null: the model's own default. */
function wantsThinking({ think, reasoningEffort }: Controls): boolean | null {
  if (think !== null) return think;
  return reasoningEffort === null ? null : reasoningEffort !== 'none';
}

function anthropicProtocol({ id, baseURL, apiKey, model, controls }: EndpointOptions): Protocol {
  const base = baseURL.replace(/\/+$/, '');
  const traits = claudeTraits(model);
  const isThinking = controls !== undefined && wantsThinking(controls) === true;
  if (isThinking && traits.thinking.length === 0) {
    const advice = 'leave out llm.think and llm.reasoning_effort, or use a later model';
    throw new UsageError(`model ${id}`, `expected a model that can think, got "${model}"; ${advice}`);
  }
  const forms: ReplyForm[] = [];
  if (traits.hasSchemas) forms.push('json');
  // A thinking model thinks before it writes, so it cannot be prefilled.
  if (traits.hasPrefill && !isThinking) forms.push('begun');
  /** the model's maximum reply, tokens; known after the first refusal */
  let maxOutputTokens = Number.POSITIVE_INFINITY;

  function thinkingOf({ controls, dropped }: PreparedRequest, maxTokens: number): Body | null {
    const wanted = wantsThinking(controls);
    if (wanted === null) return null;
    if (!wanted) return dropped.has('thinking.disabled') ? null : { type: 'disabled' };
    const kind = traits.thinking.find((way) => !dropped.has(`thinking.${way}`));
    if (kind === 'adaptive') return { type: 'adaptive', display: 'summarized' };
    // The answer needs tokens beyond the thinking budget.
    const budget = Math.min(budgets[controls.reasoningEffort ?? 'medium'], Math.floor(maxTokens * 0.75));
    return kind === 'budget' && budget >= minBudget ? { type: 'enabled', budget_tokens: budget } : null;
  }

  function outputConfig({ controls, dropped, form, shape }: PreparedRequest): Body | null {
    const { reasoningEffort: level } = controls;
    const effort = traits.hasEffort && !dropped.has('effort') && level !== null && level !== 'none' ? level : null;
    const config = {
      ...(effort !== null && { effort: effort === 'minimal' ? 'low' : effort }),
      ...(form === 'json' &&
        shape !== null && { format: { type: 'json_schema', schema: schemaFor(shape, keywords, dropped) } }),
    };
    return Object.keys(config).length > 0 ? config : null;
  }

  function body(asked: PreparedRequest): Body {
    const { messages, temperature, controls, dropped } = asked;
    const send = (name: string) => !dropped.has(name);
    const maxTokens = Math.min(asked.maxTokens ?? defaultMaxTokens, maxOutputTokens);
    const thinking = thinkingOf(asked, maxTokens);
    const config = outputConfig(asked);
    const system = messages.filter(({ role }) => role === 'system');
    const blocks = (message: Message) => cacheBlocks(message, send('cache_control'));
    return {
      model,
      max_tokens: maxTokens,
      stream: true,
      ...(system.length > 0 && { system: system.flatMap(blocks) }),
      messages: messages
        .filter(({ role }) => role !== 'system')
        .map((message) => ({ role: message.role, content: blocks(message) })),
      ...(temperature !== null && send('temperature') && { temperature }),
      ...(controls.topP !== null && send('top_p') && { top_p: controls.topP }),
      ...(controls.stop.length > 0 && send('stop_sequences') && { stop_sequences: controls.stop }),
      ...(thinking !== null && { thinking }),
      ...(config !== null && { output_config: config }),
    };
  }

  function refused(error: ServerError, sent: Body): string | null {
    const limit = /max_tokens: \d+ > (\d+)/.exec(error.message);
    if (limit !== null && Number(limit[1]) < Number(sent.max_tokens)) {
      maxOutputTokens = Number(limit[1]);
      return 'max_tokens';
    }
    const keyword = refusedKeyword(error, sent);
    if (keyword !== null) return keyword;
    const names = [
      ...Object.keys(sent),
      ...(JSON.stringify(sent).includes('"cache_control":') ? ['cache_control'] : []),
    ];
    const parameter = refusedParameter(error, ['temperature', 'top_p', 'stop_sequences', 'cache_control'], names);
    if (parameter !== null) return parameter;
    if (/\beffort\b/.test(error.message) && objectOf(sent.output_config).effort !== undefined) return 'effort';
    if (!/\bthinking\b/.test(error.message)) return null;
    const { type } = objectOf(sent.thinking);
    if (type === 'enabled') return 'thinking.budget';
    return type === undefined ? null : `thinking.${type}`;
  }

  return {
    url: `${base}/messages`,
    notFound: `is "${model}" an Anthropic model?`,
    badUrl,
    headers: { 'anthropic-version': apiVersion, ...(apiKey !== null && { 'x-api-key': apiKey }) },
    forms: [...forms, 'lines'],
    hasSeed: false,
    body,
    refused,
    reader: () => anthropicReader(badUrl),
    models: async (get) => modelIds(await get('/models?limit=1000')),
  };
}
