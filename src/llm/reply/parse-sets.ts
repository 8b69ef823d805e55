/**
 * From the text of a reply to several parameter vectors. The prompts ask for a line per set that begins with `params[0]:`;
 * in JSON, for `{"sets": [[...], ...]}`. Each set is read by the parser of single replies.
 */
import { type ParsedReply, parseReply, type ReplySpec } from './parse.ts';
import { splitReasoning } from './reasoning.ts';

export type ParsedSet = Extract<ParsedReply, { ok: true }>;

/** The sets of a reply; `problem`: why a part of it, or all of it, is no set, in a sentence; null: all parts are. */
export interface ParsedSets {
  readonly sets: readonly ParsedSet[];
  readonly problem: string | null;
}

const lineOfSet = /^.*?\bparam(?:eter)?s?\s*[[(_]?\s*0\s*[\])]?[*_"'`\s]*[:=]/gim;
const innermostList = /\[[^[\]]*\]/g;
/** Parts that are looked at; a reply of more is no list of sets. */
const maxParts = 1000;

/** The parts of a text that hold a set each. */
function partsOf(text: string, { count }: ReplySpec): string[] {
  const starts = [...text.matchAll(lineOfSet)].map(({ index }) => index);
  if (starts.length > 0) return starts.map((start, i) => text.slice(start, starts[i + 1] ?? text.length));
  const lists = [...text.matchAll(innermostList)].map(([list]) => list);
  return lists.filter((list) => list.split(',').length === count);
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
