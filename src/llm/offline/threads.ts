/** The offline model on worker threads: its sums take longer than all else in an offline run, and runs share a process. */
import { existsSync } from 'node:fs';
import { Tinypool } from 'tinypool';
import { orInterrupted } from '../../base/async.ts';
import { ModelError } from '../../base/errors.ts';
import { assetPath } from '../../base/node/assets.ts';
import type { ChatModel, ChatReply, ChatRequest } from '../chat.ts';
import { offline } from './index.ts';
import type { Answer } from './worker.ts';

/** A worker runs compiled JavaScript, so it is the built file even when the caller runs from the sources. */
const entry = 'dist/llm/offline/worker.js';
/** A thread that nobody asked for so long ends, ms; starting one takes longer than a reply. */
const idleTimeout = 30_000;

export interface OfflineThreads {
  /** gives the replies of `offline` */
  readonly model: ChatModel;
  close(): Promise<void>;
}

/** `threads`: most that answer at once; they are started when first needed. */
export function openOfflineThreads(threads: number): OfflineThreads {
  const filename = assetPath(entry);
  if (!existsSync(filename)) {
    throw new ModelError('offline', `expected the worker file ${filename}, found none; run "npm run build"`);
  }
  const pool = new Tinypool({ filename, minThreads: 0, maxThreads: threads, idleTimeout, execArgv: [] });
  const ask = async (request: ChatRequest): Promise<ChatReply> => {
    const answer = (await pool.run(request)) as Answer;
    if ('refused' in answer) throw new ModelError('offline', answer.refused);
    return answer.reply;
  };
  return {
    model: {
      ...offline,
      async complete(request: ChatRequest, { signal } = {}) {
        // Its own abort ends the thread; a reply takes milliseconds, and nobody waits for it.
        return orInterrupted(ask(request), signal);
      },
    },
    close: () => pool.destroy(),
  };
}
