/** Whatever form a reply has, its policy and its text come back from the reference's layout, which its scripts can read. */
import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readsBack, takePlainLine, withPlainLine } from '../../src/interop/reference/plain-line.ts';
import { cutReasoning, readReasoning, writeReasoning } from '../../src/interop/reference/text.ts';
import type { RunEvent } from '../../src/runs/journal/events.ts';
import { eventsOf, scriptedModel, smallRun } from '../support/experiment.ts';
import { exported, importAll } from '../support/reference-round-trip.ts';

/** How models answer, with the same numbers. */
const forms: Readonly<Record<string, (params: readonly number[], other: number) => string>> = {
  plain: (p) => `${p.map((v, i) => `params[${i}]: ${v}`).join(', ')}\nBecause.`,
  'a plain line, and a mention of another value': (p, other) =>
    `${p.map((v, i) => `params[${i}]: ${v}`).join(', ')}\nLast time params[3] = ${other} failed, so params[3]: ${p[3]} now.\nparams[0]: ${other} was worse.`,
  'a line each': (p) => p.map((v, i) => `params[${i}]: ${v}`).join('\n'),
  json: (p) => JSON.stringify({ params: p, explanation: 'Because.' }),
  'fenced json': (p) => `\`\`\`json\n${JSON.stringify({ params: p })}\n\`\`\`\nparams[2] stays.`,
  list: (p) => `params = [${p.join(', ')}]\nBecause.`,
  bold: (p) => p.map((v, i) => `**params[${i}]**: ${v}`).join('\n'),
  'bold lines': (p) => p.map((v, i) => `- **params[${i}]:** ${v}`).join('\n'),
  table: (p) => `| parameter | value |\n|---|---|\n${p.map((v, i) => `| params[${i}] | ${v} |`).join('\n')}\n`,
  equals: (p) => `${p.map((v, i) => `params[${i}] = ${v}`).join('; ')}\n--- Critic-LLM (Reflection) ---\n`,
};

const ofType = <T extends RunEvent['type']>(folder: string, type: T) =>
  eventsOf(folder).filter((event) => event.type === type) as unknown as Extract<RunEvent, { type: T }>[];

/** The first block of lines that start with `params[` after each mark, as the reference's edit script takes it. */
function edited(reasoning: string): number[][] {
  return ['LLM:', 'Critic-LLM response:', 'Critic-LLM-only response:'].flatMap((mark) =>
    reasoning
      .split(`\n${mark}\n`)
      .slice(1)
      .map((text) => {
        const lines = text.split('\n').map((line) => line.trim());
        const start = lines.findIndex((line) => line.startsWith('params['));
        const block = lines.slice(start);
        const end = block.findIndex((line) => !line.startsWith('params['));
        const found = block.slice(0, end < 0 ? undefined : end).join(' ');
        return [...found.matchAll(/params\[\d+\]\s*[:=]\s*([-+]?\d+(?:\.\d+)?)/g)].map((m) => Number(m[1]));
      }),
  );
}

