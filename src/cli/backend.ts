/** A backend for the duration of a command: an open one keeps the process alive. */
import type { ExpectedWork } from '../rollout/auto.ts';
import type { Backend, BackendChoice } from '../rollout/backend.ts';
import { chooseBackend } from '../rollout/node/open.ts';
import type { Io } from './io.ts';

/**
 * Opens the backend on the adapter of `--adapter`, notes which one it is, and closes it after `use`, which also gets why `auto`
 * chose it; null: it was asked for. `work`: of a search.
 */
export async function withBackend<T>(
  choice: BackendChoice,
  adapter: string | undefined,
  io: Io,
  use: (backend: Backend, why: string | null) => Promise<T>,
  work: ExpectedWork | null = null,
): Promise<T> {
  const note = (text: string) => io.note(text);
  const { backend, why } = await chooseBackend(choice, { adapter: adapter ?? null, note, work });
  return use(backend, why).finally(() => backend.close());
}
