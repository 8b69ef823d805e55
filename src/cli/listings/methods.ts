/** `r2po list methods` */
import { shippedConfigs } from '../../config/shipped.ts';
import { methods } from '../../methods/index.ts';
import { left, tableOf } from '../../report/tables/table.ts';
import type { Listing } from './listing.ts';

export function listMethods(): Listing {
  const configs = shippedConfigs();
  const records = methods.map(({ id, title, about, stages, keep }) => ({
    id,
    title,
    about,
    stages,
    keep,
    configs: configs.filter((name) => name.endsWith(`/${id}`)),
  }));
  const lines = records.flatMap(({ id, title, about, stages, keep }) => [
    { id, stages: stages.join(', '), keep, text: title },
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
