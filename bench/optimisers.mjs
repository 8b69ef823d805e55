/**
 * The table of docs/optimisers.md: what plain optimisers reach with the episodes of the paper, beside its numbers.
 * After `npm run build`:
 * - `node bench/optimisers.mjs run FOLDER [env ...] [--seeds 10] [--jobs N] [--backend cpu]` runs the searches, as ordinary
 *   runs; the same command goes on where it was interrupted.
 * - `node bench/optimisers.mjs ceilings FOLDER [--episodes 3000000] [--backend auto]` searches for the best policy.
 * - `node bench/optimisers.mjs check` compares the document with these numbers.
 * - `node bench/optimisers.mjs write [--runs FOLDER] [--ceilings FOLDER] [--settings FILE]` writes what these hold into
 *   bench/results/optimisers/, and the document from there. FILE: of bench/optimiser-settings.mjs.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  finishedGroups,
  keepDocument,
  list,
  place,
  plain,
  r2po,
  readJson,
  root,
  tableLine,
  withInterval,
  writeJson,
} from './document.mjs';

const results = join(root, 'bench/results/optimisers');
const document = join(root, 'docs/optimisers.md');
const budgets = [4000, 8000];
const optimisers = {
  real: ['random-search', 'hill-climbing', 'ars', 'cma-es'],
  table: ['random-search', 'hill-climbing', 'cem'],
};
/** name of the configurations, and kind of the policy */
const environments = [
  ['cartpole', 'CartPole-v1', 'real'],
  ['mountaincar', 'MountainCar-v0', 'real'],
  ['mountaincar-continuous', 'MountainCarContinuous-v0', 'real'],
  ['acrobot', 'Acrobot-v1', 'real'],
  ['pendulum', 'Pendulum-v1', 'real'],
  ['pong', 'Pong-v0', 'real'],
  ['inverted-pendulum', 'InvertedPendulum-v5', 'real'],
  ['inverted-double-pendulum', 'InvertedDoublePendulum-v5', 'real'],
  ['swimmer', 'Swimmer-v5', 'real'],
  ['frozenlake', 'FrozenLake-v1', 'table'],
  ['cliffwalking', 'CliffWalking-v1', 'table'],
  ['nim', 'Nim-v0', 'table'],
  ['maze', 'maze-sample-3x3-v0', 'table'],
];
/** as far as all settings were measured */
const seedsOfSettings = 2;
const settingsOfCeilings = [
  'evaluation.episodes=64',
  'optimiser.population=64',
  'optimiser.restarts=bipop',
  'optimiser.start=random',
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '10' },
    jobs: { type: 'string', default: `${cpus().length}` },
    episodes: { type: 'string', default: '3000000' },
    backend: { type: 'string' },
    runs: { type: 'string' },
    ceilings: { type: 'string' },
    settings: { type: 'string' },
  },
});
const [command, folder, ...asked] = positionals;

function run() {
  for (const [name, , kind] of environments) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    const configs = optimisers[kind].map((optimiser) => `${name}/${optimiser}`);
    const axes = [`seed=0..${Number(values.seeds) - 1}`, `optimiser.episodes=${budgets.join(',')}`];
    console.log(`${name}: ${configs.length * budgets.length * Number(values.seeds)} runs`);
    r2po([
      'sweep',
      ...configs,
      ...axes,
      '--runs-dir',
      folder,
      '-j',
      values.jobs,
      '--backend',
      values.backend ?? 'cpu',
      '--quiet',
      '--json',
    ]);
  }
}

function searchCeilings() {
  for (const [name, , kind] of environments) {
    if (kind === 'table') continue;
    for (let seed = 0; seed < 3; seed++) {
      const place = ['--runs-dir', folder, '--name', `${name}-cma-es-${seed}`];
      const settings = [...settingsOfCeilings, `optimiser.episodes=${values.episodes}`];
      r2po([
        'run',
        `${name}/cma-es`,
        ...settings,
        '--seed',
        `${seed}`,
        '--backend',
        values.backend ?? 'auto',
        ...place,
        '--quiet',
      ]);
    }
  }
}

