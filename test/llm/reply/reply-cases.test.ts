/** Shapes of replies that models have written, and what a careful reader takes from each. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseReply, type ReplySpec } from '../../../src/llm/reply/parse.ts';
import { splitReasoning } from '../../../src/llm/reply/reasoning.ts';

interface ReplyCase {
  readonly id: string;
  readonly reply: string;
  readonly expected: 'value' | 'refuse' | 'value or refuse';
}

const { value, cases } = JSON.parse(readFileSync('test/cases/replies.json', 'utf8')) as {
  readonly value: readonly number[];
  readonly cases: readonly ReplyCase[];
};

const spec = (count: number, change: Partial<ReplySpec> = {}): ReplySpec => ({
  count,
  values: { kind: 'real' },
  low: -6,
  high: 6,
  decimals: 1,
  outOfRange: 'refuse',
  ...change,
});

describe('a reply', () => {
  it.each(cases)('$expected: $id', ({ reply, expected }) => {
    const parsed = parseReply(reply, spec(value.length));
    if (parsed.ok) {
      expect(parsed.params).toEqual(value);
      expect(expected).not.toBe('refuse');
    } else {
      expect(parsed.problem).toMatch(/^[A-Zp].*\.$/s);
      expect(expected).not.toBe('value');
    }
  });

  it.each(cases)('with Windows line ends and blanks around it: $id', ({ reply }) => {
    const plain = parseReply(reply, spec(value.length));
    const dressed = parseReply(`\n\uFEFF${reply.replaceAll('\n', '\r\n')}\r\n\r\n`, spec(value.length));
    if (plain.ok) expect(dressed).toMatchObject({ ok: true, params: plain.params });
  });

  it('says how to do better', () => {
    const problemOf = (reply: string) => {
      const parsed = parseReply(reply, spec(3));
      return parsed.ok ? 'accepted' : parsed.problem;
    };
    expect(problemOf('trial 3: params = [1, 2, 3]; rollout_reward = -9')).toMatch(/only repeats points .* give new/);
    expect(problemOf('Option A: [1, 2, 3]\nOption B: [2, 2, 3]')).toMatch(/2 different .* does not say which one/);
    expect(problemOf('[1, 2, 3]\nWait, this was measured already.')).toMatch(/takes its parameters back/);
    expect(problemOf('Draft: [1, 2, 3]')).toMatch(/only as a draft or an example/);
    expect(problemOf('params[0]: 1, params[1]: 2, params[2]: 0.')).toMatch(/params\[2\] ends in a point .* cut off/);
    expect(problemOf('<|channel|>analysis<|message|>[1, 2, 3]')).toMatch(/opens the channel "analysis", never closes/);
    expect(problemOf('x [1] '.repeat(3000))).toMatch(/thousands of groups of numbers; the first line must begin with/);
  });
});

describe('a sign and what is struck out', () => {
  const pairs = (second: string) => `params[0]: 1.5, params[1]: ${second}, params[2]: 0.2`;
  const accepted = (reply: string) => {
    const parsed = parseReply(reply, spec(3));
    return parsed.ok ? parsed.params : null;
  };

  it('behind a number makes it none', () => {
    for (const number of ['0.5-', '0.5\u2212', '0.5+']) {
      const unclear = /^params\[1\] is written "0\.5[-+]", which is no plain number/;
      expect(parseReply(pairs(number), spec(3))).toMatchObject({ problem: expect.stringMatching(unclear) });
      expect(accepted(`[1.5, ${number}, 0.2]`)).toBeNull();
      expect(accepted(`params: 1.5, ${number}, 0.2`)).toBeNull();
    }
  });

  it('that may be a soft hyphen, or digits in another order, are not guessed', () => {
    for (const number of ['\u00AD0.5', '\u00AD\u200B0.5', '-\u00AD0.5', '\u202E5.0']) {
      for (const reply of [
        pairs(number),
        `[1.5, ${number}, 0.2]`,
        `1.5, ${number}, 0.2`,
        `{"params": [1.5, ${number}, 0.2]}`,
      ]) {
        expect(accepted(reply)).toBeNull();
      }
    }
    expect(accepted(`pa\u00ADrams[0]: 1.5, params[1]: -0.5, params[2]: 0.2`)).toEqual(value);
  });

  it('with invisible characters behind it stays', () => {
    for (const gap of ['\u200B\u2060', '\u180E', '\u034F', '\u3164'])
      expect(accepted(pairs(`-${gap}0.5`))).toEqual(value);
  });

  it('is no answer, at the beginning of a reply either', () => {
    expect(accepted(`<s>${pairs('-0.5')}</s>\nToo low.`)).toBeNull();
    expect(accepted(`Try <s>${pairs('-0.5')}</s>`)).toBeNull();
    expect(accepted(`<s>[-6, -6, -6]</s>\n${pairs('-0.5')}`)).toEqual(value);
    for (const latex of ['sout', 'st', 'cancel']) expect(accepted(`\\${latex}{${pairs('-0.5')}}`)).toBeNull();
  });

  it('is an answer where the tags are tokens of the model', () => {
    for (const reply of ['<s># </s>', '#</s>', '<s>[INST] # [/INST]</s>', '#</s><s>[INST] more [/INST] [3, 3, 3]']) {
      expect(accepted(reply.replace('#', pairs('-0.5')))).toEqual(value);
    }
  });
});

describe('for all', () => {
  const number = fc.integer({ min: -60, max: 60 }).map((n) => n / 10 + 0);
  const vector = fc.array(number, { minLength: 2, maxLength: 8 });
  const pairs = (values: readonly number[]) => values.map((v, i) => `params[${i}]: ${v}`).join(', ');
  const list = (values: readonly number[]) => `[${values.join(', ')}]`;
  const sections: readonly [string, string][] = [
    ['<think>', '</think>'],
    ['<THINKING effort="high">\n', '\n</THINKING>\n'],
    ['<seed:think>', '</seed:think>'],
    ['<inner_monologue>\n', '</inner_monologue>\n'],
    ['[THINK]', '[/THINK]'],
    ['◁think▷', '◁/think▷'],
    ['<|START_THINKING|>', '<|END_THINKING|>'],
    ['<|begin_of_thought|>\n', '<|end_of_thought|>\n'],
    ['<|channel>thought\n', '<channel|>'],
    ['Thinking...\n', '\n...done thinking.\n\n'],
    ['', '\n</think>\n'],
    ['analysisWe try ', 'assistantfinal'],
    ['<|channel|>analysis<|message|>', '<|end|><|start|>assistant<|channel|>final<|message|>'],
  ];
  const drafts = fc.array(
    fc.tuple(vector, fc.constantFrom('Final answer: ', '', 'Try ', 'I choose ', '\n'), fc.boolean()),
    { maxLength: 4 },
  );
  const draftText = (written: readonly [readonly number[], string, boolean][]) =>
    written.map(([values, lead, asList]) => `${lead}${asList ? list(values) : pairs(values)}\n`).join('Better:\n');

  it('an answer behind a section of reasoning is read, whatever stands in the section', () => {
    fc.assert(
      fc.property(
        vector,
        drafts,
        fc.constantFrom(...sections),
        fc.boolean(),
        (values, inside, [open, close], asList) => {
          const reply = `${open}${draftText(inside)}${close}${asList ? list(values) : pairs(values)}\nIt leans.`;
          expect(parseReply(reply, spec(values.length))).toMatchObject({ ok: true, params: values });
        },
      ),
      { numRuns: 500 },
    );
  });

  it('no draft comes out of a section that never ends', () => {
    const opened = sections.filter(([open]) => open !== '');
    fc.assert(
      fc.property(vector, drafts, fc.constantFrom(...opened), (values, inside, [open]) => {
        const reply = `${open}${draftText(inside)}${pairs(values)}\n`;
        expect(parseReply(reply, spec(values.length)).ok).toBe(false);
        expect(splitReasoning(reply).text.trim()).toBe('');
      }),
      { numRuns: 300 },
    );
  });

  const forms: readonly ((values: readonly number[]) => string)[] = [
    pairs,
    list,
    (values) => JSON.stringify({ params: values, why: 'x' }, null, 2),
    (values) => `${JSON.stringify(Object.fromEntries(values.map((v, i) => [`params[${i}]`, v])))}\nIt leans.`,
    (values) => `{'params': [${values.join(', ')},], 'why': 'it leans',}`,
    (values) => `params = [${values.map((v) => `np.float64(${v})`).join(', ')}]`,
    (values) => `params = np.array([${values.map((v) => `[${v}]`).join(', ')}])`,
    (values) => `| Parameter | Value |\n|---|---|\n${values.map((v, i) => `| params[${i}] | ${v} |`).join('\n')}`,
    (values) => `| ${values.map((_, i) => `params[${i}]`).join(' | ')} |\n|---|---|\n| ${values.join(' | ')} |`,
    (values) => `params:\n${values.map((v) => `  - ${v}`).join('\n')}\n`,
    (values) => `params = {${values.map((v, i) => `${i}: ${v}`).join(', ')}}`,
    (values) => values.map((v, i) => `params_${i} = ${v}`).join('\n'),
    (values) => `Line 1: ${values.join(' ')}\nLine 2: It leans.`,
    (values) => `params[0]: ${values.join(', ')}`,
    (values) => `<params>${values.join(', ')}</params>`,
    (values) => `$$\\boxed{[${values.join(', ')}]}$$`,
    (values) => `The parameter values should be [${values.join(', ')}] to hold the pole.`,
    (values) => `<tool_call>{"name": "propose", "arguments": {"params": [${values.join(', ')}]}}</tool_call>`,
    (values) => values.map((v, i) => `params［${i}］：${v}`).join('，'),
  ];
  const dress = fc.constantFrom<(reply: string) => string>(
    (reply) => reply,
    (reply) => `\`\`\`\n${reply}\n\`\`\``,
    (reply) => `<think>[9, 9]</think>\n${reply}`,
    (reply) => `${reply}\n<|im_end|>`,
    (reply) =>
      reply
        .replaceAll('-', '\u2212')
        .replace(/\|[\u2212|]+\|/, '|---|---|')
        .replaceAll('  \u2212 ', '  - '),
    (reply) => `Sure, here it is:\n\n${reply}`,
    (reply) => `trial 1: params = [9, 9]; rollout_reward = 3\n\n${reply}`,
  );

  it('the same values come out of every form', () => {
    fc.assert(
      fc.property(vector, fc.constantFrom(...forms), dress, (values, form, dressed) => {
        expect(parseReply(dressed(form(values)), spec(values.length))).toMatchObject({ ok: true, params: values });
      }),
      { numRuns: 1500 },
    );
  });

  it('two unlike answers are refused in every pair of forms, unless the text chooses', () => {
    const form = fc.constantFrom(...forms.slice(0, 8));
    fc.assert(
      fc.property(vector, form, form, (values, first, second) => {
        const other = values.map((v) => (v > 0 ? v - 0.5 : v + 0.5)).map((v) => Math.round(v * 10) / 10);
        const both = `${first(other)}\n\n${second(values)}`;
        expect(parseReply(both, spec(values.length)).ok).toBe(false);
        const chosen = `${first(other)}\n\nCorrected answer:\n${second(values)}`;
        expect(parseReply(chosen, spec(values.length))).toMatchObject({ ok: true, params: values });
      }),
      { numRuns: 500 },
    );
  });

  it('a part of a good reply is no other answer', () => {
    const usable = cases.filter(({ expected }) => expected === 'value');
    const one = fc.constantFrom(...usable).chain(({ reply }) => fc.tuple(fc.constant(reply), fc.nat(reply.length)));
    fc.assert(
      fc.property(one, fc.boolean(), ([reply, at], fromStart) => {
        const parsed = parseReply(fromStart ? reply.slice(0, at) : reply.slice(at), spec(3));
        if (!parsed.ok) return;
        expect(parsed.params.every((v) => v >= -6 && v <= 6)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the time for a reply of four times the length', () => {
  const units = [
    ...[
      '[',
      '(',
      '{',
      '{"',
      '{"a":',
      '{a ',
      'params[',
      'params[0]: ',
      'params[0]: 1, ',
      'params[1]: 1\n',
      '1',
      '1 ',
      '1\n',
    ],
    ...[
      '1,',
      ' ',
      '\n',
      '<think>',
      '<think></analysis>',
      '[THINK]',
      '<|channel|>analysis<|message|>x',
      '<',
      '<a ',
      '`',
      '```\n',
    ],
    ...[
      '*a',
      '~~a',
      '<del>',
      '"',
      '“”',
      '\\',
      '\\boxed{',
      '| a | 1 |\n',
      '| params[0] | 1 |\n',
      '|--|--|\n',
      '[1]',
      '[1,',
    ],
    ...[
      '[1, 2, 3]\n',
      '1, 2, 3\n',
      'Wait, no. ',
      'Option A: ',
      '- 1\n',
      '0: 1\n',
      'np.float64(',
      'a₀',
      '<td>1</td>',
      '{"a":"{\\"a\\":',
    ],
    ...[
      '1.5, 2.5\n',
      '• 1\n',
      '> 1\n',
      ': 1\n',
      '|\n',
      '| |\n',
      '、',
      '−1.5 ',
      '\\(',
      '“a” ',
      '<p>',
      '[a b]',
      '◁think▷',
    ],
  ];
  const seconds = (unit: string, length: number) => {
    const reply = unit.repeat(Math.ceil(length / unit.length));
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3; i++) {
      const start = process.cpuUsage();
      parseReply(reply, spec(3));
      best = Math.min(best, process.cpuUsage(start).user / 1e6);
    }
    return best;
  };

  it.each(units)('is less than ten times as much, and little: %j', (unit) => {
    // What takes less is not measured well, and is no burden.
    const floor = 0.01;
    const long = seconds(unit, 160_000);
    expect(long / Math.max(floor, seconds(unit, 40_000))).toBeLessThan(10);
    // A million characters shall take 0.1 s; a busy machine gets three times as long.
    expect(long).toBeLessThan(0.16 * 0.3);
  });
});
