/**
 * Utilisation of GPU lanes: a warp of 32 invocations runs until its longest episode ends. Counts, on the cpu, the share
 * of lane steps that are steps of an episode, for two assignments of a population to lanes: candidate by candidate, as
 * in shaders/rollout.wgsl, and seed by seed. Nothing is timed, so the script runs on any machine.
 * `node bench/lanes.mjs [env ...]` after `npm run build`.
 */
const dist = new URL('../dist/', import.meta.url);
const { envs } = await import(new URL('envs/index.js', dist));
const { findEnv } = await import(new URL('envs/registry.js', dist));
const { policyKinds } = await import(new URL('policies/index.js', dist));
const { openCpuBackend } = await import(new URL('rollout/cpu/node/backend.js', dist));
const { defaultStepCap } = await import(new URL('rollout/job.js', dist));
const { Generator } = await import(new URL('base/rng/generator.js', dist));

const warp = 32;
const candidates = 1024;
const episodes = 20;
const asked = process.argv.slice(2);
const backend = openCpuBackend();

/** Share of lane steps that are steps of an episode; `lengthAt` returns the length of the episode of a lane. */
function utilisation(lanes, lengthAt) {
  let played = 0;
  let held = 0;
  for (let first = 0; first < lanes; first += warp) {
    let longest = 0;
    for (let lane = first; lane < Math.min(first + warp, lanes); lane++) {
      const length = lengthAt(lane);
      played += length;
      longest = Math.max(longest, length);
    }
    held += longest * warp;
  }
  return played / held;
}

console.log(`share of lane steps used, ${candidates} random policies x ${episodes} episodes, warps of ${warp}`);
console.log('environment                 by candidate  by seed  steps per episode');
for (const env of asked.length > 0 ? asked.map((name) => findEnv(name)) : envs) {
  const policy = policyKinds.find((kind) => kind.accepts(env) === null).build(env, {});
  const rng = Generator.from(11);
  const population = Array.from({ length: candidates }, () => policy.sample(rng, 1));
  const job = { env, policy, candidates: population, episodes, seed: 0, maxSteps: defaultStepCap(env) };
  const { lengths, steps } = await backend.play(job);
  const total = candidates * episodes;
  const byCandidate = utilisation(total, (lane) => lengths[lane]);
  const bySeed = utilisation(total, (lane) => lengths[(lane % candidates) * episodes + Math.floor(lane / candidates)]);
  console.log(
    `${env.id.padEnd(28)}${byCandidate.toFixed(2).padStart(12)}${bySeed.toFixed(2).padStart(9)}${(steps / total).toFixed(1).padStart(19)}`,
  );
}
await backend.close();
