/** Failures of endpoints: none becomes a reply, and each states what happened and what to do. */
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { InterruptedError, ModelError } from '../../../src/base/errors.ts';
import type { FailedRequest } from '../../../src/llm/chat.ts';
import { makeBreaker } from '../../../src/llm/providers/breaker.ts';
import { connectionFailure } from '../../../src/llm/providers/failure.ts';
import { finishOf } from '../../../src/llm/providers/finish.ts';
import { openAiCompatible } from '../../../src/llm/providers/openai-compatible.ts';
import { isLocal, isLoopback } from '../../../src/llm/providers/transport.ts';
import { askedWait, durationSeconds } from '../../../src/llm/providers/waits.ts';
import { AttemptFailure } from '../../../src/llm/retry.ts';
import { endpointCases } from '../../cases/endpoint-answers.ts';
import { countedUsage, impatientClient, twoParameterRequest } from '../../support/endpoint.ts';
import { type FakeServer, type FakeServerOptions, startFakeServer } from '../../support/fake-model-server.ts';

let open: FakeServer[] = [];
afterEach(async () => {
  await Promise.all(open.map((server) => server.close()));
  open = [];
});

async function bench(reply: FakeServerOptions['reply'], change: Partial<Parameters<typeof openAiCompatible>[0]> = {}) {
  const server = await startFakeServer({ reply });
  open.push(server);
  const { waits, log, settings } = impatientClient();
  const model = openAiCompatible({ id: 'test/m', baseURL: server.url, apiKey: null, ...settings, ...change });
  return { server, model, waits, log };
}

const messageOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    (reply) => `answered ${JSON.stringify(reply)}`,
    (error: unknown) => {
      expect(error).toBeInstanceOf(ModelError);
      return (error as Error).message;
    },
  );

