/** Servers named by URL: reply constraints, controls, limits, and proxies. */
import { createServer, Server as HttpServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { UsageError } from '../../../src/base/errors.ts';
import { type ChatRequest, ReplyFormRefused } from '../../../src/llm/chat.ts';
import { type Controls, noControls } from '../../../src/llm/controls.ts';
import { resolveModel } from '../../../src/llm/providers/index.ts';
import { ollamaNative } from '../../../src/llm/providers/ollama-native.ts';
import { openAiCompatible } from '../../../src/llm/providers/openai-compatible.ts';
import { slotOf } from '../../../src/llm/providers/server-slots.ts';
import { closeConnections } from '../../../src/llm/providers/transport.ts';
import { gbnfOf, regexOf, schemaOf } from '../../../src/llm/reply/forms.ts';
import type { ReplyForm } from '../../../src/llm/reply/shape.ts';
import type { ApiAnswer, ApiRequest, ApiServer } from '../../support/api-server.ts';
import { impatientClient } from '../../support/endpoint.ts';
import { asking, failureOf, type HostedOptions, hosted, twoParameters } from '../../support/hosted.ts';

let open: ApiServer[] = [];
let proxies: Server[] = [];
afterEach(async () => {
  await Promise.all(open.map((server) => server.close()));
  closeConnections();
  for (const proxy of proxies) {
    if (proxy instanceof HttpServer) proxy.closeAllConnections();
    proxy.close();
  }
  open = [];
  proxies = [];
  vi.unstubAllEnvs();
});

async function serve(
  answer: (request: ApiRequest, index: number) => ApiAnswer,
  options: Partial<HostedOptions> = {},
  client: typeof openAiCompatible = openAiCompatible,
) {
  const made = await hosted(client, answer, { model: 'm', ...options });
  open.push(made.server);
  return made;
}

const says = (content: string, more: object = {}): ApiAnswer => ({
  json: { model: 'm', choices: [{ message: { content }, finish_reason: 'stop' }], ...more },
});
const line = 'params[0]: 1.5, params[1]: -0.5\nIt moves.';

describe('what a server is', () => {
  it('is unknown at first: it is asked for a schema, and for nothing when the reply is not held', async () => {
    const { server, model } = await serve(() => says('{}'));
    expect(model.replyForms).toEqual(['json', 'lines']);
    await model.complete(asking('json'));
    await model.complete(asking('lines'));
    expect(server.requests[0]!.body.response_format).toEqual({
      type: 'json_schema',
      json_schema: { name: 'reply', strict: true, schema: schemaOf(twoParameters, { bounds: true, steps: false }) },
    });
    expect(server.requests[1]!.body).not.toHaveProperty('response_format');
  });

  it.each([
    ['its header', { headers: { server: 'llama.cpp' } }, {}],
    ['its timings', {}, { timings: { prompt_n: 3, predicted_n: 9 } }],
    ['its fingerprint', {}, { system_fingerprint: 'b4567-0a1b2c3d' }],
  ])('llama.cpp by %s: it gets the grammar', async (_, answer, fields) => {
    const { server, model } = await serve(() => ({ ...says(line, fields), ...answer }));
    await model.complete(asking('json'));
    expect(model.replyForms).toEqual(['grammar', 'json', 'begun', 'lines']);
    await model.complete(asking('grammar'));
    expect(server.requests[1]!.body).toMatchObject({ grammar: gbnfOf(twoParameters), cache_prompt: true });
    expect(server.requests).toHaveLength(2);
  });

  /** A client of a server on a usual port, which is not there: its answers come from here. */
  function onUsualPort(port: number, paths: Readonly<Record<string, unknown>>) {
    const seen: { readonly path: string; readonly body: Record<string, unknown> }[] = [];
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const path = new URL(String(input)).pathname;
      seen.push({ path, body: init?.body ? JSON.parse(String(init.body)) : {} });
      if (init?.body) return Response.json({ choices: [{ message: { content: line }, finish_reason: 'stop' }] });
      return path in paths ? Response.json(paths[path]) : new Response('{}', { status: 404 });
    };
    const { settings } = impatientClient();
    const baseURL = `http://127.0.0.1:${port}/v1`;
    return { seen, model: openAiCompatible({ id: 'u', baseURL, apiKey: null, ...settings, model: 'm', fetch }) };
  }

  it('llama.cpp by its properties, before the first call; search and critic have a slot each', async () => {
    const props = { '/props': { default_generation_settings: {}, total_slots: 2 } };
    const { model, seen } = onUsualPort(8080, props);
    await model.ready();
    expect(model.replyForms[0]).toBe('grammar');
    const slots: unknown[] = [];
    for (const purpose of ['search', 'critic', 'search']) {
      await model.complete(asking('grammar', { purpose }), { run: 'a' });
      slots.push(seen.at(-1)?.body.id_slot);
    }
    expect(slots).toEqual([0, 1, 0]);
    await model.complete(asking('grammar'), { run: 'b' });
    expect(seen.at(-1)?.body).not.toHaveProperty('id_slot');
    expect(seen.filter(({ path }) => path === '/props')).toHaveLength(1);
  });

  it.each([
    ['0.12.1', { structured_outputs: { regex: regexOf(twoParameters) } }],
    ['0.8.5', { guided_regex: regexOf(twoParameters) }],
  ])('vLLM %s by its version: it gets the expression', async (version, fields) => {
    const { model, seen } = onUsualPort(8000, { '/version': { version } });
    await model.ready();
    expect(model.replyForms).toEqual(['regex', 'grammar', 'json', 'begun', 'lines']);
    await model.complete(asking('regex'));
    expect(seen.at(-1)?.body).toMatchObject(fields);
    await model.complete(asking('begun'));
    expect(seen.at(-1)?.body).toMatchObject({ continue_final_message: true, add_generation_prompt: false });
  });

  it.each([
    ['llama.cpp', { '/props': { default_generation_settings: { n_ctx: 6144 }, total_slots: 3 } }, 6144],
    ['vLLM', { '/version': { version: '0.12.1' }, '/v1/models': { data: [{ id: 'm', max_model_len: 9216 }] } }, 9216],
    [
      'another',
      {
        '/v1/models': {
          data: [
            { id: 'n', context_length: 1 },
            { id: 'm', context_length: 7168 },
          ],
        },
      },
      7168,
    ],
    ['one that does not say', { '/v1/models': { data: [{ id: 'm' }] } }, null],
    ['one without a list', {}, null],
  ])('says the context of %s', async (_, paths, tokens) => {
    const { model } = onUsualPort(8080, paths);
    await model.ready();
    expect(await model.contextTokens?.()).toBe(tokens);
  });

  it('says the context of a model of Ollama, by its name', async () => {
    const asked: unknown[] = [];
    const { model } = await serve(
      ({ path, body }) => {
        asked.push([path, body.model]);
        return { json: { model_info: { 'general.name': 'q', 'qwen2.context_length': 32768 } } };
      },
      { path: '' },
      ollamaNative,
    );
    expect(await model.contextTokens?.()).toBe(32768);
    expect(asked).toEqual([['/api/show', 'm']]);
  });

  it('is not asked for on ephemeral ports', async () => {
    const { server, model } = await serve(() => says(line));
    await model.ready();
    await model.complete(asking('json'));
    expect(server.requests.map(({ method }) => method)).toEqual(['POST']);
  });

  it('slots go to who asks first, and to another one when they are not used', () => {
    const ask = (key: string, now: number, slots = 2) => slotOf('http://s', key, slots, now);
    expect([ask('a', 0), ask('b', 1000), ask('a', 2000), ask('c', 3000)]).toEqual([0, 1, 0, null]);
    expect([ask('c', 121_500), ask('b', 121_600), ask('a', 121_700)]).toEqual([1, null, 0]);
    expect(slotOf('http://t', 'a', 1, 0)).toBeNull();
  });
});

