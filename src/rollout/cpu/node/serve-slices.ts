/** What a worker thread does: rebuilds environment and policy by name, and plays slices until none is left. */
import { parentPort } from 'node:worker_threads';
import { openOnce } from '../../../base/async.ts';
import { R2poError, UsageError } from '../../../base/errors.ts';
import { consoleToStderr } from '../../../base/node/console.ts';
import { withConstants } from '../../../envs/constants.ts';
import type { Env } from '../../../envs/env.ts';
import { codeOf, openEnv } from '../../../envs/node/load.ts';
import { withEnvOptions } from '../../../envs/registry.ts';
import { buildPolicy } from '../../../policies/index.ts';
import type { Policy } from '../../../policies/policy.ts';
import { EpisodeCounts, type EpisodeTotals } from '../../episode-counts.ts';
import type { EpisodePlayer } from '../loop.ts';
import { partOf } from '../slices.ts';
import { CANCELLED, NEXT_SLICE, type WorkerJob } from './worker-job.ts';

/** Policies by what they were built from: compiled code that knows its one policy object is a sixth faster. */
const built = new Map<string, Policy>();

/** A file is read once, as in the main thread. */
const opened = new Map<string, Promise<Env>>();
/** Environments with their options: compiled programs belong to such an object. */
const chosen = new Map<string, Env>();

/** Slices are cut for the longest episodes. Of shorter ones a worker takes several at once, for so long, ms. */
const takenTime = { min: 0.5, max: 2 } as const;
/** It takes at most one part in so many of its share of what is left. */
const shareLeft = 4;

/** What plays the episodes of a job. */
export type MakePlayer = (
  env: Env,
  policy: Policy,
  limit: WorkerJob['limit'],
  prepared: unknown,
) => EpisodePlayer | Promise<EpisodePlayer>;

/**
 * The environment of a job. A worker that starts late reads the files as they are then. Throws where they are not those of
 * the main thread any more.
 */
async function envOf({ name, code, options, changed }: WorkerJob['env']): Promise<{ env: Env; key: string }> {
  const loaded = await openOnce(opened, name, () => openEnv(name));
  if (codeOf(loaded) !== code) {
    throw new UsageError(loaded.id, `expected "${name}" as it was loaded, got it changed; start again`);
  }
  const key = JSON.stringify([name, options]);
  const plain = chosen.get(key) ?? withEnvOptions(loaded, options);
  chosen.set(key, plain);
  // Not kept: there may be thousands of them.
  return { env: Object.keys(changed).length === 0 ? plain : withConstants(plain, changed, 'cpu'), key };
}

/** The totals of the episodes that it played, where they are asked for. */
async function playSlices(work: WorkerJob, makePlayer: MakePlayer): Promise<EpisodeTotals | null> {
  const { env, key: envKey } = await envOf(work.env);
  const key = JSON.stringify([envKey, work.policy]);
  const policy = built.get(key) ?? buildPolicy(work.policy.kind, env, work.policy.options);
  built.set(key, policy);
  const player = await makePlayer(env, policy, work.limit, work.prepared);
  const { countSuccesses, outcomes } = work;
  const counts = countSuccesses === undefined ? null : new EpisodeCounts(countSuccesses);
  const slices = Math.ceil(work.total / work.sliceSize);
  for (let taken = 1; Atomics.load(work.control, CANCELLED) === 0; ) {
    // At the end few, so that no worker waits for long.
    const left = slices - Atomics.load(work.control, NEXT_SLICE);
    const some = Math.max(1, Math.min(taken, Math.floor(left / (shareLeft * work.workers))));
    const from = Atomics.add(work.control, NEXT_SLICE, some) * work.sliceSize;
    if (from >= work.total) break;
    const to = Math.min(from + some * work.sliceSize, work.total);
    const start = performance.now();
    player.play(work, from, to, outcomes, null);
    counts?.add(partOf(outcomes, from, to), from);
    const spent = performance.now() - start;
    if (spent < takenTime.min) taken = 2 * some;
    else if (spent > takenTime.max) taken = Math.ceil(some / 2);
  }
  return counts?.totals() ?? null;
}

/** Answers the jobs of the main thread, in this worker thread. */
export function serveSlices(makePlayer: MakePlayer): void {
  const port = parentPort;
  if (port === null) throw new R2poError('cpu', 'expected to be started as a worker thread; do not run this file');
  consoleToStderr();
  // A rejection ends the thread, which fails the job with its message.
  port.on('message', async (work: WorkerJob) => {
    port.postMessage(await playSlices(work, makePlayer));
  });
}