/** The numbers of one folder of runs, by environment, optimiser and budget. */
function reached(runs) {
  return finishedGroups(runs).map(({ group, runs: each, rewards }) => ({
    env: group.env,
    optimiser: group.method,
    episodes: Number(group['optimiser.episodes'] ?? each[0].episodes),
    seeds: rewards.rechecked.runs,
    backend: each[0].backend,
    rechecked: { mean: rewards.rechecked.mean, ci95: rewards.rechecked.ci95 },
    highest: { mean: rewards.best.mean, ci95: rewards.best.ci95 },
  }));
}

/** The best of the searched policies by their re-check, and the exact optimum of tables. */
function ceilings(from) {
  const searched = readdirSync(from)
    .filter((name) => existsSync(join(from, name, 'summary.json')))
    .map((name) => ({
      name,
      summary: readJson(join(from, name, 'summary.json')),
      best: readJson(join(from, name, 'best.json')),
    }));
  return environments.map(([name, env, kind]) => {
    if (kind === 'table') {
      const { stationary } = r2po(['solve', env, '--json'], { json: true });
      return { env, exact: true, mean: stationary.mean ?? stationary.value };
    }
    const runs = searched.filter(({ summary }) => summary.env === env);
    if (runs.length === 0) throw new Error(`expected runs of ${name}/cma-es in ${from}, found none`);
    runs.sort((a, b) => b.summary.best.rechecked.mean - a.summary.best.rechecked.mean);
    const [{ summary, best }] = runs;
    const { mean, ci95, episodes } = summary.best.rechecked;
    const { kind: policy, params, options } = best;
    return {
      env,
      exact: false,
      mean,
      ci95,
      rechecked_episodes: episodes,
      searches: runs.map(({ summary: one }) => ({
        seed: one.seed,
        episodes: one.episodes,
        mean: one.best.rechecked.mean,
      })),
      backend: summary.adapter ?? summary.backend,
      policy: { env, kind: policy, options, params },
    };
  });
}

