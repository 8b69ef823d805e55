/** Gemini's own API, and OpenRouter, on servers that answer as they do. */
import { afterEach, describe, expect, it } from 'vitest';
import { ReplyFormRefused } from '../../../src/llm/chat.ts';
import { gemini } from '../../../src/llm/providers/gemini.ts';
import { openRouter } from '../../../src/llm/providers/openrouter.ts';
import type { ApiAnswer } from '../../support/api-server.ts';
import { asking, failureOf, type Hosted, type HostedOptions, hosted, secretKey } from '../../support/hosted.ts';

let open: Hosted[] = [];
afterEach(async () => {
  await Promise.all(open.map(({ server }) => server.close()));
  open = [];
});

async function bench(
  make: Parameters<typeof hosted>[0],
  answer: Parameters<typeof hosted>[1],
  options: HostedOptions,
): Promise<Hosted> {
  const made = await hosted(make, answer, options);
  open.push(made);
  return made;
}

const line = 'params[0]: 1.5, params[1]: -0.5\nIt moves.';

describe('Gemini', () => {
  const at = (answer: Parameters<typeof hosted>[1], options: Partial<HostedOptions> = {}) =>
    bench(gemini, answer, { model: 'gemini-2.5-flash', path: '/v1beta', ...options });

  const chunk = (parts: readonly object[], change: object = {}, more: object = {}) => ({
    candidates: [{ content: { role: 'model', parts }, index: 0, ...change }],
    modelVersion: 'gemini-2.5-flash',
    responseId: 'resp-7',
    ...more,
  });
  const usageMetadata = {
    promptTokenCount: 200,
    cachedContentTokenCount: 150,
    candidatesTokenCount: 20,
    thoughtsTokenCount: 70,
    totalTokenCount: 290,
  };
  const events = (text: string, finishReason = 'STOP'): ApiAnswer => ({
    events: [
      chunk([{ text: 'First f.', thought: true }], {}, { usageMetadata: { promptTokenCount: 200 } }),
      chunk([{ text: text.slice(0, 9) }]),
      chunk([{ text: text.slice(9), thoughtSignature: 'c2ln' }], { finishReason }, { usageMetadata }),
    ],
  });
  const refusal = (message: string, status = 400, word = 'INVALID_ARGUMENT', details: readonly object[] = []) => ({
    status,
    json: { error: { code: status, message, status: word, details } },
  });

  it('gives the candidate of index 0, whatever comes before it', async () => {
    const other = { content: { parts: [{ text: 'x' }] }, index: 1, finishReason: 'MAX_TOKENS' };
    const payload = chunk([{ text: line }], { finishReason: 'STOP' });
    const both = { ...payload, candidates: [other, ...payload.candidates] };
    const { model } = await at(() => ({ events: [chunk([{ text: 'y' }], { index: 1 }), both] }));
    expect(await model.complete(asking('lines'))).toMatchObject({ text: line, finish: 'stop' });
  });

  it('is asked by its own API', async () => {
    const { server, model } = await at(() => events(line), {
      controls: { topP: 0.9, stop: ['#'], maxReplyTokens: 900 },
    });
    await model.complete(asking('json'));
    const { path, headers, body } = server.requests[0]!;
    expect(path).toBe('/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse');
    expect(headers['x-goog-api-key']).toBe(secretKey);
    expect(body).toEqual({
      systemInstruction: { parts: [{ text: 'You maximise f.' }] },
      contents: [{ role: 'user', parts: [{ text: 'Propose two parameters.' }] }],
      generationConfig: {
        temperature: 0.3,
        topP: 0.9,
        seed: 7,
        maxOutputTokens: 900,
        stopSequences: ['#'],
        thinkingConfig: { includeThoughts: true },
        responseMimeType: 'application/json',
        responseJsonSchema: expect.objectContaining({
          properties: {
            params: { type: 'array', items: { type: 'number', minimum: -6, maximum: 6 }, minItems: 2, maxItems: 2 },
            why: { type: 'string', maxLength: 160 },
          },
        }),
      },
    });
  });

  it.each([
    ['gemini-2.5-flash', { think: false }, { includeThoughts: false, thinkingBudget: 0 }],
    ['gemini-2.5-pro', { reasoningEffort: 'low' }, { includeThoughts: true, thinkingBudget: 1024 }],
    ['gemini-2.5-pro', { think: true }, { includeThoughts: true, thinkingBudget: -1 }],
    ['gemini-3-pro-preview', { reasoningEffort: 'xhigh' }, { includeThoughts: true, thinkingLevel: 'high' }],
    ['gemini-flash-latest', { think: false }, { includeThoughts: false, thinkingLevel: 'minimal' }],
    ['gemini-2.0-flash', {}, undefined],
  ] as const)('tells %s how much to think by %o', async (name, controls, thinkingConfig) => {
    const { server, model } = await at(() => events(line), { model: name, controls });
    await model.complete(asking());
    expect(server.requests[0]!.body.generationConfig.thinkingConfig).toEqual(thinkingConfig);
  });

  it('cannot ask a model to think that never does', async () => {
    await expect(at(() => events(line), { model: 'gemini-2.0-flash', controls: { think: true } })).rejects.toThrow(
      'expected a model that can think, got "gemini-2.0-flash"',
    );
  });

  it.each(['events', 'one list', 'one document'])('answers by %s', async (form) => {
    const { events: chunks = [] } = events(line);
    const whole = chunk(
      [{ text: 'First f.', thought: true }, { text: line }],
      { finishReason: 'STOP' },
      { usageMetadata },
    );
    const answer = { events: { events: chunks }, 'one list': { json: chunks }, 'one document': { json: whole } }[form];
    const { model } = await at(() => answer as ApiAnswer);
    expect(await model.complete(asking())).toMatchObject({
      text: line,
      reasoning: 'First f.',
      usage: {
        promptTokens: 200,
        completionTokens: 90,
        cachedTokens: 150,
        reasoningTokens: 70,
        estimated: false,
      },
      finish: 'stop',
      finishReason: 'STOP',
      id: 'resp-7',
      model: 'gemini-2.5-flash',
    });
  });

  it('says that a reply was cut', async () => {
    const { model } = await at(() => events('params[0]: 1.5', 'MAX_TOKENS'));
    expect(await model.complete(asking())).toMatchObject({ finish: 'length', finishReason: 'MAX_TOKENS' });
  });

  it.each(['SAFETY', 'RECITATION', 'PROHIBITED_CONTENT', 'MALFORMED_FUNCTION_CALL'])(
    'fails where a reply ends by %s',
    async (reason) => {
      const { server, model } = await at(() => events('params[0]: 1', reason));
      expect(await failureOf(model)).toContain(reason);
      expect(server.requests).toHaveLength(2);
    },
  );

  it('fails where the prompt is blocked', async () => {
    const { model } = await at(() => ({ json: { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata } }));
    expect(await failureOf(model)).toContain('the prompt: SAFETY');
  });

  it('is waited for as it asks, and asked again after an error in its events', async () => {
    const retry = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34s' }];
    const { server, model, waits } = await at((_, index) => {
      if (index === 0) return refusal('Quota exceeded.', 429, 'RESOURCE_EXHAUSTED', retry);
      const error = { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' };
      if (index === 1) return { events: [chunk([{ text: 'par' }]), { error }] };
      return events(line);
    });
    expect((await model.complete(asking())).text).toBe(line);
    expect(server.requests).toHaveLength(3);
    expect(waits[0]).toBeGreaterThanOrEqual(34);
  });

  it('is asked again without what it refuses', async () => {
    const messages = [
      'Invalid JSON payload received. Unknown name "thinking_level" at \'generation_config.thinking_config\': Cannot find field.',
      'The specified schema produces a constraint that has too many states for serving.',
    ];
    const { server, model } = await at(
      (_, index) => (index < messages.length ? refusal(messages[index]!) : events('{"params": [1, 2], "why": ""}')),
      { model: 'gemini-3-flash', controls: { reasoningEffort: 'low' } },
    );
    expect((await model.complete(asking('json'))).dropped).toEqual(['thinkingLevel', 'schema.maxLength']);
    expect(server.requests[2]!.body.generationConfig.thinkingConfig).toEqual({ includeThoughts: true });
  });

  it('tells the caller that it refuses a schema', async () => {
    const message = 'Unknown name "responseJsonSchema" at \'generation_config\': Cannot find field.';
    const { model } = await at(({ body }) =>
      body.generationConfig.responseJsonSchema ? refusal(message) : events(line),
    );
    await expect(model.complete(asking('json'))).rejects.toBeInstanceOf(ReplyFormRefused);
    expect(model.replyForms).toEqual(['lines']);
  });

  it('names the models that there are', async () => {
    const { model } = await at(() => refusal('models/gemini-2.5-flush is not found', 404, 'NOT_FOUND'), {
      model: 'gemini-2.5-flush',
      models: { models: [{ name: 'models/gemini-2.5-flash' }, { name: 'models/gemini-2.5-pro' }] },
    });
    expect(await failureOf(model)).toContain('"gemini-2.5-flash" among gemini-2.5-flash, gemini-2.5-pro');
  });

  it('says that the key is wrong', async () => {
    const { model } = await at(() => refusal('API key not valid. Please pass a valid API key.'));
    expect(await failureOf(model)).toContain('set TEST_API_KEY to a valid key');
  });
});

describe('OpenRouter', () => {
  const at = (answer: Parameters<typeof hosted>[1], options: Partial<HostedOptions> = {}) =>
    bench(openRouter, answer, { model: 'deepseek/deepseek-r1', path: '/api/v1', ...options });

  const chunk = (delta: object, finish_reason: string | null = null, more: object = {}) => ({
    id: 'gen-1',
    model: 'deepseek/deepseek-r1',
    provider: 'Together',
    choices: [{ index: 0, delta, finish_reason, ...more }],
  });
  const events = (text: string): ApiAnswer => ({
    events: [
      chunk({ role: 'assistant', content: '', reasoning: 'First f.' }),
      chunk({ content: text }),
      chunk({ content: '' }, 'stop', { native_finish_reason: 'stop' }),
      {
        id: 'gen-1',
        choices: [],
        usage: {
          prompt_tokens: 194,
          completion_tokens: 60,
          cost: 0.0012,
          prompt_tokens_details: { cached_tokens: 128, cache_write_tokens: 5 },
          completion_tokens_details: { reasoning_tokens: 30 },
        },
      },
    ],
  });

  it('is asked for its usage, reasoning and schemas', async () => {
    const { server, model } = await at(() => events(line), { controls: { reasoningEffort: 'high', stop: ['#'] } });
    expect(await model.complete(asking('json'))).toMatchObject({
      text: line,
      reasoning: 'First f.',
      usage: {
        promptTokens: 194,
        completionTokens: 60,
        cachedTokens: 128,
        cacheWriteTokens: 5,
        reasoningTokens: 30,
        costUsd: 0.0012,
      },
      id: 'gen-1',
    });
    expect(server.requests[0]!.path).toBe('/api/v1/chat/completions');
    expect(server.requests[0]!.body).toMatchObject({
      model: 'deepseek/deepseek-r1',
      messages: [{ role: 'system', content: 'You maximise f.' }, { content: 'Propose two parameters.' }],
      temperature: 0.3,
      seed: 7,
      stop: ['#'],
      reasoning: { effort: 'high' },
      usage: { include: true },
      stream: true,
      response_format: { type: 'json_schema', json_schema: { strict: true, schema: { required: ['params', 'why'] } } },
    });
  });

  it('passes on what the caches of Claude shall keep', async () => {
    const { server, model } = await at(() => events(line), { model: 'anthropic/claude-opus-4.6' });
    await model.complete(asking(undefined, { messages: [{ role: 'user', content: 'Task.\nNew.', cacheBreaks: [6] }] }));
    expect(server.requests[0]!.body.messages[0].content).toEqual([
      { type: 'text', text: 'Task.\n', cache_control: { type: 'ephemeral' } },
      { type: 'text', text: 'New.' },
    ]);
  });

  it('turns reasoning off and on', async () => {
    for (const think of [false, true]) {
      const { server, model } = await at(() => events(line), { controls: { think } });
      await model.complete(asking());
      expect(server.requests[0]!.body.reasoning).toEqual({ enabled: think });
    }
  });

  it('tells what the provider behind it says, also of a parameter that it refuses', async () => {
    const raw = JSON.stringify({ error: { message: 'temperature is not supported by this model' } });
    const json = {
      error: { code: 400, message: 'Provider returned error', metadata: { raw, provider_name: 'Together' } },
    };
    const { model } = await at(({ body }) => ('temperature' in body ? { status: 400, json } : events(line)));
    expect((await model.complete(asking())).dropped).toEqual(['temperature']);
    const broken = await at(() => ({
      json: { error: { code: 502, message: 'Provider returned error', metadata: { raw: 'upstream is on fire' } } },
    }));
    expect(await failureOf(broken.model)).toContain('upstream is on fire');
  });

  it('fails where its choice holds an error', async () => {
    const error = { code: 502, message: 'Network connection lost.' };
    const { server, model } = await at(() => ({ events: [chunk({ content: 'par' }), chunk({}, 'error', { error })] }));
    expect(await failureOf(model)).toContain('Network connection lost.');
    expect(server.requests).toHaveLength(3);
  });
});
