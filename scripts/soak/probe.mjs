/**
 * Loaded into a watched process with `--import`, with `--expose-gc`: writes what is in use after a garbage collection to file
 * descriptor 3, a line of JSON every ten seconds.
 */
import { writeSync } from 'node:fs';

const timer = setInterval(() => {
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  try {
    writeSync(3, `${JSON.stringify({ heap: heapUsed + external, cpu: (user + system) / 1e6 })}\n`);
  } catch {
    // Nobody reads any more.
    clearInterval(timer);
  }
}, 10_000);
timer.unref();
