/** Turns an endpoint's error into a message with advice for the user. */
import { maskSecrets } from '../../base/secrets.ts';
import { AttemptFailure, isRetryableStatus } from '../retry.ts';
import { mayBeProxied } from './transport.ts';
import { askedWait } from './waits.ts';

/** Facts about the endpoint, for messages. */
export interface EndpointFacts {
  /** environment variable of the key; null: none */
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
  /** the refused request parameter, as the server names it */
  readonly param: string | null;
  /** the whole body, for further details */
  readonly body: string;
}

/**
 * Reads `{ "error": { message, code, type, param } }`, `{ "error": "text" }`, `{ "message": "text" }`, `{ "detail": ...
 * }`, `{ "errors": [...] }`, MiniMax's `base_resp` and a list of one of them; any other body is used as the message. A
 * gateway's error contains that of the provider behind it as text (`metadata.raw`), which states the reason.
 */
export function readServerError(body: string): ServerError {
  const fields = errorFields(body, 0);
  return { ...fields, message: excerpt(fields.message), body };
}

/** Maximum depth of gateways behind gateways. */
const maxGateways = 3;

function errorFields(body: string, depth: number): Omit<ServerError, 'body'> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return { message: htmlText(body), code: null, type: null, param: null };
  }
  const outer = objectOf(Array.isArray(parsed) ? parsed[0] : parsed);
  const first = Array.isArray(outer.errors) ? outer.errors[0] : undefined;
  const inner = objectOf(outer.error ?? first);
  const base = objectOf(outer.base_resp);
  const texts = [inner.message, outer.error, base.status_msg, outer.message, outer.msg, outer.detail, first, parsed];
  const words = texts.find((value) => value !== undefined && value !== null && value !== '');
  const own = {
    message: typeof words === 'string' ? words : (JSON.stringify(words) ?? ''),
    code: firstOf([inner.code, outer.code, base.status_code], isCode),
    type: firstOf([inner.type, inner.status, outer.type], isText),
    param: firstOf([inner.param], isText),
  };
  const found = filtersOf(inner);
  if (found !== null) return { ...own, message: `${own.message} (${found})` };
  const { raw, provider_name: provider } = objectOf(inner.metadata);
  const text = rawText(raw);
  if (text === null || depth >= maxGateways) return own;
  const behind = errorFields(text, depth + 1);
  const from = isText(provider) ? `, from ${excerpt(provider, 60)}` : '';
  return {
    message: `${own.message} (${behind.message}${from})`,
    code: own.code ?? behind.code,
    type: behind.type ?? own.type,
    param: own.param ?? behind.param,
  };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isCode = (value: unknown): value is string | number => isText(value) || typeof value === 'number';

function firstOf<T>(values: readonly unknown[], is: (value: unknown) => value is T): T | null {
  return values.find(is) ?? null;
}

function rawText(raw: unknown): string | null {
  if (isText(raw)) return raw.trim() === '' ? null : raw;
  return typeof raw === 'object' && raw !== null ? JSON.stringify(raw) : null;
}

/** The title of an HTML page, or its text; other bodies unchanged. */
function htmlText(body: string): string {
  const page = body.slice(0, 20_000);
  if (!/^\s*<(?:!doctype|html|head|body|\?xml)/i.test(page)) return body;
  const title = /<title[^>]*>([^<]*)/i.exec(page)?.[1]?.trim();
  return title || page.replace(/<(?:style|script)[\s\S]*?(?:<\/(?:style|script)>|$)|<[^<>]*>/gi, ' ');
}

/** What Azure's content filter found; null: nothing. */
function filtersOf({ innererror }: Fields): string | null {
  const found = Object.entries(objectOf(objectOf(innererror).content_filter_result))
    .filter(([, verdict]) => objectOf(verdict).filtered === true)
    .map(([name]) => name);
  return found.length === 0 ? null : found.join(', ');
}

