/** Constraints for replies: the texts that grammars and regular expressions admit, and schemas. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gbnfOf, prefillOf, regexOf, schemaOf } from '../../../src/llm/reply/forms.ts';
import { parseReply } from '../../../src/llm/reply/parse.ts';
import type { ReplyShape } from '../../../src/llm/reply/shape.ts';
import { matcherOf, mostRepeatedRules } from '../../support/gbnf.ts';

type Real = Extract<ReplyShape['values'], { kind: 'real' }>;

const shapeOf = (values: ReplyShape['values'], count = 1, explanationLength = 40): ReplyShape => ({
  count,
  values,
  explanationLength,
});
const real = (low: number, high: number, decimals: number | null): Real => ({ kind: 'real', low, high, decimals });

/** Both forms must admit the same; what they say of the numbers of one parameter. */
function admits(shape: ReplyShape): (reply: string) => boolean {
  const byGrammar = matcherOf(gbnfOf(shape));
  const expression = new RegExp(`^(?:${regexOf(shape)})$`);
  return (reply) => {
    const [grammar, regex] = [byGrammar(reply), expression.test(reply)];
    expect(regex, `"${reply}": grammar ${grammar}, regular expression`).toBe(grammar);
    return grammar;
  };
}
const admitsNumber = (values: ReplyShape['values']) => {
  const test = admits(shapeOf(values));
  return (number: string) => test(`params[0]: ${number}\nIt moves on.`);
};

/** -123 steps of two decimals: "-1.23" */
function written(steps: bigint, decimals: number): string {
  const digits = String(steps < 0n ? -steps : steps).padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  return `${steps < 0n ? '-' : ''}${whole}${decimals > 0 ? `.${digits.slice(-decimals)}` : ''}`;
}

/** Ranges whose ends may lie off the grid, and their grid in steps. */
const ranges = fc
  .record({
    decimals: fc.integer({ min: 0, max: 4 }),
    a: fc.integer({ min: -200_000, max: 200_000 }),
    scale: fc.integer({ min: 0, max: 5 }),
    width: fc.integer({ min: 0, max: 300_000 }),
  })
  .map(({ decimals, a, scale, width }) => {
    const [low, high] = [Number(`${a}e-${scale}`), Number(`${a + width}e-${scale}`)];
    const steps = (end: number) => ({ over: BigInt(end) * 10n ** BigInt(decimals), unit: 10n ** BigInt(scale) });
    const floor = ({ over, unit }: ReturnType<typeof steps>) => (over - (((over % unit) + unit) % unit)) / unit;
    const least = -floor(steps(-a));
    const most = floor(steps(a + width));
    return { values: real(low, high, decimals), least, most };
  })
  .filter(({ least, most }) => least <= most);

