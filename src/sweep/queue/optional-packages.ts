/** The packages that only queues need. They are optional, because most sweeps run on one machine. */
import { errorCode, UsageError } from '../../base/errors.ts';

/** The parts used here. */
export type QueuePackages = Pick<
  typeof import('bullmq'),
  'Queue' | 'Worker' | 'DelayedError' | 'RateLimitError' | 'UnrecoverableError' | 'WaitingError'
> &
  Pick<typeof import('ioredis'), 'Redis'>;

const load = async (): Promise<QueuePackages> => ({
  ...(await import('bullmq')),
  Redis: (await import('ioredis')).Redis,
});

/** Throws a usage error with the install command. */
export async function loadQueuePackages(loading: () => Promise<QueuePackages> = load): Promise<QueuePackages> {
  try {
    return await loading();
  } catch (cause) {
    if (errorCode(cause) !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new UsageError(
      '--queue',
      'expected the packages bullmq and ioredis, got at most one of them; run: npm install bullmq@6 ioredis@6',
      cause,
    );
  }
}
