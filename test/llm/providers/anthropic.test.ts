/** Anthropic's messages API, on a server that answers as it does. */
import { afterEach, describe, expect, it } from 'vitest';
import { ReplyFormRefused } from '../../../src/llm/chat.ts';
import { anthropic } from '../../../src/llm/providers/anthropic.ts';
import { cacheBlocks } from '../../../src/llm/providers/cache-blocks.ts';
import type { ApiAnswer } from '../../support/api-server.ts';
import { asking, failureOf, type Hosted, type HostedOptions, hosted, secretKey } from '../../support/hosted.ts';

let open: Hosted[] = [];
afterEach(async () => {
  await Promise.all(open.map(({ server }) => server.close()));
  open = [];
});

async function bench(answer: Parameters<typeof hosted>[1], options: Partial<HostedOptions> = {}): Promise<Hosted> {
  const made = await hosted(anthropic, answer, { model: 'claude-opus-4-6', ...options });
  open.push(made);
  return made;
}

const usage = {
  input_tokens: 12,
  cache_read_input_tokens: 300,
  cache_creation_input_tokens: 40,
  output_tokens: 1,
};

/** The events of a reply in two pieces, with thoughts in front. */
function events(text: string, end: object = { stop_reason: 'end_turn' }, thoughts = ''): ApiAnswer {
  const half = Math.ceil(text.length / 2);
  const message = { id: 'msg_01', type: 'message', role: 'assistant', model: 'claude-opus-4-6', content: [], usage };
  const block = (index: number, type: string, deltas: readonly object[]) => [
    { type: 'content_block_start', index, content_block: { type, text: '', thinking: '' } },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ];
  return {
    headers: { 'anthropic-ratelimit-tokens-remaining': '79000' },
    events: [
      { type: 'message_start', message },
      { type: 'ping' },
      ...(thoughts === ''
        ? []
        : block(0, 'thinking', [
            { type: 'thinking_delta', thinking: thoughts },
            { type: 'signature_delta', signature: 'c2ln' },
          ])),
      ...block(1, 'text', [
        { type: 'text_delta', text: text.slice(0, half) },
        { type: 'text_delta', text: text.slice(half) },
      ]),
      {
        type: 'message_delta',
        delta: end,
        usage: { output_tokens: 57, output_tokens_details: { thinking_tokens: thoughts === '' ? 0 : 31 } },
      },
      { type: 'message_stop' },
    ],
  };
}

const refusal = (message: string, status = 400, type = 'invalid_request_error'): ApiAnswer => ({
  status,
  json: { type: 'error', error: { type, message }, request_id: 'req_1' },
});

const line = 'params[0]: 1.5, params[1]: -0.5\nIt moves.';

