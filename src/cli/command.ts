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
  readonly load: () => Promise<CommandModule>;
}

/** In the order of `r2po --help`. */
export const commands: readonly CommandEntry[] = [
  { name: 'run', summary: 'run one search', load: () => import('./run.ts') },
  {
    name: 'sweep',
    summary: 'run many searches: seeds, methods, environments, settings',
    load: () => import('./sweep.ts'),
  },
  { name: 'worker', summary: 'execute runs of a sweep from a queue', load: () => import('./worker.ts') },
  {
    name: 'reproduce',
    summary: 'run the experiments behind a table of the paper',
    load: () => import('./reproduce.ts'),
  },
  { name: 'replay', summary: 'repeat a run from its recorded replies', load: () => import('./replay.ts') },
  { name: 'verify', summary: 'check that runs are as they were recorded', load: () => import('./verify.ts') },
  { name: 'report', summary: 'summarise runs as tables, curves and a page', load: () => import('./report.ts') },
  { name: 'analyze', summary: 'what critics change and whether it helps', load: () => import('./analyze.ts') },
  {
    name: 'import',
    summary: 'import logs of the reference or of SB3 as run folders',
    load: () => import('./import.ts'),
  },
  {
    name: 'export',
    summary: 'export runs as logs of the reference, CSV or Parquet',
    load: () => import('./export.ts'),
  },
  { name: 'eval', summary: 'play episodes of one policy', load: () => import('./eval.ts') },
  { name: 'probe', summary: 'play single transitions from given states', load: () => import('./probe.ts') },
  { name: 'parity', summary: 'compare the backends with each other', load: () => import('./parity.ts') },
  { name: 'bench', summary: 'measure speed, latency and scaling of the backends', load: () => import('./bench.ts') },
  { name: 'doctor', summary: 'check GPU, driver, model endpoints and disk', load: () => import('./doctor.ts') },
  { name: 'list', summary: 'list environments, policies, methods or models', load: () => import('./list.ts') },
  { name: 'schema', summary: 'print the JSON Schema of the configuration', load: () => import('./schema.ts') },
];
