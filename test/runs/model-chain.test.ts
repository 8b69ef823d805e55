/** Which model answers a call, in which form, and when a run gives up. */
import { describe, expect, it } from 'vitest';
import { ModelError } from '../../src/base/errors.ts';
import { type ChatModel, type ChatRequest, plainReply, ReplyFormRefused } from '../../src/llm/chat.ts';
import { ModelChain } from '../../src/llm/fallback.ts';
import { listedModel } from '../../src/llm/price-list.ts';
import type { ReplyForm } from '../../src/llm/reply/shape.ts';
import { askModel } from '../../src/runs/models/ask-model.ts';
import { costOf } from '../../src/runs/models/cost.ts';
import { UnusableReplies } from '../../src/runs/models/unusable.ts';

function modelOf(id: string, forms: readonly ReplyForm[], answer: (request: ChatRequest) => string): ChatModel {
  return {
    id,
    kind: 'model',
    replyForms: forms,
    complete: async (request) => plainReply({ text: answer(request), model: id, usage: {} }),
  };
}

const shape = { count: 2, values: { kind: 'real', low: -1, high: 3, decimals: 1 }, explanationLength: 40 } as const;
const ask = (chain: ModelChain, replyForm: 'auto' | ReplyForm, lines: string[] = []) =>
  askModel(
    chain,
    {
      purpose: 'critic',
      messages: async (form) => [{ role: 'user', content: `in the form ${form}` }],
      shape,
      settings: { temperature: 0.5, replyForm },
      seed: 4,
    },
    { shown: new Set(), notice: (text) => lines.push(text), log: (text) => lines.push(text) },
  );

describe('the form of a reply', () => {
  it('is the strongest, or the named one, or with a notice the strongest that there is', async () => {
    const model = modelOf('x/m', ['grammar', 'begun', 'lines'], ({ messages }) => messages[0]!.content);
    const chain = new ModelChain(model);
    expect((await ask(chain, 'auto')).request.form).toBe('grammar');
    expect((await ask(chain, 'begun')).reply.text).toBe('in the form begun');
    const lines: string[] = [];
    expect((await ask(chain, 'json', lines)).request.form).toBe('grammar');
    expect(lines).toEqual([expect.stringContaining('cannot constrain replies by a JSON schema ("json")')]);
  });

  it('falls back when it is refused, with one notice', async () => {
    const lines: string[] = [];
    const model = modelOf('x/m', ['grammar', 'json', 'lines'], ({ constraint: held }) => {
      if (held?.form === 'grammar') throw new ReplyFormRefused('grammar', 'no grammars here');
      return 'ok';
    });
    const { request } = await ask(new ModelChain(model), 'auto', lines);
    expect(request).toMatchObject({ form: 'json', messages: [{ content: 'in the form json' }] });
    expect(lines).toEqual([expect.stringContaining('no grammars here')]);
  });
});

describe('a chain', () => {
  it('asks the next one when one cannot be used, passes it over for a while, and returns to it', async () => {
    let now = 0;
    let calls = 0;
    const broken = modelOf('a/1', ['grammar', 'lines'], () => {
      calls += 1;
      throw new ModelError('model a/1', 'down');
    });
    const other = modelOf('b/2', ['json', 'lines'], ({ messages }) => messages[0]!.content);
    const chain = new ModelChain(broken, [other], () => now);
    const lines: string[] = [];
    const { reply, request } = await ask(chain, 'auto', lines);
    expect([reply.answeredBy, reply.text, request.form]).toEqual(['b/2', 'in the form json', 'json']);
    expect(lines).toEqual(['[model a/1] down; b/2 answers instead']);
    await ask(chain, 'auto');
    expect(calls).toBe(1);
    now = 301_000;
    await ask(chain, 'auto');
    expect(calls).toBe(2);
  });

  it('names all failures when none can be used, and lets a defect out', async () => {
    const down = (id: string) =>
      modelOf(id, ['lines'], () => {
        throw new ModelError(id, 'down');
      });
    await expect(ask(new ModelChain(down('a'), [down('b')]), 'auto')).rejects.toThrow('[a] down | [b] down');
    const defect = modelOf('c', ['lines'], () => {
      throw new TypeError('a defect');
    });
    await expect(ask(new ModelChain(defect, [down('b')]), 'auto')).rejects.toThrow(TypeError);
  });
});

describe('unusable replies in a row', () => {
  const reply = { text: 'I \u001b[2Jcannot', reasoning: null, finish: 'stop', tokens: 3 } as const;

  it('end a run with the first of them in the message, and are counted from 0 after a usable one', () => {
    const unusable = new UnusableReplies();
    unusable.add('one', reply, 3);
    unusable.add('two', reply, 3);
    unusable.reset();
    unusable.add('three', reply, 3);
    unusable.add('four', reply, 3);
    expect(() => unusable.add('five', reply, 3)).toThrow(
      /got 3 unusable ones in a row; the first one: three; it was "I \[2Jcannot"/,
    );
    const never = new UnusableReplies();
    for (let i = 0; i < 1000; i++) never.add('again', reply, null);
  });
});

describe('prices', () => {
  it('distinguish cached and written tokens', () => {
    const price = {
      prompt_per_million: 2,
      completion_per_million: 10,
      cached_per_million: 0.5,
      cache_write_per_million: 3,
      date: '2026-01-02',
    };
    const tokens = { promptTokens: 1000, completionTokens: 7, cachedTokens: 600, cacheWriteTokens: 100 };
    expect(costOf(price, tokens)).toBeCloseTo((2 * 300 + 0.5 * 600 + 3 * 100 + 10 * 7) / 1e6, 15);
  });

  it('are known by provider, zero on this machine, and unknown where the address was changed', () => {
    const at = new Date('2026-11-20');
    expect(listedModel('openai/gpt-4o-mini', at, {})).toMatchObject({
      price: { prompt: 0.15, cached: 0.075, completion: 0.6 },
      contextTokens: 128_000,
    });
    expect(
      listedModel('openai/gpt-4o-mini', at, { OPENAI_BASE_URL: 'https://models.example.org/v1' }).price,
    ).toBeNull();
    for (const name of ['http://127.0.0.1:8080/v1#m', 'ollama/m', 'gguf:a.gguf'])
      expect(listedModel(name, at, {}).price?.prompt).toBe(0);
    expect(listedModel('openai/no-such-model', at, {}).price).toBeNull();
    // Each may be a gateway to a model that somebody pays for.
    const elsewhere: [string, Record<string, string>][] = [
      ['openai/gpt-4o', { OPENAI_BASE_URL: 'http://127.0.0.1:4000/v1' }],
      ['openai/gpt-4o', { OPENAI_BASE_URL: 'http://litellm.corp.internal/v1' }],
      ['azure/gpt-4o', { AZURE_OPENAI_ENDPOINT: 'http://10.1.2.3' }],
      ['ollama/gpt-oss:20b-cloud', {}],
      ['ollama/m', { OLLAMA_HOST: '192.168.1.7' }],
      ['http://gateway:4000/v1#gpt-4o', {}],
      ['http://10.1.2.3:8000/v1#m', {}],
    ];
    for (const [name, env] of elsewhere) expect([name, listedModel(name, at, env).price]).toEqual([name, null]);
  });
});
