/** The parts of a session, each alone. */
import { describe, expect, it } from 'vitest';
import type { IterationRow } from '../../src/runs/journal/iteration-rows.ts';
import { RunTotals } from '../../src/runs/journal/totals.ts';
import { checkBudget, withinTime } from '../../src/runs/session/budget.ts';
import { ProgressReporter, type RunProgress } from '../../src/runs/session/progress.ts';
import { Saver } from '../../src/runs/session/saver.ts';

describe('checkBudget', () => {
  const use = { max_calls: 7, max_tokens: 1234.5678, max_time_s: 33, max_cost_usd: null, max_episodes: 90 };
  const none = { max_calls: null, max_tokens: null };

  it.each([
    [{ ...none, max_calls: 7 }, 'the budget of 7 model calls is used up (7); allow more with --max-calls'],
    [{ ...none, max_tokens: 1000 }, 'the budget of 1000 tokens is used up (1235); allow more with --max-tokens'],
    [{ max_episodes: 90 }, 'the budget of 90 episodes is used up (90); allow more with --max-episodes'],
    [{ max_time_s: 32.5 }, 'the budget of 32.5 seconds is used up (33); allow more with --max-time'],
  ])('stops at %o', (limits, message) => {
    expect(() => checkBudget(limits, use)).toThrow(expect.objectContaining({ detail: message, exitCode: 5 }));
  });

  it('allows use below the limits, without limits, and unknown use', () => {
    checkBudget({ max_calls: 8, max_tokens: null, max_cost_usd: 0.01 }, use);
  });
});

describe('withinTime', () => {
  const use = { max_calls: 7, max_tokens: 12, max_time_s: 33, max_cost_usd: null, max_episodes: 90 };

  it('returns what comes in time, and looks at the limit again, which may be changed meanwhile', async () => {
    expect(await withinTime(Promise.resolve('reply'), () => ({ max_time_s: 33.5 }), use)).toBe('reply');
    const limits = [33.1, 33.2];
    const waiting = withinTime(new Promise(() => {}), () => ({ max_time_s: limits.shift() ?? 33.2 }), use);
    await expect(waiting).rejects.toThrow(/budget of 33\.2 seconds is used up/);
  });
});

describe('Saver', () => {
  /** Writings that end when they are told to. */
  function controlled() {
    const writings: { readonly end: () => void; readonly fail: (error: Error) => void }[] = [];
    const write = () =>
      new Promise<number>((resolve, reject) => {
        const number = writings.length;
        writings.push({ end: () => resolve(number), fail: reject });
      });
    return { writings, saver: new Saver(write) };
  }
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  it('never overlaps two writes', async () => {
    const { writings, saver } = controlled();
    await saver.saveMeanwhile();
    const second = saver.save();
    await settled();
    expect(writings).toHaveLength(1);
    writings[0]?.end();
    await settled();
    expect(writings).toHaveLength(2);
    writings[1]?.end();
    expect(await second).toBe(1);
  });

  it('reports a failed writing at the next call, once', async () => {
    const { writings, saver } = controlled();
    await saver.saveMeanwhile();
    writings[0]?.fail(new Error('disk full'));
    await settled();
    await expect(saver.save()).rejects.toThrow('disk full');
    await saver.settle();
    const again = saver.save();
    await settled();
    writings[1]?.end();
    expect(await again).toBe(1);
  });
});

describe('ProgressReporter', () => {
  it('estimates the rest from the pace of this session alone', () => {
    const totals = new RunTotals();
    const iterate = () => totals.rows.push({ candidates: {} } as IterationRow);
    let time = 1000;
    const seen: RunProgress[] = [];
    const onProgress = (progress: RunProgress) => seen.push(progress);
    const reporter = new ProgressReporter({ totals, iterations: () => 10, now: () => time, onProgress });
    iterate();
    reporter.report(null);
    reporter.begin();
    iterate();
    iterate();
    time += 6000;
    reporter.report(null);
    expect(seen.map(({ etaSeconds }) => etaSeconds)).toEqual([null, 21]);
    expect(reporter.hasBegun).toBe(true);
  });
});
