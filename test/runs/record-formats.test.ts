/** What the lines of a record hold, by its format: readers see the same events, and a run goes on as it began. */
import { appendFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plainReply } from '../../src/llm/chat.ts';
import { bytesDigest } from '../../src/llm/text-digest.ts';
import { openCpuBackend } from '../../src/rollout/cpu/node/backend.ts';
import type { EventBody, RunEvent } from '../../src/runs/journal/events.ts';
import { Journal, readEvents, walkEvents } from '../../src/runs/journal/journal.ts';
import { openRecordedRun, replayRun } from '../../src/runs/replay.ts';
import { summaryOfReturns } from '../support/analysis.ts';
import { linesOf, readJson, rewriteRecord, smallRun, temporaryFolder } from '../support/experiment.ts';

const reply = plainReply({ text: 'params[0]: 1', usage: { promptTokens: 3, completionTokens: 2 }, model: 'm' });

function call(iteration: number, purpose: 'search' | 'critic', content: string): EventBody {
  const messages = [{ role: 'user' as const, content }];
  return {
    type: 'llm_call',
    iteration,
    purpose,
    attempt: 0,
    request: { messages, temperature: 0.5, seed: null, form: 'lines' },
    reply,
  };
}

function played(iteration: number, candidate: string, params: readonly number[]): EventBody {
  const summary = summaryOfReturns([1, 3]);
  return { type: 'evaluated', iteration, candidate, params, adjustments: [], seed: 5, summary, paired: null };
}

const history = (length: number) =>
  Array.from({ length }, (_, i) => `trial ${i}: params = [${i}]; mean = ${i * 3}`).join('\n');
const prompts = [history(40), `${history(41)}\nAnswer.`, 'ä \ud83d ☃', `${history(45)}\nAnswer.`, ''];

const bodies: readonly EventBody[] = [
  ...prompts.map((content) => call(1, 'search', content)),
  played(1, 'first-of-two', [0.5, -1]),
  played(1, 'second-of-two', [0.25, -2]),
  {
    type: 'iteration',
    iteration: 1,
    kept: 'second-of-two',
    why: 'it is better',
    candidates: [
      { label: 'first-of-two', params: [0.5, -1], mean: 2 },
      { label: 'second-of-two', params: [0.25, -2], mean: 2 },
    ],
    trial: { kind: 'iteration', params: [0.25, -2], mean: 2 },
  },
  {
    type: 'iteration',
    iteration: 2,
    kept: null,
    why: 'an imported log has candidates that nobody played',
    candidates: [{ label: 'proposal', params: [7, 8], mean: Number.NaN }],
    trial: null,
  },
  { type: 'rechecked', iteration: 1, params: [0.25, -2], seed: 6, summary: summaryOfReturns([2, 4]) },
];

async function recorded(folder: string, events: readonly EventBody[] = bodies): Promise<RunEvent[]> {
  const journal = Journal.open(folder, () => 1_700_000_000_000);
  const made: RunEvent[] = [];
  for (const body of events) made.push(await journal.append(body));
  journal.close();
  return made;
}

/** An empty record of format 1: its first line has no number of a format. */
function format1(): string {
  const folder = temporaryFolder();
  const first = { type: 'run_stopped', reason: 'a test', exit_code: 5, time: '2026-01-02T03:04:05.000Z', seq: 0 };
  writeFileSync(join(folder, 'events.jsonl'), `${JSON.stringify(first)}\n`);
  return folder;
}

const textsOf = (folder: string) =>
  [...walkEvents(folder)].flatMap(({ messages }) => messages?.map(({ content }) => content) ?? []);

