/** Detects when a text that is being written repeats itself: its end consists of one repeated unit. */

/** Characters at the end that are checked; only units much shorter than this are found. */
const windowLength = 4096;
/** Characters between two checks, so that the work stays linear. */
const stride = 512;
/** Minimum number of repetitions. */
const minRounds = 6;
/**
 * Minimum length of the repeated part, characters. Replies legitimately contain rows of dashes and lists of equal
 * numbers.
 */
const minRepetitionLength = 600;
/** Maximum characters per value of a list; equal values do not count as repetition while values are missing. */
const charactersPerValue = 16;

export interface Repetition {
  /** start of the second repetition, an index into the text */
  readonly start: number;
  readonly unit: string;
}

/**
 * The longest suffix of `text` that consists of at least `minRounds` equal units; null if it has fewer than `minLength`
 * characters. Linear: the failure function of Knuth, Morris and Pratt over the reversed text.
 */
export function repetitionAtEnd(text: string, minLength: number): Repetition | null {
  const length = text.length;
  const at = (i: number) => text.charCodeAt(length - 1 - i);
  const border = new Int32Array(length);
  let best: { readonly size: number; readonly period: number } | null = null;
  for (let i = 1; i < length; i++) {
    let k = border[i - 1]!;
    while (k > 0 && at(i) !== at(k)) k = border[k - 1]!;
    border[i] = at(i) === at(k) ? k + 1 : 0;
    const size = i + 1;
    const period = size - border[i]!;
    if (size >= minLength && size >= minRounds * period) best = { size, period };
  }
  if (best === null) return null;
  const from = length - best.size;
  return { start: from + best.period, unit: text.slice(from, from + best.period) };
}

export interface RepetitionWatch {
  /** Takes new text; returns where to cut the whole text, null: no repetition. */
  push(piece: string): Repetition | null;
}

/** `values`: maximum number of values in the reply. */
export function repetitionWatch(values: number): RepetitionWatch {
  const shortest = Math.max(minRepetitionLength, values * charactersPerValue);
  const kept = Math.max(windowLength, 2 * shortest);
  // A longer window is checked less often, so the work per character stays the same.
  const step = Math.max(stride, kept / 8);
  let window = '';
  let read = 0;
  let unseen = 0;

  /** Takes at most `step` characters. */
  function pushShort(piece: string): Repetition | null {
    window += piece;
    unseen += piece.length;
    if (unseen < step) return null;
    unseen = 0;
    if (window.length > kept) {
      read += window.length - kept;
      window = window.slice(-kept);
    }
    const repetition = repetitionAtEnd(window, shortest);
    return repetition && { ...repetition, start: read + repetition.start };
  }

  return {
    push(piece) {
      // Repetition starts within the window only when no check is skipped.
      for (let at = 0; at < piece.length; at += step) {
        const circles = pushShort(piece.slice(at, at + step));
        if (circles !== null) return circles;
      }
      return null;
    },
  };
}
