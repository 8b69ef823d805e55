/** The heartbeat period of locks; waits for a sign of life are multiples of it. */
import { UsageError } from '../../base/errors.ts';

const variable = 'R2PO_HEARTBEAT_S';
const defaultSeconds = 5;

/** Periods without a sign of life after which a process counts as gone. */
export const patience = 3;

/** ms; from R2PO_HEARTBEAT_S where that is set. Throws a usage error when it is not a time. */
export function heartbeatMs(env: NodeJS.ProcessEnv = process.env): number {
  const text = env[variable];
  if (text === undefined || text === '') return defaultSeconds * 1000;
  const seconds = Number(text);
  if (seconds >= 0.05 && seconds <= 3600) return seconds * 1000;
  throw new UsageError(
    variable,
    `expected seconds in 0.05 ... 3600, got "${text}"; leave it out for ${defaultSeconds}`,
  );
}
