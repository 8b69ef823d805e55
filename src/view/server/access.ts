/**
 * Who may ask this server: a page of its own only. Other pages of the same browser reach 127.0.0.1 as well, by requests across
 * origins and by names that are made to point there (DNS rebinding).
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { UsageError } from '../../base/errors.ts';

export interface Access {
  /** address that the server listens on */
  readonly host: string;
  /** what every request must bring; null: the server listens on loopback alone */
  readonly token: string | null;
}

const loopbackNames = ['localhost', '127.0.0.1', '[::1]', '::1'];
/** Cookies belong to a host, not to a port: each server has one of its own, whose name does not give its token away. */
const cookieOf = (token: string): string =>
  `r2po_token_${createHash('sha256').update(token).digest('hex').slice(0, 16)}`;
const anyAddress = ['0.0.0.0', '::'];
/** Header of requests that do something: a page of another origin cannot set it without asking first. */
const mutationHeader = 'x-r2po';

const isLoopback = (host: string): boolean => loopbackNames.includes(host) || /^127(\.\d{1,3}){3}$/.test(host);

/** Throws a usage error for an address that other machines reach, unless the user allows it; then a token is made. */
export function accessFor(host: string, allowRemote: boolean): Access {
  if (isLoopback(host)) {
    if (!allowRemote) return { host, token: null };
    throw new UsageError(
      '--allow-remote',
      `expected --host with an address of this machine, got ${host}; leave it out, or add --host`,
    );
  }
  if (allowRemote) return { host, token: randomBytes(18).toString('base64url') };
  throw new UsageError(
    '--host',
    `expected an address of this machine alone (127.0.0.1), got "${host}", which other machines reach; add --allow-remote, ` +
      'and the page asks for a token, or forward a port with ssh -L',
  );
}

/** The name in a Host header, in lower case; null: it is none. */
function nameOf(header: string): string | null {
  return /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(header)?.[1]?.toLowerCase() ?? null;
}

/** Whether a request may be for this server: by a name that no other site can have. */
export function isOwnHost(header: string | undefined, { host, token }: Access): boolean {
  const name = header === undefined ? null : nameOf(header);
  if (name === null) return false;
  if (isLoopback(name)) return true;
  // With a token, names that point here are of no use to others.
  if (token === null) return false;
  const isAddress = isIP(name.replace(/^\[|\]$/g, '')) !== 0;
  return isAddress || [host, hostname()].some((own) => own.toLowerCase() === name && !anyAddress.includes(own));
}

function isToken(given: string | undefined, token: string): boolean {
  const [a, b] = [Buffer.from(given ?? ''), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

const refuse = (c: Context, status: 401 | 403 | 415, problem: string): Response => c.json({ problem }, status);

/** Refuses requests of other sites, and those without the token. */
export function guard(access: Access): MiddlewareHandler {
  const { token } = access;
  return async (c, next) => {
    const host = c.req.header('host');
    if (!isOwnHost(host, access)) {
      return refuse(
        c,
        403,
        'expected a request for this machine by its own name, got another Host; open the address that r2po view printed',
      );
    }
    const origin = c.req.header('origin');
    if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
      return refuse(c, 403, 'expected a request of the page of this server, got one of another origin');
    }
    const path = new URL(c.req.url).pathname;
    const isApi = path.startsWith('/api/');
    const site = c.req.header('sec-fetch-site');
    if (isApi && site !== undefined && !['same-origin', 'none'].includes(site)) {
      return refuse(c, 403, 'expected a request of the page of this server, got one of another site');
    }
    const refused = token === null ? null : admit(c, token, isApi);
    if (refused) return refused;
    if (!['GET', 'HEAD'].includes(c.req.method)) {
      if (c.req.header(mutationHeader) !== '1') {
        return refuse(
          c,
          403,
          `expected the header "${mutationHeader}: 1" on a request that does something, got none; add it`,
        );
      }
      if (!/^application\/json(;|$)/i.test(c.req.header('content-type') ?? '')) {
        return refuse(c, 415, 'expected JSON (content-type: application/json)');
      }
    }
    await next();
  };
}

/** Null: the request has the token. Opening the printed address leaves it in a cookie, and the address without it. */
function admit(c: Context, token: string, isApi: boolean): Response | null {
  const bearer = /^Bearer (.+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
  if (isToken(bearer ?? getCookie(c, cookieOf(token)), token)) return null;
  if (!isApi && isToken(c.req.query('token'), token)) {
    setCookie(c, cookieOf(token), token, { httpOnly: true, sameSite: 'Strict', path: '/' });
    return c.redirect('/', 303);
  }
  return refuse(
    c,
    401,
    'expected the token of this server, got none or another; open the address that r2po view printed',
  );
}
