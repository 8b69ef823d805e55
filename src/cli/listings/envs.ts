/** `r2po list envs [name]`: all environments, or one with its options. */
import { counted, significant } from '../../base/plain-number.ts';
import { shippedConfigs } from '../../config/shipped.ts';
import { actionSize, type Env, type EnvOptions, observationSize, type Row } from '../../envs/env.ts';
import { envs } from '../../envs/index.ts';
import { optionRulesOf } from '../../envs/registry.ts';
import { policyKinds } from '../../policies/index.ts';
import { ceilingOf, ceilingSource } from '../../report/published/ceilings.ts';
import { left, right, type Table, tableOf } from '../../report/tables/table.ts';
import type { Listing } from './listing.ts';

/** JSON has no infinity: an open bound is null. */
function rowRecord({ name, meaning, unit, low, high }: Row) {
  return { name, meaning, unit, low: Number.isFinite(low) ? low : null, high: Number.isFinite(high) ? high : null };
}

/** The highest mean return of a policy of the shipped settings; null: not known. */
function bestKnown({ id }: Env) {
  const ceiling = ceilingOf(id);
  return ceiling && { mean: ceiling.mean, policy: ceiling.policy, exact: ceiling.exact, source: ceilingSource };
}

interface EnvFacts {
  readonly options: EnvOptions;
  readonly option_rules: readonly { name: string; meaning: string; expected: string; default: unknown }[];
  readonly constants: Env['constants'];
  readonly time_limit: number | null;
  readonly success_threshold: number;
  readonly success_source: string;
  readonly best_known: ReturnType<typeof bestKnown>;
}

/** The options of an environment, its constants, and what can be reached. */
function oneEnv(env: EnvFacts): Table {
  const best = env.best_known;
  const rows = [
    ...env.option_rules.map((rule) => ({
      ...{ kind: 'option', name: rule.name, value: JSON.stringify(rule.default) },
      text: `${rule.meaning}; ${rule.expected}`,
    })),
    ...Object.entries(env.options)
      .filter(([name]) => !env.option_rules.some((rule) => rule.name === name))
      .map(([name, value]) => ({
        ...{ kind: 'option', name, value: JSON.stringify(value) },
        text: 'what the environment itself takes',
      })),
    ...Object.entries(env.constants).map(([name, { value, unit, source }]) => ({
      ...{ kind: 'constant', name, value: String(value) },
      text: `${unit}; ${source}`,
    })),
    { kind: 'success', name: 'return of at least', value: String(env.success_threshold), text: env.success_source },
    ...(best
      ? [
          {
            ...{ kind: 'best known', name: `mean return, ${best.policy} policy`, value: significant(best.mean, 6) },
            text: `${best.exact ? 'exact' : 'the best that was found'}. ${best.source}`,
          },
        ]
      : []),
  ];
  return tableOf(rows, {
    columns: [
      left('kind', ({ kind }) => kind),
      left('name', ({ name }) => name),
      left('value', ({ value }) => value),
      left('meaning and source', ({ text }) => text),
    ],
  });
}

/** `chosen`: left out for all environments of this package */
export function listEnvs(chosen?: Env): Listing {
  const configs = shippedConfigs();
  const records = (chosen === undefined ? envs : [chosen]).map((env) => {
    const { observation, action } = env;
    const rules = Object.entries(optionRulesOf(env));
    return {
      id: env.id,
      folder: env.folder,
      ground_truth: env.groundTruth,
      options: { ...env.options, ...Object.fromEntries(rules.map(([name, { fallback }]) => [name, fallback])) },
      option_rules: rules.map(([name, rule]) => ({
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
      success_source: env.success.source,
      best_known: bestKnown(env),
      return_range: env.returnRange.map((value) => (Number.isFinite(value) ? value : null)),
      policies: policyKinds.filter((kind) => kind.accepts(env) === null).map((kind) => kind.id),
      configs: configs.filter((name) => name.startsWith(`${env.folder}/`)),
    };
  });
  if (chosen !== undefined) return { records, table: oneEnv(records[0]!) };
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
      right('best known', ({ best_known: best }) => best && significant(best.mean, 4)),
      left('policies', ({ policies }) => policies.join(', ')),
      left('configs', ({ folder, configs }) => `${folder}/<method>, ${configs.length}`),
    ],
  });
  return { records, table };
}
