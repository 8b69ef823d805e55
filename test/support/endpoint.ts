/** Shared by tests of endpoint clients: a request, and settings without real waits. */
import type { ChatRequest } from '../../src/llm/chat.ts';
import { modelFetch } from '../../src/llm/providers/transport.ts';

export const twoParameterRequest: ChatRequest = {
  messages: [
    { role: 'system', content: 'You maximise f.' },
    { role: 'user', content: 'Propose two parameters.' },
  ],
  temperature: 0.3,
  seed: 7,
};

/** Settings of a client for the model "fake-1" that notes its waits (s) and its log lines instead. */
export function impatientClient() {
  const waits: number[] = [];
  const log: string[] = [];
  const settings = {
    model: 'fake-1',
    timeoutSeconds: 10,
    idleTimeoutSeconds: 5,
    maxAttempts: 3,
    sleep: async (seconds: number) => {
      waits.push(seconds);
    },
    random: () => 0.5,
    log: (line: string) => {
      log.push(line);
    },
  };
  return { waits, log, settings };
}

/** Settings that reach a server of this machine under a name that is not this machine's, as hosted endpoints are reached. */
export function asHosted(baseURL: string) {
  const host = 'hosted.test';
  const fetch: typeof globalThis.fetch = (input, init) => modelFetch(String(input).replace(host, '127.0.0.1'), init);
  return { baseURL: baseURL.replace('127.0.0.1', host), fetch };
}

/** A usage of the two counts that all endpoints tell, and nothing else. */
export function countedUsage(promptTokens: number, completionTokens: number, estimated: boolean) {
  return {
    promptTokens,
    completionTokens,
    cachedTokens: null,
    cacheWriteTokens: null,
    reasoningTokens: null,
    estimated,
  };
}