function tableOf(kind, data, best, published) {
  const columns = optimisers[kind].flatMap((optimiser) => budgets.map((episodes) => ({ optimiser, episodes })));
  const head = [
    'environment',
    kind === 'table' ? 'optimum' : 'best known',
    ...columns.map(({ optimiser, episodes }) => `${optimiser} ${episodes}`),
    'ProPS',
    'ProPS+',
    'R2PO',
  ];
  const rows = environments
    .filter(([, , of]) => of === kind)
    .map(([, env]) => {
      const ceiling = best.find((one) => one.env === env);
      const cells = columns.map(({ optimiser, episodes }) => {
        const found = data.find((one) => one.env === env && one.optimiser === optimiser && one.episodes === episodes);
        return found ? withInterval(found.rechecked) : 'not run';
      });
      const papers = ['props', 'props-plus', 'r2po'].map((method) => {
        const found = published.results.find((one) => one.env === env && one.method === method);
        return found ? plain(found.best.mean) : '-';
      });
      const isDouble = data.every((one) => one.env !== env || one.backend === 'cpu');
      return [
        isDouble ? env : `${env} (float32)`,
        ceiling ? withInterval({ mean: ceiling.mean, ci95: ceiling.ci95 ?? null }) : '-',
        ...cells,
        ...papers,
      ];
    });
  return [tableLine(head), tableLine(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(tableLine)].join(
    '\n',
  );
}

/** Mean over the seeds that all numbers of episodes have, by environment, optimiser and episodes of a candidate. */
function settingsReached(file) {
  const lines = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const found = lines.filter(({ group, result }) => result && !result.error && group.settings.start !== 'random');
  const groups = new Map();
  for (const row of found) {
    const { env, optimiser, perEvaluation } = row.group;
    const key = `${env} ${optimiser} ${perEvaluation}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((rows) => {
    const { env, optimiser, perEvaluation, budget, fresh } = rows[0].group;
    const chosen = rows.filter(({ seed }) => seed < seedsOfSettings);
    const mean = chosen.reduce((sum, { result }) => sum + result.best, 0) / chosen.length;
    return { env, optimiser, episodes: perEvaluation, budget, fresh, seeds: chosen.length, mean };
  });
}

function settingsTable(rows) {
  const counts = [...new Set(rows.map(({ episodes }) => episodes))].sort((a, b) => a - b);
  const complete = rows.filter(({ seeds }) => seeds === seedsOfSettings);
  const lines = environments.flatMap(([, env, kind]) =>
    ['cma-es', 'sep-cma-es', 'ars', 'openai-es', 'cem', 'hill-climbing', 'random-search'].flatMap((optimiser) => {
      const cells = counts.map((episodes) => {
        const found = complete.find(
          (row) => row.env === env && row.optimiser === optimiser && row.episodes === episodes,
        );
        return found ? plain(found.mean) : null;
      });
      if (kind === 'table' && !optimisers.table.includes(optimiser)) return [];
      return cells.includes(null) ? [] : [`| ${[env, optimiser, ...cells].join(' | ')} |`];
    }),
  );
  const head = ['environment', 'optimiser', ...counts.map((count) => `${count} episode${count === 1 ? '' : 's'}`)];
  return [`| ${head.join(' | ')} |`, `|---|---|${counts.map(() => '---:|').join('')}`, ...lines].join('\n');
}

/** A return that is at most so far below the best known one is as good as it here, relative to that. */
const tolerance = 0.05;

/** One line for each environment with numbers: what comes close to its best known policy. */
function findings(data, best, published) {
  return environments
    .flatMap(([, env]) => {
      const rows = data.filter((one) => one.env === env);
      const ceiling = best.find((one) => one.env === env);
      if (rows.length === 0 || ceiling === undefined) return [];
      const least = ceiling.mean - tolerance * Math.abs(ceiling.mean);
      const [few, many] = budgets.map((episodes) =>
        rows
          .filter((row) => row.episodes === episodes && row.rechecked.mean >= least)
          .map(({ optimiser }) => optimiser),
      );
      const late = many.filter((optimiser) => !few.includes(optimiser));
      const parts = [
        ...(few.length > 0 ? [`${list(few)} with ${budgets[0]} episodes`] : []),
        ...(late.length > 0 ? [`${list(late)} with ${budgets[1]}`] : []),
      ];
      const paper = published.results.find((one) => one.env === env && one.method === 'r2po');
      const above =
        paper && paper.best.mean > ceiling.mean + 0.01 * Math.abs(ceiling.mean)
          ? ` The published ${plain(paper.best.mean)} of R2PO lies above ${ceiling.exact ? 'the optimum' : 'the best known policy'}.`
          : '';
      return [`- ${env}: ${parts.length > 0 ? parts.join(', ') : 'no optimiser'}.${above}`];
    })
    .join('\n');
}

function write() {
  mkdirSync(results, { recursive: true });
  const paths = {
    reached: join(results, 'reached.json'),
    ceilings: join(results, 'ceilings.json'),
    settings: join(results, 'settings.json'),
  };
  if (values.settings) writeJson(paths.settings, settingsReached(values.settings));
  if (values.runs) writeJson(paths.reached, reached(values.runs));
  if (values.ceilings) writeJson(paths.ceilings, ceilings(values.ceilings));
  const published = readJson(join(root, 'src/report/published/r2po-paper.json'));
  const [data, best] = [readJson(paths.reached), readJson(paths.ceilings)];
  let text = readFileSync(document, 'utf8');
  text = place(document, text, 'numbers', tableOf('real', data, best, published));
  text = place(document, text, 'tables', tableOf('table', data, best, published));
  text = place(document, text, 'findings', findings(data, best, published));
  text = place(document, text, 'settings', settingsTable(readJson(paths.settings)));
  keepDocument(document, text, command, 'bench/optimisers.mjs');
}

const commands = { run, ceilings: searchCeilings, write, check: write };
if (!commands[command] || (commands[command] !== write && !folder)) {
  console.error('expected "run FOLDER", "ceilings FOLDER", "write" or "check"');
  process.exit(2);
}
commands[command]();
