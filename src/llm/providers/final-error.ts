/** The error that the user sees when an endpoint cannot be used. */

import { throwIfInterrupted } from '../../base/async.ts';
import { ModelError, nearest } from '../../base/errors.ts';
import { maskSecrets } from '../../base/secrets.ts';
import type { GaveUp } from '../retry.ts';
import { getJson, withLimit } from './exchange.ts';
import { excerpt } from './failure.ts';
import type { EndpointOptions, Protocol } from './protocol.ts';

/** Timeout for the list of models that completes the message about an unknown model, ms. */
const listTimeout = 3000;

/** The final error of a call after its last attempt. Throws `InterruptedError` when the signal fires. */
export async function finalError(
  gaveUp: GaveUp,
  options: EndpointOptions,
  protocol: Protocol,
  signal: AbortSignal | undefined,
): Promise<ModelError> {
  const { failure, attempts } = gaveUp;
  const tries = attempts === 1 ? '' : ` (the last of ${attempts} attempts)`;
  let { advice } = gaveUp;
  if (advice === protocol.notFound) advice += await knownModels(options, protocol, signal);
  throwIfInterrupted(signal);
  // No cause: errors of client libraries contain headers, and with them the key.
  const message = `expected a chat completion from ${shownUrl(protocol.url)}, got ${failure.problem}${tries}; ${advice}`;
  return new ModelError(`model ${options.id}`, maskSecrets(message), {
    retryAfterSeconds: failure.retryAfterSeconds,
  });
}

/** The endpoint's models, as the end of an advice; '' when it does not list them in time. */
async function knownModels(
  options: EndpointOptions,
  protocol: Protocol,
  signal: AbortSignal | undefined,
): Promise<string> {
  try {
    const get = getJson(options, protocol, withLimit(listTimeout, signal));
    const known = (await protocol.models(get)).map((name) => excerpt(name, 100));
    if (known.length === 0) return '; the endpoint has no models';
    const near = nearest(options.model, known);
    const more = known.length > 10 ? ` and ${known.length - 10} more` : '';
    return `; it has${near === null ? '' : ` "${near}" among`} ${known.slice(0, 10).join(', ')}${more}`;
  } catch {
    // The message is complete without the list.
    return '';
  }
}

/** A URL for messages: without credentials and query. */
function shownUrl(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/]*@/i, '$1').replace(/[?#].*$/, '');
}
