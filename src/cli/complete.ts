/** `r2po complete SHELL`: the script that lets a shell complete r2po. The script calls `r2po complete -- WORDS`. */
import { script } from '@bomb.sh/tab';
import type { Command } from 'commander';
import { knownName, UsageError } from '../base/errors.ts';
import { bashScript } from './completion/bash.ts';
import type { Io } from './io.ts';

const shells = ['bash', 'zsh', 'fish', 'powershell'];

interface Options {
  readonly json?: boolean;
}

export function define(command: Command, io: Io): void {
  command
    .description(
      'Prints the script that lets a shell complete commands, options, configurations, environments, run folders and the ' +
        'keys of a configuration.',
    )
    .argument('[shell]', shells.join(', '))
    .option('--json', 'print everything that can be suggested as one JSON document')
    .action((shell: string | undefined, options: Options) => complete(shell, options, io));
}

async function complete(shell: string | undefined, { json }: Options, io: Io): Promise<void> {
  if (json) {
    const { completionTable } = await import('./completion/table.ts');
    return io.printJson(await completionTable());
  }
  if (shell === undefined) {
    throw new UsageError('complete', `expected a shell, got none; add one of ${shells.join(', ')}`);
  }
  const known = knownName('complete', 'shell', shell, shells);
  io.print((known === 'bash' ? bashScript : scriptOf(known)).trimEnd());
}

/** What the package prints by `console.log`, whose text goes to stderr in this program. */
function scriptOf(shell: string): string {
  const printed: string[] = [];
  const { log } = console;
  console.log = (text: string) => printed.push(text);
  try {
    script(shell, 'r2po', 'r2po');
  } finally {
    console.log = log;
  }
  // `--policy=runs/`, which fish would take for an option of its own command.
  return printed.join('\n').replace('string split --max 1 ', 'string split --max 1 -- ');
}
