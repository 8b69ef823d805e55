/**
 * The events of a run, as the rest of the program sees them. What a line of `events.jsonl` holds differs by the format of
 * the record: see formats.ts. The types follow from these schemas, from which those of the formats are made; they check
 * every line that is read or written: the file is untrusted, as it may have been edited, cut or mixed up.
 */
import { z } from 'zod';
import { R2poError } from '../../base/errors.ts';
import type { Immutable } from '../../base/immutable.ts';
import { shortcutOf, unchangedWhere } from '../../base/schema-shortcut.ts';
import { maskLongSecrets } from '../../base/secrets.ts';
import type { Summary } from '../../evaluation/summary.ts';
import { type ChatReply, finishes, type Message, modelKinds, type Usage } from '../../llm/chat.ts';
import { replyForms } from '../../llm/reply/shape.ts';
import { type DigestedMessage, digested, digestLength } from '../../llm/text-digest.ts';
import { candidateLabelPattern, purposes } from '../../methods/method.ts';
import type { ObservationMoments } from '../../optimisers/observation-moments.ts';
import { endCauses } from '../../rollout/job.ts';
import type { PairedTest } from '../../stats/intervals.ts';
import { newLimits } from '../control/messages.ts';

const count = z.int().min(0);
const params = z.array(z.number());
/** JSON has no NaN and no infinity: an outcome that is not a finite number is written as null and read as NaN. */
const outcome = unchangedWhere(
  z
    .number()
    .nullable()
    .transform((value) => value ?? Number.NaN),
  Number.isFinite,
);
const purpose = z.enum(purposes);
const candidate = z.string().regex(candidateLabelPattern, { error: 'expected a plain name such as "proposal"' });

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
}) satisfies z.ZodType<Summary>;

const interval = z.tuple([z.number(), z.number()]).nullable();
const pairedTest = z.strictObject({
  difference: z.number(),
  ci95: interval,
  p: z.number(),
}) satisfies z.ZodType<PairedTest>;

const usage = z.strictObject({
  promptTokens: count,
  completionTokens: count,
  cachedTokens: count.nullable().default(null),
  cacheWriteTokens: count.nullable().default(null),
  reasoningTokens: count.nullable().default(null),
  costUsd: z.number().nonnegative().optional(),
  estimated: z.boolean(),
}) satisfies z.ZodType<Usage>;

/** What requests without a reply used; left out: nothing that was reported. Older records do not have it. */
const failedUsage = z.array(z.strictObject({ model: z.string(), usage })).optional();

/** A field that older records lack has the value of an endpoint that does not state it. */
const reply = z.strictObject({
  text: z.string(),
  reasoning: z.string().nullable().default(null),
  usage,
  latencySeconds: z.number(),
  firstTokenSeconds: z.number().nullable().default(null),
  tokensPerSecond: z.number().nullable().default(null),
  requests: count,
  model: z.string(),
  // Older records do not have it: the model of the run.
  answeredBy: z.string().default(''),
  // Older records do not have it.
  finish: z.enum(finishes).default('stop'),
  finishReason: z.string().nullable(),
  id: z.string().nullable().default(null),
  rateLimits: z.record(z.string(), z.string()).default({}),
  dropped: z.array(z.string()),
}) satisfies z.ZodType<ChatReply>;

/** Running totals of another program's log, in s and since the start; they count attempts that left nothing else. */
const loggedTotals = z.strictObject({
  cpu_s: z.number(),
  api_s: z.number(),
  episodes: count,
  steps: count,
  /** mean of the kept policy as it was logged */
  reward: z.number(),
});

/** Which call of an iteration: `attempt` 0 is the call itself, 1... are repair turns. */
const call = { iteration: count, purpose, attempt: count };

/** `time`: ISO 8601; `seq`: 0, 1, 2, ... without gaps */
export const stamp = { time: z.iso.datetime(), seq: count };

export const event = <const T extends string, B extends z.core.$ZodShape>(type: T, body: B) =>
  z.strictObject({ ...stamp, type: z.literal(type), ...body });

const role = z.enum(['system', 'user', 'assistant']);

/** A message as a reader of the record sees it. Its text may be as long as the run: it is restored only when asked for. */
export const recordedMessage = z.strictObject({
  role,
  /** of the text, by `textDigest` */
  digest: z.string().length(digestLength),
}) satisfies z.ZodType<DigestedMessage>;

