/**
 * What a format of the record is. A run goes on in the format in which it began; readers above see events alike, whatever
 * the format.
 */
import type { Message } from '../../llm/chat.ts';
import type { Checked, EventBody, RunEvent } from './events.ts';

export type Stamp = Pick<RunEvent, 'time' | 'seq'>;

/**
 * Makes lines of events and events of lines, in the order of the record: a line may refer to what stands in earlier ones.
 * Lines are JSON objects; what links them (`journal`, `prev`) is not its concern.
 */
export interface EventCodec {
  /** The object of an event's line; nothing is remembered of it before it is decoded or `sent`. */
  encode(body: EventBody, stamp: Stamp): object;
  decode(line: unknown): Checked<RunEvent>;
  /** The messages of the line of an `llm_call` that was decoded just now. For readers that restore every call from the first. */
  restore(line: unknown): { readonly messages: readonly Message[] } | { readonly problem: string };
  /** To be called after a call was written, so that later ones can refer to its messages. */
  sent(event: RunEvent, messages: readonly Message[]): void;
}

export interface RecordFormat {
  readonly number: number;
  /** whether the first line states the format and each later one has the digest of the line before it */
  readonly chained: boolean;
  open(): EventCodec;
}
