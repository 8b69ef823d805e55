/** Checks and redacts the secrets of requests: keys and header values. */
import { UsageError } from '../../base/errors.ts';
import type { EndpointOptions } from './protocol.ts';

/** Throws a usage error for a key that is invalid in a header. */
export function requireSendableKey({ id, apiKey, keyVariable }: EndpointOptions): void {
  if (apiKey === null || /^[\x21-\x7e]+$/.test(apiKey)) return;
  throw new UsageError(
    `model ${id}`,
    `expected a key without spaces and special characters in ${keyVariable ?? 'the key'}; set it again`,
  );
}

/** Redacts the key and the values of the user's headers in a text. */
export function redactor({ apiKey, headers }: EndpointOptions): (text: string) => string {
  const secrets = [apiKey, ...Object.values(headers ?? {})].filter((secret) => secret !== null && secret.length >= 4);
  return (text) => secrets.reduce<string>((shown, secret) => shown.replaceAll(secret as string, '[key]'), text);
}
