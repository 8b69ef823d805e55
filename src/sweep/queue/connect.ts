/** Opens a tested connection to Redis, or throws an error with the reason. */
import type { Redis } from 'ioredis';
import { R2poError } from '../../base/errors.ts';
import { maskSecrets } from '../../base/secrets.ts';
import type { QueueAddress } from './address.ts';
import type { QueuePackages } from './optional-packages.ts';

/** Minimum version that the queue library supports. */
const minVersion = [6, 2];
const defaultTimeoutMs = 10_000;
/** Tolerated clock skew; a delayed job starts early or late by the skew. */
const maxSkewMs = 5000;

export interface ConnectOptions {
  readonly packages: QueuePackages;
  readonly address: QueueAddress;
  readonly warn: (text: string) => void;
  /** name of the connection in the server's client list */
  readonly connectionName?: string | undefined;
  /** time after which a silent server counts as unreachable, ms */
  readonly timeoutMs?: number;
}

/** Describes the client's error, as the object of "got", with a remedy. */
function explain(error: Error & { readonly code?: string }): string {
  const { code } = error;
  const message = maskSecrets(error.message);
  if (code === 'ECONNREFUSED')
    return 'no server there (connection refused); start redis-server, or correct the address';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'an unknown host name; correct the address';
  if (code === 'ETIMEDOUT' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH') {
    return `host unreachable (${code}); check firewalls`;
  }
  if (message.startsWith('NOAUTH'))
    return 'a server that requires a password; write redis://:password@host, preferably in R2PO_QUEUE';
  if (message.startsWith('WRONGPASS') || message.startsWith('ERR invalid password')) {
    return 'a refused password; special characters must be written as %xx';
  }
  if (message.startsWith('NOPERM')) return `a user without the permission (${message})`;
  if (message.includes('DB index is out of range')) return 'no database with that number';
  if (/RESP type|Protocol error|parse/i.test(message)) return 'a server other than Redis; correct host and port';
  return `"${message}"`;
}

function versionOf(info: string): string | null {
  return /^redis_version:(\S+)/m.exec(info)?.[1] ?? null;
}

function isTooOld(version: string): boolean {
  const [major, minor = 0] = version.split('.').map(Number);
  return major! < minVersion[0]! || (major === minVersion[0] && minor < minVersion[1]!);
}

/**
 * Connects and checks the server. The first connection must succeed; later ones reconnect automatically. Throws an
 * `R2poError` that names the server without its password.
 */
export async function openRedis({ packages, address, warn, ...options }: ConnectOptions): Promise<Redis> {
  const { connectionName, timeoutMs: patience = defaultTimeoutMs } = options;
  let isOpen = false;
  let isDown = false;
  const redis = new packages.Redis(address.url, {
    lazyConnect: true,
    ...(connectionName !== undefined && { connectionName }),
    connectTimeout: patience,
    maxRetriesPerRequest: null,
    retryStrategy: (times) => (isOpen ? Math.min(100 * 2 ** Math.min(times, 10), 5000) : null),
  });
  const errors: Error[] = [];
  redis.on('error', (error: Error) => {
    errors.push(error);
    errors.splice(0, errors.length - 3);
  });
  const refuse = (got: string, cause?: unknown): R2poError =>
    new R2poError('--queue', `expected a Redis server at ${address.shown}, got ${got}`, { cause });
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(refuse(`no answer for ${patience / 1000} s`)), patience);
  });
  try {
    const info = await Promise.race([redis.connect().then(() => redis.info()), timeout]);
    if (errors.length > 0) throw errors[0];
    const version = versionOf(info);
    if (version === null) throw refuse('a server that does not report its version');
    if (isTooOld(version)) {
      throw refuse(`version ${version}; at least ${minVersion.join('.')} is needed`);
    }
    const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
    if (policy !== undefined && policy !== 'noeviction') {
      warn(
        `Redis at ${address.shown} has maxmemory-policy ${policy}: it may drop jobs when its memory is full; ` +
          'set it to noeviction',
      );
    }
    const [seconds, microseconds] = await redis.time();
    const skew = Date.now() - (Number(seconds) * 1000 + Number(microseconds) / 1000);
    if (Math.abs(skew) > maxSkewMs) {
      const by = `${Math.abs(skew / 1000).toFixed(0)} s ${skew > 0 ? 'ahead of' : 'behind'}`;
      warn(
        `the clock of this machine is ${by} that of Redis: runs that wait for another attempt may start too early or late`,
      );
    }
  } catch (thrown) {
    // Disconnecting an ended connection would wait again.
    if (redis.status !== 'end') redis.disconnect();
    if (thrown instanceof R2poError) throw thrown;
    const first = errors[0] ?? (thrown as Error);
    throw refuse(explain(first), first);
  } finally {
    clearTimeout(timer);
  }
  isOpen = true;
  redis.on('close', () => {
    if (redis.status === 'end' || isDown) return;
    isDown = true;
    warn(`the connection to Redis at ${address.shown} is lost; reconnecting, active runs continue`);
  });
  redis.on('ready', () => {
    if (isDown) warn(`the connection to Redis at ${address.shown} is back`);
    isDown = false;
  });
  return redis;
}
