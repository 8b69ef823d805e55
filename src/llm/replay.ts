/** A model that returns recorded replies. */

import { throwIfInterrupted } from '../base/async.ts';
import { DiffersError } from '../base/errors.ts';
import type { ChatModel, ChatReply, Message } from './chat.ts';
import { lineDiff } from './diff.ts';
import type { ReplyForm } from './reply/shape.ts';
import { type DigestedMessage, digested } from './text-digest.ts';

/** One recorded call; an `llm_call` event is one. */
export interface RecordedCall {
  readonly request: { readonly messages: readonly DigestedMessage[]; readonly form: ReplyForm };
  readonly reply: ChatReply;
  /** where the call was made, for messages */
  readonly purpose?: string;
  readonly iteration?: number;
  readonly attempt?: number;
}

export interface ReplayOptions {
  readonly id?: string;
  /** The texts that a call sent, by its place among the recorded ones; they are shown where another prompt is asked. */
  readonly sentIn: (position: number) => readonly Message[];
  /**
   * `must-match` (the default): a prompt that differs from the recorded one throws a `DiffersError` with the difference. `may-differ`: replies are returned in order whatever the prompt.
   */
  readonly prompts?: 'must-match' | 'may-differ';
}

/**
 * Returns the recorded replies in order. With `must-match`, the first prompt determines the position in the recording,
 * so that a run resumed in the middle continues there. Throws `DiffersError` when a prompt differs and when the
 * recording ends.
 */
export function replayModel(calls: readonly RecordedCall[], options: ReplayOptions): ChatModel {
  const mustMatch = (options.prompts ?? 'must-match') === 'must-match';
  const startOf = (asked: string) =>
    Math.max(
      0,
      calls.findIndex(({ request }) => identity(request.messages) === asked),
    );
  let next: number | null = null;
  return {
    id: options.id ?? 'replay',
    kind: 'replay',
    /** the recorded form, so that the prompt is worded as it was */
    get replyForms() {
      return [calls[next ?? 0]?.request.form ?? 'lines'];
    },
    async complete({ messages }, { signal } = {}) {
      throwIfInterrupted(signal);
      const asked = identity(digested(messages));
      const position: number = next ?? (mustMatch ? startOf(asked) : 0);
      const call = calls[position];
      if (call === undefined) {
        throw new DiffersError(
          'replay',
          `expected at most ${calls.length} model calls as recorded, got another one; ` +
            'replay with the configuration and the version of the recorded run',
        );
      }
      if (mustMatch && identity(call.request.messages) !== asked) {
        const difference = lineDiff(transcript(options.sentIn(position)), transcript(messages));
        throw new DiffersError(
          'replay',
          `expected the recorded prompt of ${callName(call, position)}, got another one; replay with the ` +
            `configuration and the version of the recorded run. Recorded (-) and asked (+):\n${difference}`,
        );
      }
      next = position + 1;
      return call.reply;
    },
  };
}

/** `call 7 (critic of iteration 3, repair turn 1)` */
function callName({ purpose, iteration, attempt }: RecordedCall, position: number): string {
  const parts = [
    purpose !== undefined && iteration !== undefined ? `${purpose} of iteration ${iteration}` : '',
    attempt !== undefined && attempt > 0 ? `repair turn ${attempt}` : '',
  ].filter((part) => part !== '');
  return `call ${position + 1}${parts.length === 0 ? '' : ` (${parts.join(', ')})`}`;
}

/** A key that is equal only for equal conversations. */
function identity(messages: readonly DigestedMessage[]): string {
  return JSON.stringify(messages.map(({ role, digest }) => [role, digest]));
}

/** A conversation as readable text. */
function transcript(messages: readonly Message[]): string {
  return messages.map(({ role, content }) => `[${role}]\n${content}`).join('\n');
}
