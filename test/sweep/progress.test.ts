/** The progress lines of a sweep. */
import { expect, it } from 'vitest';
import { RunTotals } from '../../src/runs/journal/totals.ts';
import type { RunProgress } from '../../src/runs/session/progress.ts';
import type { SweepRun } from '../../src/sweep/expand.ts';
import type { SweepState } from '../../src/sweep/local.ts';
import { sweepLines, totalLine } from '../../src/sweep/progress.ts';

const figures: SweepState = {
  runs: 64,
  finished: 12,
  already: 0,
  unfinished: 0,
  running: [],
  etaSeconds: null,
  ended: null,
};

const run = { id: '1a2b', yaml: '' } as SweepRun;

function progressAfter(means: readonly number[]): RunProgress {
  const totals = new RunTotals();
  means.forEach((mean, i) => {
    const params = [mean];
    const candidates = [{ label: 'proposal' as const, mean, params, stderr: null }];
    totals.add({
      type: 'iteration',
      iteration: i + 1,
      kept: 'proposal',
      why: 'the only one',
      candidates,
      trial: null,
      time: '2026-01-01T00:00:00.000Z',
      seq: i,
    } as unknown as Parameters<RunTotals['add']>[0]);
  });
  return { event: null, totals, iterations: 20, etaSeconds: null };
}

it('has a line for each running run, and one for all of them', () => {
  const running = [
    { run, folder: 'runs/cartpole-r2po-s3-1a2b3c4d', progress: progressAfter([20.5, 17]) },
    { run, folder: 'runs/nim-props-s4-5e6f7a8b', progress: null },
  ];
  expect(sweepLines({ ...figures, already: 5, unfinished: 2, running, etaSeconds: 65 }).split('\n')).toEqual([
    '12/64 runs finished (5 before) | left 1 min 5 s | 2 not | 2 running',
    'cartpole-r2po-s3-1a2b3c4d  2/20  last 17  best 20.5',
    'nim-props-s4-5e6f7a8b  starts',
  ]);
});

it('says no more than there is', () => {
  expect(totalLine(figures)).toBe('12/64 runs finished');
  // The pace of the past says nothing once nothing runs.
  expect(totalLine({ ...figures, etaSeconds: 3 })).toBe('12/64 runs finished');
});
