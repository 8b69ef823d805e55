/** Answers of the API as text. */
import { maskLongSecrets } from '../../base/secrets.ts';

/** JSON without the secrets of this process; numbers that JSON does not have are null. */
export function dataText(value: unknown): string {
  return maskLongSecrets(JSON.stringify(value));
}