describe('a prefilled reply', () => {
  const begin = async (text: string) => {
    const { server, model, log } = await serve(() => says(text, { timings: { prompt_n: 1 } }));
    await model.complete(asking('json'));
    const reply = await model.complete(asking('begun'));
    const { messages } = server.requests[1]!.body;
    expect(messages.at(-1)).toEqual({ role: 'assistant', content: 'params[0]:' });
    return { reply, model, log };
  };

  it('contains its prefill, whether the server repeats it or not', async () => {
    expect((await begin(' 1.5, params[1]: -0.5\nIt moves.')).reply.text).toBe(line);
    expect((await begin(line)).reply.text).toBe(line);
  });

  it('is no longer prefilled for a model that starts anew', async () => {
    const { reply, model, log } = await begin(`Here it is.\n${line}`);
    expect(reply.text).toBe(`Here it is.\n${line}`);
    expect(model.replyForms).toEqual(['grammar', 'json', 'lines']);
    expect(log.join()).toMatch(/does not continue prefilled replies/);
  });
});

describe('a form that is refused', () => {
  const refusals: [ReplyForm, number, string][] = [
    ['json', 400, 'Failed to initialize samplers: failed to parse grammar'],
    ['json', 400, "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model"],
    ['json', 422, "body.response_format.type: Input should be 'text' or 'json_object'"],
    ['json', 400, 'This response_format type is unavailable now'],
    ['json', 500, 'Structured outputs are not supported by this backend'],
    ['json', 501, 'guided decoding is not implemented'],
    ['json', 400, 'Bad Request'],
    ['grammar', 400, 'failed to parse grammar'],
    ['grammar', 500, 'Failed to initialize samplers'],
    ['begun', 400, 'Assistant response prefill is incompatible with enable_thinking.'],
    ['begun', 400, 'Conversation roles must alternate user/assistant/user/assistant/...'],
  ];
  it.each(refusals)('%s by %i "%s" is gone for good', async (form, status, message) => {
    const { model } = await serve(({ body }, i) => {
      if (i === 0) return says(line, { timings: { prompt_n: 1 } });
      const isHeld = 'response_format' in body || 'grammar' in body || body.messages.at(-1).role === 'assistant';
      return isHeld ? { status, json: { error: { message } } } : says(line);
    });
    await model.complete(asking('lines'));
    expect(model.replyForms).toContain(form);
    const error = await model.complete(asking(form)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ReplyFormRefused);
    expect(error).toMatchObject({ form, reason: message });
    expect(model.replyForms).not.toContain(form);
    expect((await model.complete(asking('lines'))).text).toBe(line);
  });

  it('within a stream is refused, too', async () => {
    const { model } = await serve(() => ({ json: { error: { code: 400, message: 'failed to parse grammar' } } }));
    await expect(model.complete(asking('json'))).rejects.toBeInstanceOf(ReplyFormRefused);
  });

  it.each([
    [401, 'invalid api key', /HTTP 401/],
    [404, 'model "m" not found', /HTTP 404/],
    [400, 'maximum context length is 512 tokens', /the prompt is too long/],
    [500, 'out of memory', /HTTP 500/],
  ])('is not what %i "%s" is about', async (status, message, says) => {
    const { model } = await serve(() => ({ status, json: { error: { message } } }));
    expect(await failureOf(model, asking('json'))).toMatch(says);
    expect(model.replyForms).toContain('json');
  });
});