describe('an endpoint that answers', () => {
  it.each(endpointCases)(
    '$name',
    async ({ status = 200, type = 'application/json', headers, body, says, retried, wait }) => {
      const answer = { status, body, headers: { 'content-type': type, ...headers } };
      const { model, server, waits } = await bench((_, i) => (i < 2 ? answer : 'fine'), { maxAttempts: 2 });
      const message = await messageOf(model.complete(twoParameterRequest));
      expect(message).toMatch(says);
      expect(server.requests).toHaveLength(retried ? 2 : 1);
      if (wait !== undefined) expect(waits).toEqual([wait]);
    },
  );

  it('with a refusal, a filter or a tool call is asked once more at most, and not at temperature 0', async () => {
    const message = { content: null, refusal: 'I cannot.' };
    const choices = [
      { message, finish_reason: 'stop' },
      { message: { content: 'p' }, finish_reason: 'content_filter' },
      { message: { content: null, tool_calls: [{ function: { name: 'f' } }] }, finish_reason: 'tool_calls' },
    ];
    for (const choice of choices) {
      for (const [temperature, requests] of [
        [0, 1],
        [0.3, 2],
        [null, 2],
      ] as const) {
        const { model, server } = await bench(() => ({ status: 200, body: { choices: [choice] } }));
        await messageOf(model.complete({ ...twoParameterRequest, temperature }));
        expect(server.requests).toHaveLength(requests);
      }
    }
  });

  it.each([
    ['a refusal', { message: { content: null, refusal: 'I cannot.' }, finish_reason: 'stop' }],
    ['a filter', { message: { content: 'p' }, finish_reason: 'content_filter' }],
  ])('with %s is billed for what it reports', async (_what, choice) => {
    const usage = { prompt_tokens: 1500, completion_tokens: 40 };
    const { model } = await bench(() => ({ status: 200, body: { choices: [choice], usage } }));
    const failed: FailedRequest[] = [];
    await messageOf(model.complete(twoParameterRequest, { onFailure: (request) => failed.push(request) }));
    const billed = { model: model.id, usage: countedUsage(1500, 40, false) };
    expect(failed).toEqual([billed, billed]);
  });

  it('in something else than HTTP is asked once', async () => {
    const requests: string[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        requests.push('one');
        socket.end('220 mail ready\r\n');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { settings } = impatientClient();
    const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    const model = openAiCompatible({ id: 'test/m', baseURL, apiKey: null, ...settings });
    const message = await messageOf(model.complete(twoParameterRequest));
    server.close();
    expect(message).toContain('the server there answers in something else than HTTP');
    expect(requests).toHaveLength(1);
  });

  it('by a redirect gets nothing at another address', async () => {
    const { server: other } = await bench(() => 'fine');
    const moved = (status: number, location: string) => ({ status, headers: { location }, body: '' });
    for (const status of [301, 302, 307, 308]) {
      const { model, server } = await bench(() => moved(status, `${other.url}/chat/completions?key=x`));
      const message = await messageOf(model.complete(twoParameterRequest));
      expect(message).toContain(`a redirect to ${other.url}/chat/completions (HTTP ${status}); name the final address`);
      expect([server.requests.length, other.requests.length]).toEqual([1, 0]);
    }
    // Inside of one server, and as it is.
    const here = '/v1/chat/completions';
    const { model, server } = await bench((_, i) => (i < 2 ? moved(308, here) : 'fine'));
    expect((await model.complete(twoParameterRequest)).text).toBe('fine');
    expect(server.requests.map(({ body }) => body.messages.length)).toEqual([2, 2, 2]);
    const { model: without } = await bench(() => moved(303, here));
    expect(await messageOf(without.complete(twoParameterRequest))).toContain('HTTP 303');
    const { model: endless, server: asked } = await bench(() => moved(307, here));
    expect(await messageOf(endless.complete(twoParameterRequest))).toContain('more than 5 redirects');
    expect(asked.requests).toHaveLength(6);
  });

  it('with reasoning and no text gives both as they are', async () => {
    for (const message of [
      { content: null, reasoning_content: 'params[0]: 1' },
      { content: '', reasoning: 'params[0]: 1' },
      { content: '', reasoning_details: [{ type: 'reasoning.text', text: 'params[0]: 1' }] },
      { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'params[0]: 1' }] }] },
    ]) {
      const { model } = await bench(() => ({ status: 200, body: { choices: [{ message, finish_reason: 'stop' }] } }));
      expect(await model.complete(twoParameterRequest)).toMatchObject({
        text: '',
        reasoning: 'params[0]: 1',
        finish: 'stop',
      });
    }
  });

  it.each(['length', 'max_tokens', 'max_output_tokens', 'MAX_TOKENS', 'model_length'])('%s was cut', (reason) => {
    expect(finishOf(reason)).toBe('length');
  });

  it('other words for the end', () => {
    expect(['stop', 'STOP', 'eos', 'end_turn', 'odd', null].map(finishOf)).toEqual([
      'stop',
      'stop',
      'stop',
      'stop',
      'unknown',
      null,
    ]);
  });

  it('keeps rate limits and the id, and no other header', async () => {
    const headers = {
      'content-type': 'application/json',
      'x-ratelimit-remaining-tokens': '91',
      'ratelimit-policy': '5;w=1',
      'set-cookie': 'secret=1',
      'x-request-id': 'abc',
    };
    const body = { id: 'cmpl-7', choices: [{ message: { content: 'ok' }, finish_reason: 'stop' }] };
    const { model } = await bench(() => ({ status: 200, body, headers }));
    const reply = await model.complete(twoParameterRequest);
    expect(reply).toMatchObject({ id: 'cmpl-7', answeredBy: 'test/m' });
    expect(reply.rateLimits).toEqual({ 'x-ratelimit-remaining-tokens': '91', 'ratelimit-policy': '5;w=1' });
  });
});

