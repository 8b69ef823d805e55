/** What the first iterations of a branch were made with: the configurations of the runs that it shares them with. */
import { UsageError } from '../../base/errors.ts';
import { parseRecordedConfig } from '../../config/resolve.ts';
import type { SharedPart } from '../drivers/driver.ts';
import type { Manifest } from '../folder/manifest.ts';
import type { RunEvent } from '../journal/events.ts';
import { eventsName } from '../journal/journal.ts';
import { type RunUnits, withConfig } from '../resolve-units.ts';
import { fixedDifference } from './fixed-keys.ts';

function notOfThisRun(problem: string): UsageError {
  return new UsageError(eventsName, `${problem}; restore the folder from a copy, or branch again`);
}

/**
 * The parts of a record that were made with other configurations than that of its folder, in order; none for a run that is
 * no branch. Throws a usage error where record and manifest contradict each other.
 */
export function sharedParts(
  units: RunUnits,
  events: readonly RunEvent[],
  { branch }: Pick<Manifest, 'branch'>,
): SharedPart[] {
  const found = events.filter((event) => event.type === 'branched');
  const last = found.at(-1);
  if (last?.iteration !== branch?.iteration) {
    const said = (iteration: number | undefined) =>
      iteration === undefined ? 'no branch' : `a branch at iteration ${iteration}`;
    throw notOfThisRun(`expected ${said(branch?.iteration)}, as run.json has it, got ${said(last?.iteration)}`);
  }
  return found.map(({ seq, iteration, config: raw }) => {
    const config = parseRecordedConfig(`${eventsName}, seq ${seq}`, raw);
    const difference = fixedDifference(units, config);
    if (difference !== null) throw notOfThisRun(`seq ${seq} (branched): ${difference}`);
    return { until: iteration, units: withConfig(units, config) };
  });
}
