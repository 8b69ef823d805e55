/**
 * What a process that steers a run and the process of that run say to each other: one line of JSON each. Both sides check
 * what they get.
 */
import { z } from 'zod';

const count = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
const amount = z.number().positive();

/** New limits of a run by their names in a command; what is left out stays, null: no limit. */
export const newLimits = z.strictObject({
  /** that the search will have; it ends with its re-check */
  iterations: count.optional(),
  /** model calls */
  calls: count.nullable().optional(),
  tokens: count.nullable().optional(),
  episodes: count.nullable().optional(),
  /** USD */
  cost: amount.nullable().optional(),
  seconds: amount.nullable().optional(),
});
export type NewLimits = z.output<typeof newLimits>;

/** What is done with a run that goes on. */
export const controlRequest = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('pause') }),
  z.strictObject({ action: z.literal('continue') }),
  z.strictObject({ action: z.literal('stop') }),
  z.strictObject({ action: z.literal('budget'), ...newLimits.shape }),
]);
export type ControlBody = z.input<typeof controlRequest>;
export type ControlRequest = z.output<typeof controlRequest>;

/** What the process of a run is sent: an action, or the question how the run is. */
export const runRequest = z.union([controlRequest, z.strictObject({ action: z.literal('state') })]);
export type RunRequest = z.output<typeof runRequest>;

/** `pausing`: it pauses when the step under way has ended; `stopping`: the process saves its work and ends. */
const liveStates = ['running', 'pausing', 'paused', 'stopping'] as const;

const used = z.number().nullable();
const limit = z.number().nullable();

/** A run that goes on, as its process sees it. */
const liveRun = z.object({
  /** path of the folder as the process opened it */
  folder: z.string(),
  pid: z.int(),
  state: z.enum(liveStates),
  /** what was done, in words */
  message: z.string(),
  /** the step under way, in words; null while the run is paused */
  step: z.string().nullable(),
  /** completed */
  iteration: z.int(),
  /** that the search will have */
  iterations: z.int(),
  /** of all sessions; a name that is not there has no meaning for the run. `cost` null: a price is unknown */
  used: z.record(z.string(), used),
  limits: z.record(z.string(), limit),
});
export type LiveRun = z.output<typeof liveRun>;

export const runAnswer = z.union([
  z.object({ ok: z.literal(true), run: liveRun }),
  z.object({ ok: z.literal(false), error: z.string(), exit_code: z.int() }),
]);
export type RunAnswer = z.output<typeof runAnswer>;

/** Bytes of a line; a request and an answer are far shorter. */
export const maxLineBytes = 16_384;
