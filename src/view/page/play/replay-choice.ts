/** Which episode of which policies a replay shows, as the address has it. */
import type { Iteration } from '../../api/run.ts';

export type Candidate = Iteration['candidates'][number];

export const picks = ['median', 'worst', 'best'] as const;
export type Pick = (typeof picks)[number];

export interface EpisodeChoice {
  /** value in the address: `revision-median` */
  readonly value: string;
  readonly text: string;
  readonly seed: number;
}

/** The recorded episodes of the candidates; those of the last one first, and its median one before all. */
export function recordedEpisodes(candidates: readonly Candidate[]): EpisodeChoice[] {
  return candidates.toReversed().flatMap(({ label, episode }) =>
    episode === null
      ? []
      : picks.map((pick) => ({
          value: `${label}-${pick}`,
          text: candidates.length === 1 ? pick : `${pick} of ${label}`,
          seed: episode[pick].seed,
        })),
  );
}

/** The episode seed that a value of the address means; the first recorded episode for one that means none. */
export function chosenSeed(value: string | null, recorded: readonly EpisodeChoice[]): number {
  if (value !== null && /^\d{1,16}$/.test(value) && Number.isSafeInteger(Number(value))) return Number(value);
  return (recorded.find((one) => one.value === value) ?? recorded[0])?.seed ?? 0;
}

/** The return that was recorded of a candidate on a seed; null: none. */
export function recordedReturn({ episode }: Candidate, seed: number): number | null {
  if (episode === null) return null;
  return picks.map((pick) => episode[pick]).find((one) => one.seed === seed)?.return ?? null;
}
