/**
 * The record as the search sees it: a list of what has been done, read from the start, that grows at its end.
 */
import { UsageError } from '../../base/errors.ts';
import { firstDifference } from './difference.ts';
import type { EventBody, RunEvent } from './events.ts';

/** What the search itself does; starts and stops of the process are not part of it. */
export type SearchType =
  | 'warmup'
  | 'llm_call'
  | 'parse_failed'
  | 'evaluated'
  | 'sensitivity'
  | 'iteration'
  | 'rechecked';
export type SearchEvent = Extract<RunEvent, { type: SearchType }>;
export type SearchBody = Extract<EventBody, { type: SearchType }>;
export type EventOf<T extends SearchType> = Extract<SearchEvent, { type: T }>;

const searchTypes: readonly string[] = [
  'warmup',
  'llm_call',
  'parse_failed',
  'evaluated',
  'sensitivity',
  'iteration',
  'rechecked',
] satisfies readonly SearchType[];

export function isSearchEvent(event: RunEvent): event is SearchEvent {
  return searchTypes.includes(event.type);
}

export interface StepLog {
  /** The next thing that was done; null when the record ends here and the next thing is to be done now. */
  next(): Promise<SearchEvent | null>;
  /** Puts on record what was done now, and returns it as a reader of the record will see it. */
  append(body: SearchBody): Promise<SearchEvent>;
}

/** How messages name an event. */
export function eventName(event: SearchBody): string {
  const { type } = event;
  if (event.type === 'warmup') return `${type} ${event.index}`;
  if (event.type === 'llm_call' || event.type === 'parse_failed') {
    return `${type} of iteration ${event.iteration} (${event.purpose}, attempt ${event.attempt})`;
  }
  return event.type === 'evaluated'
    ? `${type} of iteration ${event.iteration} (${event.candidate})`
    : `${type} of iteration ${event.iteration}`;
}

type KnownFields<T extends SearchType> = Partial<Omit<Extract<SearchBody, { type: T }>, 'type'>>;

/**
 * One step of a run: answered from the record when it holds the step, else done now and recorded.
 * `known`: what the search knows about the step before it is done. A recorded step that says otherwise belongs to another
 * configuration or version of the program: a usage error.
 */
export async function recordedStep<T extends SearchType>(
  steps: StepLog,
  type: T,
  known: KnownFields<T>,
  live: () => Promise<Extract<SearchBody, { type: T }>>,
): Promise<EventOf<T>> {
  const recorded = await steps.next();
  if (recorded === null) return (await steps.append(await live())) as EventOf<T>;
  const actual = recorded as unknown as Record<string, unknown>;
  const expected = { type, ...known } as Record<string, unknown>;
  for (const [key, value] of Object.entries(expected)) {
    const difference = firstDifference(value, actual[key], key);
    if (!difference) continue;
    throw new UsageError(
      'events.jsonl',
      `the record does not belong to this configuration and version of r2po: at seq ${recorded.seq} ` +
        `(${eventName(recorded)}) expected ${difference.path} ${difference.expected}, got ${difference.got}; ` +
        'start a new run, or resume with the version that wrote it (run.json names it)',
    );
  }
  return recorded as EventOf<T>;
}
