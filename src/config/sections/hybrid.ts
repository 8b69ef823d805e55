/** The configuration of a search with language models and an optimiser beside them. */
import type { z } from 'zod';
import { flag, name, section } from '../../base/schema-fields.ts';
import { methods } from '../../methods/index.ts';
import type { MethodOptimiser } from '../../methods/method.ts';
import { llmSearchSchema } from './llm-search.ts';

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
function schemaOf({ id, section: optimiser }: Hybrid): z.ZodObject {
  const shape = Object.entries(llmSearchSchema.shape).flatMap(([key, schema]): [string, z.ZodType][] => {
    if (key === 'method') return [[key, name([id]).describe('search method')]];
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
  hybrids.map((hybrid) => [hybrid.id, schemaOf(hybrid)]),
);
