/** Tells what a module of the user throws from faults of this program. */
import { dirname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../errors.ts';
import { assetPath } from './assets.ts';

/** Files of the modules that were imported, by their folders. */
const modules = new Map<string, string>();

/** What is thrown in this file, or in any other that is not of this program or of a package, is the user's from now on. */
export function noteUserModule(file: string): void {
  modules.set(dirname(file) + sep, file);
}

const packages = `${sep}node_modules${sep}`;

/** A module of the user may import files from anywhere, and may itself belong to an installed package. */
function isTheirs(place: string): boolean {
  if (
    [...modules.keys()].some((folder) => place.startsWith(folder) && !place.slice(folder.length).includes(packages))
  ) {
    return true;
  }
  const isOurs = ['src', 'dist'].some((folder) => place.startsWith(assetPath(folder) + sep));
  return modules.size > 0 && !isOurs && !place.includes(packages);
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
  if (place === null || !isTheirs(place)) return null;
  return new UsageError(place, `the module threw ${thrown.name}: ${thrown.message}; mend it`, thrown);
}
