/** What is learned about an endpoint, without any endpoint. */
import { describe, expect, it } from 'vitest';
import { InterruptedError } from '../../../src/base/errors.ts';
import { EndpointKnowledge } from '../../../src/llm/providers/endpoint-knowledge.ts';
import { makeLimiter } from '../../../src/llm/providers/limiter.ts';
import type { EndpointOptions, EndpointTraits, Protocol } from '../../../src/llm/providers/protocol.ts';

const options: EndpointOptions = {
  id: 'm',
  model: 'm',
  baseURL: 'http://127.0.0.1:1/v1',
  apiKey: null,
  timeoutSeconds: 7,
  idleTimeoutSeconds: 5,
  maxAttempts: 3,
};

function knowledgeOf(protocol: Partial<Protocol>) {
  const forms = ['json', 'begun', 'lines'] as const;
  const limiter = makeLimiter({ maxConcurrent: 6, minSpacingSeconds: 0 });
  return { knowledge: new EndpointKnowledge(options, { forms, ...protocol } as Protocol, limiter), limiter };
}

describe('the knowledge of an endpoint', () => {
  it('leaves out refused forms, but never lines', () => {
    const { knowledge } = knowledgeOf({});
    knowledge.refuseForm('json');
    knowledge.refuseForm('lines');
    expect(knowledge.forms).toEqual(['begun', 'lines']);
  });

  it('takes over what an answer shows, and keeps what was refused before', () => {
    const traits: EndpointTraits = { forms: ['grammar', 'begun', 'lines'] };
    const { knowledge } = knowledgeOf({
      recognise: (headers) => (headers.get('server') === 'llama.cpp' ? traits : null),
    });
    knowledge.refuseForm('begun');
    knowledge.learn(new Headers({ server: 'other' }), {});
    expect(knowledge.forms).toEqual(['json', 'lines']);
    knowledge.learn(new Headers({ server: 'llama.cpp' }), {});
    expect(knowledge.forms).toEqual(['grammar', 'lines']);
  });

  it('asks no more at a time than the server works on', async () => {
    const { knowledge, limiter } = knowledgeOf({ explore: async () => ({ forms: ['lines'], maxConcurrent: 2 }) });
    await knowledge.explore(true);
    let running = 0;
    let maxRunning = 0;
    const task = async () => {
      maxRunning = Math.max(maxRunning, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
    };
    const turn = { sleep: async () => {}, signal: undefined, servedUntil: Number.NEGATIVE_INFINITY };
    await Promise.all([1, 2, 3, 4, 5].map(() => limiter.run(task, turn)));
    expect(maxRunning).toBe(2);
  });

  it('does without a server that does not answer, and stops when the user does', async () => {
    const { knowledge } = knowledgeOf({ explore: () => Promise.reject(new Error('no answer')) });
    await expect(knowledge.explore(true)).resolves.toBeUndefined();
    await expect(knowledge.explore(true, AbortSignal.abort())).rejects.toThrow(InterruptedError);
    await expect(knowledge.contextTokens()).resolves.toBeNull();
  });
});
