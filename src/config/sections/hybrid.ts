/** The configuration of a search with language models and an optimiser beside them. */
import type { z } from 'zod';
import { flag, name, section } from '../../base/schema-fields.ts';
import { methods } from '../../methods/index.ts';
import type { Method, MethodOptimiser } from '../../methods/method.ts';
import { llmSearchSchema } from './llm-search.ts';
import { askingMethod } from './run.ts';

const common = {
  grid: flag()
    .default(true)
    .describe(
      'true: candidates of the optimiser have the decimals of `parameters.decimals`, as those of the model; false: they are ' +
        'not rounded',
    ),
};

/** The section `optimiser` of such a method. */
function sectionOf({ unit, settings, unused }: MethodOptimiser): z.ZodObject {
  const own = Object.entries(unit.settings.shape).filter(([key]) => !unused.includes(key));
  return section('the optimiser beside the model', { ...common, ...settings, ...Object.fromEntries(own) });
}

interface Hybrid {
  readonly id: string;
  readonly section: z.ZodObject;
}

const hybrids: readonly Hybrid[] = methods.flatMap((method) =>
  method.kind === 'llm-search' && method.optimiser ? [{ id: method.id, section: sectionOf(method.optimiser) }] : [],
);

/** The section `optimiser` of each such method, by its id. */
export const hybridSections: ReadonlyMap<string, z.ZodObject> = new Map(
  hybrids.map((hybrid) => [hybrid.id, hybrid.section]),
);

/** The schema of language models with the section `optimiser` behind `parameters`. */
function schemaOf(method: z.ZodType, optimiser: z.ZodObject): z.ZodObject {
  const shape = Object.entries(llmSearchSchema.shape).flatMap(([key, schema]): [string, z.ZodType][] => {
    if (key === 'method') return [[key, method]];
    return key === 'parameters'
      ? [
          [key, schema],
          ['optimiser', optimiser.prefault({})],
        ]
      : [[key, schema]];
  });
  return section('a search run of r2po', Object.fromEntries(shape));
}

/** In the order in which files are written, by the id of the method. */
export const hybridSchemas: ReadonlyMap<string, z.ZodObject> = new Map(
  hybrids.map(({ id, section: own }) => [id, schemaOf(name([id]).describe('search method'), own)]),
);

const ownSchemas = new WeakMap<Method, z.ZodObject>();

/** The schema of a method of the user with an optimiser beside the model; null: it has none. */
export function ownHybridSchema(method: Method): z.ZodObject | null {
  if (!method.optimiser) return null;
  const schema = ownSchemas.get(method) ?? schemaOf(askingMethod, sectionOf(method.optimiser));
  ownSchemas.set(method, schema);
  return schema;
}
