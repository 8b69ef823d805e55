/** Opens a tested connection to Redis, or throws an error with the reason. */
import type { Redis } from 'ioredis';
import { R2poError } from '../../base/errors.ts';
import { maskSecrets } from '../../base/secrets.ts';
import type { QueueAddress } from './address.ts';
import type { QueuePackages } from './optional-packages.ts';

/** Minimum version that the queue library supports. */
const minVersion = [6, 2];
/** Of the keys of the queue library. */
export const defaultPrefix = 'bull';
const defaultTimeoutMs = 10_000;
/** Tolerated clock skew; a delayed job starts early or late by the skew. */
const maxSkewMs = 5000;

export interface ConnectOptions {
  readonly packages: QueuePackages;
  readonly address: QueueAddress;
  /** of all keys; default: that of the queue library */
  readonly prefix?: string;
  readonly warn: (text: string) => void;
  /** name of the connection in the server's client list */
  readonly connectionName?: string | undefined;
  /** time after which a silent server counts as unreachable, ms */
  readonly timeoutMs?: number;
}

const inCluster = 'a node of a Redis Cluster, which the queue cannot use; start a single redis-server for it';

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
  if (/^NOPERM.*\bkeys?\b/i.test(message)) {
    return `a user that may not use the keys of the queue (${message}); name a prefix that it may use with --queue-prefix`;
  }
  if (message.startsWith('NOPERM')) return `a user without the permission (${message})`;
  if (/^(?:MOVED|ASK|CROSSSLOT|CLUSTERDOWN)\b/.test(message)) return inCluster;
  if (message.includes('OOM command not allowed')) {
    return 'a server without memory left (maxmemory with noeviction); raise maxmemory or delete what it holds, and repeat the command';
  }
  if (message.startsWith('READONLY')) return 'a replica, which takes no changes; give the address of its primary';
  if (message.includes('DB index is out of range')) return 'no database with that number';
  if (/RESP type|Protocol error|parse/i.test(message)) return 'a server other than Redis; correct host and port';
  return `"${message}"`;
}

/** An answer of the server to a command, as an error with a remedy; any other error as it is. */
export function explained(error: unknown, address: QueueAddress): unknown {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return error;
  return new R2poError('--queue', `expected the queue at ${address.shown}, got ${explain(error)}`, { cause: error });
}

function versionOf(info: string): string | null {
  return /^redis_version:(\S+)/m.exec(info)?.[1] ?? null;
}

/** Null for a command that the user may not use. */
function withoutPermission(error: Error): null {
  if (error.message.startsWith('NOPERM')) return null;
  throw error;
}

function isTooOld(version: string): boolean {
  const [major, minor = 0] = version.split('.').map(Number);
  return major! < minVersion[0]! || (major === minVersion[0] && minor < minVersion[1]!);
}

/**
 * Connects and checks the server. The first connection must succeed; later ones reconnect automatically. Throws an
 * `R2poError` that names the server without its password.
 */
export async function openRedis({
  packages,
  address,
  prefix = defaultPrefix,
  warn,
  ...options
}: ConnectOptions): Promise<Redis> {
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
    const connected = redis.connect().then(() => redis.info().catch(withoutPermission));
    const info = await Promise.race([connected, timeout]);
    if (errors.length > 0) throw errors[0];
    // A user may be kept from INFO; what the queue needs shows at its first command.
    const version = info === null ? null : versionOf(info);
    if (info === null) warn(`the user of Redis at ${address.shown} may not use INFO; its version is not checked`);
    else if (version === null) throw refuse('a server that does not report its version');
    if (info !== null && /^(?:cluster_enabled:1|redis_mode:cluster)/m.test(info)) throw refuse(inCluster);
    if (version !== null && isTooOld(version)) {
      throw refuse(`version ${version}; at least ${minVersion.join('.')} is needed`);
    }
    // One key of the queue shows whether the user may use them.
    await redis.exists(`${prefix}:${address.name}:r2po-round`);
    const policy = /^maxmemory_policy:(\S+)/m.exec(info ?? '')?.[1];
    if (policy !== undefined && policy !== 'noeviction') {
      warn(
        `Redis at ${address.shown} has maxmemory-policy ${policy}: it may drop jobs when its memory is full; ` +
          'set it to noeviction',
      );
    }
    const time = await redis.time().catch(withoutPermission);
    const [seconds, microseconds] = time ?? [Date.now() / 1000, 0];
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
