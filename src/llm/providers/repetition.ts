/** Whether a text that is being written has begun to go round in circles: its end repeats one unit again and again. */

/** Characters of the end that are looked at. A unit that is longer than a part of this is not found. */
const windowLength = 4096;
/** Characters between two looks, so that the work stays linear. */
const stride = 512;
/** Fewest rounds. */
const minRounds = 6;
/** Shortest part in rounds, characters. Replies hold rows of dashes, and lists of equal numbers. */
const minRepetitionLength = 600;
/** What an equal value takes in a list of them, at most: it is no circle as long as values are missing. */
const charactersPerValue = 16;

export interface Repetition {
  /** where the second round begins, an index into the text */
  readonly start: number;
  readonly unit: string;
}

/**
 * The longest end of `text` that is made of at least `minRounds` equal units; null for none of `minLength` characters.
 * Linear: the failure function of Knuth, Morris and Pratt over the reversed text.
 */
export function repetitionAtEnd(text: string, minLength: number): Repetition | null {
  const length = text.length;
  const at = (i: number) => text.charCodeAt(length - 1 - i);
  const border = new Int32Array(length);
  let best: { readonly size: number; readonly period: number } | null = null;
  for (let i = 1; i < length; i++) {
    let k = border[i - 1];
    while (k > 0 && at(i) !== at(k)) k = border[k - 1];
    border[i] = at(i) === at(k) ? k + 1 : 0;
    const size = i + 1;
    const period = size - border[i];
    if (size >= minLength && size >= minRounds * period) best = { size, period };
  }
  if (best === null) return null;
  const from = length - best.size;
  return { start: from + best.period, unit: text.slice(from, from + best.period) };
}

export interface RepetitionWatch {
  /** Takes what was written; the answer is where to cut all of it, null: it goes on. */
  push(piece: string): Repetition | null;
}

/** `values`: how many values the reply may list. */
export function repetitionWatch(values: number): RepetitionWatch {
  const shortest = Math.max(minRepetitionLength, values * charactersPerValue);
  const kept = Math.max(windowLength, 2 * shortest);
  // With a longer window the looks are rarer, so the work for each character stays the same.
  const step = Math.max(stride, kept / 8);
  let window = '';
  let read = 0;
  let unseen = 0;

  /** Of no more than `step` characters. */
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
      // Circles begin within the window only when no look is left out.
      for (let at = 0; at < piece.length; at += step) {
        const circles = pushShort(piece.slice(at, at + step));
        if (circles !== null) return circles;
      }
      return null;
    },
  };
}
