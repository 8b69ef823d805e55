import { visibleJson } from './printable.ts';
import { maskLongSecrets } from './secrets.ts';

/**
 * JSON files of this program: indented, the same text for the same value, with a newline at the end. What a reader cannot
 * see is escaped, and the secrets of this process are masked.
 */
export function jsonText(value: unknown): string {
  return `${maskLongSecrets(visibleJson(JSON.stringify(value, null, 2)))}\n`;
}
