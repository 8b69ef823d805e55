/** The option `--env-option`, in a file of its own because the YAML parser is slow to load. */
import { Option } from 'commander';
import { parseDocument } from 'yaml';
import { UsageError } from '../base/errors.ts';
import type { EnvOptions } from '../envs/env.ts';

/** `--env-option <key=value>`, repeatable; the value is YAML, as in an override of a configuration. */
export function envOption(): Option {
  return new Option('--env-option <key=value>', 'option of the environment, such as map=8x8; can be repeated')
    .argParser((text: string, before: EnvOptions) => {
      const cut = text.indexOf('=');
      if (cut < 1) throw new UsageError('--env-option', `expected key=value, got "${text}"`);
      const document = parseDocument(text.slice(cut + 1));
      if (document.errors.length > 0) {
        throw new UsageError('--env-option', `cannot read the value of "${text}": ${document.errors[0]!.message}`);
      }
      return { ...before, [text.slice(0, cut)]: document.toJS() as unknown };
    })
    .default({}, 'none');
}
