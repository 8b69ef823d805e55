/** What a model or a server writes cannot steer a terminal, nor hide in a record. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printable, visibleJson } from '../../src/base/printable.ts';
import { createIo } from '../../src/cli/io.ts';
import { anyText } from '../support/any-text.ts';
import { eventsOf, scriptedModel, uselessRun } from '../support/experiment.ts';

/** Control characters of a text beside tab, line feed, and colours. */
function steering(text: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an ANSI sequence starts with ESC
  const colour = /\u001b\[[0-9;]*m/g;
  return [...text.replaceAll(colour, '')].filter((c) => /[\p{Cc}\u202a-\u202e]/u.test(c) && c !== '\t' && c !== '\n');
}

const nasty = 'a\u001b]0;title\u0007b\u001b[2Jc\u009b31md\u202eevil\rgone\u0000e\u001b[31mred\u001b[0m\tf\ng';

describe('inert text', () => {
  it('keeps words, tabs, lines and colours, and drops what steers', () => {
    expect(printable(nasty)).toBe('a]0;titleb[2Jc31mdevilgonee\u001b[31mred\u001b[0m\tf\ng');
    expect(printable('naïve – 中文 🎉')).toBe('naïve – 中文 🎉');
  });

  it('leaves only tab, line feed and colours of all control characters', () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        expect(steering(printable(text))).toEqual([]);
      }),
    );
  });

  it('writes the same JSON, with what cannot be seen in view', () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        const json = visibleJson(JSON.stringify({ text }));
        expect(JSON.parse(json)).toEqual({ text });
        expect(json).not.toMatch(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      }),
    );
  });

  it('reaches the terminal through every way of writing', () => {
    const written: string[] = [];
    const stream = { isTTY: false, write: (text: string) => written.push(text) };
    const io = createIo(stream, stream, { NO_COLOR: '1' });
    io.print(nasty);
    io.note(nasty);
    io.warn(nasty);
    io.error(nasty);
    io.printJson({ nasty });
    expect(written).toHaveLength(5);
    expect(steering(written.join(''))).toEqual([]);
  });

  it('is what a reply is in the record', async () => {
    const bad = '\u202e\u009b2J<script>alert(1)</script> [x](javascript:1) \u001b[2J no parameters';
    const model = scriptedModel(() => bad);
    const folder = await uselessRun({ model, overrides: ['iterations=1', 'search.repair_turns=0'] });
    const raw = readFileSync(join(folder, 'events.jsonl'), 'utf8');
    expect(steering(raw)).toEqual([]);
    expect(raw).not.toContain('\t');
    const call = eventsOf(folder).find(({ type }) => type === 'llm_call');
    expect(call).toMatchObject({ reply: { text: bad } });
  });
});
