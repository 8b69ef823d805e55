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

/** Prints one error message; returns the exit code. `command` is empty or ends with a blank. */
export function reportFailure(error: unknown, command: string, io: Io): number {
  io.status(null);
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.done;
    // Help because no command was given; it is already printed.
    if (error.code === 'commander.help') return exitCodes.usage;
    const text = error.message
      .replace(/^error: /, '')
      // The value may be a key, which is no option.
      .replace(/^(unknown option '[^'=]*)=.*?'(;|$)/s, "$1'$2")
      .replace(/\s*\(Did you mean (.*)\?\)$/s, '; did you mean $1?');
    io.error(`${text}${text.endsWith('?') ? ' ' : '; '}see "r2po ${command}--help"`);
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

/** Runs the command line `args`; returns the exit code. */
export async function runProgram(args: readonly string[], io: Io): Promise<number> {
  let current = '';
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
      .addHelpText('after', '\nUse "r2po <command> --help" for the options of a command.')
      .hook('preSubcommand', async (_program, command) => {
        current = `${command.name()} `;
        const entry = commands.find((c) => c.name === command.name());
        if (!entry) return;
        (await entry.load()).define(command, io);
        const { examples } = entry;
        if (examples) command.addHelpText('after', ['\nExamples:', ...examples.map((line) => `  ${line}`)].join('\n'));
      })
      .hook('preAction', () => {
        if (fromFile !== null) io.note(fromFile);
      })
      .on('command:*', ([name]: string[]) => {
        const known = commands.map((c) => c.name);
        throw new UsageError('r2po', `${unknownName('command', name!, known)}; see "r2po --help"`);
      });
    for (const { name, summary } of commands) program.command(name).summary(summary).description(summary);
    const [first, ...rest] = args;
    await program.parseAsync(first === 'help' ? [...rest.slice(0, 1), '--help'] : args, { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    return reportFailure(error, current, io);
  }
}
