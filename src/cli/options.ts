/**
 * Options that several commands share, and strict readers for their values. Every reader throws a `UsageError` that
 * names the option, what it takes and what it got.
 */
import { availableParallelism } from 'node:os';
import { type Command, Option } from 'commander';
import { UsageError, unknownName } from '../base/errors.ts';
import { type BackendChoice, backendChoices } from '../rollout/backend.ts';
import { maxSeed } from '../rollout/job-checks.ts';
import type { Io } from './io.ts';

/** Numbers as people write them: `5`, `-0.5`, `1e6`. No hex, no blanks, no thousands separators. */
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

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

function readBackend(text: string): BackendChoice {
  const known = backendChoices.find((name) => name === text);
  if (known) return known;
  throw new UsageError('--backend', unknownName('backend', text, backendChoices));
}

/** `--seed <n>`; no default, so that a command can tell whether it was given. */
export function seedOption(description: string): Option {
  return new Option('--seed <n>', description).argParser(wholeNumber('--seed', 0, maxSeed));
}

/** `--backend <name>`; no default, so that a command can tell whether it was given. */
export function backendOption(): Option {
  return new Option(
    '--backend <name>',
    'what plays the episodes: auto (webgpu if there is a hardware adapter, else cpu), webgpu, cpu or gpujs',
  ).argParser(readBackend);
}

/** `--jobs <n>`: runs at a time in one process; of offline runs some wait for the disk while others count. */
export function jobsOption(): Option {
  return new Option('-j, --jobs <n>', 'runs at a time; twice the processors, and at least 8, when left out').argParser(
    wholeNumber('--jobs', 1, 10_000),
  );
}

export function jobsOf(given: number | undefined): number {
  return given ?? Math.max(8, 2 * availableParallelism());
}

/** `--episodes <n>` and other counts. */
export function countOption(flag: string, description: string, high: number): Option {
  return new Option(`${flag} <n>`, description).argParser(wholeNumber(flag, 1, high));
}

/** Adds `--json` and `--quiet`; the latter takes effect on `io` by itself. */
export function addOutputOptions(command: Command, io: Io): Command {
  return command
    .option('--json', 'print exactly one JSON document on stdout')
    .option('--quiet', 'no progress and no notes on stderr; warnings and errors stay')
    .on('option:quiet', () => {
      io.quiet = true;
    });
}

/** `r2po` with these arguments, as it can be typed into a shell. */
export function quotedCommand(argv: readonly string[]): string {
  const quoted = argv.map((arg) => (/^[\w@%+=:,./~#-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`));
  return ['r2po', ...quoted].join(' ');
}