describe('numbers that a constrained reply can have', () => {
  it.each<[Real, string[], string[]]>([
    [
      real(-6, 6, 1),
      ['-6', '-6.0', '6', '6.0', '5.9', '0', '-0.0', '0.1', '-0.5'],
      ['6.1', '-6.1', '7', '60', '06', '5.95', '.5', '5.', '+1', '1e0', '--1', '1,5', ''],
    ],
    [
      real(-0.25, 3.75, 2),
      ['-0.25', '-0.2', '0', '3.75', '3.7', '3', '1.99'],
      ['-0.26', '-0.3', '-1', '3.76', '3.8', '4', '3.751'],
    ],
    [real(10, 200, 0), ['10', '99', '100', '200'], ['9', '201', '10.0', '1000', '-10', '2']],
    [real(-7, 9, 0), ['-7', '9', '0', '-0'], ['-8', '10', '9.0']],
    [real(-5, -1.5, 1), ['-5', '-5.0', '-1.5', '-2', '-4.9'], ['-5.1', '-1.4', '-1', '0', '1.5', '5', '-0']],
    [real(0, 1, 3), ['0', '1', '1.000', '0.999', '0.5'], ['-0', '1.001', '-0.5', '2']],
    [real(-0.05, 0.04, 1), ['0', '0.0'], ['0.1', '-0.1', '0.04']],
    [real(-1, 1, null), ['-1', '1', '0.333333', '-0.000001'], ['1.000001', '-1.1', '0.3333333333333333333']],
    [real(1e-9, 2e-9, null), ['0.0000000015', '0.000000001'], ['0', '0.000000003', '1e-9']],
    [
      real(-1e7, 1e22, 0),
      ['9999999999', '-10000000', '10000000000000000000000'],
      ['-10000001', '10000000000000000000001'],
    ],
  ])('%o', (values, inside, outside) => {
    const admitted = admitsNumber(values);
    expect(inside.filter((number) => !admitted(number))).toEqual([]);
    expect(outside.filter((number) => admitted(number))).toEqual([]);
  });

  it('are those of the grid in the range and no other', () => {
    fc.assert(
      fc.property(
        ranges,
        fc.array(fc.bigInt({ min: -12n, max: 12n }), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        ({ values, least, most }, offsets, share) => {
          const admitted = admitsNumber(values);
          const decimals = values.decimals!;
          const middle = least + BigInt(Math.floor(Number(most - least) * share));
          for (const from of [least, middle, most, 0n]) {
            for (const offset of offsets) {
              const steps = from + offset;
              const number = written(steps, decimals);
              const isInside = steps >= least && steps <= most;
              expect(admitted(number), `${number} in ${values.low} ... ${values.high}`).toBe(isInside);
              if (decimals === 0) continue;
              expect(admitted(number.replace(/\.?0+$/, '') || '0'), `${number} without zeros`).toBe(isInside);
              expect(admitted(`${number}0`)).toBe(false);
            }
          }
        },
      ),
    );
  });

  it('are a table’s own', () => {
    const admitted = admitsNumber({ kind: 'choice', values: [0, 1, 2, 10, -1.5] });
    expect(['0', '1', '2', '10', '-1.5'].filter((number) => !admitted(number))).toEqual([]);
    expect(['3', '-1', '1.0', '100', '01', ''].filter((number) => admitted(number))).toEqual([]);
  });

  it('must be some', () => {
    expect(() => gbnfOf(shapeOf(real(0.02, 0.09, 1)))).toThrow('no number with 1 decimals lies in 0.02 ... 0.09');
  });
});

describe('values that a parameter must not take', () => {
  const line = (...values: string[]) => `${values.map((value, i) => `params[${i}]: ${value}`).join(', ')}\nIt moves.`;

  it('are admitted for the others only, however they are written', () => {
    const shape = {
      ...shapeOf(real(-6, 6, 1), 3),
      forbidden: [
        { index: 1, value: -6 },
        { index: 2, value: 0 },
      ],
    };
    const admitted = admits(shape);
    expect(admitted(line('-6', '-5.9', '0.1'))).toBe(true);
    expect(admitted(line('0', '6', '-0.1'))).toBe(true);
    for (const value of ['-6', '-6.0']) expect(admitted(line('1', value, '2'))).toBe(false);
    for (const value of ['0', '0.0', '-0', '-0.0']) expect(admitted(line('1', '2', value))).toBe(false);
  });

  it('leave every other number of the grid', () => {
    fc.assert(
      fc.property(ranges, fc.double({ min: 0, max: 1, noNaN: true }), ({ values, least, most }, share) => {
        const decimals = values.decimals!;
        const gap = least + BigInt(Math.floor(Number(most - least) * share));
        const shape = { ...shapeOf(values), forbidden: [{ index: 0, value: Number(written(gap, decimals)) }] };
        const admitted = admits(shape);
        for (const steps of [least - 1n, least, gap - 1n, gap, gap + 1n, most, most + 1n]) {
          const isInside = steps >= least && steps <= most && (steps !== gap || least === most);
          expect(admitted(line(written(steps, decimals))), `${steps} without ${gap}`).toBe(isInside);
        }
      }),
    );
  });

  it('are admitted where nothing else is', () => {
    const only: ReplyShape = { ...shapeOf({ kind: 'choice', values: [3] }), forbidden: [{ index: 0, value: 3 }] };
    expect(admits(only)(line('3'))).toBe(true);
    const two: ReplyShape = { ...shapeOf({ kind: 'choice', values: [3, 4] }), forbidden: [{ index: 0, value: 3 }] };
    expect([admits(two)(line('3')), admits(two)(line('4'))]).toEqual([false, true]);
  });
});

describe('the text of a constrained reply', () => {
  const shape = shapeOf(real(-6, 6, 1), 3);
  const admitted = admits(shape);
  const line = 'params[0]: 1.5, params[1]: -0.5, params[2]: 0.2';

  it('is one line of parameters in order and one of explanation', () => {
    expect(admitted(`${line}\nRaise params 2, as step 100 shows a reward of -200.5.`)).toBe(true);
    const wrong = [
      line,
      `${line}\n`,
      `${line}\nx\n`,
      `${line}\nx\ny`,
      `${line}\n\nx`,
      `${line}\n${'x'.repeat(41)}`,
      `params[1]: -0.5, params[0]: 1.5, params[2]: 0.2\nx`,
      'params[0]: 1.5, params[1]: -0.5\nx',
      `${line}, params[3]: 1\nx`,
      `I choose ${line}\nx`,
      line.replace(', ', ' '),
    ];
    expect(wrong.filter(admitted)).toEqual([]);
    expect(admitted(`${line}\n${'x'.repeat(40)}`)).toBe(true);
  });

  it('has no explanation that could be an answer or a mark of reasoning', () => {
    const wrong = [
      '2, 2, 2',
      'a 2, 2, 2',
      'a 2 2 2',
      '</think>',
      'Final answer: none',
      'a [1, 2]',
      'params[0] is low',
      'a = 2',
    ];
    expect(wrong.filter((why) => admitted(`${line}\n${why}`))).toEqual([]);
  });

  it('starts with the prefill', () => {
    expect(prefillOf(shape)).toBe('params[0]:');
    expect(line.startsWith(prefillOf(shape))).toBe(true);
  });

  const values = fc.oneof(
    ranges.map((range) => range.values),
    fc.constant({ kind: 'choice', values: [0, 1, 2, 3] } as const),
  );
  const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 });
  const numberWords = fc.integer({ min: -300, max: 300 }).map((n) => `to ${n}`);
  const plainWords = ['raise', 'trial', 'params', 'x', 'because', 'reward', 'step', '-', ';', '(a)', '50%'];
  const doubtfulWords = [
    'Final answer',
    'Option A',
    'choose',
    'no,',
    'wait.',
    'instead',
    'answer is',
    'old',
    'Correction',
  ];
  const explanationOf = (words: readonly string[]) =>
    fc
      .array(fc.oneof(fc.constantFrom(...words), numberWords), { minLength: 1, maxLength: 12 })
      .map((list) => `So ${list.join(' ')}`);

  /** What the parser makes of an admitted reply with numbers at these shares of the range, and those numbers. */
  function readBack(of: ReplyShape['values'], at: readonly number[], explanation: string) {
    const numbers = at.map((share) =>
      of.kind === 'choice'
        ? String(of.values[Math.floor(share * 0.99 * of.values.length)])
        : (of.low + (of.high - of.low) * share).toFixed(of.decimals!),
    );
    const reply = `${numbers.map((number, i) => `params[${i}]: ${number}`).join(', ')}\n${explanation}`;
    fc.pre(matcherOf(gbnfOf(shapeOf(of, numbers.length, 300)))(reply));
    const range = of.kind === 'real' ? of : { low: -1, high: 1, decimals: 1 };
    const read = parseReply(reply, {
      count: numbers.length,
      values: of.kind === 'real' ? { kind: 'real' } : of,
      low: range.low,
      high: range.high,
      decimals: range.decimals,
      outOfRange: 'refuse',
    } as Parameters<typeof parseReply>[1]);
    return { read, wanted: { ok: true, params: numbers.map((number) => Number(number) + 0), adjustments: [] } };
  }

  it('is read with its own values', () => {
    fc.assert(
      fc.property(values, shares, explanationOf(plainWords), (of, at, explanation) => {
        const { read, wanted } = readBack(of, at, explanation);
        expect(read).toMatchObject(wanted);
      }),
    );
  });

  it('is never read with other values, whatever its explanation takes back', () => {
    fc.assert(
      fc.property(values, shares, explanationOf([...plainWords, ...doubtfulWords]), (of, at, explanation) => {
        const { read, wanted } = readBack(of, at, explanation);
        if (read.ok) expect(read).toMatchObject(wanted);
      }),
    );
  });
});

