/** Our own backends as peers, statistics included: `node ours.mjs JOB.json --backend cpu|wasm|webgpu`. */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';

const dist = new URL('../../dist/', import.meta.url);
const { AdapterError } = await import(new URL('base/errors.js', dist));
const { findEnv } = await import(new URL('envs/registry.js', dist));
const { buildPolicy } = await import(new URL('policies/index.js', dist));
const { openCpuBackend } = await import(new URL('rollout/cpu/node/backend.js', dist));
const { openWasmBackend } = await import(new URL('rollout/wasm/node/backend.js', dist));
const { openWebGpuBackend } = await import(new URL('rollout/webgpu/node/backend.js', dist));
const { evaluate } = await import(new URL('evaluation/evaluate.js', dist));
const { median } = await import(new URL('bench/timing.js', dist));

/** Warm-up time in seconds: starts threads, grows buffers, finds the dispatch size, compiles the loop. */
const warmSeconds = 0.3;
const plural = (threads) => (threads > 1 ? 'threads' : 'thread');
const openers = {
  cpu: (threads) => openCpuBackend({ threads }),
  wasm: (threads) => openWasmBackend({ threads }),
  webgpu: () =>
    openWebGpuBackend().catch((error) => {
      if (!(error instanceof AdapterError)) throw error;
      console.error('there is no WebGPU adapter');
      process.exit(3);
    }),
};

const { values, positionals } = parseArgs({ options: { backend: { type: 'string' } }, allowPositionals: true });
const job = JSON.parse(readFileSync(positionals[0], 'utf8'));
const backend = await openers[values.backend](job.threads);
const env = findEnv(job.env);
const policy = buildPolicy(job.policy.kind, env);
const { episodes, seed, maxSteps, repeats } = job;
const request = { backend, env, policy, candidates: [Float64Array.from(job.policy.params)], episodes, seed, maxSteps };

/** s; on one thread the time of the processor, which other programs on the machine change less than that of the wall */
function now() {
  if (job.threads > 1) return performance.now() / 1000;
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function once(options) {
  const start = now();
  const { summaries, played } = await evaluate({ ...request, ...options });
  const { steps, mean } = summaries[0];
  return { steps, mean, seconds: now() - start, kernelSeconds: played?.gpuSeconds ?? null };
}

for (let spent = 0; spent < warmSeconds; ) spent += (await once()).seconds;
const runs = [];
while (runs.length < repeats) runs.push(await once());
// Separately, because reading the GPU clock takes time.
const kernel = [];
while (kernel.length < repeats) {
  const { kernelSeconds } = await once({ timing: true });
  if (kernelSeconds === null) break;
  kernel.push(kernelSeconds);
}
await backend.close();
console.log(
  JSON.stringify({
    steps: runs[0].steps,
    seconds: median(runs.map((run) => run.seconds)),
    kernelSeconds: kernel.length > 0 ? median(kernel) : null,
    meanReturn: runs[0].mean,
    device: backend.adapter ?? `${cpus()[0]?.model ?? 'unknown'}, ${job.threads} ${plural(job.threads)}`,
    variant: `${backend.id} backend`,
    variants: [],
  }),
);
