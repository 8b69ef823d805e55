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
  /** of the fields that the address has and that cannot be read, in words */
  readonly problems: Readonly<Partial<Record<string, string>>>;
}

export const batchSizes = [256, 1024, 4096, 16_384] as const;
const defaultBatch = 4096;
/** Longer addresses are cut by some servers and chats. */
const longestParams = 6000;
/** Characters of a value that a message repeats. */
const longestQuoted = 60;
const constantPrefix = 'c.';

type Value<T> = { readonly value: T } | { readonly expected: string };

function objectIn(text: string): Value<Readonly<Record<string, unknown>>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return { value: value as Record<string, unknown> };
    }
  } catch {
    // As any other text that is no object.
  }
  return { expected: 'an object in JSON' };
}

const finite = (text: string): number | null =>
  text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : null;

function numberIn(text: string): Value<number> {
  const value = finite(text);
  return value === null ? { expected: 'a number' } : { value };
}

const wholeIn =
  (low: number, high: number) =>
  (text: string): Value<number> => {
    const value = finite(text);
    const isFit = value !== null && Number.isSafeInteger(value) && value >= low && value <= high;
    return isFit ? { value } : { expected: `a whole number from ${low} to ${high}` };
  };

function numbersIn(text: string): Value<readonly number[]> {
  const values = text.split('_').map(finite);
  const bad = values.indexOf(null);
  return bad < 0
    ? { value: values as number[] }
    : { expected: `numbers joined by "_", of which number ${bad + 1} is none` };
}

function executorIn(text: string): Value<ExecutorId> {
  const value = executorIds.find((id) => id === text);
  return value === undefined ? { expected: `one of ${executorIds.join(', ')}` } : { value };
}

const isOneIn = (text: string): Value<boolean> =>
  text === '1' || text === '0' ? { value: text === '1' } : { expected: '1 or 0' };

/** What an address says; parts that cannot be read are left at their default, and named in `problems`. */
export function parsePlayQuery(query: URLSearchParams): PlayQuery {
  const problems: Partial<Record<keyof PlayQuery, string>> = {};
  const read = <T>(field: keyof PlayQuery, key: string, parse: (text: string) => Value<T>, fallback: T): T => {
    const text = query.get(key);
    if (text === null) return fallback;
    const found = parse(text);
    if ('value' in found) return found.value;
    const got = text.length <= longestQuoted ? text : `${text.slice(0, longestQuoted)}…`;
    const problem = `${key}: expected ${found.expected}, got "${got}"`;
    problems[field] = problems[field] === undefined ? problem : `${problems[field]}; ${problem}`;
    return fallback;
  };
  const constants: Record<string, number> = {};
  for (const key of new Set(query.keys())) {
    const value = key.startsWith(constantPrefix) ? read('constants', key, numberIn, null) : null;
    if (value !== null) constants[key.slice(constantPrefix.length)] = value;
  }
  return {
    run: query.get('run'),
    candidate: query.get('candidate'),
    env: query.get('env'),
    envOptions: read('envOptions', 'env_options', objectIn, {}),
    kind: query.get('policy'),
    options: read('options', 'policy_options', objectIn, {}),
    params: read('params', 'params', numbersIn, null),
    constants,
    seed: read('seed', 'seed', wholeIn(0, Number.MAX_SAFE_INTEGER - 2 ** 31), 0),
    episodes: read('episodes', 'episodes', wholeIn(1, 2 ** 17), defaultBatch),
    executor: read('executor', 'on', executorIn, null),
    isPaused: read('isPaused', 'paused', isOneIn, false),
    problems,
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

/** `state` with changes, which leave no problem of the fields that they give a value. */
export function changed(state: PlayQuery, changes: Partial<PlayQuery>): PlayQuery {
  const left = Object.entries(state.problems).filter(([field]) => !(field in changes));
  return { ...state, problems: Object.fromEntries(left), ...changes };
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
