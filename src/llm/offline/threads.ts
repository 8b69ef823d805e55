/** The offline model on worker threads: it dominates the time of an offline run, and runs share a process. */
import { existsSync } from 'node:fs';
import { Tinypool } from 'tinypool';
import { orInterrupted } from '../../base/async.ts';
import { ModelError } from '../../base/errors.ts';
import { assetPath } from '../../base/node/assets.ts';
import type { ChatModel, ChatReply, ChatRequest } from '../chat.ts';
import { offline } from './index.ts';
import type { Answer } from './worker.ts';

/** Workers run compiled JavaScript, so this is the built file even when the caller runs from the sources. */
const entry = 'dist/llm/offline/worker.js';
/** Idle threads end after this time, ms; starting one takes longer than a reply. */
const idleTimeout = 30_000;

export interface OfflineThreads {
  /** replies exactly as `offline` does */
  readonly model: ChatModel;
  close(): Promise<void>;
}

/** `threads`: maximum number of threads; they start when first needed. */
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
        // Passing the signal on would end the thread; a reply takes milliseconds, so an aborted one just finishes.
        return orInterrupted(ask(request), signal);
      },
    },
    close: () => pool.destroy(),
  };
}
