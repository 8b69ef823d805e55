/** What a JSON object says about parameters: pairs, lists under names, rows of indices and values, strings that hold an answer. */
import type { Draft, Unfit } from './draft.ts';
import type { JsonEntry, JsonNode } from './json.ts';
import { readList } from './lists.ts';
import { notPlain, readNumber, type Slot } from './numbers.ts';

export interface ReadObject {
  /** all at position 0 */
  readonly drafts: readonly Draft[];
  /** the strings that say something, as `key: text` */
  readonly said: string;
}

const PARAMETER_KEY =
  /^[\s"']*(?:param(?:eter)?s?|参数)[\s_.#]?(?:\[ ?(\d{1,9}) ?\]|\{?(\d{1,9})\}?|\((\d{1,9})\))[\s:"']*$/i;
const INDEX_KEY = /^\[?(\d{1,9})\]?:?$/;
const REASON_KEY = /^(?:why|reason|explanation|rationale|because|comment|justification|description|note|summary)$/i;
const PRIVATE_KEY = /think|thought|analysis|reasoning|monologue|scratch|reflect|deliberat|brainstorm|chain|cot$/i;
const MEASURED_KEY =
  /^(?!expected|predicted|estimated|target|desired|goal)(?:\w*_)?(?:reward|return|score|fitness|value_of_f|f|f\(.*\)|objective)s?$/i;
/** What an object says about its own parameters. */
const APPROVAL_KEY =
  /^(?:is_?)?(?:ok(?:ay)?|valid|success(?:ful)?|accept(?:ed|able)|allowed|usable|approved|feasible|legal|permitted|new|novel|unique|use|propose|final|in_?range|within_?(?:range|bounds))$/i;
const REFUSAL_KEY =
  /^(?:is_?|was_?)?(?:(?:has_?)?errors?|error_?message|fail(?:ed|ure)|invalid|reject(?:ed|ion)|forbidden|excluded|duplicate(?:d|_?of)?|already_?\w+|tried|not_\w+|out_?of_?(?:range|bounds))$/i;
const MESSAGE_KEY = /^(?:message|msg)$/i;
/** Values of an object that say what its numbers are. */
const KIND_KEY = /^(?:operation|op|mode|kind|type|form)$/i;
const OTHER_KIND =
  /(?<![a-z])(?:add|subtract|multipl(?:y|ication)|deltas?|relative|changes?|differences?|diff|increment(?:al)?|gradients?|offsets?|noise)(?![a-z])/i;
const CALL_KEY = /^(?:name|function|tool|action)$/i;
const OTHER_CALL = /^(?:add|increment|increase|perturb|shift|subtract|scale|multiply)(?![a-z])/i;
const RELATIVE_KEY = /^(?:is_?)?(?:relative|delta|deltas|incremental)$/i;
const VERDICT_KEY = /^(?:status|verdict)$/i;
const REFUSED = /reject|error|fail|invalid|forbid|exclud|duplicate|tried|measured|not |no\b|old|draft|example/i;
const NOTHING = /^(?:|false|no|none|null|nil|undefined|0|n\/a|-|ok)$/i;
const maxStringDepth = 2;
const maxSaid = 2000;

/** Reads `texts` (strings inside of objects) by `find`, the whole search for drafts. */
export type FindInText = (text: string, depth: number) => readonly Draft[];

export function readObject(
  node: Extract<JsonNode, { kind: 'object' }>,
  count: number,
  find: FindInText,
  depth: number,
): ReadObject {
  const drafts: Draft[] = [];
  const said: string[] = [];
  collect(node.entries, null, { count, find, depth, drafts, said, unfit: null });
  return { drafts, said: said.join('\n').slice(0, maxSaid) };
}

interface Collection {
  readonly count: number;
  readonly find: FindInText;
  readonly depth: number;
  readonly drafts: Draft[];
  readonly said: string[];
  readonly unfit: Unfit | null;
}

function collect(entries: readonly JsonEntry[], label: string | null, into: Collection): void {
  const here = { ...into, unfit: into.unfit ?? unfitnessOf(entries) };
  const add = (kind: Draft['kind'], slots: readonly Slot[], length: number, name: string | null) =>
    here.drafts.push({ kind, slots, length, start: 0, end: 1, label: name, unfit: here.unfit });

  const own = pairsOf(entries);
  if (own.length > 0) add('pairs', own, own.length, label);
  for (const { key, value } of entries) {
    const name = label === null ? key : `${label} ${key}`;
    if (value.kind === 'object') {
      if (!PRIVATE_KEY.test(key)) collect(value.entries, name, here);
    } else if (value.kind === 'array') {
      if (!PRIVATE_KEY.test(key)) collectArray(value, name, here, add);
    } else if (value.kind === 'string') {
      if (PRIVATE_KEY.test(key) || REASON_KEY.test(key)) continue;
      if (value.text.length < maxSaid) here.said.push(`${key}: ${value.text}.`);
      if (here.depth < maxStringDepth && /\d/.test(value.text) && slotIndex(key) === null) {
        for (const draft of here.find(value.text, here.depth + 1)) {
          const inner = [name, draft.label ?? ''].join(' ').trim();
          here.drafts.push({ ...draft, start: 0, end: 1, label: inner, unfit: here.unfit ?? draft.unfit ?? null });
        }
      }
    }
  }
}

/** Whether an object quotes a measured value, or refuses what it holds. */
function unfitnessOf(entries: readonly JsonEntry[]): Unfit | null {
  for (const { key, value } of entries) {
    if (MEASURED_KEY.test(key) && value.kind === 'other') return 'old';
    const text = value.kind === 'other' ? value.raw : value.kind === 'string' ? value.text.trim() : null;
    if (text === null) continue;
    if (APPROVAL_KEY.test(key) && /^(?:false|no|0)$/i.test(text)) return 'rejected';
    if (REFUSAL_KEY.test(key) && !NOTHING.test(text)) return 'rejected';
    if (VERDICT_KEY.test(key) && REFUSED.test(text)) return 'rejected';
    if (MESSAGE_KEY.test(key) && /^\W*(?:error|invalid|rejected|failed|forbidden|not allowed)\b/i.test(text))
      return 'rejected';
    if (KIND_KEY.test(key) && OTHER_KIND.test(text)) return 'other';
    if (CALL_KEY.test(key) && OTHER_CALL.test(text)) return 'other';
    if (RELATIVE_KEY.test(key) && /^(?:true|yes)$/i.test(text)) return 'other';
  }
  return null;
}

function collectArray(
  array: Extract<JsonNode, { kind: 'array' }>,
  name: string,
  here: Collection,
  add: (kind: Draft['kind'], slots: readonly Slot[], length: number, name: string | null) => void,
): void {
  const { items } = array;
  const objects = items.filter((item) => item.kind === 'object');
  if (objects.length > 0) {
    const rows = objects.map((object) => pairsOf(object.entries));
    if (rows.every((row) => row.length === 1)) add('pairs', rows.flat(), rows.length, name);
    else for (const [i, object] of objects.entries()) collect(object.entries, `${name} ${i + 1}`, here);
    return;
  }
  const inner = items.flatMap((item) => (item.kind === 'array' ? [readList(item.raw, here.count)] : []));
  if (inner.length > 1 && here.count > 1 && inner.every((list) => list?.length === here.count)) {
    for (const [i, list] of inner.entries()) add('list', list!.slots, list!.length, `${name} ${i + 1}`);
    return;
  }
  const list = readList(array.raw, here.count);
  if (list !== null) add('list', list.slots, list.length, name);
}

function slotIndex(key: string): number | null {
  const match = PARAMETER_KEY.exec(key);
  return match === null ? null : Number(match[1] ?? match[2] ?? match[3]);
}

/** The pairs that the keys of an object make: named parameters, bare indices, or one row of an index and its value. */
function pairsOf(entries: readonly JsonEntry[]): Slot[] {
  const named = entries.flatMap(({ key, value }) => slotOf(slotIndex(key), value));
  if (named.length > 0) return named;
  const row = new Map(entries.map(({ key, value }) => [key.toLowerCase(), value]));
  const at =
    row.get('index') ?? row.get('i') ?? row.get('id') ?? row.get('name') ?? row.get('parameter') ?? row.get('param');
  const value = row.get('value') ?? row.get('val');
  if (at !== undefined && value !== undefined && (at.kind === 'other' || at.kind === 'string')) {
    const text = at.kind === 'string' ? at.text : at.raw;
    return slotOf(slotIndex(text) ?? (/^\d{1,9}$/.test(text) ? Number(text) : null), value);
  }
  if (!entries.some(({ key }) => INDEX_KEY.test(key))) return [];
  return entries.flatMap(({ key, value }) => {
    const index = INDEX_KEY.exec(key);
    return slotOf(index === null ? null : Number(index[1]), value);
  });
}

function slotOf(index: number | null, value: JsonNode): Slot[] {
  if (index === null || (value.kind !== 'other' && value.kind !== 'string')) return [];
  const text = value.kind === 'other' ? value.raw : value.text.trim();
  const list = readList(text, 2);
  // "params[0]": "v" repeats the wanted form and names no number.
  if (list === null) return [];
  if (list.length !== 1) {
    const problem = readNumber(text, 0)?.problem ?? `is written "${text.slice(0, 24)}", ${notPlain}`;
    return [{ index, value: Number.NaN, problem }];
  }
  return [{ ...list.slots[0]!, index }];
}
