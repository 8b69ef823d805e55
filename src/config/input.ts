/** Reads files named on the command line, or stdin for `-`. */
import { createReadStream, statSync } from 'node:fs';
import { TextDecoder } from 'node:util';
import { UsageError } from '../base/errors.ts';
import type { InputText } from '../base/input-text.ts';
import { FileFault, readingWords } from '../base/machine-fault.ts';
import { maxTextBytes as maxBytes, openRegular, readRegular } from '../base/node/read-file.ts';

/** What the shell gives a program to read from, such as `<(command)`: a pipe there is one that the user asked for. */
const openedByShell = /^\/(?:dev\/(?:stdin|fd\/\d+)|proc\/self\/fd\/\d+)$/;

/** Throws a `UsageError` for invalid UTF-8 or too many bytes. Drops a byte order mark. */
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

/** `nothing` also for an inaccessible path; reading it reports why. */
export function kindOfPath(path: string): 'file' | 'folder' | 'nothing' {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file';
  } catch {
    return 'nothing';
  }
}

/**
 * The text of `source`, a path or `-` for stdin. Throws a `UsageError` of `unit` that expects `what` ("a policy file").
 */
export async function readInput(unit: string, source: string, what: string): Promise<InputText> {
  if (source === '-' || openedByShell.test(source)) {
    const name = source === '-' ? '<stdin>' : source;
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of chunksOf(unit, source, what)) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > maxBytes) throw new UsageError(unit, `expected at most ${maxBytes} bytes in ${name}, got more`);
    }
    return decode(unit, name, Buffer.concat(chunks));
  }
  return readFileInput(unit, source, what);
}

/** The same for a path out of a file: what the shell opens for this command is none that a file can name. */
export function readFileInput(unit: string, source: string, what: string): InputText {
  let bytes: Uint8Array;
  try {
    if (openedByShell.test(source)) throw new FileFault('ENOTREG', 'it is what the shell opened, no regular file');
    bytes = readRegular(source);
  } catch (cause) {
    throw unreadable(unit, source, what, cause);
  }
  return decode(unit, source, bytes);
}

function unreadable(unit: string, source: string, what: string, cause: unknown): UsageError {
  return new UsageError(unit, `expected ${what} at "${source}", cannot read it: ${readingWords(cause)}`, cause);
}

/**
 * The non-blank lines of `source`, streamed, so that the file may have any size. Throws the errors of `readInput`.
 */
export async function* readLines(unit: string, source: string, what: string): AsyncGenerator<InputText> {
  const name = source === '-' ? '<stdin>' : source;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 0;
  /** parts of a line whose end was not read yet: it is joined once, and not searched again with each part */
  let begun: string[] = [];
  let length = 0;
  for await (const chunk of chunksOf(unit, source, what)) {
    const [first = '', ...others] = decodePart(unit, `${name}:${line + 1}`, decoder, chunk).split('\n');
    begun.push(first);
    length += first.length;
    if (others.length > 0) {
      const lines = [begun.join(''), ...others];
      begun = [lines.pop() ?? ''];
      length = begun[0]!.length;
      for (const text of lines) {
        line++;
        if (text.trim() !== '') yield { name, text, line };
      }
    }
    if (length > maxBytes) {
      throw new UsageError(unit, `expected at most ${maxBytes} characters in a line, got more in ${name}:${line + 1}`);
    }
  }
  begun.push(decodePart(unit, `${name}:${line + 1}`, decoder, null));
  const rest = begun.join('');
  if (rest.trim() !== '') yield { name, text: rest, line: line + 1 };
}

async function* chunksOf(unit: string, source: string, what: string): AsyncGenerator<Uint8Array> {
  try {
    const stream =
      source === '-'
        ? process.stdin
        : createReadStream(source, openedByShell.test(source) ? {} : { fd: openRegular(source) });
    for await (const chunk of stream) yield chunk as Uint8Array;
  } catch (cause) {
    throw unreadable(unit, source, what, cause);
  }
}

/** `chunk` null: the end of the text, where an incomplete character is an error. */
function decodePart(unit: string, location: string, decoder: TextDecoder, chunk: Uint8Array | null): string {
  try {
    return chunk === null ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch (cause) {
    throw new UsageError(unit, `expected UTF-8 text from ${location} on, got other bytes; save it as UTF-8`, cause);
  }
}
