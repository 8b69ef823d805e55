import { afterEach, describe, expect, it } from 'vitest';
import { sleep as realSleep } from '../../../src/base/async.ts';
import { exitCodes, InterruptedError, ModelError, UsageError } from '../../../src/base/errors.ts';
import { estimateTokens } from '../../../src/base/tokens.ts';
import type { ChatModel, ChatRequest } from '../../../src/llm/chat.ts';
import { noControls } from '../../../src/llm/controls.ts';
import {
  autoModel,
  type ClientSettings,
  type EndpointModel,
  modelForms,
  ollamaBase,
  openAiCompatible,
  resolveModel,
} from '../../../src/llm/providers/index.ts';
import { askedWait } from '../../../src/llm/providers/waits.ts';
import { backoffSeconds } from '../../../src/llm/retry.ts';
import { asHosted, countedUsage, impatientClient, twoParameterRequest } from '../../support/endpoint.ts';
import { type FakeServer, type FakeServerOptions, startFakeServer } from '../../support/fake-model-server.ts';

const key = 'sk-secret-0123456789';
const request = twoParameterRequest;

let open: FakeServer[] = [];
afterEach(async () => {
  await Promise.all(open.map((server) => server.close()));
  open = [];
});

async function serve(options: FakeServerOptions): Promise<FakeServer> {
  const server = await startFakeServer(options);
  open.push(server);
  return server;
}

interface Bench {
  readonly server: FakeServer;
  readonly model: EndpointModel;
  /** waits between attempts, s; none is waited for */
  readonly waits: number[];
  readonly log: string[];
}

async function bench(
  reply: FakeServerOptions['reply'],
  change: Partial<Parameters<typeof openAiCompatible>[0]> & { models?: readonly string[] | null } = {},
): Promise<Bench> {
  const { models, ...options } = change;
  const server = await serve({ reply, ...(models !== undefined && { models }) });
  const { waits, log, settings } = impatientClient();
  const model = openAiCompatible({
    id: 'test/fake-1',
    baseURL: server.url,
    apiKey: key,
    keyVariable: 'TEST_API_KEY',
    ...settings,
    ...options,
  });
  return { server, model, waits, log };
}

/** The message of the `ModelError` that the call ends with. */
async function failure(model: ChatModel): Promise<string> {
  const error = await model.complete(request).then(
    (reply) => new Error(`answered ${JSON.stringify(reply)}`),
    (thrown: unknown) => thrown as Error,
  );
  expect(error).toBeInstanceOf(ModelError);
  expect((error as ModelError).exitCode).toBe(exitCodes.model);
  expect(String(error.stack)).not.toContain(key);
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(key);
  return error.message;
}