describe('waits that are asked for', () => {
  const now = Date.UTC(2026, 0, 2, 3, 4, 5);
  const read = (status: number, headers: Record<string, string>, body = '') =>
    askedWait(status, new Headers(headers), body, now);

  it.each([
    ['Please try again in 12.5s. Visit https://x', 12.5],
    ['Rate limit reached for m in org o on tokens per min (TPM): Limit 30000. Please try again in 6ms.', 0.006],
    ['Please retry in 1m2.5s.', 62.5],
    ['Please wait 30 seconds before the next request', 30],
    ['Please retry after 20 seconds.', 20],
    ['try your request again in 2 minutes and 3 seconds', 123],
    ['Try again in 1h2m3s', 3723],
    ['{"retry_after": 1.5}', 1.5],
    ['{"details":[{"retryDelay": "53s"}]}', 53],
    ['limit of 3 requests per minute', null],
    ['Please try again later, 5 of 6 workers are down', null],
  ])('in the words "%s"', (body, seconds) => {
    expect(read(429, {}, body)).toBe(seconds);
    expect(read(503, {}, body)).toBe(seconds);
    expect(read(500, {}, body)).toBeNull();
  });

  it('in exhausted rate limits', () => {
    const of = (remaining: string, reset: string) =>
      read(429, { 'x-ratelimit-remaining-tokens': remaining, 'x-ratelimit-reset-tokens': reset });
    expect(of('0', '1s')).toBe(1);
    expect(of('0', '12ms')).toBe(0.012);
    expect(of('0', '6m0s')).toBe(360);
    expect(of('5', '6m0s')).toBeNull();
    expect(of('0', '17')).toBe(17);
    expect(of('0', String(now / 1000 + 8))).toBe(8);
    expect(of('0', String(now + 2500))).toBe(2.5);
    expect(of('0', '2026-01-02T03:04:35Z')).toBe(30);
    expect(of('0', '2026-01-02T03:04:00Z')).toBeNull();
    expect(of('0', 'soon')).toBeNull();
    expect(read(200, { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '1s' })).toBeNull();
    const anthropic = {
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': '2026-01-02T03:04:15Z',
      'anthropic-ratelimit-tokens-remaining': '9000',
      'anthropic-ratelimit-tokens-reset': '2026-01-02T03:09:15Z',
    };
    expect(read(429, anthropic)).toBe(10);
    expect(read(429, { ...anthropic, 'retry-after': '4' }, 'try again in 9s')).toBe(4);
    expect(durationSeconds('nothing')).toBeNull();
  });

  it('are read in time linear in the text', () => {
    const started = process.cpuUsage();
    for (const unit of ['try again in ', '1s ', '9', 'wait 1 ']) read(429, {}, unit.repeat(200_000));
    expect(process.cpuUsage(started).user).toBeLessThan(1e6);
  });
});

describe('an address where nothing listens', () => {
  it('is given up soon at first, and waited for once it has answered', async () => {
    const { model, server, waits, log } = await bench(() => 'fine', { maxAttempts: 6 });
    await model.complete(twoParameterRequest);
    await server.close();
    expect(await messageOf(model.complete(twoParameterRequest))).toMatch(/ECONNREFUSED.* \(the last of 6 attempts\)/);
    expect(waits.length).toBeGreaterThanOrEqual(5);
    const fresh = await bench(() => 'fine', { maxAttempts: 6 });
    await fresh.server.close();
    expect(await messageOf(fresh.model.complete(twoParameterRequest))).toMatch(
      /ECONNREFUSED.* \(the last of 3 attempts\)/,
    );
    expect(fresh.waits).toEqual([0.75, 1.5]);
    expect(log.at(-1)).toMatch(/attempt 6 of 6 in/);
  });

  it.each([
    ['http://127.0.0.1:11434/api/chat', /start Ollama \("ollama serve"\)/],
    ['http://127.0.0.1:8080/v1', /start llama-server/],
    ['http://127.0.0.1:1234/v1', /start the server of LM Studio/],
    ['http://127.0.0.1:9/v1', /is the server running\? .*Ollama listens on 11434/],
  ])('%s: says what to start', (url, advice) => {
    const refused = new TypeError('fetch failed', { cause: Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) });
    expect(connectionFailure(refused, url)).toMatchObject({
      advice: expect.stringMatching(advice),
      isUnreachable: true,
    });
  });

  it('names the way to trust a private authority', () => {
    const error = Object.assign(new Error('unable'), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    const failure = connectionFailure(new TypeError('fetch failed', { cause: error }), 'https://gate.test');
    expect(failure).toMatchObject({ retryable: false, advice: expect.stringContaining('NODE_EXTRA_CA_CERTS') });
  });
});