/** A request whose messages have this shape. */
export const requestOf = <M extends z.ZodType>(message: M) =>
  z.strictObject({
    messages: z.array(message),
    temperature: z.number().nullable(),
    seed: z.number().nullable(),
    /** form that the reply was constrained to */
    form: z.enum(replyForms).default('lines'),
  });

/** Every event by its type, as a reader of the record sees it, whatever the format of the record. */
export const events = {
  /** The first event of a run that this program read from the log of another one. */
  imported: event('imported', {
    format: z.string(),
    layout: z.string(),
    /** last two names of the path that it was read from */
    source: z.string(),
    /** names of what the log does not state: such values are placeholders or assumed */
    unknown: z.array(z.string()),
  }),
  /**
   * The events before it are those of another run up to an iteration; the events behind it follow the configuration of the
   * folder. A branch of a branch has several.
   */
  branched: event('branched', {
    /** name of the folder of the other run */
    run: z.string(),
    /** of the configuration of the other run */
    config_hash: z.string(),
    /** the last one that both runs have */
    iteration: z.int().min(1),
    /** the configuration of the events before it, back to the `branched` before that */
    config: z.record(z.string(), z.unknown()),
  }),
  run_started: event('run_started', {
    /** false for the first start, true for each `--resume` */
    resumed: z.boolean(),
    config_hash: z.string(),
    backend: z.string(),
    adapter: z.string().nullable(),
    /** what answers the search calls */
    model: z.string(),
    model_kind: z.enum(modelKinds),
    /** what answers the calls of each purpose; older records have one model for both */
    models: z.strictObject({ search: z.string(), critic: z.string() }).optional(),
    /** version of the texts of the prompts; older records do not have it */
    prompts: count.optional(),
  }),
  warmup: event('warmup', {
    index: count,
    params,
    seed: count,
    return: outcome,
    length: count,
    end: z.enum(endCauses),
    /** of an earlier search: the file, the episodes that `return` is the mean of, and the number of such trials */
    recorded: z.strictObject({ file: z.string(), episodes: count, of: count }).optional(),
  }),
  llm_call: event('llm_call', {
    ...call,
    request: requestOf(recordedMessage),
    reply,
    failed_usage: failedUsage,
  }),
  parse_failed: event('parse_failed', { ...call, problem: z.string() }),
  evaluated: event('evaluated', {
    iteration: count,
    candidate,
    params,
    adjustments: z.array(z.string()),
    seed: count,
    summary,
    /** compared with the candidate played before it; null: not requested, or the first candidate */
    paired: pairedTest.nullable(),
    /** of an imported run: the outcome of each episode, in order; a run of ours plays them again from its seeds */
    rollouts: z.strictObject({ returns: z.array(z.number()), lengths: z.array(count) }).optional(),
  }),
  /**
   * Candidates that were played together on common seeds. Those of an optimiser follow from the seed of the run and the
   * means before; the best one is `evaluated` next, whose episodes are among these, unless all of them broke.
   */
  generation: event('generation', {
    iteration: count,
    seed: count,
    /** of each member */
    episodes: z.int().min(1),
    /** of all members */
    steps: count,
    means: z.array(outcome),
    /** moments of the observations, where the optimiser needs them */
    observed: z
      .strictObject({ count, mean: z.array(z.number()), squares: z.array(z.number()) })
      .nullable()
      .default(null) satisfies z.ZodType<ObservationMoments | null>,
    /** what a model proposed, the last members; left out: nothing */
    proposed: z.array(z.strictObject({ params, adjustments: z.array(z.string()) })).optional(),
  }),
  /** A candidate that an optimiser made of the one played before it, on seeds of its own. */
  refined: event('refined', {
    iteration: count,
    /** from which the seeds of its generations follow */
    seed: count,
    params,
    /** of all generations, and their steps */
    episodes: count,
    steps: count,
    /** the highest mean of each generation */
    means: z.array(outcome),
  }),
  /** Not asked for by default; see `critic.sensitivity_episodes`. */
  sensitivity: event('sensitivity', {
    iteration: count,
    params,
    seed: count,
    episodes: count,
    steps: count,
    effects: z.array(
      z.strictObject({ index: count, from: z.number(), to: z.number(), difference: z.number(), ci95: interval }),
    ),
  }),
  iteration: event('iteration', {
    iteration: count,
    kept: candidate.nullable(),
    why: z.string(),
    candidates: z.array(z.strictObject({ label: candidate, params, mean: outcome })),
    trial: z.strictObject({ kind: z.enum(['warmup', 'iteration']), params, mean: outcome }).nullable(),
    /** of an imported run; missing where its log has no such line */
    logged: loggedTotals.optional(),
  }),
  rechecked: event('rechecked', {
    iteration: count,
    params,
    seed: count,
    summary,
    /** the same policy on the held-out seeds; left out where the configuration asks for none */
    holdout: z.strictObject({ seed: count, summary }).optional(),
  }),
  /** What was done with the run from outside while it went on. Earlier versions, which do not know it, skip it. */
  control: event('control', {
    optional: z.literal(true),
    /** `pause`: the run waits from here until `continue`, or until the session ends */
    action: z.enum(['pause', 'continue', 'stop', 'budget']),
    /** of `budget` */
    limits: newLimits.optional(),
    /** the first iteration that has the new number of iterations; left out where that stays */
    from_iteration: z.int().min(1).optional(),
  }),
  run_finished: event('run_finished', {}),
  /** Not the end: `--resume` continues from here. */
  run_stopped: event('run_stopped', {
    reason: z.string(),
    exit_code: z.int(),
    /** false: the endpoint answered, with nothing that could be used; left out for any other stop */
    call_failed: z.boolean().optional(),
    /** of the calls that were under way; left out: none. Older records do not have it, and one where a call failed. */
    failed_requests: count.optional(),
    failed_usage: failedUsage,
  }),
};

