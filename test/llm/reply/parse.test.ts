import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ParsedReply, parseReply, type ReplySpec } from '../../../src/llm/reply/parse.ts';
import { anyText } from '../../support/any-text.ts';

const real = (count: number, change: Partial<ReplySpec> = {}): ReplySpec => ({
  count,
  values: { kind: 'real' },
  low: -6,
  high: 6,
  decimals: null,
  outOfRange: 'refuse',
  ...change,
});

function paramsOf(reply: string, spec: ReplySpec): number[] {
  const parsed = parseReply(reply, spec);
  if (!parsed.ok) throw new Error(`refused: ${parsed.problem}`);
  return parsed.params;
}

function problemOf(reply: string, spec: ReplySpec): string {
  const parsed = parseReply(reply, spec);
  if (parsed.ok) throw new Error(`accepted: ${JSON.stringify(parsed.params)}`);
  return parsed.problem;
}

describe('accepted ways to write the answer', () => {
  const cases: [string, string][] = [
    ['the asked form', 'params[0]: 0.5, params[1]: -2, params[2]: 3.25\nA longer push.'],
    ['leading points and a bare point', 'params[0]: .5, params[1]: -2., params[2]: +3.25'],
    ['exponents', 'params[0]: 5e-1, params[1]: -0.2E1, params[2]: 32.5e-1'],
    ['a minus sign', 'params[0]: .5, params[1]: −2, params[2]: 3.25'],
    ['an en dash', 'params[0]: .5, params[1]: –2, params[2]: 3.25'],
    ['a small hyphen-minus', 'params[0]: .5, params[1]: ﹣2, params[2]: 3.25'],
    ['a space behind the sign', 'params[0]: .5, params[1]: - 2, params[2]: + 3.25'],
    ['bold names', '**params[0]**: 0.5, **params[1]**: -2, **params[2]**: 3.25'],
    ['bold pairs', '**params[0]: 0.5**, **params[1]: -2**, **params[2]: 3.25**'],
    ['emphasised numbers', 'params[0]: *0.5*, params[1]: _-2_, params[2]: **3.25**'],
    ['backticks', '`params[0]`: `0.5`, `params[1]`: `-2`, `params[2]`: `3.25`'],
    ['tags', '<answer><b>params[0]</b>: 0.5, <b>params[1]</b>: -2, <b>params[2]</b>: 3.25</answer>'],
    ['LaTeX', '$params\\[0\\]$ = $0.5$, $params\\[1\\]$ = $-2$, $params\\[2\\]$ = $3.25$'],
    ['equals signs and semicolons', 'params[0] = 0.5; params[1]=-2; params[2] = 3.25;'],
    ['no space', 'params[0]:0.5,params[1]:-2,params[2]:3.25'],
    ['one a line', 'params[0]: 0.5\nparams[1]: -2\nparams[2]: 3.25'],
    ['a bulleted list with blank lines', '- params[0]: 0.5\n\n- params[1]: -2\n\n- params[2]: 3.25'],
    ['a numbered list', '1. params[0]: 0.5\n2. params[1]: -2\n3. params[2]: 3.25'],
    ['remarks', 'params[0]: 0.5 (was 9)  \nparams[1]: -2 # was params[1]: 9\nparams[2]: 3.25 - pushes right'],
    ['annotated names', 'params[0] (x): 0.5, params[1] (v): -2, params[2] (bias): 3.25'],
    ['any order', 'params[2]: 3.25, params[0]: 0.5, params[1]: -2'],
    ['other spellings', 'Param[0]: 0.5, parameters[1]: -2 and PARAMS [2]: 3.25'],
    ['a full stop at the end', 'params[0]: 0.5, params[1]: -2, params[2]: 3.25.'],
    ['the same pair twice', 'params[0]: 0.5, params[1]: -2, params[1]: -2.0, params[2]: 3.25'],
    ['a code fence', '```python\nparams[0]: 0.5, params[1]: -2, params[2]: 3.25\n```\nBecause.'],
    ['a list', 'params = [0.5, -2, 3.25]'],
    ['a list without a comma', 'params: [0.5 -2. 3.25]'],
    ['an array call', 'params = np.array([0.5, -2, 3.25])'],
    ['a list over lines', 'params = [\n  0.5,  # x\n  -2,   # v\n  3.25, # bias\n]'],
    ['a bare array', '[0.5, -2, 3.25]\nBecause.'],
    ['a labelled array', 'New parameters: [0.5, -2, 3.25]'],
    ['JSON with a list', '{"params": [0.5, -2, 3.25], "explanation": "it leans"}'],
    ['pretty JSON', '```json\n{\n  "params": [\n    0.5,\n    -2,\n    3.25\n  ]\n}\n```'],
    ['JSON with names', '{"params[0]": 0.5, "params[1]": "-2", "params[2]": 3.25}'],
    ['JSON with indices', '{"0": 0.5, "1": -2, "2": 3.25}'],
    ['Windows line ends', 'params[0]: 0.5\r\nparams[1]: -2\r\nparams[2]: 3.25\r\nBecause.'],
    ['a no-break space', 'params[0]:\u00a00.5,\u00a0params[1]:\u00a0-2,\u00a0params[2]:\u00a03.25'],
    ['a preamble', 'Sure! Here is my next proposal.\n\nAnswer: params[0]: 0.5, params[1]: -2, params[2]: 3.25'],
    ['a sentence', 'I propose params[0]: 0.5, params[1]: -2, params[2]: 3.25 because the pole falls left.'],
  ];
  it.each(cases)('%s', (_, reply) => {
    expect(paramsOf(reply, real(3))).toEqual([0.5, -2, 3.25]);
  });

  it('writes no negative zero', () => {
    expect(Object.is(paramsOf('params[0]: -0', real(1))[0], 0)).toBe(true);
    expect(Object.is(paramsOf('params[0]: -0.04', real(1, { decimals: 1 }))[0], 0)).toBe(true);
  });
});

