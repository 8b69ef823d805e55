/**
 * The table of hybrids in docs/optimisers.md: one small model alone, the same model with an optimiser, and the optimiser
 * alone, with the same budget of episodes. After `npm run build`:
 * - `node bench/hybrids.mjs run FOLDER --model gguf:PATH#threads=1 [--seeds 5]` runs the searches, as ordinary runs; the same
 *   command goes on where it was interrupted. It takes hours.
 * - `node bench/hybrids.mjs write [--runs FOLDER]` adds the finished runs to bench/results/optimisers/hybrids.json, and writes
 *   the document from there.
 * - `node bench/hybrids.mjs check` compares the document with these numbers.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { spreadOf } from '../dist/report/groups.js';
import {
  keepDocument,
  place,
  r2po,
  readJson,
  root,
  tableLine,
  withInterval,
  withRuns,
  writeJson,
} from './document.mjs';

const path = join(root, 'bench/results/optimisers/hybrids.json');
const document = join(root, 'docs/optimisers.md');

const environment = 'mountaincar-continuous';
const asked = ['llm.reply_form=grammar', 'llm.timeout_s=3000'];
/** At most about 3,600 episodes each; those that ask a model have 20 more of the warm-up. The slowest comes last. */
const methods = [
  {
    name: 'cma-es',
    asksModel: false,
    what: 'CMA-ES, the settings of `centaur`',
    settings: ['optimiser.episodes=3600', 'optimiser.population=10', 'evaluation.episodes=20', 'optimiser.grid=true'],
  },
  { name: 'centaur', asksModel: true, what: '`centaur`', settings: ['iterations=18'] },
  { name: 'tuned', asksModel: true, what: '`tuned`', settings: ['iterations=36'] },
  {
    name: 'es-critic',
    asksModel: true,
    what: '`es-critic`',
    settings: ['iterations=16', 'critic.trajectory_tokens=2500'],
  },
  {
    name: 'props',
    asksModel: true,
    what: 'the model alone, `search.proposals=10`',
    settings: ['iterations=18', 'search.proposals=10'],
  },
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { model: { type: 'string' }, seeds: { type: 'string', default: '5' }, runs: { type: 'string' } },
});
const [command, folder] = positionals;

function run() {
  for (const { name, asksModel, settings } of methods) {
    for (let seed = 0; seed < Number(values.seeds); seed++) {
      const asks = asksModel ? [...asked, '--model', values.model] : [];
      const place = ['--runs-dir', folder, '-j', '1', '--backend', 'cpu', '--quiet', '--json'];
      r2po(['sweep', `${environment}/${name}`, `seed=${seed}`, ...settings, ...asks, ...place]);
    }
  }
}

const numbersOf = ({ env, method, seed, episodes, llm, backend, best, best_reward }) => ({
  env,
  method,
  seed,
  episodes,
  calls: llm.calls,
  unusable: llm.unusable_replies,
  backend,
  rechecked: best.rechecked.mean,
  highest: best_reward,
});

function tableOf(runs) {
  const head = ['search', 'seeds', 'episodes', 'calls', 'unusable replies', 're-checked', 'highest 20-episode mean'];
  const rows = methods.flatMap(({ name, what }) => {
    const own = runs.filter(({ method }) => method === name);
    if (own.length === 0) return [];
    const span = (of) => [...new Set([Math.min(...own.map(of)), Math.max(...own.map(of))])].join(' to ');
    return [
      [
        what,
        own.length,
        span(({ episodes }) => episodes),
        span(({ calls }) => calls),
        own.reduce((sum, { unusable }) => sum + unusable, 0),
        withInterval(spreadOf(own.map(({ rechecked }) => rechecked))),
        withInterval(spreadOf(own.map(({ highest }) => highest))),
      ],
    ];
  });
  return [tableLine(head), tableLine(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(tableLine)].join(
    '\n',
  );
}

function write() {
  const isOne = ({ method }) => methods.some(({ name }) => name === method);
  if (values.runs) writeJson(path, withRuns(path, values.runs, isOne, numbersOf));
  const table = tableOf(existsSync(path) ? readJson(path) : []);
  const text = place(document, readFileSync(document, 'utf8'), 'hybrids', table);
  keepDocument(document, text, command, 'bench/hybrids.mjs');
}

const isRun = command === 'run' && folder !== undefined && values.model !== undefined;
if (!isRun && command !== 'write' && command !== 'check') {
  console.error('expected "run FOLDER --model MODEL", "write [--runs FOLDER]" or "check"');
  process.exit(2);
}
if (isRun) run();
else write();
