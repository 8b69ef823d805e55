/** Reads how long an endpoint asks to wait, in all the ways that endpoints use. */

/** Statuses for rate limits and overloaded servers. */
const busyStatuses = [429, 503, 529];
/** Longer error texts are not searched. */
const maxTextLength = 20_000;

const positive = (seconds: number) => (Number.isFinite(seconds) && seconds > 0 ? seconds : null);

/**
 * The wait that a failed answer asks for, s: `retry-after-ms`, else `Retry-After` in seconds or as an HTTP date (RFC
 * 9110, section 10.2.3), else the text of the body, else the reset time of an exhausted rate limit. Null when it asks
 * for none, for a time in the past, or in an unreadable way. `body`: its text. `now`: ms since 1970.
 */
export function askedWait(status: number, headers: Headers, body: string, now: number): number | null {
  const inHeader = retryAfterSeconds(headers, now);
  if (inHeader !== null || !busyStatuses.includes(status)) return inHeader;
  return waitInText(body.slice(0, maxTextLength)) ?? rateLimitReset(headers, now);
}

function retryAfterSeconds(headers: Headers, now: number): number | null {
  const milliseconds = headers.get('retry-after-ms');
  if (milliseconds !== null && positive(Number(milliseconds)) !== null) return Number(milliseconds) / 1000;
  const value = headers.get('retry-after')?.trim();
  if (!value) return null;
  return positive(/^\d+(\.\d+)?$/.test(value) ? Number(value) : (Date.parse(value) - now) / 1000);
}

const unitSeconds: readonly (readonly [RegExp, number])[] = [
  [/^(?:ms|msecs?|milliseconds?)$/i, 0.001],
  [/^(?:s|secs?|seconds?)$/i, 1],
  [/^(?:m|mins?|minutes?)$/i, 60],
  [/^(?:h|hrs?|hours?)$/i, 3600],
  [/^(?:d|days?)$/i, 86_400],
];
const part = String.raw`\d+(?:\.\d+)?\s?(?:milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)(?![A-Za-z])`;
/** A duration like `9.1s`, `1m2.5s` or `2 minutes and 3 seconds`; the only word between the parts is "and". */
const duration = String.raw`(?:\d+(?:\.\d+)?[hm](?=\d)|${part}(?:,? and |,? )?)+`;
const inWords = new RegExp(String.raw`\b(?:retry|try|wait|available)\b[^.\d]{0,40}?(${duration})`, 'i');
const retryDelay = /"retryDelay"\s*:\s*"(\d+(?:\.\d+)?)s"/;
const retryAfterField = /"retry_after(?:_seconds)?"\s*:\s*"?(\d+(?:\.\d+)?)"?/i;

/** The seconds of a duration such as `6m0s`, `12ms`, `1.5 minutes`; null when there is none. */
export function durationSeconds(text: string): number | null {
  let seconds: number | null = null;
  for (const [, number, unit] of text.matchAll(/(?<!\d)(\d+(?:\.\d+)?)\s?([A-Za-z]+)/g)) {
    const factor = unitSeconds.find(([pattern]) => pattern.test(unit!))?.[1];
    if (factor !== undefined) seconds = (seconds ?? 0) + Number(number) * factor;
  }
  return seconds;
}

/** Google's RetryInfo, a field `retry_after`, or words such as "try again in 12.5s". */
function waitInText(text: string): number | null {
  const field = retryDelay.exec(text) ?? retryAfterField.exec(text);
  if (field !== null) return positive(Number(field[1]));
  const words = inWords.exec(text);
  return words === null ? null : positive(durationSeconds(words[1]!) ?? 0);
}

/** Pairs of headers: the remainder of a limit, and its reset time. */
const limits: readonly (readonly [remaining: string, reset: string])[] = [
  ...['-requests', '-tokens', ''].map((kind) => [`x-ratelimit-remaining${kind}`, `x-ratelimit-reset${kind}`] as const),
  ...['requests', 'tokens', 'input-tokens', 'output-tokens'].map(
    (kind) => [`anthropic-ratelimit-${kind}-remaining`, `anthropic-ratelimit-${kind}-reset`] as const,
  ),
  ['ratelimit-remaining', 'ratelimit-reset'],
];

/** The longest wait for an exhausted limit. */
function rateLimitReset(headers: Headers, now: number): number | null {
  const waits = limits.flatMap(([remaining, reset]) => {
    const left = headers.get(remaining);
    const value = headers.get(reset)?.trim();
    if (!value || (left !== null && Number(left) > 0)) return [];
    return [resetSeconds(value, now) ?? 0];
  });
  return positive(Math.max(0, ...waits));
}

/** A duration, seconds, seconds or milliseconds since 1970, or a date. */
function resetSeconds(value: string, now: number): number | null {
  if (!/^\d+(\.\d+)?$/.test(value)) {
    const isDate = /^\d{4}-|GMT$/.test(value);
    return isDate ? positive((Date.parse(value) - now) / 1000) : durationSeconds(value);
  }
  const number = Number(value);
  if (number > 1e11) return positive((number - now) / 1000);
  return positive(number > 1e9 ? number - now / 1000 : number);
}
