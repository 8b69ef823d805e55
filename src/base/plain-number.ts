/** Plain decimal numbers: no exponent but in tables, no trailing zeros, no negative zero. */

/** `value` with no more than `decimals` decimals. Non-finite values keep their name. */
function fixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return String(value);
  // Beyond 1e21 toFixed falls back to the exponent form; such numbers are whole anyway.
  const text = Math.abs(value) >= 1e21 ? BigInt(value).toString() : value.toFixed(decimals);
  const trimmed = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  return trimmed === '-0' ? '0' : trimmed;
}

/** The shortest plain text that reads back as exactly `value`. */
export function plainNumber(value: number): string {
  const shortest = String(value);
  const exponent = /e([+-]\d+)$/.exec(shortest);
  if (!exponent) return shortest;
  if (!shortest.includes('e-')) return fixed(value, 0);
  const mantissa = shortest.slice(0, exponent.index).replace(/^-?\d\.?/, '');
  const decimals = mantissa.length - Number(exponent[1]);
  // toFixed supports at most 100 decimals.
  return fixed(value, Math.min(100, decimals));
}

const maxDecimals = 9;

/**
 * `value` rounded to `digits` significant digits, and to no more than nine decimals, so that a number that is zero but
 * for rounding errors does not fill the line: 1234.5 -> 1230, 0.12345 -> 0.123, 1e-12 -> 0.
 */
export function significant(value: number, digits: number): string {
  if (!Number.isFinite(value) || value === 0) return fixed(value, 0);
  if (Number.isInteger(value) && Math.abs(value) < 10 ** digits) return String(value);
  const rounded = Number(value.toPrecision(digits));
  // Mostly the shortest text is the result, and takes a third of the time; a trajectory has thousands of numbers.
  const shortest = String(rounded);
  const point = shortest.indexOf('.');
  const isPlain = !shortest.includes('e') && (point < 0 || shortest.length - point - 1 <= maxDecimals);
  return isPlain ? shortest : fixed(rounded, maxDecimals);
}

/** The same in a table, where a number from 1e21 on has an exponent: its digits would fill the line. */
export function tableNumber(value: number, digits: number): string {
  return Math.abs(value) >= 1e21 ? String(Number(value.toPrecision(digits))) : significant(value, digits);
}

/** `1 run`, `2 runs` */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Digits of a standard error that are worth printing. */
const errorDigits = 2;

/**
 * A writer of numbers that are as uncertain as this standard error: with the decimals that two of its digits have, zeros
 * included, so that numbers of one line are equally precise: for 0.31, 12.3456 -> 12.35 and 12 -> 12.00; for 31,
 * 1234.5 -> 1235 (a whole number keeps its digits before the point). Where the error is unknown (null) or zero, up to
 * `digits` significant digits.
 */
export function roundedBy(error: number | null, digits: number): (value: number) => string {
  if (error === null || !(error > 0) || !Number.isFinite(error)) return (value) => tableNumber(value, digits);
  // The error as printed: 0.0996 has the digits of 0.10.
  const printed = Number(error.toPrecision(errorDigits));
  const decimals = Math.min(maxDecimals, Math.max(0, errorDigits - 1 - Math.floor(Math.log10(printed))));
  return (value) => {
    if (!Number.isFinite(value) || Math.abs(value) >= 1e21) return tableNumber(value, digits);
    const text = value.toFixed(decimals);
    return Number(text) === 0 ? text.replace('-', '') : text;
  };
}

/** The 97.5 % point of the normal distribution. */
const z975 = 1.959963984540054;

/** The standard error that a 95 % interval has, by the normal distribution; null without an interval. */
export function errorOf(ci95: readonly [number, number] | null): number | null {
  return ci95 === null ? null : (ci95[1] - ci95[0]) / (2 * z975);
}

/** The interval of the same number with the other sign. */
export function mirrored(ci95: readonly [number, number] | null): readonly [number, number] | null {
  return ci95 && [-ci95[1], -ci95[0]];
}

/** `12.35 [11.74, 12.96]`: an estimate with its 95 % interval, both rounded by the standard error. */
export function estimateText(
  value: number,
  ci95: readonly [number, number] | null,
  digits: number,
  error = errorOf(ci95),
): string {
  const text = roundedBy(error, digits);
  return ci95 === null ? text(value) : `${text(value)} [${text(ci95[0])}, ${text(ci95[1])}]`;
}
