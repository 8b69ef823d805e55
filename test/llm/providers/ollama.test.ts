import { afterEach, describe, expect, it } from 'vitest';
import { ModelError } from '../../../src/base/errors.ts';
import { estimateTokens } from '../../../src/base/tokens.ts';
import type { ChatModel, ChatRequest } from '../../../src/llm/chat.ts';
import type { EndpointModel } from '../../../src/llm/providers/index.ts';
import { contextFor, judgePromptCount, maxTokensOf } from '../../../src/llm/providers/ollama-context.ts';
import { ollamaNative } from '../../../src/llm/providers/ollama-native.ts';
import { asHosted, countedUsage, impatientClient, twoParameterRequest } from '../../support/endpoint.ts';
import {
  type FakeReply,
  type FakeServer,
  type FakeServerOptions,
  startFakeServer,
} from '../../support/fake-model-server.ts';

const key = 'ollama-secret-0123';
const request = twoParameterRequest;

/** A prompt of about `trials` * 14 tokens. */
const longRequest = (trials: number): ChatRequest => ({
  ...request,
  messages: [{ role: 'user', content: 'params = [1, -0.5]; mean = 34\n'.repeat(trials) }],
});

let open: FakeServer[] = [];
afterEach(async () => {
  await Promise.all(open.map((server) => server.close()));
  open = [];
});

interface Bench {
  readonly server: FakeServer;
  readonly model: EndpointModel;
  readonly waits: number[];
  readonly log: string[];
}

async function bench(
  reply: FakeServerOptions['reply'],
  change: Partial<Parameters<typeof ollamaNative>[0]> & Partial<FakeServerOptions> = {},
): Promise<Bench> {
  const { models, loadedContext, ...options } = change;
  const served = { ...(models !== undefined && { models }), ...(loadedContext !== undefined && { loadedContext }) };
  const server = await startFakeServer({ reply, ...served });
  open.push(server);
  const { waits, log, settings } = impatientClient();
  const model = ollamaNative({
    id: 'ollama/fake-1',
    baseURL: `http://127.0.0.1:${server.port}/`,
    apiKey: key,
    keyVariable: 'OLLAMA_API_KEY',
    ...settings,
    ...options,
  });
  return { server, model, waits, log };
}

async function failure(model: ChatModel, asked = request): Promise<string> {
  const error = await model.complete(asked).then(
    (reply) => new Error(`answered ${JSON.stringify(reply)}`),
    (thrown: unknown) => thrown as Error,
  );
  expect(error).toBeInstanceOf(ModelError);
  expect(String(error.stack)).not.toContain(key);
  return error.message;
}

const counts = (prompt_tokens: number, text = 'ok'): FakeReply => ({
  text,
  usage: { prompt_tokens, completion_tokens: 3 },
});

describe('a reply of Ollama', () => {
  it('comes line by line, with the counts and the reason of its end', async () => {
    const { server, model, waits } = await bench(() => 'params[0]: 1, params[1]: −2\nBecause of the 𝛼 term.');
    const reply = await model.complete(request);
    expect(reply).toMatchObject({
      text: 'params[0]: 1, params[1]: −2\nBecause of the 𝛼 term.',
      usage: { promptTokens: 8, completionTokens: 20, estimated: false },
      requests: 1,
      model: 'fake-1',
      finishReason: 'stop',
    });
    expect(waits).toEqual([]);
    const { body, headers } = server.requests[0]!;
    expect(body).toEqual({
      model: 'fake-1',
      messages: request.messages,
      stream: true,
      keep_alive: '30m',
      truncate: false,
      shift: false,
      options: { num_ctx: 8192, temperature: 0.3, seed: 7 },
    });
    expect(headers.authorization).toBe(`Bearer ${key}`);
  });

  it('holds nothing of what the model thought', async () => {
    const thinking = 'params[0]: 9, params[1]: 9 perhaps?';
    const { model } = await bench(() => ({ text: 'params[0]: 1, params[1]: 2', thinking, finishReason: 'length' }));
    expect(await model.complete(request)).toMatchObject({ text: 'params[0]: 1, params[1]: 2', finishReason: 'length' });
  });

  it('may be one JSON document, on one line or many', async () => {
    const whole = { model: 'fake-2', message: { content: 'plain' }, done: true, done_reason: 'stop' };
    const { model } = await bench(
      (_, i) =>
        [
          { text: 'plain', plain: true },
          { status: 200, body: JSON.stringify(whole, null, 2) },
        ][i]!,
    );
    expect(await model.complete(request)).toMatchObject({ text: 'plain', model: 'fake-1' });
    expect(await model.complete(request)).toMatchObject({ text: 'plain', model: 'fake-2' });
  });

  it('has an estimated usage as far as nothing was counted', async () => {
    const prompt = estimateTokens(request.messages.map(({ content }) => content).join('\n'));
    const { model } = await bench((_, i) => {
      if (i === 0) return { text: 'four words are here', usage: null };
      return { status: 200, body: { message: { content: 'x' }, done: true, eval_count: 123 } };
    });
    expect((await model.complete(request)).usage).toEqual(countedUsage(prompt, 4, true));
    expect((await model.complete(request)).usage).toEqual(countedUsage(prompt, 123, true));
  });

  it('sends no option that is null, and no key when there is none', async () => {
    const { server, model } = await bench(() => 'ok', { apiKey: null });
    await model.complete({ ...request, temperature: null, seed: null });
    expect(server.requests[0]!.body.options).toEqual({ num_ctx: 8192 });
    expect(server.requests[0]!.headers.authorization).toBeUndefined();
  });

  it('names no model and no reason that could steer a terminal', async () => {
    const body = {
      model: 'evil\u001b[2J\u202e\nname',
      message: { content: 'ok' },
      done: true,
      done_reason: '\u0007stop',
    };
    const { model } = await bench(() => ({ status: 200, body }));
    expect(await model.complete(request)).toMatchObject({ model: 'evil[2J name', finishReason: 'stop' });
  });
});

