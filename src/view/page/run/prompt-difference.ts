/** What changed from one prompt to the next: lines, and the words within lines that were replaced one by one. */
import { diffArrays, diffLines } from 'diff';

export interface Message {
  readonly role: string;
  readonly content: string;
}

export type PieceKind = 'same' | 'added' | 'removed';
export interface Piece {
  readonly kind: PieceKind;
  readonly text: string;
}

/** Lines that are equal in both and far from a change, or what is to be shown. */
export type Block =
  | { readonly kind: 'gap'; readonly text: string; readonly lines: number }
  | { readonly kind: 'shown'; readonly pieces: readonly Piece[] };

export interface MessageDifference {
  readonly role: string;
  readonly blocks: readonly Block[];
  readonly added: number;
  readonly removed: number;
}

/** Lines around a change that are shown. */
const context = 1;
/** More edits take longer than a frame of the page; what lies between the first and the last of them is then replaced. */
const maxEdits = 600;
/** Words of longer texts are not compared. */
const maxWordText = 4000;

const kindOf = (added: boolean, removed: boolean): PieceKind => (added ? 'added' : removed ? 'removed' : 'same');

const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
export const lineCount = (text: string): number => linesOf(text).length;

/** A number is one word, sign and decimals included: a digit of it says nothing. */
const wordsOf = (text: string): string[] => text.match(/-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|\w+|\s+|[^\w\s]/g) ?? [];

/** A removed and an added text of equally many lines: their words where most of them stayed. */
function replaced(before: string, after: string): Piece[] {
  const whole: Piece[] = [
    { kind: 'removed', text: before },
    { kind: 'added', text: after },
  ];
  if (lineCount(before) !== lineCount(after) || before.length + after.length > maxWordText) return whole;
  const changes = diffArrays(wordsOf(before), wordsOf(after), { maxEditLength: 200 });
  if (changes === undefined) return whole;
  const pieces = changes.map(
    ({ added, removed, value }): Piece => ({ kind: kindOf(added, removed), text: value.join('') }),
  );
  const same = pieces.reduce((sum, { kind, text }) => sum + (kind === 'same' ? text.length : 0), 0);
  return same * 2 < Math.min(before.length, after.length) ? whole : pieces;
}

/** One change from the first line that differs to the last one. */
function oneChange(before: string, after: string): Piece[] {
  const [old, now] = [linesOf(before), linesOf(after)];
  const most = Math.min(old.length, now.length);
  let head = 0;
  while (head < most && old[head] === now[head]) head++;
  let tail = 0;
  while (tail < most - head && old.at(-1 - tail) === now.at(-1 - tail)) tail++;
  const part = (lines: readonly string[], from: number, to: number): string => lines.slice(from, to).join('');
  const pieces: Piece[] = [
    { kind: 'same', text: part(now, 0, head) },
    { kind: 'removed', text: part(old, head, old.length - tail) },
    { kind: 'added', text: part(now, head, now.length - tail) },
    { kind: 'same', text: part(now, now.length - tail, now.length) },
  ];
  return pieces.filter(({ text }) => text !== '');
}

/** Pieces of whole lines. */
function piecesOf(before: string, after: string): Piece[] {
  const changes = diffLines(before, after, { maxEditLength: maxEdits });
  if (changes === undefined) return oneChange(before, after);
  return changes.map(({ added, removed, value }) => ({ kind: kindOf(added, removed), text: value }));
}

/** The difference of two texts as blocks; equal lines that are not next to a change become gaps. */
export function differenceOf(before: string, after: string): Block[] {
  const pieces = piecesOf(before, after);
  const blocks: Block[] = [];
  let shown: Piece[] = [];
  const close = (): void => {
    if (shown.length > 0) blocks.push({ kind: 'shown', pieces: shown });
    shown = [];
  };
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i]!;
    const next = pieces[i + 1];
    if (piece.kind !== 'same') {
      if (piece.kind === 'removed' && next?.kind === 'added') {
        shown.push(...replaced(piece.text, next.text));
        i++;
      } else {
        shown.push(piece);
      }
      continue;
    }
    const lines = linesOf(piece.text);
    const head = i === 0 ? 0 : context;
    const tail = next === undefined ? 0 : context;
    // A gap of one line would take the place of that line.
    if (lines.length <= head + tail + 1) {
      shown.push(piece);
      continue;
    }
    if (head > 0) shown.push({ kind: 'same', text: lines.slice(0, head).join('') });
    close();
    const hidden = lines.slice(head, lines.length - tail);
    blocks.push({ kind: 'gap', text: hidden.join(''), lines: hidden.length });
    if (tail > 0) shown.push({ kind: 'same', text: lines.slice(lines.length - tail).join('') });
  }
  close();
  return blocks;
}

function countLines(blocks: readonly Block[], kind: PieceKind): number {
  const texts = blocks.flatMap((block) => (block.kind === 'shown' ? block.pieces : []));
  return texts.filter((piece) => piece.kind === kind).reduce((sum, { text }) => sum + lineCount(text), 0);
}

/** The messages of a call against those of the call before it with the same purpose; null: it is the first of them. */
export function promptDifference(
  messages: readonly Message[],
  previous: readonly Message[] | null,
): MessageDifference[] {
  return messages.map(({ role, content }, i) => {
    const before = previous?.[i]?.role === role ? previous[i].content : '';
    const blocks: Block[] =
      previous === null
        ? [{ kind: 'shown', pieces: [{ kind: 'same', text: content }] }]
        : differenceOf(before, content);
    return { role, blocks, added: countLines(blocks, 'added'), removed: countLines(blocks, 'removed') };
  });
}
