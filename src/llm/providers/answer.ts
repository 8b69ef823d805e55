/** Reads what all endpoints' JSON answers have in common: names, counts, errors. */
import { maskSecrets } from '../../base/secrets.ts';
import { AttemptFailure } from '../retry.ts';
import { excerpt, type Fields, objectOf, readServerError, type ServerError } from './failure.ts';
import type { ReportedUsage } from './protocol.ts';

export const noUsage: ReportedUsage = {
  promptTokens: null,
  completionTokens: null,
  cachedTokens: null,
  cacheWriteTokens: null,
  reasoningTokens: null,
};

/** The failure of an answer of implausible length. */
export function endlessAnswer(problem: string): AttemptFailure {
  const advice = 'the model seems to repeat itself; use another model, or another temperature';
  return new AttemptFailure(problem, advice, { retryable: true });
}

export function truncatedAnswer(problem: string): AttemptFailure {
  const advice = 'the server or a proxy closed the connection early; check its log, or retry later';
  return new AttemptFailure(problem, advice, { retryable: true });
}

/** An error inside an answer with status 200, as gateways send when the model behind them fails. */
export class AnsweredError extends Error {
  /** the status that the error names; 502 when it names none, because the request itself was accepted */
  readonly status: number;
  readonly error: ServerError;

  constructor(value: unknown) {
    const error = readServerError(JSON.stringify(value));
    super(error.message);
    this.name = 'AnsweredError';
    this.error = error;
    this.status = statusOf(error);
  }
}

/** Statuses of error words that replace a number. */
const statusWords: Readonly<Record<string, number>> = {
  overloaded_error: 529,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  RESOURCE_EXHAUSTED: 429,
  UNAVAILABLE: 503,
  invalid_request_error: 400,
  INVALID_ARGUMENT: 400,
  BadRequestError: 400,
  authentication_error: 401,
  UNAUTHENTICATED: 401,
  permission_error: 403,
  PERMISSION_DENIED: 403,
  not_found_error: 404,
  NotFoundError: 404,
};

function statusOf({ code, type }: ServerError): number {
  const number = Number(code);
  if (Number.isInteger(number) && number >= 400 && number < 600) return number;
  return statusWords[String(code)] ?? statusWords[String(type)] ?? 502;
}

const isStatus = (value: unknown) => value !== undefined && value !== null && value !== false && value !== '';

/**
 * Whether a payload is an error, in any form that servers and gateways use: `error`, `errors`, `object: "error"`,
 * `type: "error"`, a textual `detail` or `message`, and MiniMax's `base_resp`.
 */
export function isError(payload: Fields): boolean {
  const { error, errors, object, type, detail, message, msg, base_resp: base } = payload;
  if (isStatus(error) || object === 'error' || type === 'error') return true;
  if (Array.isArray(errors) && errors.length > 0) return true;
  if (isStatus(detail) || typeof message === 'string' || typeof msg === 'string') return true;
  const status = objectOf(base).status_code;
  return typeof status === 'number' && status !== 0;
}

/** A quoted body with its content type, for messages. */
export function shownBody(text: string, contentType: string): string {
  return `"${excerpt(text, 120)}" (${excerpt(contentType, 80) || 'no content type'})`;
}

export function stringOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** A name reported by an endpoint, for journals and tables: one short line. */
export function nameOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? excerpt(value, 200) : null;
}

export function countOrNull(value: unknown): number | null {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : null;
}

/** The ids in a list of models. Throws when `answer` is not one. */
export function modelIds(answer: unknown): string[] {
  const { data } = objectOf(answer);
  if (!Array.isArray(data)) throw new Error('no list of models');
  return data.map((entry) => String(objectOf(entry).id));
}

/** Matches rate-limit headers; no other header is kept. */
const rateLimitHeader = /^(?:x-ratelimit-|anthropic-ratelimit-|ratelimit|retry-after)/;

/** The rate-limit headers of a response, by lower-case name. */
export function rateLimitsOf(headers: Headers): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of headers) if (rateLimitHeader.test(name)) found[maskSecrets(name)] = excerpt(value, 100);
  return found;
}
