/** Counts replies that cannot be used, and ends a run that gets nothing else. */
import { ModelError } from '../../base/errors.ts';
import { excerpt } from '../../llm/providers/failure.ts';
import type { AskedReply } from '../../methods/method.ts';
import { BrokenReturnError } from '../../rollout/statistics.ts';

/** Maximum length of a reply in a message. */
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

/** The endpoint answers, but its replies cannot be used. */
export class UnusableError extends ModelError {}

const advice =
  'try another model, constrain its replies (llm.reply_form: auto), or turn its reasoning off (llm.think: false); "r2po doctor --model NAME" asks it one question';

export class UnusableReplies {
  #first: Unusable | null = null;
  #count = 0;

  /**
   * Throws a `ModelError` that shows the first of them when they are too many in a row. `limit`: the run ends after so many;
   * null: never
   */
  add(problem: string, reply: AskedReply | null, limit: number | null): void {
    this.#first ??= { problem, reply };
    this.#count += 1;
    if (limit === null || this.#count < limit) return;
    const many =
      this.#count === 1
        ? 'a usable reply, got an unusable one'
        : `a usable reply, got ${this.#count} unusable ones in a row`;
    throw new UnusableError('llm.max_unusable_in_a_row', `expected ${many}; ${shown(this.#first)}; ${advice}`);
  }

  /** To be called after a usable reply. */
  reset(): void {
    this.#first = null;
    this.#count = 0;
  }
}

/** The error of a run without any usable reply. Resumed, it has as many iterations again. */
export function nothingUsable(iterations: number, problem: string): UnusableError {
  return new UnusableError(
    'run',
    `expected a usable reply in one of ${iterations} iterations, got none; the first reason: ${problem}; ${advice}; resumed, the run has as many iterations again`,
  );
}

/** The same where no reply was refused: an optimiser proposed all candidates. */
export function nothingPlayable(iterations: number): BrokenReturnError {
  return new BrokenReturnError(
    'run',
    `expected a candidate that can be played in one of ${iterations} iterations, got none; ` +
      'each has a return that is infinite or NaN',
  );
}
