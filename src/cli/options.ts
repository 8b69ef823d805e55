/** Options that several commands share, and strict readers for their values, which throw a `UsageError`. */
import { availableParallelism } from 'node:os';
import { type Command, Option } from 'commander';
import { quotedCommand } from '../base/command-line.ts';
import { knownName, UsageError } from '../base/errors.ts';
import { trustEnv } from '../envs/node/load.ts';
import { trustMethod } from '../methods/node/load.ts';
import { backendChoices } from '../rollout/backend.ts';
import { maxSeed } from '../rollout/job-checks.ts';
import type { Exhausted, ResumeCommand } from '../runs/session/budget.ts';
import type { Io } from './io.ts';

/** `5`, `-0.5`, `1e6`; no hex, blanks or thousands separators. */
const decimal = /^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** A reader of whole numbers in `low ... high`; `1e6` is one. */
export function wholeNumber(option: string, low: number, high: number): (text: string) => number {
  return (text) => {
    const value = decimal.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value) || value < low || value > high) {
      throw new UsageError(option, `expected a whole number in ${low} ... ${high}, got "${text}"`);
    }
    return value;
  };
}

/** A reader of finite numbers above zero; `unit` is named in the message. */
export function positiveNumber(option: string, unit: string): (text: string) => number {
  return (text) => {
    const value = decimal.test(text) ? Number(text) : Number.NaN;
    if (!Number.isFinite(value) || value <= 0) {
      throw new UsageError(option, `expected a number of ${unit} above 0, got "${text}"`);
    }
    return value;
  };
}

/** `--seed <n>`; without a default, so that a command knows whether it was given. */
export function seedOption(description: string): Option {
  return new Option('--seed <n>', description).argParser(wholeNumber('--seed', 0, maxSeed));
}

/** `--backend <name>`; without a default, so that a command knows whether it was given. */
export function backendOption(): Option {
  return new Option(
    '--backend <name>',
    'backend for the episodes: auto (webgpu if there is a hardware adapter, else wasm for long searches, else cpu), ' +
      'webgpu, wasm, cpu or gpujs',
  ).argParser((text) => knownName('--backend', 'backend', text, backendChoices));
}

/** `--adapter <name|index>`: which WebGPU adapter, for machines with several. */
export function adapterOption(): Option {
  return new Option(
    '--adapter <name|index>',
    'WebGPU adapter, by part of its name or its number in "r2po doctor" (default: the most powerful one)',
  );
}

/** A repeatable option that takes effect when it is read. */
function trustOption(flag: string, noun: string, trust: (path: string) => void): Option {
  return new Option(
    `${flag} <path>`,
    `${noun} module whose code may be loaded where a run folder or a job names it; can be repeated`,
  ).argParser((path: string, before: readonly string[] = []) => {
    trust(path);
    return [...before, path];
  });
}

/** `--trust-env <path>`, for commands that play episodes */
export function trustEnvOption(): Option {
  return trustOption('--trust-env', 'environment', trustEnv);
}

/** `--trust-method <path>`, for commands that read whole runs */
export function trustMethodOption(): Option {
  return trustOption('--trust-method', 'method', trustMethod);
}

/** `--jobs <n>`: more than the processors by default, because some runs wait for the disk while others compute. */
export function jobsOption(): Option {
  return new Option('-j, --jobs <n>', 'parallel runs (default: twice the number of processors, at least 8)').argParser(
    wholeNumber('--jobs', 1, 10_000),
  );
}

export function jobsOf(given: number | undefined): number {
  return given ?? Math.max(8, 2 * availableParallelism());
}

/** `--max-time <s>` and other positive times. */
export function secondsOption(flag: string, description: string): Option {
  return new Option(`${flag} <s>`, description).argParser(positiveNumber(flag, 'seconds'));
}

/** `--episodes <n>` and other counts. */
export function countOption(flag: string, description: string, high = Number.MAX_SAFE_INTEGER): Option {
  return new Option(`${flag} <n>`, description).argParser(wholeNumber(flag, 1, high));
}

/** `--max-cost <usd>` of a run that can be resumed. */
export function maxCostOption(): Option {
  return new Option(
    '--max-cost <usd>',
    'stop at this cost; the run can be resumed; needs a known price or one in the configuration',
  ).argParser(positiveNumber('--max-cost', 'USD'));
}

/** Adds `--json` and `--quiet`; `--quiet` sets `io.quiet`. */
export function addOutputOptions(command: Command, io: Io): Command {
  return command
    .option('--json', 'print exactly one JSON document on stdout')
    .option('--quiet', 'print only warnings and errors on stderr')
    .on('option:quiet', () => {
      io.quiet = true;
    });
}

/** The flag of an option that the command line has and for which `isMeant` holds; undefined: none. */
function givenFlag(command: Command, isMeant: (flag: string) => boolean): string | undefined {
  const given = command.options.filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli');
  return given.map(({ long }) => long!).find(isMeant);
}

/** Throws a usage error for an option of the command line that has no effect `beside` something else; `why`: where it has. */
export function refuseBeside(command: Command, beside: string, isIdle: (flag: string) => boolean, why = ''): void {
  const flag = givenFlag(command, isIdle);
  if (flag === undefined) return;
  throw new UsageError(
    flag,
    `expected it without ${beside}, got both; leave ${flag} out${why === '' ? '' : `: ${why}`}`,
  );
}

/** Throws a usage error for one of these options of the command line, which have no effect without `needed`. */
export function refuseWithout(command: Command, needed: string, flags: readonly string[]): void {
  const flag = givenFlag(command, (one) => flags.includes(one));
  if (flag === undefined) return;
  throw new UsageError(flag, `expected it together with ${needed}, got it alone; add ${needed}, or leave ${flag} out`);
}

/** A list for the end of a command's help: id and title of each entry. */
export function helpList(heading: string, entries: readonly { readonly id: string; readonly title: string }[]): string {
  const width = Math.max(...entries.map(({ id }) => id.length));
  return `\n${heading}:\n${entries.map(({ id, title }) => `  ${id.padEnd(width)}  ${title}`).join('\n')}`;
}

/**
 * The arguments without a budget that is used up: without its option and its override, or, where the limit comes from
 * somewhere else, with an override that lifts it.
 */
export function withoutBudget(argv: readonly string[], { key, option }: Exhausted): string[] {
  const kept: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!;
    if (arg === option) i++;
    else if (!arg.startsWith(`${option}=`) && !arg.startsWith(`budget.${key}=`)) kept.push(arg);
  }
  return kept.length < argv.length ? kept : [...argv, `budget.${key}=null`];
}

/** The command with these arguments that resumes a run or a sweep. */
export const resumeCommandOf =
  (argv: readonly string[]): ResumeCommand =>
  (exhausted) =>
    quotedCommand(exhausted === null ? argv : withoutBudget(argv, exhausted));
