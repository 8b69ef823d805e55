import { describe, expect, it } from 'vitest';
import type { ExecutorId } from '../../../../src/view/page/play/executor.ts';
import type { Batch, PlayJob } from '../../../../src/view/page/play/host.ts';
import { PlaySession, type SessionView } from '../../../../src/view/page/play/session.ts';

const job: PlayJob = {
  playable: { env: 'CartPole-v1', envOptions: {}, policy: { kind: 'linear' }, maxSteps: null, known: true },
  params: [1],
  constants: {},
  seed: 100,
  episodes: 1024,
};

class Fault extends Error {}

/** Returns are the seeds. */
function batchOf({ seed, episodes }: PlayJob): Batch {
  const returns = Float64Array.from({ length: episodes }, (_, i) => seed + i);
  return {
    returns,
    lengths: new Uint32Array(episodes).fill(2),
    ends: new Uint8Array(episodes),
    steps: 2 * episodes,
    seconds: 0.01,
  };
}

interface Behaviour {
  /** refuses to be opened, with this */
  readonly closed?: Partial<Record<ExecutorId, string>>;
  readonly play?: (id: ExecutorId, job: PlayJob, played: number) => Batch | Promise<Batch>;
}

function sessionOf({ closed = {}, play = (_id, job) => batchOf(job) }: Behaviour = {}) {
  let time = 0;
  const asked: PlayJob[] = [];
  const session = new PlaySession({
    async open(id) {
      const why = closed[id];
      if (why !== undefined) throw new Error(why);
      return {
        id,
        where: 'here',
        async play(one) {
          asked.push(one);
          time += 100;
          return play(id, one, asked.length);
        },
        close() {},
      };
    },
    nextFrame: async () => {
      await new Promise((resolve) => setImmediate(resolve));
    },
    now: () => time,
    isUsage: (error) => error instanceof Fault,
  });
  return { session, asked };
}

function until(session: PlaySession, holds: (view: SessionView) => boolean): Promise<SessionView> {
  return new Promise((resolve) => {
    let stop = (): void => {};
    const look = (view: SessionView): void => {
      if (!holds(view)) return;
      stop();
      resolve(view);
    };
    stop = session.subscribe(look);
    look(session.view);
  });
}

describe('a playing session', () => {
  it('plays consecutive seeds, and gives those of the first batch together', async () => {
    const { session, asked } = sessionOf();
    session.setJob(job, 0);
    const { first } = await until(session, (view) => view.first !== null);
    expect([...first!.returns]).toEqual(Array.from({ length: 1024 }, (_, i) => 100 + i));
    await until(session, ({ tally }) => tally!.episodes > 3000);
    session.close();
    let next = job.seed;
    for (const { seed, episodes } of asked) {
      expect(seed).toBe(next);
      next += episodes;
    }
  });

  it('rests when it is paused, but not before the first batch is whole', async () => {
    const { session } = sessionOf();
    session.pause(true);
    session.setJob(job, 0);
    const view = await until(session, ({ status }) => status === 'paused');
    expect(view.tally?.episodes).toBe(1024);
    session.close();
  });

  it('goes on with the next executor when one fails, begins again, and says why', async () => {
    const play: Behaviour['play'] = (id, one, played) => {
      if (id === 'webgpu' && played === 2) throw new Error('the device was lost');
      return batchOf(one);
    };
    const { session } = sessionOf({ play });
    session.setJob(job, 0);
    const view = await until(session, ({ executor, first }) => executor?.id === 'wasm' && first !== null);
    expect(view.notice).toBe('WebGPU of this browser failed: the device was lost.');
    expect(view.failures).toEqual({ webgpu: 'the device was lost' });
    expect(view.first!.returns[0]).toBe(100);
    session.close();
  });

  it('says why each executor before the one in use could not be opened', async () => {
    const { session } = sessionOf({ closed: { webgpu: 'no WebGPU', wasm: 'no SIMD' } });
    session.setJob(job, 0);
    const view = await until(session, ({ tally }) => tally !== null);
    expect(view.executor?.id).toBe('cpu');
    expect(view.failures).toEqual({ webgpu: 'no WebGPU', wasm: 'no SIMD' });
    session.close();
  });

  it('stops with words when there is nothing to play on', async () => {
    const { session } = sessionOf({ closed: { webgpu: 'a', wasm: 'b', cpu: 'c' } });
    session.setJob(job, 0);
    expect((await until(session, ({ status }) => status === 'failed')).problem).toContain('can play no episode');
    session.close();
  });

  it('does not try another executor for a job that is at fault, and plays the next job', async () => {
    const play: Behaviour['play'] = (_id, one) => {
      if (one.params[0] === 7) throw new Fault('expected another parameter');
      return batchOf(one);
    };
    const { session } = sessionOf({ play });
    session.setJob({ ...job, params: [7] }, 0);
    const failed = await until(session, ({ status }) => status === 'failed');
    expect(failed).toMatchObject({ problem: 'expected another parameter', failures: {} });
    session.setJob(job, 0);
    expect((await until(session, ({ first }) => first !== null)).problem).toBeNull();
    session.close();
  });

  it('goes on saying why nothing can be played, whatever is chosen to play it', async () => {
    const { session } = sessionOf();
    session.setJob(null, 0, 'expected an environment, got none');
    session.choose(null);
    session.choose('cpu');
    const { problem } = await until(session, ({ status }) => status === 'failed');
    expect(problem).toBe('expected an environment, got none');
    session.choose('wasm');
    session.setJob(job, 0);
    expect((await until(session, ({ first }) => first !== null)).problem).toBeNull();
    session.close();
  });

  it('cuts batches that take long, so that the page redraws', async () => {
    const { session, asked } = sessionOf();
    const slow = new PlaySession({
      open: async (id) => ({
        id,
        where: 'here',
        play: async (one) => {
          asked.push(one);
          clock += one.episodes;
          return batchOf(one);
        },
        close() {},
      }),
      nextFrame: () => new Promise((resolve) => setImmediate(resolve)),
      now: () => clock,
      isUsage: () => false,
    });
    let clock = 0;
    session.close();
    slow.setJob(job, 0);
    await until(slow, ({ tally }) => (tally?.episodes ?? 0) > 1500);
    slow.close();
    expect(asked.at(-1)!.episodes).toBe(128);
  });
});
