/**
 * A text as a patch of an earlier one. Prompts of one purpose are alike: the same beginning, a history that gains lines at
 * its end and may lose some at its front, and an end of their own.
 */

/** `[start, length]`: a part of the earlier text, in UTF-16 code units; a string: new text. */
export type PatchPiece = string | readonly [start: number, length: number];

/** A copy of fewer characters takes more room than the text. */
const minCopy = 24;

function commonPrefix(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  let length = 0;
  while (length < end && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  return length;
}

/** `limit`: the most that it may have, so that it does not overlap a common prefix */
function commonSuffix(a: string, b: string, limit: number): number {
  let length = 0;
  while (length < limit && a.charCodeAt(a.length - 1 - length) === b.charCodeAt(b.length - 1 - length)) length++;
  return length;
}

/** Builds the list of pieces; neighbours that fit together become one. */
class Pieces {
  readonly list: PatchPiece[] = [];

  copy(start: number, length: number, text: string): void {
    const last = this.list.at(-1);
    if (length === 0) return;
    if (last !== undefined && typeof last !== 'string' && last[0] + last[1] === start) {
      this.list[this.list.length - 1] = [last[0], last[1] + length];
    } else if (length < minCopy) this.insert(text);
    else this.list.push([start, length]);
  }

  insert(text: string): void {
    const last = this.list.at(-1);
    if (typeof last === 'string') this.list[this.list.length - 1] = last + text;
    else if (text !== '') this.list.push(text);
  }
}

/** The lines of a text, each with its line break. */
function linesOf(text: string): string[] {
  return text.split(/(?<=\n)/);
}

/**
 * The pieces of `text` between what both have in common at their ends: runs of lines that stand anywhere in the same part
 * of `base`, and new text. `offset`: where that part begins in the earlier text.
 */
function patchLines(base: string, text: string, offset: number, pieces: Pieces): void {
  const places = new Map<string, number>();
  const starts: number[] = [];
  const baseLines = linesOf(base);
  let at = 0;
  for (const [i, line] of baseLines.entries()) {
    // The first place of a line that occurs several times.
    if (!places.has(line)) places.set(line, i);
    starts.push(at);
    at += line.length;
  }
  let expected = -1;
  for (const line of linesOf(text)) {
    // A line behind the one that was copied last continues that copy, wherever else it stands.
    const found = baseLines[expected] === line ? expected : places.get(line);
    if (found === undefined) pieces.insert(line);
    else pieces.copy(offset + starts[found]!, line.length, line);
    expected = found === undefined ? -1 : found + 1;
  }
}

/** The pieces that make `text` of `base`; null where they would hardly be shorter than the text. */
export function makePatch(base: string, text: string): readonly PatchPiece[] | null {
  const prefix = commonPrefix(base, text);
  const suffix = commonSuffix(base, text, Math.min(base.length, text.length) - prefix);
  const pieces = new Pieces();
  pieces.copy(0, prefix, text.slice(0, prefix));
  const middle = text.slice(prefix, text.length - suffix);
  if (middle !== '') patchLines(base.slice(prefix, base.length - suffix), middle, prefix, pieces);
  pieces.copy(base.length - suffix, suffix, text.slice(text.length - suffix));
  const size = pieces.list.reduce((sum, piece) => sum + (typeof piece === 'string' ? piece.length : minCopy), 0);
  return size < 0.9 * text.length ? pieces.list : null;
}

/** The text that the pieces make of `base`; null where a piece is not inside of it. */
export function applyPatch(base: string, pieces: readonly PatchPiece[]): string | null {
  let text = '';
  for (const piece of pieces) {
    if (typeof piece === 'string') text += piece;
    else if (piece[0] + piece[1] > base.length) return null;
    else text += base.slice(piece[0], piece[0] + piece[1]);
  }
  return text;
}
