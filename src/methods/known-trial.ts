/** Finds trials by their parameters. */
import { bytesDigest } from '../llm/text-digest.ts';
import type { Trial } from './method.ts';

/** Places of trials by the keys of their parameters. */
interface TrialIndex {
  readonly places: Map<string, number>;
  /** trials that it holds, from the first on */
  length: number;
}

/** Each reply of a long run is compared with thousands of trials: a list that grows is not read again from its start. */
const indices = new WeakMap<readonly Trial[], TrialIndex>();

/** Parameters of more numbers are known by a digest, which takes less room. */
const longestList = 64;

/** Equal for parameters that are equal as numbers: 0 and -0 are. */
function keyOf(params: readonly number[]): string {
  return params.length <= longestList
    ? params.join()
    : bytesDigest(new Uint8Array(Float64Array.from(params, (value) => value + 0).buffer));
}

function indexOf(trials: readonly Trial[]): TrialIndex {
  const index = indices.get(trials) ?? { places: new Map(), length: 0 };
  indices.set(trials, index);
  for (; index.length < trials.length; index.length++) {
    const key = keyOf(trials[index.length]!.params);
    if (!index.places.has(key)) index.places.set(key, index.length);
  }
  return index;
}

/**
 * Place of the first trial with these parameters in `trials`, a list that only grows, and `played` behind it, from 0; null:
 * none. It takes as long as there are trials that the calls before with this list had not seen.
 */
export function knownTrial(
  trials: readonly Trial[],
  played: readonly Trial[],
  params: readonly number[],
): number | null {
  const known = indexOf(trials).places.get(keyOf(params));
  if (known !== undefined) return known;
  const here = played.findIndex((trial) => params.every((value, i) => value === trial.params[i]));
  return here < 0 ? null : trials.length + here;
}
