/** The outcomes of all episodes as CSV. */
import { nextTurn } from '../base/async.ts';
import type { OutputFile } from '../base/node/atomic-file.ts';
import type { OutcomeSink } from '../rollout/host-statistics.ts';
import { endCauses } from '../rollout/job.ts';

/** Rows per write; signals and timers are handled in between. */
const rowsAtOnce = 2 ** 15;

export const returnsHeader = 'index,seed,return,length,end\n';

/**
 * Writes the outcomes of one candidate, whose first episode has the seed `seed`. JavaScript prints the shortest decimal
 * that reads back to the same double: never more than 17 digits are needed.
 */
export function returnsWriter(file: OutputFile, seed: number, signal: AbortSignal): OutcomeSink {
  return async ({ returns, lengths, ends }, { first }) => {
    for (let from = 0; from < returns.length; from += rowsAtOnce) {
      signal.throwIfAborted();
      const to = Math.min(from + rowsAtOnce, returns.length);
      let text = '';
      for (let i = from; i < to; i++) {
        text += `${first + i},${seed + first + i},${returns[i]},${lengths[i]},${endCauses[ends[i]!]}\n`;
      }
      await file.write(text);
      await nextTurn();
    }
  };
}
