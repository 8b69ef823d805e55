/** Builds the text of a reply from its tokens: decodes them, separates the reasoning, and cuts at the stop sequence. */
import type { Finish } from '../chat.ts';
import type { ReasoningMarks, ReasoningStart } from './chat-template.ts';

/** Converts tokens to text; a character that spans tokens is returned once complete. */
export interface Decoder<T> {
  push(token: T): string;
  /** the pending rest at the end */
  flush(): string;
}

/** More tokens than any character spans; beyond it the bytes are not valid text. */
const maxPending = 8;
/** Preceding tokens that decoding a piece may depend on. */
const contextLength = 4;
const incomplete = '\ufffd';

/** `detokenize(tokens, before)`: the text of `tokens` that follow on `before`. */
export function tokenDecoder<T>(
  detokenize: (tokens: readonly T[], before: readonly T[]) => string,
  before: readonly T[],
): Decoder<T> {
  let last = before.slice(-contextLength);
  let pending: T[] = [];
  const take = () => {
    const text = detokenize(pending, last);
    last = [...last, ...pending].slice(-contextLength);
    pending = [];
    return text;
  };
  return {
    push(token) {
      pending.push(token);
      return pending.length < maxPending && detokenize(pending, last).endsWith(incomplete) ? '' : take();
    },
    flush: () => (pending.length === 0 ? '' : take()),
  };
}

export interface Cut {
  readonly finish: Finish;
  readonly reason: string;
}

/** Finds the first of several texts in a growing text, without rescanning it. */
class Finder {
  #tail = '';
  #length = 0;
  readonly #wanted: readonly string[];

  constructor(wanted: readonly string[]) {
    this.#wanted = wanted;
  }

  /** Offset at which the first of the texts starts; null: none is complete yet. */
  push(piece: string): { readonly at: number; readonly found: string } | null {
    const seen = this.#tail + piece;
    const start = this.#length - this.#tail.length;
    this.#length += piece.length;
    const longest = Math.max(0, ...this.#wanted.map((text) => text.length));
    this.#tail = longest > 1 ? seen.slice(1 - longest) : '';
    let first: { at: number; found: string } | null = null;
    for (const found of this.#wanted) {
      const at = seen.indexOf(found);
      if (at >= 0 && (first === null || start + at < first.at)) first = { at: start + at, found };
    }
    return first;
  }
}

/** Collects a reply. `stop`: stop sequences; `prefill`: start of the reply that was written for the model. */
export class ReplyText {
  #text: string;
  #reasoning = '';
  #state: 'start' | 'reasoning' | 'text';
  readonly #marks: ReasoningMarks | null;
  readonly #close: Finder;
  readonly #stop: Finder;
  readonly #prefillLength: number;

  constructor(start: ReasoningStart, marks: ReasoningMarks | null, stop: readonly string[], prefill = '') {
    this.#marks = marks;
    this.#close = new Finder(marks === null ? [] : [marks.close]);
    this.#stop = new Finder(stop);
    this.#text = prefill;
    this.#prefillLength = prefill.length;
    if (marks === null || start === 'none' || prefill !== '') this.#state = 'text';
    else this.#state = start === 'open' ? 'reasoning' : 'start';
  }

  /** `start`: an opening mark may still come */
  get state(): 'start' | 'reasoning' | 'text' {
    return this.#state;
  }

  get text(): string {
    return this.#text;
  }

  /** null: none */
  get reasoning(): string | null {
    return this.#reasoning.trim() || null;
  }

  /** Adds text. Not null: the reply ends here. */
  push(piece: string): Cut | null {
    if (piece === '') return null;
    if (this.#state === 'start') return this.#begin(piece);
    if (this.#state === 'reasoning') return this.#think(piece);
    return this.#write(piece);
  }

  /** Truncates the part being written to its first `length` characters. */
  cut(length: number): void {
    if (this.#state === 'reasoning') this.#reasoning = this.#reasoning.slice(0, length);
    else this.#text = this.#text.slice(0, this.#prefillLength + length);
  }

  #begin(piece: string): Cut | null {
    const { open } = this.#marks as ReasoningMarks;
    const seen = (this.#text + piece).trimStart();
    if (open.startsWith(seen) && seen !== open) {
      this.#text = seen;
      return null;
    }
    this.#text = '';
    this.#state = seen.startsWith(open) ? 'reasoning' : 'text';
    return this.push(this.#state === 'reasoning' ? seen.slice(open.length) : seen);
  }

  #think(piece: string): Cut | null {
    this.#reasoning += piece;
    const end = this.#close.push(piece);
    if (end === null) return null;
    const rest = this.#reasoning.slice(end.at + end.found.length);
    this.#reasoning = this.#reasoning.slice(0, end.at);
    this.#state = 'text';
    return this.push(rest);
  }

  #write(written: string): Cut | null {
    // Blanks between the reasoning and the answer belong to neither.
    const piece = this.#reasoning !== '' && this.#text === '' ? written.trimStart() : written;
    this.#text += piece;
    const end = this.#stop.push(piece);
    if (end === null) return null;
    this.#text = this.#text.slice(0, this.#prefillLength + end.at);
    return { finish: 'stop', reason: 'stop text' };
  }
}
