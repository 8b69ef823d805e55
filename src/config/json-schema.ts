/** The JSON Schema of configuration files, for editors and other programs. */
import { z } from 'zod';
import { configSchemas } from './schema.ts';

/** Keys of a file that are not keys of a configuration; see layers.ts and resolve.ts. */
const fileKeys = {
  extends: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe(
      'files that this one is laid over, by their paths from here, or shipped configurations by name; later ones win',
    ),
  published: z
    .record(z.string(), z.record(z.string(), z.json()))
    .optional()
    .describe('by method: what `settings: published` lays over the files'),
};

/** Draft 2020-12. No key is required, because an extended file may contain it. */
export function configJsonSchema(): Record<string, unknown> {
  const [first, ...others] = Object.values(configSchemas).map((schema) =>
    schema
      .partial()
      .extend(fileKeys)
      .describe(schema.description ?? ''),
  );
  const file = others.length === 0 ? first! : z.union([first!, ...others]);
  const { $schema, ...rest } = z.toJSONSchema(file, { io: 'input', target: 'draft-2020-12' });
  return { $schema, title: 'r2po run configuration', ...rest };
}
