/** Tells what a module of the user throws from faults of this program. */
import { dirname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../errors.ts';

/** Files of the modules that were imported, by their folders. */
const modules = new Map<string, string>();

/** What is thrown in this file, or in one beside or below it, is the user's from now on. */
export function noteUserModule(file: string): void {
  modules.set(dirname(file) + sep, file);
}

/** The place where an error was made, as its stack has it: `file:line:column`; null where none is known. */
function placeOf({ stack = '' }: Error): string | null {
  const frame = /^ +at (?:.*\()?((?:file:\/\/)?\/.*:\d+:\d+|(?:file:\/\/\/)?[A-Za-z]:[\\/].*:\d+:\d+)\)?$/m.exec(
    stack,
  )?.[1];
  if (frame === undefined) return null;
  if (!frame.startsWith('file:')) return frame;
  const [, url, position] = /^(.*)(:\d+:\d+)$/.exec(frame)!;
  return fileURLToPath(url!) + position;
}

/** A usage error for what the code of an imported module of the user has thrown; null: anything else. */
export function userFault(thrown: unknown): UsageError | null {
  if (!(thrown instanceof Error)) {
    const [file] = modules.values();
    // Nothing of this program throws such a thing.
    if (file === undefined) return null;
    return new UsageError(
      file,
      `expected an Error to be thrown, got ${JSON.stringify(thrown) ?? 'undefined'}; mend the module`,
    );
  }
  const place = placeOf(thrown);
  const isTheirs = (folder: string) =>
    place!.startsWith(folder) && !place!.slice(folder.length).includes('node_modules');
  if (place === null || ![...modules.keys()].some(isTheirs)) return null;
  return new UsageError(place, `the module threw ${thrown.name}: ${thrown.message}; mend it`, thrown);
}
