/** Plain decimal numbers of a range, as a pattern: no exponent, no plus sign, no zeros in front. */
import { character, choice, optional, type Pattern, repeat, sequence, text } from './pattern.ts';

/** `digits / 10 ** scale`, exactly */
interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

const digit = character('0-9');
/** With any number of decimals allowed, a range is divided into at least this many steps, as a power of ten. */
const finestPower = 6;

/** The shortest decimal that reads back as the finite number `value`. */
function decimalOf(value: number): Decimal {
  const [mantissa, exponent = '0'] = String(value).split('e');
  const [whole, fraction = ''] = mantissa!.split('.');
  const scale = fraction.length - Number(exponent);
  const digits = BigInt(whole + fraction);
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 };
}

/** The least (`up`) multiple of 10 ** -scale that is not below, or the greatest that is not above, as a count of steps. */
function stepsOf(value: Decimal, scale: number, up: boolean): bigint {
  if (scale >= value.scale) return value.digits * 10n ** BigInt(scale - value.scale);
  const unit = 10n ** BigInt(value.scale - scale);
  const quotient = value.digits / unit;
  const rest = value.digits % unit;
  if (rest === 0n) return quotient;
  return up ? (rest > 0n ? quotient + 1n : quotient) : rest < 0n ? quotient - 1n : quotient;
}

/** Decimals that are written where any number of them is allowed. */
function enoughDecimals(low: number, high: number): number {
  const width = Math.max(high - low, Number.MIN_VALUE);
  const fine = finestPower - Math.floor(Math.log10(width));
  return Math.max(finestPower, decimalOf(low).scale, decimalOf(high).scale, fine);
}

/**
 * All numbers from `low` to `high`, both included, with at most `decimals` digits after the point; zeros at the end may
 * be left out. With null, so many digits that the range has at least a million values. `except` is left out, unless it is
 * the only number. Throws RangeError where there is no such number.
 */
export function numberPattern(
  low: number,
  high: number,
  decimals: number | null,
  except: number | null = null,
): Pattern {
  const scale = decimals ?? enoughDecimals(low, high);
  const min = stepsOf(decimalOf(low), scale, true);
  const max = stepsOf(decimalOf(high), scale, false);
  if (min > max) throw new RangeError(`no number with ${scale} decimals lies in ${low} ... ${high}`);
  const exact = except === null ? null : decimalOf(except);
  const gap = exact === null || exact.scale > scale ? null : stepsOf(exact, scale, true);
  if (gap === null || gap < min || gap > max || min === max) return numbersBetween(min, max, scale);
  const options: Pattern[] = [];
  if (gap > min) options.push(numbersBetween(min, gap - 1n, scale));
  if (gap < max) options.push(numbersBetween(gap + 1n, max, scale));
  return choice(options);
}

/** Numbers from `min` to `max` steps of 10 ** -scale, min <= max. */
function numbersBetween(min: bigint, max: bigint, scale: number): Pattern {
  const options: Pattern[] = [];
  if (max >= 0n) options.push(magnitude(min > 0n ? min : 0n, max, scale));
  if (min < 0n) options.push(sequence(text('-'), magnitude(max < 0n ? -max : 0n, -min, scale)));
  return choice(options);
}

/** Numbers without a sign from `min` to `max` steps of 10 ** -scale. */
function magnitude(min: bigint, max: bigint, scale: number): Pattern {
  const unit = 10n ** BigInt(scale);
  const fraction = (steps: bigint) => (scale === 0 ? '' : String(steps % unit).padStart(scale, '0'));
  const [zeros, nines] = ['0'.repeat(scale), '9'.repeat(scale)];
  let [first, last] = [min / unit, max / unit];
  const [from, to] = [fraction(min), fraction(max)];
  if (first === last) return sequence(text(String(first)), point(from, to));
  const options: Pattern[] = [];
  if (from !== zeros) options.push(sequence(text(String(first++)), point(from, nines)));
  if (to !== nines) options.push(sequence(text(String(last--)), point(zeros, to)));
  if (first <= last) options.push(sequence(wholeNumbers(first, last), point(zeros, nines)));
  return choice(options);
}

/** Whole numbers from `first` to `last`, 0 <= first <= last. */
function wholeNumbers(first: bigint, last: bigint): Pattern {
  const options: Pattern[] = [];
  for (let length = String(first).length; length <= String(last).length; length++) {
    const lowest = length === 1 ? 0n : 10n ** BigInt(length - 1);
    const greatest = 10n ** BigInt(length) - 1n;
    const from = first > lowest ? first : lowest;
    const to = last < greatest ? last : greatest;
    options.push(sameLength(String(from), String(to), (count) => repeat(digit, count, count), sameLengthRest));
  }
  return choice(options);
}

const sameLengthRest = (from: string, to: string): Pattern =>
  from === '' ? text('') : sameLength(from, to, (count) => repeat(digit, count, count), sameLengthRest);

/** A point and the digits behind it, which are `from` to `to` when filled up with zeros; nothing where that will do. */
function point(from: string, to: string): Pattern {
  if (from === '') return text('');
  const written = sequence(
    text('.'),
    sameLength(from, to, (count) => repeat(digit, 0, count), fractionRest),
  );
  return /^0*$/.test(from) ? optional(written) : written;
}

/** Further digits of a fraction; none where zeros are in range. */
function fractionRest(from: string, to: string): Pattern {
  if (from === '') return text('');
  const written = sameLength(from, to, (count) => repeat(digit, 0, count), fractionRest);
  return /^0*$/.test(from) ? optional(written) : written;
}

/**
 * Digits from `from` to `to`, which have the same length of at least 1. `any` is for the digits that may be anything,
 * `rest` for those behind a first digit that is at an end of the range.
 */
function sameLength(
  from: string,
  to: string,
  any: (count: number) => Pattern,
  rest: (from: string, to: string) => Pattern,
): Pattern {
  const [fromRest, toRest] = [from.slice(1), to.slice(1)];
  if (from[0] === to[0]) return sequence(text(from[0]!), rest(fromRest, toRest));
  let [first, last] = [Number(from[0]), Number(to[0])];
  const options: Pattern[] = [];
  if (!/^0*$/.test(fromRest))
    options.push(sequence(text(String(first++)), rest(fromRest, '9'.repeat(fromRest.length))));
  if (!/^9*$/.test(toRest)) options.push(sequence(text(String(last--)), rest('0'.repeat(toRest.length), toRest)));
  if (first <= last) {
    const head = first === last ? text(String(first)) : character(`${first}-${last}`);
    options.push(sequence(head, any(fromRest.length)));
  }
  return choice(options);
}
