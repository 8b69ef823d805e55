/** `r2po list policies` */
import { envs } from '../../envs/index.ts';
import { policyKinds } from '../../policies/index.ts';
import { left, right, tableOf } from '../../report/tables/table.ts';
import type { Listing } from './listing.ts';

export function listPolicies(): Listing {
  const records = policyKinds.map((kind) => ({
    id: kind.id,
    title: kind.title,
    environments: envs
      .filter((env) => kind.accepts(env) === null)
      .map((env) => {
        const policy = kind.build(env, {});
        return { env: env.id, params: policy.paramCount, values: policy.values, options: policy.options };
      }),
  }));
  const lines = records.flatMap(({ id, title, environments }) => environments.map((one) => ({ id, title, ...one })));
  const table = tableOf(lines, {
    columns: [
      left('kind', ({ id }) => id),
      left('env', ({ env }) => env),
      right('params', ({ params }) => params),
      left('default options', ({ options }) => JSON.stringify(options)),
      left('description', ({ title }) => title),
    ],
  });
  return { records, table };
}