describe('which numbers are the answer', () => {
  const answer = 'params[0]: 1, params[1]: 2';
  const cases: [string, string][] = [
    ['a later quote in a sentence', `${answer}\nI raised params[0]: 5, params[1]: 6 because it was low.`],
    ['a later complete line that is labelled old', `${answer}\nTrial 4: params[0]: 5, params[1]: 6`],
    ['a later list', `${answer}\nThe best so far was\n[5, 6]`],
    ['a later single mention', `${answer}\n- params[1]: 6 would be too much`],
    ['an earlier quote with its reward', `Trial 4 had params[0]: 5, params[1]: 6 with 12.00.\n${answer}`],
    ['an earlier trial copied whole', `params[0]: 5; params[1]: 6; f(params): 12.00\n${answer}`],
    ['an earlier trial as a list', `[5, 6] mean_reward: 12.00\n${answer}`],
    ['an earlier line that is labelled old', `Previous best: params[0]: 5, params[1]: 6\nNew: ${answer}`],
    ['an earlier block under a label', `The original values were:\nparams[0]: 5\nparams[1]: 6\n\n${answer}`],
    ['an earlier part of the vector', `I change one:\nparams[0]: 5\n\n${answer}`],
    ['a description of the names', `params[0]: the weight of x\nparams[1]: the bias\n\n${answer}`],
    ['drafts in a reasoning section', `<think>params[0]: 5, params[1]: 6\n</think>\n${answer}`],
    ['other tag names', `<Reasoning>\nparams[0]: 5, params[1]: 6</Reasoning><thinking>[7, 8]</thinking>${answer}`],
    ['a swallowed opening tag', `params[0]: 5, params[1]: 6\nno, better\n</think>\n${answer}`],
    ['nested tags', `<think>a <think>params[0]: 5, params[1]: 6</think>\nparams[0]: 7, params[1]: 8</think>${answer}`],
    ['an opening tag after the answer', `${answer}\n<think>\nparams[0]: 5, params[1]: 6`],
    [
      'message channels',
      `<|channel|>analysis<|message|>\n[5, 6]\n<|end|><|start|>assistant<|channel|>final<|message|>${answer}`,
    ],
  ];
  it.each(cases)('not %s', (_, reply) => {
    expect(paramsOf(reply, real(2))).toEqual([1, 2]);
  });

  it('refuses drafts of a reasoning section that never ends', () => {
    const problem = problemOf('<think>\nparams[0]: 1, params[1]: 2\nor maybe', real(2));
    expect(problem).toMatch(/opens <think>, never closes it/);
  });

  it('refuses rows of lines that nothing tells apart', () => {
    const rows = `${answer}\nparams[0]: 5, params[1]: 6\nparams[0]: 7, params[1]: 8`;
    expect(problemOf(rows, real(2))).toMatch(/3 different parameter sets and does not say which one counts/);
  });

  it('refuses a choice between sentences', () => {
    const reply = 'Either params[0]: 1, params[1]: 2 holds or params[0]: 3, params[1]: 4 does, who knows.';
    expect(problemOf(reply, real(2))).toMatch(/2 different parameter sets/);
  });

  it('does not replace a bad answer line by a quoted one', () => {
    const quote = '\nTrial 3 used params[0]: 5, params[1]: 6 and was worse.';
    expect(problemOf(`params[0]: 1${quote}`, real(2))).toBe('params[1] is missing (1 of 2 found).');
    expect(problemOf(`params[0]: nan, params[1]: 2${quote}`, real(2))).toMatch(/params\[0\] is "nan"/);
    expect(problemOf(`params[0]: 1, params[1]: 60${quote}`, real(2))).toMatch(/outside the range/);
  });
});

