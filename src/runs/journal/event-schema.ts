/** What a line of `events.jsonl` may look like. The file is untrusted: it may have been edited, cut or mixed up. */
import { z } from 'zod';
import { R2poError } from '../../base/errors.ts';
import { visibleJson } from '../../base/printable.ts';
import { finishes } from '../../llm/chat.ts';
import { replyForms } from '../../llm/reply/shape.ts';
import { modelKinds, type RunEvent } from './events.ts';

const count = z.int().min(0);
const params = z.array(z.number());
/** JSON has no NaN and no infinity: an outcome that is no finite number is written as null and read as NaN. */
const outcome = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const end = z.enum(['terminated', 'truncated', 'capped']);
const purpose = z.enum(['search', 'critic']);
const candidate = z.enum(['proposal', 'revision']);

const picked = z.strictObject({ index: count, seed: count, return: outcome, length: count });

const summary = z.strictObject({
  episodes: z.int().min(1),
  mean: outcome,
  std: z.number().nullable(),
  stderr: z.number().nullable(),
  ci95: z.tuple([outcome, outcome]).nullable(),
  min: outcome,
  max: outcome,
  median: outcome,
  quantiles: z.strictObject({ '0.05': outcome, '0.25': outcome, '0.5': outcome, '0.75': outcome, '0.95': outcome }),
  success: z.strictObject({ threshold: z.number(), count, rate: z.number() }),
  length: z.strictObject({ mean: z.number(), min: count, max: count }),
  ends: z.strictObject({ terminated: count, truncated: count, capped: count }),
  median_episode: picked,
  mean_episode: picked,
  worst_episode: picked,
  best_episode: picked,
  first_episode: picked,
  steps: count,
});

const interval = z.tuple([z.number(), z.number()]).nullable();
const pairedTest = z.strictObject({ difference: z.number(), ci95: interval, p: z.number() });

/** What older records do not have is what an endpoint has not said. */
const reply = z.strictObject({
  text: z.string(),
  reasoning: z.string().nullable().default(null),
  usage: z.strictObject({
    promptTokens: count,
    completionTokens: count,
    cachedTokens: count.nullable().default(null),
    cacheWriteTokens: count.nullable().default(null),
    reasoningTokens: count.nullable().default(null),
    costUsd: z.number().nonnegative().optional(),
    estimated: z.boolean(),
  }),
  latencySeconds: z.number(),
  firstTokenSeconds: z.number().nullable().default(null),
  tokensPerSecond: z.number().nullable().default(null),
  requests: count,
  model: z.string(),
  // Older records do not say; it is the model of the run then.
  answeredBy: z.string().default(''),
  // Older records judged no reply by it.
  finish: z.enum(finishes).default('stop'),
  finishReason: z.string().nullable(),
  id: z.string().nullable().default(null),
  rateLimits: z.record(z.string(), z.string()).default({}),
  dropped: z.array(z.string()),
});

const stamp = { time: z.iso.datetime(), seq: count };

const schema = z.discriminatedUnion('type', [
  z.strictObject({
    ...stamp,
    type: z.literal('imported'),
    format: z.string(),
    layout: z.string(),
    source: z.string(),
    unknown: z.array(z.string()),
  }),
  z.strictObject({
    ...stamp,
    type: z.literal('run_started'),
    resumed: z.boolean(),
    config_hash: z.string(),
    backend: z.string(),
    adapter: z.string().nullable(),
    model: z.string(),
    model_kind: z.enum(modelKinds),
    models: z.strictObject({ search: z.string(), critic: z.string() }).optional(),
    prompts: count.optional(),
  }),
  z.strictObject({
    ...stamp,
    type: z.literal('warmup'),
    index: count,
    params,
    seed: count,
    return: outcome,
    length: count,
    end,
  }),
  z.strictObject({
    ...stamp,
    type: z.literal('llm_call'),
    iteration: count,
    purpose,
    attempt: count,
    request: z.strictObject({
      messages: z.array(z.strictObject({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })),
      temperature: z.number().nullable(),
      seed: z.number().nullable(),
      form: z.enum(replyForms).default('lines'),
    }),
    reply,
  }),
  z.strictObject({
    ...stamp,
    type: z.literal('parse_failed'),
    iteration: count,
    purpose,
    attempt: count,
    problem: z.string(),
  }),
  z.strictObject({
    ...stamp,
    type: z.literal('evaluated'),
    iteration: count,
    candidate,
    params,
    adjustments: z.array(z.string()),
    seed: count,
    summary,
    paired: pairedTest.nullable(),
    rollouts: z.strictObject({ returns: z.array(z.number()), lengths: z.array(count) }).optional(),
  }),
  z.strictObject({
    ...stamp,
    type: z.literal('sensitivity'),
    iteration: count,
    params,
    seed: count,
    episodes: count,
    steps: count,
    effects: z.array(
      z.strictObject({ index: count, from: z.number(), to: z.number(), difference: z.number(), ci95: interval }),
    ),
  }),
  z.strictObject({
    ...stamp,
    type: z.literal('iteration'),
    iteration: count,
    kept: candidate.nullable(),
    why: z.string(),
    candidates: z.array(z.strictObject({ label: candidate, params, mean: outcome })),
    trial: z.strictObject({ kind: z.enum(['warmup', 'iteration']), params, mean: outcome }).nullable(),
    logged: z
      .strictObject({ cpu_s: z.number(), api_s: z.number(), episodes: count, steps: count, reward: z.number() })
      .optional(),
  }),
  z.strictObject({ ...stamp, type: z.literal('rechecked'), iteration: count, params, seed: count, summary }),
  z.strictObject({ ...stamp, type: z.literal('run_finished') }),
  z.strictObject({
    ...stamp,
    type: z.literal('run_stopped'),
    reason: z.string(),
    exit_code: z.int(),
    call_failed: z.boolean().optional(),
  }),
]);

/** The event, or the first thing that is wrong with it in words. */
export function checkEvent(value: unknown): { readonly event: RunEvent } | { readonly problem: string } {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { event: parsed.data };
  const issue = parsed.error.issues[0];
  const where = issue.path.length === 0 ? 'the event' : `"${issue.path.join('.')}"`;
  return { problem: `${where}: ${issue.message}` };
}

/**
 * The line of an event, and the event as a reader of that line will see it. A run goes on from the latter, so that it
 * has the very numbers that a resumed one gets.
 */
export function asRecorded(event: RunEvent): { readonly line: string; readonly event: RunEvent } {
  const text = visibleJson(JSON.stringify(event));
  const checked = checkEvent(JSON.parse(text));
  if ('event' in checked) return { line: `${text}\n`, event: checked.event };
  throw new R2poError('events.jsonl', `refused to record a bad ${event.type} event: ${checked.problem}`);
}
