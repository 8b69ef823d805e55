/** Options of the commands that use a queue. */
import { type Command, Option } from 'commander';
import { UsageError } from '../base/errors.ts';
import { withoutPasswords } from '../sweep/queue/address.ts';
import type { SweepQueue } from '../sweep/queue/queue.ts';
import { queueVariable as variable } from './environment.ts';
import type { Io } from './io.ts';

export function addQueueOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--queue [url]',
      `queue for workers, redis://host[:port][/db][?name]; without a URL: ${variable} of the environment`,
    ),
  );
}

/** Opens the queue of the option, or of the environment, for `use`. Throws a usage error when neither names one. */
export async function withQueue<T>(
  option: string | true | undefined,
  io: Io,
  use: (queue: SweepQueue) => Promise<T>,
  worker?: string,
): Promise<T> {
  const text = typeof option === 'string' ? option : process.env[variable];
  if (!text) {
    throw new UsageError(
      '--queue',
      `expected redis://host[:port][/db][?name], or the same in ${variable}, got neither`,
    );
  }
  const { SweepQueue } = await import('../sweep/queue/queue.ts');
  const queue = await SweepQueue.open(text, (warning) => io.warn(warning), worker);
  return use(queue).finally(() => queue.close());
}

/** The command line without passwords. */
export function shownArguments(): string[] {
  return withoutPasswords(process.argv.slice(2));
}