describe('controls', () => {
  const all: Partial<Controls> = {
    topP: 0.91,
    stop: ['END', '###'],
    reasoningEffort: 'low',
    think: false,
    maxReplyTokens: 777,
    extraBody: { min_p: 0.05, top_p: 0.5 },
  };

  it('are sent, and fields of the user are laid over all others', async () => {
    const { server, model } = await serve(() => says(line), { controls: all });
    await model.complete(asking('lines'));
    expect(server.requests[0]!.body).toMatchObject({
      top_p: 0.5,
      min_p: 0.05,
      stop: ['END', '###'],
      reasoning_effort: 'low',
      max_tokens: 777,
      chat_template_kwargs: { enable_thinking: false },
    });
  });

  it('of Ollama stand where it has them', async () => {
    const controls = { ...all, think: null, numCtx: 2048, keepAlive: '-1', extraBody: { raw: false } };
    const answer = { json: { message: { content: line, thinking: 'Hm.' }, done: true, done_reason: 'stop' } };
    const { server, model } = await serve(() => answer, { controls, path: '' }, ollamaNative);
    expect(model.replyForms).toEqual(['json', 'begun', 'lines']);
    expect(await model.complete(asking('json'))).toMatchObject({ text: line, reasoning: 'Hm.' });
    const { body } = server.requests[0]!;
    expect(body).toMatchObject({ think: 'low', keep_alive: -1, raw: false, format: { required: ['params', 'why'] } });
    expect(body.options).toMatchObject({ num_ctx: 2048, num_predict: 777, top_p: 0.91, stop: ['END', '###'] });
    const { settings } = impatientClient();
    const client = { ...settings, id: 'o', baseURL: 'http://x', apiKey: null, model: 'm' };
    const minimal = { ...noControls, reasoningEffort: 'minimal' as const };
    expect(() => ollamaNative({ ...client, controls: minimal })).toThrow(/expected one of none, low, medium, high/);
  });

  const named = (name: string, controls: Partial<Controls>, env: Record<string, string> = {}) =>
    resolveModel(name, {
      env,
      settings: { ...impatientClient().settings, controls: { ...noControls, ...controls } },
      extra: {},
    });

  it('that a provider does not support are refused, naming those that do', async () => {
    const call = named('http://127.0.0.1:40000/v1#m', { numCtx: 4096 });
    await expect(call).rejects.toThrow(UsageError);
    await expect(call).rejects.toThrow(/expected no llm\.num_ctx, .*supported by ollama\/<model>\)/);
    await expect(named('openai/gpt-4.1', { keepAlive: '5m' }, { OPENAI_API_KEY: 'k' })).rejects.toThrow(
      /llm\.keep_alive/,
    );
  });

  it('headers take their values from the environment, and these are shown nowhere', async () => {
    const secret = 'team-secret-77';
    const { server } = await serve(() => ({ status: 400, json: { error: { message: `no ${secret}` } } }));
    const name = `${server.url}/v1#m`;
    const headers = { 'X-Team': '$TEAM_TOKEN' };
    const model = await named(name, { headers }, { TEAM_TOKEN: secret });
    const message = await failureOf(model);
    expect(server.requests[0]!.headers['x-team']).toBe(secret);
    expect(message).toContain('no [key]');
    await expect(named(name, { headers })).rejects.toThrow(/expected a value in the environment variable TEAM_TOKEN/);
    await expect(named(name, { headers: { 'X-Team': 'literal-secret' } })).rejects.not.toThrow(/literal-secret/);
    await expect(named(name, { headers: { Host: '$TEAM_TOKEN' } }, { TEAM_TOKEN: 'x' })).rejects.toThrow(UsageError);
  });
});

