/** The kind of model that answered the prompts of a run. */

import { offline } from '../llm/offline/index.ts';
import type { RunEvent } from '../runs/journal/events.ts';

export type Origin = 'language-model' | 'offline';

/** Every reply names its model; a replayed reply names the original model. */
export function originOf(events: readonly RunEvent[]): Origin {
  const byOffline = events.some((event) =>
    event.type === 'llm_call'
      ? event.reply.model === offline.id
      : event.type === 'run_started' && event.model_kind === offline.kind,
  );
  return byOffline ? 'offline' : 'language-model';
}
