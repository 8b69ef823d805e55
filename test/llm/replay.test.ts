import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DiffersError, exitCodes } from '../../src/base/errors.ts';
import { type ChatReply, type Message, plainReply } from '../../src/llm/chat.ts';
import { lineDiff } from '../../src/llm/diff.ts';
import { type RecordedCall, replayModel as replayCalls } from '../../src/llm/replay.ts';
import { digested } from '../../src/llm/text-digest.ts';

const reply = (text: string): ChatReply =>
  plainReply({
    text,
    usage: { promptTokens: 11, completionTokens: 5, estimated: false },
    latencySeconds: 1.5,
    requests: 2,
    model: 'recorded-1',
    finishReason: 'stop',
    dropped: ['seed'],
  });
const prompt = (content: string): Message[] => [{ role: 'user', content }];
const ask = (content: string) => ({ messages: prompt(content), temperature: 0, seed: null });

type SentCall = Omit<RecordedCall, 'request'> & { readonly request: { messages: Message[]; form: 'lines' } };

/** The model of calls whose texts are at hand. */
function replayModel(sent: readonly SentCall[], options: { id?: string; prompts?: 'may-differ' } = {}) {
  const recorded = sent.map((call) => ({
    ...call,
    request: { ...call.request, messages: digested(call.request.messages) },
  }));
  return replayCalls(recorded, { ...options, sentIn: (position) => sent[position]!.request.messages });
}

const calls: SentCall[] = [
  {
    request: { messages: prompt('first'), form: 'lines' },
    reply: reply('one'),
    purpose: 'search',
    iteration: 1,
    attempt: 0,
  },
  {
    request: { messages: prompt('a\nb\nc\nd\ne\nf'), form: 'lines' },
    reply: reply('two'),
    purpose: 'critic',
    iteration: 1,
    attempt: 1,
  },
  {
    request: { messages: prompt('third'), form: 'lines' },
    reply: reply('three'),
    purpose: 'search',
    iteration: 2,
    attempt: 0,
  },
];

describe('replayModel', () => {
  it('answers the recorded replies in order', async () => {
    const model = replayModel(calls, { id: 'replay:runs/a' });
    expect(model).toMatchObject({ id: 'replay:runs/a', kind: 'replay' });
    expect(await model.complete(ask('first'))).toEqual(reply('one'));
    expect((await model.complete(ask('a\nb\nc\nd\ne\nf'))).text).toBe('two');
    expect((await model.complete(ask('third'))).text).toBe('three');
  });

  it('shows where a prompt differs', async () => {
    const model = replayModel(calls);
    await model.complete(ask('first'));
    const error = await model.complete(ask('a\nb\nc\nX\ne\nf')).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(DiffersError);
    expect((error as DiffersError).exitCode).toBe(exitCodes.differs);
    expect((error as DiffersError).message).toContain('prompt of call 2 (critic of iteration 1, repair turn 1)');
    expect((error as DiffersError).message).toMatch(/\n@@ line 3 @@\n {2}b\n {2}c\n- d\n\+ X\n {2}e\n {2}f$/);
  });

  it('distinguishes messages of different roles', async () => {
    const model = replayModel(calls);
    const messages: Message[] = [{ role: 'system', content: 'first' }];
    await expect(model.complete({ messages, temperature: null, seed: null })).rejects.toThrow(
      /- \[user\]\n\+ \[system\]/,
    );
  });

  it('reports the end of the recording', async () => {
    const model = replayModel(calls.slice(0, 1));
    await model.complete(ask('first'));
    await expect(model.complete(ask('first'))).rejects.toThrow(/at most 1 model calls as recorded/);
  });

  it('starts where a run is resumed', async () => {
    const model = replayModel(calls);
    expect((await model.complete(ask('third'))).text).toBe('three');
  });

  it('can allow differing prompts', async () => {
    const model = replayModel(calls, { prompts: 'may-differ' });
    expect((await model.complete(ask('third'))).text).toBe('one');
    expect((await model.complete(ask('anything'))).text).toBe('two');
  });

  it('stops for a signal', async () => {
    await expect(replayModel(calls).complete(ask('first'), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      exitCode: exitCodes.interrupted,
    });
  });
});

describe('lineDiff', () => {
  it('is empty for equal texts only', () => {
    expect(lineDiff('a\nb', 'a\nb')).toBe('');
    expect(lineDiff('a\nb', 'a\nb\n')).toBe('@@ line 1 @@\n  a\n  b\n+');
  });

  it('shows separate changes in separate groups', () => {
    const lines = Array.from({ length: 30 }, (_, i) => `line ${i + 1}`);
    const changed = lines.map((line) => (line === 'line 5' ? 'five' : line)).filter((line) => line !== 'line 20');
    expect(lineDiff(lines.join('\n'), changed.join('\n'), 1)).toBe(
      [
        '@@ line 4 @@',
        '  line 4',
        '- line 5',
        '+ five',
        '  line 6',
        '@@ line 19 @@',
        '  line 19',
        '- line 20',
        '  line 21',
      ].join('\n'),
    );
  });

  it('states how much it omits', () => {
    const text = (word: string) => Array.from({ length: 50 }, (_, i) => `${word} ${i}`).join('\n');
    const shown = lineDiff(text('old'), text('new')).split('\n');
    expect(shown).toHaveLength(61);
    expect(shown.at(-1)).toBe('(41 more lines differ or surround differences)');
  });

  it('turns one text into the other', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 }).map((lines) => lines.join('\n'));
    fc.assert(
      fc.property(text, text, (a, b) => {
        fc.pre(a !== b);
        const body = lineDiff(a, b, 1000, 1000).split('\n').slice(1);
        const side = (drop: string) => body.filter((line) => line[0] !== drop).map((line) => line.slice(2));
        expect(side('+').join('\n')).toBe(a);
        expect(side('-').join('\n')).toBe(b);
      }),
    );
  });
});