describe('the limit of a reply', () => {
  const cut = (completion_tokens: number): ApiAnswer => ({
    json: {
      choices: [{ message: { content: 'params[0]: 1' }, finish_reason: 'length' }],
      usage: { prompt_tokens: 9, completion_tokens },
    },
  });

  it('is derived, grows after a cut, which is said, and with a model that reasons', async () => {
    const { server, model, log } = await serve(({ body }, i) => {
      if (i === 0) return cut(body.max_tokens);
      return { json: { choices: [{ message: { content: line, reasoning: 'Hm.' }, finish_reason: 'stop' }] } };
    });
    expect(await model.complete(asking('json'))).toMatchObject({ finish: 'length', text: 'params[0]: 1' });
    for (let i = 0; i < 2; i++) await model.complete(asking('json'));
    const [first, second, third] = server.requests.map(({ body }) => body.max_tokens);
    expect(first).toBeGreaterThan(4096);
    expect(first).toBeLessThan(8192);
    expect(second).toBe(2 * first);
    expect(third).toBeGreaterThan(2 * 32_768);
    expect(log).toEqual([
      `test/m: the reply was cut at ${first} tokens, with a limit of ${first}; the next reply gets more`,
    ]);
  });

  it("is the user's own when there is one", async () => {
    const { server, model, log } = await serve(() => cut(50), { controls: { maxReplyTokens: 50 } });
    for (let i = 0; i < 2; i++) await model.complete(asking('json'));
    expect(server.requests.map(({ body }) => body.max_tokens)).toEqual([50, 50]);
    expect(log[0]).toMatch(/cut at 50 tokens, with a limit of 50; raise llm\.max_reply_tokens/);
  });

  it('has the name that the endpoint takes, and is left out where it does not fit', async () => {
    const { server, model } = await serve(({ body }) =>
      body.max_tokens === undefined
        ? says(line)
        : { status: 400, json: { error: { message: "Use 'max_completion_tokens' instead.", param: 'max_tokens' } } },
    );
    await model.complete(asking('json'));
    expect(server.requests[1]!.body.max_completion_tokens).toBe(server.requests[0]!.body.max_tokens);
    const small = await serve(({ body }) =>
      body.max_tokens === undefined && body.max_completion_tokens === undefined
        ? says(line)
        : { status: 400, json: { error: { message: 'maximum context length is 4096 tokens, you requested 9000' } } },
    );
    expect((await small.model.complete(asking('json'))).text).toBe(line);
  });

  const tooLong = "This model's maximum context length is 4096 tokens. However, ";
  it.each([
    [{ message: `${tooLong}your messages resulted in 5021 tokens.`, code: 'context_length_exceeded' }],
    [{ message: 'Please reduce the length of the messages.', code: 'context_length_exceeded' }],
    [{ message: `${tooLong}you requested 9117 tokens (5021 in the messages, 4096 in the completion).` }],
    [{ message: `${tooLong}you requested 9117 output tokens and your prompt contains at least 5021 input tokens.` }],
    [{ message: `${tooLong}reduce max_tokens or the input.`, param: 'messages' }],
    [{ message: 'the request exceeds the available context size, try increasing it or lower the temperature' }],
  ])('and all other parameters are kept where the prompt alone is too long: %j', async (error) => {
    const { server, model } = await serve(() => ({ status: 400, json: { error } }));
    expect(await failureOf(model, asking('lines'))).toMatch(
      /the prompt is too long for this model; name a model with a larger context/,
    );
    expect(server.requests).toHaveLength(1);
    expect(model.droppedParameters).toEqual([]);
  });

  it('is left out where it does not fit beside the prompt', async () => {
    const message = `${tooLong}you requested 9117 tokens (21 in the messages, 9096 in the completion).`;
    const refusing = { status: 400, json: { error: { message, param: 'messages', code: 'context_length_exceeded' } } };
    const { model } = await serve(({ body }) => ('max_tokens' in body ? refusing : says(line)));
    expect((await model.complete(asking('lines'))).text).toBe(line);
    expect(model.droppedParameters).toEqual(['max_tokens']);
  });
});

