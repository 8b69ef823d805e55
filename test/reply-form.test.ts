/** Replies as JSON by a schema: asked for in the prompt and of the endpoint, and read like any other reply. */
import { describe, expect, it } from 'vitest';
import { frozenlake } from '../src/envs/frozenlake/index.ts';
import { ollamaNative } from '../src/llm/providers/ollama-native.ts';
import { openAiCompatible } from '../src/llm/providers/openai-compatible.ts';
import { parseReply } from '../src/llm/reply/parse.ts';
import { runIteration } from '../src/methods/interpreter.ts';
import { r2po } from '../src/methods/r2po.ts';
import { replySchema } from '../src/methods/reply-schema.ts';
import { buildPolicy } from '../src/policies/index.ts';
import { eventsOf, scriptedModel, smallRun } from './support/experiment.ts';
import { context, policy, scripted, settings, vector } from './support/methods.ts';
import { startScriptedServer } from './support/scripted-model.ts';

const json = (params: readonly number[]) => JSON.stringify({ params, why: 'Because 1 and [2, 3] were worse.' });

describe('the schema of a reply', () => {
  it('counts the parameters and lists the choices', () => {
    expect(replySchema(policy)).toMatchObject({
      properties: { params: { items: { type: 'number' }, minItems: 10, maxItems: 10 } },
      required: ['params', 'why'],
      additionalProperties: false,
    });
    const table = replySchema(buildPolicy('tabular', frozenlake));
    expect(table).toMatchObject({ properties: { params: { items: { enum: [0, 1, 2, 3] }, minItems: 16 } } });
  });

  it.each([
    { name: 'OpenAI', make: openAiCompatible, at: 'response_format' },
    { name: 'Ollama', make: ollamaNative, at: 'format' },
  ])('is sent to $name, and left out from then on where it is refused', async ({ make, at }) => {
    const server = await startScriptedServer({ refuse: [at] });
    try {
      const bodies: Record<string, unknown>[] = [];
      const model = make({
        id: 'test/m',
        baseURL: make === ollamaNative ? server.ollama : server.openai,
        apiKey: null,
        model: 'scripted-1',
        timeoutSeconds: 9,
        idleTimeoutSeconds: 8,
        maxAttempts: 2,
        fetch: (input, init) => {
          if (typeof init?.body === 'string') bodies.push(JSON.parse(init.body));
          return fetch(input, init);
        },
      });
      const schema = replySchema(policy);
      const request = { messages: [{ role: 'user' as const, content: '- count: 2' }], temperature: 0, seed: 3 };
      const reply = await model.complete({ ...request, replySchema: schema });
      expect(reply.dropped).toEqual([at]);
      expect(reply.text).toContain('params[1]');
      expect(bodies[0][at]).toEqual(
        at === 'format' ? schema : { type: 'json_schema', json_schema: { name: 'parameters', strict: true, schema } },
      );
      expect(bodies[1]).not.toHaveProperty(at);
      await model.complete({ ...request, replySchema: schema });
      expect(bodies).toHaveLength(3);
      await model.complete(request);
      expect(bodies[3]).not.toHaveProperty(at);
    } finally {
      await server.stop();
    }
  });
});

describe('a reply in JSON', () => {
  it('is read with its reason', () => {
    const spec = { count: 10, values: { kind: 'real' }, low: -7, high: 9, decimals: 2, outOfRange: 'refuse' } as const;
    for (const text of [json(vector(3)), JSON.stringify(JSON.parse(json(vector(3))), null, 2)]) {
      expect(parseReply(text, spec)).toEqual({
        ok: true,
        params: vector(3),
        explanation: 'Because 1 and [2, 3] were worse.',
        adjustments: [],
      });
    }
    expect(parseReply(json([1, 2]), spec)).toMatchObject({ ok: false });
  });

  it('is what both prompts and the repair turn ask for', async () => {
    const of = { ...context, settings: { ...settings, replyForm: 'json' as const } };
    const script = scripted(['{"params": [1], "why": ""}', json(vector(1)), json(vector(2))], [120, 340]);
    const outcome = await runIteration(r2po, of, script.effects);
    expect(outcome.kept).toBe('revision');
    for (const messages of script.prompts) {
      const text = messages.map(({ content }) => content).join('\n');
      expect(text).toContain('{"params": [v, ..., v], "why": "one short sentence that says why"}');
      expect(text).not.toContain('Line 1');
    }
  });

  it('is asked for by the configuration, and kept out of the default', async () => {
    const asked = scriptedModel((_, call) => json([call, 1, 2, 3, 4, 5, 6, 0, -1, -2]));
    const { folder } = await smallRun({ model: asked, overrides: ['llm.reply_form=json', 'iterations=2'] });
    expect(asked.requests.map((request) => request.replySchema)).toEqual(asked.requests.map(() => replySchema(policy)));
    expect(eventsOf(folder).filter(({ type }) => type === 'parse_failed')).toEqual([]);
    const plain = scriptedModel((_, call) => json([call, 1, 2, 3, 4, 5, 6, 0, -1, -2]));
    await smallRun({ model: plain, overrides: ['iterations=1'] });
    expect(plain.requests[0]).not.toHaveProperty('replySchema');
  });
});
