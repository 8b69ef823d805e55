/** What is written into Redis for one run, and what a worker makes of it. */
import type { JobsOptions } from 'bullmq';
import { z } from 'zod';
import { UsageError } from '../../base/errors.ts';
import { readAsset } from '../../base/node/assets.ts';
import { configOfText, type ResolvedConfig } from '../../config/resolve.ts';
import { runHash } from '../../runs/folder/identity.ts';
import { heartbeatMs } from '../../runs/journal/heartbeat.ts';
import type { SweepRun } from '../expand.ts';

/** Of the data of a job; another number is another layout. */
const format = 1;

const schema = z.object({
  format: z.literal(format),
  /** version that wrote it */
  r2po: z.string(),
  /** cancellations before it was written: a job of an earlier round is void */
  round: z.number(),
  /** the resolved configuration */
  config: z.record(z.string(), z.unknown()),
});

export type JobData = z.output<typeof schema>;

/** What a worker tells about a job under way, or about one that it had to give back. */
export interface JobProgress {
  readonly worker: string;
  readonly iteration: number;
  readonly iterations: number;
  readonly best: number | null;
  /** why nobody runs it now; null while somebody does */
  readonly waitsFor: string | null;
}

/** Returned by a finished job. */
export interface JobResult {
  readonly worker: string;
  /** true: it was finished before the job was taken */
  readonly already: boolean;
}

let ownVersion: string | null = null;

function version(): string {
  ownVersion ??= (JSON.parse(readAsset('package.json')) as { version: string }).version;
  return ownVersion;
}

export interface JobText {
  readonly name: string;
  readonly data: JobData;
  readonly opts: JobsOptions;
}

/** The job of a run. The engine takes no id that could be read as a number, as one hash in some hundred could. */
export const jobIdOf = (runId: string): string => `run-${runId}`;

/** The hash of the configuration is in the id, so that a run is in the queue once, however often it is added. */
export function jobOf({ id, config }: SweepRun, round: number): JobText {
  return {
    name: 'run',
    data: { format, r2po: version(), round, config: { ...config } },
    opts: { jobId: jobIdOf(id), attempts: 3, backoff: { type: 'exponential', delay: 6 * heartbeatMs() } },
  };
}

/** What can be told of a job for a list, whoever wrote it. */
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

/**
 * The configuration of a job by its id. Throws a usage error for what this version does not read as the run that the job is
 * named after: another version may have written it.
 */
export async function readJob(id: string, data: unknown): Promise<ResolvedConfig & { readonly round: number }> {
  const header = z.object({ format: z.number(), r2po: z.string() }).safeParse(data).data;
  const writer = header ? `version ${header.r2po} of r2po` : 'another program';
  const refuse = (problem: string, cause?: unknown): never => {
    const remedy = `it was written by ${writer}, and this is ${version()}; give the sweep again with this version`;
    throw new UsageError('queue', `expected a job of this version, got ${problem}; ${remedy}`, cause);
  };
  if (header && header.format !== format) return refuse(`format ${header.format} where ${format} is known`);
  const parsed = schema.safeParse(data);
  if (!parsed.success) return refuse(`something else ("${parsed.error.issues[0].path.join('.')}")`);
  let resolved: ResolvedConfig;
  try {
    resolved = await configOfText('job', JSON.stringify(parsed.data.config)).resolve();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return refuse(`a configuration that it does not take (${error.detail})`, error);
  }
  const hash = runHash(resolved.config);
  if (jobIdOf(hash) !== id) return refuse(`${id}, which is ${jobIdOf(hash)} here`);
  const { config, origin } = resolved;
  const { round } = parsed.data;
  return {
    config,
    origin,
    round,
    get yaml() {
      return resolved.yaml;
    },
  };
}
