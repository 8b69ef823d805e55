/** Format 1 of the record: every event as it is, with the whole text of every message. */
import { z } from 'zod';
import type { Message } from '../../llm/chat.ts';
import { digested } from '../../llm/text-digest.ts';
import { event, eventCheck, events, type RunEvent, recordedMessage, requestOf } from './events.ts';
import type { EventCodec, RecordFormat } from './format.ts';

const message = z.strictObject({ role: recordedMessage.shape.role, content: z.string() });
const call = event('llm_call', { ...events.llm_call.shape, request: requestOf(message) });
const check = eventCheck({ ...events, llm_call: call });

class Codec implements EventCodec {
  encode(body: object, stamp: object): object {
    return { ...body, ...stamp };
  }

  decode(line: unknown): ReturnType<EventCodec['decode']> {
    const checked = check(line);
    if ('problem' in checked || checked.event.type !== 'llm_call') return checked as { event: RunEvent };
    const { request, ...rest } = checked.event as z.output<typeof call>;
    return { event: { ...rest, request: { ...request, messages: digested(request.messages) } } };
  }

  restore(line: unknown): { readonly messages: readonly Message[] } {
    return { messages: (line as z.output<typeof call>).request.messages };
  }

  sent(): void {}
}

export const format1: RecordFormat = { number: 1, chained: false, open: () => new Codec() };
