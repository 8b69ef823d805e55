/** Options of the commands that use a queue. */
import { type Command, Option } from 'commander';
import { UsageError } from '../base/errors.ts';
import { withoutPasswords } from '../sweep/queue/address.ts';
import type { SweepQueue } from '../sweep/queue/queue.ts';
import { queueVariable as variable } from './environment.ts';
import type { Io } from './io.ts';

export interface QueueChoice {
  readonly queue?: string | true | undefined;
  readonly queuePrefix?: string | undefined;
}

export function addQueueOption(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--queue [url]',
        `queue for workers, redis://host[:port][/db][?name]; without a URL: ${variable} of the environment`,
      ).argParser(readQueue),
    )
    .addOption(
      new Option(
        '--queue-prefix <text>',
        'what all keys of the queue begin with (default: bull), for a user of Redis with certain keys only; the same for ' +
          'the sweep and its workers',
      ).argParser(readPrefix),
    );
}

/** The option takes the word behind it, also one that was meant as a configuration; a word without a colon is no URL. */
function readQueue(text: string): string {
  if (text.includes(':')) return text;
  throw new UsageError(
    '--queue',
    'expected redis://host[:port][/db][?name] behind it, got a word that is no URL; for the queue that ' +
      `${variable} names, write --queue at the end of the command`,
  );
}

function readPrefix(text: string): string {
  if (/^[A-Za-z0-9][\w.:-]{0,99}$/.test(text)) return text;
  throw new UsageError(
    '--queue-prefix',
    `expected letters, digits, ".", ":", "_" and "-", such as team:bull, got "${text}"`,
  );
}

/** The address that the option names, or the environment. Throws a usage error when neither does. */
export function queueAddress({ queue: option }: QueueChoice): string {
  const text = typeof option === 'string' ? option : process.env[variable];
  if (text) return text;
  throw new UsageError('--queue', `expected redis://host[:port][/db][?name], or the same in ${variable}, got neither`);
}

/** Opens the queue of the option, or of the environment, for `use`. Throws a usage error when neither names one. */
export async function withQueue<T>(
  choice: QueueChoice,
  io: Io,
  use: (queue: SweepQueue) => Promise<T>,
  worker?: string,
): Promise<T> {
  const text = queueAddress(choice);
  const { SweepQueue } = await import('../sweep/queue/queue.ts');
  const { explained } = await import('../sweep/queue/connect.ts');
  const queue = await SweepQueue.open(text, (warning) => io.warn(warning), {
    worker,
    prefix: choice.queuePrefix,
  });
  try {
    return await use(queue);
  } catch (error) {
    throw explained(error, queue.address);
  } finally {
    await queue.close();
  }
}

/** The command line without passwords. */
export function shownArguments(): string[] {
  return withoutPasswords(process.argv.slice(2));
}
