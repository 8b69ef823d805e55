/**
 * From the text of a reply to several parameter vectors. The prompts ask for a line per set that begins with `params[0]:`;
 * in JSON, for `{"sets": [[...], ...]}`. Each set is read by the parser of single replies.
 */
import { findObjects, type JsonEntry } from './json.ts';
import { type ParsedReply, parseReply, type ReplySpec } from './parse.ts';
import { splitReasoning } from './reasoning.ts';

export type ParsedSet = Extract<ParsedReply, { ok: true }>;

/** The sets of a reply; `problem`: why a part of it, or all of it, is no set, in a sentence; null: all parts are. */
export interface ParsedSets {
  readonly sets: readonly ParsedSet[];
  readonly problem: string | null;
}

/** With few blanks at each place: adjacent ones could be divided in many ways. */
const lineOfSet = /^.*?\bparam(?:eter)?s?\s{0,9}[[(_]?\s{0,9}0\s{0,9}[\])]?[*_"'`\s]{0,20}[:=]/gim;
const innermostList = /\[[^[\]]*\]/g;
/** Parts that are looked at; a reply of more is no list of sets. */
const maxParts = 1000;

/** The lists, and objects of numbers, under `sets` in the JSON objects of a text. */
function listsOfSets(text: string): string[] {
  const entries = findObjects(text, maxParts).flatMap(({ node }) => node.entries);
  return entries.flatMap(({ key, value }) => {
    if (key !== 'sets' || value.kind !== 'array') return [];
    return value.items.flatMap((item) => {
      if (item.kind === 'array') return [`[${item.raw}]`];
      return item.kind === 'object' ? pairsOf(item.entries) : [];
    });
  });
}

/** An object of named numbers as pairs; none where it holds more, which may say that it is no set. */
function pairsOf(entries: readonly JsonEntry[]): string[] {
  const pairs = entries.flatMap(({ key, value }) => (value.kind === 'other' ? [`${key}: ${value.raw}`] : []));
  return pairs.length === entries.length ? [pairs.join(', ')] : [];
}

const maxHeading = 200;

/** The parts of a text that hold a set each. */
function partsOf(text: string, { count }: ReplySpec): string[] {
  // First, because what else an object says may look like a line of a set.
  const named = listsOfSets(text).filter((list) => list.split(',').length === count);
  if (named.length > 0) return named;
  const starts = [...text.matchAll(lineOfSet)].map(({ index }) => index);
  if (starts.length > 0) return cutAt(text, starts);
  const lists = [...text.matchAll(innermostList)].filter(([list]) => list.split(',').length === count);
  // With the rest of their lines, which may say that a list is no set.
  const begins = lists.map(({ index }, i) => {
    const before = lists[i - 1];
    const behind = before === undefined ? 0 : before.index + before[0].length;
    return behind + text.slice(behind, index).lastIndexOf('\n') + 1;
  });
  return cutAt(text, begins);
}

/** The text from each start to the next one, under its heading: that above it, or that of the sets directly above. */
function cutAt(text: string, starts: readonly number[]): string[] {
  let heading = '';
  return starts.map((start, i) => {
    const own = headingAbove(text, start);
    if (own !== '') heading = own;
    else if (i === 0 || /\n[^\n]*\n/.test(text.slice(starts[i - 1], start))) heading = '';
    return heading + text.slice(start, starts[i + 1] ?? text.length);
  });
}

/** The line above a set where it is a heading, which says what the set is; '' for any other line. */
function headingAbove(text: string, start: number): string {
  const above = text.slice(Math.max(0, start - maxHeading), start).trimEnd();
  const line = above.slice(above.lastIndexOf('\n') + 1);
  return line.endsWith(':') ? `${line}\n` : '';
}

/** At most `wanted` sets, the first ones. Never throws. */
export function parseSets(reply: string, wanted: number, spec: ReplySpec): ParsedSets {
  const { text } = splitReasoning(reply);
  const parts = partsOf(text, spec);
  // What has no parts is read, or refused, as one set.
  const parsed = (parts.length === 0 || parts.length > maxParts ? [reply] : parts).map((part) =>
    parseReply(part, spec),
  );
  const sets = parsed.filter((part): part is ParsedSet => part.ok).slice(0, wanted);
  const refused = parsed.findIndex((part) => !part.ok);
  const bad = parsed[refused];
  if (bad === undefined || bad.ok || sets.length === wanted) return { sets, problem: null };
  return { sets, problem: parsed.length === 1 ? bad.problem : `In set ${refused + 1}: ${bad.problem}` };
}
