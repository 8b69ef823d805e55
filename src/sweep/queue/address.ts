/** Address of a sweep's queue: `redis://[user:password@]host[:port][/db][?name]`. */
import { UsageError } from '../../base/errors.ts';

export interface QueueAddress {
  /** for the client only, because it may contain a password */
  readonly url: string;
  /** name of the queue */
  readonly name: string;
  /** without user and password */
  readonly shown: string;
}

const defaultName = 'r2po';
const plainName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** Never quotes the text, which may contain a password. */
export function parseQueueAddress(text: string): QueueAddress {
  const fail = (got: string, cause?: unknown): never => {
    throw new UsageError('--queue', `expected redis://host[:port][/db][?name] or rediss://..., got ${got}`, cause);
  };
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return fail('an invalid URL; put it in quotes, and write special characters of a password as %xx');
  }
  if (!['redis:', 'rediss:'].includes(url.protocol)) return fail(`"${url.protocol}//"`);
  if (url.hostname === '') return fail('no host');
  if (!/^\/?$|^\/\d{1,5}$/.test(url.pathname)) return fail(`"${url.pathname}" instead of a database number`);
  const parameters = [...url.searchParams];
  if (parameters.length > 1) return fail('more than one name after "?"');
  const [key, value] = parameters[0] ?? [defaultName, ''];
  const name = key === 'name' && value !== '' ? value : key;
  if ((value !== '' && key !== 'name') || !plainName.test(name)) {
    return fail(`"${url.search}"; a queue name consists of letters, digits, ".", "_" and "-"`);
  }
  url.search = '';
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  return { url: url.href, name, shown: `${shown.href.replace(/\/$/, '')}?${name}` };
}

/** The command line without passwords, which must not be recorded. */
export function withoutPasswords(argv: readonly string[]): string[] {
  return argv.map((arg) => arg.replace(/(rediss?:\/\/)[^@/?#\s]*@/gi, '$1***@'));
}
