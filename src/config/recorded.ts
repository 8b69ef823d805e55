/** Which configuration files are part of a run folder: records, which somebody else may have made. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** The configuration in a run folder. */
export const configName = 'config.yaml';
/** The manifest in a run folder, by which one is known. */
export const manifestName = 'run.json';

export function isInRunFolder(path: string): boolean {
  return basename(path) === configName && existsSync(join(dirname(path), manifestName));
}
