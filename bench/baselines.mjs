/**
 * The table of docs/baselines.md: the trainings of scripts/baseline-evidence.sh and others beside the published numbers, the
 * optimisers and R2PO. After `npm run build`:
 * - `node bench/baselines.mjs write [--runs FOLDER]` adds the finished runs to those in bench/results/baselines/, and writes
 *   the document from there.
 * - `node bench/baselines.mjs check` compares the document with these numbers.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { spreadOf } from '../dist/report/groups.js';
import {
  keepDocument,
  place,
  plain,
  readJson,
  root,
  tableLine,
  withInterval,
  withRuns,
  writeJson,
} from './document.mjs';

const results = join(root, 'bench/results/baselines');
const document = join(root, 'docs/baselines.md');
const budget = 4000;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { runs: { type: 'string' } } });
const [command] = positionals;

/** What the document needs of a training. */
const numbersOf = ({ env, method, seed, episodes, steps, best }) => ({
  env,
  method,
  seed,
  episodes,
  steps,
  rechecked: best.rechecked.mean,
});

/** Trainings by environment and method (`zoo/ppo`). */
function trained(runs) {
  const groups = new Map();
  for (const run of runs) {
    const key = `${run.env} ${run.method}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()].map((group) => ({
    env: group[0].env,
    method: group[0].method,
    rechecked: spreadOf(group.map(({ rechecked }) => rechecked)),
  }));
}

const withSeeds = ({ rechecked }) =>
  `${withInterval(rechecked)} (${rechecked.runs} seed${rechecked.runs === 1 ? '' : 's'})`;

/** A row for each environment and algorithm that the paper trained, or that was trained here. */
function tableOf(trainings, optimisers, published) {
  const algorithms = new Set(
    [...published.trainings, ...trainings].map(({ env, method }) => `${env} ${method.split('/')[1]}`),
  );
  const rows = [...algorithms].sort().map((key) => {
    const [env, algorithm] = key.split(' ');
    const of = (list, method) => list.find((one) => one.env === env && one.method === method);
    const paper = of(published.trainings, `sb3/${algorithm}`);
    const here = (settings) => of(trainings, `${settings}/${algorithm}`);
    const optimiser = (name) =>
      optimisers.find((one) => one.env === env && one.optimiser === name && one.episodes === budget);
    const r2po = of(published.results, 'r2po');
    return [
      env,
      algorithm,
      paper ? plain(paper.best.mean) : '-',
      here('sb3') ? withSeeds(here('sb3')) : 'not run',
      here('zoo') ? withSeeds(here('zoo')) : 'not run',
      ...['cma-es', 'ars'].map((name) => (optimiser(name) ? withInterval(optimiser(name).rechecked) : '-')),
      r2po ? plain(r2po.best.mean) : '-',
    ];
  });
  const head = ['environment', 'algorithm', 'published', 'default', 'tuned', 'CMA-ES', 'ARS', 'R2PO'];
  const rule = head.map((_, i) => (i < 2 ? '---' : '---:'));
  return [tableLine(head), tableLine(rule), ...rows.map(tableLine)].join('\n');
}

function write() {
  mkdirSync(results, { recursive: true });
  const path = join(results, 'trained.json');
  if (values.runs) {
    const isTraining = ({ method }) => /^(sb3|zoo|reference)\//.test(method);
    writeJson(path, withRuns(path, values.runs, isTraining, numbersOf));
  }
  const trainings = trained(existsSync(path) ? readJson(path) : []);
  const optimisers = readJson(join(root, 'bench/results/optimisers/reached.json'));
  const published = readJson(join(root, 'src/report/published/r2po-paper.json'));
  const table = tableOf(trainings, optimisers, published);
  const text = place(document, readFileSync(document, 'utf8'), 'results', table);
  keepDocument(document, text, command, 'bench/baselines.mjs');
}

if (command !== 'write' && command !== 'check') {
  console.error('expected "write [--runs FOLDER]" or "check"');
  process.exit(2);
}
write();