describe('the context that is asked for', () => {
  it('is a power of two with room for prompt and reply', () => {
    expect(contextFor([])).toBe(8192);
    const { messages } = longRequest(1000);
    const tokens = maxTokensOf(messages[0]!.content);
    expect(tokens).toBeGreaterThan(estimateTokens(messages[0]!.content));
    const context = contextFor(messages);
    expect(Math.log2(context) % 1).toBe(0);
    expect(context).toBeGreaterThanOrEqual(tokens + 4096);
    expect(context).toBeLessThan(2 * (tokens + 4096 + 300));
  });

  it('counts digits, letters, symbols and line breaks as the greediest tokenizer does', () => {
    expect(maxTokensOf('12345')).toBe(5);
    expect(maxTokensOf('-0.5')).toBe(4);
    expect(maxTokensOf('trial one')).toBe(3);
    expect(maxTokensOf('a\n  b')).toBe(3);
    expect(maxTokensOf('θ角')).toBe(3);
    expect(maxTokensOf(' ')).toBe(0);
  });

  it('grows with the prompt and does not shrink after it, which would load the model anew', async () => {
    const { server, model } = await bench(() => ({ text: 'ok', usage: null }));
    for (const asked of [request, longRequest(700), request]) await model.complete(asked);
    const sizes = server.requests.map(({ body }) => (body.options as { num_ctx: number }).num_ctx);
    expect(sizes[0]).toBe(8192);
    expect(sizes[1]).toBe(contextFor(longRequest(700).messages));
    expect(sizes[1]).toBeGreaterThan(8192);
    expect(sizes[2]).toBe(sizes[1]);
  });
});

describe('a reply that fills the context, as long thinking does', () => {
  const filled = (prompt_tokens: number, completion_tokens: number): FakeReply => ({
    text: '',
    finishReason: 'length',
    usage: { prompt_tokens, completion_tokens },
  });

  it('gives the next one twice the room', async () => {
    const { server, model, log } = await bench((_, i) => [filled(92, 8100), filled(92, 16_291), 'ok'][i]!);
    for (const text of ['', '', 'ok']) expect((await model.complete(request)).text).toBe(text);
    const sizes = server.requests.map(({ body }) => (body.options as { num_ctx: number }).num_ctx);
    expect(sizes).toEqual([8192, 16_384, 16_384]);
    expect(log).toEqual(['ollama/fake-1: the reply filled its context of 8192 tokens; the next one gets 16384']);
  });

  it('does not grow without limit', async () => {
    const { server, model } = await bench(({ body }) => filled(92, (body.options as { num_ctx: number }).num_ctx));
    for (let i = 0; i < 5; i++) await model.complete(request);
    const sizes = server.requests.map(({ body }) => (body.options as { num_ctx: number }).num_ctx);
    expect(sizes).toEqual([8192, 16_384, 32_768, 65_536, 65_536]);
  });
});

