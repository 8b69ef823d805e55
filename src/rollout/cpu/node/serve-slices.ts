/** What a worker thread does: rebuilds environment and policy by name, and plays slices until none is left. */
import { parentPort } from 'node:worker_threads';
import { openOnce } from '../../../base/async.ts';
import { R2poError } from '../../../base/errors.ts';
import { withConstants } from '../../../envs/constants.ts';
import type { Env } from '../../../envs/env.ts';
import { openEnv } from '../../../envs/node/load.ts';
import { withEnvOptions } from '../../../envs/registry.ts';
import { buildPolicy } from '../../../policies/index.ts';
import type { Policy } from '../../../policies/policy.ts';
import type { EpisodePlayer } from '../loop.ts';
import { CANCELLED, NEXT_SLICE, type WorkerJob } from './worker-job.ts';

/** Policies by what they were built from: compiled code that knows its one policy object is a sixth faster. */
const built = new Map<string, Policy>();

/** A file is read once: a worker plays what it has loaded first, as its main thread does. */
const opened = new Map<string, Promise<Env>>();
/** Environments with their options: compiled programs belong to such an object. */
const chosen = new Map<string, Env>();

/** What plays the episodes of a job. */
export type MakePlayer = (
  env: Env,
  policy: Policy,
  limit: WorkerJob['limit'],
  prepared: unknown,
) => EpisodePlayer | Promise<EpisodePlayer>;

async function playSlices(work: WorkerJob, makePlayer: MakePlayer): Promise<void> {
  const { name, options, changed } = work.env;
  const envKey = JSON.stringify([name, options]);
  const plain = chosen.get(envKey) ?? withEnvOptions(await openOnce(opened, name, () => openEnv(name)), options);
  chosen.set(envKey, plain);
  // Not kept: there may be thousands of them.
  const env = Object.keys(changed).length === 0 ? plain : withConstants(plain, changed, 'cpu');
  const key = JSON.stringify([envKey, work.policy]);
  const policy = built.get(key) ?? buildPolicy(work.policy.kind, env, work.policy.options);
  built.set(key, policy);
  const player = await makePlayer(env, policy, work.limit, work.prepared);
  while (Atomics.load(work.control, CANCELLED) === 0) {
    const from = Atomics.add(work.control, NEXT_SLICE, 1) * work.sliceSize;
    if (from >= work.total) return;
    player.play(work, from, Math.min(from + work.sliceSize, work.total), work.outcomes, null);
  }
}

/** Answers the jobs of the main thread, in this worker thread. */
export function serveSlices(makePlayer: MakePlayer): void {
  const port = parentPort;
  if (port === null) throw new R2poError('cpu', 'expected to be started as a worker thread; do not run this file');
  // A rejection ends the thread, which fails the job with its message.
  port.on('message', async (work: WorkerJob) => {
    await playSlices(work, makePlayer);
    port.postMessage('done');
  });
}
