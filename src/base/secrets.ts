/**
 * The secrets that this process knows: keys, values of headers, passwords of addresses. A server may echo what it was sent,
 * so they are masked in everything that comes from outside, and once more before anything is written or printed.
 */

/** What stands in place of a secret. */
export const mask = '[key]';
const minLength = 4;
/** A secret of this length, or a shorter one with letters and digits, occurs in no text by chance. */
const surelyLong = 16;
const mixedLength = 8;
/** A shorter piece of base64 may be a word. */
const minBase64 = 6;

/** `anywhere`: also inside of longer words; `alone`: only as a whole word, because it may be a word or a number. */
type Kind = 'anywhere' | 'alone';

const forms: Readonly<Record<Kind, Set<string>>> = { anywhere: new Set(), alone: new Set() };
let patterns: Readonly<Record<Kind, RegExp | null>> = { anywhere: null, alone: null };

function kindOf(secret: string): Kind | null {
  const { length } = secret;
  if (length < minLength) return null;
  if (length >= surelyLong || (length >= mixedLength && /\d/.test(secret) && /\p{L}/u.test(secret))) return 'anywhere';
  // Most numbers in a reply are parameters.
  return length < mixedLength && /^[\d.+-]+$/.test(secret) ? null : 'alone';
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** What base64 makes of the secret inside of any text: its bytes may begin at three places of a group. */
function base64Forms(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  const found = [0, 1, 2].map((before) => {
    const text = base64(new Uint8Array([...new Uint8Array(before), ...bytes]));
    // Only the characters that no neighbour takes part in.
    return text.slice(Math.ceil((8 * before) / 6), Math.floor((8 * (before + bytes.length)) / 6));
  });
  return found.flatMap((text) => [text, text.replaceAll('+', '-').replaceAll('/', '_')]);
}

function writtenForms(secret: string): string[] {
  const percent = encodeURIComponent(secret);
  const lower = percent.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  return [secret, percent, lower, JSON.stringify(secret).slice(1, -1)];
}

function patternOf(kind: Kind): RegExp | null {
  if (forms[kind].size === 0) return null;
  const longestFirst = [...forms[kind]].sort((a, b) => b.length - a.length);
  const any = `(?:${longestFirst.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|')})`;
  return new RegExp(kind === 'anywhere' ? any : `(?<![\\w-])(?<!\\d\\.)${any}(?![\\w-])(?!\\.\\d)`, 'g');
}

/** From now on the text is a secret, in its own form and as it stands in URLs, in JSON and in base64. */
export function addSecret(text: string | null | undefined): void {
  const secret = text?.trim() ?? '';
  // A header may hold a key behind the name of its scheme.
  const [, credentials] = /^(?:Bearer|Basic|Token|Digest|Negotiate|Api-?Key)\s+(\S.*)$/i.exec(secret) ?? [];
  if (credentials !== undefined) addSecret(credentials);
  const kind = kindOf(secret);
  if (kind === null || forms[kind].has(secret)) return;
  for (const form of writtenForms(secret)) forms[kind].add(form);
  for (const form of base64Forms(secret)) if (form.length >= minBase64) forms.anywhere.add(form);
  patterns = { anywhere: patternOf('anywhere'), alone: patternOf('alone') };
}

/** The password of an address `scheme://user:password@host` is a secret, however it is encoded. */
export function addUrlSecrets(address: string | null | undefined): void {
  const text = address?.trim() ?? '';
  const [, user] = /^(?:[a-z][a-z0-9+.-]*:\/\/)?(.*)@/is.exec(text) ?? [];
  if (user === undefined) return;
  const password = user.slice(user.indexOf(':') + 1);
  addSecret(password);
  try {
    addSecret(decodeURIComponent(password));
  } catch {
    // not encoded
  }
}

/** The text without the secrets of this process. */
export function maskSecrets(text: string): string {
  const { alone } = patterns;
  const shown = maskLongSecrets(text);
  return alone === null ? shown : shown.replace(alone, mask);
}

/** As `maskSecrets`, without the short secrets, which may be ordinary words: for text of this program. */
export function maskLongSecrets(text: string): string {
  return patterns.anywhere === null ? text : text.replace(patterns.anywhere, mask);
}

/** Nothing that is read lies this deep; deeper data would exhaust the stack. */
const maxDepth = 100;

/** A copy of plain data whose texts, keys included, are masked. */
export function maskedData<T>(value: T): T {
  if (patterns.anywhere === null && patterns.alone === null) return value;
  return masked(value, 0) as T;
}

function masked(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return maskSecrets(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === maxDepth) return null;
  if (Array.isArray(value)) return value.map((inner) => masked(inner, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [maskSecrets(key), masked(inner, depth + 1)]));
}
