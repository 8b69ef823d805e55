/** Streamed answers decode to the same content however they are split. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallProgress } from '../../../src/llm/chat.ts';
import { ollamaReader } from '../../../src/llm/providers/ollama-reader.ts';
import { openAiReader } from '../../../src/llm/providers/openai-reader.ts';
import { payloadDecoder } from '../../../src/llm/providers/payloads.ts';
import type { Completion, Reader } from '../../../src/llm/providers/protocol.ts';
import { repetitionAtEnd, repetitionWatch } from '../../../src/llm/providers/repetition.ts';
import { readAnswer } from '../../../src/llm/providers/stream.ts';
import { watch } from '../../../src/llm/providers/watchdog.ts';

interface Sent {
  /** sizes of the pieces, bytes, over and over; whole without it */
  readonly sizes?: readonly number[];
  readonly type?: string;
  readonly reader?: Reader;
  readonly values?: number;
  /** the connection stays open after the body */
  readonly isOpen?: boolean;
  /** the connection breaks after the body */
  readonly breaks?: boolean;
  readonly onProgress?: (progress: CallProgress) => void;
}

function streamOf(body: string, { sizes = [Infinity], isOpen = false, breaks = false }: Sent): ReadableStream {
  const bytes = new TextEncoder().encode(body);
  let at = 0;
  let piece = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < bytes.length) {
        const to = Math.min(bytes.length, at + sizes[piece++ % sizes.length]!);
        controller.enqueue(bytes.subarray(at, to));
        at = to;
      } else if (breaks) controller.error(new Error('torn'));
      else if (!isOpen) controller.close();
    },
  });
}

async function read(body: string, sent: Sent = {}): Promise<Completion> {
  const headers = { 'content-type': sent.type ?? 'text/event-stream' };
  const watchdog = watch({ timeoutSeconds: 60, idleTimeoutSeconds: 60, idleFromStart: false }, undefined);
  try {
    return await readAnswer(new Response(streamOf(body, sent), { headers }), {
      reader: sent.reader ?? openAiReader('correct the URL'),
      watchdog,
      sentAt: performance.now(),
      values: sent.values ?? 0,
      badUrl: 'correct the URL',
      onProgress: sent.onProgress ?? (() => {}),
      onPayload: () => {},
    });
  } finally {
    watchdog.release();
  }
}

const event = (choice: object, more: object = {}) =>
  `data: ${JSON.stringify({ id: 'c1', model: 'm', choices: [{ index: 0, finish_reason: null, ...choice }], ...more })}\n\n`;
const says = (content: string) => event({ delta: { content } });
const stop = event({ delta: {}, finish_reason: 'stop' });
const done = 'data: [DONE]\n\n';

const parts = ['params[0]: 1.5, ', 'params[1]: −2\n', 'Because of the ', '𝛼 term', ' and "1\\n".'];
const body = parts.map(says).join('') + stop + done;
const text = parts.join('');

