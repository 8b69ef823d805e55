import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiProblem } from '../../../src/view/api/index-of-runs.ts';
import { accessFor, isOwnHost } from '../../../src/view/server/access.ts';
import { createViewApp } from '../../../src/view/server/app.ts';
import { Evaluator } from '../../../src/view/server/evaluator.ts';
import { RunRoot } from '../../../src/view/server/run-root.ts';
import { listen } from '../../../src/view/server/serve.ts';
import { writeRun } from '../../support/run-folders.ts';
import { smallPage, type TestView, testView } from '../../support/view.ts';

let folder: string;
let view: TestView;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'r2po-access-'));
  writeRun(join(folder, 'a'));
  view = testView(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

const local = accessFor('127.0.0.1', false);

describe('a request', () => {
  it('is answered under the names of this machine alone', async () => {
    for (const host of ['127.0.0.1:7420', 'localhost', 'LOCALHOST:1', '[::1]:80', '127.9.9.9']) {
      expect(isOwnHost(host, local), host).toBe(true);
    }
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example:80',
      '',
      'a b',
      '10.0.0.7',
      '127.0.0.1@evil',
    ]) {
      expect((await view.get('/api/runs', { host })).status, host).toBe(403);
      expect((await view.get('/', { host })).status, host).toBe(403);
    }
    fc.assert(
      fc.property(fc.domain(), (host) => !isOwnHost(host, local)),
      { numRuns: 100 },
    );
  });

  it('of another origin or site is refused', async () => {
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:7421', 'http://localhost:7420']) {
      expect((await view.get('/api/runs', { origin })).status, origin).toBe(403);
    }
    expect((await view.get('/api/runs', { origin: 'http://127.0.0.1:7420' })).status).toBe(200);
    expect((await view.get('/api/runs', { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    // A link on another page may lead here.
    expect((await view.get('/', { 'sec-fetch-site': 'cross-site' })).status).toBe(200);
  });

  it('that does something needs a header that other pages cannot set, and JSON', async () => {
    for (const [headers, status] of [
      [{ 'x-r2po': '' }, 403],
      [{ 'content-type': 'text/plain' }, 415],
    ] as const) {
      const response = await view.post('/api/evaluate', {}, headers);
      expect(response.status).toBe(status);
      apiProblem.parse(await response.json());
    }
  });

  it('that is too large is refused in words', async () => {
    const response = await view.post('/api/evaluate', `"${'x'.repeat(5 * 2 ** 20)}"`);
    expect(response.status).toBe(413);
    expect(apiProblem.parse(await response.json()).problem).toContain('at most');
  });
});

describe('every answer', () => {
  it('forbids frames, foreign scripts and guesses of its type', async () => {
    for (const path of [
      '/',
      '/app.js',
      '/api/runs',
      '/nowhere',
      '/api/nowhere',
      '/%2e%2e/package.json',
      '/..%2fpackage.json',
    ]) {
      const { headers } = await view.get(path);
      const policy = headers.get('content-security-policy') ?? '';
      for (const rule of [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
      ]) {
        expect(policy, path).toContain(rule);
      }
      expect(policy).not.toContain('unsafe-inline');
      expect([headers.get('x-frame-options'), headers.get('x-content-type-options')]).toEqual(['DENY', 'nosniff']);
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    }
    expect((await view.get('/api/runs')).headers.get('cache-control')).toBe('no-store');
  });

  it('to an unknown path is a problem in words', async () => {
    const response = await view.get('/package.json');
    expect(response.status).toBe(404);
    apiProblem.parse(await response.json());
  });
});

describe('an address that other machines reach', () => {
  it('needs a flag of its own', () => {
    for (const host of ['0.0.0.0', '::', '192.168.1.5', 'my-machine']) {
      expect(() => accessFor(host, false)).toThrow(/--allow-remote/);
    }
    expect(() => accessFor('127.0.0.1', true)).toThrow(/leave it out/);
  });

  it('needs the token with every request, which the printed address leaves in a cookie', async () => {
    const access = accessFor('0.0.0.0', true);
    const token = access.token!;
    const wide = testView(folder, { access });
    const host = '192.168.1.5:7420';
    for (const path of ['/', '/api/runs', `/api/runs?token=${token}`, '/?token=', `/?token=${token}x`]) {
      expect((await wide.get(path, { host })).status, path).toBe(401);
    }
    const opened = await wide.get(`/?token=${token}`, { host });
    expect([opened.status, opened.headers.get('location')]).toEqual([303, '/']);
    const cookie = opened.headers.get('set-cookie')!;
    expect(cookie).toMatch(/HttpOnly.*SameSite=Strict|SameSite=Strict.*HttpOnly/);
    expect((await wide.get('/api/runs', { host, cookie: cookie.split(';')[0]! })).status).toBe(200);
    // Another server of this host leaves its own beside it.
    const other = accessFor('0.0.0.0', true);
    const there = await testView(folder, { access: other }).get(`/?token=${other.token}`, { host: '192.168.1.5:7421' });
    const cookies = [cookie, there.headers.get('set-cookie')!].map((text) => text.split(';')[0]!);
    expect(new Set(cookies.map((text) => text.split('=')[0])).size).toBe(2);
    expect((await wide.get('/api/runs', { host, cookie: cookies.join('; ') })).status).toBe(200);
    expect((await wide.get('/api/runs', { host, authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await wide.get('/api/runs', { host: 'evil.example', authorization: `Bearer ${token}` })).status).toBe(403);
  });
});

describe('the server', () => {
  it('says which port is taken, and stays silent to paths that lead out of the page', async () => {
    const app = createViewApp({
      ...{ root: new RunRoot(folder), access: local, page: smallPage, note: () => {} },
      signal: new AbortController().signal,
      evaluator: new Evaluator(),
      program: '',
    });
    const listening = await listen(app, '127.0.0.1', 0);
    await expect(listen(app, '127.0.0.1', listening.port)).rejects.toThrow(
      `[--port] expected a free port, got ${listening.port} on 127.0.0.1`,
    );
    // Sent as it is: fetch would resolve the dots.
    const status = (path: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        request({ port: listening.port, path }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end();
      });
    for (const path of [
      '/../../package.json',
      '/api/runs/../../a',
      '/api/runs/..%2f..%2fetc',
      '/api/runs/%00',
      '/api/runs/%E0%A4%A',
    ]) {
      expect(await status(path), path).toBe(404);
    }
    await listening.close();
  });
});
