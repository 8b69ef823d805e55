/** Who answered the prompts of a run. */

import { offline } from '../llm/offline/index.ts';
import type { RunEvent } from '../runs/journal/events.ts';

export type Origin = 'language-model' | 'offline';

/** Every reply carries the model that made it, a replayed one that of its first time. */
export function originOf(events: readonly RunEvent[]): Origin {
  const byOffline = events.some((event) =>
    event.type === 'llm_call'
      ? event.reply.model === offline.id
      : event.type === 'run_started' && event.model_kind === offline.kind,
  );
  return byOffline ? 'offline' : 'language-model';
}
