/** Connections to endpoints: proxies of the environment, no hidden time limits, and which servers are near. */
import { isIP } from 'node:net';
import { Agent, type Dispatcher, EnvHttpProxyAgent, fetch as undiciFetch } from 'undici';
import { UsageError } from '../../base/errors.ts';

/** The watchdog of a request decides how long it is waited for; undici's own limits are 300 s. */
const withoutLimits = { headersTimeout: 0, bodyTimeout: 0 };

let direct: Dispatcher | null = null;
let proxied: Dispatcher | null = null;

/** Throws a usage error for a proxy that is no URL. */
function dispatcherFor(url: string): Dispatcher {
  // A proxy of the company's network cannot reach this machine, whatever NO_PROXY says.
  if (isLoopback(url)) {
    direct ??= new Agent(withoutLimits);
    return direct;
  }
  try {
    proxied ??= new EnvHttpProxyAgent(withoutLimits);
  } catch {
    // The value may hold a password, so it is not quoted.
    const advice = 'correct HTTP_PROXY and HTTPS_PROXY, or unset them';
    throw new UsageError('proxy', `expected URLs such as http://proxy:3128 in HTTP_PROXY and HTTPS_PROXY; ${advice}`);
  }
  return proxied;
}

/** `fetch` over connections of our own. HTTP_PROXY, HTTPS_PROXY (by CONNECT) and NO_PROXY hold for all but this machine. */
export const modelFetch: typeof fetch = async (input, init) => {
  const url = String(input instanceof Request ? input.url : input);
  const options = { ...init, dispatcher: dispatcherFor(url) };
  const response = await undiciFetch(url, options as Parameters<typeof undiciFetch>[1]);
  return response as unknown as Response;
};

/** Whether a proxy may stand between this machine and a URL. */
export function mayBeProxied(url: string): boolean {
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'];
  return !isLoopback(url) && names.some((name) => process.env[name]?.trim());
}

function hostOf(url: string): string {
  try {
    return new URL(url).hostname.replace(/^\[|\]$/g, '').toLowerCase();
  } catch {
    return '';
  }
}

/** Whether a URL leads to this machine. */
export function isLoopback(url: string): boolean {
  const host = hostOf(url);
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  return isIP(host) === 4 ? host.startsWith('127.') : host === '::1' || host.startsWith('::ffff:7f');
}

/** Whether a URL leads to this machine or to one in its own network, which may have to load the model first. */
export function isLocal(url: string): boolean {
  const host = hostOf(url);
  if (isLoopback(url)) return true;
  if (isIP(host) === 4) {
    const [a, b] = host.split('.').map(Number);
    return (
      a === 10 ||
      (a === 172 && b >= 16 && b < 32) ||
      (a === 192 && b === 168) ||
      (a === 169 && b === 254) ||
      (a === 100 && b >= 64 && b < 128)
    );
  }
  if (isIP(host) === 6) return /^f[cd]|^fe[89ab]/.test(host);
  return /\.(?:local|lan|internal|home\.arpa)$/.test(host) || (host !== '' && !host.includes('.'));
}
