/**
 * Reads JSON objects the way models write them: trailing commas, single or curly quotes, unquoted keys, Python's words,
 * comments, line breaks in strings. Only the shape is read; numbers stay text.
 */

export type JsonNode =
  | { readonly kind: 'object'; readonly entries: readonly JsonEntry[] }
  /** `items` is empty when the array contains only numbers and words, which are in `raw` */
  | { readonly kind: 'array'; readonly items: readonly JsonNode[]; readonly raw: string }
  | { readonly kind: 'string'; readonly text: string }
  /** a number, a word, a call: everything else up to the next comma or bracket */
  | { readonly kind: 'other'; readonly raw: string };

export interface JsonEntry {
  readonly key: string;
  readonly value: JsonNode;
}

export interface JsonObject {
  readonly node: Extract<JsonNode, { kind: 'object' }>;
  readonly start: number;
  readonly end: number;
}

const maxDepth = 8;
/** entries of an object, or elements of an array that holds more than numbers */
const maxEntries = 10_000;
const maxKey = 200;
const CLOSING_QUOTES: Readonly<Record<string, string>> = { '"': '"', "'": "'", '“': '”', '‘': '’', '„': '“' };
const SPECIAL = /[[\]{}"'“‘„]/g;
const BARE_KEY = /[A-Za-z_$0-9][\w$.[\]-]{0,60}/y;
const GAP = /(?:\s+|\/\/[^\n]*|#[^\n]*)*/y;
const OTHER = /(?:[^,{}[\]()\n"':]|\([^()\n]{0,200}\)){1,200}/y;

/** Thrown only inside this file, with the position where the text stops being JSON. */
class NotJson {
  readonly at: number;
  constructor(at: number) {
    this.at = at;
  }
}

class Reader {
  at: number;
  private readonly text: string;

  constructor(text: string, at: number) {
    this.text = text;
    this.at = at;
  }

  object(depth: number): Extract<JsonNode, { kind: 'object' }> {
    this.enter(depth);
    const entries: JsonEntry[] = [];
    while (entries.length < maxEntries) {
      this.skip(',');
      if (this.takes('}')) return { kind: 'object', entries };
      const key = this.key();
      this.gap();
      if (!this.takes(':') && !this.takes('=')) throw new NotJson(this.at);
      this.takes('>');
      entries.push({ key, value: this.value(depth + 1) });
      this.gap();
      if (!/[,}]/.test(this.text[this.at] ?? '') && !this.startsLine()) throw new NotJson(this.at);
    }
    return this.fail();
  }

  private array(depth: number): JsonNode {
    const start = this.at + 1;
    this.enter(depth);
    // Nearly every array holds nothing but numbers.
    SPECIAL.lastIndex = start;
    const special = SPECIAL.exec(this.text);
    if (special === null) this.at = this.text.length;
    if (special?.[0] === ']') {
      this.at = special.index + 1;
      return { kind: 'array', items: [], raw: this.text.slice(start, special.index) };
    }
    const items: JsonNode[] = [];
    while (items.length < maxEntries) {
      this.skip(',;');
      if (this.takes(']')) return { kind: 'array', items, raw: this.text.slice(start, this.at - 1) };
      items.push(this.value(depth + 1));
    }
    return this.fail();
  }

  private value(depth: number): JsonNode {
    this.gap();
    const character = this.text[this.at];
    if (character === '{') return this.object(depth);
    if (character === '[') return this.array(depth);
    if (character !== undefined && CLOSING_QUOTES[character] !== undefined) {
      return { kind: 'string', text: this.string(Number.POSITIVE_INFINITY) };
    }
    // A call around a list, as `np.array([1, 2])`.
    const call = this.match(/[A-Za-z_][\w.]{0,30}\((?=[[(])/y);
    if (call !== null) {
      const inner = this.text[this.at] === '[' ? this.array(depth) : this.fail();
      this.match(/[^)\n]{0,60}/y);
      if (!this.takes(')')) this.fail();
      return inner;
    }
    const raw = this.match(OTHER);
    if (raw === null) this.fail();
    return { kind: 'other', raw: raw!.trim() };
  }

  private key(): string {
    const character = this.text[this.at];
    if (character !== undefined && CLOSING_QUOTES[character] !== undefined) return this.string(maxKey);
    return this.match(BARE_KEY) ?? this.fail();
  }

  /** The content of a string without its escapes. */
  private string(maxLength: number): string {
    const close = CLOSING_QUOTES[this.text[this.at]!];
    const start = this.at + 1;
    const parts: string[] = [];
    let from = start;
    for (let at = start; at < this.text.length && at - start <= maxLength; at++) {
      const character = this.text[at];
      if (character === '\\') {
        parts.push(this.text.slice(from, at));
        const escaped = this.text[at + 1] ?? '';
        if (escaped === 'n' || escaped === 'r') parts.push('\n');
        else if (escaped === 't') parts.push(' ');
        else if (escaped === 'u') {
          const code = Number.parseInt(this.text.slice(at + 2, at + 6), 16);
          if (Number.isFinite(code)) parts.push(String.fromCharCode(code));
          at += 4;
        } else parts.push(escaped);
        at++;
        from = at + 1;
      } else if (character === '\n' && maxLength === maxKey) {
        this.at = at;
        this.fail();
      } else if (character === close) {
        this.at = at + 1;
        return parts.join('') + this.text.slice(from, at);
      }
    }
    this.at = this.text.length - start > maxLength ? start : this.text.length;
    return this.fail();
  }

  private enter(depth: number): void {
    if (depth > maxDepth) this.fail();
    this.at++;
  }

  private gap(): void {
    this.match(GAP);
  }

  private skip(separators: string): void {
    this.gap();
    while (this.at < this.text.length && separators.includes(this.text[this.at]!)) {
      this.at++;
      this.gap();
    }
  }

  /** The last gap contained a line break, so a comma is missing. */
  private startsLine(): boolean {
    return /\n\s*$/.test(this.text.slice(Math.max(0, this.at - 20), this.at));
  }

  private takes(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private match(sticky: RegExp): string | null {
    sticky.lastIndex = this.at;
    const found = sticky.exec(this.text)?.[0] ?? null;
    if (found !== null) this.at += found.length;
    return found;
  }

  private fail(): never {
    throw new NotJson(this.at);
  }
}

const BEGINNING = /\{(?=\s{0,40}["'“‘„\w$])/g;

/**
 * All objects in a text that are not inside another one. Where an object stops being JSON, the search continues after
 * that position, so no character is read more often than the nesting depth. At most `maxAttempts` positions are tried as
 * the start of an object, which bounds the work.
 */
export function findObjects(text: string, maxAttempts: number): JsonObject[] {
  const found: JsonObject[] = [];
  let attempts = 0;
  BEGINNING.lastIndex = 0;
  for (let match = BEGINNING.exec(text); match !== null && attempts < maxAttempts; match = BEGINNING.exec(text)) {
    attempts++;
    const start = match.index;
    const reader = new Reader(text, start);
    let next: number;
    try {
      const node = reader.object(0);
      next = reader.at;
      if (node.entries.length > 0) found.push({ node, start, end: next });
    } catch (stopped) {
      if (!(stopped instanceof NotJson)) throw stopped;
      next = Math.max(start + 1, stopped.at);
    }
    BEGINNING.lastIndex = next;
  }
  return found;
}
