/**
 * Texts as arrays of UTF-16 codes. A loop over such an array takes the same time for every text; one over a string
 * depends on how the engine stores it, and a text joined from many short parts costs several times as much.
 */

/** The UTF-16 codes of a text, [text.length]. */
export function codesOf(text: string): Uint16Array {
  const bytes = Buffer.allocUnsafeSlow(2 * text.length);
  bytes.write(text, 'utf16le');
  return new Uint16Array(bytes.buffer, 0, text.length);
}

/** The text of the first `length` codes. */
export function textOf(codes: Uint16Array, length: number): string {
  const used = codes.subarray(0, length);
  let all = 0;
  for (let at = 0; at < used.length; at++) all |= used[at]!;
  // Characters of one byte keep the text in its small form, which every later search reads faster.
  if (all < 0x100) return Buffer.from(used).toString('latin1');
  return Buffer.from(used.buffer, used.byteOffset, used.byteLength).toString('utf16le');
}

/** A table of character classes: the class of each code, 0 for those in none; `classes[i]` holds those of class i + 1. */
export function classTable(...classes: readonly string[]): Uint8Array {
  const table = new Uint8Array(0x10000);
  for (const [i, characters] of classes.entries()) {
    for (const character of characters) table[character.charCodeAt(0)] = i + 1;
  }
  return table;
}
