/** OpenAI's two APIs, and Azure's addresses for them, on servers that answer as they do. */
import { afterEach, describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/base/errors.ts';
import { ReplyFormRefused } from '../../../src/llm/chat.ts';
import { azure } from '../../../src/llm/providers/azure.ts';
import { openAi } from '../../../src/llm/providers/openai.ts';
import { isReasoningModel } from '../../../src/llm/providers/openai-models.ts';
import type { ApiAnswer } from '../../support/api-server.ts';
import { asking, failureOf, type Hosted, type HostedOptions, hosted, secretKey } from '../../support/hosted.ts';

let open: Hosted[] = [];
afterEach(async () => {
  await Promise.all(open.map(({ server }) => server.close()));
  open = [];
});

async function bench(answer: Parameters<typeof hosted>[1], options: Partial<HostedOptions> = {}): Promise<Hosted> {
  const made = await hosted(openAi, answer, { model: 'gpt-5.1', ...options });
  open.push(made);
  return made;
}

const line = 'params[0]: 1.5, params[1]: -0.5\nIt moves.';

const usage = {
  input_tokens: 120,
  input_tokens_details: { cached_tokens: 64, cache_write_tokens: 9 },
  output_tokens: 250,
  output_tokens_details: { reasoning_tokens: 192 },
  total_tokens: 370,
};

const response = (change: object = {}) => ({
  id: 'resp_01',
  object: 'response',
  status: 'completed',
  error: null,
  incomplete_details: null,
  model: 'gpt-5.1-2025-11-13',
  output: [],
  usage,
  ...change,
});

/** The events of a reply of the Responses API, with a summary of its reasoning. */
function responseEvents(text: string, last: object = { type: 'response.completed', response: response() }): ApiAnswer {
  const running = response({ status: 'in_progress', usage: null });
  return {
    headers: { 'x-ratelimit-remaining-tokens': '149000' },
    events: [
      { type: 'response.created', sequence_number: 0, response: running },
      { type: 'response.in_progress', response: running },
      { type: 'response.output_item.added', output_index: 0, item: { type: 'reasoning', id: 'rs_1', summary: [] } },
      { type: 'response.reasoning_summary_part.added', part: { type: 'summary_text', text: '' } },
      { type: 'response.reasoning_summary_text.delta', delta: 'First f, ' },
      { type: 'response.reasoning_summary_text.delta', delta: 'then g.' },
      { type: 'response.reasoning_summary_text.done', text: 'First f, then g.' },
      { type: 'response.output_item.added', output_index: 1, item: { type: 'message', id: 'm', content: [] } },
      { type: 'response.output_text.delta', delta: text.slice(0, 10) },
      { type: 'response.output_text.delta', delta: text.slice(10) },
      { type: 'response.output_text.done', text },
      last,
    ],
  };
}

function chatEvents(text: string, finish = 'stop'): ApiAnswer {
  const chunk = (delta: object, finish_reason: string | null) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    model: 'gpt-4.1',
    choices: [{ index: 0, delta, finish_reason }],
  });
  const chunks = [chunk({ role: 'assistant', content: '' }, null), chunk({ content: text }, null), chunk({}, finish)];
  return {
    headers: { 'content-type': 'text/event-stream' },
    events: [...chunks, { choices: [], usage: { prompt_tokens: 9, completion_tokens: 8 } }],
  };
}

const refusal = (message: string, change: object = {}, status = 400): ApiAnswer => ({
  status,
  json: { error: { message, type: 'invalid_request_error', param: null, code: null, ...change } },
});

