const maxLength = 80;

/** A part of a value that JSON does not have, as a text. */
function plainPart(_: string, part: unknown): unknown {
  if (typeof part === 'function') return 'a function';
  return typeof part === 'bigint' || (typeof part === 'number' && !Number.isFinite(part)) ? String(part) : part;
}

/** Any value in a message, on one line of at most 80 characters. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'string') return JSON.stringify(value).slice(0, maxLength);
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    return JSON.stringify(value, plainPart).slice(0, maxLength);
  } catch {
    // It refers to itself.
    return 'an object';
  }
}
