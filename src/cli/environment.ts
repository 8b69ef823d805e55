/** The environment of the program: `.env` of the working directory, and which variables hold secrets. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { readRegular } from '../base/node/read-file.ts';
import { addSecret, addUrlSecrets } from '../base/secrets.ts';
import { keyVariables, takeFileVariables } from '../llm/providers/variables.ts';
import type { Io } from './io.ts';

/** A larger file is no list of variables. */
const maxBytes = 2 ** 20;
const proxyVariables = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'];
/** In the environment, a password is not visible in the process list. */
export const queueVariable = 'R2PO_QUEUE';

/** The variables in the text of a `.env` file. */
export function variablesIn(text: string): Readonly<Record<string, string>> {
  return parseEnv(text.replace(/^\ufeff/, '')) as Record<string, string>;
}

/** PowerShell's `>` writes UTF-16. */
const utf16 = [
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
] as const;

function decoded(bytes: Buffer): string {
  const [encoding] = utf16.find(([, mark]) => mark.every((byte, i) => bytes[i] === byte)) ?? ['utf-8'];
  const text = new TextDecoder(encoding).decode(bytes);
  if (text.includes('\0')) throw new Error('expected a text in UTF-8, got another one; save it as UTF-8');
  return text;
}

/** The variables of a file; null: there is none. Throws an error for anything but a small file. */
function fileVariables(path: string): Readonly<Record<string, string>> | null {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (!found.isFile()) throw new Error('it is not a file');
  if (found.size > maxBytes) throw new Error(`expected at most ${maxBytes} bytes, got ${found.size}`);
  return variablesIn(decoded(readRegular(path)));
}

/**
 * Reads `.env` of the working directory, whose variables yield to those of the environment, and learns the secrets of the
 * environment. Returns what to tell the user about the file; null: nothing was taken from it.
 */
export function readEnvironment(io: Pick<Io, 'warn'>, env: NodeJS.ProcessEnv = process.env): string | null {
  let told: string | null = null;
  try {
    const variables = fileVariables('.env') ?? {};
    const names = takeFileVariables(variables, env);
    const others = Object.keys(variables).length - names.length;
    const rest = others === 0 ? '' : ` (of ${names.length + others}; others are for llm.headers only)`;
    if (names.length > 0) told = `read ${names.join(', ')} from ${resolve('.env')}${rest}`;
  } catch (cause) {
    io.warn(`cannot read .env: ${(cause as Error).message}`);
  }
  for (const name of keyVariables) addSecret(env[name]);
  for (const name of [...proxyVariables, queueVariable]) addUrlSecrets(env[name]);
  return told;
}