describe('the API of a model of OpenAI', () => {
  it.each([
    ['gpt-5.1', true],
    ['gpt-5-mini-2025-08-07', true],
    ['gpt-6', true],
    ['o4-mini', true],
    ['o3-pro', true],
    ['codex-mini-latest', true],
    ['gpt-5-chat-latest', false],
    ['gpt-4.1', false],
    ['gpt-4o-mini', false],
    ['chatgpt-4o-latest', false],
  ])('%s reasons: %s', (model, reasons) => {
    expect(isReasoningModel(model)).toBe(reasons);
  });

  it('is chat completions for one that does not reason', async () => {
    const { server, model } = await bench(() => chatEvents(line), { model: 'gpt-4.1', controls: { stop: ['#'] } });
    expect((await model.complete(asking())).text).toBe(line);
    const { path, headers, body } = server.requests[0]!;
    expect(path).toBe('/v1/chat/completions');
    expect(headers.authorization).toBe(`Bearer ${secretKey}`);
    expect(body).toEqual({
      model: 'gpt-4.1',
      messages: [
        { role: 'system', content: 'You maximise f.' },
        { role: 'user', content: 'Propose two parameters.' },
      ],
      temperature: 0.3,
      seed: 7,
      stop: ['#'],
      prompt_cache_key: 'r2po-search',
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it('is Responses where the endpoint says that the model needs it', async () => {
    const { server, model, log } = await bench(
      ({ path }) =>
        path.endsWith('/responses')
          ? responseEvents(line)
          : refusal(
              'This model is only supported in v1/responses and not in v1/chat/completions.',
              { param: 'model' },
              404,
            ),
      { model: 'new-pro' },
    );
    expect((await model.complete(asking(undefined, { seed: null }))).text).toBe(line);
    await model.complete(asking(undefined, { seed: null }));
    expect(server.requests.map(({ path }) => path)).toEqual(['/v1/chat/completions', '/v1/responses', '/v1/responses']);
    expect(log).toHaveLength(1);
  });

  it('is chat completions where a server has no Responses', async () => {
    const { server, model } = await bench(({ path }) =>
      path.endsWith('/responses') ? { status: 404, json: { detail: 'Not Found' } } : chatEvents(line),
    );
    expect((await model.complete(asking())).text).toBe(line);
    await model.complete(asking());
    expect(server.requests.map(({ path }) => path)).toEqual([
      '/v1/responses',
      '/v1/chat/completions',
      '/v1/chat/completions',
    ]);
    expect(server.requests[1]!.body).not.toHaveProperty('max_tokens');
  });

  it('is changed once at most', async () => {
    const { server, model } = await bench(({ path }) =>
      path.endsWith('/responses')
        ? { status: 404, json: { detail: 'Not Found' } }
        : refusal('This is not a chat model and thus not supported in the v1/chat/completions endpoint.', {}, 404),
    );
    expect(await failureOf(model)).toContain('not a chat model');
    expect(server.requests).toHaveLength(2);
  });

  it('refuses texts to stop at where it has none', async () => {
    await expect(bench(() => responseEvents(line), { controls: { stop: ['#'] } })).rejects.toThrow(UsageError);
  });
});

describe('a request to the Responses API', () => {
  it('has its fields', async () => {
    const { server, model } = await bench(() => responseEvents(line), {
      controls: { reasoningEffort: 'low', maxReplyTokens: 4000, topP: 0.8 },
    });
    await model.complete(asking('json', { purpose: 'critic' }), { run: '/home/me/runs/a' });
    const { path, body } = server.requests[0]!;
    expect(path).toBe('/v1/responses');
    expect(body).toMatchObject({
      model: 'gpt-5.1',
      input: [
        { role: 'system', content: 'You maximise f.' },
        { role: 'user', content: 'Propose two parameters.' },
      ],
      stream: true,
      store: false,
      temperature: 0.3,
      top_p: 0.8,
      max_output_tokens: 4000,
      reasoning: { effort: 'low', summary: 'auto' },
      prompt_cache_key: expect.stringMatching(/^r2po-critic-[0-9a-f]{16}$/),
      text: {
        format: {
          type: 'json_schema',
          name: 'reply',
          strict: true,
          schema: {
            properties: {
              params: { items: { type: 'number', minimum: -6, maximum: 6, multipleOf: 0.1 }, minItems: 2, maxItems: 2 },
              why: { maxLength: 160 },
            },
          },
        },
      },
    });
    expect(body).not.toHaveProperty('seed');
  });

  it.each([
    [
      'temperature',
      "Unsupported parameter: 'temperature' is not supported with this model.",
      'temperature',
      'temperature',
    ],
    [
      'a level of effort',
      "Unsupported value: 'minimal' is not supported with the 'gpt-5.1' model. Supported values are: 'none', 'low'.",
      'reasoning.effort',
      'reasoning.effort',
    ],
    [
      'summaries',
      'Your organization must be verified to generate reasoning summaries.',
      'reasoning.summary',
      'reasoning.summary',
    ],
    [
      'a keyword',
      "Invalid schema for response_format 'reply': In context=('properties', 'why'), 'maxLength' is not permitted.",
      'text.format.schema',
      'schema.maxLength',
    ],
  ])('is made again without %s that the model refuses', async (_, message, param, dropped) => {
    const { server, model } = await bench(
      (__, index) => (index === 0 ? refusal(message, { param }) : responseEvents('{"params": [1, 2], "why": ""}')),
      { controls: { reasoningEffort: 'minimal' } },
    );
    expect((await model.complete(asking('json', { seed: null }))).dropped).toEqual([dropped]);
    const last = dropped.split('.').at(-1)!;
    expect(server.requests.map(({ body }) => JSON.stringify(body).includes(`"${last}"`))).toEqual([true, false]);
  });

  it('tells the caller that the form is refused', async () => {
    const { model } = await bench(({ body }) =>
      body.text
        ? refusal('text.format is not supported with this model', { param: 'text.format' })
        : responseEvents(line),
    );
    await expect(model.complete(asking('json'))).rejects.toBeInstanceOf(ReplyFormRefused);
    expect((await model.complete(asking('lines'))).text).toBe(line);
  });
});

describe('a reply of the Responses API', () => {
  it('comes in events, with a summary of the reasoning and all counts', async () => {
    const { model } = await bench(() => responseEvents(line));
    expect(await model.complete(asking())).toMatchObject({
      text: line,
      reasoning: 'First f, then g.',
      usage: { promptTokens: 120, completionTokens: 250, cachedTokens: 64, cacheWriteTokens: 9, reasoningTokens: 192 },
      finish: 'stop',
      finishReason: 'completed',
      id: 'resp_01',
      model: 'gpt-5.1-2025-11-13',
      rateLimits: { 'x-ratelimit-remaining-tokens': '149000' },
    });
  });

  it('comes in one response', async () => {
    const output = [
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }] },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: line, annotations: [] }] },
    ];
    const { model } = await bench(() => ({ json: response({ output }) }));
    expect(await model.complete(asking())).toMatchObject({ text: line, reasoning: 'Hm.', finish: 'stop' });
  });

  it('that was cut says so', async () => {
    const cut = response({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
    const { model } = await bench(() =>
      responseEvents('params[0]: 1.5', { type: 'response.incomplete', response: cut }),
    );
    expect(await model.complete(asking())).toMatchObject({ finish: 'length', finishReason: 'max_output_tokens' });
  });

  it.each([
    [
      'a filter',
      {
        type: 'response.incomplete',
        response: response({ status: 'incomplete', incomplete_details: { reason: 'content_filter' } }),
      },
      'content_filter',
    ],
    [
      'a failure',
      {
        type: 'response.failed',
        response: response({ status: 'failed', error: { code: 'server_error', message: 'The model broke.' } }),
      },
      'The model broke.',
    ],
    ['an error', { type: 'error', code: 'rate_limit_exceeded', message: 'Slow down.', param: null }, 'Slow down.'],
  ])('with %s is a failure of the endpoint', async (_, last, words) => {
    const { server, model } = await bench(() => responseEvents('params[0]: 1', last));
    expect(await failureOf(model)).toContain(words);
    expect(server.requests).toHaveLength(words === 'content_filter' ? 2 : 3);
  });

  it('that refuses in words is a failure', async () => {
    const { model } = await bench(() => ({
      events: [
        { type: 'response.created', response: response({ status: 'in_progress' }) },
        { type: 'response.refusal.delta', delta: 'I cannot help with that.' },
        { type: 'response.completed', response: response() },
      ],
    }));
    expect(await failureOf(model)).toContain('I cannot help with that.');
  });

  it('that ends early is asked for again', async () => {
    const { server, model } = await bench((_, index) =>
      index === 0 ? { events: (responseEvents(line).events ?? []).slice(0, 9) } : responseEvents(line),
    );
    expect((await model.complete(asking())).text).toBe(line);
    expect(server.requests).toHaveLength(2);
  });

  it('of an unknown model names those that there are', async () => {
    const { server, model } = await bench(
      () => refusal("The model 'gpt-5.11' does not exist", { code: 'model_not_found' }, 404),
      { model: 'gpt-5.11', models: { data: [{ id: 'gpt-5.1' }, { id: 'gpt-4.1' }] } },
    );
    expect(await failureOf(model)).toContain('it has "gpt-5.1" among gpt-5.1, gpt-4.1');
    expect(server.requests.map(({ path }) => path)).toEqual(['/v1/responses']);
  });
});

