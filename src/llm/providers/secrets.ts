/** The secrets of requests: keys and header values. */
import { UsageError } from '../../base/errors.ts';
import { addSecret } from '../../base/secrets.ts';
import type { EndpointOptions } from './protocol.ts';

/** Throws a usage error for a key that is invalid in a header. */
export function requireSendableKey({ id, apiKey, keyVariable }: EndpointOptions): void {
  if (apiKey === null || /^[\x21-\x7e]+$/.test(apiKey)) return;
  throw new UsageError(
    `model ${id}`,
    `expected a key without spaces and special characters in ${keyVariable ?? 'the key'}; set it again`,
  );
}

/** Has the key and the values of the user's headers masked from now on. */
export function keepSecret({ apiKey, headers }: EndpointOptions): void {
  for (const secret of [apiKey, ...Object.values(headers ?? {})]) addSecret(secret);
}
