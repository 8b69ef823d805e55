/** Finish reasons, in the words of all APIs. */
import type { Finish } from '../chat.ts';
import { AttemptFailure } from '../retry.ts';
import { truncatedAnswer } from './answer.ts';
import { excerpt } from './failure.ts';

const words: Readonly<Record<Exclude<Finish, 'repetition' | 'unknown'> | 'filter' | 'tools' | 'error', string>> = {
  stop: 'stop end_turn stop_sequence stop_string eos eos_token complete completed done end finished finish success normal load_done',
  length:
    'length max_tokens max_output_tokens max_completion_tokens max_new_tokens model_length token_limit max_length ' +
    'model_context_window_exceeded context_length context_length_exceeded limit',
  filter:
    'content_filter content_filtered content-filter filtered safety recitation blocklist prohibited_content spii ' +
    'refusal sensitive guardrail_intervened image_safety language',
  tools: 'tool_calls tool_call tool_use function_call malformed_function_call unexpected_tool_call pause_turn',
  error:
    'error failed abort aborted cancelled canceled interrupted network_error insufficient_system_resource other_error',
};

const kinds = new Map(
  Object.entries(words).flatMap(([kind, list]) => list.split(' ').map((word) => [word, kind] as const)),
);

/**
 * The kind of a finish reason; null when the endpoint gives none. Throws `AttemptFailure` for those without a reply: a
 * filter, a tool call, an error.
 */
export function finishOf(reason: string | null): Finish | null {
  if (reason === null) return null;
  const kind = kinds.get(reason.toLowerCase());
  switch (kind) {
    case 'stop':
    case 'length':
      return kind;
    case 'filter':
      throw filtered(reason);
    case 'tools':
      throw toolsCalled(`finish reason "${excerpt(reason, 60)}"`);
    case 'error':
      throw truncatedAnswer(`a reply that failed (finish reason "${excerpt(reason, 60)}")`);
    default:
      return 'unknown';
  }
}

/** `word`: the endpoint's description of the filter. */
export function filtered(word: string): AttemptFailure {
  const advice = 'the content filter of the endpoint blocked the reply; relax it there, or use another model';
  return new AttemptFailure(`a reply blocked by a content filter ("${excerpt(word, 200)}")`, advice, {
    retryable: true,
    isVerdict: true,
  });
}

/** `words`: the model's refusal. */
export function refusedInWords(words: string): AttemptFailure {
  const advice = 'the model declines the task; use another model';
  const problem = `a refusal instead of a reply ("${excerpt(words, 200)}")`;
  return new AttemptFailure(problem, advice, { retryable: true, isVerdict: true });
}

export function toolsCalled(detail: string): AttemptFailure {
  const advice = 'the model was offered no tools; turn off the tools of the server, or use another model';
  const problem = `a tool call instead of a reply (${detail})`;
  return new AttemptFailure(problem, advice, { retryable: true, isVerdict: true });
}
