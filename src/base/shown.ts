const maxLength = 80;

/** A part of a value that JSON does not have, as a text. */
function plainPart(_: string, part: unknown): unknown {
  if (typeof part === 'function') return 'a function';
  return typeof part === 'bigint' || (typeof part === 'number' && !Number.isFinite(part)) ? String(part) : part;
}

const shortened = (text: string): string => (text.length <= maxLength ? text : `${text.slice(0, maxLength - 3)}...`);

/** Any value in a message, on one line of at most 80 characters. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return shortened(`${value}n`);
  if (typeof value === 'string') return shortened(JSON.stringify(value));
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    return shortened(JSON.stringify(value, plainPart));
  } catch {
    // It refers to itself.
    return 'an object';
  }
}
