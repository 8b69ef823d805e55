/** A worker for the pool's tests: the seed of its job says how it behaves. */
import { parentPort } from 'node:worker_threads';

parentPort.on('message', ({ seed, control }) => {
  if (seed === 1) throw new Error('out of luck');
  if (seed === 2) process.exit(3);
  if (seed === 4) {
    throw Object.assign(new Error('[maze] no such map'), { unit: 'maze', detail: 'no such map', exitCode: 2 });
  }
  // One dies, the other plays on until it is told to stop.
  if (seed === 3 && Atomics.add(control, 0, 1) === 0) throw new Error('first one down');
  while (seed === 3 && Atomics.load(control, 1) === 0);
  parentPort.postMessage('done');
});