describe('formats of the record', () => {
  it('give readers the same events, in whatever parts they are written', async () => {
    const [one, two] = [format1(), temporaryFolder()];
    const expected = await recorded(two);
    await recorded(one, bodies.slice(0, 3));
    await recorded(one, bodies.slice(3));
    expect(readEvents(two)).toMatchObject({ format: 2, events: expected });
    const ofOne = readEvents(one);
    expect(ofOne.format).toBe(1);
    expect(ofOne.events.slice(1).map((event) => ({ ...event, seq: event.seq - 1 }))).toEqual(expected);
    expect(textsOf(one)).toEqual(prompts);
    expect(textsOf(two)).toEqual(prompts);
    // Whoever continues a record has none of its texts; the next one is whole.
    await recorded(two, [call(2, 'search', prompts[1]!), call(2, 'search', prompts[3]!)]);
    expect(textsOf(two)).toEqual([...prompts, prompts[1], prompts[3]]);
  });

  it('a run goes on in the format in which it began', async () => {
    const folder = format1();
    await recorded(folder);
    expect(linesOf(folder).some((line) => 'prev' in line || 'journal' in line)).toBe(false);
    expect(readFileSync(join(folder, 'events.jsonl'), 'utf8')).toContain('"content":"ä \\ud83d ☃"');
  });

  it('state parameters once, and a message as what is new in it', async () => {
    const folder = temporaryFolder();
    await recorded(folder);
    const lines = linesOf(folder);
    expect(lines[7]).toMatchObject({
      trial: { kind: 'iteration' },
      candidates: [{ label: 'first-of-two', mean: 2 }, {}],
    });
    expect(JSON.stringify(lines[7])).not.toContain('params');
    expect(lines[8]).toMatchObject({ candidates: [{ params: [7, 8] }] });
    expect(lines[9]).not.toHaveProperty('params');
    const sent = (line: number) => ({
      request: {
        messages: [
          line === 1 ? { base: 0, pieces: [[0, prompts[0]!.length], expect.any(String)] } : { content: prompts[line] },
        ],
      },
    });
    expect(lines.slice(1, 3)).toMatchObject([sent(1), sent(2)]);
  });

  it('skip optional events of a later version, and refuse others', async () => {
    for (const folder of [format1(), temporaryFolder()]) {
      await recorded(folder, bodies.slice(0, 7));
      const { events, end } = readEvents(folder);
      const later = { type: 'weather', optional: true, rain: 3, time: '2026-01-02T03:04:05.000Z', seq: end.events };
      const links = readEvents(folder).format === 2 && { prev: end.digest };
      appendFileSync(join(folder, 'events.jsonl'), `${JSON.stringify({ ...later, ...links })}\n`);
      expect(readEvents(folder).events).toEqual(events);
      await recorded(folder, bodies.slice(7));
      const after = readEvents(folder);
      expect(after.events.at(-1)).toMatchObject({ type: 'rechecked', params: [0.25, -2] });
      expect(after.end.events).toBe(after.events.length + 1);
      expect(after.events.map(({ seq }) => seq)).not.toContain(end.events);
      rewriteRecord(folder, (text) => text.replace('"optional":true', '"optional":false'));
      expect(() => readEvents(folder)).toThrow(`events.jsonl:${end.events + 1}: expected an event`);
    }
  });

  it('refuse the format of a later version', async () => {
    const folder = temporaryFolder();
    await recorded(folder);
    rewriteRecord(folder, (text) => text.replace('"journal":2', '"journal":3'));
    expect(() => readEvents(folder)).toThrow(
      /events\.jsonl:1: .*format 3 of the record where this version knows 1 or 2/,
    );
  });

  it('name the first event that was changed, whichever it is', async () => {
    const folder = temporaryFolder();
    await recorded(folder);
    const path = join(folder, 'events.jsonl');
    const text = readFileSync(path, 'utf8');
    const lines = text.split('\n');
    for (let line = 0; line < bodies.length - 1; line++) {
      const changed = lines.with(line, lines[line]!.replace('2023-', '2024-'));
      writeFileSync(path, changed.join('\n'));
      expect(() => readEvents(folder)).toThrow(
        `events.jsonl:${line + 1}: expected an event, got one that was changed (seq ${line}, `,
      );
    }
    // Nothing follows the last line: its digest is in the summary.
    writeFileSync(path, text.replace(/"max":4(?!.*"max":4)/s, '"max":5'));
    expect(readEvents(folder).end.digest).not.toBe(bytesDigest(Buffer.from(lines.at(-2)!)));
  });

  it('refuse a patch of a text that is not there, and a text with another digest', async () => {
    const folder = temporaryFolder();
    await recorded(folder);
    const path = join(folder, 'events.jsonl');
    const text = readFileSync(path, 'utf8');
    for (const [pattern, to, problem] of [
      ['"base":0', '"base":7', 'a patch of a message that is not there'],
      [/\[\[0,\d+\]/, '[[0,10]', 'a text with another digest'],
      ['[[0,', '[[99999,', 'a patch of a message that is not there'],
    ] as const) {
      writeFileSync(path, text);
      rewriteRecord(folder, (before) => before.replace(pattern, to));
      // Whoever needs no texts reads it all the same.
      expect(readEvents(folder).events).toHaveLength(bodies.length);
      expect(() => textsOf(folder)).toThrow(
        `events.jsonl:2: expected an event, got something else ("request.messages.0": ${problem}`,
      );
    }
  });

  it('the summary states the record that it was made from', async () => {
    const { folder, summary } = await smallRun({ overrides: ['iterations=2'] });
    const lines = readFileSync(join(folder, 'events.jsonl'), 'utf8').trimEnd().split('\n');
    expect(summary.record).toEqual({ events: lines.length, digest: bytesDigest(Buffer.from(lines.at(-1)!)) });
    expect(readJson(folder).record).toEqual(summary.record);
  });

  it('a run of format 1 is resumed in it, and replays', async () => {
    const folder = join(temporaryFolder(), 'run');
    cpSync('test/cases/stopped-run', folder, { recursive: true });
    const backend = openCpuBackend({ threads: 1 });
    const report = await replayRun(await openRecordedRun(folder), backend, { prompts: 'may-differ' });
    await backend.close();
    expect(report).toMatchObject({ difference: null });
    expect(readEvents(folder).format).toBe(1);
  });
});
