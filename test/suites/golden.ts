/** The recorded episodes and single steps of the original environments, as the files in test/golden hold them. */
import { existsSync, readFileSync } from 'node:fs';

export interface GoldenStep {
  /** from 1 */
  readonly t: number;
  readonly a: number | readonly number[];
  /** raw policy outputs; table policies have none */
  readonly y?: readonly number[];
  readonly s: readonly number[];
  /** missing when the observation is a slice of the state */
  readonly o?: number | readonly number[];
  readonly r: number;
  /** how far a rerun of the original from a start 1e-6 away is from here, in the state entry that differs most */
  readonly d?: number;
}

export interface GoldenEpisode {
  readonly seed: number;
  readonly policy: { readonly label: string; readonly kind: string; readonly params: readonly number[] };
  readonly initial_state: readonly number[];
  readonly initial_obs: number | readonly number[];
  readonly length: number;
  readonly total_reward: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
  readonly steps: readonly GoldenStep[];
}

export interface GoldenSingleStep {
  readonly s: readonly number[];
  readonly a: number | readonly number[];
  readonly ns: readonly number[];
  readonly o?: number | readonly number[];
  readonly r: number;
  readonly term: boolean;
  /** what random() gave to the original */
  readonly u?: number;
  /** the choice that was handed to the original where it asked for one (`drawn`) */
  readonly index?: number;
  readonly drawn?: boolean;
}

export interface Golden {
  readonly env: string;
  readonly state_names: readonly string[];
  readonly obs_names: readonly string[];
  readonly obs_is_state_slice: readonly [number, number] | null;
  readonly action: { readonly type: string; readonly n?: number };
  readonly policy_inputs: number;
  readonly policy_outputs: number;
  readonly time_limit: number | null;
  /** where the recording was stopped, as the original would not have stopped */
  readonly episode_cap: number | null;
  readonly episodes: readonly GoldenEpisode[];
  readonly single_step: readonly GoldenSingleStep[];
}

/** The file of this environment; null when there is none. */
export function readGolden(id: string): Golden | null {
  const file = new URL(`../golden/${id}.json`, import.meta.url);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Golden) : null;
}

/** The random numbers of a single step, as a probe takes them. */
export function drawsOf({ u, index, drawn }: GoldenSingleStep): number[] {
  if (u !== undefined) return [u];
  return drawn === true && index !== undefined ? [index] : [];
}

/** Scalars of the file are vectors of one entry here. */
export function asVector(value: number | readonly number[]): readonly number[] {
  return typeof value === 'number' ? [value] : value;
}

/** The observation of a record: its own, or the slice of the state after the step. */
export function observationOf(
  golden: Golden,
  observation: number | readonly number[] | undefined,
  state: readonly number[],
): readonly number[] {
  if (observation !== undefined) return asVector(observation);
  if (golden.obs_is_state_slice === null) throw new Error('a record without observation');
  return state.slice(...golden.obs_is_state_slice);
}
