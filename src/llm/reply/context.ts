/** Determines the role of a group of numbers from the surrounding text: old, a draft, the decision, or none. */
import { marks } from './characters.ts';
import { type Draft, namesAll } from './draft.ts';
import { announcesOther, announcesVector } from './lines.ts';

/**
 * - `old`: quoted from the history, or measured
 * - `rejected`: said to be wrong, or an example
 * - `idea`: one of several things that come into question
 * - `alternative`: said to stand beside another one
 * - `plain`: nothing is said
 * - `final`: said to be the decision
 */
export type Role = 'old' | 'rejected' | 'idea' | 'alternative' | 'plain' | 'final';

export interface Candidate {
  readonly draft: Draft;
  /** it names every parameter */
  readonly complete: boolean;
  /** only a label precedes it on its line, and only a remark follows it */
  readonly alone: boolean;
  readonly role: Role;
  /** whether the text since the previous candidate retracts it */
  readonly corrects: boolean;
  /** the letter or number by which the text names it; null: none */
  readonly option: string | null;
}

const maxLabelDistance = 200;
const maxHeadingDistance = 400;
const maxLabel = 120;

export const KIND =
  '(?:option|candidate|alternative|choice|proposal|variant|idea|plan|version|set|attempt|possibility|scenario|solution|vector|point|方案|选项|候选)';

