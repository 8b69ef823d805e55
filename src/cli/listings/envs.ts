/** `r2po list envs` */
import { shippedConfigs } from '../../config/shipped.ts';
import { actionSize, observationSize, type Row } from '../../envs/env.ts';
import { envs } from '../../envs/index.ts';
import { policyKinds } from '../../policies/index.ts';
import { right } from '../../report/tables/table.ts';
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
      // with their defaults; null where none can be set
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
  const columns = [
    { title: 'id' },
    right('state'),
    { title: 'observation' },
    { title: 'action' },
    right('steps'),
    right('success at'),
    { title: 'policies' },
    { title: 'configs' },
  ];
  const rows = records.map((env) => [
    env.id,
    env.state.length,
    env.observation.kind === 'vector' ? `${env.observation.size} numbers` : `1 of ${env.observation.n}`,
    env.action.kind === 'box' ? `${env.action.size} numbers` : `1 of ${env.action.n}`,
    env.time_limit,
    env.success_threshold,
    env.policies.join(', '),
    env.configs.join(', '),
  ]);
  return { records, columns, rows };
}
