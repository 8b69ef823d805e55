/** Names of hosted models: where their requests and keys go. */
import { afterEach, assert, describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/base/errors.ts';
import { llmSearchSchema } from '../../../src/config/sections/llm-search.ts';
import { modelForms, resolveModel } from '../../../src/llm/providers/index.ts';
import { presets } from '../../../src/llm/providers/presets.ts';
import { requireOpenPort } from '../../../src/llm/providers/transport.ts';
import { type ApiServer, startApiServer } from '../../support/api-server.ts';
import { impatientClient } from '../../support/endpoint.ts';
import { asking } from '../../support/hosted.ts';

let open: ApiServer[] = [];
afterEach(async () => {
  await Promise.all(open.map((server) => server.close()));
  open = [];
});

const line = 'params[0]: 1.5, params[1]: -0.5\nIt moves.';
const completion = { model: 'm', choices: [{ message: { content: line }, finish_reason: 'stop' }] };

async function opened(name: string, env: Record<string, string>) {
  const { log, settings } = impatientClient();
  return { log, model: await resolveModel(name, { env, settings, extra: {} }) };
}

describe('names of hosted models', () => {
  it('have one form for each provider', () => {
    expect(modelForms({})).toEqual([
      'ollama/<model>',
      'openai/<model>',
      'anthropic/<model>',
      'gemini/<model>',
      'openrouter/<vendor>/<model>',
      'azure/<deployment>',
      'http(s)://host:port/v1#<model>',
    ]);
  });

  it('are listed in the description of the configuration key', () => {
    const { description } = llmSearchSchema.shape.model;
    for (const { id } of presets) expect(description).toContain(`${id}/<`);
  });

  it.each([
    ['openai/gpt-4.1', 'OPENAI_API_KEY'],
    ['anthropic/claude-opus-4-6', 'ANTHROPIC_API_KEY'],
    ['gemini/gemini-2.5-flash', 'GEMINI_API_KEY'],
    ['openrouter/deepseek/deepseek-r1', 'OPENROUTER_API_KEY'],
    ['azure/my-4.1', 'AZURE_OPENAI_API_KEY'],
  ])('%s wants %s', async (name, variable) => {
    const others = ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'GEMINI_API_KEY', 'OPENROUTER_API_KEY', 'R2PO_API_KEY']
      .filter((other) => other !== variable)
      .map((other) => [other, 'sk-other']);
    const env = { ...Object.fromEntries(others), AZURE_OPENAI_ENDPOINT: 'https://r.openai.azure.com' };
    await expect(opened(name, env)).rejects.toThrow(`expected a key in ${variable}, got none`);
  });
});

describe('a port that no request reaches', () => {
  it.each([
    ['http://127.0.0.1:6000/v1#m', {}],
    ['https://host:10080/v1#m', {}],
    ['openai/m', { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: 'http://127.0.0.1:6667/v1' }],
    ['ollama/m', { OLLAMA_BASE_URL: 'http://127.0.0.1:6697' }],
  ])('is a usage error before the first call: %s', async (name, env) => {
    const error = await opened(name, env).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({
      message: expect.stringMatching(
        /^\[model .*\] expected a port that fetch connects to, got \d+, which it blocks .*; let the server listen on another/,
      ),
    });
  });

  it('is each one that fetch blocks, and no other', async () => {
    const isBlocked = (port: number) => {
      try {
        requireOpenPort('m', `http://127.0.0.1:${port}/v1`);
        return false;
      } catch {
        return true;
      }
    };
    const { fetch } = await import('undici');
    // An answer of the dispatcher shows that the port was let through; nothing is connected to.
    const dispatcher = { dispatch: () => assert.fail('let through') } as never;
    const high = [1719, 2049, 3659, 4045, 4190, 5060, 6000, 6566, 6667, 6679, 6697, 8080, 10_080, 11_434];
    const near = high.flatMap((port) => [-2, -1, 0, 1, 2, 3, 4].map((offset) => port + offset));
    for (const port of [...Array.from({ length: 1024 }, (_, i) => i + 1), ...near]) {
      const refusal = await fetch(`http://127.0.0.1:${port}/v1`, { dispatcher }).catch((error: Error) => error.cause);
      expect({ port, isBlocked: isBlocked(port) }).toEqual({ port, isBlocked: /bad port/.test(String(refusal)) });
    }
  });
});

describe('an address in the environment', () => {
  async function serve() {
    const server = await startApiServer(() => ({ json: completion }));
    open.push(server);
    return server;
  }

  it('gets the requests and the key of OpenAI, which is said once', async () => {
    const server = await serve();
    const env = { OPENAI_API_KEY: 'sk-1', OPENAI_BASE_URL: `${server.url}/v1/`, OPENROUTER_API_KEY: 'or-2' };
    const { log, model } = await opened('openai/gpt-4.1', env);
    expect((await model.complete(asking())).text).toBe(line);
    expect(server.requests[0]).toMatchObject({
      path: '/v1/chat/completions',
      headers: { authorization: 'Bearer sk-1' },
    });
    expect(log).toEqual([`openai/gpt-4.1: OPENAI_BASE_URL sends requests and the key to ${server.url}/v1`]);
    expect((await opened('openai/gpt-4.1', env)).log).toEqual([]);
  });

  it('does not affect other providers', async () => {
    const env = { OPENAI_BASE_URL: 'http://elsewhere.test/v1', OPENROUTER_API_KEY: 'or-2', ANTHROPIC_API_KEY: 'a' };
    for (const name of ['openrouter/a/b', 'anthropic/claude-opus-4-6'])
      expect((await opened(name, env)).log).toEqual([]);
  });

  it('that is neither encrypted nor local is reported', async () => {
    const env = { OPENAI_API_KEY: 'sk-1', OPENAI_BASE_URL: 'http://models.example.com/v1' };
    expect((await opened('openai/gpt-4.1', env)).log.join()).toContain('unencrypted');
  });

  it.each([
    ['example.com/v1', 'expected a URL like https://host/v1 in OPENAI_BASE_URL, got something else'],
    ['ftp://example.com/v1', 'got "ftp:"'],
    ['https://user:pass@example.com/v1', 'without credentials, query and #'],
    ['https://example.com/v1?key=pass', 'without credentials, query and #'],
  ])('must not be %s', async (address, message) => {
    const attempt = opened('openai/gpt-4.1', { OPENAI_API_KEY: 'sk-1', OPENAI_BASE_URL: address });
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.not.toThrow('pass@');
  });

  it('is needed by Azure', async () => {
    const server = await serve();
    const env = { AZURE_OPENAI_API_KEY: 'az-1' };
    await expect(opened('azure/d', env)).rejects.toThrow(
      'expected the address of the endpoint in AZURE_OPENAI_ENDPOINT',
    );
    const { log, model } = await opened('azure/d', { ...env, AZURE_OPENAI_ENDPOINT: `${server.url}/openai/v1/` });
    await model.complete(asking());
    expect(server.requests[0]).toMatchObject({ path: '/openai/v1/chat/completions', headers: { 'api-key': 'az-1' } });
    expect(log).toEqual([]);
  });
});
