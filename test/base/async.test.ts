/** The waiting helpers, in Node and as a page has them. */
import { setImmediate, setTimeout } from 'node:timers/promises';
import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { interruption, nextTurn, openOnce, orInterrupted, sleep } from '../../src/base/async.ts';
import { InterruptedError } from '../../src/base/errors.ts';

describe('sleep', () => {
  it('ends with the error that the signal carries, at once, also when the signal has fired before', async () => {
    const reason = new InterruptedError('sweep', 'stopped', 'SIGTERM');
    const controller = new AbortController();
    const begun = performance.now();
    const slept = sleep(30, controller.signal);
    controller.abort(reason);
    await expect(slept).rejects.toBe(reason);
    await expect(sleep(30, controller.signal)).rejects.toBe(reason);
    expect(performance.now() - begun).toBeLessThan(5000);
  });

  it('is an interruption when the signal fires without a reason of ours', async () => {
    const controller = new AbortController();
    const slept = sleep(30, controller.signal);
    controller.abort();
    await expect(slept).rejects.toBeInstanceOf(InterruptedError);
    expect(interruption(controller.signal).exitCode).toBe(130);
  });

  it('waits as long as asked', async () => {
    const begun = performance.now();
    await sleep(0.05, new AbortController().signal);
    expect(performance.now() - begun).toBeGreaterThan(45);
  });
});

describe('orInterrupted', () => {
  it('leaves no listener at the signal and no unhandled rejection of what comes too late', async () => {
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners += 1;
      addEventListener.apply(signal, args);
    };
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners -= 1;
      removeEventListener.apply(signal, args);
    };
    await expect(orInterrupted(Promise.resolve(7), signal)).resolves.toBe(7);
    await setImmediate();
    expect(listeners).toBe(0);
    const late = setTimeout(5).then(() => Promise.reject(new Error('too late')));
    const waited = orInterrupted(late, signal);
    controller.abort(new InterruptedError('run', 'stopped'));
    await expect(waited).rejects.toThrow('stopped');
    await setTimeout(20);
  });
});

describe('nextTurn', () => {
  const platforms = {
    'setImmediate (Node)': undefined,
    'scheduler.yield (a page)': { scheduler: { yield: () => setTimeout(0) as Promise<void> }, MessageChannel },
    'MessageChannel (a page without scheduler.yield)': { scheduler: {}, MessageChannel },
  };
  it.each(Object.entries(platforms))('lets a waiting task run, by %s', async (_, platform) => {
    let hasRun = false;
    setImmediate().then(() => {
      hasRun = true;
    });
    for (let turns = 0; turns < 50 && !hasRun; turns++) await nextTurn(platform as never);
    expect(hasRun).toBe(true);
  });
});

describe('openOnce', () => {
  it('opens once for two callers and again after a failure', async () => {
    const opened = new Map<string, Promise<number>>();
    let attempts = 0;
    const open = async () => {
      attempts += 1;
      if (attempts === 1) throw new Error('not yet');
      return 10 * attempts;
    };
    const first = [openOnce(opened, 'a', open), openOnce(opened, 'a', open)];
    for (const attempt of first) await expect(attempt).rejects.toThrow('not yet');
    expect(await openOnce(opened, 'a', open)).toBe(20);
    expect(await openOnce(opened, 'a', open)).toBe(20);
    expect(attempts).toBe(2);
  });
});
