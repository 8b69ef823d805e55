/** Address of a sweep's queue: `redis://[user:password@]host[:port][/db][?name]`. */
import { UsageError } from '../../base/errors.ts';
import { addUrlSecrets } from '../../base/secrets.ts';

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

/** Never quotes a text that may contain a password. From now on the password is masked. */
export function parseQueueAddress(text: string): QueueAddress {
  const fail = (got: string, cause?: unknown): never => {
    throw new UsageError('--queue', `expected redis://host[:port][/db][?name] or rediss://..., got ${got}`, cause);
  };
  addUrlSecrets(text);
  // Behind a character that ends the password early, the rest of it stands where the path or the name should be.
  const shownPart = (part: string): string => (text.includes('@') ? 'something else' : `"${part}"`);
  const encode = 'put it in quotes, and write special characters of a password as %xx';
  let url: URL;
  try {
    url = new URL(text);
    decodeURIComponent(url.password);
  } catch {
    return fail(`an invalid URL; ${encode}`);
  }
  if (!['redis:', 'rediss:'].includes(url.protocol)) return fail(shownPart(`${url.protocol}//`));
  if (url.hash !== '') return fail(`a "#"; ${encode}`);
  if (url.hostname === '') return fail('no host');
  if (!/^\/?$|^\/\d{1,5}$/.test(url.pathname))
    return fail(`${shownPart(url.pathname)} instead of a database number; ${encode}`);
  const parameters = [...url.searchParams];
  if (parameters.length > 1) return fail('more than one name after "?"');
  const [key, value] = parameters[0] ?? [defaultName, ''];
  const name = key === 'name' && value !== '' ? value : key;
  if ((value !== '' && key !== 'name') || !plainName.test(name)) {
    return fail(`${shownPart(url.search)}; a queue name consists of letters, digits, ".", "_" and "-"`);
  }
  url.search = '';
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  return { url: url.href, name, shown: `${shown.href.replace(/\/$/, '')}?${name}` };
}

/** The command line without users and passwords, which must not be recorded: of a queue, its host, port, database and name. */
export function withoutPasswords(argv: readonly string[]): string[] {
  return argv.map((arg) => {
    const [, before, scheme, address] = /^(.*?)(rediss?:\/\/)(.*)$/is.exec(arg) ?? [];
    if (address === undefined) return arg;
    try {
      parseQueueAddress(`${scheme}${address}`);
    } catch {
      return `${before}${scheme}***`;
    }
    return address.includes('@') ? `${before}${scheme}***@${address.slice(address.lastIndexOf('@') + 1)}` : arg;
  });
}
