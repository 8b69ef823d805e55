/** What the user reads when an endpoint cannot be used. */

import { throwIfInterrupted } from '../../base/async.ts';
import { ModelError, nearest } from '../../base/errors.ts';
import type { GaveUp } from '../retry.ts';
import { getJson, withLimit } from './exchange.ts';
import { excerpt } from './failure.ts';
import type { EndpointOptions, Protocol } from './protocol.ts';
import { redactor } from './secrets.ts';

/** Longest wait for the list of models that goes into the message of a model that is not there, ms. */
const listTimeout = 3000;

/** The error that a call ends with when no further attempt is made. Throws `InterruptedError` when the signal fires. */
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
  // No cause: errors of client libraries carry headers, and with them the key.
  const message = `expected a chat completion from ${shownUrl(protocol.url)}, got ${failure.problem}${tries}; ${advice}`;
  return new ModelError(`model ${options.id}`, redactor(options)(message), {
    retryAfterSeconds: failure.retryAfterSeconds,
  });
}

/** The models that the endpoint has, as the end of an advice; '' when it does not say quickly. */
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
    // The list is an extra of a message that is complete without it.
    return '';
  }
}

/** A URL for messages: without credentials and query. */
function shownUrl(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/]*@/i, '$1').replace(/[?#].*$/, '');
}
