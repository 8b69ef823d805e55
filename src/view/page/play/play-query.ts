/** The state of the playground in the address. */
import type { RunPage } from '../../api/run.ts';
import { type ExecutorId, executorIds } from './executor.ts';
import type { Candidate } from './replay-choice.ts';
import type { Constants } from './subject.ts';

export interface PlayQuery {
  /** id of the run that the policy is of; null: none */
  readonly run: string | null;
  /** `12/revision`; null: the best kept policy of the run */
  readonly candidate: string | null;
  readonly env: string | null;
  readonly envOptions: Readonly<Record<string, unknown>>;
  readonly kind: string | null;
  readonly options: Readonly<Record<string, unknown>>;
  /** null: those of the run, or a random policy */
  readonly params: readonly number[] | null;
  readonly constants: Constants;
  readonly seed: number;
  readonly episodes: number;
  readonly executor: ExecutorId | null;
  readonly isPaused: boolean;
}

export const batchSizes = [256, 1024, 4096, 16_384] as const;
const defaultBatch = 4096;
/** Longer addresses are cut by some servers and chats. */
const longestParams = 6000;
const constantPrefix = 'c.';

function objectIn(text: string | null): Readonly<Record<string, unknown>> {
  if (text === null) return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

const finite = (text: string): number | null =>
  text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : null;

function wholeIn(text: string | null, low: number, high: number, fallback: number): number {
  const value = text === null ? null : finite(text);
  return value !== null && Number.isSafeInteger(value) && value >= low && value <= high ? value : fallback;
}

function numbersIn(text: string | null): number[] | null {
  if (text === null) return null;
  const values = text.split('_').map(finite);
  return values.every((value) => value !== null) ? values : null;
}

/** What an address says; parts that cannot be read are left at their default. */
export function parsePlayQuery(query: URLSearchParams): PlayQuery {
  const constants: Record<string, number> = {};
  for (const [key, text] of query) {
    const value = key.startsWith(constantPrefix) ? finite(text) : null;
    if (value !== null) constants[key.slice(constantPrefix.length)] = value;
  }
  return {
    run: query.get('run'),
    candidate: query.get('candidate'),
    env: query.get('env'),
    envOptions: objectIn(query.get('env_options')),
    kind: query.get('policy'),
    options: objectIn(query.get('policy_options')),
    params: numbersIn(query.get('params')),
    constants,
    seed: wholeIn(query.get('seed'), 0, Number.MAX_SAFE_INTEGER - 2 ** 31, 0),
    episodes: wholeIn(query.get('episodes'), 1, 2 ** 17, defaultBatch),
    executor: executorIds.find((id) => id === query.get('on')) ?? null,
    isPaused: query.get('paused') === '1',
  };
}

const objectText = (value: Readonly<Record<string, unknown>>): string | null =>
  Object.keys(value).length === 0 ? null : JSON.stringify(value);

/** The changes to `before` that make an address say `state`. Too many parameters for an address are left out. */
export function playQueryChanges(state: PlayQuery, before: URLSearchParams): Readonly<Record<string, string | null>> {
  const params = state.params?.join('_') ?? null;
  const changes: Record<string, string | null> = {
    run: state.run,
    candidate: state.candidate,
    env: state.env,
    env_options: objectText(state.envOptions),
    policy: state.kind,
    policy_options: objectText(state.options),
    params: params !== null && params.length <= longestParams ? params : null,
    seed: state.seed === 0 ? null : String(state.seed),
    episodes: state.episodes === defaultBatch ? null : String(state.episodes),
    on: state.executor,
    paused: state.isPaused ? '1' : null,
  };
  for (const key of before.keys()) if (key.startsWith(constantPrefix)) changes[key] = null;
  for (const [name, value] of Object.entries(state.constants)) changes[`${constantPrefix}${name}`] = String(value);
  return changes;
}

/** The iteration of `12/revision`; null: none is named. */
export const iterationOf = (candidate: string | null): number | null =>
  candidate !== null && /^\d{1,15}\//.test(candidate) ? Number.parseInt(candidate, 10) : null;

/** The candidate that `12/revision` means; null: the kept one with the highest mean. undefined: there is none. */
export function candidateOf(
  { iterations }: Pick<RunPage, 'iterations'>,
  value: string | null,
): { readonly value: string; readonly candidate: Candidate } | undefined {
  const all = iterations.flatMap(({ iteration, candidates, kept }) =>
    candidates.map((candidate) => ({
      value: `${iteration}/${candidate.label}`,
      candidate,
      isKept: candidate.label === kept,
    })),
  );
  if (value !== null) return all.find((one) => one.value === value);
  return all
    .filter(({ isKept, candidate }) => isKept && candidate.mean !== null)
    .reduce<(typeof all)[number] | undefined>(
      (best, one) => (best === undefined || one.candidate.mean! > best.candidate.mean! ? one : best),
      undefined,
    );
}
