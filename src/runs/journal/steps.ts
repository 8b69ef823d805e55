/**
 * The journal as a driver sees it: a list of steps that were taken, read from the start, that grows at its end. A driver
 * always starts from the beginning; a step that is on record is read, and any other is taken now and recorded.
 */
import { UsageError } from '../../base/errors.ts';
import { firstDifference } from './difference.ts';
import type { BodyOf, EventOf, EventType, RunEvent } from './events.ts';

/** Events of the process, not of the search. */
const processTypes = [
  'imported',
  'branched',
  'run_started',
  'control',
  'run_finished',
  'run_stopped',
] as const satisfies EventType[];

export type StepType = Exclude<EventType, (typeof processTypes)[number]>;
export type StepEvent = EventOf<StepType>;
export type StepBody = BodyOf<StepType>;

export function isStep(event: RunEvent): event is StepEvent {
  return !(processTypes as readonly string[]).includes(event.type);
}

export interface StepLog {
  /** The step that `next` will return; null when the record ends here, or when each step is done again. */
  upcoming(): StepEvent | null;
  /**
   * The next step that was taken; null when the record ends here and the next step is to be taken now. `type`: of the step
   * that is expected.
   */
  next(type: StepType): Promise<StepEvent | null>;
  /** Records a step that was taken now, and returns it as a reader of the record will see it. */
  append(body: StepBody): Promise<StepEvent>;
}

/** How messages name a step. */
export function stepName(step: StepBody | StepEvent): string {
  const { type } = step;
  if (step.type === 'warmup') return `${type} ${step.index}`;
  if ('attempt' in step) return `${type} of iteration ${step.iteration} (${step.purpose}, attempt ${step.attempt})`;
  const candidate = 'candidate' in step ? ` (${step.candidate})` : '';
  return `${type} of iteration ${step.iteration}${candidate}`;
}

type KnownFields<T extends StepType> = Partial<Omit<BodyOf<T>, 'type'>>;

/**
 * One step of a run: answered from the record when it holds the step, else taken now and recorded.
 * `known`: what the driver knows about the step before it is taken. A recorded step that differs from it belongs to
 * another configuration or version of the program: a usage error.
 */
export async function recordedStep<T extends StepType>(
  steps: StepLog,
  type: T,
  known: KnownFields<T>,
  live: () => Promise<BodyOf<T>>,
): Promise<EventOf<T>> {
  const recorded = await steps.next(type);
  if (recorded === null) return (await steps.append(await live())) as EventOf<T>;
  const actual = recorded as unknown as Record<string, unknown>;
  const expected = { type, ...known } as Record<string, unknown>;
  for (const [key, value] of Object.entries(expected)) {
    const difference = firstDifference(value, actual[key], key);
    if (!difference) continue;
    throw new UsageError(
      'events.jsonl',
      `the record does not belong to this configuration and version of r2po: at seq ${recorded.seq} ` +
        `(${stepName(recorded)}) expected ${difference.path} ${difference.expected}, got ${difference.got}; ` +
        'start a new run, or resume with the version that wrote it (run.json names it)',
    );
  }
  return recorded as EventOf<T>;
}
