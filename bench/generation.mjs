/**
 * Time of the parts of a CMA-ES generation: ask, playing the population, tell. After `npm run build`:
 * `node bench/generation.mjs [cpu|webgpu] [--env CartPole-v1] [--population 256] [--episodes 64] [--generations 60] [--json FILE]`.
 * `rest` is what a generation takes beyond the time that the backend reports for its episodes.
 */
import { writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';

const dist = new URL('../dist/', import.meta.url);
const { findEnv } = await import(new URL('envs/registry.js', dist));
const { policyKinds } = await import(new URL('policies/index.js', dist));
const { openBackend } = await import(new URL('rollout/node/open.js', dist));
const { findOptimiser } = await import(new URL('optimisers/index.js', dist));
const { Optimisation, problemOf } = await import(new URL('optimisers/optimiser.js', dist));
const { observationSize } = await import(new URL('envs/env.js', dist));
const { evaluate } = await import(new URL('evaluation/evaluate.js', dist));
const { Generator } = await import(new URL('base/rng/generator.js', dist));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    env: { type: 'string', default: 'CartPole-v1' },
    population: { type: 'string', default: '256' },
    episodes: { type: 'string', default: '64' },
    generations: { type: 'string', default: '60' },
    json: { type: 'string' },
  },
});
const [backendName = 'cpu'] = positionals;
const episodes = Number(values.episodes);
const env = findEnv(values.env);
const policy = policyKinds.find((kind) => kind.accepts(env) === null).build(env, {});
const size = env.observation.kind === 'vector' ? observationSize(env.observation) : 1;
const optimiser = findOptimiser('cma-es');
const problem = problemOf(policy, { low: -6, high: 6, decimals: null }, size);
const backend = await openBackend(backendName);

/** Milliseconds of each part of each generation of one search. */
async function search(seed, generations) {
  const settings = optimiser.settings.parse({ population: Number(values.population) });
  const optimisation = Optimisation.start(optimiser, problem, settings);
  const rng = Generator.from(seed);
  const rows = [];
  for (let g = 0; g < generations; g++) {
    const times = [performance.now()];
    const candidates = optimisation.ask(rng);
    times.push(performance.now());
    const { means, played } = await evaluate({ backend, env, policy, candidates, episodes, seed: seed * 1e6 + g });
    times.push(performance.now());
    optimisation.tell(means);
    times.push(performance.now());
    const [ask, play, tell] = times.slice(1).map((time, i) => time - times[i]);
    const whole = times[3] - times[0];
    const backendMs = played.seconds * 1000;
    rows.push({ ask, play, tell, whole, backend: backendMs, rest: whole - backendMs, steps: played.steps });
  }
  return rows;
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const columns = ['ask', 'play', 'tell', 'whole', 'backend', 'rest', 'steps'];
const summary = (rows) => Object.fromEntries(columns.map((name) => [name, median(rows.map((row) => row[name]))]));

const generations = Number(values.generations);
// The first search of a process also compiles.
const [cold] = await search(1, 1);
await search(2, generations);
const searches = [];
for (let seed = 3; seed < 8; seed++) searches.push(await search(seed, generations));
const result = {
  env: env.id,
  backend: backend.id,
  adapter: backend.adapter,
  population: Number(values.population),
  episodes,
  first_of_process: cold,
  first: summary(searches.map((rows) => rows[0])),
  last_third: summary(searches.flatMap((rows) => rows.slice(Math.ceil((generations * 2) / 3)))),
};
await backend.close();
console.log(`${result.env} on ${result.backend}, ${result.population} candidates x ${episodes} episodes, milliseconds`);
console.log(`${''.padEnd(20)}${columns.map((name) => name.padStart(10)).join('')}`);
for (const name of ['first_of_process', 'first', 'last_third']) {
  console.log(
    name.padEnd(20) + columns.map((c) => result[name][c].toFixed(c === 'steps' ? 0 : 3).padStart(10)).join(''),
  );
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
