/** The JSON Schema of configuration files, for editors and other programs. */
import { z } from 'zod';
import { configSchema } from './schema.ts';

/** Draft 2020-12, of what may be written: a key with a default is not required. */
export function configJsonSchema(): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(configSchema, { io: 'input', target: 'draft-2020-12' });
  return { $schema, title: 'r2po run configuration', ...rest };
}
