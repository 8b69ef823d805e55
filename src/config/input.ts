/** Reading what the user names on the command line: a file or `-` for stdin. */
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { UsageError } from '../base/errors.ts';

/** Nobody writes a larger configuration or policy by hand; a larger file is the wrong file. */
const maxBytes = 64 * 1024 * 1024;

export interface InputText {
  /** how messages call it: the path as given, or `<stdin>` */
  readonly name: string;
  readonly text: string;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENAMETOOLONG: 'the name is too long',
  ERR_INVALID_ARG_VALUE: 'that is no file name',
};

/** Throws a `UsageError` for bytes that are no UTF-8 text, or too many. A byte order mark is dropped. */
function decode(unit: string, name: string, bytes: Uint8Array): InputText {
  if (bytes.length > maxBytes) {
    throw new UsageError(unit, `expected at most ${maxBytes} bytes in ${name}, got ${bytes.length}`);
  }
  try {
    return { name, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (cause) {
    throw new UsageError(unit, `expected UTF-8 text in ${name}, got other bytes; save it as UTF-8`, cause);
  }
}

/** What stands at a path; `nothing` also where it cannot be looked at, which reading it then explains. */
export function kindOfPath(path: string): 'file' | 'folder' | 'nothing' {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file';
  } catch {
    return 'nothing';
  }
}

/**
 * The text of `source`, a path or `-` for stdin. `unit` starts the message of the `UsageError` that is thrown when it
 * cannot be read; `what` says what was expected ("a policy file").
 */
export async function readInput(unit: string, source: string, what: string): Promise<InputText> {
  if (source === '-') {
    const chunks: Uint8Array[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
    return decode(unit, '<stdin>', Buffer.concat(chunks));
  }
  let bytes: Uint8Array;
  try {
    bytes = await readFile(source);
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    throw new UsageError(unit, `expected ${what} at "${source}", cannot read it: ${reasons[code] ?? message}`, cause);
  }
  return decode(unit, source, bytes);
}
