/**
 * What optimisers reach with other settings than their defaults, for every environment with its usual policy: the policy
 * with the highest mean of the search, and the centre of the search, on fresh seeds. After `npm run build`:
 * `node bench/optimiser-settings.mjs [env ...] --out FILE [--backend cpu] [--episodes 8000] [--seeds 5]
 * [--fresh 1000] [--processes N]`. Each line gives the mean and the range over the seeds. Every process plays by itself,
 * on one cpu thread or on the GPU. Each search becomes a line of FILE when it ends; the same command goes on from there.
 */
import { fork } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

const dist = new URL('../dist/', import.meta.url);
const load = (path) => import(new URL(path, dist));
const { envs } = await load('envs/index.js');
const { findEnv } = await load('envs/registry.js');
const { policyKinds } = await load('policies/index.js');
const { defaultStepCap } = await load('rollout/job.js');

const real = {
  'cma-es': { start: ['centre', 'random'] },
  'sep-cma-es': {},
  ars: {},
  'openai-es': {},
  cem: {},
  'hill-climbing': {},
  'random-search': {},
};
const choice = { cem: {}, 'hill-climbing': {}, 'random-search': {} };
const evaluationEpisodes = [1, 4, 10, 20];

const usualPolicy = (env) => policyKinds.find((kind) => kind.accepts(env) === null).build(env, {});

/** Every combination of the listed values. */
function combinations(axes) {
  return Object.entries(axes).reduce(
    (all, [key, values]) => all.flatMap((one) => values.map((value) => ({ ...one, [key]: value }))),
    [{}],
  );
}

let backend = null;

async function openOnce(name) {
  if (name !== 'cpu') return (await load('rollout/node/open.js')).openBackend(name);
  return new (await load('rollout/cpu/single-thread.js')).SingleThreadBackend();
}

async function search({
  backend: backendName,
  env: id,
  optimiser: name,
  settings,
  perEvaluation,
  budget,
  seed,
  fresh,
}) {
  const [{ findOptimiser }, { Optimisation, problemOf }, { observationSize }, { evaluate }, { Generator }] =
    await Promise.all(
      [
        'optimisers/index.js',
        'optimisers/optimiser.js',
        'envs/env.js',
        'evaluation/evaluate.js',
        'base/rng/generator.js',
      ].map(load),
    );
  const env = findEnv(id);
  const policy = usualPolicy(env);
  backend ??= await openOnce(backendName);
  const size = env.observation.kind === 'vector' ? observationSize(env.observation) : 1;
  const optimiser = findOptimiser(name);
  const own = optimiser.settings.parse(settings);
  const problem = problemOf(policy, { low: -6, high: 6, decimals: null }, size);
  const optimisation = Optimisation.start(optimiser, problem, own);
  const rng = Generator.from(seed);
  const play = (candidates, episodes, from) =>
    evaluate({ backend, env, policy, candidates, episodes, seed: from, maxSteps: defaultStepCap(env) });
  let best = null;
  for (let g = 0, left = budget; ; g++) {
    const candidates = optimisation.ask(rng);
    left -= candidates.length * perEvaluation;
    if (left < 0) break;
    const { means } = await play(candidates, perEvaluation, seed * 1e8 + g * 1000);
    optimisation.tell(means);
    means.forEach((mean, c) => {
      if (best === null || mean >= best.mean) best = { mean, params: candidates[c].slice() };
    });
  }
  if (best === null) return null;
  const centre = optimisation.centre?.() ?? null;
  const { means } = await play([best.params, ...(centre ? [centre] : [])], fresh, 2 ** 40);
  return { highest: best.mean, best: means[0], centre: centre ? means[1] : null };
}

if (process.send) {
  process.on('message', async (task) => {
    process.send(await search(task).catch((error) => ({ error: error.message })));
  });
  process.on('disconnect', () => process.exit());
} else {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      episodes: { type: 'string', default: '8000' },
      seeds: { type: 'string', default: '5' },
      fresh: { type: 'string', default: '1000' },
      backend: { type: 'string', default: 'cpu' },
      processes: { type: 'string', default: `${availableParallelism()}` },
      out: { type: 'string' },
    },
  });
  const asked = positionals.length > 0 ? positionals.map((name) => findEnv(name)) : envs;
  const groups = asked.flatMap((env) => {
    const optimisers = usualPolicy(env).values.kind === 'choice' ? choice : real;
    return Object.entries(optimisers).flatMap(([optimiser, axes]) =>
      combinations({ perEvaluation: evaluationEpisodes, ...axes }).map(({ perEvaluation, ...settings }) => ({
        env: env.id,
        optimiser,
        settings,
        perEvaluation,
        budget: Number(values.episodes),
        fresh: Number(values.fresh),
        backend: values.backend,
      })),
    );
  });
  const results = new Map(groups.map((group) => [JSON.stringify(group), []]));
  const known = new Set();
  if (existsSync(values.out)) {
    for (const line of readFileSync(values.out, 'utf8').trim().split('\n')) {
      const { group, seed, result } = JSON.parse(line);
      results.get(JSON.stringify(group))?.push(result);
      known.add(JSON.stringify([group, seed]));
    }
  }
  // Seed by seed, so that a measurement that is cut off has all settings.
  const tasks = Array.from({ length: Number(values.seeds) }, (_, seed) => groups.map((group) => ({ group, seed })))
    .flat()
    .filter(({ group, seed }) => !known.has(JSON.stringify([group, seed])));
  await Promise.all(
    Array.from({ length: Number(values.processes) }, async () => {
      const child = fork(new URL(import.meta.url));
      for (let task = tasks.shift(); task; task = tasks.shift()) {
        const { group, seed } = task;
        child.send({ ...group, seed });
        const result = await new Promise((resolve) => child.once('message', resolve));
        appendFileSync(values.out, `${JSON.stringify({ group, seed, result })}\n`);
        results.get(JSON.stringify(group)).push(result);
      }
      child.disconnect();
    }),
  );
  const rows = groups.map((group) => {
    const all = results.get(JSON.stringify(group));
    const found = all.filter((result) => result && !result.error);
    const spread = (key) => {
      const numbers = found.map((result) => result[key]).filter((value) => value !== null);
      numbers.sort((a, b) => a - b);
      const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
      return numbers.length === 0
        ? null
        : { mean, low: numbers[0], median: numbers[numbers.length >> 1], high: numbers.at(-1), seeds: numbers.length };
    };
    const error = all.find((result) => result?.error)?.error ?? null;
    return { ...group, best: spread('best'), centre: spread('centre'), highest: spread('highest'), error };
  });
  const shown = (part) =>
    part === null ? '' : `${part.mean.toFixed(2)} (${part.low.toFixed(2)} ... ${part.high.toFixed(2)})`;
  for (const { env, optimiser, settings, perEvaluation, best, centre, error } of rows) {
    const how = Object.entries(settings)
      .map(([key, value]) => `${key}=${value}`)
      .join(' ');
    console.log(
      `${env.padEnd(26)}${optimiser.padEnd(14)}${`E=${perEvaluation} ${how}`.padEnd(28)}${shown(best).padEnd(36)}${shown(centre)}${error ?? ''}`,
    );
  }
}
