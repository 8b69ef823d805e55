/** Reads the small files of a run folder. */
import { R2poError } from '../../base/errors.ts';
import { faultWords } from '../../base/machine-fault.ts';
import { readRegular } from '../../base/node/read-file.ts';
import { parseYaml } from '../../config/yaml-text.ts';

/** Metrics and trajectories of the longest runs are smaller. */
const maxBytes = 256 * 2 ** 20;

/** Throws an `R2poError` that names the file when it cannot be read. */
export function readRunBytes(path: string): Buffer {
  try {
    return readRegular(path, maxBytes);
  } catch (cause) {
    throw new R2poError('run folder', `expected the file "${path}": ${faultWords(cause)}`, { cause });
  }
}

/** The same, as text. */
export const readRunFile = (path: string): string => readRunBytes(path).toString('utf8');

/** The same, parsed; `format` is what messages call it. */
export function parseRunFile(path: string, format: string, parse: (text: string) => unknown): unknown {
  const text = readRunFile(path);
  try {
    return parse(text);
  } catch (cause) {
    throw new R2poError('run folder', `expected ${format} in "${path}": ${(cause as Error).message}`, { cause });
  }
}

/** The data of a YAML file. Throws an `R2poError` with file, line and column; also for a text that would exhaust the parser. */
export const readRunYaml = (path: string): unknown =>
  parseYaml('run folder', { name: path, text: readRunFile(path) }).value;
