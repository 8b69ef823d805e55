/** Endpoint addresses from environment variables. */
import { UsageError } from '../../base/errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The URL in a variable, without trailing slashes; null when unset. Throws a usage error for an invalid server URL,
 * without quoting it, because it may contain credentials.
 */
export function baseUrlOf(env: Environment, variable: string): string | null {
  const text = env[variable]?.trim();
  if (!text) return null;
  const expected = `expected a URL like https://host/v1 in ${variable}`;
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new UsageError('model', `${expected}, got something else; correct it or unset it`);
  }
  if (!/^https?:$/.test(url.protocol)) throw new UsageError('model', `${expected}, got "${url.protocol}"; correct it`);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new UsageError('model', `${expected} without credentials, query and #; the key has its own variable`);
  }
  return text.replace(/\/+$/, '');
}
