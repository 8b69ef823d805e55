/** Models in this process, with a stand-in for the package that evaluates them; `npm run test:models` has the real one. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { InterruptedError, ModelError, UsageError } from '../../src/base/errors.ts';
import { llmSearchSchema } from '../../src/config/sections/llm-search.ts';
import type { CallProgress, ChatRequest } from '../../src/llm/chat.ts';
import { type Controls, noControls } from '../../src/llm/controls.ts';
import { checkGgufFile, checkWeights } from '../../src/llm/local/gguf-file.ts';
import { ggufModel, type LocalSettings } from '../../src/llm/local/index.ts';
import { ggufName, readGgufName } from '../../src/llm/local/name.ts';
import { findPackage, loadPackage } from '../../src/llm/local/package.ts';
import { ReplyText, tokenDecoder } from '../../src/llm/local/reply-text.ts';
import type { ReplyShape } from '../../src/llm/reply/shape.ts';
import { openModel } from '../../src/runs/models/open-model.ts';
import { type FakeOptions, fakePackage } from '../support/fake-llama.ts';

const folder = mkdtempSync(join(tmpdir(), 'r2po-local-'));
afterAll(() => rmSync(folder, { recursive: true }));

const head = Buffer.from([0x47, 0x47, 0x55, 0x46, 3, 0, 0, 0]);
let files = 0;

function file(content: Buffer | string = head, name = `model-${files++}.gguf`): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const shape: ReplyShape = {
  count: 1,
  values: { kind: 'real', low: -6, high: 6, decimals: 1 },
  explanationLength: 40,
};

function ask(content: string, more: Partial<ChatRequest> = {}): ChatRequest {
  return { messages: [{ role: 'user', content }], temperature: 0, seed: 1, purpose: 'search', ...more };
}

function open(options: FakeOptions = {}, settings: Partial<LocalSettings> = {}, name = file()) {
  const { open: openPackage, counts } = fakePackage(options);
  const model = ggufModel(name, { timeoutSeconds: 20, openPackage, ...settings });
  return model.then((opened) => ({ model: opened, counts }));
}

describe('the name of a model file', () => {
  it.each([
    ['a.gguf', { path: 'a.gguf', ctx: null, gpu: 'auto', threads: 1 }],
    ['/m/a b.gguf#ctx=4096', { path: '/m/a b.gguf', ctx: 4096, gpu: 'auto', threads: 1 }],
    ['a.gguf#threads=2&gpu=false&ctx=512', { path: 'a.gguf', ctx: 512, gpu: 'false', threads: 2 }],
    ['m#1/a.gguf', { path: 'm#1/a.gguf', ctx: null, gpu: 'auto', threads: 1 }],
    ['m#1/a.gguf#gpu=cuda', { path: 'm#1/a.gguf', ctx: null, gpu: 'cuda', threads: 1 }],
    ['a#2.gguf', { path: 'a#2.gguf', ctx: null, gpu: 'auto', threads: 1 }],
    ['a.gguf#', { path: 'a.gguf', ctx: null, gpu: 'auto', threads: 1 }],
  ])('reads %s', (text, expected) => {
    expect(readGgufName(text)).toEqual(expected);
  });

  it.each([
    ['a.gguf#thread=1', /unknown option .*"thread".*did you mean "threads".*known: ctx, gpu, threads/],
    ['a.gguf#ctx', /expected ctx=VALUE/],
    ['a.gguf#ctx=', /ctx as a whole number in 256 \.\.\. 16777216, got ""/],
    ['a.gguf#ctx=1e4', /got "1e4"/],
    ['a.gguf#ctx=255', /got "255"/],
    ['a.gguf#ctx=-4096', /got "-4096"/],
    ['a.gguf#threads=0', /threads as a whole number in 1 \.\.\. 1024, got "0"/],
    ['a.gguf#threads=1.5', /got "1.5"/],
    ['a.gguf#gpu=rocm', /unknown value of gpu "rocm".*known: auto, false, metal, cuda, vulkan/],
    ['a.gguf#ctx=512&ctx=1024', /expected ctx once/],
    ['a.gguf#ctx=512&', /unknown option/],
    ['#ctx=512', /got no file/],
  ])('refuses %s', (text, message) => {
    expect(() => readGgufName(text)).toThrow(UsageError);
    expect(() => readGgufName(text)).toThrow(message);
  });

  it('reads every path back when options follow', () => {
    const path = fc.stringMatching(/^[a-zA-Z0-9 ._/#=&-]{0,20}[a-z]\.gguf$/);
    const number = fc.integer({ min: 256, max: 1 << 24 });
    fc.assert(
      fc.property(path, number, (text, ctx) => {
        expect(readGgufName(text).path).toBe(text);
        const name = readGgufName(`${text}#ctx=${ctx}`);
        expect(name).toMatchObject({ path: text, ctx });
        expect(readGgufName(ggufName(name).slice('gguf:'.length))).toEqual(name);
      }),
    );
  });
});

describe('the file', () => {
  it('is measured with all its parts', () => {
    const first = file(Buffer.concat([head, Buffer.alloc(10)]), 'split-00001-of-00002.gguf');
    file(Buffer.concat([head, Buffer.alloc(5)]), 'split-00002-of-00002.gguf');
    expect(checkGgufFile('u', first)).toEqual({ path: first, size: 31 });
    expect(() => checkGgufFile('u', join(folder, 'split-00002-of-00002.gguf'))).toThrow(/got part 2; name part 00001/);
    rmSync(join(folder, 'split-00002-of-00002.gguf'));
    expect(() => checkGgufFile('u', first)).toThrow(/got no file at ".*split-00002-of-00002/);
  });

  it.each([
    ['', /an empty file/],
    ['GGUF', /a truncated file/],
    [Buffer.from([0x47, 0x47, 0x55, 0x46, 1, 0, 0, 0]), /version 2 or 3 of GGUF, got 1/],
    [Buffer.from([0x47, 0x47, 0x55, 0x46, 0, 0, 0, 3]), /version 2 or 3 of GGUF/],
    ['version https://git-lfs.github.com/spec/v1\n', /a Git LFS pointer/],
    ['<!DOCTYPE html><html>', /an HTML page/],
    ['PK\x03\x04aaaaaaaa', /a zip archive/],
    ['tjggaaaaaa', /a GGML file older than GGUF/],
    ['hello, this is text', /another format/],
  ])('is refused in another format (%#)', (content, message) => {
    const path = file(content);
    expect(() => checkGgufFile('model x', path)).toThrow(UsageError);
    expect(() => checkGgufFile('model x', path)).toThrow(message);
  });

  it('is suggested by similar names', () => {
    file(head, 'Qwen3-4B-Q4_K_M.gguf');
    expect(() => checkGgufFile('u', join(folder, 'Qwen3-4B-Q4_K_S.gguf'))).toThrow(
      /did you mean "Qwen3-4B-Q4_K_M.gguf"/,
    );
    expect(() => checkGgufFile('u', join(folder, 'nowhere', 'a.gguf'))).toThrow(/correct the path/);
    expect(() => checkGgufFile('u', folder)).toThrow(/got the folder/);
  });

  it('must fit into memory', () => {
    const big = { path: '/m/a.gguf', size: 5 * 2 ** 30 };
    expect(() => checkWeights('u', big, 4 * 2 ** 30)).toThrow(/fits into 4\.0 GiB of free memory, got 5\.0 GiB/);
    checkWeights('u', big, 6 * 2 ** 30);
  });
});

describe('the package', () => {
  function install(version: string): string {
    const root = mkdtempSync(join(folder, 'package-'));
    const place = join(root, 'node_modules', 'node-llama-cpp');
    mkdirSync(join(place, 'dist'), { recursive: true });
    writeFileSync(
      join(place, 'package.json'),
      JSON.stringify({
        name: 'node-llama-cpp',
        version,
        exports: { '.': { import: './dist/index.js', default: './dist/index.js' } },
      }),
    );
    writeFileSync(join(place, 'dist', 'index.js'), 'nonsense(');
    return pathToFileURL(join(root, 'x')).href;
  }

  it('is looked up in several folders, and its install command is given', async () => {
    expect(findPackage([pathToFileURL(join(folder, 'x')).href])).toBeNull();
    expect(findPackage([pathToFileURL(join(folder, 'x')).href, install('3.21.1')])?.version).toBe('3.21.1');
    await expect(loadPackage('model a', null)).rejects.toThrow(
      /\[model a\] .*got none; run "npm install node-llama-cpp@3\.21\.1"/,
    );
  });

  it.each(['2.8.0', '3.20.9', '4.0.0'])('is refused in version %s', async (version) => {
    await expect(loadPackage('u', findPackage([install(version)]))).rejects.toThrow(`got ${version}`);
  });

  it('is refused when it does not load', async () => {
    await expect(loadPackage('u', findPackage([install('3.22.0')]))).rejects.toThrow(/cannot be loaded/);
  });
});

describe('text that comes in tokens', () => {
  const marks = { open: '<think>', close: '</think>' };
  const whole = '<think>a <thin b</thin c</think>\n\nparams[0]: 1\nwhy <think>';

  function collect(pieces: readonly string[], start: 'none' | 'open' | 'free', stop: readonly string[] = []) {
    const reply = new ReplyText(start, marks, stop);
    const cut = pieces.reduce((done: unknown, piece) => done ?? reply.push(piece), null);
    return { text: reply.text, reasoning: reply.reasoning, cut };
  }

  it('is separated from reasoning, however it is split into pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 60, maxLength: 60 }), (sizes) => {
        const pieces: string[] = [];
        for (let at = 0, i = 0; at < whole.length; at += sizes[i]!, i++) pieces.push(whole.slice(at, at + sizes[i]!));
        expect(collect(pieces, 'free')).toMatchObject({
          text: 'params[0]: 1\nwhy <think>',
          reasoning: 'a <thin b</thin c',
        });
        expect(collect(pieces, 'none')).toMatchObject({ text: whole, reasoning: null });
        expect(collect([whole.slice(7), ...pieces], 'open').text).toBe(`params[0]: 1\nwhy <think>${whole}`);
        expect(collect(pieces, 'free', ['\nwhy'])).toMatchObject({
          text: 'params[0]: 1',
          cut: { reason: 'stop text' },
        });
      }),
    );
  });

  it('starts at once without an opening mark', () => {
    expect(collect(['<thi', 's> x'], 'free')).toMatchObject({ text: '<this> x', reasoning: null });
    expect(collect(['pa', 'rams'], 'free').text).toBe('params');
  });

  it('has whole characters', () => {
    const bytes = [...Buffer.from('añ✓🙂z')];
    const decoder = tokenDecoder<number>((tokens) => Buffer.from(tokens).toString(), []);
    const pieces = bytes.map((byte) => decoder.push(byte));
    expect(pieces.filter((piece) => piece !== '')).toEqual(['a', 'ñ', '✓', '🙂', 'z']);
    const broken = tokenDecoder<number>((tokens) => Buffer.from(tokens).toString(), []);
    expect(Array.from({ length: 20 }, () => broken.push(0xff)).join('')).toContain('\ufffd');
    expect(broken.flush()).toContain('\ufffd');
  });
});

describe('a model in this process', () => {
  it('evaluates only the new part of a prompt, per run and purpose', async () => {
    const { model, counts } = await open();
    const base = 'x'.repeat(100);
    const used = async (content: string, purpose: string, run: string) => {
      counts.evaluated.length = 0;
      const { usage } = await model.complete(ask(content, { purpose }), { run });
      expect(counts.evaluated.reduce((a, b) => a + b, 0)).toBe(usage.promptTokens - (usage.cachedTokens ?? 0));
      return usage.cachedTokens;
    };
    expect(await used(base, 'search', 'a')).toBe(0);
    expect(await used(base, 'critic', 'a')).toBe(0);
    expect(await used(`${base}1`, 'search', 'a')).toBe(101);
    expect(await used(`${base}12`, 'critic', 'a')).toBe(101);
    expect(await used(base, 'search', 'b')).toBe(0);
    expect(await used(`${base}123`, 'search', 'a')).toBe(102);
    expect(await used(`${base}3`, 'search', 'b')).toBe(101);
    // Of the same prompt the last token is evaluated again, since the reply follows on it.
    expect(await used(`${base}3`, 'search', 'b')).toBe(103);
    expect(counts).toMatchObject({ loads: 1, contexts: 2 });
  });

  it('reuses the context of a run that has ended', async () => {
    const { model, counts } = await open();
    for (let run = 0; run < 10; run++) {
      for (let call = 0; call < 12; call++) await model.complete(ask(`${run}${call}`), { run: `run ${run}` });
    }
    expect(counts.contexts).toBe(2);
  });

  it('reports a lack of memory for another run, and continues', async () => {
    const notes: string[] = [];
    let contextBytes = 1000;
    const { model, counts } = await open({
      get contextBytes() {
        return contextBytes;
      },
    });
    await model.complete(ask('a'), { run: 'a', log: (line) => notes.push(line) });
    contextBytes = 2 ** 60;
    for (const run of ['b', 'a', 'b']) await model.complete(ask('a'), { run, log: (line) => notes.push(line) });
    expect(counts.contexts).toBe(1);
    expect(notes).toEqual([
      expect.stringMatching(/memory holds the prompts of one run at a time.*use -j 1, or a smaller ctx/),
    ]);
  });

  it('reports before the first call that memory does not suffice for all runs of a sweep', async () => {
    const notes: string[] = [];
    const contextBytes = Math.floor(process.availableMemory() / 2.5);
    const log = (line: string) => void notes.push(line);
    await open({ contextBytes }, { concurrentRuns: 5, log });
    expect(notes).toEqual([expect.stringMatching(/memory holds the prompts of 3 runs at a time.*use -j 3/)]);
    notes.length = 0;
    await open({ contextBytes }, { concurrentRuns: 2, log });
    expect(notes).toEqual([]);
  });

  it('is loaded once per file, and answers one call at a time', async () => {
    const name = file();
    const { open: openPackage, counts } = fakePackage({ tokenTime: 1 });
    const settings = { timeoutSeconds: 20, openPackage };
    const [a, b] = await Promise.all([ggufModel(name, settings), ggufModel(`${name}#threads=1`, settings)]);
    const progress: CallProgress[] = [];
    const calls = [a, b, a].map((model, i) =>
      model.complete(ask(`p${i}`), { run: `${i}`, onProgress: (p) => i === 2 && progress.push(p) }),
    );
    await Promise.all(calls);
    expect(counts).toMatchObject({ loads: 1, mostAtOnce: 1 });
    expect(progress[0]).toEqual({ state: 'queued' });
    expect(progress[1]).toEqual({ state: 'asked' });
    expect(progress.at(-1)).toMatchObject({ state: 'writing', tokens: 20 });
  });

  it('reports all facts of a reply', async () => {
    const { model } = await open({
      template: 'tail:<think>',
      reply: () => 'Hm, 2.</think>\n\nparams[0]: 2\nI try<|end|>',
    });
    const reply = await model.complete(ask('p', { constraint: { form: 'grammar', shape } }));
    expect(reply).toMatchObject({
      text: 'params[0]: 2\nI try<|end|>',
      reasoning: 'Hm, 2.',
      finish: 'stop',
      model: 'Fake 1',
      answeredBy: model.id,
      requests: 1,
      usage: { cachedTokens: 0, reasoningTokens: 6, estimated: false },
    });
    expect(reply.firstTokenSeconds).toBeGreaterThanOrEqual(0);
  });

  it.each([
    // The model opens its reasoning by itself, in the prompt, or not at all: only the answer is held.
    ['no tail <think>', '<think>Hm</think>params[0]: 1\nx', 'Hm'],
    ['tail:<think>', 'Hm</think>params[0]: 1\nx', 'Hm'],
    ['no marks', 'params[0]: 1\nx', null],
  ])('is held in its answer, not in its reasoning (%s)', async (template, text, reasoning) => {
    const { model, counts } = await open({ template, reply: () => text });
    const reply = await model.complete(ask('p', { constraint: { form: 'grammar', shape } }));
    expect(reply).toMatchObject({ text: 'params[0]: 1\nx', reasoning });
    const inAnswer = counts.held.slice(counts.held.length - 'params[0]: 1\nx'.length + 1);
    expect(inAnswer.every(Boolean)).toBe(true);
    if (reasoning !== null) expect(counts.held.slice(0, 3)).toEqual([false, false, false]);
    expect(counts.grammars[0]).toContain('root');
  });

  it('is constrained from the start when it skips its reasoning', async () => {
    const { model, counts } = await open({
      template: 'no tail <think>',
      reply: (_, held) => (held ? 'params[0]: 1\nx' : 'Sure, I propose'),
    });
    const reply = await model.complete(ask('p', { constraint: { form: 'grammar', shape } }));
    expect(reply.text).toBe('params[0]: 1\nx');
    expect(counts.held.filter((held) => !held)).toHaveLength(1);
  });

  it('names the next form when its grammar is refused', async () => {
    const { model } = await open({ failGrammar: 'too many rules' });
    const call = model.complete(ask('p', { constraint: { form: 'grammar', shape } }));
    await expect(call).rejects.toMatchObject({ name: 'ReplyFormRefused', form: 'grammar', reason: 'too many rules' });
    expect(model.replyForms).toEqual(['begun', 'lines']);
    expect((await model.complete(ask('p', { constraint: { form: 'lines', shape } }))).finish).toBe('stop');
  });

  it('continues a prefill', async () => {
    const { model } = await open({
      reply: (prompt) => (prompt.endsWith('<|assistant|>params[0]:') ? ' 3\nwhy' : 'no'),
    });
    expect(model.replyForms).toEqual(['grammar', 'begun', 'lines']);
    const reply = await model.complete(ask('p', { constraint: { form: 'begun', shape } }));
    expect(reply.text).toBe('params[0]: 3\nwhy');
  });

  it('ends at stop sequences, at the token limit, and when it repeats itself', async () => {
    const controls = { ...noControls, stop: ['###', 'END'], maxReplyTokens: 40 };
    const of = async (text: string, used: Controls = controls) => {
      const { model } = await open({ reply: () => text }, { controls: used });
      return model.complete(ask('p'));
    };
    expect(await of('params[0]: 1 END more')).toMatchObject({ text: 'params[0]: 1 ', finish: 'stop' });
    expect(await of('y'.repeat(100))).toMatchObject({ text: 'y'.repeat(40), finish: 'length' });
    const circles = await of(`params[0]: 1\n${'and so on, '.repeat(500)}`, noControls);
    expect(circles.finish).toBe('repetition');
    expect(circles.text.length).toBeLessThan(100);
    expect(circles.usage.completionTokens).toBeLessThan(2000);
  });

  it('treats marks within a message as text', async () => {
    const { model } = await open({ reply: (prompt) => `${prompt.split('<|end|>').length - 1}` });
    const plain = await model.complete(ask('no mark'));
    const marked = await model.complete(ask('a <|end|> mark'));
    expect(marked.usage.promptTokens - plain.usage.promptTokens).toBe('a <|end|> mark'.length - 'no mark'.length);
  });

  it('merges the system message for templates without one', async () => {
    const { model } = await open({ template: 'no system', reply: (prompt) => prompt });
    const messages = [
      { role: 'system' as const, content: 'S' },
      { role: 'user' as const, content: 'U' },
    ];
    expect((await model.complete({ ...ask(''), messages })).text).toBe('<|user|>S\n\nU<|end|><|assistant|>');
  });

  it('refuses a prompt that exceeds its context', async () => {
    const { model } = await open({}, {}, `${file()}#ctx=256`);
    expect(await model.contextTokens?.()).toBe(256);
    await expect(model.complete(ask('x'.repeat(300)))).rejects.toThrow(ModelError);
    expect(model.maxContextTokens).toBe(4096);
    expect(model.countTokens?.('<|user|>')).toBe(8);
  });

  it.each<[string, number, string, Partial<Controls>, RegExp]>([
    [
      'has been begun',
      300,
      '#ctx=256&threads=1',
      {},
      /#ctx=1(\d{3})&gpu=auto&threads=1"\]', .* ctx=1\1 or more \(at most 4096\)$/,
    ],
    ['needs all that the model takes', 4000, '#ctx=256', {}, /#ctx=4096&gpu=auto&threads=1"\]', .* ctx=4096$/],
    [
      'has its context of llm.num_ctx',
      300,
      '',
      { numCtx: 256 },
      /; set llm\.num_ctx=1\d{3} or more \(at most 4096\) in a new run or a branch/,
    ],
    [
      'exceeds the model',
      4096,
      '',
      {},
      /; the model was trained with at most 4096: name a model .* in llm\.fallback, or lower critic/,
    ],
  ])('says how a run goes on that %s', async (_, length, suffix, controls, message) => {
    const name = `${file()}${suffix}`;
    const settings = { controls: { ...noControls, ...controls } };
    const { model } = await open({}, settings, name);
    const advice = await model.complete(ask('x'.repeat(length))).then(
      () => '',
      (error: Error) => error.message,
    );
    expect(advice).toMatch(message);
    const [fallback] = JSON.parse(/'llm\.fallback=(.*)'/.exec(advice)?.[1] ?? '[null]') as (string | null)[];
    if (fallback == null) return;
    const { model: larger } = await open({}, settings, fallback.slice('gguf:'.length));
    await larger.complete(ask('x'.repeat(length)));
  });

  it('ends at once when interrupted, and then answers the next call', async () => {
    const { model } = await open({ reply: () => 'z '.repeat(200), tokenTime: 20 });
    const controller = new AbortController();
    const started = performance.now();
    const first = model.complete(ask('a'), { signal: controller.signal });
    const queued = model.complete(ask('b'), { signal: controller.signal });
    const last = model.complete(ask('c', {}), {});
    setTimeout(() => controller.abort(), 60);
    await expect(first).rejects.toThrow(InterruptedError);
    await expect(queued).rejects.toThrow(InterruptedError);
    expect(performance.now() - started).toBeLessThan(1000);
    expect((await last).text).toContain('z z');
  });

  it('ends at its time limit', async () => {
    const { model } = await open({ reply: () => 'word '.repeat(500), tokenTime: 5 }, { timeoutSeconds: 0.1 });
    await expect(model.complete(ask('a'))).rejects.toThrow(/expected a reply within 0\.1 s, got none/);
  });

  it.each<[string, FakeOptions, Partial<LocalSettings>, string, RegExp]>([
    ['a context beyond the training', { trainContextSize: 2048 }, {}, '#ctx=4096', /expected ctx=1 \.\.\. 2048/],
    ['a context beyond the memory', { contextBytes: 2 ** 50 }, {}, '', /which takes .* GiB; lower ctx/],
    [
      'a file that does not load',
      { failLoad: 'tensor data is out of bounds' },
      {},
      '',
      /got "tensor data is out of bounds"/,
    ],
    ['a broken template', { template: 'broken' }, {}, '', /readable chat template, got "a brace is missing"/],
    ['more threads than there are', {}, {}, '#threads=1000', /expected threads=1 \.\.\. \d+/],
    ['two sizes', {}, { controls: { ...noControls, numCtx: 512 } }, '#ctx=1024', /got num_ctx 512 and ctx=1024/],
    [
      'think without a switch',
      {},
      { controls: { ...noControls, think: true } },
      '',
      /\[llm\.think\] .*cannot switch reasoning/,
    ],
    [
      'an effort',
      {},
      { controls: { ...noControls, reasoningEffort: 'low' } },
      '',
      /\[llm\.reasoning_effort\] .*no reasoning efforts/,
    ],
    [
      'a keep_alive',
      {},
      { controls: { ...noControls, keepAlive: '5m' } },
      '',
      /expected no llm\.keep_alive, .*supported by ollama/,
    ],
    ['an extra body', {}, { controls: { ...noControls, extraBody: { a: 1 } } }, '', /\[llm\.extra_body\]/],
    [
      'headers',
      {},
      { controls: { ...noControls, headers: { a: '$B' } } },
      '',
      /\[llm\.headers\] expected none, since gguf:.*in this process/,
    ],
  ])('refuses %s before anything is begun', async (_, options, settings, suffix, message) => {
    const opening = open(options, settings, `${file()}${suffix}`);
    await expect(opening).rejects.toThrow(UsageError);
    await expect(opening).rejects.toThrow(message);
  });

  it('reports a file without a template', async () => {
    const notes: string[] = [];
    await open({ template: null }, { log: (line) => notes.push(line) });
    expect(notes).toEqual([expect.stringMatching(/contains no chat template/)]);
  });

  it('switches reasoning off where the template can', async () => {
    const controls = { ...noControls, think: false };
    const { model, counts } = await open({ template: '<think> enable_thinking' }, { controls });
    await model.complete(ask('p', { constraint: { form: 'grammar', shape } }));
    expect(counts.held.every(Boolean)).toBe(true);
  });

  it('is opened by its name', async () => {
    const { llm } = { llm: llmSearchSchema.shape.llm.parse({}) };
    await expect(openModel('gguf:', { llm }, () => {})).rejects.toThrow(/add what is missing/);
    await expect(openModel(`gguf:${folder}/none.gguf`, { llm }, () => {})).rejects.toThrow(/got no file at/);
  });
});
