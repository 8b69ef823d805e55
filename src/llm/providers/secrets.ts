/** Keys and other secrets of requests: sent, and shown nowhere. */
import { UsageError } from '../../base/errors.ts';
import type { EndpointOptions } from './protocol.ts';

/** Throws a usage error for a key that no header can hold. */
export function requireSendableKey({ id, apiKey, keyVariable }: EndpointOptions): void {
  if (apiKey === null || /^[\x21-\x7e]+$/.test(apiKey)) return;
  throw new UsageError(
    `model ${id}`,
    `expected a key without spaces and special characters in ${keyVariable ?? 'the key'}; set it again`,
  );
}

/** Takes the key and the values of the user's headers out of a text. */
export function redactor({ apiKey, headers }: EndpointOptions): (text: string) => string {
  const secrets = [apiKey, ...Object.values(headers ?? {})].filter((secret) => secret !== null && secret.length >= 4);
  return (text) => secrets.reduce<string>((shown, secret) => shown.replaceAll(secret as string, '[key]'), text);
}
