/** Entry point of a worker thread: rebuilds environment and policy by name, and plays slices until none is left. */
import { parentPort } from 'node:worker_threads';
import { R2poError } from '../../base/errors.ts';
import { findEnv } from '../../envs/index.ts';
import { buildPolicy } from '../../policies/index.ts';
import type { Policy } from '../../policies/policy.ts';
import { Player } from './loop.ts';
import { CANCELLED, NEXT_SLICE, type Work } from './work.ts';

/** Policies by what they were built from: compiled code that knows its one policy object is a sixth faster. */
const built = new Map<string, Policy>();

function playSlices(work: Work): void {
  const env = findEnv(work.env.id, work.env.options);
  const key = JSON.stringify([work.env, work.policy]);
  const policy = built.get(key) ?? buildPolicy(work.policy.kind, env, work.policy.options);
  built.set(key, policy);
  const player = new Player(env, policy, work.limit);
  while (Atomics.load(work.control, CANCELLED) === 0) {
    const from = Atomics.add(work.control, NEXT_SLICE, 1) * work.sliceSize;
    if (from >= work.total) return;
    player.play(work, from, Math.min(from + work.sliceSize, work.total), work.outcomes, null);
  }
}

const port = parentPort;
if (port === null) throw new R2poError('cpu', 'expected to be started as a worker thread; do not run this file');
port.on('message', (work: Work) => {
  playSlices(work);
  port.postMessage('done');
});