const OPENING = /^(?:[\s>|{}("'[•·,;-]|#{1,6} |\d{1,3}[.)](?= |$)|\(?[A-Za-z]\)(?= ))*/;
const LABEL = /[:=]["'\s([{]*$/;
/** Brackets and points, then nothing, a new sentence, a remark, or the next key of a JSON object. */
const CLOSING =
  /^(?:(?:, ?dtype ?=[\w. ]{1,20})?[\s,;.!?"')\]}|]*(?:$|\(|#|\/\/|--|- |—|<|←|✓|✔|✅)|[\s"')\]}]*[.!?] |[\s)\]}]*, *"\w+" ?:)/;
/** A value that was measured at this point: history, and no proposal. */
const MEASURED =
  /^[\s"')\]},;|:-]{0,8}(?:(?:->|=>|→|⇒|=|:)\s{0,3}[+-]?\d|(?:->|=>|→|⇒|\(|with|gave|scored|got|had|reached|yielded|at|and)?[\s"']{0,3}(?:a |an |its |the |of )?(?!expected|predicted|estimated|target)(?:\w{1,20}[ _])?(?:rewards?|returns?|scores?|fitness|f\([^()\n]{0,40}\)|f)\b["']?(?! ?(?:should|will|would|can|could|may|might|must|to\b))[^\n]{0,20}?[:=]? ?[+-]?\d)/i;

const OLD =
  /\b(?:previous(?:ly)?|prior|old(?:er)?|earlier|before|current(?:ly)?|existing|original(?:ly)?|initial(?:ly)?|last|so far|history|trials?|already|was|were|tried|compared|unlike|previous_\w+|old_\w+|last_\w+|current_\w+|history_\w+|initial_\w+|best_so_far|trial_\w+)\b|之前|历史|上一|原来|旧/gi;
const NEVER =
  /\b(?:draft|wrong|bad|worst|reject(?:ed)?|discard(?:ed)?|avoid|not|don't|never|example|e\.g|for instance|such as|instead of|rather than|better than|worse than|mistake|brainstorm|scratch|invalid|incorrect|draft_\w+|first attempt)\b|草稿|错误|不要/gi;
const IDEA =
  /\b(?:attempt|idea|candidates?|options?|maybe|perhaps|consider(?:ing)?|suppose|could|might|possib(?:le|ly|ility|ilities)|try(?:ing)?|guess|tentative|start(?:ing)?|what if|variants?|scenario|hmm+|first idea|candidate_\w+|option_\w+)\b|候选|选项|方案|备选/gi;
const DECISION =
  /\b(?:final(?:ly)?|correct(?:ed|ion)|revis(?:ed|ion)|decision|decid(?:e|ed)|choose|chosen|choice|pick(?:ed)?|select(?:ed|ion)?|go(?:ing)? with|settle|submit|recommend(?:ed|ation)?|conclusion|conclude|instead(?! of)|better(?! than)|improved|actually|best (?:of|choice|option|candidate|answer|guess|solution)|fix(?:ed)?|adjusted|therefore|thus|hence|final_\w+|corrected_\w+|revised_\w+|chosen_\w+|best_(?:choice|option))\b|最终|最后|选择|决定|更正|修正|最佳(?:选择|方案)/gi;
const PROPOSAL =
  /\b(?:propos(?:e|al|ed|ing)|suggest(?:ed|ion|ing)?|new|next|answer|new_\w+|next_\w+|proposed_\w+)\b|答案|建议|新/gi;
const ALTERNATIVE = /\b(?:or|alternative(?:ly|s)?)\b|或者/gi;
/** A label that is nothing but the name of reasoning. */
const REASONING_LABEL = /^\W*(?:my |the |initial )?(?:thinking|reasoning|analysis|thoughts?)(?: process)?\W*$/i;
/** Behind the numbers, on their line. */
const REJECTED_BEHIND =
  /^[\s"')\]},;|:.#/<←—(-]{0,8}(?:(?:is|was|are|were) )?(?:rejected|discarded|too \w+|bad|wrong|no good|not good|not (?:this|that)|(?:old|previous|already \w+|draft|tried|worse|invalid)\b(?!:? ?[+-]?\d)|✗|✘|❌)/i;
const CHOSEN_BEHIND =
  /^[\s"')\]},;|:.#/<←—(-]{0,8}(?:✓|✔|✅|(?:this (?:is )?(?:the |my )?)?(?:chosen|my choice|best|final|selected|winner|this one)\b(?! so far))/i;
/** Words that take back what was said before, at the beginning of a sentence. */
const CORRECTION =
  /(?:^|[\n.!?:;,—(-]\s*)(?:wait\b|hmm+\b|no\b[,.!:;— -]|actually\b|oops|sorry\b|scratch that|on second thought|hold on|correction\b|let me (?:re|correct|fix|adjust|change|try|revise|improve)|let's (?:revise|correct|change|adjust)|i(?:'ll| will| should)? (?:revise|correct|change)|never ?mind|instead[,:]|better[,:]|rather[,:]|不对|等等|更正|修正)/i;

/** Reads the surroundings of every draft. Each stretch of text is looked at a bounded number of times. */
export function readContexts(text: string, drafts: readonly Draft[], count: number): Candidate[] {
  const candidates: Candidate[] = [];
  let behind = 0;
  let heading = '';
  for (const [i, draft] of drafts.entries()) {
    const inSameObject = i > 0 && drafts[i - 1]!.start === draft.start;
    const around = linePart(text, draft, inSameObject ? draft.start : behind, nextStart(text, drafts, i));
    const gap = inSameObject ? '' : text.slice(Math.max(behind, draft.start - 1000), draft.start);

    const call = /(?:([A-Za-z_][\w.]{0,30})\()+["'\s]*$/.exec(around.before);
    const before = (call === null ? around.before : around.before.slice(0, call.index)).replace(OPENING, '');
    const answerMark = before.includes(marks.answer);
    const isLabel = before === '' || (LABEL.test(before) && before.length <= maxLabel) || answerMark;
    // A heading goes for all drafts below it, until other text comes, or a blank line and no next bullet.
    const isBare = before === '' || NAME_LABEL.test(before);
    const above = isBare ? headingAbove(text, around.lineStart, behind) : '';
    if (above !== '') heading = above;
    else if (hasWords(gap) || (/\n *\n/.test(gap) && !BULLET.test(around.before))) heading = '';
    const lead = isBare ? heading : isLabel ? before : lastClause(before);
    const key = (draft.label ?? '').replace(/([a-z])([A-Z])/g, '$1 $2');
    const alone = isLabel && CLOSING.test(around.after) && !isForeignCall(call?.[1]);
    const role = roleOf(text, draft, { lead, key, after: around.after, call: call?.[1], answerMark, alone });
    candidates.push({
      draft,
      complete: namesAll(draft, count),
      alone: alone && (draft.kind !== 'tuple' || before === '' || answerMark || announcesVector(before)),
      role,
      corrects: !inSameObject && CORRECTION.test(gap),
      option: optionOf(around.before, heading, key, role === 'final' ? '' : gap),
    });
    behind = draft.end;
  }
  return candidates;
}

/** A label that only names the thing, described in a heading above. */
const NAME_LABEL = /^(?:param(?:eter)?s?|line 1|vector|theta|weights)["']?\s{0,3}[:=]["'\s([{]{0,8}$/i;
const BULLET = /^[ >]*(?:[-•·]|\(?(?:[A-Za-z]|\d{1,3})[.)]) /;

const hasWords = (gap: string) => /[\p{L}\p{N}]/u.test(gap.replace(/(?:^|\n)\s*\d{1,3}[.)] /g, ''));

function nextStart(text: string, drafts: readonly Draft[], i: number): number {
  let next = i + 1;
  while (next < drafts.length && drafts[next]!.start === drafts[i]!.start) next++;
  return next < drafts.length ? drafts[next]!.start : text.length;
}

/** The text on the draft's line before and after it, up to its neighbours. */
function linePart(text: string, { start, end }: Draft, behind: number, next: number) {
  const earliest = Math.max(0, start - maxHeadingDistance);
  const lineStart = earliest + text.slice(earliest, start).lastIndexOf('\n') + 1;
  const before = text.slice(Math.max(lineStart, behind, start - maxLabelDistance), start);
  const after = text.slice(end, Math.min(next, end + maxLabelDistance)).split('\n', 1)[0]!;
  return { lineStart, before, after };
}

/** The nearest non-blank line above if it can be a label; else ''. */
function headingAbove(text: string, lineStart: number, limit: number): string {
  const above = text.slice(Math.max(limit, lineStart - maxHeadingDistance), lineStart).trimEnd();
  const lineBreak = above.lastIndexOf('\n');
  // The rest of a line that begins with other numbers is no heading.
  if (lineBreak < 0 && limit > 0 && above !== '') return '';
  const line = above.slice(lineBreak + 1).trim();
  if (line.length > maxLabelDistance || /[:=] ?[+-]?[\d.]+$/.test(line)) return '';
  if (/[:：]["']?$/.test(line) || /\b(?:was|were|is|are|be|as|used|had|with|tried)$/.test(line)) return line;
  return line.length <= 60 && !/[.!?;,)]$/.test(line) ? line : '';
}

function lastClause(before: string): string {
  const ends = [...before.matchAll(/[.!?;\n] /g)];
  return ends.length === 0 ? before : before.slice(ends.at(-1)!.index + 1);
}

const PROPOSING =
  /\b(?:try|use|choose|pick|select|take|submit|suggest|recommend|go with|going with|guess|settle on)\b/i;
/** Matches at the end of the text before the numbers. */
const NOT_THIS = /(?:\b(?:not|never|instead of|rather than|than|unlike|from|avoid|over|against)|n't)\s*$/i;
const ARRAY_CALL = /(?:array|tensor|list|tuple|matrix|vector|float\w*|print|dict)$/i;
const PROPOSING_CALL = /param|propos|submit|answer|set|final|action|result|return|suggest|policy|theta|weights/i;

const isForeignCall = (name: string | undefined) =>
  name !== undefined && !ARRAY_CALL.test(name) && !PROPOSING_CALL.test(name);

interface Surroundings {
  readonly lead: string;
  readonly key: string;
  readonly after: string;
  readonly call: string | undefined;
  readonly answerMark: boolean;
  readonly alone: boolean;
}

function roleOf(text: string, draft: Draft, { lead, key, after, call, answerMark, alone }: Surroundings): Role {
  if (draft.measured === true || MEASURED.test(after) || call === 'f') return 'old';
  // Behind pairs of several lines, or pairs with remarks, a remark speaks of the last pair only.
  const written = draft.end - draft.start < 2000 ? text.slice(draft.start, draft.end) : '\n';
  const remarked = /[\n(#]/.test(written);
  if (!remarked && REJECTED_BEHIND.test(after)) return 'rejected';
  if (draft.kind !== 'pairs') {
    if (announcesOther(`${key} ${lead}`.slice(-60))) return 'old';
    // A list in a sentence is a vector only where the sentence says so.
    if (!alone && !announcesVector(lead) && !PROPOSING.test(lead)) return 'rejected';
  }
  const own = roleOfLabel(key);
  if (own !== 'plain') return own;
  if (!remarked && CHOSEN_BEHIND.test(after)) return 'final';
  if (NOT_THIS.test(lead)) return 'rejected';
  const said = roleOfLabel(lead.replace(/\([^()]{0,100}\)/g, ' '));
  return said === 'plain' && answerMark ? 'final' : said;
}

/** The role that the words of a label give; in each clause the first word decides, and a decision beats other clauses. */
function roleOfLabel(label: string): Role {
  if (label === '') return 'plain';
  if (REASONING_LABEL.test(label)) return 'rejected';
  let role: Role = 'plain';
  for (const clause of label.split(/[,;.!?—](?:\s|$)|:(?=.)/)) {
    const first = firstRole(clause);
    if (first === null) continue;
    if (first === 'final' || first === 'proposal') return first === 'final' ? 'final' : 'plain';
    role = first;
  }
  return role;
}

function firstRole(clause: string): Role | 'proposal' | null {
  let best: Role | 'proposal' | null = null;
  let at = Number.POSITIVE_INFINITY;
  const groups = [
    ['rejected', NEVER],
    ['final', DECISION],
    ['old', OLD],
    ['idea', IDEA],
    ['alternative', ALTERNATIVE],
    ['proposal', PROPOSAL],
  ] as const;
  for (const [role, words] of groups) {
    words.lastIndex = 0;
    const index = words.exec(clause)?.index;
    if (index !== undefined && index < at) {
      best = role;
      at = index;
    }
  }
  return best;
}

const OPTION_NAME = new RegExp(`${KIND}s?(?:[ _#(]{1,3}([A-Za-z])|[ _#(]{0,3}(\\d{1,2}))\\b`, 'i');
const OPTION_NAMES = new RegExp(OPTION_NAME, 'gi');
const BULLET_NAME = /^[\s>;,.]*\(?([A-Za-z]|\d{1,2})[.):](?: |$)/;

function optionOf(onLine: string, heading: string, key: string, gap: string): string | null {
  const near =
    OPTION_NAME.exec(onLine) ?? BULLET_NAME.exec(onLine) ?? OPTION_NAME.exec(key) ?? OPTION_NAME.exec(heading);
  const name = near ?? [...gap.matchAll(OPTION_NAMES)].at(-1);
  if (name !== undefined) return (name[1] ?? name[2]!).toUpperCase();
  return /(?:^| )([A-Z]|\d{1,2})$/.exec(key)?.[1] ?? null;
}
