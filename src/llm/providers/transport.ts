/** Connections to endpoints: proxies from the environment, no hidden timeouts, and which servers are local. */
import { isIP } from 'node:net';
import type { Dispatcher, Pool } from 'undici';
import { UsageError } from '../../base/errors.ts';
import { AttemptFailure } from '../retry.ts';

/** Disables undici's own timeouts of 300 s, because each request has a watchdog. */
const withoutLimits = { headersTimeout: 0, bodyTimeout: 0 };

// Slow to load, and a run without an endpoint does without it.
export const loadLibrary = () => import('undici');
type Library = Awaited<ReturnType<typeof loadLibrary>>;

/** How long a proxy may take to answer CONNECT, ms. */
const tunnelLimit = 30_000;
/** Failures after which undici connects again for ever, instead of failing the requests that wait for the connection. */
const endless = /^UND_ERR_(?:SOCKET|INFO)$/;

let direct: Dispatcher | null = null;
let proxied: Dispatcher | null = null;

/** The connections to one server; those through a tunnel, which have a function that connects, fail with their tunnel. */
function poolOf(library: Library, origin: string | URL, options: Pool.Options): Dispatcher {
  const { connect } = options;
  if (typeof connect !== 'function') return new library.Pool(origin, options);
  const finite: typeof connect = (to, done) =>
    connect(to, (error, socket) => {
      if (error === null) return done(null, socket);
      const { code, message } = error as NodeJS.ErrnoException;
      const isOfTunnel = endless.test(code ?? '') || code === 'UND_ERR_HEADERS_TIMEOUT';
      return done(isOfTunnel ? new Error(`no tunnel through the proxy: ${message}`) : error, null);
    });
  return new library.Pool(origin, { ...options, connect: finite });
}

/** Throws a usage error for an invalid proxy URL. */
function dispatcherFor(library: Library, url: string): Dispatcher {
  // A proxy elsewhere cannot reach this machine, whatever NO_PROXY contains.
  if (isLoopback(url)) {
    direct ??= new library.Agent(withoutLimits);
    return direct;
  }
  try {
    proxied ??= new library.EnvHttpProxyAgent({
      ...withoutLimits,
      factory: (origin: string | URL, options: object) => poolOf(library, origin, options),
      clientFactory: (proxy, options) => new library.Pool(proxy, { ...options, headersTimeout: tunnelLimit }),
    });
  } catch {
    throw invalidProxy();
  }
  return proxied;
}

function invalidProxy(): UsageError {
  // The value may contain a password, so it is not quoted.
  const advice = 'correct HTTP_PROXY and HTTPS_PROXY, or unset them';
  return new UsageError('proxy', `expected URLs such as http://proxy:3128 in HTTP_PROXY and HTTPS_PROXY; ${advice}`);
}

/** Closes all connections, which would keep the process alive. Later requests open new ones. */
export function closeConnections(): void {
  for (const dispatcher of [direct, proxied]) dispatcher?.destroy().catch(() => {});
  direct = null;
  proxied = null;
}

/** Maximum number of redirects of one request. */
const maxRedirects = 5;
/** Statuses by which a request is sent again as it is; behind the others it would become one without a body. */
const repeating = [307, 308];

/** Where a redirect leads, if the request may be sent there: keys and prompts stay at the address that the user named. */
function redirected(response: Response, url: string, method: string): string {
  const location = response.headers.get('location') ?? '';
  const target = URL.canParse(location, url) ? new URL(location, url) : null;
  const isHere = target?.origin === new URL(url).origin;
  if (target && isHere && (repeating.includes(response.status) || method === 'GET')) return target.href;
  const shown = target === null ? 'nowhere' : `to ${target.origin}${target.pathname}`;
  throw new AttemptFailure(
    `a redirect ${shown.slice(0, 200)} (HTTP ${response.status})`,
    'name the final address of the endpoint in the URL; keys and prompts are not sent on to another one',
    { retryable: false },
  );
}

/**
 * `fetch` with its own connection pool. HTTP_PROXY, HTTPS_PROXY (by CONNECT) and NO_PROXY apply except on loopback. Redirects
 * are followed inside of one server.
 */
export const modelFetch: typeof fetch = async (input, init) => {
  let url = String(input instanceof Request ? input.url : input);
  const library = await loadLibrary();
  for (let redirects = 0; ; redirects++) {
    const options = { ...init, redirect: 'manual', dispatcher: dispatcherFor(library, url) };
    const answer = await library.fetch(url, options as Parameters<Library['fetch']>[1]);
    const response = answer as unknown as Response;
    if (response.status < 300 || response.status >= 400) return response;
    await response.body?.cancel();
    url = redirected(response, url, init?.method ?? 'GET');
    if (redirects === maxRedirects) {
      throw new AttemptFailure(`more than ${maxRedirects} redirects`, 'correct the URL', { retryable: false });
    }
  }
};

const proxyProtocols = ['http:', 'https:', 'socks:', 'socks5:'];

/** Throws a usage error for an invalid proxy URL before the first request needs it. */
export function requireProxy(url: string): void {
  if (isLoopback(url)) return;
  const { http_proxy, HTTP_PROXY, https_proxy, HTTPS_PROXY } = process.env;
  for (const proxy of [http_proxy ?? HTTP_PROXY, https_proxy ?? HTTPS_PROXY]) {
    if (proxy && !(URL.canParse(proxy) && proxyProtocols.includes(new URL(proxy).protocol))) throw invalidProxy();
  }
}

/** Whether a proxy may be used for a URL. */
export function mayBeProxied(url: string): boolean {
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'];
  return !isLoopback(url) && names.some((name) => process.env[name]?.trim());
}

/** Ports of other services, to which `fetch` does not connect (https://fetch.spec.whatwg.org/#port-blocking). */
const blockedPorts = new Set(
  (
    '1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 119 123 ' +
    '135 137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 990 993 ' +
    '995 1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 6697 10080'
  ).split(' '),
);

/** Throws a usage error for a URL with a port that no request reaches, however often it is repeated. */
export function requireOpenPort(id: string, url: string): void {
  const { port } = new URL(url);
  if (!blockedPorts.has(port)) return;
  const problem = `expected a port that fetch connects to, got ${port}, which it blocks as the port of another service`;
  throw new UsageError(`model ${id}`, `${problem}; let the server listen on another port`);
}

function hostOf(url: string): string {
  try {
    return new URL(url).hostname.replace(/^\[|\]$/g, '').toLowerCase();
  } catch {
    return '';
  }
}

/** Whether a URL points to this machine. */
export function isLoopback(url: string): boolean {
  const host = hostOf(url);
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  return isIP(host) === 4 ? host.startsWith('127.') : host === '::1' || host.startsWith('::ffff:7f');
}

/** Whether a URL points to this machine or its local network, where the model may have to be loaded first. */
export function isLocal(url: string): boolean {
  const host = hostOf(url);
  if (isLoopback(url)) return true;
  if (isIP(host) === 4) {
    const [a, b] = host.split('.').map(Number);
    return (
      a === 10 ||
      (a === 172 && b! >= 16 && b! < 32) ||
      (a === 192 && b === 168) ||
      (a === 169 && b === 254) ||
      (a === 100 && b! >= 64 && b! < 128)
    );
  }
  if (isIP(host) === 6) return /^f[cd]|^fe[89ab]/.test(host);
  return /\.(?:local|lan|internal|home\.arpa)$/.test(host) || (host !== '' && !host.includes('.'));
}
