/** Whether the best policy of a run gives its recorded mean when it is played again. */

import { interruption } from '../../base/async.ts';
import { R2poError } from '../../base/errors.ts';
import { meansAgree } from '../../checks/parity.ts';
import type { Summary } from '../../evaluation/summary.ts';
import type { Backend } from '../../rollout/backend.ts';
import { Player } from '../drivers/player.ts';
import { firstDifference } from '../journal/difference.ts';
import type { EventOf } from '../journal/events.ts';
import { toleratesBounds } from '../replay.ts';
import type { RunUnits } from '../resolve-units.ts';
import { type Check, differs, holds, notChecked } from './check.ts';
import type { ReadRecord } from './read-record.ts';

type Evaluation = Pick<EventOf<'evaluated'>, 'seq' | 'params' | 'seed' | 'summary'> & { readonly type: string };

/** What differs, in words; null: nothing. `isSame`: played on the backend and adapter of the run, so that all must be equal. */
function difference(expected: Summary, got: Summary, isSame: boolean): string | null {
  const found = firstDifference(expected, got, 'summary', toleratesBounds);
  if (found === null) return null;
  if (isSame) return `expected ${found.path} ${found.expected}, got ${found.got}`;
  if (meansAgree(expected, got)) return null;
  return `expected summary.mean ${expected.mean} within the tolerance of parity, got ${got.mean}`;
}

/** What plays the policies of a record. */
export interface PlayingUnits extends Pick<RunUnits, 'env' | 'policy'> {
  readonly settings: Pick<RunUnits['settings'], 'maxSteps' | 'successThreshold'>;
  /** the best policy, which the record of a training does not have; left out: it is in the record */
  readonly best?: readonly number[];
}

/** Plays the evaluations of the best policy that the record has. */
export async function playAgain(
  { bestEvaluation, recheck, totals }: ReadRecord,
  units: PlayingUnits,
  backend: Backend,
  signal: AbortSignal | undefined,
): Promise<Check> {
  const check = 'played again';
  const holdout = recheck?.holdout && { ...recheck, ...recheck.holdout, type: 'holdout' };
  const evaluations: Evaluation[] = [bestEvaluation, recheck, holdout ?? null].filter((one) => one !== null);
  if (evaluations.length === 0) return notChecked(check, 'the record has no evaluation of a kept policy');
  const unsupported = backend.supports(units.env, units.policy);
  if (unsupported !== null) return notChecked(check, unsupported);
  const { maxSteps, successThreshold } = units.settings;
  const player = new Player({ ...units, backend, maxSteps, successThreshold, keepOutcomes: false, signal });
  const isSame = backend.id === totals.backend && backend.adapter === totals.adapter;
  try {
    for (const { type, params, seed, summary, seq } of evaluations) {
      const [again] = (await player.play(units.best ?? params, summary.episodes, seed)).summaries;
      const found = difference(summary, again!, isSame);
      if (found !== null) return differs(check, `${type}: ${found} on ${backend.adapter ?? backend.id}`, seq);
    }
  } catch (error) {
    if (signal?.aborted) throw interruption(signal);
    if (!(error instanceof R2poError)) throw error;
    return notChecked(check, error.detail);
  }
  const what = recheck ? 'evaluation and re-check of the best policy' : 'evaluation of the best policy';
  const where = backend.adapter ?? backend.id;
  const on = isSame
    ? `equal on ${where}`
    : `within the tolerance of parity on ${where} (the run: ${totals.adapter ?? totals.backend})`;
  return holds(check, `${what}: ${on}`);
}
