/**
 * The commands, one line each, and the contract of a command file.
 *
 * A command is one file `src/cli/<name>.ts` that exports
 *
 *     export function define(command: Command, io: Io): void
 *
 * `define` receives an empty commander command that already has its name, and gives it its description, arguments,
 * options (shared ones from `options.ts`) and `.action(async (..., options) => { ... })`. Then it gets one line below.
 *
 * - The file is loaded only when its command is called. Packages that are slow to load or native (webgpu, vega, openai)
 *   are imported inside the action, so that `--help` stays quick.
 * - Results go to stdout through `io.print` and `io.printJson`, everything else to stderr through `io.note`,
 *   `io.warn` and `io.status`. With `--json`, `io.printJson` is called exactly once and nothing else is printed.
 * - Failure is an exception. `R2poError` and its kinds carry the exit code; a command that has printed its result and
 *   still fails (`parity` out of tolerance) throws after printing. Nothing calls `process.exit`.
 * - An action closes in `finally` every backend, worker and file that it opens: an open one keeps the process alive.
 */
import type { Command } from 'commander';
import type { Io } from './io.ts';

export interface CommandModule {
  define(command: Command, io: Io): void;
}

export interface CommandEntry {
  /** name on the command line and of the file */
  readonly name: string;
  /** one line for `r2po --help` */
  readonly summary: string;
  /** two or more command lines, at the end of its help; left out: the command file adds them */
  readonly examples?: readonly string[];
  readonly load: () => Promise<CommandModule>;
}

