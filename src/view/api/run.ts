/** One run, as the server sends it. Iterations count from 1, costs and counts are totals up to and with an iteration. */
import { z } from 'zod';
import { runRow } from './index-of-runs.ts';

const count = z.int().min(0);
/** JSON has no NaN: null */
const outcome = z.number().nullable();
const interval = z.tuple([outcome, outcome]).nullable();

/** What the engine needs to play a policy of the run. */
export const playable = z.strictObject({
  env: z.string(),
  envOptions: z.record(z.string(), z.unknown()),
  policy: z.looseObject({ kind: z.string() }),
  maxSteps: count.nullable(),
  /** false: the environment is a module of the user, which the page cannot load */
  known: z.boolean(),
});

const policyNames = z.strictObject({
  paramCount: count,
  /** names of the parameters in order, as the prompts have them */
  params: z.array(z.string()),
  /** parameters drawn as a matrix: names of its rows and columns, row by row; null: only a list */
  matrix: z.strictObject({ rows: z.array(z.string()), columns: z.array(z.string()) }).nullable(),
  /** a table over a grid world: rows of its map, one character a cell; null: none */
  grid: z.array(z.string()).nullable(),
  /** names of the actions, where they are discrete */
  actions: z.array(z.string()).nullable(),
});

/** A policy that an iteration played. */
const candidate = z.strictObject({
  label: z.string(),
  params: z.array(z.number()),
  mean: outcome,
  ci95: interval,
  std: outcome,
  episodes: count,
  success: outcome,
  /** median, worst and best episode: seed and return; played again in the page */
  episode: z
    .strictObject({
      median: z.strictObject({ seed: count, return: outcome, length: count }),
      worst: z.strictObject({ seed: count, return: outcome, length: count }),
      best: z.strictObject({ seed: count, return: outcome, length: count }),
    })
    .nullable(),
  /** numbers of the reply that had to be changed, in words */
  adjustments: z.array(z.string()),
  /** an optimiser made it; false: it is the answer to a call, or the record does not say */
  byOptimiser: z.boolean(),
});

const iteration = z.strictObject({
  iteration: count,
  /** label of the candidate that was kept; null: none */
  kept: z.string().nullable(),
  why: z.string(),
  candidates: z.array(candidate),
  /** paired difference of the last candidate to the one before it, with its interval and p-value */
  paired: z.strictObject({ difference: outcome, ci95: interval, p: outcome }).nullable(),
  /** mean of the kept policy, and of the best one so far */
  mean: outcome,
  best: outcome,
  /** `seq` of the calls of this iteration, in order */
  calls: z.array(count),
  /** means of the generation of an optimiser */
  generation: z.array(outcome).nullable(),
  episodes: count,
  steps: count,
  tokens: count,
  costUsd: outcome,
  seconds: z.number(),
});
export type Iteration = z.output<typeof iteration>;

const callRow = z.strictObject({
  seq: count,
  iteration: count,
  purpose: z.string(),
  attempt: count,
  model: z.string(),
  promptTokens: count,
  completionTokens: count,
  cachedTokens: count.nullable(),
  reasoningTokens: count.nullable(),
  latencySeconds: z.number(),
  finish: z.string(),
  /** requests that were made until the endpoint answered */
  requests: count,
  /** why the reply could not be used; null: it was used */
  problem: z.string().nullable(),
});
export type CallRow = z.output<typeof callRow>;

/** What the run waited for, in s since its first event. */
const span = z.strictObject({
  kind: z.enum(['model', 'evaluation', 'other']),
  iteration: count,
  start: z.number(),
  end: z.number(),
});

/** State of an optimiser after each iteration; columns have the length of `iteration`. */
const optimiserState = z.strictObject({
  name: z.string(),
  iteration: z.array(count),
  sigma: z.array(outcome),
  axisRatio: z.array(outcome),
  /** mean of the search distribution, and standard deviations along its axes in falling order */
  mean: z.array(z.array(z.number())),
  spectrum: z.array(z.array(z.number())),
});

const parts = {
  iterations: z.array(iteration),
  calls: z.array(callRow),
  /** those of iterations that are left out are joined */
  spans: z.array(span),
  /** 1: every iteration is here; more: of a long run every so many-th, the newest, the best, and those near a chosen one */
  every: z.int().min(1),
};

/** `GET /api/runs/:id?near=ITERATION`; `near`: of a long run that iteration and its neighbours, too */
export const runPage = z.strictObject({
  row: runRow,
  /** `config.yaml` as the folder has it */
  config: z.string(),
  /** the command that began the run, and the one that resumes it */
  command: z.string().nullable(),
  resume: z.string().nullable(),
  /** whether a branch of it can be started */
  canBranch: z.boolean(),
  playable: playable.nullable(),
  names: policyNames.nullable(),
  warmup: z.array(z.strictObject({ params: z.array(z.number()), return: outcome })),
  ...parts,
  optimiser: optimiserState.nullable(),
  /** 2-D coordinates of the tried policies by principal components, in the order of iterations and candidates */
  projection: z
    .strictObject({
      x: z.array(z.number()),
      y: z.array(z.number()),
      explained: z.array(z.number()),
      /** so many policies gave the axes and what they explain */
      policies: count,
      /** a policy that arrives later is at `axes[k] . (params - centre)` */
      centre: z.array(z.number()),
      axes: z.tuple([z.array(z.number()), z.array(z.number())]),
    })
    .nullable(),
  /** what was noticed when the record was read: a torn end, a record that does not agree */
  notices: z.array(z.string()),
});
export type RunPage = z.output<typeof runPage>;

/** `GET /api/runs/:id/live?after=ITERATION`, server-sent events named `update`: what is new behind that iteration. */
export const runUpdate = z.strictObject({
  row: runRow,
  ...parts,
  /** the states behind that iteration */
  optimiser: optimiserState.nullable(),
});
export type RunUpdate = z.output<typeof runUpdate>;

/** `GET /api/runs/:id/calls/:seq` */
export const callPage = z.strictObject({
  call: callRow,
  messages: z.array(z.strictObject({ role: z.string(), content: z.string() })),
  /** messages of the call before it with the same purpose, for the difference; null: it is the first */
  previous: z.array(z.strictObject({ role: z.string(), content: z.string() })).nullable(),
  reply: z.string(),
  reasoning: z.string().nullable(),
  /** parameter sets read from the reply; none where it could not be used. null: the method of the run is not known here */
  sets: z.array(z.array(z.number())).nullable(),
  temperature: z.number().nullable(),
  form: z.string(),
  rateLimits: z.record(z.string(), z.string()),
});
export type CallPage = z.output<typeof callPage>;
