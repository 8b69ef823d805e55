/** Digests by which texts are recognised without being kept. */
import { createHash } from 'node:crypto';
import type { Message } from './chat.ts';

/** Hexadecimal digits of a digest: 128 bits. */
export const digestLength = 32;

/** The first 32 hexadecimal digits of the SHA-256 of bytes. */
export function bytesDigest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, digestLength);
}

/**
 * The first 32 hexadecimal digits of the SHA-256 of a text in UTF-8. UTF-8 has no half surrogate pairs: a text with one is
 * taken as a JSON string, so that two such texts never share a digest.
 */
export function textDigest(text: string): string {
  if (latest?.text === text) return latest.digest;
  const digest = createHash('sha256')
    .update(text.isWellFormed() ? text : JSON.stringify(text))
    .digest('hex')
    .slice(0, digestLength);
  latest = { text, digest };
  return digest;
}

/** A prompt is compared and then recorded: its digest is made once. */
let latest: { readonly text: string; readonly digest: string } | null = null;

/** A message without its text, which may be as long as a run. */
export interface DigestedMessage {
  readonly role: Message['role'];
  /** of the text */
  readonly digest: string;
}

export function digested(messages: readonly Message[]): DigestedMessage[] {
  return messages.map(({ role, content }) => ({ role, digest: textDigest(content) }));
}
