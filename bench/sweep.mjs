/**
 * Speedup of a sweep in one process over the same runs in sequence, each in its own process. The runs are offline, so
 * nothing waits for an endpoint. `node bench/sweep.mjs [runs] [iterations] [cpu|webgpu] [config]` after
 * `npm run build`, on an idle machine.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const [runs = '64', iterations = '100', backend = 'cpu', config = 'cartpole/r2po'] = process.argv.slice(2);
const root = mkdtempSync(join(tmpdir(), 'r2po-sweep-'));

/** Wall time in seconds. */
function timed(args) {
  const start = performance.now();
  execFileSync(process.execPath, [main, ...args, `iterations=${iterations}`, '--backend', backend, '--quiet'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return (performance.now() - start) / 1000;
}

/** Summaries by seed, without times. */
function summaries(folder) {
  const found = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name, 'summary.json'), 'utf8')));
  const timeless = found.map((s) => ({ ...s, wall_s: 0, llm: { ...s.llm, seconds: 0 } }));
  return JSON.stringify(timeless.sort((a, b) => a.seed - b.seed));
}

try {
  const [apart, together] = [join(root, 'apart'), join(root, 'together')];
  let processes = 0;
  for (let seed = 0; seed < Number(runs); seed++) {
    processes += timed(['run', config, '--seed', String(seed), '--runs-dir', apart]);
  }
  const sweep = timed(['sweep', config, `seed=0..${Number(runs) - 1}`, '--runs-dir', together]);
  console.log(
    JSON.stringify(
      {
        runs: Number(runs),
        iterations: Number(iterations),
        backend,
        config,
        processor: cpus()[0].model,
        threads: availableParallelism(),
        one_after_the_other_s: processes,
        one_process_s: sweep,
        ratio: processes / sweep,
        same_summaries: summaries(apart) === summaries(together),
      },
      null,
      2,
    ),
  );
} finally {
  rmSync(root, { recursive: true });
}
