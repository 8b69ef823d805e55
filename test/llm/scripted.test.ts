/** Both clients against a server in another process, with every fault that it knows. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelError } from '../../src/base/errors.ts';
import type { ChatRequest } from '../../src/llm/chat.ts';
import type { EndpointModel } from '../../src/llm/providers/index.ts';
import { ollamaNative } from '../../src/llm/providers/ollama-native.ts';
import { openAiCompatible } from '../../src/llm/providers/openai-compatible.ts';
import { type ParsedReply, parseReply, type ReplySpec } from '../../src/llm/reply/parse.ts';
import { asHosted } from '../support/endpoint.ts';
import { type ScriptedServer, type ScriptedStep, startScriptedServer } from '../support/scripted-model.ts';

const spec: ReplySpec = {
  count: 3,
  values: { kind: 'real' },
  low: -6,
  high: 5,
  decimals: 1,
  outOfRange: 'refuse',
};
const prompt = '## Parameters\n- count: 3\n- range: -6 to 5\n- decimals: at most 1\n\n## Progress\nIteration 1 of 9.';
const ask = (content = prompt): ChatRequest => ({ messages: [{ role: 'user', content }], temperature: 0, seed: 5 });

type Outcome =
  /** a valid answer, which is the plain one; `requests`: how many it took */
  | { readonly answer: true; readonly requests: number }
  /** a repeating reply that is cut; a server that sends it whole fails */
  | { readonly circles: true }
  /** a reply that the parser refuses with these words */
  | { readonly refused: RegExp }
  | { readonly error: RegExp };

const retried: Outcome = { answer: true, requests: 2 };
const asSent: Outcome = { answer: true, requests: 1 };

