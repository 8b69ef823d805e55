/** The data of a job in Redis, and how a worker reads it. */
import type { JobsOptions } from 'bullmq';
import { z } from 'zod';
import { InterruptedError, R2poError, UsageError } from '../../base/errors.ts';
import { programVersion } from '../../base/node/assets.ts';
import { UntrustedModuleError } from '../../base/node/user-modules.ts';
import { configOfText, parseConfig, type ResolvedConfig } from '../../config/resolve.ts';
import type { Config } from '../../config/schema.ts';
import { runHash } from '../../runs/folder/identity.ts';
import { heartbeatMs } from '../../runs/journal/heartbeat.ts';
import type { SweepRun } from '../expand.ts';

/** Version of the job data's layout. */
const format = 1;

const schema = z.object({
  format: z.literal(format),
  /** version of this program that wrote the job */
  r2po: z.string(),
  /** number of cancellations before the job was written; jobs of earlier rounds are void */
  round: z.number(),
  /** the resolved configuration */
  config: z.record(z.string(), z.unknown()),
});

export type JobData = z.output<typeof schema>;

/** What a worker reports about an active job, or one that it returned. */
export interface JobProgress {
  readonly worker: string;
  readonly iteration: number;
  readonly iterations: number;
  readonly best: number | null;
  /** why no worker runs it now; null: one does */
  readonly waitsFor: string | null;
}

/** Returned by a finished job. */
export interface JobResult {
  readonly worker: string;
  /** true: finished before the job was taken */
  readonly already: boolean;
}

export interface JobText {
  readonly name: string;
  readonly data: JobData;
  readonly opts: JobsOptions;
}

/** The job id of a run. The queue library refuses ids that look like numbers, as one hash in some hundred does. */
export const jobIdOf = (runId: string): string => `run-${runId}`;

/** The id contains the configuration's hash, so a run is queued only once, however often it is added. */
export function jobOf({ id, config }: SweepRun, round: number): JobText {
  return {
    name: 'run',
    data: { format, r2po: programVersion(), round, config: { ...config } },
    opts: { jobId: jobIdOf(id), attempts: 3, backoff: { type: 'exponential', delay: 6 * heartbeatMs() } },
  };
}

/** Describes a job for a list, whatever program wrote it. */
export function describeJob(data: unknown): { env: string; method: string; model: string; seed: number | null } {
  const text = z.string().catch('?');
  const config = z
    .object({ env: text, method: text, model: text, seed: z.number().nullable().catch(null) })
    .catch({ env: '?', method: '?', model: '?', seed: null });
  return z
    .object({ config })
    .catch({ config: { env: '?', method: '?', model: '?', seed: null } })
    .parse(data).config;
}

export class CancelledError extends InterruptedError {}

export function cancelled(): CancelledError {
  return new CancelledError('queue', 'the sweep was cancelled');
}

/** This worker cannot play the run, but another may. */
export class UnfitError extends R2poError {}

/** The job has another format: this worker can play none of the sweep, and the workers of that version can. */
export class ForeignJobError extends R2poError {}

export interface ReadJob extends Pick<ResolvedConfig, 'config' | 'yaml' | 'isRecorded'> {
  readonly round: number;
}

/**
 * The configuration of a job, which is checked as a whole before anything that it names is loaded. Throws a usage error
 * when this version reads it as another run than the id says, because another version may have written it; a
 * `ForeignJobError` when its format is another one; a `CancelledError` when it is of an earlier round than the queue; an `UnfitError` when it names an environment module
 * that the worker does not trust.
 */
export async function readJob(id: string, data: unknown, queueRound = 0): Promise<ReadJob> {
  const header = z.object({ format: z.number(), r2po: z.string() }).safeParse(data).data;
  const writer = header ? `version ${header.r2po} of r2po` : 'another program';
  const refuse = (problem: string, cause?: unknown): never => {
    const remedy = `it was written by ${writer}, and this is ${programVersion()}; repeat the sweep command with this version`;
    throw new UsageError('queue', `expected a job of this version, got ${problem}; ${remedy}`, cause);
  };
  if (header && header.format !== format) {
    throw new ForeignJobError(
      'worker',
      `expected a job of this version, got format ${header.format} where ${format} is known; it was written by ${writer}, ` +
        `and this is ${programVersion()}; start the worker with that version, or cancel the sweep and repeat it with this one`,
    );
  }
  const parsed = schema.safeParse(data);
  if (!parsed.success) return refuse(`something else ("${parsed.error.issues[0]!.path.join('.')}")`);
  const { round, config: written } = parsed.data;
  const text = JSON.stringify(written);
  const requireId = (config: Config): void => {
    const own = jobIdOf(runHash(config));
    if (own !== id) refuse(`${id}, which is ${own} here`);
  };
  let resolved: ResolvedConfig;
  try {
    // Jobs are written complete, so the hash is known before the environment is.
    if (jobIdOf(runHash(written as Config)) !== id) requireId(parseConfig({ name: 'job', text }));
    if (round < queueRound) throw cancelled();
    resolved = await configOfText('job', text).resolve();
  } catch (error) {
    if (!(error instanceof UsageError) || error.unit === 'queue') throw error;
    if (error.cause instanceof UntrustedModuleError) throw new UnfitError('worker', error.detail, { cause: error });
    return refuse(`a configuration that it does not accept (${error.detail})`, error);
  }
  requireId(resolved.config);
  const { config, isRecorded } = resolved;
  return {
    config,
    isRecorded,
    round,
    get yaml() {
      return resolved.yaml;
    },
  };
}
