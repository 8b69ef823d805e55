/** The step log of a run under way: reads the recorded steps one after the other, then appends to the journal. */
import type { RunEvent } from '../journal/events.ts';
import { isStep, type StepBody, type StepEvent, type StepLog, type StepType } from '../journal/steps.ts';

export class JournalSteps implements StepLog {
  #recorded: readonly StepEvent[];
  readonly #onEnd: (type: StepType) => Promise<void>;
  readonly #append: (body: StepBody) => Promise<RunEvent>;
  #position = 0;

  /** `onEnd` is awaited each time a step is asked for after the recorded ones, before it is taken. */
  constructor(
    events: readonly RunEvent[],
    onEnd: (type: StepType) => Promise<void>,
    append: (body: StepBody) => Promise<RunEvent>,
  ) {
    this.#recorded = events.filter(isStep);
    this.#onEnd = onEnd;
    this.#append = append;
  }

  upcoming(): StepEvent | null {
    return this.#recorded[this.#position] ?? null;
  }

  async next(type: StepType): Promise<StepEvent | null> {
    const event = this.#recorded[this.#position];
    if (event === undefined) {
      this.#recorded = [];
      await this.#onEnd(type);
      return null;
    }
    this.#position += 1;
    return event;
  }

  async append(body: StepBody): Promise<StepEvent> {
    return (await this.#append(body)) as StepEvent;
  }
}