/** What becomes of a call whose first request meets the fault, and all later ones none. */
const once: Readonly<Record<string, Outcome>> = {
  'rate-limit': retried,
  error: retried,
  cut: retried,
  hang: retried,
  slow: asSent,
  html: { error: /got a body other than JSON: "<!doctype html> <html><title>502 Bad Gateway/ },
  'stream-error': retried,
  empty: { refused: /^The reply is empty/ },
  huge: { circles: true },
  'too-few': { refused: /^params\[2\] is missing/ },
  'too-many': { refused: /^params\[3\] does not exist/ },
  prose: asSent,
  injection: asSent,
  ansi: asSent,
  markup: asSent,
};

/** What becomes of a call whose every request meets the fault. */
const always: Readonly<Record<string, RegExp>> = {
  'rate-limit': /got HTTP 429 \("slow down"\) \(the last of 3 attempts\); still rate-limited/,
  error: /got HTTP 500 \("the model fell over"\) \(the last of 3 attempts\); server error/,
  cut: /got a connection that broke after \d+ bytes \(the last of 3 attempts\); the server or a proxy/,
  hang: /got no data for 0\.3 s \(the last of 3 attempts\); check whether the server hangs/,
  'stream-error':
    /(?:an error instead of a reply \("the model fell over"\)|truncated JSON .*) \(the last of 3 attempts\)/,
};

const models: Record<string, ScriptedStep[]> = {};
for (const fault of Object.keys(once)) models[`once-${fault}`] = [{ fault }, {}];
for (const fault of Object.keys(always)) models[`always-${fault}`] = [{ fault }];

/** Each client with a server of its own, as each model's script is played once. */
const clients = [
  { name: 'Ollama', client: ollamaNative, refuse: [], base: (server: ScriptedServer) => server.ollama },
  { name: 'OpenAI, streaming', client: openAiCompatible, refuse: [], base: (server: ScriptedServer) => server.openai },
  {
    name: 'OpenAI, plain',
    client: openAiCompatible,
    refuse: ['stream'],
    base: (server: ScriptedServer) => server.openai,
  },
];

const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;

describe.each(clients)('$name', ({ client, refuse, base }) => {
  let server: ScriptedServer;
  let plain: ParsedReply;
  const before = sockets();

  const open = (model: string): EndpointModel =>
    client({
      id: `test/${model}`,
      baseURL: base(server),
      apiKey: null,
      model,
      timeoutSeconds: 20,
      // Short only where nothing is to come: a busy machine must not decide a test.
      idleTimeoutSeconds: model.endsWith('hang') ? 0.3 : 15,
      maxAttempts: 3,
      maxConcurrent: 6,
      sleep: async () => {},
      // A server of this machine may be silent before its first byte.
      ...(model.endsWith('hang') && asHosted(base(server))),
    });

  beforeAll(async () => {
    server = await startScriptedServer({ models, refuse });
    const { text } = await open('scripted-1').complete(ask());
    plain = parseReply(text, spec);
  });
  afterAll(() => server.stop());

  it('gets a valid answer, the same one for the same prompt, and another one for a repair turn', async () => {
    expect(plain).toMatchObject({ ok: true });
    const model = open('scripted-1');
    const { text, usage, model: name, finishReason } = await model.complete(ask());
    expect(parseReply(text, spec)).toEqual(plain);
    expect(usage.estimated).toBe(false);
    expect({ name, finishReason }).toEqual({ name: 'scripted-1', finishReason: 'stop' });
    const repair = { role: 'user', content: 'params[1] is missing; reply again.' } as const;
    const messages = [...ask().messages, { role: 'assistant', content: '?' } as const, repair];
    const again = parseReply((await model.complete({ ...ask(), messages })).text, spec);
    expect(again.ok).toBe(true);
    expect(again).not.toEqual(plain);
  });

  it('gets allowed values only', async () => {
    const { text } = await open('scripted-1').complete(ask('- count: 40\n- allowed values: 0, 1, 2, 3'));
    const values = { kind: 'choice', values: [0, 1, 2, 3] } as const;
    const parsed = parseReply(text, { ...spec, count: 40, values });
    expect(parsed.ok && new Set(parsed.params).size).toBe(4);
  });

  it.each(Object.entries(once))('meets "%s" once', async (fault, outcome) => {
    const call = open(`once-${fault}`).complete(ask());
    if ('error' in outcome) {
      const error = await call.catch((thrown: unknown) => thrown as Error);
      expect(error).toBeInstanceOf(ModelError);
      expect((error as ModelError).message).toMatch(outcome.error);
      expect((error as ModelError).message).not.toContain('\u001b');
      return;
    }
    if ('circles' in outcome && refuse.includes('stream')) {
      expect(await call).toMatchObject({ requests: 2 + refuse.length });
      return;
    }
    const { text, requests, finish } = await call;
    if ('circles' in outcome) {
      expect({ requests, finish }).toEqual({ requests: 1, finish: 'repetition' });
      return;
    }
    expect(finish).toBe('stop');
    const parsed = parseReply(text, spec);
    if ('refused' in outcome) {
      expect(parsed).toMatchObject({ ok: false, problem: expect.stringMatching(outcome.refused) });
      return;
    }
    expect(parsed.ok && parsed.params).toEqual(plain.ok && plain.params);
    // The refusal of a parameter is one request more.
    expect(requests).toBe(outcome.requests + refuse.length);
  });

  it('ends with a clear error when faults do not stop, all at the same time', async () => {
    const calls = Object.entries(always).map(async ([fault, message]) => {
      const error = await open(`always-${fault}`)
        .complete(ask())
        .catch((thrown: unknown) => thrown as Error);
      expect(error).toBeInstanceOf(ModelError);
      expect((error as ModelError).message).toMatch(message);
    });
    await Promise.all(calls);
    const { models: requests } = await server.state();
    for (const fault of Object.keys(always)) expect(requests[`always-${fault}`]).toBe(3);
  });

  it('leaves no request and no socket open', async () => {
    // The server hears of a cut connection a moment after it was cut.
    await expect.poll(async () => (await server.state()).open).toBe(0);
    await expect.poll(sockets).toBe(before);
  });

  it('learns the available models when it asks for another', async () => {
    const call = open('missing').complete(ask());
    await expect(call).rejects.toThrow(/HTTP 404 \("model "missing" not found"\).* it has .*scripted-1/);
  });
});

describe('a prompt that the scripted Ollama forgets in part', () => {
  const long = `${prompt}\n${'trial 1: params = [1, -0.5, 2]; mean_reward = 34.5\n'.repeat(90)}`;
  it.each([
    [131_072, true],
    [1024, false],
  ])('with a context of %i', async (context, fits) => {
    const server = await startScriptedServer({ models: { forgetful: [{ fault: 'forgot' }] }, context });
    try {
      const model = ollamaNative({
        id: 'ollama/forgetful',
        baseURL: server.ollama,
        apiKey: null,
        model: 'forgetful',
        timeoutSeconds: 5,
        idleTimeoutSeconds: 5,
        maxAttempts: 3,
      });
      const call = model.complete(ask(long));
      if (fits) expect((await call).usage.estimated).toBe(true);
      else await expect(call).rejects.toThrow(/a reply to a cut prompt \(.* with a context of 1024\)/);
    } finally {
      await server.stop();
    }
  });
});

describe('the scripted server', () => {
  it('reports errors in a script', async () => {
    await expect(startScriptedServer({ models: { m: [{ fault: 'cutt' }] } })).rejects.toThrow(/unknown fault "cutt"/);
  });

  it('starts over on request, and counts each model separately', async () => {
    const server = await startScriptedServer({ models: { a: [{ text: 'one' }, { text: 'two' }] }, loop: true });
    try {
      const replies: string[] = [];
      const limits = { timeoutSeconds: 5, idleTimeoutSeconds: 5, maxAttempts: 1, apiKey: null };
      const a = openAiCompatible({ ...limits, id: 'test/a', baseURL: server.openai, model: 'a' });
      const other = ollamaNative({ ...limits, id: 'test/b', baseURL: server.ollama, model: 'scripted-1' });
      for (let i = 0; i < 3; i++) {
        replies.push((await a.complete(ask())).text);
        await other.complete(ask());
      }
      expect(replies).toEqual(['one', 'two', 'one']);
      expect(await server.state()).toMatchObject({
        requests: 6,
        models: { a: 3, 'scripted-1': 3 },
        faults: { none: 6 },
      });
    } finally {
      await server.stop();
    }
  });
});
