/** Which configuration files are part of a run folder: records, which somebody else may have made. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** The configuration in a run folder. */
export const configName = 'config.yaml';
/** The manifest in a run folder, by which one is known. */
export const manifestName = 'run.json';
/** The record in a run folder, by which one is known that has lost its manifest. */
export const eventsName = 'events.jsonl';

export function isInRunFolder(path: string): boolean {
  const isThere = (name: string): boolean => existsSync(join(dirname(path), name));
  return basename(path) === configName && (isThere(manifestName) || isThere(eventsName));
}