/** One event of the journal, as a reader sees it. */
export type RunEvent = Immutable<z.output<(typeof events)[keyof typeof events]>>;
export type EventType = RunEvent['type'];
export type EventOf<T extends EventType> = Extract<RunEvent, { type: T }>;

type WithoutStamp<E> = E extends unknown ? Omit<E, keyof typeof stamp> : never;
type SentRequest = Omit<EventOf<'llm_call'>['request'], 'messages'> & { readonly messages: readonly Message[] };
/** A call before it is written: with the texts that were sent. */
type CallBody = Omit<WithoutStamp<EventOf<'llm_call'>>, 'request'> & { readonly request: SentRequest };
/** An event before it is written. */
export type EventBody = WithoutStamp<Exclude<RunEvent, { type: 'llm_call' }>> | CallBody;
export type BodyOf<T extends EventType> = Extract<EventBody, { type: T }>;
export type LoggedTotals = Immutable<z.output<typeof loggedTotals>>;

/** The event without secrets in the texts that a call sent, of which digests and patches are made. */
export function withMaskedPrompts<B extends EventBody>(body: B): B {
  if (body.type !== 'llm_call') return body;
  const messages = body.request.messages.map(({ role, content }) => ({ role, content: maskLongSecrets(content) }));
  return { ...body, request: { ...body.request, messages } };
}

/** The events of a schema, or the first problem with a value, in words. */
export type Checked<T> = { readonly event: T } | { readonly problem: string };

/** Checks values by schemas of the types of events, as one format stores them. */
export function eventCheck<S extends z.ZodObject>(schemas: Readonly<Record<string, S>>) {
  const schema = z.discriminatedUnion('type', Object.values(schemas) as unknown as [S, ...S[]]);
  const shortcuts = new Map(Object.entries(schemas).map(([type, one]) => [type, shortcutOf(one)]));
  return (value: unknown): Checked<z.output<S>> => {
    const { type } = (value ?? {}) as { readonly type?: string };
    if (shortcuts.get(type!)?.(value)) return { event: value as z.output<S> };
    const parsed = schema.safeParse(value);
    if (parsed.success) return { event: parsed.data as z.output<S> };
    const [issue] = parsed.error.issues;
    const where = issue!.path.length === 0 ? 'the event' : `"${issue!.path.join('.')}"`;
    return { problem: `${where}: ${issue!.message}` };
  };
}

const checkRead = eventCheck(events);

/** The event as a reader of its line will see it. Throws an `R2poError` for one that cannot be recorded. */
export function asRead(body: EventBody, { time, seq }: Pick<RunEvent, 'time' | 'seq'>): RunEvent {
  const plain =
    body.type === 'llm_call'
      ? { ...body, request: { ...body.request, messages: digested(body.request.messages) } }
      : body;
  const checked = checkRead(JSON.parse(maskLongSecrets(JSON.stringify({ ...plain, time, seq }))));
  if ('event' in checked) return checked.event;
  throw new R2poError('events.jsonl', `refused to record a bad ${body.type} event: ${checked.problem}`);
}
