/** Names of groups in pictures: the panel of an environment, and the line in it. */
import { hasNoModel, type RunGroup } from './groups.ts';

export interface LineName {
  readonly panel: string;
  readonly line: string;
}

/** In the order of the groups. Keys with the same value in all groups are left out, and the model where there is none. */
export function lineNames(groups: readonly RunGroup[], by: readonly string[]): LineName[] {
  const has = (group: RunGroup, i: number) => by[i] !== 'model' || !hasNoModel(group);
  const valuesOf = (i: number) => new Set(groups.filter((group) => has(group, i)).map(({ values }) => values[i]));
  const varies = by.map((key, i) => key !== 'env' && valuesOf(i).size > 1);
  return groups.map((group) => ({
    panel: group.values[by.indexOf('env')] ?? '',
    line:
      group.values.filter((_, i) => varies[i] && has(group, i)).join(', ') ||
      group.values.filter((_, i) => by[i] !== 'env')[0] ||
      'all',
  }));
}
