/** The offline model replies equally on worker threads and on the calling thread. */
import { getEventListeners } from 'node:events';
import { afterAll, expect, it } from 'vitest';
import { InterruptedError, ModelError } from '../../src/base/errors.ts';
import { listenForInterrupts } from '../../src/cli/interrupt.ts';
import { offline } from '../../src/llm/offline/index.ts';
import { openOfflineThreads } from '../../src/llm/offline/threads.ts';

const threads = openOfflineThreads(2);
afterAll(() => threads.close());

function requestOf(trials: number) {
  const lines = Array.from(
    { length: trials },
    (_, i) => `trial ${i + 1}: params = [${i - 3}, ${2 - i}]; mean_reward = ${i * i}`,
  );
  const content = [
    '## Parameters',
    '- count: 2',
    '- smallest allowed: -6.0',
    '- largest allowed: 6.0',
    '- decimals: at most 1',
    '## Progress',
    'Iteration 3 of 20.',
    '## Measured so far',
    ...lines,
  ].join('\n');
  return { messages: [{ role: 'user' as const, content }], temperature: null, seed: null };
}

it('gives the same reply, whichever thread answers', async () => {
  const requests = [0, 1, 5, 9].map(requestOf);
  const expected = await Promise.all(requests.map((request) => offline.complete(request)));
  expect(await Promise.all(requests.map((request) => threads.model.complete(request)))).toEqual(expected);
});

it('refuses as the offline model does', async () => {
  const refused = threads.model.complete({ messages: [], temperature: null, seed: null });
  await expect(refused).rejects.toBeInstanceOf(ModelError);
  await expect(refused).rejects.toThrow('[offline] expected a user message, got none');
});

it('rejects an interrupted call, and answers the next', async () => {
  const controller = new AbortController();
  const given = threads.model.complete(requestOf(4), { signal: controller.signal });
  controller.abort();
  await expect(given).rejects.toBeInstanceOf(InterruptedError);
  const late = threads.model.complete(requestOf(4), { signal: controller.signal });
  await expect(late).rejects.toBeInstanceOf(InterruptedError);
  expect(await threads.model.complete(requestOf(4))).toEqual(await offline.complete(requestOf(4)));
});

it('takes many calls of one command without a warning, and leaves nothing on its signal', async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error) => warnings.push(warning);
  process.on('warning', warned);
  const { signal, dispose } = listenForInterrupts(
    { out: () => {}, note: () => {}, warn: () => {} } as never,
    'the sweep',
  );
  try {
    const calls = Array.from({ length: 40 }, (_, i) => threads.model.complete(requestOf(i % 5), { signal }));
    expect(getEventListeners(signal, 'abort')).toHaveLength(40);
    await Promise.all(calls);
    // A warning comes in a later turn.
    await new Promise((resolve) => setImmediate(resolve));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(warnings).toEqual([]);
  } finally {
    dispose();
    process.off('warning', warned);
  }
});
