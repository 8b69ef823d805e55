/** The list of runs, as the server sends it. The page imports the types only. */
import { z } from 'zod';

const count = z.int().min(0);
const outcome = z.number().nullable();
const interval = z.tuple([outcome, outcome]).nullable();

/** `running`: a process holds the folder; `unfinished`: nobody does, and `run --resume` would go on. */
const rowStatuses = ['running', 'paused', 'finished', 'stopped', 'unfinished', 'damaged'] as const;

/** A run that can be read, or what is known of one that cannot. */
export const runRow = z.strictObject({
  /** path below the root that is viewed, its parts joined by `/`; one percent-encoded part of a URL */
  id: z.string(),
  status: z.enum(rowStatuses),
  /** why a run failed, stopped or cannot be read, in words; null: nothing to say */
  problem: z.string().nullable(),
  env: z.string(),
  method: z.string(),
  model: z.string(),
  modelKind: z.string(),
  seed: z.number().nullable(),
  /** completed, and those of the configuration */
  iterations: count,
  planned: count.nullable(),
  /** mean return of the best policy of the search, and its interval over episodes */
  best: outcome,
  bestCi95: interval,
  rechecked: z.strictObject({ episodes: count, mean: outcome, ci95: interval }).nullable(),
  episodes: count,
  steps: count,
  calls: count,
  tokens: count,
  costUsd: z.number().nullable(),
  wallSeconds: z.number(),
  /** ISO 8601 */
  started: z.string().nullable(),
  updated: z.string().nullable(),
  /** best so far at up to 32 iterations that are evenly apart */
  sparkline: z.array(outcome),
  /** the run and iteration that it branched from */
  branch: z.strictObject({ run: z.string(), iteration: count }).nullable(),
});
export type RunRow = z.output<typeof runRow>;

/** `GET /api/machine`: what this machine evaluates on; the first question opens it, which may take seconds. */
export const machine = z.strictObject({ backend: z.string(), adapter: z.string().nullable(), why: z.string() });
export type Machine = z.output<typeof machine>;

/** `GET /api/runs` */
export const runIndex = z.strictObject({
  /** version of r2po */
  version: z.string(),
  /** the folder whose runs these are, as the command named it */
  root: z.string(),
  /** why that folder cannot be read; null: it can */
  problem: z.string().nullable(),
  /** names the state of the list: `GET /api/runs/live?after=REVISION` goes on behind it; empty in an export */
  revision: z.string(),
  /** what the page may ask this server for; a static export can do nothing of it */
  can: z.strictObject({ follow: z.boolean(), evaluate: z.boolean(), steer: z.boolean() }),
  /** what this machine evaluates on, where it is known already */
  machine: machine.nullable(),
  runs: z.array(runRow),
});
export type RunIndex = z.output<typeof runIndex>;

/**
 * `GET /api/runs/live?after=REVISION`, server-sent events named `rows`: rows that are new or changed since, and ids that are gone.
 * The id of an event is the next revision. For a revision of a server that was restarted, all rows come, and ids that are not
 * among them are gone.
 */
export const rowChanges = z.strictObject({
  rows: z.array(runRow),
  gone: z.array(z.string()),
  /** whether these are all rows that there are */
  all: z.boolean(),
});
export type RowChanges = z.output<typeof rowChanges>;

/** Every answer that is not 2xx. */
export const apiProblem = z.strictObject({ problem: z.string() });
export type ApiProblem = z.output<typeof apiProblem>;
