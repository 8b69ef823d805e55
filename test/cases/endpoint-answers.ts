/** What endpoints answer instead of a reply, as seen at real ones; shapes only, with one message of each kind. */
export interface EndpointCase {
  readonly name: string;
  readonly status?: number;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** a text is sent as it is */
  readonly body: unknown;
  /** what the message of the failure says */
  readonly says: RegExp;
  /** the same request is made again */
  readonly retried: boolean;
  /** wait that is asked for, s; null: none */
  readonly wait?: number;
}

const choice = (message: object, more: object = {}) => ({
  id: 'c',
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: null, ...message }, finish_reason: 'stop', ...more }],
});
const tool = { tool_calls: [{ id: 't', type: 'function', function: { name: 'search', arguments: '{}' } }] };
const event = (value: unknown, name = '') =>
  `${name === '' ? '' : `event: ${name}\n`}data: ${JSON.stringify(value)}\n\n`;
const writes = event({ choices: [{ delta: { content: 'params[0]: 1' } }] });
const quota = 'Quota exceeded. Please retry in 9.1s.';

export const endpointCases: readonly EndpointCase[] = [
  {
    name: 'an error in the choice',
    body: choice({}, { error: { code: 502, message: 'Upstream provider failed' }, finish_reason: 'error' }),
    says: /an error instead of a reply \("Upstream provider failed"\)/,
    retried: true,
  },
  {
    name: 'an error in the choice of a chunk, after text',
    type: 'text/event-stream',
    body: writes + event({ choices: [{ delta: {}, error: { code: 503, message: 'backend is gone' } }] }),
    says: /an error instead of a reply \("backend is gone"\)/,
    retried: true,
  },
  {
    name: 'a finish reason that is an error',
    body: choice({ content: 'par' }, { finish_reason: 'error' }),
    says: /a reply that failed \(finish reason "error"\)/,
    retried: true,
  },
  { name: 'no choices', body: { id: 'c', choices: [] }, says: /an answer without a choice/, retried: true },
  {
    name: 'choices that are null',
    body: { id: 'c', choices: null },
    says: /an answer without a choice/,
    retried: true,
  },
  { name: 'an empty choice', body: { choices: [{}] }, says: /an answer without a choice/, retried: true },
  { name: 'null', body: 'null', says: /null instead of a reply/, retried: true },
  {
    name: 'a filter',
    body: choice({ content: 'params[0]: 1' }, { finish_reason: 'content_filter' }),
    says: /a reply blocked by a content filter \("content_filter"\).*; the content filter of the endpoint/,
    retried: true,
  },
  {
    name: 'a filter of another name, in a stream',
    type: 'text/event-stream',
    body: `${writes}${event({ choices: [{ delta: {}, finish_reason: 'SAFETY' }] })}data: [DONE]\n\n`,
    says: /a reply blocked by a content filter \("SAFETY"\)/,
    retried: true,
  },
  {
    name: 'a refusal in words',
    body: choice({ refusal: 'I cannot help with that.' }),
    says: /a refusal instead of a reply \("I cannot help with that\."\).*; the model declines/,
    retried: true,
  },
  {
    name: 'a call of tools',
    body: choice(tool),
    says: /a tool call instead of a reply \("search"\)/,
    retried: true,
  },
  {
    name: 'a call of tools after words',
    body: choice({ content: 'params[0]: 1', ...tool }, { finish_reason: 'tool_calls' }),
    says: /a tool call instead of a reply \(finish reason "tool_calls"\)/,
    retried: true,
  },
  { name: 'an error with status 200', body: { error: 'out of memory' }, says: /\("out of memory"\)/, retried: true },
  { name: 'a detail with status 200', body: { detail: 'not ready' }, says: /\("not ready"\)/, retried: true },
  {
    name: 'a status in base_resp',
    body: { id: 'x', choices: null, base_resp: { status_code: 1008, status_msg: 'insufficient balance' } },
    says: /\("insufficient balance"\); add credit/,
    retried: false,
  },
  {
    name: 'an event of the kind error',
    type: 'text/event-stream',
    body: writes + event({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }, 'error'),
    says: /an error instead of a reply \("Overloaded"\)/,
    retried: true,
  },
  {
    name: 'an error object of older vLLM',
    body: { object: 'error', message: 'This prompt is too long', type: 'BadRequestError', code: 400 },
    says: /\("This prompt is too long"\)/,
    retried: false,
  },
  ...['null', '""'].map((body) => ({
    name: `a server error that says ${body}`,
    status: 502,
    body,
    says: /HTTP 502/,
    retried: true,
  })),
  {
    name: 'a page with an error status',
    status: 502,
    type: 'text/html',
    body: '<html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>',
    says: /HTTP 502 \("502 Bad Gateway"\)/,
    retried: true,
  },
  {
    name: "a gateway's error with the provider's own words",
    status: 429,
    body: {
      error: {
        message: 'Provider returned error',
        code: 429,
        metadata: { raw: 'v/m is temporarily rate-limited upstream. Add your own key.', provider_name: 'SomeHost' },
      },
    },
    says: /temporarily rate-limited upstream\. Add your own key\., from SomeHost/,
    retried: true,
  },
  {
    name: 'a wait in the details and words of the body',
    status: 429,
    body: [{ error: { code: 429, message: quota, details: [{ '@type': 'x.RetryInfo', retryDelay: '9.1s' }] } }],
    says: /HTTP 429 \("Quota exceeded/,
    retried: true,
    wait: 9.1,
  },
  {
    name: 'a wait in an error inside a stream',
    type: 'text/event-stream',
    body: event({
      error: { code: 429, message: 'Rate limit reached. Please try again in 1m2.5s. Visit https://x/2.' },
    }),
    says: /Rate limit reached/,
    retried: true,
    wait: 62.5,
  },
  {
    name: 'a used-up rate limit',
    status: 429,
    headers: {
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '6m0s',
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '12ms',
    },
    body: { error: { message: 'slow down' } },
    says: /the endpoint asks to wait 360 s/,
    retried: false,
  },
  {
    name: 'credit that is used up, although it is a 429',
    status: 429,
    body: { error: { message: 'Your credit balance is too low', type: 'x' } },
    says: /; add credit to the account/,
    retried: false,
  },
  {
    name: 'a model that is not there, by another status',
    status: 400,
    body: { error: { message: 'The model `x` does not exist' } },
    says: /; check the model name.*; it has .*fake-1/,
    retried: false,
  },
];
