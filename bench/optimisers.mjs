/**
 * The table of docs/optimisers.md: what plain optimisers reach with the episodes of the paper, beside its numbers.
 * After `npm run build`:
 * - `node bench/optimisers.mjs run FOLDER [env ...] [--seeds 10] [--jobs N]` runs the searches, as ordinary runs; the same
 *   command goes on where it was interrupted.
 * - `node bench/optimisers.mjs ceilings FOLDER [--episodes 3000000] [--backend webgpu]` searches for the best policy.
 * - `node bench/optimisers.mjs write [--runs FOLDER] [--ceilings FOLDER]` writes what these folders hold into
 *   bench/results/optimisers/, and the document from there.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const cli = join(root, 'dist/cli/main.js');
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
    backend: { type: 'string', default: 'auto' },
    runs: { type: 'string' },
    ceilings: { type: 'string' },
  },
});
const [command, folder, ...asked] = positionals;

function r2po(args, { json = false } = {}) {
  const { status, stdout } = spawnSync(process.execPath, [cli, ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`r2po ${args.join(' ')} ended with exit code ${status}`);
  return json ? JSON.parse(stdout) : stdout;
}

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
const writeJson = (path, value) => writeFileSync(path, `${JSON.stringify(value, null, 1)}\n`);

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
      'cpu',
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
        values.backend,
        ...place,
        '--quiet',
      ]);
    }
  }
}

/** The numbers of one folder of runs, by environment, optimiser and budget. */
function reached(runs) {
  const { groups } = r2po(['report', runs, '--json'], { json: true });
  return groups.map(({ group, runs: each, rewards }) => ({
    env: group.env,
    optimiser: group.method,
    episodes: Number(group['optimiser.episodes'] ?? each[0].episodes),
    seeds: rewards.rechecked.runs,
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

const plain = (value) =>
  (Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)).replace(
    /^-(0(\.0+)?)$/,
    '$1',
  );
const withInterval = ({ mean, ci95 }) =>
  ci95 === null || ci95[0] === ci95[1] ? plain(mean) : `${plain(mean)} [${plain(ci95[0])}, ${plain(ci95[1])}]`;

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
      return [
        env,
        ceiling ? withInterval({ mean: ceiling.mean, ci95: ceiling.ci95 ?? null }) : '-',
        ...cells,
        ...papers,
      ];
    });
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** Replaces what stands between the two markers of a name. */
function place(text, name, content) {
  const pattern = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(\n<!-- /${name} -->)`);
  if (!pattern.test(text)) throw new Error(`expected the markers of "${name}" in ${document}`);
  return text.replace(pattern, (_, before, after) => before + content + after);
}

function write() {
  mkdirSync(results, { recursive: true });
  const paths = { reached: join(results, 'reached.json'), ceilings: join(results, 'ceilings.json') };
  if (values.runs) writeJson(paths.reached, reached(values.runs));
  if (values.ceilings) writeJson(paths.ceilings, ceilings(values.ceilings));
  const published = readJson(join(root, 'src/report/published/r2po-paper.json'));
  const [data, best] = [readJson(paths.reached), readJson(paths.ceilings)];
  let text = readFileSync(document, 'utf8');
  text = place(text, 'numbers', tableOf('real', data, best, published));
  text = place(text, 'tables', tableOf('table', data, best, published));
  writeFileSync(document, text);
}

const commands = { run, ceilings: searchCeilings, write };
if (!commands[command] || (command !== 'write' && !folder)) {
  console.error('expected "run FOLDER", "ceilings FOLDER" or "write"');
  process.exit(2);
}
commands[command]();
