/** Texts from outside of any content and length: every parser of them takes little time. */
import { describe, expect, it } from 'vitest';
import { inertCsvLine } from '../src/base/csv-line.ts';
import { inertText, printable, visibleJson } from '../src/base/printable.ts';
import { parseAxis } from '../src/config/axes.ts';
import { parseYaml } from '../src/config/yaml-text.ts';
import { readKeys, readNumber, readReplyParams, readTable } from '../src/interop/reference/text.ts';
import { askedWait, durationSeconds } from '../src/llm/providers/waits.ts';
import { parseReply } from '../src/llm/reply/parse.ts';
import { htmlText, latexText, markdownText } from '../src/report/tables/table.ts';
import { parseQueueAddress, withoutPasswords } from '../src/sweep/queue/address.ts';

const spec = {
  count: 3,
  values: { kind: 'real' },
  low: -6,
  high: 6,
  decimals: 1,
  outOfRange: 'refuse',
} as const;

const parsers: Readonly<Record<string, (text: string) => unknown>> = {
  reply: (text) => parseReply(text, spec),
  'number of a log': readNumber,
  'keys of a log': readKeys,
  'reply of a log': (text) => readReplyParams(text, 3, 'first'),
  'table of a log': (text) => readTable(text, 3),
  'wait of an endpoint': (text) => askedWait(429, new Headers(), text, 0),
  duration: durationSeconds,
  'values of a sweep': (text) => parseAxis(`seed=${text}`, 1),
  'address of a queue': (text) => parseQueueAddress(`redis://${text}`),
  'command line': (text) => withoutPasswords([`redis://${text}`]),
  printable,
  'visible JSON': visibleJson,
  'inert text': inertText,
  'CSV cell': (text) => inertCsvLine([text]),
  'Markdown cell': markdownText,
  'LaTeX cell': latexText,
  'HTML cell': htmlText,
};

const units = [
  ...[
    '1',
    ' ',
    '\t',
    '\n',
    '"',
    "'",
    '[',
    '(',
    '{',
    ']',
    '[1]',
    ',',
    '1,',
    ':',
    ': 1 ',
    '-',
    '--1',
    '.',
    '1.',
    'e',
    '1e',
  ],
  ...['a', 'é', '中', '\u0301', '\ud800', '\u001b[', '\u001b]', '\\', '\\n', '|', '<', '=', '@', '#', '$', '&', '*'],
];

describe('a text of 100,000 characters takes little time as', () => {
  // A parser of quadratic time needs seconds for them; one of linear time, some milliseconds.
  it.each(Object.entries(parsers))('%s', (_name, parse) => {
    for (const unit of units) {
      for (const end of ['', 'x', '!']) {
        const text = unit.repeat(100_000 / unit.length) + end;
        const start = process.cpuUsage();
        try {
          parse(text);
        } catch {
          // A refusal is an answer too.
        }
        expect(process.cpuUsage(start).user / 1e6, JSON.stringify(unit)).toBeLessThan(0.5);
      }
    }
  });
});

describe('a configuration', () => {
  it.each(['[', '{', '[{', '- [', 'a: {b: ['])(
    'of a million open brackets is refused, and ends no process: %j',
    (unit) => {
      const text = unit.repeat(1_000_000 / unit.length);
      expect(() => parseYaml('config', { name: 'c.yaml', text })).toThrow(/levels of nesting, got more/);
    },
  );
});
