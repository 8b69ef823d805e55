/** What a page asks the server to do. Each is a POST with JSON and the header `x-r2po: 1`. */
import { z } from 'zod';
import { playable } from './run.ts';

const count = z.int().min(0);

/** `POST /api/evaluate`: plays a policy on the backend of this machine. */
export const evaluateRequest = z.strictObject({
  playable,
  params: z.array(z.number()).max(100_000),
  episodes: z.int().min(1).max(1_000_000),
  seed: count,
  /** physics constants by name */
  constants: z.record(z.string(), z.number()).default({}),
});
export type EvaluateBody = z.input<typeof evaluateRequest>;

export const evaluateAnswer = z.strictObject({
  backend: z.string(),
  adapter: z.string().nullable(),
  seconds: z.number(),
  /** summary of `r2po eval --json` */
  summary: z.looseObject({ episodes: count, mean: z.number().nullable() }),
  returns: z.array(z.number().nullable()),
  lengths: z.array(count),
});
export type EvaluateAnswer = z.output<typeof evaluateAnswer>;

/** `POST /api/runs/:id/control`: for a run that goes on. */
export type { ControlBody, LiveRun } from '../../runs/control/messages.ts';

/** `POST /api/runs/:id/branch`: starts a run that shares the record up to an iteration. */
export const branchRequest = z.strictObject({
  at: z.int().min(1),
  model: z.string().optional(),
  /** `key=value` as in a command */
  settings: z.array(z.string()).max(64).default([]),
});
export type BranchBody = z.input<typeof branchRequest>;
export const branchAnswer = z.strictObject({ id: z.string(), command: z.string() });

/** `GET /api/compare?run=ID&run=ID...&by=KEY...`: the document of `r2po report --json` for these runs, with what differs. */
export const comparison = z.strictObject({
  report: z.looseObject({}),
  /** keys of the configurations that differ: the value of each run, in their order */
  differs: z.array(z.strictObject({ key: z.string(), values: z.array(z.string()) })),
  runs: z.array(z.string()),
});
export type Comparison = z.output<typeof comparison>;

/** `/api/compare` of an export, which makes none: the runs of the comparisons that it has as `/api/compare/0`, `/api/compare/1` ... */
export const exportedComparisons = z.array(z.strictObject({ title: z.string(), runs: z.array(z.string()) }));
export type ExportedComparisons = z.output<typeof exportedComparisons>;
