/**
 * Best number of invocations per workgroup: GPU time of the same episodes for several sizes, alternating. The default
 * of the backend is marked. `node bench/workgroups.mjs [--episodes N] [--repeats R] [env ...]` after `npm run build`.
 */
import { parseArgs } from 'node:util';

const dist = new URL('../dist/', import.meta.url);
const { envs } = await import(new URL('envs/index.js', dist));
const { findEnv } = await import(new URL('envs/registry.js', dist));
const { openCpuBackend } = await import(new URL('rollout/cpu/node/backend.js', dist));
const { openWebGpuBackend } = await import(new URL('rollout/webgpu/node/backend.js', dist));
const { defaultWorkgroup } = await import(new URL('rollout/webgpu/episodes/episode-kernel.js', dist));
const { median } = await import(new URL('bench/timing.js', dist));
const { longPlayingWork } = await import(new URL('bench/work.js', dist));

const sizes = [32, 64, 128, 256];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { episodes: { type: 'string', default: '262144' }, repeats: { type: 'string', default: '5' } },
});
const [episodes, repeats] = [Number(values.episodes), Number(values.repeats)];
if (!(Number.isSafeInteger(episodes) && episodes > 0 && Number.isSafeInteger(repeats) && repeats > 0)) {
  console.error('expected whole numbers above 0 for --episodes and --repeats');
  process.exit(2);
}

const cpu = openCpuBackend();
const backends = [];
for (const workgroup of sizes) backends.push(await openWebGpuBackend({ workgroup }));
console.log(`${backends[0].adapter}; ${episodes} episodes, medians of ${repeats}; steps/s by GPU time`);
console.log(
  [
    'environment'.padEnd(28),
    ...sizes.map((size) => `${size}${size === defaultWorkgroup ? '*' : ''}`.padStart(10)),
  ].join(''),
);
for (const env of positionals.length > 0 ? positionals.map((name) => findEnv(name)) : envs) {
  const { policy, params, maxSteps } = await longPlayingWork(env, cpu);
  const job = { env, policy, candidates: [params], episodes, seed: 0, maxSteps };
  const speeds = sizes.map(() => []);
  for (let turn = 0; turn <= repeats; turn++) {
    for (const [i, backend] of backends.entries()) {
      const { steps, seconds, gpuSeconds } = await backend.play(job, { timing: true });
      // The first turn compiles and determines the size of a dispatch.
      if (turn > 0) speeds[i].push(steps / (gpuSeconds ?? seconds));
    }
  }
  console.log([env.id.padEnd(28), ...speeds.map((list) => median(list).toExponential(2).padStart(10))].join(''));
}
for (const backend of [cpu, ...backends]) await backend.close();
