/** What a reader has received of an answer besides its text, and how the answer ends. */
import { AttemptFailure } from '../retry.ts';
import { nameOrNull, noUsage, shownBody, truncatedAnswer } from './answer.ts';
import { excerpt, type Fields } from './failure.ts';
import { finishOf, refusedInWords, toolsCalled } from './finish.ts';
import type { Ending, ReportedUsage } from './protocol.ts';

export class Received {
  usage: ReportedUsage = noUsage;
  model: string | null = null;
  id: string | null = null;
  finishReason: string | null = null;
  /** the model's refusal in words; '': none */
  refusal = '';
  /** name of a called tool; null: none */
  tool: string | null = null;
  /** whether the part with the reply arrived */
  hasReply = false;
  hasText = false;

  /** Payloads may leave out the names. */
  takeNames(model: unknown, id: unknown): void {
    this.model = nameOrNull(model) ?? this.model;
    this.id = nameOrNull(id) ?? this.id;
  }

  /** `part`: the API's name for the part with the reply. Throws `AttemptFailure` for an answer without a reply. */
  end(part: string): Ending {
    const { finishReason, model, id, usage } = this;
    if (!this.hasReply) throw truncatedAnswer(`an answer without ${part}`);
    if (this.refusal.trim() !== '' && !this.hasText) throw refusedInWords(this.refusal);
    if (this.tool !== null && !this.hasText) throw toolsCalled(`"${excerpt(this.tool, 60)}"`);
    return { finish: finishOf(finishReason), finishReason, model, id, usage };
  }
}

/** `difference`: how the JSON differs from an answer of the API. `badUrl`: advice. */
export function otherJson(difference: string, payload: Fields, badUrl: string): AttemptFailure {
  const shown = shownBody(JSON.stringify(payload), 'application/json');
  return new AttemptFailure(`JSON ${difference}: ${shown}`, badUrl, { retryable: false });
}