describe('refused, with a reason for the model', () => {
  const cases: [string, string, RegExp][] = [
    ['nothing', ' \n', /^The reply is empty\.$/],
    [
      'prose',
      'I cannot help with that.',
      /holds no parameters; the first line must begin with "params\[0\]: v, params\[1\]: v" and go on to params\[2\], 3 numbers in all/,
    ],
    [
      'nothing but reasoning',
      '<think>params[0]: 1, params[1]: 2, params[2]: 3</think>',
      /^The reply holds nothing but a reasoning section; the/,
    ],
    [
      'an answer in pieces',
      'I take params[0]: 1 for x and params[1]: 2 with params[2]: 3.',
      /other text between them; write all 3 on one line/,
    ],
    ['a missing index', 'params[0]: 1, params[2]: 3', /^params\[1\] is missing \(2 of 3 found\)\.$/],
    [
      'an index too many',
      'params[0]: 1, params[1]: 2, params[2]: 3, params[3]: 4',
      /^params\[3\] does not exist \(the indices run from 0 to 2\)\.$/,
    ],
    [
      'counting from 1',
      'params[1]: 1, params[2]: 2, params[3]: 3',
      /params\[0\] is missing .* and params\[3\] does not exist/,
    ],
    ['a short list', 'params = [1, 2]', /^The list holds 2 numbers, but 3 numbers are needed\.$/],
    ['a long list', '[1, 2, 3, 4]', /^The list holds 4 numbers/],
    [
      'a contradiction',
      'params[0]: 1, params[1]: 2, params[1]: 4, params[2]: 3',
      /^params\[1\] is given twice, as 2 and as 4\.$/,
    ],
    [
      'a contradiction over lines',
      'params[0]: 1\nparams[1]: 2\nparams[2]: 3\nparams[2]: 4',
      /^params\[2\] is given twice/,
    ],
    [
      'thousands',
      'params[0]: 1,000, params[1]: 2, params[2]: 3',
      /^params\[0\] is written "1,000", which is no plain number/,
    ],
    ['thousands in a list', 'params = [1,000, 2, 3]', /^The list holds 4 numbers/],
    ['thousands that fit the count', 'params = [1,000, 2]', /thousands separator/],
    [
      'thousands without zeros',
      'params = [1,234, 2]',
      /^params\[0\] stands next to a comma that may be a thousands separator/,
    ],
    ['a decimal comma', 'params[0]: 1,5; params[1]: 2; params[2]: 3', /^params\[0\] is written "1,5"/],
    ['two points', 'params[0]: 1.2.3, params[1]: 2, params[2]: 3', /^params\[0\] is written "1\.2\.3"/],
    ['a fraction', 'params[0]: 1/2, params[1]: 2, params[2]: 3', /^params\[0\] is written "1\/2"/],
    ['a product', 'params[0]: 2*3, params[1]: 2, params[2]: 3', /^params\[0\] is written "2\*3"/],
    ['a change', 'params[0]: 1.0 -> 1.5, params[1]: 2, params[2]: 3', /^params\[0\] is written "1\.0 -> 1\.5"/],
    ['a tolerance', 'params[0]: 1 ± 0.1, params[1]: 2, params[2]: 3', /^params\[0\] is written "1 ± 0\.1"/],
    ['a unit', 'params[0]: 5%, params[1]: 2, params[2]: 3', /^params\[0\] is written "5%"/],
    ['NaN', 'params[0]: 1, params[1]: NaN, params[2]: 3', /^params\[1\] is "NaN", which is no finite number\.$/],
    ['infinity', 'params[0]: 1, params[1]: 2, params[2]: -inf', /^params\[2\] is "-inf"/],
    ['null in JSON', '{"params": [1, null, 3]}', /^params\[1\] is "null"/],
    ['overflow', 'params[0]: 1e999, params[1]: 2, params[2]: 3', /^params\[0\] is 1e999, which is too large/],
    ['a word in a list', 'params = [1, high, 3]', /^params\[1\] is written "high"/],
    [
      'too high',
      'params[0]: 1, params[1]: 6.5, params[2]: 3',
      /^params\[1\] is 6\.5, outside the range from -6 to 6\.$/,
    ],
    ['too low', 'params[0]: 1, params[1]: 2, params[2]: -7', /^params\[2\] is -7, outside the range from -6 to 6\.$/],
  ];
  it.each(cases)('%s', (_, reply, expected) => {
    expect(problemOf(reply, real(3))).toMatch(expected);
  });
});