/** The fields of a JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/** The value if it is an object, else an empty object. */
export function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/**
 * The first characters on one line, without control characters, so that a server's text cannot control the terminal.
 */
export function excerpt(text: string, length = 300): string {
  // First, because a cut secret is no longer known as one.
  const line = maskSecrets(text)
    .slice(0, 4 * length)
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .trim();
  return line.length <= length ? line : `${line.slice(0, length)}...`;
}

const creditCodes = ['insufficient_quota', 'insufficient_balance', 'billing_hard_limit_reached', 'billing_not_active'];
const creditWords = /insufficient (?:balance|credits?|funds|quota)|credit balance|(?:out of|add more) credits?/i;

/** The failure behind an HTTP status. `now`: ms since 1970. */
export function statusFailure(
  status: number,
  headers: Headers,
  error: ServerError,
  facts: EndpointFacts,
  now: number,
): AttemptFailure {
  const problem = `HTTP ${status}${error.message === '' ? '' : ` ("${error.message}")`}`;
  const noCredit =
    status === 402 ||
    creditCodes.some((code) => code === error.code || code === error.type) ||
    creditWords.test(error.message);
  const retryable = isRetryableStatus(status) && !noCredit && !isTooLong(error);
  const advice = noCredit ? 'add credit to the account, or use another model' : adviceFor(status, error, facts);
  const retryAfterSeconds = askedWait(status, headers, error.body, now);
  return new AttemptFailure(problem, advice, { retryable, retryAfterSeconds, isOutage: status >= 500 });
}

