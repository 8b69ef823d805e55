/** `r2po list envs [name]`: all environments, or one with its options. */
import { counted } from '../../base/plain-number.ts';
import { shippedConfigs } from '../../config/shipped.ts';
import { actionSize, observationSize, type Row } from '../../envs/env.ts';
import { envs } from '../../envs/index.ts';
import { findEnv } from '../../envs/registry.ts';
import { policyKinds } from '../../policies/index.ts';
import { left, right, tableOf } from '../../report/tables/table.ts';
import type { Listing } from './listing.ts';

/** JSON has no infinity: an open bound is null. */
function rowRecord({ name, meaning, unit, low, high }: Row) {
  return { name, meaning, unit, low: Number.isFinite(low) ? low : null, high: Number.isFinite(high) ? high : null };
}

export function listEnvs(name?: string): Listing {
  const configs = shippedConfigs();
  const records = (name === undefined ? envs : [findEnv(name)]).map((env) => {
    const { observation, action } = env;
    return {
      id: env.id,
      folder: env.folder,
      ground_truth: env.groundTruth,
      options: Object.fromEntries(Object.entries(env.optionRules).map(([name, { fallback }]) => [name, fallback])),
      option_rules: Object.entries(env.optionRules).map(([name, rule]) => ({
        name,
        meaning: rule.meaning,
        expected: rule.expected,
        default: rule.fallback,
      })),
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
  if (name !== undefined) {
    const table = tableOf(records[0]!.option_rules, {
      columns: [
        left('option', (rule) => rule.name),
        left('default', (rule) => JSON.stringify(rule.default)),
        left('may be', (rule) => rule.expected),
        left('meaning', (rule) => rule.meaning),
      ],
    });
    return { records, table };
  }
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