describe('a reply', () => {
  it('comes as a stream, with the usage that the endpoint counted', async () => {
    const { server, model, waits } = await bench(() => 'params[0]: 1, params[1]: −2\nBecause of the 𝛼 term.');
    const reply = await model.complete(request);
    expect(reply).toMatchObject({
      text: 'params[0]: 1, params[1]: −2\nBecause of the 𝛼 term.',
      usage: { promptTokens: 8, completionTokens: 20, estimated: false },
      requests: 1,
      model: 'fake-1',
      finishReason: 'stop',
    });
    expect(reply.latencySeconds).toBeGreaterThan(0);
    expect(waits).toEqual([]);
    const { body, headers } = server.requests[0]!;
    expect(body).toEqual({
      model: 'fake-1',
      messages: request.messages,
      temperature: 0.3,
      seed: 7,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(headers.authorization).toBe(`Bearer ${key}`);
    expect(Object.keys(headers).filter((name) => /stainless|openai-/.test(name))).toEqual([]);
  });

  it('may be one JSON document', async () => {
    const { model } = await bench(() => ({ text: 'plain', plain: true, finishReason: 'length' }));
    expect(await model.complete(request)).toMatchObject({ text: 'plain', finishReason: 'length' });
  });

  it('has an estimated usage when the endpoint counts nothing', async () => {
    for (const plain of [false, true]) {
      const { model } = await bench(() => ({ text: 'four words are here', usage: null, plain }));
      const { usage } = await model.complete(request);
      const prompt = request.messages.map((message) => message.content).join('\n');
      expect(usage).toEqual(countedUsage(estimateTokens(prompt), estimateTokens('four words are here'), true));
    }
  });

  it('may be empty', async () => {
    const { model, waits } = await bench((_, i) => ({ text: '', plain: i === 1 }));
    expect((await model.complete(request)).text).toBe('');
    expect((await model.complete(request)).text).toBe('');
    expect(waits).toEqual([]);
  });

  it('sends no parameter that is null, and no key when there is none', async () => {
    const { server, model } = await bench(() => 'ok', {
      apiKey: null,
      controls: { ...noControls, maxReplyTokens: 99 },
    });
    await model.complete({ ...request, temperature: null, seed: null });
    expect(Object.keys(server.requests[0]!.body).sort()).toEqual(
      ['max_tokens', 'messages', 'model', 'stream', 'stream_options'].sort(),
    );
    expect(server.requests[0]!.headers.authorization).toBeUndefined();
  });

  it('may be a list of parts', async () => {
    const message = { content: [{ type: 'text', text: 'a' }, { type: 'thinking', thinking: 't' }, { text: 'b' }] };
    const { model } = await bench(() => ({ status: 200, body: { choices: [{ message }] } }));
    expect(await model.complete(request)).toMatchObject({ text: 'ab', reasoning: 't', finish: 'unknown' });
  });

  it('is the choice of index 0, whatever comes before it', async () => {
    const choice = (index: number, content: string) => ({ index, message: { content }, finish_reason: 'stop' });
    const { model } = await bench(() => ({ status: 200, body: { choices: [choice(1, 'b'), choice(0, 'a')] } }));
    expect((await model.complete(request)).text).toBe('a');
    const { model: only } = await bench(() => ({ status: 200, body: { choices: [choice(1, 'b')] } }));
    expect((await only.complete(request)).text).toBe('b');
    const part = (index: number, content: string, finish_reason: string | null = null) =>
      `data: ${JSON.stringify({ choices: [{ index, delta: { content }, finish_reason }] })}\n\n`;
    const body = [part(1, 'x'), part(0, 'a'), part(1, 'y', 'length'), part(0, 'b', 'stop'), 'data: [DONE]\n\n'].join(
      '',
    );
    const headers = { 'content-type': 'text/event-stream' };
    const { model: streamed } = await bench(() => 'unused', { fetch: async () => new Response(body, { headers }) });
    expect(await streamed.complete(request)).toMatchObject({ text: 'ab', finish: 'stop' });
  });

  it('ends at its end mark, even if the connection stays open', async () => {
    const body = `data: {"choices":[{"delta":{"content":"done"}}]}\n\ndata: [DONE]\n\n`;
    const stream = new ReadableStream({ start: (c) => c.enqueue(new TextEncoder().encode(body)) });
    const headers = { 'content-type': 'text/event-stream' };
    const { model } = await bench(() => 'unused', { fetch: async () => new Response(stream, { headers }) });
    expect((await model.complete(request)).text).toBe('done');
  });
});

describe('temporary failures', () => {
  it('waits as long as a 429 asks', async () => {
    const inAMinute = new Date(Date.now() + 60_000).toUTCString();
    const { server, model, waits, log } = await bench(
      (_, i) =>
        [
          { status: 429, headers: { 'retry-after': '7' } },
          { status: 429, headers: { 'retry-after-ms': '1500', 'retry-after': '2' } },
          { status: 503, headers: { 'retry-after': inAMinute } },
        ][i] ?? 'fine',
      { maxAttempts: 4 },
    );
    const reply = await model.complete(request);
    expect(reply).toMatchObject({ text: 'fine', requests: 4 });
    expect(waits.slice(0, 2)).toEqual([7, 1.5]);
    expect(waits[2]).toBeGreaterThan(50);
    expect(waits[2]).toBeLessThanOrEqual(60);
    expect(server.requests).toHaveLength(4);
    expect(log[0]).toBe('test/fake-1: got HTTP 429; attempt 2 of 4 in 7.0 s');
  });

  it.each([408, 409, 425, 429, 500, 502, 503, 529])('tries again after %i', async (status) => {
    const { model, waits } = await bench((_, i) => (i === 0 ? { status, body: 'oops' } : 'fine'));
    expect((await model.complete(request)).text).toBe('fine');
    expect(waits).toEqual([0.75]);
  });

  const passing: [string, ReturnType<FakeServerOptions['reply']>][] = [
    ['a connection that is closed', { reset: true }],
    ['a stream that is torn', { reset: true, text: 'params[0]: 1' }],
    ['truncated JSON', { status: 200, body: '{"choices": [{"message": {"cont' }],
    ['a truncated event', { status: 200, body: 'data: {"choices":[{"delta":{"content":"par' }],
    ['a stream without an end', { status: 200, body: 'data: {"choices":[{"delta":{"content":"params"}}]}\n\n' }],
    ['an empty body', { status: 200, body: '' }],
    ['an error inside a stream', { status: 200, body: 'data: {"error":{"code":503,"message":"busy"}}\n\n' }],
    ['an error inside JSON', { status: 200, body: { error: { message: 'the model fell over' } } }],
  ];
  it.each(passing)('tries again after %s', async (_, first) => {
    const { model, waits } = await bench((__, i) => (i === 0 ? first : 'fine'));
    expect(await model.complete(request)).toMatchObject({ text: 'fine', requests: 2 });
    expect(waits).toHaveLength(1);
  });

  it('omits a parameter that the model refuses, at once and from then on', async () => {
    const refuse = (message: string, param?: string) => ({ status: 400, body: { error: { message, param } } });
    const { server, model, waits, log } = await bench(({ body }) => {
      if (body.temperature !== undefined)
        return refuse('Unsupported value: only the default is supported', 'temperature');
      if (body.seed !== undefined) return { status: 422, body: { detail: [{ loc: ['body', 'seed'], msg: 'extra' }] } };
      if (body.stream_options !== undefined) return refuse('unknown field stream_options');
      if (body.stream) return refuse('this model has no "stream" support');
      return 'fine';
    });
    expect(await model.complete(request)).toMatchObject({ text: 'fine', requests: 5 });
    expect(await model.complete(request)).toMatchObject({ text: 'fine', requests: 1 });
    expect(model.droppedParameters).toEqual(['temperature', 'seed', 'stream_options', 'stream']);
    expect(Object.keys(server.requests[5]!.body)).toEqual(['model', 'messages']);
    expect(waits).toEqual([]);
    expect(log).toHaveLength(4);
    expect(log[0]).toMatch(/refuses "temperature" \("Unsupported value: .*"\); omitting it from now on/);
  });
});

describe('permanent failures', () => {
  it('a server that is down', async () => {
    const { model, waits, server } = await bench(() => 'fine');
    await server.close();
    const message = await failure(model);
    expect(message).toMatch(
      /^\[model test\/fake-1\] expected a chat completion from http:\/\/127\.0\.0\.1:\d+\/v1\/chat\/completions, /,
    );
    expect(message).toMatch(
      /got no connection \(.*ECONNREFUSED.*\) \(the last of 3 attempts\); is the server running\?/,
    );
    expect(waits).toEqual([0.75, 1.5]);
  });

  it('401 names the key variable, and no part of the message holds the key', async () => {
    const { model, waits, log } = await bench(() => ({
      status: 401,
      body: { error: { message: `Incorrect key: ${key}` } },
    }));
    const message = await failure(model);
    expect(message).toMatch(/got HTTP 401 \("Incorrect key: \[key\]"\); set TEST_API_KEY to a valid key$/);
    expect(waits).toEqual([]);
    expect(log.join()).not.toContain(key);
  });

  it('the log holds no key either', async () => {
    const { model, log } = await bench((_, i) => (i === 0 ? { status: 500, body: `key ${key} crashed` } : 'fine'));
    await model.complete(request);
    expect(log).toEqual(['test/fake-1: got HTTP 500 ("key [key] crashed"); attempt 2 of 3 in 0.8 s']);
  });

  it('401 without a key asks for one', async () => {
    const { model } = await bench(() => ({ status: 401 }), { apiKey: null });
    expect(await failure(model)).toMatch(/got HTTP 401; the endpoint requires a key; set TEST_API_KEY$/);
  });

  it('404 lists the models that there are', async () => {
    const missing = { status: 404, body: { error: 'model "fake-1" not found' } };
    const { model, waits } = await bench(() => missing, { models: ['fake-2', 'other'] });
    expect(await failure(model)).toMatch(
      /got HTTP 404 \("model "fake-1" not found"\); check the model name and the base URL.*; it has "fake-2" among fake-2, other$/,
    );
    expect(waits).toEqual([]);
    const { model: unlisted } = await bench(() => missing, { models: null });
    expect(await failure(unlisted)).toMatch(/usually ends in \/v1$/);
  });

  it.each([
    [400, 'bad messages', /change the model or its settings as the error says$/],
    [403, 'not for you', /use a key with access to this model \(TEST_API_KEY\), or another model$/],
    [400, 'maximum context length is 4096 tokens', /the prompt is too long for this model/],
    [402, 'insufficient credits', /add credit/],
    [418, 'teapot', /change the model or its settings/],
  ])('%i (%s) at once', async (status, text, advice) => {
    const { model, waits } = await bench(() => ({ status, body: { error: { message: text } } }));
    const message = await failure(model);
    expect(message).toContain(`HTTP ${status} ("${text}")`);
    expect(message).toMatch(advice);
    expect(waits).toEqual([]);
  });

  it('a used-up quota at once, although it is a 429', async () => {
    const body = { error: { message: 'You exceeded your quota', code: 'insufficient_quota' } };
    const { model, waits } = await bench(() => ({ status: 429, body }));
    expect(await failure(model)).toMatch(/add credit to the account/);
    expect(waits).toEqual([]);
  });

  it('a wait beyond the limit', async () => {
    const { model, waits } = await bench(() => ({ status: 429, headers: { 'retry-after': '3600' } }));
    expect(await failure(model)).toMatch(/got HTTP 429; the endpoint asks to wait 3600 s; resume after that$/);
    expect(waits).toEqual([]);
  });

  it('500 after all attempts', async () => {
    const { model, waits, server } = await bench(() => ({ status: 500, body: { detail: 'out of memory' } }));
    expect(await failure(model)).toMatch(/got HTTP 500 \("out of memory"\) \(the last of 3 attempts\); server error/);
    expect(waits).toEqual([0.75, 1.5]);
    expect(server.requests).toHaveLength(3);
  });

  it('HTML at once, with the URL, the type and what to do', async () => {
    const headers = { 'content-type': 'text/html; charset=utf-8' };
    const { model, waits } = await bench(() => ({
      status: 200,
      body: '<!doctype html>\n<title>Hello</title>',
      headers,
    }));
    const message = await failure(model);
    expect(message).toMatch(
      /\/v1\/chat\/completions, got a body other than JSON: "<!doctype html> <title>Hello<\/title>" \(text\/html; /,
    );
    expect(message).toMatch(/is the base URL right\? It usually ends in \/v1$/);
    expect(waits).toEqual([]);
  });

  it('JSON other than a completion immediately', async () => {
    const { model, waits } = await bench(() => ({ status: 200, body: { hello: 'world' } }));
    expect(await failure(model)).toMatch(/got JSON without "choices": "{"hello":"world"}"/);
    expect(waits).toEqual([]);
  });

  it('a hosted server that never answers: idle', async () => {
    const { server } = await bench(() => ({ hang: true }));
    const limits = { idleTimeoutSeconds: 0.05, maxAttempts: 2, apiKey: null };
    const model = openAiCompatible({ id: 'x', ...impatientClient().settings, ...limits, ...asHosted(server.url) });
    expect(await failure(model)).toMatch(
      /got no data for 0\.05 s \(the last of 2 attempts\); .* raise llm\.idle_timeout_s$/,
    );
  });

  it('a local server that never answers: the whole time, once, as it may be loading its model', async () => {
    const limits = { idleTimeoutSeconds: 0.05, timeoutSeconds: 0.3, maxAttempts: 5 };
    const { model, server } = await bench(() => ({ hang: true }), limits);
    expect(await failure(model)).toMatch(
      /got no complete answer within 0\.3 s; use a faster model, or raise llm\.timeout_s$/,
    );
    expect(server.requests).toHaveLength(1);
  });

  it('a local server that sends headers and then nothing is still reading the prompt', async () => {
    const silent = new ReadableStream({ start: () => {} });
    const headers = { 'content-type': 'text/event-stream' };
    const { model } = await bench(() => 'unused', {
      fetch: async () => new Response(silent, { headers }),
      idleTimeoutSeconds: 0.05,
      timeoutSeconds: 0.3,
    });
    expect(await failure(model)).toMatch(/got no complete answer within 0\.3 s;/);
  });

  it('a server that stops in the middle: idle', async () => {
    const { model } = await bench(() => ({ hang: true, text: 'params' }), { idleTimeoutSeconds: 0.05, maxAttempts: 1 });
    expect(await failure(model)).toMatch(/got no data for 0\.05 s \(about 1 tokens had come\);/);
  });

  it('a server that talks and never ends: timeout', async () => {
    // Data comes every 10 ms, so the silence never reaches its limit although the whole takes longer than that.
    const limits = { idleTimeoutSeconds: 0.15, timeoutSeconds: 0.4, maxAttempts: 1 };
    const { model } = await bench(() => ({ trickle: true }), limits);
    expect(await failure(model)).toMatch(/got no complete answer within 0\.4 s; .* raise llm\.timeout_s$/);
  });

  it('a key that is invalid in a header is not shown', () => {
    const make = () =>
      openAiCompatible({
        ...settings,
        id: 'x',
        baseURL: 'http://h/v1',
        apiKey: 'sk-\n1',
        keyVariable: 'K',
        model: 'm',
      });
    expect(make).toThrow(UsageError);
    expect(make).not.toThrow(/sk-/);
  });
});

describe('an interruption', () => {
  it.each([
    ['a request', { hang: true } as const, undefined],
    ['the text of an answer', { hang: true, text: 'par' } as const, undefined],
    ['a wait', { status: 429, headers: { 'retry-after': '200' } } as const, 'real'],
  ])('ends %s', async (_, reply, sleep) => {
    const controller = new AbortController();
    const reason = new InterruptedError('run', 'stopped by SIGTERM', 'SIGTERM');
    const { model, server } = await bench(
      () => {
        setTimeout(() => controller.abort(reason), 20);
        return reply;
      },
      { timeoutSeconds: 60, idleTimeoutSeconds: 60, ...(sleep === 'real' && { sleep: realSleep }) },
    );
    await expect(model.complete(request, { signal: controller.signal })).rejects.toBe(reason);
    expect(server.requests).toHaveLength(1);
  });

  it('before the call sends nothing', async () => {
    const { model, server } = await bench(() => 'fine');
    const call = model.complete(request, { signal: AbortSignal.abort() });
    await expect(call).rejects.toMatchObject({ exitCode: exitCodes.interrupted });
    expect(server.requests).toHaveLength(0);
  });
});

describe('a prompt that the server seems to cut', () => {
  it('is reported once', async () => {
    const usage = { prompt_tokens: 300, completion_tokens: 3 };
    const { model, log } = await bench(() => ({ text: 'ok', usage }));
    const long: ChatRequest = { ...request, messages: [{ role: 'user', content: 'params = [1, 2]; '.repeat(1000) }] };
    await model.complete(long);
    await model.complete(long);
    expect(log).toHaveLength(1);
    expect(log[0]).toMatch(/counted 300 prompt tokens where about \d+ were sent, so it may have cut the prompt/);
  });
});

describe('waits', () => {
  it('double up to a minute, with jitter in the upper half', () => {
    expect([1, 2, 3, 6, 7, 50].map((n) => backoffSeconds(n, () => 1))).toEqual([1, 2, 4, 32, 60, 60]);
    expect([1, 2, 7].map((n) => backoffSeconds(n, () => 0))).toEqual([0.5, 1, 30]);
  });

  it('are read from the headers', () => {
    const now = Date.UTC(2026, 0, 2, 3, 4, 5);
    const read = (headers: Record<string, string>) => askedWait(429, new Headers(headers), '', now);
    expect(read({ 'retry-after': '12' })).toBe(12);
    expect(read({ 'retry-after': '0.5' })).toBe(0.5);
    expect(read({ 'retry-after': 'Fri, 02 Jan 2026 03:04:35 GMT' })).toBe(30);
    expect(read({ 'retry-after': 'Fri, 02 Jan 2026 03:04:00 GMT' })).toBeNull();
    expect(read({ 'retry-after': 'soon' })).toBeNull();
    expect(read({ 'retry-after': '-3' })).toBeNull();
    expect(read({ 'retry-after-ms': '250' })).toBe(0.25);
    expect(read({})).toBeNull();
  });
});

const settings: ClientSettings = { timeoutSeconds: 5, idleTimeoutSeconds: 5, maxAttempts: 1 };

describe('resolveModel', () => {
  const named = (id: string): ChatModel => ({
    id,
    kind: 'offline',
    replyForms: ['lines'],
    complete: () => Promise.reject(new Error('unused')),
  });
  const extra = {
    offline: () => named('offline'),
    auto: () => named('auto'),
    'replay:<run folder>': (folder: string) => named(`replay of ${folder}`),
  };
  const env = { OPENAI_API_KEY: ' sk-1 ', OPENROUTER_API_KEY: 'or-2' };
  const resolve = (name: string, variables: Record<string, string> = env, fetchImpl?: typeof fetch) =>
    resolveModel(name, { env: variables, extra, settings: { ...settings, ...(fetchImpl && { fetch: fetchImpl }) } });

  /** URL, key and model of the request that the named model makes. */
  async function target(name: string, variables: Record<string, string> = env) {
    let seen = {};
    const model = await resolve(name, variables, async (input, init) => {
      const body = JSON.parse(String(init?.body));
      const headers = new Headers(init?.headers);
      seen = {
        id: model.id,
        url: String(input),
        key: headers.get('authorization') ?? headers.get('x-api-key') ?? headers.get('x-goog-api-key'),
        model: body.model,
        max: body.max_tokens,
      };
      const message = { content: 'ok' };
      const [content, candidates] = [[{ type: 'text', text: 'ok' }], [{ content: { parts: [{ text: 'ok' }] } }]];
      return Response.json({ choices: [{ message }], message, done: true, type: 'message', content, candidates });
    });
    await model.complete(request);
    return seen;
  }

  it('knows the providers', async () => {
    expect(await target('openai/gpt-x')).toEqual({
      id: 'openai/gpt-x',
      url: 'https://api.openai.com/v1/chat/completions',
      key: 'Bearer sk-1',
      model: 'gpt-x',
      max: undefined,
    });
    expect(await target('openrouter/meta/llama:free')).toMatchObject({
      url: 'https://openrouter.ai/api/v1/chat/completions',
      key: 'Bearer or-2',
      model: 'meta/llama:free',
    });
    expect(await target('anthropic/claude-x', { ANTHROPIC_API_KEY: 'an-3' })).toMatchObject({
      url: 'https://api.anthropic.com/v1/messages',
      key: 'an-3',
    });
    expect(await target('gemini/g-x', { GEMINI_API_KEY: 'ge-4' })).toMatchObject({
      url: 'https://generativelanguage.googleapis.com/v1beta/models/g-x:streamGenerateContent?alt=sse',
      key: 'ge-4',
    });
    expect(await target('ollama/gpt-oss:20b', { OLLAMA_HOST: 'box:8080' })).toMatchObject({
      url: 'http://box:8080/api/chat',
      key: null,
      model: 'gpt-oss:20b',
    });
    expect(await target('ollama/a/b', { OLLAMA_API_KEY: 'ol-5' })).toMatchObject({ key: 'Bearer ol-5', model: 'a/b' });
  });

  it('sends the key of no provider to a server that is named by its URL', async () => {
    const name = 'http://10.0.0.7:8000/v1/#org/model#2';
    const url = 'http://10.0.0.7:8000/v1/chat/completions';
    expect(await target(name)).toMatchObject({ id: name, url, key: null, model: 'org/model#2' });
    expect(await target(name, { ...env, R2PO_API_KEY: 'r-6' })).toMatchObject({ key: 'Bearer r-6' });
  });

  it('asks the caller for all other models', async () => {
    expect((await resolve('offline')).id).toBe('offline');
    expect((await resolve('replay:runs/a:b')).id).toBe('replay of runs/a:b');
    expect(modelForms(extra).slice(0, 4)).toEqual(['offline', 'auto', 'replay:<run folder>', 'ollama/<model>']);
  });

  it.each([
    [
      'gpt-4o',
      /unknown model "gpt-4o"; did you mean "openai\/gpt-4o"\? known forms: offline, auto, replay:<run folder>, ollama\/<model>, openai\/<model>/,
    ],
    ['ofline', /unknown model "ofline"; did you mean "offline"\? known forms/],
    ['claude-sonnet-4-5', /; did you mean "anthropic\/claude-sonnet-4-5"\?/],
    ['qwen3:8b', /; did you mean "ollama\/qwen3:8b"\?/],
    ['openai:gpt-5', /; did you mean "openai\/gpt-5"\?/],
    ['C:\\model.gguf', /unknown model "C:\\model\.gguf"; known forms/],
    ['nope', /unknown model "nope"; known forms/],
    ['opnai/gpt-x', /did you mean "openai\/gpt-x"\?/],
    ['openai/', /expected openai\/<model>, got "openai\/"/],
    ['openrouter/llama', /expected openrouter\/<vendor>\/<model>, got "openrouter\/llama"/],
    ['replay:', /expected replay:<run folder>, got "replay:"/],
    ['anthropic/claude-x', /expected a key in ANTHROPIC_API_KEY, got none; set it in the environment or in \.env/],
    ['http://h:1/v1', /got "http:\/\/h:1\/v1"; add # and the model's name there/],
    ['http://h:99999/v1#m', /correct the URL/],
    ['http://u:secret@h/v1#m', /without credentials and query; put the key into R2PO_API_KEY/],
  ])('refuses %s', async (name, message) => {
    const error = await resolve(name).catch((thrown: unknown) => thrown as UsageError);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toMatch(message);
    expect((error as UsageError).message).not.toContain('secret');
  });
});

describe('ollamaBase', () => {
  it.each([
    [{}, 'http://127.0.0.1:11434'],
    [{ OLLAMA_HOST: '' }, 'http://127.0.0.1:11434'],
    [{ OLLAMA_HOST: '0.0.0.0' }, 'http://127.0.0.1:11434'],
    [{ OLLAMA_HOST: '[::]:7' }, 'http://[::1]:7'],
    [{ OLLAMA_HOST: ':9000' }, 'http://127.0.0.1:9000'],
    [{ OLLAMA_HOST: 'box' }, 'http://box:11434'],
    [{ OLLAMA_HOST: 'box:80' }, 'http://box'],
    [{ OLLAMA_HOST: 'https://box.example' }, 'https://box.example'],
    [{ OLLAMA_HOST: 'box', OLLAMA_BASE_URL: 'http://other:1234/v1/' }, 'http://other:1234'],
    [{ OLLAMA_BASE_URL: 'https://gate.example/ollama/' }, 'https://gate.example/ollama'],
  ])('%o -> %s', (env, url) => {
    expect(ollamaBase(env)).toBe(url);
  });

  it('refuses invalid addresses, and credentials', () => {
    expect(() => ollamaBase({ OLLAMA_HOST: 'a b' })).toThrow(/expected a URL or host:port in OLLAMA_HOST, got "a b"/);
    expect(() => ollamaBase({ OLLAMA_BASE_URL: 'http://u:p@h' })).toThrow(/set OLLAMA_API_KEY instead/);
  });
});

describe('auto', () => {
  const named = (id: string): ChatModel => ({
    id,
    kind: 'offline',
    replyForms: ['lines'],
    complete: () => Promise.reject(new Error('unused')),
  });
  const pick = async (env: Record<string, string>) => {
    const log: string[] = [];
    const model = await autoModel({
      env,
      ollama: named,
      otherwise: () => named('offline'),
      log: (line) => log.push(line),
    });
    return `${model.id} | ${log.join()}`;
  };

  it('takes Ollama on this machine when it has the model', async () => {
    const { port } = await serve({ reply: () => 'unused', models: ['small:latest', 'gpt-oss:20b'] });
    const OLLAMA_HOST = `127.0.0.1:${port}`;
    expect(await pick({ OLLAMA_HOST })).toMatch(/^ollama\/gpt-oss:20b \| auto: Ollama at .* has "gpt-oss:20b"; using/);
    expect(await pick({ OLLAMA_HOST, OLLAMA_MODEL: 'small' })).toMatch(/^ollama\/small /);
    expect(await pick({ OLLAMA_HOST, OLLAMA_MODEL: 'large' })).toMatch(
      /^offline \| .* has no model "large"; using offline/,
    );
  });

  it('never chooses a model that may cost money', async () => {
    const { port } = await serve({ reply: () => 'unused', models: ['gpt-oss:20b-cloud', 'gpt-oss:20b'] });
    const OLLAMA_HOST = `127.0.0.1:${port}`;
    expect(await pick({ OLLAMA_HOST, OLLAMA_MODEL: 'gpt-oss:20b-cloud' })).toMatch(/^offline \| .* runs in a cloud/);
    expect(await pick({ OLLAMA_HOST: 'https://ollama.example' })).toMatch(/^offline \| .* is not on this machine/);
    expect(await pick({ OLLAMA_HOST: '127.0.0.1.evil.example' })).toMatch(/^offline \| .* is not on this machine/);
  });

  it('does without Ollama when nothing answers, or something else', async () => {
    const server = await serve({ reply: () => 'unused', models: null });
    expect(await pick({ OLLAMA_HOST: `127.0.0.1:${server.port}` })).toMatch(/^offline \| .* answers HTTP 404/);
    await server.close();
    expect(await pick({ OLLAMA_HOST: `127.0.0.1:${server.port}` })).toMatch(/^offline \| .*no Ollama answers/);
  });
});
