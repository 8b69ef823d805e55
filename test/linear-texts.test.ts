/** Texts from outside of any content and length: every parser of them takes little time. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { inertCsvLine } from '../src/base/csv-line.ts';
import { inertText, printable, visibleJson } from '../src/base/printable.ts';
import { variablesIn } from '../src/cli/environment.ts';
import { parseAxis } from '../src/config/axes.ts';
import { parseOverride } from '../src/config/overrides.ts';
import { parseYaml } from '../src/config/yaml-text.ts';
import { findEnv } from '../src/envs/registry.ts';
import { readKeys, readNumber, readReplyParams, readTable } from '../src/interop/reference/text.ts';
import { MonitorParser } from '../src/interop/sb3/monitor.ts';
import { chatTemplate } from '../src/llm/local/chat-template.ts';
import type { Jinja, Model } from '../src/llm/local/package.ts';
import { payloadDecoder } from '../src/llm/providers/payloads.ts';
import { askedWait, durationSeconds } from '../src/llm/providers/waits.ts';
import { parseReply } from '../src/llm/reply/parse.ts';
import { parseSets } from '../src/llm/reply/parse-sets.ts';
import { parsePolicy } from '../src/policies/policy-file.ts';
import { htmlText, latexText, markdownText } from '../src/report/tables/table.ts';
import { readManifest } from '../src/runs/folder/manifest.ts';
import { readMetrics } from '../src/runs/folder/metrics.ts';
import { StoredRun } from '../src/runs/folder/read-run.ts';
import { readEvents } from '../src/runs/journal/journal.ts';
import { readJournalEnd, wholeChain } from '../src/runs/journal/journal-end.ts';
import { parseQueueAddress, withoutPasswords } from '../src/sweep/queue/address.ts';
import { configFacts } from '../src/view/server/config-facts.ts';
import { temporaryFolder } from './support/experiment.ts';

const spec = {
  count: 3,
  values: { kind: 'real' },
  low: -6,
  high: 6,
  decimals: 1,
  outOfRange: 'refuse',
} as const;

const cartpole = findEnv('CartPole-v1');
const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

/** Reads a file of this name and content. */
const fileParser = (name: string, read: (path: string) => unknown) => (text: string) => {
  const path = join(folder, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, text);
  return read(path);
};

/** Reads a text as it comes from a server, a part at a time. */
function decoded(text: string, contentType: string): void {
  const decoder = payloadDecoder(contentType, 'advice');
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 1024) decoder.push(bytes.subarray(at, at + 1024));
  decoder.end();
}

function monitored(text: string): void {
  const parser = new MonitorParser(0, () => {});
  for (const [i, line] of ['r,l,t', ...text.split('\n')].entries()) parser.line(line, i + 1, true);
  parser.line(`#${text}`, 9, true);
  parser.end();
}

/** The template of a model file, with an engine that gives its text back. */
function templated(text: string): void {
  const tokens = { bos: null, bosString: null, eosString: null, shouldPrependBosToken: false };
  const model = { fileInfo: { metadata: { tokenizer: { chat_template: text } } }, tokens, tokenize: () => [] };
  const Template = class {
    render = ({ messages }: { messages: readonly { content: string }[] }) =>
      `${text}${messages.map(({ content }) => content).join(text)}${text}`;
  };
  const template = chatTemplate('gguf', model as unknown as Model, { Template } as unknown as Jinja);
  template.prompt([{ role: 'user', content: text }], { think: null, reasoningEffort: null });
  template.check({ think: true, reasoningEffort: 'low' });
}

