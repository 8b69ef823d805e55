/** Plain decimal numbers: no exponent, no trailing zeros, no negative zero. */

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

/** `1 run`, `2 runs` */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
