import { visibleJson } from './printable.ts';

/**
 * JSON files of this program: indented, the same text for the same value, with a newline at the end. What a reader cannot
 * see is escaped.
 */
export function jsonText(value: unknown): string {
  return `${visibleJson(JSON.stringify(value, null, 2))}\n`;
}
