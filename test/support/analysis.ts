/** Records made by hand, for analyses: every number of them can be worked out from the returns that are given here. */

import { type Summary, summarise } from '../../src/evaluation/summary.ts';
import { plainReply } from '../../src/llm/chat.ts';
import type { CandidateLabel } from '../../src/methods/method.ts';
import { asRead, type EventBody, type RunEvent } from '../../src/runs/journal/events.ts';
import type { PairedTest } from '../../src/stats/intervals.ts';

export const baseParams: readonly number[] = [1, -1, 2, 0, 0, 0, 0, 0, 0, 0.5];

export interface HandMade {
  /** returns of the proposal's episodes; left out: the search gave none */
  readonly before?: readonly number[];
  /** of the revision's; left out: there is none */
  readonly after?: readonly number[];
  readonly proposal?: readonly number[];
  /** the last parameter changed by one when left out */
  readonly revision?: readonly number[];
  readonly kept?: CandidateLabel;
  readonly paired?: PairedTest;
  /** replies of the critic, the unusable ones first; left out: one that names nothing */
  readonly replies?: readonly string[];
  readonly prompt?: string;
}

export function summaryOfReturns(returns: readonly number[]): Summary {
  const n = returns.length;
  const lengths = Uint32Array.from({ length: n }, () => 7);
  return summarise(Float64Array.from(returns), lengths, new Uint8Array(n), { firstSeed: 11, successThreshold: 1e9 });
}

function llmCall(iteration: number, attempt: number, text: string, prompt: string, model: string): EventBody {
  return {
    type: 'llm_call',
    iteration,
    purpose: 'critic',
    attempt,
    request: { messages: [{ role: 'user', content: prompt }], temperature: 0, seed: null, form: 'lines' },
    reply: plainReply({
      text,
      usage: { promptTokens: 3, completionTokens: 2, estimated: false },
      latencySeconds: 0.5,
      requests: 1,
      model,
    }),
  };
}

function evaluated(
  iteration: number,
  candidate: CandidateLabel,
  params: readonly number[],
  returns: readonly number[],
  paired: PairedTest | null,
): EventBody {
  const summary = summaryOfReturns(returns);
  return { type: 'evaluated', iteration, candidate, params, adjustments: [], seed: 11, summary, paired };
}

/** The record of these iterations, from 1 on. */
export function handMadeEvents(iterations: readonly HandMade[], model = 'a-model'): RunEvent[] {
  const bodies = iterations.flatMap((made, i): EventBody[] => {
    const iteration = i + 1;
    const { before, after, proposal = baseParams, kept, paired = null, prompt = 'A prompt.' } = made;
    const revision = made.revision ?? proposal.with(-1, proposal[proposal.length - 1]! + 1);
    const replies = made.replies ?? ['No remark.'];
    const calls = replies.flatMap((text, attempt): EventBody[] => {
      const unusable = attempt < replies.length - 1 || after === undefined;
      const failed: EventBody = { type: 'parse_failed', iteration, purpose: 'critic', attempt, problem: 'no numbers' };
      return [llmCall(iteration, attempt, text, prompt, model), ...(unusable ? [failed] : [])];
    });
    return [
      ...(before ? [evaluated(iteration, 'proposal', proposal, before, null)] : []),
      ...calls,
      ...(after ? [evaluated(iteration, 'revision', revision, after, paired)] : []),
      {
        type: 'iteration',
        iteration,
        kept: kept ?? (before ? 'proposal' : null),
        why: 'made by hand',
        candidates: [],
        trial: null,
      },
    ];
  });
  return bodies.map((body, seq) => asRead(body, { time: '2026-01-02T03:04:05.000Z', seq }));
}