describe('a stream of events', () => {
  it('decodes equally for any pieces and any line ends', async () => {
    const ends = fc.constantFrom('\n', '\r\n');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
        ends,
        async (sizes, end) => {
          const found = await read(`\ufeff${body.replaceAll('\n', end)}`, { sizes });
          expect(found).toMatchObject({ text, finish: 'stop', model: 'm', id: 'c1', reasoning: null });
        },
      ),
      { numRuns: 40 },
    );
  });

  it('may have comments, names, empty events and no last blank line, under any content type', async () => {
    const noisy = `: PROCESSING\n\nretry: 10\nid: 1\nevent: message\n${body.replaceAll('data: ', ': more\ndata:')}`;
    expect((await read(noisy)).text).toBe(text);
    expect((await read(`data: \n\n${body.trimEnd()}`, { type: 'application/json' })).text).toBe(text);
    expect((await read((parts.map(says).join('') + stop).trimEnd())).text).toBe(text);
  });

  it('ends at its end mark, and what comes after it is not read', async () => {
    expect(await read(`${says('a')}${done}data: {"error": "late"}\n\n`)).toMatchObject({
      text: 'a',
      finish: 'unknown',
    });
    expect((await read(body, { isOpen: true })).text).toBe(text);
  });

  it.each([
    ['without an end', says('par'), {}, /^a stream that ends early, after 3 characters$/],
    ['whose connection breaks', says('par'), { breaks: true }, /^a connection that broke after \d+ bytes$/],
    ['with a cut event', `${says('par')}data: {"choices":[{"del`, {}, /^truncated JSON/],
    ['with comments only', ': x\n\n: y\n\n', {}, /^an answer without a choice$/],
    ['with an end mark only', done, {}, /^an answer without a choice$/],
    ['that holds null', 'data: null\n\n', {}, /^null instead of a reply$/],
  ])('%s is no reply', async (_, sent, how, message) => {
    await expect(read(sent, how)).rejects.toMatchObject({ message: expect.stringMatching(message), retryable: true });
  });

  it('is whole when the connection breaks after its end', async () => {
    expect(await read(says('all') + stop, { breaks: true })).toMatchObject({ text: 'all', finish: 'stop' });
  });

  it('tells reasoning from text, and the pace of both', async () => {
    const seen: CallProgress[] = [];
    const thinks = event({ delta: { reasoning_content: 'Let me see.' } });
    const found = await read(thinks + body, { sizes: [90], onProgress: (now) => seen.push(now) });
    expect(found).toMatchObject({ text, reasoning: 'Let me see.' });
    expect(found.firstTokenSeconds).toBeGreaterThanOrEqual(0);
    expect(found.streamSeconds).toBeGreaterThanOrEqual(0);
    expect(seen[0]).toMatchObject({ state: 'reasoning', tokens: 4 });
  });

  it('keeps the usage in full', async () => {
    const usage = {
      prompt_tokens: 900,
      completion_tokens: 41,
      prompt_tokens_details: { cached_tokens: 512 },
      completion_tokens_details: { reasoning_tokens: 17 },
    };
    const last = `data: ${JSON.stringify({ choices: [], usage })}\n\n`;
    expect((await read(says('a') + stop + last + done)).usage).toEqual({
      promptTokens: 900,
      completionTokens: 41,
      cachedTokens: 512,
      cacheWriteTokens: null,
      reasoningTokens: 17,
    });
  });
});

