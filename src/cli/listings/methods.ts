/** `r2po list methods` */
import { shippedConfigs } from '../../config/shipped.ts';
import { methods } from '../../methods/index.ts';
import type { Optimiser } from '../../optimisers/optimiser.ts';
import { left, tableOf } from '../../report/tables/table.ts';
import type { Listing } from './listing.ts';

/** The settings of an optimiser with their defaults, under `optimiser` in a configuration. */
function settingsOf({ settings }: Optimiser): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(settings.parse({}) as object).map(([key, value]) => [
      key,
      { default: value, meaning: settings.shape[key]?.description },
    ]),
  );
}

export function listMethods(): Listing {
  const configs = shippedConfigs();
  const records = methods.map((method) => ({
    id: method.id,
    title: method.title,
    about: method.about,
    kind: method.kind,
    ...(method.kind === 'llm-search'
      ? { stages: method.stages }
      : { stages: [], paper: method.optimiser.paper, settings: settingsOf(method.optimiser) }),
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