describe('size', () => {
  it('stays small with hundreds of parameters', () => {
    const shape = shapeOf(real(-6, 6, 1), 400, 300);
    expect(gbnfOf(shape).length).toBeLessThan(12_000);
    expect(regexOf(shape).length).toBeLessThan(40_000);
    const reply = Array.from({ length: 400 }, (_, i) => `params[${i}]: ${((i % 121) - 60) / 10}`).join(', ');
    expect(matcherOf(gbnfOf(shape))(`${reply}\nIt moves.`)).toBe(true);
  });

  it('keeps to what llama.cpp takes, whatever the shape', () => {
    const shapes = [
      shapeOf(real(-6, 6, 1), 400, 300),
      shapeOf(real(-1e-3, 1e9, null), 2, 4000),
      shapeOf(real(1e-300, 2e-300, null), 3, 1),
      shapeOf(real(-1.25, 7.3, 12), 1000, 300),
      shapeOf({ kind: 'choice', values: Array.from({ length: 60 }, (_, i) => i) }, 500, 300),
    ];
    for (const shape of shapes) expect(mostRepeatedRules(gbnfOf(shape))).toBeLessThanOrEqual(2000);
  });
});

describe('the schema of a constrained reply', () => {
  it('has the keywords that the endpoint takes', () => {
    const shape = shapeOf(real(-6, 6, 1), 3, 160);
    const base = { required: ['params', 'why'], additionalProperties: false };
    expect(schemaOf(shape, { bounds: true })).toEqual({
      type: 'object',
      properties: {
        params: {
          type: 'array',
          items: { type: 'number', minimum: -6, maximum: 6, multipleOf: 0.1 },
          minItems: 3,
          maxItems: 3,
        },
        why: { type: 'string', maxLength: 160 },
      },
      ...base,
    });
    expect(schemaOf(shape, { bounds: false, counts: false, lengths: false })).toEqual({
      type: 'object',
      properties: { params: { type: 'array', items: { type: 'number' } }, why: { type: 'string' } },
      ...base,
    });
    expect(schemaOf(shape, { bounds: true, steps: false })).not.toHaveProperty('properties.params.items.multipleOf');
  });

  it('lets only whole numbers into a range without decimals, and a table’s own into a table', () => {
    expect(schemaOf(shapeOf(real(0, 5, 0)), { bounds: true })).toMatchObject({
      properties: { params: { items: { type: 'integer', minimum: 0, maximum: 5 } } },
    });
    expect(schemaOf(shapeOf({ kind: 'choice', values: [0, 1] }), { bounds: true })).toMatchObject({
      properties: { params: { items: { type: 'integer', enum: [0, 1] } } },
    });
  });
});
