/** `r2po list methods` */
import { shippedConfigs } from '../../config/shipped.ts';
import { methods } from '../../methods/index.ts';
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
  const columns = [{ title: 'id' }, { title: 'one iteration' }, { title: 'keeps' }, { title: 'what' }];
  const rows = records.flatMap(({ id, title, about, stages, keep }) => [
    [id, stages.join(', '), keep, title],
    ['', '', '', about],
  ]);
  return { records, columns, rows };
}
