/** `r2po list policies` */
import { envs } from '../../envs/index.ts';
import { policyKinds } from '../../policies/index.ts';
import { right } from '../../report/tables/table.ts';
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
  const columns = [
    { title: 'kind' },
    { title: 'env' },
    right('params'),
    { title: 'default options' },
    { title: 'what' },
  ];
  const rows = records.flatMap(({ id, title, environments }) =>
    environments.map(({ env, params, options }) => [id, env, params, JSON.stringify(options), title]),
  );
  return { records, columns, rows };
}