describe('a request to Anthropic', () => {
  it('has the key, the version and the fields of the messages API', async () => {
    const { server, model } = await bench(() => events(line), { controls: { topP: 0.9, stop: ['###'] } });
    await model.complete(asking());
    const { path, headers, body } = server.requests[0]!;
    expect(path).toBe('/v1/messages');
    expect(headers).toMatchObject({ 'x-api-key': secretKey, 'anthropic-version': '2023-06-01' });
    expect(headers).not.toHaveProperty('authorization');
    expect(body).toEqual({
      model: 'claude-opus-4-6',
      max_tokens: 8192,
      stream: true,
      system: [{ type: 'text', text: 'You maximise f.' }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Propose two parameters.' }] }],
      temperature: 0.3,
      top_p: 0.9,
      stop_sequences: ['###'],
    });
  });

  it('marks what later prompts begin with', async () => {
    const { server, model } = await bench(() => events(line));
    const content = 'Task.\n\nTrial 1\nTrial 2\nNew.';
    await model.complete(asking(undefined, { messages: [{ role: 'user', content, cacheBreaks: [7, 15, 23] }] }));
    const kept = { cache_control: { type: 'ephemeral' } };
    expect(server.requests[0]!.body.messages[0].content).toEqual([
      { type: 'text', text: 'Task.\n\n', ...kept },
      { type: 'text', text: 'Trial 1\n', ...kept },
      { type: 'text', text: 'Trial 2\n', ...kept },
      { type: 'text', text: 'New.' },
    ]);
  });

  it.each([
    ['claude-opus-4-6', { think: true }, { type: 'adaptive', display: 'summarized' }, undefined],
    ['claude-opus-5-5', { reasoningEffort: 'xhigh' }, { type: 'adaptive', display: 'summarized' }, { effort: 'xhigh' }],
    ['claude-sonnet-4-5-20250929', { think: true }, { type: 'enabled', budget_tokens: 6144 }, undefined],
    [
      'claude-opus-4-5-20251101',
      { reasoningEffort: 'minimal' },
      { type: 'enabled', budget_tokens: 1024 },
      { effort: 'low' },
    ],
    ['claude-haiku-4-5', { reasoningEffort: 'low' }, { type: 'enabled', budget_tokens: 2048 }, undefined],
    ['claude-opus-4-6', { think: false, reasoningEffort: 'low' }, { type: 'disabled' }, { effort: 'low' }],
    ['claude-opus-4-6', { reasoningEffort: 'none' }, { type: 'disabled' }, undefined],
    ['claude-3-5-haiku-20241022', { think: false }, { type: 'disabled' }, undefined],
    ['claude-opus-4-6', {}, undefined, undefined],
  ] as const)('asks %s for thinking by %o', async (name, controls, thinking, config) => {
    const { server, model } = await bench(() => events(line), { model: name, controls });
    await model.complete(asking());
    expect(server.requests[0]!.body.thinking).toEqual(thinking);
    expect(server.requests[0]!.body.output_config).toEqual(config);
  });

  it('refuses thinking for a model without it', async () => {
    await expect(
      bench(() => events(line), { model: 'claude-3-5-haiku-20241022', controls: { think: true } }),
    ).rejects.toThrow('expected a model that can think, got "claude-3-5-haiku-20241022"');
  });

  it.each([
    ['claude-opus-4-6', ['json', 'lines']],
    ['claude-haiku-4-5', ['json', 'begun', 'lines']],
    ['claude-3-5-sonnet-20241022', ['begun', 'lines']],
    ['claude-sonnet-9', ['json', 'lines']],
  ])('%s holds replies by %o', async (name, forms) => {
    const { model } = await bench(() => events(line), { model: name });
    expect(model.replyForms).toEqual(forms);
  });

  it('holds a reply by a schema without the keywords that the API refuses', async () => {
    const { server, model } = await bench(() => events('{"params": [1, 2], "why": "x"}'));
    await model.complete(asking('json'));
    expect(server.requests[0]!.body.output_config).toEqual({
      format: {
        type: 'json_schema',
        schema: {
          type: 'object',
          properties: { params: { type: 'array', items: { type: 'number' } }, why: { type: 'string' } },
          required: ['params', 'why'],
          additionalProperties: false,
        },
      },
    });
    expect(server.requests[0]!.body.max_tokens).toBeGreaterThan(1000);
  });
});

describe('a reply of Anthropic', () => {
  it('continues a prefill if the model supports it', async () => {
    const { server, model } = await bench(() => events(line.slice('params[0]:'.length)), { model: 'claude-haiku-4-5' });
    expect((await model.complete(asking('begun'))).text).toBe(line);
    expect(server.requests[0]!.body.messages.at(-1)).toEqual({
      role: 'assistant',
      content: [{ type: 'text', text: 'params[0]:' }],
    });
  });

  it('is not prefilled if the model refuses it', async () => {
    const message =
      'This model does not support assistant message prefill. The conversation must end with a user message.';
    const { model } = await bench(() => refusal(message), { model: 'claude-haiku-4-5' });
    await expect(model.complete(asking('begun'))).rejects.toBeInstanceOf(ReplyFormRefused);
    expect(model.replyForms).toEqual(['json', 'lines']);
  });

  it('comes in events, with thoughts and all counts of tokens', async () => {
    const { model } = await bench(() => events(line, { stop_reason: 'end_turn' }, 'First f, then g.'));
    expect(await model.complete(asking())).toMatchObject({
      text: line,
      reasoning: 'First f, then g.',
      usage: {
        promptTokens: 352,
        completionTokens: 57,
        cachedTokens: 300,
        cacheWriteTokens: 40,
        reasoningTokens: 31,
        estimated: false,
      },
      finish: 'stop',
      finishReason: 'end_turn',
      id: 'msg_01',
      model: 'claude-opus-4-6',
      rateLimits: { 'anthropic-ratelimit-tokens-remaining': '79000' },
    });
  });

  it('comes in one message', async () => {
    const { model } = await bench(() => ({
      json: {
        id: 'msg_02',
        type: 'message',
        role: 'assistant',
        model: 'claude-opus-4-6',
        content: [
          { type: 'thinking', thinking: 'Hm.', signature: '' },
          { type: 'text', text: line },
        ],
        stop_reason: 'stop_sequence',
        usage: { ...usage, output_tokens: 20 },
      },
    }));
    expect(await model.complete(asking())).toMatchObject({
      text: line,
      reasoning: 'Hm.',
      finish: 'stop',
      usage: { promptTokens: 352, completionTokens: 20, reasoningTokens: null },
    });
  });

  it.each(['max_tokens', 'model_context_window_exceeded'])('that was cut says so (%s)', async (reason) => {
    const { model } = await bench(() => events('params[0]: 1', { stop_reason: reason }));
    expect(await model.complete(asking())).toMatchObject({ finish: 'length', finishReason: reason });
  });

  it('that is refused is a failure, with the reason', async () => {
    const end = { stop_reason: 'refusal', stop_details: { category: 'bio', explanation: 'It is about biology.' } };
    const { server, model } = await bench(() => events('', end));
    expect(await failureOf(model)).toContain('blocked by a content filter ("It is about biology.")');
    expect(server.requests).toHaveLength(2);
  });

  it.each(['refusal', 'pause_turn', 'tool_use'])('that ends by %s is a failure', async (reason) => {
    const { model } = await bench(() => events('', { stop_reason: reason }));
    expect(await failureOf(model)).toContain(reason);
  });

  it('with an error in its events is asked for again', async () => {
    const [first, second] = (events(line).events ?? []) as object[];
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    const { server, model, waits } = await bench((_, index) =>
      index === 0 ? { events: [first!, second!, error] } : events(line),
    );
    expect((await model.complete(asking())).text).toBe(line);
    expect(server.requests).toHaveLength(2);
    expect(waits).toHaveLength(1);
  });

  it('that is truncated, or refused by an overloaded server, is requested again', async () => {
    const { server, model } = await bench((_, index) => {
      if (index === 0) return refusal('Overloaded', 529, 'overloaded_error');
      if (index === 1) return { events: (events(line).events ?? []).slice(0, 5) };
      return events(line);
    });
    expect((await model.complete(asking())).text).toBe(line);
    expect(server.requests).toHaveLength(3);
  });
});

describe('what Anthropic refuses', () => {
  it('is omitted from then on', async () => {
    const { server, model, log } = await bench(({ body }) => {
      if (body.temperature !== undefined) return refusal('`temperature` is deprecated for this model.');
      return events(line);
    });
    expect((await model.complete(asking(undefined, { seed: null }))).dropped).toEqual(['temperature']);
    await model.complete(asking(undefined, { seed: null }));
    expect(server.requests.map(({ body }) => 'temperature' in body)).toEqual([true, false, false]);
    expect(log).toHaveLength(1);
  });

  it('includes seeds, which is reported once', async () => {
    const { model, log } = await bench(() => events(line));
    expect((await model.complete(asking())).dropped).toEqual(['seed']);
    await model.complete(asking());
    expect(log).toEqual(['test/claude-opus-4-6: the API supports no seed; omitting it']);
  });

  it('cannot be omitted twice', async () => {
    const { server, model } = await bench(() => refusal('`temperature` is deprecated for this model.'));
    expect(await failureOf(model)).toContain('HTTP 400');
    expect(server.requests).toHaveLength(2);
  });

  it('is asked for in the other way that there is', async () => {
    const types: unknown[] = [];
    const { model } = await bench(
      ({ body }) => {
        types.push(body.thinking?.type);
        if (body.thinking?.type === 'adaptive')
          return refusal('thinking.type: adaptive is not supported on this model');
        return events(line);
      },
      { controls: { think: true } },
    );
    await model.complete(asking(undefined, { temperature: null }));
    expect(types).toEqual(['adaptive', 'enabled']);
  });

  it('can be the length of the reply, whose limit it names', async () => {
    const message = 'max_tokens: 8192 > 4096, which is the maximum allowed number of output tokens for claude-3-haiku';
    const { server, model } = await bench(({ body }) => (body.max_tokens > 4096 ? refusal(message) : events(line)));
    await model.complete(asking());
    expect(server.requests.map(({ body }) => body.max_tokens)).toEqual([8192, 4096]);
  });

  it('can be the form of the reply, which the caller learns', async () => {
    const { model } = await bench(({ body }) =>
      body.output_config ? refusal('output_config.format: Extra inputs are not permitted') : events(line),
    );
    await expect(model.complete(asking('json'))).rejects.toBeInstanceOf(ReplyFormRefused);
    expect(model.replyForms).toEqual(['lines']);
    expect((await model.complete(asking('lines'))).text).toBe(line);
  });

  it('can be the model, and then the available models are named', async () => {
    const { model } = await bench(() => refusal('model: claude-opus-4-66', 404, 'not_found_error'), {
      model: 'claude-opus-4-66',
      models: { data: [{ id: 'claude-opus-4-6' }, { id: 'claude-haiku-4-5' }], has_more: false },
    });
    const message = await failureOf(model);
    expect(message).toContain('HTTP 404 ("model: claude-opus-4-66")');
    expect(message).toContain('"claude-opus-4-6" among claude-opus-4-6, claude-haiku-4-5');
  });

  it('can be the key', async () => {
    const { model } = await bench(() => refusal('invalid x-api-key', 401, 'authentication_error'));
    expect(await failureOf(model)).toContain('set TEST_API_KEY to a valid key');
  });
});

describe('the blocks of a prompt', () => {
  it('mark the first break and the last two', () => {
    const blocks = cacheBlocks({ role: 'user', content: 'abcdefgh', cacheBreaks: [1, 2, 3, 4, 5] }, true);
    expect(blocks.map(({ text }) => text)).toEqual(['a', 'b', 'c', 'd', 'e', 'fgh']);
    expect(blocks.map((block) => 'cache_control' in block)).toEqual([true, false, false, true, true, false]);
  });

  it('hold no blank block and nothing but the text', () => {
    for (const cacheBreaks of [[], [0, 3, 5, 9, 11], [2, 2, 4], [50], [7]]) {
      for (const content of ['ab \n  \n cd ', 'abcdefghijk', '  \n  abc   \n ']) {
        const blocks = cacheBlocks({ role: 'user', content, cacheBreaks }, true);
        expect(blocks.map(({ text }) => text).join('')).toBe(content);
        expect(blocks.filter(({ text }) => text.trim() === '')).toEqual([]);
      }
    }
  });
});
