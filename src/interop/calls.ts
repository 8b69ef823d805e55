/** The calls of a run as JSON lines: every request as it was sent, with its reply. */
import { visibleJson } from '../base/printable.ts';
import { maskLongSecrets } from '../base/secrets.ts';
import type { WholeEvent } from '../runs/journal/journal.ts';

/** A line for each call, in their order. `run`: a name that each line begins with; null: none. */
export function* callLines(events: Iterable<WholeEvent>, run: string | null): Generator<string> {
  for (const { event, messages } of events) {
    if (event.type !== 'llm_call') continue;
    const { seq, iteration, purpose, attempt, reply } = event;
    const line = {
      ...(run !== null && { run }),
      ...{ seq, iteration, purpose, attempt },
      messages: (messages ?? []).map(({ role, content }) => ({ role, content })),
      reply: reply.text,
      usage: reply.usage,
    };
    yield `${maskLongSecrets(visibleJson(JSON.stringify(line)))}\n`;
  }
}
