/** Counts replies that cannot be used, and ends a run that gets nothing else. */
import { ModelError } from '../../base/errors.ts';
import { excerpt } from '../../llm/providers/failure.ts';
import type { AskedReply } from '../../methods/method.ts';

/** Of a reply, in a message. */
const shownLength = 300;

interface Unusable {
  readonly problem: string;
  readonly reply: AskedReply | null;
}

function shown({ problem, reply }: Unusable): string {
  const first = `the first one: ${problem}`;
  if (reply === null) return first;
  if (reply.text.trim() !== '') return `${first}; it was "${excerpt(reply.text, shownLength)}"`;
  if (!reply.reasoning) return `${first}; it was empty`;
  return `${first}; it was empty, behind the reasoning "${excerpt(reply.reasoning, shownLength)}"`;
}

/** Not a failure of the endpoint: it answers, and with nothing that is an answer. */
export class UnusableError extends ModelError {
  /** whether the run can be resumed from here */
  readonly resumable: boolean;

  constructor(unit: string, message: string, resumable: boolean) {
    super(unit, message);
    this.resumable = resumable;
  }
}

const advice =
  'try another model, hold its replies (llm.reply_form: auto), or turn its reasoning off (llm.think: false); "r2po doctor --model NAME" asks it one question';

export class UnusableReplies {
  readonly #limit: number | null;
  #first: Unusable | null = null;
  #count = 0;

  /** `limit`: so many in a row are the end; null: never */
  constructor(limit: number | null) {
    this.#limit = limit;
  }

  /** Throws a `ModelError` that shows the first of them when they are too many in a row. */
  add(problem: string, reply: AskedReply | null): void {
    this.#first ??= { problem, reply };
    this.#count += 1;
    if (this.#limit === null || this.#count < this.#limit) return;
    const many =
      this.#count === 1
        ? 'a reply that can be used, got one that cannot'
        : `a usable reply, got ${this.#count} in a row that are not`;
    throw new UnusableError('llm.max_unusable_in_a_row', `expected ${many}; ${shown(this.#first)}; ${advice}`, true);
  }

  /** A reply could be used. */
  reset(): void {
    this.#first = null;
    this.#count = 0;
  }
}

/** What is said at the end of a run without any usable reply: the first reason on record. */
export function nothingUsable(iterations: number, problem: string | null): UnusableError {
  const first = problem === null ? '' : `; the first reason: ${problem}`;
  return new UnusableError(
    'run',
    `expected a usable reply in one of ${iterations} iterations, got none${first}; start a new run: ${advice}`,
    false,
  );
}
