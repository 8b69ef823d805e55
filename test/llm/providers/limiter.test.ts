import { afterEach, describe, expect, it } from 'vitest';
import { InterruptedError } from '../../../src/base/errors.ts';
import type { ClientSettings } from '../../../src/llm/providers/index.ts';
import { type Limiter, limiterOf, makeLimiter } from '../../../src/llm/providers/limiter.ts';
import { ollamaNative } from '../../../src/llm/providers/ollama-native.ts';
import { openAiCompatible } from '../../../src/llm/providers/openai-compatible.ts';
import { type FakeServer, type FakeServerOptions, startFakeServer } from '../../support/fake-model-server.ts';

/** A clock that advances only during sleeps. */
function simulated(limits: Parameters<typeof makeLimiter>[0]) {
  let now = 1000;
  const limiter = makeLimiter(limits, () => now);
  const sleeping: { readonly until: number; readonly wake: () => void }[] = [];
  const sleep = (seconds: number) =>
    new Promise<void>((wake) => {
      sleeping.push({ until: now + seconds * 1000, wake });
    });
  /** Lets everything happen up to the time, in its order. */
  async function advance(to: number): Promise<void> {
    for (;;) {
      for (let i = 0; i < 50; i++) await Promise.resolve();
      sleeping.sort((a, b) => a.until - b.until);
      if (sleeping.length === 0 || sleeping[0]!.until > to) break;
      const next = sleeping.shift();
      now = next?.until ?? now;
      next?.wake();
    }
    now = to;
  }
  return { limiter, sleep, advance, time: () => now };
}

const starts = (limiter: Limiter, world: ReturnType<typeof simulated>, count: number, servedUntil = -Infinity) => {
  const times: number[] = [];
  const calls = Array.from({ length: count }, () =>
    limiter.run(
      async () => {
        times.push(world.time());
        await world.sleep(1);
      },
      { sleep: world.sleep, signal: undefined, servedUntil },
    ),
  );
  return { times, all: Promise.all(calls) };
};

describe('a limiter', () => {
  it('lets so many run at a time, and the next in the order of asking', async () => {
    const world = simulated({ maxConcurrent: 2, minSpacingSeconds: 0 });
    const { times } = starts(world.limiter, world, 5);
    await world.advance(10_000);
    expect(times).toEqual([1000, 1000, 2000, 2000, 3000]);
  });

  it('keeps a distance between starts', async () => {
    const world = simulated({ maxConcurrent: 3, minSpacingSeconds: 0.4 });
    const { times } = starts(world.limiter, world, 4);
    await world.advance(10_000);
    expect(times).toEqual([1000, 1400, 1800, 2200]);
  });

  it('starts nothing during a pause, which may be extended while it is waited for', async () => {
    const world = simulated({ maxConcurrent: 2, minSpacingSeconds: 0.3 });
    expect(world.limiter.pause(5)).toBe(6000);
    const { times } = starts(world.limiter, world, 3);
    await world.advance(4000);
    expect(world.limiter.pause(4)).toBe(8000);
    expect(world.limiter.pause(1)).toBe(5000);
    await world.advance(20_000);
    expect(times).toEqual([8000, 8300, 9000]);
  });

  it('keeps the distance after a pause, too, for those who were waiting for their start when it began', async () => {
    const world = simulated({ maxConcurrent: 3, minSpacingSeconds: 2 });
    const { times } = starts(world.limiter, world, 3);
    await world.advance(1500);
    world.limiter.pause(10);
    await world.advance(30_000);
    expect(times).toEqual([1000, 11_500, 13_500]);
  });

  it('does not ask a caller to wait twice for the same pause', async () => {
    const world = simulated({ maxConcurrent: 2, minSpacingSeconds: 0 });
    const servedUntil = world.limiter.pause(5);
    const { times } = starts(world.limiter, world, 1, servedUntil);
    world.limiter.pause(3);
    await world.advance(2000);
    expect(times).toEqual([1000]);
    world.limiter.pause(9);
    const second = starts(world.limiter, world, 1, servedUntil);
    await world.advance(30_000);
    expect(second.times).toEqual([11_000]);
  });

  it('does not pause others for an abandoned wait', async () => {
    const world = simulated({ maxConcurrent: 1, minSpacingSeconds: 0 });
    world.limiter.pause(3600);
    const { times } = starts(world.limiter, world, 1);
    await world.advance(2000);
    expect(times).toEqual([1000]);
  });

  it('rejects waiting calls, in the queue or in a pause, when the user stops the run', async () => {
    const world = simulated({ maxConcurrent: 1, minSpacingSeconds: 0 });
    const controller = new AbortController();
    let ran = 0;
    const task = async () => {
      ran += 1;
    };
    const turn = { sleep: world.sleep, signal: controller.signal, servedUntil: -Infinity };
    const running = starts(world.limiter, world, 1);
    const queued = world.limiter.run(task, turn);
    const reason = new InterruptedError('run', 'stopped');
    const settled = expect(queued).rejects.toBe(reason);
    controller.abort(reason);
    await settled;
    await world.advance(5000);
    await running.all;
    await expect(world.limiter.run(task, turn)).rejects.toBe(reason);
    expect(ran).toBe(0);
    // Its slot is free again.
    const { times } = starts(world.limiter, world, 1);
    await world.advance(9000);
    expect(times).toEqual([5000]);
  });

  it('continues after a failed task', async () => {
    const world = simulated({ maxConcurrent: 1, minSpacingSeconds: 0 });
    const turn = { sleep: world.sleep, signal: undefined, servedUntil: -Infinity };
    const failing = world.limiter.run(() => Promise.reject(new Error('no')), turn);
    await expect(failing).rejects.toThrow('no');
    expect(await world.limiter.run(async () => 'yes', turn)).toBe('yes');
  });

  it('is one per base URL, with the strictest of all limits', async () => {
    const url = 'http://limiter.test/v1';
    const limiter = limiterOf(url, { maxConcurrent: 4, minSpacingSeconds: 0 });
    expect(limiterOf(`${url}/`, { maxConcurrent: 2, minSpacingSeconds: 0 })).toBe(limiter);
    expect(limiterOf(url, { maxConcurrent: 9, minSpacingSeconds: 0 })).toBe(limiter);
    expect(limiterOf('http://limiter.test/v2', { maxConcurrent: 9, minSpacingSeconds: 0 })).not.toBe(limiter);
    let most = 0;
    let running = 0;
    const task = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    };
    const turn = { sleep: async () => {}, signal: undefined, servedUntil: -Infinity };
    await Promise.all(Array.from({ length: 6 }, () => limiter.run(task, turn)));
    expect(most).toBe(2);
  });
});

