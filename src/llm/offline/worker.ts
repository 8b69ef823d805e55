/** Entry of a worker thread; see `threads.ts`. */
import { ModelError } from '../../base/errors.ts';
import type { ChatReply, ChatRequest } from '../chat.ts';
import { offline } from './index.ts';

/** Errors lose their class between threads, so a refusal is sent as data. */
export type Answer = { readonly reply: ChatReply } | { readonly refused: string };

export default async function complete(request: ChatRequest): Promise<Answer> {
  try {
    return { reply: await offline.complete(request) };
  } catch (error) {
    if (error instanceof ModelError) return { refused: error.detail };
    throw error;
  }
}