describe('near and far', () => {
  it.each([
    ['http://localhost:1/v1', true, true],
    ['http://127.9.9.9', true, true],
    ['http://[::1]:8080', true, true],
    ['http://10.1.2.3', false, true],
    ['http://192.168.0.7:8000', false, true],
    ['http://172.20.0.1', false, true],
    ['http://box:8000', false, true],
    ['http://box.local', false, true],
    ['http://172.40.0.1', false, false],
    ['https://api.example.com', false, false],
    ['https://127.0.0.1.example.com', false, false],
  ])('%s', (url, loopback, local) => {
    expect([isLoopback(url), isLocal(url)]).toEqual([loopback, local]);
  });
});

describe('a breaker', () => {
  const outage = () => Promise.reject(new AttemptFailure('down', '', { retryable: true, isOutage: true }));
  const sleepers: { readonly seconds: number; readonly wake: () => void }[] = [];
  const sleep = (seconds: number) => new Promise<void>((wake) => sleepers.push({ seconds, wake }));
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  it('probes with one request after five failures in a row, and all calls continue when it succeeds', async () => {
    let now = 0;
    const breaker = makeBreaker(() => now);
    for (let i = 0; i < 5; i++) await expect(breaker.run(outage, sleep, undefined)).rejects.toThrow('down');
    now = 1500;
    let made = 0;
    let end: (error: Error | null) => void = () => {};
    const task = () => {
      made += 1;
      return new Promise<string>((resolve, reject) => {
        end = (error) => (error === null ? resolve('up') : reject(error));
      });
    };
    const calls = [0, 1, 2].map(() => breaker.run(task, sleep, undefined));
    const controller = new AbortController();
    const reason = new InterruptedError('run', 'stopped');
    const stopped = breaker.run(task, sleep, controller.signal);
    await settled();
    expect(made).toBe(1);
    controller.abort(reason);
    await expect(stopped).rejects.toBe(reason);
    end(new AttemptFailure('still down', '', { retryable: true, isOutage: true }));
    for (const call of calls) await expect(call).rejects.toThrow('still down');
    expect(made).toBe(1);

    // The next one rests first, longer than before.
    const next = [0, 1].map(() => breaker.run(task, sleep, undefined));
    await settled();
    expect(sleepers.map(({ seconds }) => seconds)).toEqual([2, 2]);
    for (const { wake } of sleepers) wake();
    await settled();
    expect(made).toBe(2);
    end(null);
    await settled();
    expect(made).toBe(3);
    end(null);
    expect(await Promise.all(next)).toEqual(['up', 'up']);
  });

  it('fails at once between its probes of an endpoint that has never answered', async () => {
    let now = 0;
    const breaker = makeBreaker(() => now);
    let made = 0;
    const task = () => {
      made += 1;
      return Promise.reject(new AttemptFailure('not started', '', { retryable: true, isUnreachable: true }));
    };
    const rest = () => Promise.reject(new Error('expected no wait'));
    for (let i = 0; i < 9; i++) await expect(breaker.run(task, rest, undefined)).rejects.toThrow('not started');
    expect(made).toBe(5);
    now = 60_000;
    await expect(breaker.run(task, rest, undefined)).rejects.toThrow('not started');
    expect(made).toBe(6);
  });

  it('counts no answers: a request that is refused shows an endpoint that works', async () => {
    const breaker = makeBreaker(() => 0);
    const refused = () => Promise.reject(new AttemptFailure('HTTP 400', '', { retryable: false }));
    for (let i = 0; i < 9; i++) {
      await expect(breaker.run(i % 5 === 4 ? refused : outage, sleep, undefined)).rejects.toThrow();
    }
    expect(breaker.hasAnswered).toBe(true);
    expect(await breaker.run(async () => 'at once', sleep, undefined)).toBe('at once');
  });
});
