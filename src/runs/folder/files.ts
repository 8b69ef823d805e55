/** Reads the small files of a run folder. */
import { readFileSync } from 'node:fs';
import { R2poError } from '../../base/errors.ts';

/** Throws an `R2poError` that names the file when it cannot be read. */
export function readRunFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new R2poError('run folder', `expected the file "${path}": ${(cause as Error).message}`, { cause });
  }
}

/** The same, parsed; `format` is what messages call it. */
export function parseRunFile(path: string, format: string, parse: (text: string) => unknown): unknown {
  const text = readRunFile(path);
  try {
    return parse(text);
  } catch (cause) {
    throw new R2poError('run folder', `expected ${format} in "${path}": ${(cause as Error).message}`, { cause });
  }
}
