/** The highest mean return of a policy that the shipped settings allow: `ceilings.json`, which says how it was found. */
import { readFileSync } from 'node:fs';
import { besideCode } from '../../base/node/assets.ts';
import { findEnv } from '../../envs/registry.ts';
import type { ReportRun } from '../run-records.ts';
import { environmentOf } from '../settings.ts';

export interface Ceiling {
  readonly env: string;
  /** kind of the policy */
  readonly policy: string;
  /** mean return, in the environment with its default options */
  readonly mean: number;
  /** false: the best that was found, so a lower bound */
  readonly exact: boolean;
}

interface Ceilings {
  readonly source: string;
  readonly ceilings: readonly Ceiling[];
}

export const { source: ceilingSource, ceilings } = JSON.parse(
  readFileSync(besideCode('report/published/ceilings.json'), 'utf8'),
) as Ceilings;

export const ceilingOf = (env: string): Ceiling | null => ceilings.find((one) => one.env === env) ?? null;

/** Of the numbers of the policies whose best one was looked for. */
const searched = { 'parameters.low': -6, 'parameters.high': 6 };

/** The ceiling of runs that all search its kind of policy in the environment with its defaults; null: there is none. */
export function ceilingFor(runs: readonly ReportRun[]): Ceiling | null {
  const ceiling = ceilingOf(runs[0]!.summary.env);
  if (ceiling === null) return null;
  const { options, observation } = findEnv(ceiling.env);
  const fits = ({ summary, settings, manifest }: ReportRun): boolean => {
    const kind = settings.get('policy.kind');
    const training = manifest.imported?.training;
    // A training has a network. Of numbered states every network is a table.
    const isKind =
      kind === undefined ? !training || observation.kind === 'discrete' : kind === JSON.stringify(ceiling.policy);
    return (
      summary.env === ceiling.env &&
      isKind &&
      (training?.flags ?? []).length === 0 &&
      // Tables have other numbers, and trainings no bounds.
      (ceiling.exact ||
        Object.entries(searched).every(([key, value]) => Number(settings.get(key) ?? value) === value)) &&
      environmentOf({ settings }).every(
        ([key, json]) => json === JSON.stringify(options[key.replace('env_options.', '')]),
      )
    );
  };
  return runs.every(fits) ? ceiling : null;
}

/** `exact mean` or `best that is known` */
export const ceilingKind = ({ exact }: Ceiling): string => (exact ? 'exact' : 'best known');
