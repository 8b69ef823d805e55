/** `r2po ctl`: what runs of this user go on, and to pause, to stop them, or to change their budgets. */
import { relative } from 'node:path';
import type { Command } from 'commander';
import { knownName, UsageError } from '../base/errors.ts';
import { counted, significant } from '../base/plain-number.ts';
import { duration, shortCount } from '../report/progress.ts';
import { controlRun, listLiveRuns } from '../runs/control/client.ts';
import type { LiveRun, NewLimits } from '../runs/control/messages.ts';
import type { Io } from './io.ts';
import { addOutputOptions, positiveNumber, wholeNumber } from './options.ts';

interface Options {
  readonly json?: boolean;
}

const actions = ['list', 'pause', 'continue', 'stop', 'budget'] as const;
type Action = (typeof actions)[number];

/** Limits by their words, with what reads their values. */
const limits = {
  iterations: { key: 'iterations', read: wholeNumber('iterations', 1, Number.MAX_SAFE_INTEGER) },
  calls: { key: 'calls', read: wholeNumber('calls', 1, Number.MAX_SAFE_INTEGER) },
  tokens: { key: 'tokens', read: wholeNumber('tokens', 1, Number.MAX_SAFE_INTEGER) },
  episodes: { key: 'episodes', read: wholeNumber('episodes', 1, Number.MAX_SAFE_INTEGER) },
  cost: { key: 'cost', read: positiveNumber('cost', 'USD') },
  time: { key: 'seconds', read: positiveNumber('time', 'seconds') },
} as const satisfies Readonly<Record<string, { key: keyof NewLimits; read: (text: string) => number }>>;
type Word = keyof typeof limits;
const words = Object.keys(limits) as Word[];

export function define(command: Command, io: Io): void {
  command
    .description(
      'Steers runs that go on in other processes of this user on this machine: lists them, pauses one when its step under ' +
        'way has ended, lets it go on, stops it so that it can be resumed, or changes its budget. Each action is an event of ' +
        'the record.',
    )
    .argument('<action>', actions.join(', '))
    .argument('[run]', 'run folder; of every action but list')
    .argument('[limits...]', `of budget: ${words.map((word) => `${word}=...`).join(' ')}; none lifts a limit`);
  addOutputOptions(command, io).action(
    async (action: string, run: string | undefined, given: string[], options: Options) => {
      await ctl(knownName('ctl', 'action', action, actions), run, given, options, io);
    },
  );
}

async function ctl(
  action: Action,
  run: string | undefined,
  given: readonly string[],
  options: Options,
  io: Io,
): Promise<void> {
  if (action === 'list') {
    if (run !== undefined) throw new UsageError('ctl', `expected nothing behind "list", got "${run}"; leave it out`);
    await list(options, io);
    return;
  }
  if (run === undefined)
    throw new UsageError('ctl', `expected a run folder behind "${action}", got none; see r2po ctl list`);
  if (action !== 'budget' && given.length > 0) {
    throw new UsageError('ctl', `expected one run folder behind "${action}", got "${given[0]}", too; leave it out`);
  }
  const live = await controlRun(run, action === 'budget' ? { action, ...readLimits(given) } : { action });
  if (options.json) io.printJson(live);
  else io.print(`${run}: ${live.message}`);
}

/** Reads `calls=50 cost=none`. Throws a usage error. */
export function readLimits(given: readonly string[]): NewLimits {
  if (given.length === 0) {
    throw new UsageError(
      'ctl',
      `expected limits behind the run folder, got none; known: ${words.join(', ')}, as in calls=50`,
    );
  }
  const read: Record<string, number | null> = {};
  for (const text of given) {
    const at = text.indexOf('=');
    if (at < 0) throw new UsageError('ctl', `expected a limit such as calls=50, got "${text}"`);
    const word = knownName('ctl', 'limit', text.slice(0, at), words);
    const { key, read: parse } = limits[word];
    if (Object.hasOwn(read, key)) throw new UsageError('ctl', `expected one value of ${word}, got two; leave one out`);
    const value = text.slice(at + 1);
    if (value === 'none' && word === 'iterations') {
      throw new UsageError('ctl', 'expected a number of iterations, got none: a search has an end');
    }
    read[key] = value === 'none' ? null : parse(value);
  }
  return read;
}

/** The path as it can be typed here. */
function pathHere(folder: string): string {
  const here = relative(process.cwd(), folder);
  return here !== '' && !here.startsWith('..') ? here : folder;
}

const amounts: Readonly<Record<string, (value: number) => string>> = {
  cost: (value) => `${significant(value, 3)} USD`,
  seconds: duration,
};

/** `12 of 50` for each limit that the run has */
function limitsOf({ used, limits: limited }: LiveRun): string {
  const parts = Object.entries(limited).flatMap(([name, limit]) => {
    if (limit === null) return [];
    const text = amounts[name] ?? shortCount;
    return [`${name === 'seconds' ? 'time' : name} ${text(used[name] ?? 0)} of ${text(limit)}`];
  });
  return parts.length === 0 ? '-' : parts.join(', ');
}

async function list({ json }: Options, io: Io): Promise<void> {
  const { runs, silent } = await listLiveRuns();
  if (silent > 0) io.warn(`${counted(silent, 'socket')} of a run did not answer; try again`);
  if (json) {
    io.printJson({ runs });
    return;
  }
  if (runs.length === 0) {
    io.print('no run of this user goes on here');
    return;
  }
  const columns = ['run', 'state', 'iteration', 'step', 'limits', 'process'].map((title) => ({ title }));
  const rows = runs.map((run) => [
    pathHere(run.folder),
    run.state,
    `${run.iteration}/${run.iterations}`,
    run.step ?? '-',
    limitsOf(run),
    String(run.pid),
  ]);
  io.print(io.table({ columns, rows }));
}
