/** Constants that the host shares with shaders/statistics.wgsl: sizes and word offsets. */
import { type EpisodePick, maxRanks } from '../../statistics.ts';

/** Bits per digit of the radix selection. Eight would fill a workgroup's memory with histograms. */
export const digitBits = 4;
/** things that a stage finds out of a tile, four words each */
export const kinds = 4;

/** Picked episodes in the order of the record: index, return, steps and cause of each. */
export const picks: readonly EpisodePick[] = ['median', 'mean', 'worst', 'best', 'first'];
/** Before them: mean, squared distances (two words each), successes, ends (three), steps (two), shortest, longest. */
export const picksAt = 12;
export const pickWords = 3;
/** After them the returns of the ranks. */
export const ranksAt = picksAt + pickWords * picks.length;
/** words per record */
export const recordSize = ranksAt + maxRanks;

/** Words of a candidate's state between two stages, after mean and median. */
const digitsFoundAt = 4;
const prefixesAt = digitsFoundAt + 1;
const remainingAt = prefixesAt + maxRanks;
export const stateSize = remainingAt + maxRanks;

export function statisticsDeclarations(): string {
  const sizes: Readonly<Record<string, number>> = {
    RANKS: maxRanks,
    DIGIT_BITS: digitBits,
    KINDS: kinds,
    PICKS_AT: picksAt,
    PICK_WORDS: pickWords,
    RANKS_AT: ranksAt,
    RECORD_SIZE: recordSize,
    DIGITS_FOUND_AT: digitsFoundAt,
    PREFIXES_AT: prefixesAt,
    REMAINING_AT: remainingAt,
    STATE_SIZE: stateSize,
    ...Object.fromEntries(picks.map((pick, i) => [`PICK_${pick.toUpperCase()}`, i])),
  };
  return Object.entries(sizes)
    .map(([name, value]) => `const ${name}: u32 = ${value}u;`)
    .join('\n');
}
