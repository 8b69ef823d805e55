/** A model that answers what was recorded. */

import { throwIfInterrupted } from '../base/async.ts';
import { DiffersError } from '../base/errors.ts';
import type { ChatModel, ChatReply, Message } from './chat.ts';
import { lineDiff } from './diff.ts';
import type { ReplyForm } from './reply/shape.ts';

/** One call as it was recorded; an `llm_call` event is one. */
export interface RecordedCall {
  readonly request: { readonly messages: readonly Message[]; readonly form: ReplyForm };
  readonly reply: ChatReply;
  /** where it was made, for messages */
  readonly purpose?: string;
  readonly iteration?: number;
  readonly attempt?: number;
}

export interface ReplayOptions {
  readonly id?: string;
  /**
   * `must-match` (the default): a prompt that is not the recorded one is a `DiffersError` that shows the difference.
   * `may-differ`: the replies come in their order whatever is asked.
   */
  readonly prompts?: 'must-match' | 'may-differ';
}

/**
 * Answers the recorded replies in order; with `must-match` the first prompt finds its place in the record, so that a run
 * that is resumed in the middle goes on there. Throws `DiffersError` when a prompt differs and when the record ends.
 */
export function replayModel(calls: readonly RecordedCall[], options: ReplayOptions = {}): ChatModel {
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
    /** the recorded one: a call is worded as it was */
    get replyForms() {
      return [calls[next ?? 0]?.request.form ?? 'lines'];
    },
    async complete({ messages }, { signal } = {}) {
      throwIfInterrupted(signal);
      const asked = identity(messages);
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
        const difference = lineDiff(transcript(call.request.messages), transcript(messages));
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

/** Equal for equal conversations only. */
function identity(messages: readonly Message[]): string {
  return JSON.stringify(messages.map(({ role, content }) => [role, content]));
}

/** A conversation as a reader sees it. */
function transcript(messages: readonly Message[]): string {
  return messages.map(({ role, content }) => `[${role}]\n${content}`).join('\n');
}