const contextTooSmall =
  /context.?(?:length|window|size|limit)|maximum context|too many tokens|(?:prompt|input) is too long|exceeds? (?:the )?(?:available|maximum|model's) (?:context|input)|input length/i;

/** Whether an error means that the prompt, or prompt plus reply, exceeds the model's context. */
export function isTooLong(error: ServerError): boolean {
  return contextTooSmall.test(`${error.code} ${error.message}`);
}

const replyCounted = /max_?(?:completion_|new_|output_)?tokens|completion|output|you requested/i;
const contextSize = /(?:context (?:length|window|size)|limit)[^\d]{0,40}(\d+)/i;
const promptSize =
  /(\d+) (?:tokens )?(?:of text input|input tokens|prompt tokens|in (?:the|your) (?:messages|prompt|input))|(?:messages|prompt|input)[^\d]{0,40}?(\d+) tokens/i;

/**
 * Whether an error of `isTooLong` counts the limit of the reply, so that a lower one may fit: not where it says that
 * the prompt alone exceeds the context.
 */
export function countsReply({ message, param }: ServerError): boolean {
  const prompt = promptSize.exec(message);
  const size = contextSize.exec(message);
  // Some servers name the messages as the parameter in both cases.
  if (prompt === null || size === null) return replyCounted.test(param ?? message);
  return replyCounted.test(message) && Number(prompt[1] ?? prompt[2]) < Number(size[1]);
}

/** Errors about a key with another status than 401. */
const wrongKey = /api[ _-]?key (?:is )?(?:not valid|invalid|expired)|invalid api[ _-]?key/i;
const noModel = /model.{0,120}(?:not found|not exist)|(?:no such|unknown|invalid) model\b|model_not_found/i;

/** Where other settings are possible: a run that has begun keeps its own, except for its fallbacks. */
export const newSettings = 'in a new run or a branch of this one ("r2po branch")';
export const tooLongAdvice = `name a model with a larger context in llm.fallback, or lower critic.trajectory_tokens ${newSettings}`;

function adviceFor(status: number, error: ServerError, { keyVariable, hasKey, notFound }: EndpointFacts): string {
  if (isTooLong(error) || status === 413) {
    return `the prompt is too long for this model; ${tooLongAdvice}`;
  }
  if (error.code === 'content_filter')
    return 'the content filter of the endpoint blocked it; relax it there, or use another model';
  if (status < 500 && noModel.test(`${error.code} ${error.message}`)) return notFound;
  switch (wrongKey.test(error.message) ? 401 : status) {
    case 401:
      if (keyVariable === null) return 'this endpoint requires a key; use a model name that has one';
      return hasKey ? `set ${keyVariable} to a valid key` : `the endpoint requires a key; set ${keyVariable}`;
    case 403:
      return `use a key with access to this model${keyVariable === null ? '' : ` (${keyVariable})`}, or another model`;
    case 404:
      return notFound;
    case 429:
      return 'still rate-limited; resume later, or use fewer workers';
    default:
      if (isRetryableStatus(status)) return 'server error; check its log, or retry later';
      return 'change the model or its settings as the error says';
  }
}

/** Problems of certificates and addresses, and of servers that do not speak HTTP, which retries do not solve. */
const permanent = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|ERR_SSL|ERR_INVALID_URL/;
const foreign = /does not match the HTTP/;
/** A proxy that refuses CONNECT, and not only for the moment. */
const refusedByProxy = /^Proxy response \(4(?!08|25|29)\d\d\)/;
const certificate = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/;
const unreachable = /^(?:ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/;

/** Default servers by port, with their start commands. */
const startCommands: Readonly<Record<string, string>> = {
  11434: 'Ollama ("ollama serve")',
  8080: 'llama-server ("llama-server -m FILE.gguf --port 8080")',
  1234: 'the server of LM Studio ("lms server start")',
  8000: 'vLLM ("vllm serve MODEL")',
};

/** What to start when nothing listens at a URL. */
function startAdvice(url: string): string {
  const { port } = new URL(url);
  const defaultServer = startCommands[port];
  if (defaultServer !== undefined) return `start ${defaultServer}, or correct the URL`;
  const ports = Object.entries(startCommands).map(
    ([known, start]) => `${start.replace(/ \(.*/, '')} listens on ${known}`,
  );
  return `is the server running? Start it, or correct the URL (${ports.join(', ')})`;
}

/** The failure behind an error of `fetch`, which hides the reason in its cause. */
export function connectionFailure(error: unknown, url: string): AttemptFailure {
  const cause = deepestCause(error);
  if (cause instanceof AttemptFailure) return cause;
  const code = String(objectOf(cause).code ?? '');
  const text = excerpt(cause instanceof Error ? cause.message : String(cause));
  const detail = text.includes(code) ? text : `${code}: ${text}`;
  let advice = 'check the network between this machine and the server';
  if (code === 'ECONNREFUSED') advice = startAdvice(url);
  if (code === 'ENOTFOUND') advice = 'check the host name of the URL, and the network';
  if (mayBeProxied(url) && (unreachable.test(code) || /proxy/i.test(text))) {
    advice = 'check the proxy in HTTP_PROXY and HTTPS_PROXY, or name the host in NO_PROXY';
  }
  if (permanent.test(code)) advice = 'check the URL and the certificate of the server';
  if (foreign.test(text)) advice = 'correct the URL: the server there answers in something else than HTTP';
  if (certificate.test(code)) {
    advice += '; a private authority is trusted when NODE_EXTRA_CA_CERTS names the file of its certificate';
  }
  return new AttemptFailure(`no connection (${detail})`, advice, {
    retryable: ![foreign, refusedByProxy].some((words) => words.test(text)) && !permanent.test(code),
    isUnreachable: unreachable.test(code),
    isOutage: true,
  });
}

function deepestCause(error: unknown): unknown {
  let cause = error;
  // An address with several IPs fails with one error per IP; the first is enough.
  for (let depth = 0; depth < 8; depth++) {
    const next = cause instanceof AggregateError ? cause.errors[0] : objectOf(cause).cause;
    if (next === undefined || next === null) break;
    cause = next;
  }
  return cause;
}