describe('a search with replies of many forms', () => {
  it.each([
    ['frozenlake/reptraj', 4, 16],
    ['maze/critic-only', 4, 9],
    ['frozenlake/pure-search', 4, 16],
    ['mountaincar-continuous/r2po', 6, 3],
  ])(
    '%s is the same after an export and an import',
    async (config, values, count) => {
      const numbers = fc.array(fc.integer({ min: 0, max: values - 1 }), { minLength: count, maxLength: count });
      const reply = fc.record({ form: fc.constantFrom(...Object.keys(forms)), numbers, other: fc.nat(values - 1) });
      await fc.assert(
        fc.asyncProperty(fc.array(reply, { minLength: 6, maxLength: 6 }), async (replies) => {
          const model = scriptedModel((_, call) => {
            const { form, numbers: params, other } = replies[call % 6]!;
            return forms[form]!(params, other);
          });
          const overrides = [
            'iterations=3',
            'warmup.policies=0',
            'evaluation.episodes=1',
            'recheck.episodes=10',
            'search.duplicates=allow',
          ];
          const { folder } = await smallRun({ config, overrides, model });
          const log = await exported(folder);
          const [run] = await importAll(log.root);
          expect(run!.files_skipped).toEqual([]);
          const back = run!.folder as string;
          const played = (f: string) => ofType(f, 'evaluated').map((e) => [e.iteration, e.candidate, e.params]);
          expect(played(back)).toEqual(played(folder));
          const kept = (f: string) => ofType(f, 'iteration').map((e) => [e.iteration, e.kept, e.candidates]);
          expect(kept(back)).toEqual(kept(folder));
          const refused = new Set(ofType(folder, 'parse_failed').map(({ seq }) => seq - 1));
          const texts = (f: string) => ofType(f, 'llm_call').filter(({ seq }) => f === back || !refused.has(seq));
          const said = (f: string) => texts(f).map((e) => [e.iteration, e.purpose, e.reply.text]);
          expect(said(back)).toEqual(said(folder));
          // The scripts of the reference read what was played.
          const files = Object.entries(log.files).filter(([name]) => name.endsWith('parameters_reasoning.txt'));
          for (const [name, text] of files) {
            const iteration = Number(/episode_(\d+)/.exec(name)![1]) + 1;
            const params = ofType(folder, 'evaluated').filter((e) => e.iteration === iteration);
            expect(edited(text)).toEqual(params.map((e) => e.params));
          }
          expect((await exported(back)).files).toEqual(log.files);
          for (const path of [folder, log.root, back]) rmSync(path, { recursive: true, force: true });
        }),
        { numRuns: 2 },
      );
    },
    60_000,
  );
});

describe('a plain line', () => {
  const numbers = fc.array(
    fc.integer({ min: -1e9, max: 1e9 }).map((x) => x / 1e4),
    {
      minLength: 1,
      maxLength: 5,
    },
  );

  it('reads back as the parameters, and leaves the reply as it was', () => {
    const word = fc.constantFrom('params[0]', ': 1', ' = 2', ', ', '\n', '\r', 'x', '5', '[', ']', '\u2028', '"', '**');
    const text = fc.array(word, { maxLength: 12 }).map((words) => words.join(''));
    fc.assert(
      fc.property(numbers, text, (params, reply) => {
        const logged = withPlainLine(reply, params);
        expect(takePlainLine(logged, params.length)).toEqual({ params, reply });
        expect(readsBack(withPlainLine('', params), params, 'last')).toBe(true);
      }),
    );
  });

  it('is not seen in another text', () => {
    expect(takePlainLine('params[0]: 1, params[1]: 2\nSo.', 2)).toBeNull();
    expect(takePlainLine('params[0]: 1\n\nSo.', 2)).toBeNull();
    expect(takePlainLine('params[0]: 1.50, params[1]: 2\n\nSo.', 2)).toBeNull();
  });
});

describe('a reasoning file', () => {
  const mark = fc.constantFrom(
    'system:\n',
    '\n\n\nLLM:\n',
    '--- Search-LLM (Proposal) ---\n',
    '\n\n--- Critic-LLM (Reflection) ---\n',
    'Critic-LLM (Reflection) prompt:\n',
    '\n\nCritic-LLM response:\n',
    '\n\n--- Proposal B ---\n',
    '\n\nCritic-LLM-only response:\n',
    'a',
    '\n',
  );
  const text = fc.array(mark, { maxLength: 6 }).map((words) => words.join(''));
  it.each([
    ['two-call', ['search', 'critic']],
    ['two-search', ['search', 'search']],
    ['critic-only', ['search']],
    ['single-call', ['search']],
  ] as const)('of the %s layout gives back texts that contain its marks', (layout, purposes) => {
    fc.assert(
      fc.property(fc.tuple(text, text, text, text), (texts) => {
        const exchanges = purposes.map((purpose, i) => ({ purpose, prompt: texts[2 * i]!, reply: texts[2 * i + 1]! }));
        const file = writeReasoning(layout, ['Winner: x'], exchanges);
        const lengths = exchanges.map(({ prompt, reply }) => ({ prompt: prompt.length, reply: reply.length }));
        expect(cutReasoning(layout, file, lengths)).toEqual(exchanges);
        const plain = texts.every((one) => /^a*$/.test(one));
        if (plain) expect(readReasoning(layout, file)).toEqual(exchanges);
      }),
    );
  });
});