/** In the order of `r2po --help`. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'run',
    summary: 'run one search',
    examples: ['r2po run cartpole/r2po --seed 7 --name trial iterations=20', 'r2po run runs/trial --resume'],
    load: () => import('./run.ts'),
  },
  {
    name: 'baseline',
    summary: 'train a policy with Stable-Baselines3 as a run',
    examples: [
      'r2po baseline cartpole/ppo --seed 3',
      'r2po baseline pendulum/zoo/sac --python ~/venv/bin/python --dry-run',
    ],
    load: () => import('./baseline.ts'),
  },
  {
    name: 'sweep',
    summary: 'run many searches: seeds, methods, environments, settings',
    examples: [
      "r2po sweep 'cartpole/*' seed=0..9 --model ollama/gpt-oss:20b --out report",
      'r2po sweep cartpole/r2po evaluation.episodes=20,4096 seed=0..4 --dry-run',
    ],
    load: () => import('./sweep.ts'),
  },
  {
    name: 'worker',
    summary: 'execute runs of a sweep from a queue',
    examples: [
      'r2po worker --queue redis://host -j 8',
      'r2po worker --queue redis://host --runs-dir /shared/runs --until-empty',
    ],
    load: () => import('./worker.ts'),
  },
  {
    name: 'reproduce',
    summary: 'run the experiments behind a table of the paper',
    examples: [
      'r2po reproduce core --model ollama/gpt-oss:20b --dry-run',
      'r2po reproduce tau-c --model ollama/gpt-oss:20b --seeds 0..2 iterations=5',
    ],
    load: () => import('./reproduce.ts'),
  },
  {
    name: 'replay',
    summary: 'repeat a run from its recorded replies',
    examples: ['r2po replay runs/trial', 'r2po replay runs/trial --backend cpu --json'],
    load: () => import('./replay.ts'),
  },
  {
    name: 'branch',
    summary: 'go on from an iteration of a run with other settings',
    examples: [
      'r2po branch runs/trial --at 37 --model ollama/gpt-oss:20b',
      'r2po branch runs/trial --at 37 --repeat 20 critic.conservative_threshold=400',
    ],
    load: () => import('./branch.ts'),
  },
  {
    name: 'ctl',
    summary: 'list, pause and stop runs that go on, change their budgets',
    examples: ['r2po ctl list', 'r2po ctl pause runs/trial', 'r2po ctl budget runs/trial calls=200 time=none'],
    load: () => import('./ctl.ts'),
  },
  {
    name: 'verify',
    summary: 'check that runs are as they were recorded',
    examples: ['r2po verify runs/trial', 'r2po verify runs --backend cpu --json'],
    load: () => import('./verify.ts'),
  },
  {
    name: 'view',
    summary: 'show live and finished runs on a local page',
    examples: ['r2po view', 'r2po view runs --export page'],
    load: () => import('./view.ts'),
  },
  {
    name: 'report',
    summary: 'summarise runs as tables, curves and a page',
    examples: ['r2po report runs --out report', 'r2po report runs --explain r2po:rechecked'],
    load: () => import('./report.ts'),
  },
  {
    name: 'analyze',
    summary: 'what critics change, whether it helps, and how searches move',
    examples: [
      'r2po analyze edits runs --csv edits.csv',
      'r2po analyze salience runs/trial --json',
      'r2po analyze search runs --picture search.svg',
    ],
    load: () => import('./analyze.ts'),
  },
  {
    name: 'import',
    summary: 'import logs of the reference or of SB3 as run folders',
    examples: ['r2po import r2po logs/cartpole_props', 'r2po import sb3 logs --method ppo --env CartPole-v1'],
    load: () => import('./import.ts'),
  },
  {
    name: 'export',
    summary: 'export runs as logs of the reference, CSV or Parquet',
    examples: [
      'r2po export runs --out tables --format parquet',
      'r2po export runs/trial --format calls --out calls.jsonl',
    ],
    load: () => import('./export.ts'),
  },
  {
    name: 'eval',
    summary: 'play episodes of one policy',
    examples: [
      'r2po eval --env CartPole-v1 --policy runs/trial --episodes 100000',
      'r2po eval --env CartPole-v1 --policies runs --episodes 10000 --recheck 100',
    ],
    load: () => import('./eval.ts'),
  },
  {
    name: 'solve',
    summary: 'compute the exact optimum of a table',
    examples: ['r2po solve FrozenLake-v1', 'r2po solve frozenlake --env-option map=8x8 --out table.json --json'],
    load: () => import('./solve.ts'),
  },
  {
    name: 'probe',
    summary: 'play single transitions from given states',
    examples: [
      `echo '[{"state": [0, 0, 0.02, 0], "action": [1]}]' | r2po probe --env CartPole-v1 --in -`,
      'r2po probe --env Pendulum-v1 --in transitions.json --backend webgpu',
    ],
    load: () => import('./probe.ts'),
  },
  {
    name: 'parity',
    summary: 'compare the backends with each other',
    examples: ['r2po parity', 'r2po parity CartPole-v1 Swimmer-v5 --episodes 1024 --json'],
    load: () => import('./parity.ts'),
  },
  {
    name: 'bench',
    summary: 'measure speed, latency and scaling of the backends',
    examples: ['r2po bench CartPole-v1', 'r2po bench --scaling --save bench'],
    load: () => import('./bench.ts'),
  },
  {
    name: 'doctor',
    summary: 'check GPU, driver, model endpoints and disk',
    examples: ['r2po doctor', 'r2po doctor --model ollama/gpt-oss:20b'],
    load: () => import('./doctor.ts'),
  },
  {
    name: 'list',
    summary: 'list environments, policies, methods or models',
    examples: ['r2po list envs', 'r2po list methods --json'],
    load: () => import('./list.ts'),
  },
  {
    name: 'complete',
    summary: 'print the script for completion in a shell',
    examples: ['source <(r2po complete bash)', 'r2po complete fish > r2po.fish'],
    load: () => import('./complete.ts'),
  },
  {
    name: 'schema',
    summary: 'print the JSON Schema of the configuration',
    examples: ['r2po schema > r2po.schema.json', 'r2po schema --json'],
    load: () => import('./schema.ts'),
  },
];