let open: FakeServer[] = [];
afterEach(async () => {
  await Promise.all(open.map((server) => server.close()));
  open = [];
});

const request = { messages: [{ role: 'user', content: 'Propose.' }], temperature: 0, seed: null } as const;

/** Two models on one server, and the waits of each. */
async function pair(
  reply: FakeServerOptions['reply'],
  api: 'openai' | 'ollama',
  settings: Pick<ClientSettings, 'maxConcurrent' | 'fetch'> = {},
) {
  const server = await startFakeServer({ reply });
  open.push(server);
  const make = (name: string) => {
    const waits: number[] = [];
    const client = api === 'openai' ? openAiCompatible : ollamaNative;
    const model = client({
      id: `test/${name}`,
      baseURL: api === 'openai' ? server.url : `http://127.0.0.1:${server.port}`,
      apiKey: null,
      model: name,
      timeoutSeconds: 10,
      idleTimeoutSeconds: 5,
      maxAttempts: 3,
      ...settings,
      sleep: async (seconds) => {
        waits.push(seconds);
      },
    });
    return { model, waits };
  };
  return { server, first: make('first'), second: make('second') };
}

describe.each(['openai', 'ollama'] as const)('two models on one server (%s)', (api) => {
  it.each([1, 3])('share its slots: %i', async (maxConcurrent) => {
    let most = 0;
    let running = 0;
    const counted: typeof fetch = async (input, init) => {
      running += 1;
      most = Math.max(most, running);
      const response = await fetch(input, init);
      running -= 1;
      return response;
    };
    const { first, second, server } = await pair(() => 'ok', api, { maxConcurrent, fetch: counted });
    await Promise.all([first, second, first, second, first, second].map(({ model }) => model.complete(request)));
    expect(server.requests).toHaveLength(6);
    expect(most).toBe(maxConcurrent);
  });

  it('wait together when one of them is asked to', async () => {
    const limited = { status: 429, headers: { 'retry-after': '7' } };
    const { first, second } = await pair(({ body }, i) => (i === 0 && body.model === 'first' ? limited : 'ok'), api);
    await first.model.complete(request);
    expect(first.waits).toEqual([7]);
    await second.model.complete(request);
    expect(second.waits).toHaveLength(1);
    expect(second.waits[0]).toBeGreaterThan(5);
    expect(second.waits[0]).toBeLessThanOrEqual(7);
  });
});
