/** `r2po schema`: the JSON Schema of configuration files. */
import type { Command } from 'commander';
import { configJsonSchema } from '../config/json-schema.ts';
import type { Io } from './io.ts';
import { addOutputOptions } from './options.ts';

export function define(command: Command, io: Io): void {
  addOutputOptions(command, io)
    .description('Prints the JSON Schema (draft 2020-12) of configuration files, for editors and other programs.')
    .addHelpText(
      'after',
      '\nIn an editor with YAML support:\n' +
        '  r2po schema > r2po.schema.json\n' +
        '  # yaml-language-server: $schema=./r2po.schema.json   (first line of your configuration)',
    )
    .action(() => io.printJson(configJsonSchema()));
}
