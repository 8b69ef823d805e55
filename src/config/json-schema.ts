/** The JSON Schema of configuration files, for editors and other programs. */
import { z } from 'zod';
import { modulePathPattern } from '../base/module-path.ts';
import { name } from '../base/schema-fields.ts';
import { methods } from '../methods/index.ts';
import { hybridSections } from './sections/hybrid.ts';
import { llmSearchSchema } from './sections/llm-search.ts';
import { optimiserSections } from './sections/optimiser.ts';

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

/** The section `optimiser` with the settings of all of them; a setting that several have may differ in its limits. */
function anyOptimiser(): z.ZodObject {
  const settings = new Map<string, z.ZodType[]>();
  for (const { shape } of [...optimiserSections, ...hybridSections.values()]) {
    for (const [key, schema] of Object.entries(shape))
      settings.set(key, [...(settings.get(key) ?? []), schema as z.ZodType]);
  }
  const joined = [...settings].map(([key, all]) => {
    const [first, ...others] = all;
    const schema = others.length === 0 ? first! : z.union([first!, ...others]);
    return [key, schema.optional().describe(first!.description ?? '')];
  });
  return z.strictObject(Object.fromEntries(joined)).describe('the optimiser; each has some of these settings');
}

/** Draft 2020-12. No key is required, because an extended file may contain it. */
export function configJsonSchema(): Record<string, unknown> {
  const ids = methods.map(({ id }) => id);
  const method = z
    .union([name(ids), z.string().regex(modulePathPattern)])
    .optional()
    .describe('search method, by its id, or the path of a method module, relative to this file');
  const file = llmSearchSchema
    .partial()
    .extend({ ...fileKeys, method, optimiser: anyOptimiser().optional() })
    .describe('a search run of r2po');
  const { $schema, ...rest } = z.toJSONSchema(file, { io: 'input', target: 'draft-2020-12' });
  return { $schema, title: 'r2po run configuration', ...rest };
}
