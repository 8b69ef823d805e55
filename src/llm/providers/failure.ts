/** From what an endpoint answers when it does not answer the question to what the user can do about it. */
import { AttemptFailure, isRetryableStatus, retryAfterSeconds } from '../retry.ts';

/** What the messages say about the endpoint. */
export interface EndpointFacts {
  /** the key's environment variable; null when there is none to set */
  readonly keyVariable: string | null;
  readonly hasKey: boolean;
  /** advice when the model, or the path, does not exist */
  readonly notFound: string;
}

/** The error of an answer, in any of the forms that servers use. */
export interface ServerError {
  readonly message: string;
  readonly code: string | number | null;
  readonly type: string | null;
  /** the request parameter that the server complains about */
  readonly param: string | null;
}

/**
 * Reads `{ "error": { message, code, type, param } }`, `{ "error": "text" }`, `{ "message": "text" }`,
 * `{ "detail": ... }` and a list of one of them; any other body is its own message.
 */
export function readServerError(body: string): ServerError {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return { message: excerpt(body), code: null, type: null, param: null };
  }
  const outer = record(Array.isArray(parsed) ? parsed[0] : parsed);
  const inner = record(outer.error);
  const texts = [inner.message, outer.error, outer.message, outer.detail, parsed];
  const found = texts.find((value) => value !== undefined && value !== null);
  const code = inner.code ?? outer.code;
  const message = excerpt(typeof found === 'string' ? found : JSON.stringify(found));
  const behind = errorBehind(inner);
  return {
    message: behind === null ? message : `${message} (${behind.message})`,
    code: typeof code === 'string' || typeof code === 'number' ? code : null,
    type: typeof inner.type === 'string' ? inner.type : null,
    param: typeof inner.param === 'string' ? inner.param : (behind?.param ?? null),
  };
}

/**
 * The error behind an error: what a provider told the gateway in front of it (OpenRouter's `metadata.raw`), or what a
 * filter found (Azure's `innererror`). Null when there is none.
 */
function errorBehind({ metadata, innererror }: Readonly<Record<string, unknown>>): ServerError | null {
  const { raw } = record(metadata);
  if (raw !== undefined && raw !== null && raw !== '') {
    return readServerError(typeof raw === 'string' ? raw : JSON.stringify(raw));
  }
  const found = Object.entries(record(record(innererror).content_filter_result))
    .filter(([, verdict]) => record(verdict).filtered === true)
    .map(([name]) => name);
  if (found.length === 0) return null;
  return { message: excerpt(found.join(', ')), code: null, type: null, param: null };
}

/** The value as a record; an empty one for anything that is no object. */
export function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** The first characters on one line, without the invisible ones: what a server writes must not steer a terminal. */
export function excerpt(text: string, length = 300): string {
  const line = text
    .slice(0, 4 * length)
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .trim();
  return line.length <= length ? line : `${line.slice(0, length)}...`;
}

/** The failure behind an HTTP status. `now`: ms since 1970. */
export function statusFailure(
  status: number,
  headers: Headers,
  error: ServerError,
  facts: EndpointFacts,
  now: number,
): AttemptFailure {
  const problem = `HTTP ${status}${error.message === '' ? '' : ` ("${error.message}")`}`;
  const noCredit = [error.code, error.type].includes('insufficient_quota') || status === 402;
  const retryable = isRetryableStatus(status) && !noCredit;
  const advice = noCredit ? 'add credit to the account, or use another model' : adviceFor(status, error, facts);
  return new AttemptFailure(problem, advice, { retryable, retryAfterSeconds: retryAfterSeconds(headers, now) });
}

const contextTooSmall = /context.?(?:length|window|size)|maximum context|too many tokens|(?:prompt|input) is too long/i;

/** Whether an error says that prompt, or prompt and reply, do not fit into the model's context. */
export function isTooLong(error: ServerError): boolean {
  return contextTooSmall.test(`${error.code} ${error.message}`);
}

/** Errors about a key that have another status than 401. */
const wrongKey = /api[ _-]?key (?:is )?(?:not valid|invalid|expired)|invalid api[ _-]?key/i;

function adviceFor(status: number, error: ServerError, { keyVariable, hasKey, notFound }: EndpointFacts): string {
  if (isTooLong(error) || status === 413) {
    return 'the prompt is too long for this model; use one with a larger context, or lower critic.trajectory_tokens';
  }
  if (error.code === 'content_filter')
    return 'the filter of the endpoint held it back; loosen it there, or use another model';
  switch (wrongKey.test(error.message) ? 401 : status) {
    case 401:
      if (keyVariable === null) return 'this endpoint wants a key; use a model name that has one';
      return hasKey ? `set ${keyVariable} to a valid key` : `the endpoint wants a key; set ${keyVariable}`;
    case 403:
      return `use a key that may use this model${keyVariable === null ? '' : ` (${keyVariable})`}, or another model`;
    case 404:
      return notFound;
    case 429:
      return 'the rate limit holds on; go on later, or use fewer workers';
    default:
      if (isRetryableStatus(status)) return 'the server is in trouble; look at its log, or go on later';
      return 'change the model or its settings as the answer says';
  }
}

/** Problems of certificates and addresses, which do not go away by trying again. */
const permanent = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|ERR_INVALID_URL/;

/** The failure behind an error of fetch, which hides the reason in its cause. */
export function connectionFailure(error: unknown): AttemptFailure {
  const cause = deepestCause(error);
  const code = String(record(cause).code ?? '');
  const text = excerpt(cause instanceof Error ? cause.message : String(cause));
  const detail = text.includes(code) ? text : `${code}: ${text}`;
  if (/UND_ERR_(?:HEADERS|BODY)_TIMEOUT/.test(code)) {
    const advice = 'the model is too slow to start; use a smaller one or shorter prompts';
    return new AttemptFailure('no data for 300 s, the longest that fetch waits', advice, { retryable: true });
  }
  let advice = 'check the network between this machine and the server';
  if (code === 'ECONNREFUSED') advice = 'is the server running? Start it, or correct the URL';
  if (code === 'ENOTFOUND') advice = 'check the host name of the URL, and the network';
  if (permanent.test(code)) advice = 'check the URL and the certificate of the server';
  return new AttemptFailure(`no connection (${detail})`, advice, { retryable: !permanent.test(code) });
}

function deepestCause(error: unknown): unknown {
  let cause = error;
  // An address with several IPs fails with one error per IP; the first says enough.
  for (let depth = 0; depth < 8; depth++) {
    const next = cause instanceof AggregateError ? cause.errors[0] : record(cause).cause;
    if (next === undefined || next === null) break;
    cause = next;
  }
  return cause;
}