describe('a body that is no stream of events', () => {
  const document = { id: 'd', model: 'm', choices: [{ message: { content: text }, finish_reason: 'length' }] };
  it.each([
    ['one line', JSON.stringify(document)],
    ['one line with an end', `\n\n ${JSON.stringify(document)}\n`],
    ['many lines', JSON.stringify(document, null, 2)],
    ['a list', JSON.stringify([document], null, 1)],
  ])('is one document: %s', async (_, sent) => {
    for (const sizes of [[Infinity], [1], [7, 100]]) {
      const found = await read(sent, { sizes, type: 'text/plain' });
      expect(found).toMatchObject({ text, finish: 'length', firstTokenSeconds: null });
    }
  });

  it('is lines of documents', async () => {
    const line = (content: string, more: object = {}) => `${JSON.stringify({ message: { content }, ...more })}\n`;
    const lines =
      parts.map((part) => line(part)).join('') + line('', { done: true, done_reason: 'stop', eval_count: 9 });
    for (const sizes of [[Infinity], [1], [50]]) {
      const found = await read(lines, { sizes, reader: ollamaReader('x'), type: 'application/x-ndjson' });
      expect(found).toMatchObject({ text, finish: 'stop', usage: { completionTokens: 9 } });
    }
    const cut = read(line('a'), { reader: ollamaReader('x') });
    await expect(cut).rejects.toThrow('a stream that ends early, after 1 characters');
  });

  it.each([
    ['null', /^null instead of a reply$/, true],
    ['"ok"', /^"ok" instead of a reply$/, true],
    ['[]', /^\[\] instead of a reply$/, true],
    ['', /^an empty body/, true],
    ['\n\n\n', /^an empty body/, true],
    ['{"choices": [{"mess', /^truncated JSON/, true],
    ['<!doctype html><title>Sign in</title>', /^a body other than JSON: "<!doctype html>/, false],
    ['Service is up', /^a body other than JSON: "Service is up"/, false],
  ])('%s is no reply', async (sent, message, retryable) => {
    await expect(read(sent, { type: '' })).rejects.toMatchObject({
      message: expect.stringMatching(message),
      retryable,
    });
  });
});

describe('decoding', () => {
  /** Processor time of the call, ms: this machine may be busy with other things. */
  async function processorTime(call: () => Promise<unknown>): Promise<number> {
    const before = process.cpuUsage();
    await call();
    return process.cpuUsage(before).user / 1000;
  }

  it('takes time linear in the length: 32k tokens, and a megabyte in one event', async () => {
    const tokens = Array.from({ length: 32_768 }, (_, i) => says(` w${(i * 7919) % 9973}`)).join('') + stop + done;
    expect(await processorTime(() => read(tokens, { sizes: [1460] }))).toBeLessThan(1000);
    const large = says(Array.from({ length: 150_000 }, (_, i) => i).join(' ')) + stop + done;
    expect(large.length).toBeGreaterThan(900_000);
    expect(await processorTime(() => read(large, { sizes: [1460] }))).toBeLessThan(1000);
  });

  it('has bounds', () => {
    const decoder = payloadDecoder('text/event-stream', '');
    const megabyte = new Uint8Array(2 ** 20).fill(58);
    for (let i = 0; i < 32; i++) decoder.push(megabyte);
    expect(() => decoder.push(megabyte)).toThrow('an answer of more than 33554432 bytes');
  });
});

describe('repetition', () => {
  it('is found by its unit, and cut after the first round', () => {
    const unit = 'params[0]: 1, params[1]: 2\nBecause it is better.\n';
    expect(repetitionAtEnd(`Well. ${unit.repeat(20)}`, 600)).toEqual({ start: 6 + unit.length, unit });
    expect(repetitionAtEnd(`Well. ${unit.repeat(4)}`, 100)).toBeNull();
    expect(repetitionAtEnd(unit.repeat(20), 2000)).toBeNull();
  });

  it('is found wherever it begins, and nowhere else', () => {
    const units = fc.stringMatching(/^[a-z ]{1,60}$/);
    fc.assert(
      fc.property(fc.nat(9000), units, (before, unit) => {
        const head = Array.from({ length: before }, (_, i) => (i * i * 7919) % 9973)
          .join(' ')
          .slice(0, before);
        const seen = repetitionWatch(0);
        const whole = `${head}|${unit.repeat(Math.ceil(3000 / unit.length))}`;
        let found = null;
        let taken = 0;
        while (found === null && taken < whole.length) {
          found = seen.push(whole.slice(taken, taken + 37));
          taken += 37;
        }
        expect(found).not.toBeNull();
        expect(taken).toBeGreaterThan(head.length);
        // The first round may begin within the unit.
        expect(Math.abs((found?.start ?? 0) - head.length - 1)).toBeLessThanOrEqual(2500);
      }),
      { numRuns: 40 },
    );
  });

  it('ends the reply while it is written', async () => {
    const endless = says('Fine. ') + says('la '.repeat(50)).repeat(400);
    const found = await read(endless, { isOpen: true, sizes: [1000] });
    expect(found).toMatchObject({ text: 'Fine. la', finish: 'repetition' });
    const thinking = event({ delta: { reasoning: 'hm, '.repeat(40) } }).repeat(100);
    expect(await read(thinking, { isOpen: true })).toMatchObject({ text: '', reasoning: 'hm, ', finish: 'repetition' });
  });

  it('does not include a requested list of equal values', async () => {
    const list = `[${Array.from({ length: 1000 }, () => '0').join(', ')}]`;
    const sent = Array.from({ length: 60 }, (_, i) => says(list.slice(i * 50, i * 50 + 50))).join('') + stop;
    expect(await read(sent, { values: 1000 })).toMatchObject({ text: list, finish: 'stop' });
    expect(await read(sent, { values: 2 })).toMatchObject({ finish: 'repetition' });
  });
});
