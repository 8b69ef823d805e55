/** Any value in a message, on one line of at most 80 characters. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null)
    return typeof value === 'string' ? JSON.stringify(value).slice(0, 80) : String(value);
  try {
    return JSON.stringify(value).slice(0, 80);
  } catch {
    // It refers to itself, or has a bigint.
    return 'an object';
  }
}
