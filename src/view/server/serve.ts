/** Listens for requests. */
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';
import { errorCode, UsageError } from '../../base/errors.ts';
import { faultWords } from '../../base/machine-fault.ts';

export interface Listening {
  readonly port: number;
  /** Ends all connections. */
  close(): Promise<void>;
}

const faults: Readonly<Record<string, (host: string, port: number) => string>> = {
  EADDRINUSE: (host, port) =>
    `expected a free port, got ${port} on ${host}, which another program has; choose another one, or --port 0 for any`,
  EACCES: (_host, port) => `expected a port that this user may listen on, got ${port}; choose one above 1023`,
  EADDRNOTAVAIL: (host) => `expected an address of this machine, got "${host}"; leave --host out for 127.0.0.1`,
  ENOTFOUND: (host) =>
    `expected an address of this machine, got "${host}", which no name server knows; leave --host out for 127.0.0.1`,
};

/** `port` 0: any free one. Throws a usage error for a port or an address that cannot be had. */
export async function listen(app: Hono, host: string, port: number): Promise<Listening> {
  const server = createAdaptorServer({ fetch: app.fetch });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const code = errorCode(cause) ?? '';
      const words = faults[code]?.(host, port) ?? `cannot listen on ${host}, port ${port}: ${faultWords(cause)}`;
      reject(new UsageError(['EADDRINUSE', 'EACCES'].includes(code) ? '--port' : '--host', words, cause));
    });
    server.listen(port, host.replace(/^\[|\]$/g, ''), resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  };
}