describe('a prompt that Ollama cut', () => {
  const asked = longRequest(400);
  const sent = estimateTokens(asked.messages[0]!.content);

  it('is distinguished from a complete one', async () => {
    const { model } = await bench(() => 'ok');
    const { usage } = await model.complete(asked);
    expect(usage.estimated).toBe(false);
    expect(usage.promptTokens).toBeGreaterThan(0.8 * sent);
  });

  it('is judged by the count', () => {
    expect(judgePromptCount(8192, 3000, 8192)).toBe('full');
    expect(judgePromptCount(8191, 9000, 8192)).toBe('complete');
    expect(judgePromptCount(2050, 7900, 16384)).toBe('short');
    expect(judgePromptCount(500, 1000, 8192)).toBe('short');
    expect(judgePromptCount(500, 999, 8192)).toBe('complete');
  });

  it.each([
    ['half a context', 2050, {}],
    ['a whole context', 16384, {}],
    ['half of the context that the model is loaded with', 2050, { loadedContext: 4096 }],
  ])('never gives an answer: it read %s', async (_, counted, loaded) => {
    const { model, server } = await bench(() => counts(counted), loaded);
    const context = 'loadedContext' in loaded ? 4096 : 16384;
    expect(await failure(model, asked)).toBe(
      `[model ollama/fake-1] expected a chat completion from http://127.0.0.1:${server.port}/api/chat, ` +
        `got a reply to a cut prompt (it read ${counted} tokens of about ${sent}, with a context of ${context}); ` +
        'update Ollama, name a model with a larger context in llm.fallback, or lower critic.trajectory_tokens in a new run or a branch of this one ("r2po branch")',
    );
    expect(server.requests).toHaveLength(1);
  });

  it('was not cut when the loaded context holds all of it: that server counts new tokens only', async () => {
    const { model, log } = await bench(() => counts(17), { loadedContext: 16384 });
    for (let i = 0; i < 2; i++) {
      const { usage } = await model.complete(asked);
      expect(usage).toEqual({ ...countedUsage(sent, 3, true), cachedTokens: sent - 17 });
    }
    expect(log).toEqual(['ollama/fake-1: it counts only the new tokens of a prompt; its usage is estimated']);
  });

  it('is refused by newer servers', async () => {
    const error = 'the input length exceeds the context length; shift and truncate are off';
    const { model, server } = await bench(() => ({ status: 400, body: { error } }));
    expect(await failure(model)).toMatch(
      /the prompt is too long for this model; name a model with a larger context in llm\.fallback/,
    );
    expect(server.requests).toHaveLength(1);
    expect(model.droppedParameters).toEqual([]);
  });
});

describe('temporary failures of Ollama', () => {
  const lines = (...documents: object[]) => ({
    status: 200,
    body: documents.map((document) => `${JSON.stringify(document)}\n`).join(''),
  });
  const piece = { model: 'fake-1', message: { content: 'params' }, done: false };
  it.each([
    ['an error in the stream', lines(piece, { error: 'llama runner process has terminated' })],
    ['an error document', { status: 200, body: { error: 'the model fell over' } }],
    ['a stream without an end', lines(piece)],
    ['a truncated line', { status: 200, body: `${JSON.stringify(piece)}\n{"message":{"cont` }],
    ['an empty body', { status: 200, body: '' }],
    ['a model that was only loaded', lines({ ...piece, message: { content: '' }, done: true, done_reason: 'load' })],
    ['a cut connection', { reset: true }],
    ['a cut connection in the middle', { reset: true, text: 'params' }],
    ['a full queue', { status: 503, body: { error: 'server busy, please try again' } }],
    ['a crash', { status: 500, body: { error: 'model runner has unexpectedly stopped' } }],
  ] as const)('%s', async (_, first) => {
    const { model, waits } = await bench((__, i) => (i === 0 ? first : 'fine'));
    expect(await model.complete(request)).toMatchObject({ text: 'fine', requests: 2 });
    expect(waits).toEqual([0.75]);
  });

  it('waits as long as it is asked to', async () => {
    const { model, waits } = await bench((_, i) => (i === 0 ? { status: 429, headers: { 'retry-after': '7' } } : 'ok'));
    await model.complete(request);
    expect(waits).toEqual([7]);
  });

  it('leaves out what is refused, and turns thinking off when that is', async () => {
    const refuse = (error: string) => ({ status: 400, body: { error } });
    const { server, model } = await bench(({ body }) => {
      if (body.shift !== undefined) return refuse('unknown field "shift"');
      if (body.keep_alive !== undefined) return refuse('keep_alive is not available');
      if ((body.options as { seed?: number }).seed !== undefined) return refuse('invalid option: seed');
      if (body.think === undefined) return refuse('"fake-1" does not support thinking');
      return 'fine';
    });
    expect(await model.complete(request)).toMatchObject({ text: 'fine', requests: 5 });
    expect(await model.complete(request)).toMatchObject({ text: 'fine', requests: 1 });
    expect(model.droppedParameters).toEqual(['shift', 'keep_alive', 'seed', 'think']);
    expect(server.requests[5]!.body).toEqual({
      model: 'fake-1',
      messages: request.messages,
      stream: true,
      truncate: false,
      think: false,
      options: { num_ctx: 8192, temperature: 0.3 },
    });
  });
});

