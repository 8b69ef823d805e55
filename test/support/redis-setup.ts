/**
 * Looks for `redis-server`, which the tests of queues start for themselves. R2PO_TEST_REDIS is empty where there is none, and
 * they are skipped; R2PO_REQUIRE_REDIS=1 turns that into a failure.
 */
import { spawnSync } from 'node:child_process';

export default function setup(): void {
  // Each of the projects of vitest.config.ts calls it.
  if (process.env.R2PO_TEST_REDIS !== undefined) return;
  const child = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  const version = child.status === 0 ? (/v=(\S+)/.exec(child.stdout)?.[1] ?? '') : '';
  process.env.R2PO_TEST_REDIS = version;
  if (!version && process.env.R2PO_REQUIRE_REDIS === '1') {
    throw new Error('R2PO_REQUIRE_REDIS=1, and there is no redis-server; install it: apt-get install redis-server');
  }
  console.log(version ? `queue tests run on: Redis ${version}` : 'queue tests are SKIPPED: no redis-server');
}
