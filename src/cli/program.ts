/** Finds the command of a command line, runs it, and turns what it throws into one message and one exit code. */
import { inspect } from 'node:util';
import { Command, CommanderError } from 'commander';
import { exitCodes, R2poError, UsageError, unknownName } from '../base/errors.ts';
import { machineFault } from '../base/machine-fault.ts';
import { programVersion } from '../base/node/assets.ts';
import { userFault } from '../base/node/user-fault.ts';
import { maskSecrets } from '../base/secrets.ts';
import { commands } from './command.ts';
import { readEnvironment } from './environment.ts';
import type { Io } from './io.ts';

/** `io` adds a line break to each text. */
const withoutLastBreak = (text: string): string => text.replace(/\n$/, '');

/** What commander found wrong with the arguments of a command, null for the program itself. */
function usageText({ code, message }: CommanderError, command: Command | null): string {
  const text = message
    .replace(/^error: /, '')
    // The value may be a key, which is no option.
    .replace(/^(unknown option '[^'=]*)=.*?'(;|$)/s, "$1'$2")
    .replace(/\s*\(Did you mean (.*)\?\)$/s, '; did you mean $1?');
  if (!command) return text;
  const { registeredArguments: known, args } = command;
  if (code === 'commander.missingArgument') {
    const missing = known.filter(({ required }) => required)[args.length] ?? known.at(-1)!;
    return `expected <${missing.name()}> (${missing.description}), got none`;
  }
  if (code !== 'commander.excessArguments') return text;
  const taken = known.length === 0 ? 'options only' : `${known.map((one) => `<${one.name()}>`).join(' ')} and options`;
  const given = args[known.length]!;
  const isEnv = known.length === 0 && command.options.some(({ long }) => long === '--env');
  return `expected ${taken}, got ${known.length === 0 ? '' : 'also '}"${given}"${isEnv ? `; did you mean --env ${given}?` : ''}`;
}

/** Prints one error message; returns the exit code. `command`: null where it is not known. */
export function reportFailure(error: unknown, command: Command | null, io: Io): number {
  io.status(null);
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.done;
    // Help because no command was given; it is already printed.
    if (error.code === 'commander.help') return exitCodes.usage;
    const text = usageText(error, command);
    const name = command ? `${command.name()} ` : '';
    io.error(`${text}${text.endsWith('?') ? ' ' : '; '}see "r2po ${name}--help"`);
    return exitCodes.usage;
  }
  const expected = error instanceof R2poError ? error : (userFault(error) ?? machineFault(error));
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  io.error(
    expected
      ? expected.message
      : `unexpected failure, a bug in r2po: ${text}; run again with R2PO_DEBUG=1 for the stack trace`,
  );
  // Errors of client libraries hold what was sent.
  if (process.env.R2PO_DEBUG === '1') console.error(maskSecrets(inspect(error)));
  return expected?.exitCode ?? exitCodes.failed;
}

const examples = [
  'r2po run cartpole/r2po',
  'r2po view',
  "r2po sweep 'cartpole/*' seed=0..9 --out report",
  'r2po eval --env CartPole-v1 --policy runs/trial --episodes 100000',
];

const examplesText = (lines: readonly string[]): string =>
  ['\nExamples:', ...lines.map((line) => `  ${line}`)].join('\n');

/** Throws a usage error with the nearest name. Help is asked for by `help NAME` and `NAME --help`, also of unknown names. */
function requireCommand(name: string | undefined): void {
  const known = commands.map((command) => command.name);
  if (name === undefined || name === 'help' || name.startsWith('-') || known.includes(name)) return;
  throw new UsageError('r2po', `${unknownName('command', name, known)}; see "r2po --help"`);
}

/** Runs the command line `args`; returns the exit code. */
export async function runProgram(args: readonly string[], io: Io): Promise<number> {
  let current: Command | null = null;
  const fromFile = readEnvironment(io);
  try {
    const program = new Command('r2po')
      .description('Policy search with language models; episodes are played as WebGPU compute shaders.')
      .version(programVersion(), '-V, --version')
      .usage('<command> [options]')
      .helpCommand(false)
      .enablePositionalOptions()
      .exitOverride()
      // Errors are printed in one place, below; help and version go out through here.
      .configureOutput({
        writeOut: (text) => io.print(withoutLastBreak(text)),
        writeErr: (text) => io.note(withoutLastBreak(text)),
        outputError: () => {},
      })
      .addHelpText('after', `${examplesText(examples)}\n\nUse "r2po <command> --help" for the options of a command.`)
      .hook('preSubcommand', async (_program, command) => {
        current = command;
        const entry = commands.find((c) => c.name === command.name());
        if (!entry) return;
        (await entry.load()).define(command, io);
        if (entry.examples) command.addHelpText('after', examplesText(entry.examples));
      })
      .hook('preAction', () => {
        if (fromFile !== null) io.note(fromFile);
      });
    for (const { name, summary } of commands) program.command(name).summary(summary).description(summary);
    const isHelp = args[0] === 'help';
    const named = isHelp ? args[1] : args[0];
    requireCommand(named);
    await program.parseAsync(isHelp ? [...(named === undefined ? [] : [named]), '--help'] : args, { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    return reportFailure(error, current, io);
  }
}
