/** Constraints for replies: grammar, regular expression, JSON Schema, prefill. */
import { plainNumber } from '../../base/plain-number.ts';
import { numberPattern } from './number-pattern.ts';
import { character, choice, gbnf, optional, type Pattern, regex, repeat, rule, sequence, text } from './pattern.ts';
import type { ReplyShape } from './shape.ts';

/** Maximum length of constrained explanations; llama.cpp refuses more than 2000 repetitions. */
const maxExplanation = 1500;

const nameOf = (index: number): string => `params[${index}]: `;

/** `except`: a value that is left out, unless it is the only one. */
function valuePattern({ values }: ReplyShape, except: number | null): Pattern {
  if (values.kind === 'real') return numberPattern(values.low, values.high, values.decimals, except);
  const others = values.values.filter((value) => value !== except);
  return choice((others.length > 0 ? others : values.values).map((value) => text(plainNumber(value))));
}

/**
 * One line of English that begins with a letter. It cannot be taken for an answer or for a mark of reasoning: there are
 * no brackets, colons and equal signs, and a number only follows a letter, so that no two numbers are adjacent. A
 * number counts as one character.
 */
function explanationPattern(length: number): Pattern {
  const letter = character('A-Z', 'a-z');
  const digits = (max: number) => repeat(character('0-9'), 1, max);
  const number = sequence(
    letter,
    optional(text(' ')),
    optional(text('-')),
    digits(5),
    optional(sequence(text('.'), digits(3))),
  );
  const other = character('A-Z', 'a-z', ' ', '!', '"', "'", '(', ')', ',', '.', ';', '?', '%', '/', '+', '-');
  // llama.cpp multiplies the rules of a group by its repetitions and refuses more than 2000; a named rule counts once.
  return sequence(letter, repeat(rule('piece', choice([number, other])), 0, length - 1));
}

/** The `lines` text: all parameters in order on one line, a line for each set, and one line of explanation. */
function linesPattern(shape: ReplyShape): Pattern {
  const value = rule('value', valuePattern(shape, null));
  const others = new Map(
    shape.forbidden?.map(({ index, value }) => [index, rule(`value${index}`, valuePattern(shape, value))]),
  );
  const parameters = Array.from({ length: shape.count }, (_, index) => [
    text(`${index === 0 ? '' : ', '}${nameOf(index)}`),
    others.get(index) ?? value,
  ]);
  const length = Math.min(shape.explanationLength, maxExplanation);
  const explanation = rule('explanation', explanationPattern(length));
  const line = [...parameters.flat(), text('\n')];
  const { sets = 1 } = shape;
  const lines = sets === 1 ? line : Array(sets).fill(rule('set', sequence(...line)));
  return sequence(...lines, explanation);
}

/**
 * GBNF grammar of the `lines` text. It admits exactly the numbers that are in range and have the allowed decimals, and
 * it ends. Throws RangeError where no number is in range.
 */
export function gbnfOf(shape: ReplyShape): string {
  return gbnf(linesPattern(shape));
}

/** The same text as a regular expression of the whole reply, without anchors. */
export function regexOf(shape: ReplyShape): string {
  return regex(linesPattern(shape));
}

/**
 * The first characters of the `lines` text. It does not end with a space, because tokens of numbers often start with
 * one.
 */
export function prefillOf(_shape: ReplyShape): string {
  return nameOf(0).trimEnd();
}

/** JSON Schema keywords that an endpoint accepts; some refuse a schema with others. */
export interface SchemaKeywords {
  /** `minimum` and `maximum` */
  readonly bounds: boolean;
  /** `multipleOf`; default: same as `bounds` */
  readonly steps?: boolean;
  /** `minItems` and `maxItems`; default: true */
  readonly counts?: boolean;
  /** `maxLength`; default: true */
  readonly lengths?: boolean;
}

/**
 * JSON Schema of `{ "params": [number x count], "why": "..." }`, or of `{ "sets": [[number x count], ...], "why": "..." }`. Every property is required and no other is allowed, as
 * strict modes demand.
 */
export function schemaOf(
  shape: ReplyShape,
  { bounds, steps = bounds, counts = true, lengths = true }: SchemaKeywords,
): Readonly<Record<string, unknown>> {
  const { count, explanationLength, sets = 1 } = shape;
  const listOf = (items: Readonly<Record<string, unknown>>, length: number) => ({
    type: 'array',
    items,
    ...(counts && { minItems: length, maxItems: length }),
  });
  const params = listOf(itemSchema(shape, bounds, steps), count);
  const key = sets === 1 ? 'params' : 'sets';
  return {
    type: 'object',
    properties: {
      [key]: sets === 1 ? params : listOf(params, sets),
      why: { type: 'string', ...(lengths && { maxLength: explanationLength }) },
    },
    required: [key, 'why'],
    additionalProperties: false,
  };
}

function itemSchema({ values }: ReplyShape, bounds: boolean, steps: boolean): Readonly<Record<string, unknown>> {
  if (values.kind === 'choice') {
    return { type: values.values.every(Number.isInteger) ? 'integer' : 'number', enum: values.values };
  }
  const { low, high, decimals } = values;
  return {
    type: decimals === 0 ? 'integer' : 'number',
    ...(bounds && { minimum: low, maximum: high }),
    ...(steps && decimals !== null && decimals > 0 && { multipleOf: Number(`1e-${decimals}`) }),
  };
}