describe('rounding, clipping and allowed values', () => {
  it('states what it rounds', () => {
    const parsed = parseReply('params[0]: 1.234, params[1]: 2.5', real(2, { decimals: 1 }));
    expect(parsed).toMatchObject({ params: [1.2, 2.5], adjustments: ['params[0] rounded from 1.234 to 1.2'] });
  });

  it('states what it clips', () => {
    const spec = real(2, { decimals: 1, outOfRange: 'clip' });
    expect(parseReply('params[0]: -7, params[1]: 6.26', spec)).toMatchObject({
      params: [-6, 6],
      adjustments: [
        'params[0] clipped from -7 to -6',
        'params[1] rounded from 6.26 to 6.3',
        'params[1] clipped from 6.3 to 6',
      ],
    });
  });

  it('does not round a number out of its range', () => {
    expect(paramsOf('params[0]: 5.97', real(1, { decimals: 1, high: 5.97 }))).toEqual([5.97]);
  });

  it('takes listed values only', () => {
    const spec = real(2, { values: { kind: 'choice', values: [0, 1, 3] } });
    expect(paramsOf('params[0]: 3, params[1]: 1.0', spec)).toEqual([3, 1]);
    expect(problemOf('params[0]: 3, params[1]: 2', spec)).toBe(
      'params[1] is 2, which is not one of the allowed values 0, 1, 3.',
    );
    expect(problemOf('params[0]: 0.5, params[1]: 1', spec)).toMatch(/^params\[0\] is 0\.5, which is not one of/);
  });
});

