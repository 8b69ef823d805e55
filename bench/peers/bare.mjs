/** The loop in bench/bare-<environment>.mjs, if it exists, as a peer: `node bare.mjs JOB.json`. */
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';

const dist = new URL('../../dist/', import.meta.url);
const { findEnv } = await import(new URL('envs/registry.js', dist));
const { median } = await import(new URL('bench/timing.js', dist));

function leave(code, text) {
  console.error(text);
  process.exit(code);
}

const job = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const file = new URL(`../bare-${findEnv(job.env).folder}.mjs`, import.meta.url);
if (!existsSync(file)) leave(4, `there is no loop of ${job.env}`);
const { policy, run } = await import(file);
if (String(policy) !== String(job.policy.params))
  leave(1, 'expected the policy that the loop has built in, got another');

let played = run(job.episodes, job.maxSteps);
const seconds = [];
for (let r = 0; r < job.repeats; r++) {
  const before = process.cpuUsage();
  played = run(job.episodes, job.maxSteps);
  const { user, system } = process.cpuUsage(before);
  seconds.push((user + system) / 1e6);
}
console.log(
  JSON.stringify({
    ...played,
    seconds: median(seconds),
    kernelSeconds: null,
    device: `${cpus()[0]?.model ?? 'unknown'}, 1 thread`,
    variant: 'one loop',
    variants: [],
  }),
);