describe('Azure', () => {
  const at = (path: string, env: Record<string, string> = {}) =>
    hosted(
      (options) => azure(options, env),
      () => chatEvents(line),
      { model: 'my-4.1', path },
    ).then((made) => {
      open.push(made);
      return made;
    });

  it.each([
    ['', {}, '/openai/deployments/my-4.1/chat/completions?api-version=2025-04-01-preview'],
    [
      '/openai',
      { AZURE_OPENAI_API_VERSION: '2024-10-21' },
      '/openai/deployments/my-4.1/chat/completions?api-version=2024-10-21',
    ],
    ['/openai/v1', {}, '/openai/v1/chat/completions'],
    ['/openai/v1', { AZURE_OPENAI_API_VERSION: 'preview' }, '/openai/v1/chat/completions?api-version=preview'],
  ])('is asked below "%s" with %o', async (path, env, asked) => {
    const { server, model } = await at(path, env);
    expect((await model.complete(asking())).text).toBe(line);
    expect(server.requests[0]!.path).toBe(asked);
    expect(server.requests[0]!.headers['api-key']).toBe(secretKey);
    expect(server.requests[0]!.headers).not.toHaveProperty('authorization');
  });

  it('asks a deployment that needs Responses by it', async () => {
    const made = await hosted(
      (options) => azure(options, {}),
      ({ path }) =>
        path.startsWith('/openai/responses')
          ? responseEvents(line)
          : refusal('The requested operation is unsupported; use the Responses API.'),
      { model: 'pro', path: '' },
    );
    open.push(made);
    expect((await made.model.complete(asking())).text).toBe(line);
    expect(made.server.requests[1]!.path).toBe('/openai/responses?api-version=2025-04-01-preview');
  });

  it('says what its filter found', async () => {
    const innererror = {
      code: 'ResponsibleAIPolicyViolation',
      content_filter_result: {
        hate: { filtered: false, severity: 'safe' },
        jailbreak: { filtered: true, detected: true },
        violence: { filtered: true, severity: 'medium' },
      },
    };
    const made = await hosted(
      (options) => azure(options, {}),
      () => refusal('The response was filtered.', { code: 'content_filter', innererror }),
      { model: 'my-4.1', path: '' },
    );
    open.push(made);
    const message = await failureOf(made.model);
    expect(message).toContain('The response was filtered.');
    expect(message).toContain('jailbreak, violence');
    expect(made.server.requests).toHaveLength(1);
  });
});