describe('for all', () => {
  const value = fc.integer({ min: -60_000, max: 60_000 }).map((n) => n / 10_000);
  const numberStyles: ((v: number) => string)[] = [
    String,
    (v) => v.toExponential(),
    (v) => v.toFixed(4),
    (v) => String(v).replace(/^(-?)0\./, '$1.'),
    (v) => String(v).replace('-', '\u2212'),
    (v) => `**${v}**`,
    (v) => `\`${v}\``,
    (v) => (v < 0 ? `- ${-v}` : `+${v}`),
  ];
  const pairStyles: ((i: number, n: string) => string)[] = [
    (i, n) => `params[${i}]: ${n}`,
    (i, n) => `**params[${i}]** = ${n}`,
    (i, n) => `Parameter[${i}]:${n}`,
    (i, n) => `_params[${i}]:_ ${n} (slot ${i})`,
  ];
  const before = fc.constantFrom(
    '',
    '\n\n',
    'Sure, here it is.\n',
    'Answer:\n',
    'Answer: ',
    '<think>[9, 9]</think>',
    '```\n',
  );
  const after = fc.constantFrom(
    '',
    '\n',
    '\n```',
    '\nBecause 3 < 4.',
    '\nI moved params[0]: 7.5 down.',
    '\n<think>params[0]: 9',
  );
  const separator = fc.constantFrom(', ', '; ', ',', '\n', '\n\n- ', ',\n', ' | ');

  it('a vector written in an accepted style reads back equal', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ v: value, style: fc.nat(numberStyles.length - 1) }), { minLength: 1, maxLength: 12 }),
        fc.nat(pairStyles.length - 1),
        separator,
        before,
        after,
        fc.boolean(),
        (slots, pairStyle, between, head, tail, reversed) => {
          const pairs = slots.map(({ v, style }, i) => pairStyles[pairStyle]!(i, numberStyles[style]!(v)));
          const reply = head + (reversed ? pairs.toReversed() : pairs).join(between) + tail;
          expect(paramsOf(reply, real(slots.length))).toEqual(slots.map(({ v }) => (v === 0 ? 0 : v)));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('a list reads back equal', () => {
    const shape = fc.constantFrom('params = [#]', '[#]', '{"params": [#]}', 'params: np.array([#])', 'Answer: [#]');
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 12 }),
        shape,
        fc.constantFrom(', ', ' , ', ',\n', '; ', ' '),
        before,
        (values, outer, between, head) => {
          const reply = head + outer.replace('#', values.join(between));
          expect(paramsOf(reply, real(values.length))).toEqual(values.map((v) => (v === 0 ? 0 : v)));
        },
      ),
      { numRuns: 300 },
    );
  });

  /** Text that comes close to answers far more often than random characters do. */
  const fragment = fc.constantFrom(
    'params[0]: 1',
    ', params[1]: 0.5',
    '; params[2] = 3',
    '[1, 0]',
    'params[0]',
    'params[1]',
    'params[2]',
    'params[999999999]',
    'params',
    ': ',
    ' = ',
    '[',
    ']',
    '{',
    '}',
    '(',
    ')',
    '"',
    ', ',
    ',',
    ';',
    '\n',
    '1',
    '-2.5',
    '.5',
    '1e9',
    '1e999',
    'nan',
    'inf',
    '1,000',
    '−3',
    '**',
    '`',
    '```',
    '<think>',
    '</think>',
    '#',
    '//',
    '->',
    'and',
    '"0": ',
    ' was ',
  );
  const nasty = fc.oneof(
    anyText({ maxLength: 200 }),
    fc.array(fragment, { maxLength: 40 }).map((parts) => parts.join('')),
  );
  const spec = fc.record({
    count: fc.integer({ min: 1, max: 3 }),
    values: fc.constantFrom<ReplySpec['values']>({ kind: 'real' }, { kind: 'choice', values: [0, 1, 3] }),
    low: fc.constantFrom(-6, -2.55, 0),
    high: fc.constantFrom(1, 2.55, 6),
    decimals: fc.constantFrom(null, 0, 1),
    outOfRange: fc.constantFrom<ReplySpec['outOfRange']>('refuse', 'clip'),
  });

  it('no text makes it throw or answer a number that may not be used', () => {
    let accepted = 0;
    fc.assert(
      fc.property(nasty, spec, (reply, wanted) => {
        const parsed: ParsedReply = parseReply(reply, wanted);
        if (!parsed.ok) {
          expect(parsed.problem).toMatch(/^[A-Zp].*\.$/s);
          return;
        }
        accepted++;
        expect(parsed.params).toHaveLength(wanted.count);
        for (const v of parsed.params) {
          if (wanted.values.kind === 'choice') expect(wanted.values.values).toContain(v);
          else expect(v >= wanted.low && v <= wanted.high).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(0);
  });

  it('a long reply is read in one pass', () => {
    const half = '- params[0]: 1, '.repeat(20_000);
    const reply = `${half}\n${'*'.repeat(50_000)}x${'['.repeat(50_000)}${'{"0":'.repeat(10_000)}`;
    expect(problemOf(reply, real(3))).toMatch(/thousands of groups of numbers/);
  });
});
