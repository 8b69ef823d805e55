import type { Command } from 'commander';
import type { CommandEntry } from '../src/cli/command.ts';
import type { Io } from '../src/cli/io.ts';

export declare function commandReference(commands: readonly CommandEntry[]): Promise<string>;
export declare function definedCommand(entry: CommandEntry, io?: Io): Promise<Command>;
