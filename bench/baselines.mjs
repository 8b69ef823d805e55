/**
 * The table of docs/baselines.md: the trainings of scripts/baseline-evidence.sh and others beside the published numbers, the
 * optimisers and R2PO. After `npm run build`:
 * - `node bench/baselines.mjs write [--runs FOLDER]` writes what the runs hold into bench/results/baselines/, and the
 *   document from there.
 * - `node bench/baselines.mjs check` compares the document with these numbers.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { finishedGroups, place, plain, readJson, root, tableLine, withInterval, writeJson } from './document.mjs';

const results = join(root, 'bench/results/baselines');
const document = join(root, 'docs/baselines.md');
const budget = 4000;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { runs: { type: 'string' } } });
const [command] = positionals;

/** The trainings of a folder, by environment and method (`zoo/ppo`), whose seeds have all ended. */
function trained(runs) {
  return finishedGroups(runs)
    .filter(({ group }) => /^(sb3|zoo|reference)\//.test(group.method))
    .map(({ group, runs: each, rewards }) => ({
      env: group.env,
      method: group.method,
      seeds: rewards.rechecked.runs,
      episodes: each.map(({ episodes }) => episodes).sort((a, b) => a - b),
      rechecked: { mean: rewards.rechecked.mean, ci95: rewards.rechecked.ci95 },
    }));
}

const withSeeds = ({ seeds, rechecked }) => `${withInterval(rechecked)} (${seeds} seed${seeds === 1 ? '' : 's'})`;

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
  if (values.runs) writeJson(path, trained(values.runs));
  const trainings = existsSync(path) ? readJson(path) : [];
  const optimisers = readJson(join(root, 'bench/results/optimisers/reached.json'));
  const published = readJson(join(root, 'src/report/published/r2po-paper.json'));
  const before = readFileSync(document, 'utf8');
  const text = place(document, before, 'results', tableOf(trainings, optimisers, published));
  if (command === 'write') return writeFileSync(document, text);
  if (text === before) return;
  console.error('docs/baselines.md does not hold the numbers of bench/results/; run "bench/baselines.mjs write"');
  process.exit(1);
}

if (command !== 'write' && command !== 'check') {
  console.error('expected "write [--runs FOLDER]" or "check"');
  process.exit(2);
}
write();
