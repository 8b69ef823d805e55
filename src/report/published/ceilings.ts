/** The highest mean return of a policy that the shipped settings allow: `ceilings.json`, which says how it was found. */
import { readFileSync } from 'node:fs';
import { besideCode } from '../../base/node/assets.ts';

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

/** `exact mean` or `best that is known` */
export const ceilingKind = ({ exact }: Ceiling): string => (exact ? 'exact' : 'best known');
