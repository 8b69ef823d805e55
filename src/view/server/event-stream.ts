/** Server-sent events for pages that may stop reading at any time. */
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { sleep } from '../../base/async.ts';
import { errorDetail } from '../../base/errors.ts';
import { dataText } from './data-text.ts';

export interface StreamTimes {
  /** ms between two looks for what is new */
  readonly poll: number;
  /** ms without an event after which a sign of life is sent */
  readonly heartbeat: number;
  /** ms that a page may take to read what was sent */
  readonly stall: number;
}

export const streamTimes: StreamTimes = { poll: 500, heartbeat: 15_000, stall: 30_000 };

export interface Sent {
  readonly event: string;
  readonly data: unknown;
  /** where a later connection goes on */
  readonly id: string;
}

export interface StreamOptions {
  readonly times: StreamTimes;
  /** fires when the server closes */
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
}

/** the wait between two looks, in times that a look takes */
const shareOfPause = 20;

const stalled = Symbol('stalled');

/**
 * A stream that sends what `look` finds, again and again until it says `end` or the page is gone. The next look waits until the
 * page has read what the one before it found, so that a page that never reads costs one message; it is cut off after a while.
 */
export function eventStream(
  c: Context,
  { times, signal, note }: StreamOptions,
  look: () => Promise<Sent | 'nothing' | 'end'>,
): Response {
  // Whoever asks for the head alone reads no event.
  if (c.req.method === 'HEAD') return c.body(null, 200, { 'content-type': 'text/event-stream' });
  const { outgoing } = (c.env ?? {}) as Partial<HttpBindings>;
  return streamSSE(
    c,
    async (stream) => {
      const gone = new AbortController();
      const stop = (): void => gone.abort();
      stream.onAbort(stop);
      signal.addEventListener('abort', stop, { once: true });
      c.req.raw.signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      const read = async (written: Promise<unknown>): Promise<void> => {
        const limit = sleep(times.stall / 1000, gone.signal).then(
          () => stalled,
          () => null,
        );
        if ((await Promise.race([written, limit])) !== stalled) return;
        note(`closed the connection of a page that did not read for ${times.stall / 1000} s`);
        gone.abort();
        stream.abort();
        outgoing?.destroy();
      };
      try {
        await read(stream.write(': follows\n\n'));
        let last = performance.now();
        while (!gone.signal.aborted) {
          const begun = performance.now();
          const found = await look();
          const spent = performance.now() - begun;
          if (found === 'end') return;
          if (found !== 'nothing') {
            await read(stream.writeSSE({ event: found.event, data: dataText(found.data), id: found.id }));
            last = performance.now();
          } else if (performance.now() - last > times.heartbeat) {
            await read(stream.write(': alive\n\n'));
            last = performance.now();
          }
          // What takes long to look at, as a long record, is not looked at all the time.
          const pause = Math.max(times.poll, shareOfPause * spent);
          await sleep(pause / 1000, gone.signal).catch(() => {});
        }
      } finally {
        signal.removeEventListener('abort', stop);
        gone.abort();
      }
    },
    async (error) => note(`a stream of events ended: ${errorDetail(error)}`),
  );
}