describe('a proxy of the environment', () => {
  it('is used for all hosts but this machine and those of NO_PROXY', async () => {
    const { server } = await serve(() => says(line));
    const tunnels: string[] = [];
    const proxy = createServer();
    proxies.push(proxy);
    proxy.on('connect', (request, socket) => {
      tunnels.push(String(request.url));
      const { port } = new URL(server.url);
      const upstream = connect(Number(port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
      socket.on('error', () => upstream.destroy());
      upstream.on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    process.env.HTTP_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    process.env.NO_PROXY = 'direct.invalid';
    try {
      const { settings } = impatientClient();
      const at = (baseURL: string) => openAiCompatible({ id: 'p', baseURL, apiKey: null, ...settings, maxAttempts: 1 });
      const plain: ChatRequest = asking('lines');
      expect((await at('http://far.invalid:81/v1').complete(plain)).text).toBe(line);
      expect((await at(`${server.url}/v1`).complete(plain)).text).toBe(line);
      await expect(at('http://direct.invalid/v1').complete(plain)).rejects.toThrow(/no connection/);
      expect(tunnels).toEqual(['far.invalid:81']);
    } finally {
      delete process.env.HTTP_PROXY;
      delete process.env.NO_PROXY;
    }
  });

  /** A proxy that treats each connection after its first data like this, and how many there were. */
  async function proxyThat(treats: (socket: Socket) => void) {
    const seen = { connections: 0, open: 0 };
    const proxy = createTcpServer((socket) => {
      seen.connections += 1;
      seen.open += 1;
      socket.on('error', () => {}).on('close', () => (seen.open -= 1));
      socket.once('data', () => treats(socket));
    });
    proxies.push(proxy);
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    return seen;
  }

  const behindProxy = () => {
    const { settings } = impatientClient();
    return openAiCompatible({ id: 'p', baseURL: 'https://far.invalid/v1', apiKey: null, ...settings });
  };

  it('that drops CONNECT fails the request, once for each attempt', async () => {
    const seen = await proxyThat((socket) => socket.destroy());
    await expect(behindProxy().complete(asking('lines'))).rejects.toThrow(
      /no tunnel through the proxy: .*\(the last of 3 attempts\); check the proxy in HTTP_PROXY and HTTPS_PROXY/,
    );
    expect(seen.connections).toBe(3);
  });

  it('that refuses CONNECT for good is asked once', async () => {
    const seen = await proxyThat((socket) => socket.end('HTTP/1.1 407 Who are you\r\ncontent-length: 0\r\n\r\n'));
    await expect(behindProxy().complete(asking('lines'))).rejects.toThrow(
      /got no connection \([^)]*\(407\)[^;]*; check the proxy/,
    );
    expect(seen.connections).toBe(1);
  });

  it('that never answers CONNECT keeps no connection once the command is done', async () => {
    const asked = new AbortController();
    const seen = await proxyThat(() => asked.abort());
    await expect(behindProxy().complete(asking('lines'), { signal: asked.signal })).rejects.toThrow(/interrupted/);
    expect(seen.open).toBe(1);
    closeConnections();
    await vi.waitFor(() => expect(seen.open).toBe(0));
  });

  it.each(['127.0.0.1:8404', 'proxy:3128', 'ftp://proxy'])('of the address %s is refused before a request', (proxy) => {
    vi.stubEnv('HTTPS_PROXY', proxy);
    expect(behindProxy).toThrow(UsageError);
    expect(behindProxy).toThrow(
      /\[proxy\] expected URLs such as http:\/\/proxy:3128 in HTTP_PROXY and HTTPS_PROXY; correct/,
    );
  });
});
