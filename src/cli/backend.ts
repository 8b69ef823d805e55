/** A backend for the duration of a command: an open one keeps the process alive. */
import type { Backend, BackendChoice } from '../rollout/backend.ts';
import { openBackend } from '../rollout/node/open.ts';
import type { Io } from './io.ts';

/** Opens the backend on the adapter of `--adapter`, notes which one it is, and closes it after `use`. */
export async function withBackend<T>(
  choice: BackendChoice,
  adapter: string | undefined,
  io: Io,
  use: (backend: Backend) => Promise<T>,
): Promise<T> {
  const backend = await openBackend(choice, { adapter: adapter ?? null, note: (text) => io.note(text) });
  return use(backend).finally(() => backend.close());
}
