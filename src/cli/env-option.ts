/** The option `--env-option`, in a file of its own because the YAML parser is slow to load. */
import { Option } from 'commander';
import { UsageError } from '../base/errors.ts';
import { parseYaml } from '../config/yaml-text.ts';
import type { EnvOptions } from '../envs/env.ts';

/** `--env-option <key=value>`, repeatable; the value is YAML, as in an override of a configuration. */
export function envOption(): Option {
  return new Option('--env-option <key=value>', 'option of the environment, such as map=8x8; can be repeated')
    .argParser((text: string, before: EnvOptions) => {
      const cut = text.indexOf('=');
      if (cut < 1) throw new UsageError('--env-option', `expected key=value, got "${text}"`);
      const { value } = parseYaml('--env-option', { name: `the value of "${text}"`, text: text.slice(cut + 1) });
      const key = text.slice(0, cut);
      if (Object.hasOwn(before, key)) {
        throw new UsageError('--env-option', `expected one value of ${key}, got two; remove one`);
      }
      return { ...before, [key]: value };
    })
    .default({}, 'none');
}
