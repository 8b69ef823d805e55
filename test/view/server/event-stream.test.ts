/** Streams of events, without a network. */
import { setTimeout } from 'node:timers/promises';
import { Hono } from 'hono';
import { expect, it } from 'vitest';
import { eventStream } from '../../../src/view/server/event-stream.ts';

/** Milliseconds of CPU, as reading a long record takes them. */
function work(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

it('looks rarely for what takes long to look at', async () => {
  const stop = new AbortController();
  let [looks, working] = [0, 0];
  const app = new Hono().get('/', (c) =>
    eventStream(
      c,
      { times: { poll: 1, heartbeat: 60_000, stall: 60_000 }, signal: stop.signal, note: () => {} },
      async () => {
        const begun = performance.now();
        work(10);
        working += performance.now() - begun;
        looks += 1;
        return looks === 4 ? 'end' : { event: 'look', data: looks, id: String(looks) };
      },
    ),
  );
  const begun = performance.now();
  const text = await (await app.request('/')).text();
  const whole = performance.now() - begun;
  expect(text.match(/event: look/g)).toHaveLength(3);
  // three pauses of 20 looks each; without them the looks would be nearly all of the time
  expect(working / whole).toBeLessThan(0.2);
});

it('does not look for anything where the head alone was asked for', async () => {
  let looks = 0;
  const options = { times: { poll: 1, heartbeat: 1000, stall: 1000 }, signal: new AbortController().signal };
  const app = new Hono().get('/', (c) =>
    eventStream(c, { ...options, note: () => {} }, async () => {
      looks += 1;
      return 'end';
    }),
  );
  const { status, headers } = await app.request('/', { method: 'HEAD' });
  expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  await setTimeout(20);
  expect(looks).toBe(0);
});