const parsers: Readonly<Record<string, (text: string) => unknown>> = {
  reply: (text) => parseReply(text, spec),
  'reply of several sets': (text) => parseSets(text, 4, spec),
  'line of a set': (text) => [parseSets(`params[0${text}`, 4, spec), parseSets(`params${text}`, 4, spec)],
  'number of a log': readNumber,
  'keys of a log': readKeys,
  'reply of a log': (text) => readReplyParams(text, 3, 'first'),
  'table of a log': (text) => readTable(text, 3),
  'wait of an endpoint': (text) => askedWait(429, new Headers(), text, 0),
  duration: durationSeconds,
  'values of a sweep': (text) => parseAxis(`seed=${text}`, 1),
  'address of a queue': (text) => parseQueueAddress(`redis://${text}`),
  'command line': (text) => withoutPasswords([`redis://${text}`]),
  'override of a configuration': (text) => parseOverride(`model=${text}`, 1),
  'key of an override': (text) => parseOverride(`${text}=1`, 1),
  'policy file': (text) => parsePolicy({ name: 'p.json', text }, cartpole),
  'kind of a policy': (kind) => parsePolicy({ name: 'p.json', text: JSON.stringify({ kind, params: [1] }) }, cartpole),
  '.env': variablesIn,
  'value in .env': (text) => variablesIn(`A="${text}"\nB=${text}`),
  'server-sent events': (text) => decoded(`data: ${text}`, 'text/event-stream'),
  'answer of an endpoint': (text) => decoded(text, 'application/json'),
  'monitor file': monitored,
  'chat template': templated,
  'journal of a run': fileParser('events.jsonl', () => readEvents(folder)),
  'end and digests of a journal': fileParser('events.jsonl', () => [readJournalEnd(folder), wholeChain(folder)]),
  'manifest of a run': fileParser('run.json', () => readManifest(folder)),
  'summary of a run': fileParser('summary.json', () => new StoredRun(folder, {} as never).summary()),
  'metrics of a run': fileParser('metrics.csv', readMetrics),
  'row of metrics': (text) =>
    fileParser('metrics.csv', readMetrics)(`iteration,episodes,mean,best,prompt_tokens,completion_tokens\n${text}`),
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
  // A parser of quadratic time needs many seconds for some of them; one of linear time, far less than one.
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
        expect(process.cpuUsage(start).user / 1e6, JSON.stringify(unit)).toBeLessThan(2);
      }
    }
  });
});

describe('a configuration', () => {
  const deep = (text: string) => {
    // The package ends the process at the second text that is too deep for it, and takes minutes for some others.
    for (let i = 0; i < 3; i++) {
      expect(() => parseYaml('config', { name: 'c.yaml', text })).toThrow(/levels of nesting, got more/);
    }
  };

  it.each(['[', '{', '[{', '- [', 'a: {b: [', '- ', '? ', '-\t', '- ? ', ': - ', '? a: ', '[? '])(
    'of a million characters of open levels is refused, and ends no process: %j',
    (unit) => deep(unit.repeat(1_000_000 / unit.length)),
  );

  it.each(['-', 'a:', '?'])('of levels on a line each is refused, and ends no process: %j', (unit) => {
    deep(Array.from({ length: 1200 }, (_, i) => ' '.repeat(i) + unit).join('\n'));
  });

  it.each(['[', '- ', '? '])('of a few hundred levels is refused: %j', (unit) => deep(unit.repeat(250)));

  it.each(['- ', '? ', '  '])('in a folder of runs ends no process: %j', (unit) => {
    const read = fileParser('config.yaml', () => new StoredRun(folder, {} as never).writtenConfig());
    for (let i = 0; i < 3; i++) {
      expect(() => read(`${unit.repeat(2500)}a`)).toThrow(/config.yaml:1:1: expected at most 30 levels/);
      expect(configFacts(`${unit.repeat(2500)}a${i}`)).toEqual({ planned: null, episodes: null });
    }
  });

  it('of few levels may have questions, rules and brackets in its texts', () => {
    const value = `${'Why? '.repeat(100)}${'- '.repeat(100)}${'['.repeat(100)}`;
    expect(parseYaml('config', { name: 'c.yaml', text: `a: ${JSON.stringify(value)}` }).value).toEqual({ a: value });
  });
});