describe('permanent failures of Ollama', () => {
  it('a missing model: how to get it, and which there are', async () => {
    const missing = { status: 404, body: { error: "model 'fake-1' not found" } };
    const { model } = await bench(() => missing, { models: ['fake-2:latest', 'oth\u001b[31mer'] });
    expect(await failure(model)).toMatch(
      /got HTTP 404 \("model 'fake-1' not found"\); get the model with "ollama pull fake-1", or correct its name; it has .*fake-2:latest, oth\[31mer$/,
    );
    const { model: unlisted } = await bench(() => missing, { models: null });
    expect(await failure(unlisted)).toMatch(/or correct its name$/);
  });

  it('thinking that can be neither on nor off', async () => {
    const { model } = await bench(() => ({ status: 400, body: { error: 'think value is not supported' } }));
    expect(await failure(model)).toMatch(/got HTTP 400 \("think value is not supported"\)/);
  });

  it('a wrong key', async () => {
    const { model } = await bench(() => ({ status: 401, body: { error: `unauthorized: ${key}` } }));
    expect(await failure(model)).toMatch(
      /got HTTP 401 \("unauthorized: \[key\]"\); set OLLAMA_API_KEY to a valid key$/,
    );
  });

  it('HTML, and JSON of something else, at once', async () => {
    const { model, waits } = await bench(
      (_, i) =>
        [
          { status: 200, body: '<html>\u001b[2JHello</html>' },
          { status: 200, body: { choices: [] } },
        ][i]!,
    );
    expect(await failure(model)).toMatch(
      /got a body other than JSON: "<html>\[2JHello<\/html>" .*; is this the address of Ollama\?/,
    );
    expect(await failure(model)).toMatch(/got JSON without "message": "{"choices":\[\]}"/);
    expect(waits).toEqual([]);
  });

  it('a server that hangs, or never ends', async () => {
    const limits = { idleTimeoutSeconds: 0.15, timeoutSeconds: 0.4, maxAttempts: 1 };
    const { model, server } = await bench((_, i) => [{ trickle: true } as const, { hang: true } as const][i]!, limits);
    expect(await failure(model)).toMatch(/got no complete answer within 0\.4 s; .* raise llm\.timeout_s$/);
    const { settings } = impatientClient();
    const hosted = asHosted(`http://127.0.0.1:${server.port}`);
    expect(await failure(ollamaNative({ id: 'x', apiKey: null, ...settings, ...limits, ...hosted }))).toMatch(
      /got no data for 0\.15 s; .* raise llm\.idle_timeout_s$/,
    );
  });

  it('a server that is down', async () => {
    const { model, server } = await bench(() => 'fine');
    await server.close();
    expect(await failure(model)).toMatch(
      /ECONNREFUSED.* is the server running\? Start it, or correct the URL \(.*Ollama listens on 11434\)$/,
    );
  });

  it('a reply without end', async () => {
    const { model, waits } = await bench((_, i) => ({
      ...counts(5, 'ab'.repeat(i === 0 ? 2 ** 20 : 5e6)),
      plain: true,
    }));
    expect(await failure(model)).toMatch(
      /got a reply of more than 1048576 characters \(the last of 3 attempts\); the model seems to repeat itself/,
    );
    expect(waits).toHaveLength(2);
    const { model: circling } = await bench(() => counts(5, `once ${'ab'.repeat(2 ** 12)}`), { maxAttempts: 1 });
    const cut = await circling.complete(request);
    expect(cut).toMatchObject({ text: 'once ab', finish: 'repetition' });
  });
});
