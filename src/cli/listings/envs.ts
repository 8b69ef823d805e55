/** `r2po list envs` */
import { counted } from '../../base/plain-number.ts';
import { shippedConfigs } from '../../config/shipped.ts';
import { actionSize, observationSize, type Row } from '../../envs/env.ts';
import { envs } from '../../envs/index.ts';
import { policyKinds } from '../../policies/index.ts';
import { left, right, tableOf } from '../../report/tables/table.ts';
import type { Listing } from './listing.ts';

/** JSON has no infinity: an open bound is null. */
function rowRecord({ name, meaning, unit, low, high }: Row) {
  return { name, meaning, unit, low: Number.isFinite(low) ? low : null, high: Number.isFinite(high) ? high : null };
}

export function listEnvs(): Listing {
  const configs = shippedConfigs();
  const records = envs.map((env) => {
    const { observation, action } = env;
    return {
      id: env.id,
      folder: env.folder,
      ground_truth: env.groundTruth,
      // with their defaults; null: no options
      options: env.withOptions === null ? null : env.options,
      state: env.state.map(rowRecord),
      observation:
        observation.kind === 'vector'
          ? { kind: observation.kind, size: observationSize(observation), rows: observation.rows.map(rowRecord) }
          : { kind: observation.kind, n: observation.n, meaning: observation.meaning },
      action:
        action.kind === 'box'
          ? { kind: action.kind, size: actionSize(action), rows: action.rows.map(rowRecord) }
          : { kind: action.kind, n: action.meanings.length, meanings: action.meanings },
      constants: env.constants,
      time_limit: env.timeLimit,
      success_threshold: env.success.threshold,
      return_range: env.returnRange.map((value) => (Number.isFinite(value) ? value : null)),
      policies: policyKinds.filter((kind) => kind.accepts(env) === null).map((kind) => kind.id),
      configs: configs.filter((name) => name.startsWith(`${env.folder}/`)),
    };
  });
  const table = tableOf(records, {
    columns: [
      left('id', ({ id }) => id),
      right('state', ({ state }) => state.length),
      left('observation', ({ observation: { kind, size, n } }) =>
        kind === 'vector' ? counted(size, 'number') : `1 of ${n}`,
      ),
      left('action', ({ action: { kind, size, n } }) => (kind === 'box' ? counted(size, 'number') : `1 of ${n}`)),
      right('steps', (env) => env.time_limit),
      right('success at', (env) => env.success_threshold),
      left('policies', ({ policies }) => policies.join(', ')),
      left('configs', (env) => env.configs.join(', ')),
    ],
  });
  return { records, table };
}
