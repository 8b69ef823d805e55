/** The state of a model call in a few words. */
import { significant } from '../base/plain-number.ts';
import type { CallState } from '../runs/models/calls.ts';
import { duration, shortCount } from './progress.ts';

/** `reading the prompt 12 s`, `writing 132 tokens, 18.3 tokens/s`, `retry in 9 s: HTTP 429` */
function stateText({ progress }: CallState, seconds: number): string {
  switch (progress.state) {
    case 'queued':
      return `waiting for its turn ${duration(seconds)}`;
    case 'asked':
      return `reading the prompt ${duration(seconds)}`;
    case 'waiting':
      return `retry in ${duration(Math.max(0, progress.seconds - seconds))}: ${progress.why}`;
    case 'reasoning':
    case 'writing': {
      const { tokens, tokensPerSecond } = progress;
      const speed = tokensPerSecond === null ? '' : `, ${significant(tokensPerSecond, 3)} tokens/s`;
      return `${progress.state} ${shortCount(tokens)} tokens${speed}`;
    }
  }
}

/** `seconds`: since the state began. */
export function waitingLine(call: CallState, seconds: number): string {
  return `${call.purpose} of iteration ${call.iteration}, waiting for ${call.model}: ${stateText(call, seconds)}`;
}
