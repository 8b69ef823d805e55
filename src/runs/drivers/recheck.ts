/** The best kept policy of a run on fresh seeds: the number that is reported; and on the held-out seeds, if asked for. */
import { BrokenReturnError } from '../../rollout/statistics.ts';
import type { EventOf } from '../journal/events.ts';
import { recordedStep, type StepLog } from '../journal/steps.ts';
import { deriveSeed, holdoutSeed } from '../seeds.ts';
import type { Player } from './player.ts';

/** A policy that an iteration kept. */
export interface KeptTrial {
  readonly iteration: number;
  readonly params: readonly number[];
  readonly mean: number;
}

/**
 * The one with the higher mean of the best kept policy so far and that of an iteration; null: none was kept. Ties go to the
 * last, which had the longest history to learn from: 20 perfect episodes are soon reached, and say little about which
 * policy is the better one.
 */
export function betterKept(best: KeptTrial | null, { iteration, trial }: EventOf<'iteration'>): KeptTrial | null {
  if (trial === null || (best !== null && !(trial.mean >= best.mean))) return best;
  return { iteration, params: trial.params, mean: trial.mean };
}

export interface RecheckOptions {
  readonly steps: StepLog;
  readonly player: Player;
  /** of the run */
  readonly seed: number;
  readonly episodes: number;
  /** on the held-out seeds; null or left out: none */
  readonly holdout?: number | null | undefined;
  readonly onNotice?: ((text: string) => void) | undefined;
}

/**
 * The last step of a run; none when no iteration kept a policy (`best` is null), or a return is infinite or NaN, which
 * `onNotice` is told.
 */
export async function recheck(
  best: KeptTrial | null,
  { steps, player, seed: runSeed, episodes, holdout = null, onNotice }: RecheckOptions,
): Promise<void> {
  if (!best) return;
  const { iteration, params } = best;
  const seed = deriveSeed(runSeed, 'recheck', 0);
  await recordedStep(steps, 'rechecked', { iteration, params, seed }, async () => {
    const { summaries } = await player.play(params, episodes, seed);
    const event = { type: 'rechecked', iteration, params, seed, summary: summaries[0]! } as const;
    if (holdout === null) return event;
    const [summary] = (await player.play(params, holdout, holdoutSeed)).summaries;
    return { ...event, holdout: { seed: holdoutSeed, summary: summary! } };
  }).catch((error) => {
    if (!(error instanceof BrokenReturnError)) throw error;
    onNotice?.(`the best policy, of iteration ${iteration}, has no re-check: ${error.detail}`);
  });
}
