/** The best kept policy of a run on fresh seeds: the number that is reported; and on the held-out seeds, if asked for. */
import type { EventOf } from '../journal/events.ts';
import { recordedStep, type StepLog } from '../journal/steps.ts';
import { deriveSeed, holdoutSeed } from '../seeds.ts';
import type { Player } from './player.ts';

/**
 * The kept policy with the highest mean; null when no iteration kept any. Ties go to the last, which had the longest
 * history to learn from: 20 perfect episodes are soon reached, and say little about which policy is the better one.
 */
function bestKept(iterations: readonly EventOf<'iteration'>[]) {
  const kept = iterations.flatMap(({ iteration, trial }) => (trial ? [{ iteration, ...trial }] : []));
  return kept.reduce<(typeof kept)[number] | null>((a, b) => (a === null || b.mean >= a.mean ? b : a), null);
}

export interface RecheckOptions {
  readonly steps: StepLog;
  readonly player: Player;
  /** of the run */
  readonly seed: number;
  readonly episodes: number;
  /** on the held-out seeds; null or left out: none */
  readonly holdout?: number | null | undefined;
}

/** The last step of a run; none when no iteration kept a policy. */
export async function recheck(
  iterations: readonly EventOf<'iteration'>[],
  { steps, player, seed: runSeed, episodes, holdout = null }: RecheckOptions,
): Promise<void> {
  const best = bestKept(iterations);
  if (!best) return;
  const { iteration, params } = best;
  const seed = deriveSeed(runSeed, 'recheck', 0);
  await recordedStep(steps, 'rechecked', { iteration, params, seed }, async () => {
    const { summaries } = await player.play(params, episodes, seed);
    const event = { type: 'rechecked', iteration, params, seed, summary: summaries[0]! } as const;
    if (holdout === null) return event;
    const [summary] = (await player.play(params, holdout, holdoutSeed)).summaries;
    return { ...event, holdout: { seed: holdoutSeed, summary: summary! } };
  });
}
