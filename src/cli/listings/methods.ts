/** `r2po list methods` */
import type { z } from 'zod';
import { hybridSections } from '../../config/sections/hybrid.ts';
import { shippedConfigs } from '../../config/shipped.ts';
import { type AnyMethod, methods } from '../../methods/index.ts';
import { optimiserOf } from '../../methods/optimiser-method.ts';
import { left, tableOf } from '../../report/tables/table.ts';
import type { Listing } from './listing.ts';

/** Settings with their defaults, under `optimiser` in a configuration. */
function settingsOf(settings: z.ZodObject): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(settings.parse({}) as object).map(([key, value]) => [
      key,
      { default: value, meaning: (settings.shape[key] as z.ZodType | undefined)?.description },
    ]),
  );
}

/** What a method says of the optimiser that it has; nothing for one without. */
function optimiserFacts(method: AnyMethod): Record<string, unknown> {
  const optimiser = optimiserOf(method);
  if (optimiser === null) return {};
  const { paper, id } = optimiser;
  if (method.kind === 'optimiser') return { paper, settings: settingsOf(optimiser.settings) };
  return { optimiser: id, paper, settings: settingsOf(hybridSections.get(method.id)!) };
}

export function listMethods(): Listing {
  const configs = shippedConfigs();
  const records = methods.map((method) => ({
    id: method.id,
    title: method.title,
    about: method.about,
    kind: method.kind,
    stages: method.kind === 'llm-search' ? method.stages : [],
    ...optimiserFacts(method),
    keep: method.keep,
    configs: configs.filter((name) => name.endsWith(`/${method.id}`)),
  }));
  const lines = records.flatMap(({ id, title, about, stages, keep }) => [
    { id, stages: stages.join(', ') || 'a population', keep, text: title },
    { id: '', stages: '', keep: '', text: about },
  ]);
  const table = tableOf(lines, {
    columns: [
      left('id', ({ id }) => id),
      left('one iteration', ({ stages }) => stages),
      left('keeps', ({ keep }) => keep),
      left('description', ({ text }) => text),
    ],
  });
  return { records, table };
}
