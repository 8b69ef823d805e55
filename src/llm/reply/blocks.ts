/**
 * Finds the groups of numbers of a reply that may be an answer, whatever the form: pairs, lists, bare lines, tables, JSON.
 * Only shapes are judged here; what the text says about a group is read in context.ts, and choice.ts decides.
 */
import { marks } from './characters.ts';
import { isUnfit, readContexts } from './context.ts';
import { type Draft, maxDrafts } from './draft.ts';
import { findObjects } from './json.ts';
import { findLines } from './lines.ts';
import { findLists } from './lists.ts';
import { withoutBackslashes, withoutCancelled, withoutEmphasis, withoutTags } from './markup.ts';
import { readObject } from './objects.ts';
import { findPairs } from './pairs.ts';
import { findTables, type Span } from './tables.ts';

export interface FoundDrafts {
  /** the reply without markup; a JSON object that holds drafts is one mark in it */
  readonly text: string;
  /** by position */
  readonly drafts: readonly Draft[];
  /** what strings in JSON objects say, as `key: text` */
  readonly said: string;
  /** what it holds more of than is read, in words; `drafts` is empty then. Null: nothing */
  readonly overfull: string | null;
}

const tooMany = (what: string): FoundDrafts => ({ text: '', drafts: [], said: '', overfull: what });
const groups = 'groups of numbers';

/** `text` comes from `splitReasoning`, `count` is the number of parameters. */
export function findDrafts(text: string, count: number, depth = 0): FoundDrafts {
  const untagged = withoutTags(withoutCancelled(text), count);
  if (untagged === null) return tooMany('tags');
  const taken = takeObjects(untagged, count, depth);
  if (taken === null) return tooMany(groups);
  const { rest, objects } = taken;
  const unescaped = withoutBackslashes(rest, count);
  if (unescaped === null) return tooMany('backslashes');
  const plain = withoutEmphasis(unescaped);
  const data = placeObjects(plain, objects);
  const tables = findTables(plain, count);
  const outsideTables = spanSearch(tables.spans);
  const pairs = findPairs(plain, count, outsideTables);
  if (pairs === null) return tooMany(groups);
  const pairStarts = pairs.map(({ start }) => start);
  const allLists = findLists(plain, count);
  if (allLists.length >= maxDrafts) return tooMany(groups);
  const lists = allLists.filter(({ start, end }) => outsideTables(start) < 0 && !anyWithin(pairStarts, start, end));
  const inPairs = spanSearch(pairs);
  const ownLists = lists.filter(({ start }) => inPairs(start) < 0);
  const read = [...tables.drafts, ...pairs, ...ownLists, ...data].sort((a, b) => a.start - b.start || a.end - b.end);
  if (read.length >= maxDrafts) return tooMany(groups);
  const lines = findLines(plain, count, spanSearch([...read, ...tables.spans].sort((a, b) => a.start - b.start)));
  const drafts = [...read, ...lines].sort((a, b) => a.start - b.start);
  if (drafts.length >= maxDrafts) return tooMany(groups);
  return { text: plain, drafts, overfull: null, said: objects.map(({ said }) => said).join('\n') };
}

/** The drafts of a string in an object. What its other words say of them is kept; later only the key is known. */
function findInString(inner: string, count: number, depth: number): Draft[] {
  const { text, drafts } = findDrafts(inner, count, depth);
  return readContexts(text, drafts, count).map(({ draft, role }) =>
    isUnfit(role) ? { ...draft, unfit: role } : draft,
  );
}

interface TakenObject {
  readonly drafts: readonly Draft[];
  readonly said: string;
}

/** Replaces each object that holds drafts by a mark. Null for too many drafts. */
function takeObjects(text: string, count: number, depth: number): { rest: string; objects: TakenObject[] } | null {
  const objects: TakenObject[] = [];
  if (!text.includes('{')) return { rest: text, objects };
  const parts: string[] = [];
  let from = 0;
  let total = 0;
  // Each parameter may have an object of its own.
  const limit = maxDrafts + count;
  for (const { node, start, end } of findObjects(text, limit + 1)) {
    const { drafts, said } = readObject(node, count, (inner, at) => findInString(inner, count, at), depth);
    if (drafts.length === 0) continue;
    total += drafts.length;
    if (total >= limit) return null;
    objects.push({ drafts, said });
    parts.push(text.slice(from, start), marks.data);
    from = end;
  }
  parts.push(text.slice(from));
  return { rest: parts.join(''), objects };
}

/** The drafts of objects at the places of their marks; pairs of neighbouring objects become one draft. */
function placeObjects(text: string, objects: readonly TakenObject[]): Draft[] {
  const placed: Draft[] = [];
  let at = -1;
  for (const { drafts } of objects) {
    at = text.indexOf(marks.data, at + 1);
    if (at < 0) break;
    const before = placed.at(-1);
    const only = drafts.length === 1 ? drafts[0] : null;
    const joins =
      before?.kind === 'pairs' &&
      only?.kind === 'pairs' &&
      before.label === only.label &&
      at - before.end < 20 &&
      /^[\s,;[\]]*$/.test(text.slice(before.end, at)) &&
      !only.slots.some(({ index }) => before.slots.some((slot) => slot.index === index));
    if (joins) {
      const slots = [...before.slots, ...only.slots];
      placed[placed.length - 1] = { ...before, slots, length: slots.length, end: at + 1 };
    } else for (const draft of drafts) placed.push({ ...draft, start: at, end: at + 1 });
  }
  return placed;
}

/** A function that answers the end of the span that holds a position, or -1. `spans` are in order and do not overlap. */
function spanSearch(spans: readonly Span[]): (at: number) => number {
  return (at) => {
    let low = 0;
    let high = spans.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (spans[middle]!.start <= at) low = middle + 1;
      else high = middle;
    }
    return low > 0 && spans[low - 1]!.end > at ? spans[low - 1]!.end : -1;
  };
}

function anyWithin(sorted: readonly number[], start: number, end: number): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < start) low = middle + 1;
    else high = middle;
  }
  return low < sorted.length && sorted[low]! < end;
}
