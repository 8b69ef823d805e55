/** Determines the role of a group of numbers from the surrounding text: old, a draft, the decision, or none. */
import { marks } from './characters.ts';
import { type Draft, namesAll, type Unfit } from './draft.ts';
import {
  announcesOther,
  announcesVector,
  CLAUSE,
  isQuantityKey,
  isVectorKey,
  keyWords,
  namesQuantity,
  saysQuantity,
  variableWords,
} from './labels.ts';
import { isForeignCall, isOperand, openCalls } from './operands.ts';

/**
 * - `Unfit`: no answer
 * - `idea`: one of several things that come into question
 * - `alternative`: said to stand beside another one
 * - `plain`: nothing is said
 * - `final`: said to be the decision
 */
export type Role = Unfit | 'idea' | 'alternative' | 'plain' | 'final';

const unfit: readonly string[] = ['old', 'rejected', 'other', 'unclear', 'computed', 'asked'] satisfies Unfit[];

export const isUnfit = (role: Role): role is Unfit => unfit.includes(role);

export interface Candidate {
  readonly draft: Draft;
  /** it names every parameter */
  readonly complete: boolean;
  /** only a label precedes it on its line, and only a remark follows it */
  readonly alone: boolean;
  readonly role: Role;
  /** whether the text since the previous candidate retracts it */
  readonly corrects: boolean;
  /** what its label or heading names: parameters, or something else in a few words; null: neither */
  readonly names: 'vector' | 'other' | null;
  /** the letter or number by which the text names it; null: none */
  readonly option: string | null;
}

const maxLabelDistance = 200;
const maxHeadingDistance = 400;
const maxLabel = 120;
const maxOperand = 120;

export const KIND =
  '(?:option|candidate|alternative|choice|proposal|variant|idea|plan|version|set|attempt|possibility|scenario|solution|vector|point|方案|选项|候选)';

const OPENING = /^(?:[\s>|{}("'[•·,;→⇒➜-]|=>|\+ |\[[xX]\] |#{1,6} |\d{1,3}[.)](?= |$)|\(?[A-Za-z]\)(?= ))*/;
/** What follows on the line gives reasons, whatever it ends with. */
const REASON = /^\W*(?:reason|why|explanation|rationale|because|justification|line 2)\b/i;
const LABEL = /[:=]["'\s([{]*$/;
/** A transpose, brackets and points, then nothing, a new sentence, a remark, or the next key of a JSON object. */
const CLOSING =
  /^(?:\^ ?\{?(?:T|top)\b\}?|\.T\b)?(?:(?:, ?dtype ?=[\w. ]{1,20})?[\s,;.!?"')\]}|]*(?:$|\(|#|\/\/|--|- |—|<|←|✓|✔|✅)|[\s"')\]}]*[.!?] |[\s)\]}]*, *"\w+" ?:)/;
/** A value that was measured at this point: history, and no proposal. */
const MEASURED =
  /^[\s"')\]},;|:-]{0,8}(?:(?:->|=>|→|⇒|=|:)\s{0,3}[+-]?\d|(?:->|=>|→|⇒|\(|with|gave|scored|got|had|reached|yielded|at|and)?[\s"']{0,3}(?:a |an |its |the |of )?(?!expected|predicted|estimated|target)(?:\w{1,20}[ _])?(?:(?:rewards?|returns?|scores?|fitness)\b|f\([^()\n]{0,40}\)|f\b|value["']? ?[:=])["']?(?! ?(?:should|will|would|can|could|may|might|must|to\b))[^\n]{0,20}?[:=]? ?(?:[+-]?\.?\d|nan\b))/i;
const MEASURED_BEFORE =
  /(?<!expected |predicted |estimated |target |expected_|predicted_|target_)(?:\bf ?\([^()\n]{0,40}\)|(?:reward|return|score|fitness)s?)["']?(?: {0,3}[:=] {0,3}| )[+-]?[\d.]+[ ,;|]{0,4}(?:at|for|with|from)?[ :]{0,3}$/i;
/** On the line below: `f` of the point; behind pairs that have a line each, any measured value. */
const MEASURED_BELOW =
  /^ {0,8}\n[ >•-]{0,8}(?:f ?\([^()\n]{0,40}\)|f|rollout[_ ]reward)["']? {0,3}[:=] {0,3}(?:[+-]?\.?\d|nan\b)/i;
const MEASURED_IN_LIST =
  /^ {0,8}\n[ >•-]{0,8}(?:\w{1,20}[ _])?(?:rewards?|returns?|scores?|fitness)["']? {0,3}[:=] {0,3}(?:[+-]?\.?\d|nan\b)/i;

const OLD =
  /\b(?:prev|previous(?:ly)?|prior|old(?:er)?|earlier|before|current(?:ly)?|existing|original(?:ly)?|initial(?:ly)?|last|so far|history|trials?|already|was|were|tried|compared|unlike|previous_\w+|old_\w+|last_\w+|current_\w+|history_\w+|initial_\w+|best_so_far|trial_\w+)\b|之前|历史|上一|原来|旧/gi;
const NEVER =
  /\b(?:draft|wrong|(?<!my )bad|worst|reject(?:ed)?|discard(?:ed)?|avoid|not|don't|never|example|e\.g|for instance|such as|instead of|rather than|better than|worse than|mistake|brainstorm|scratch|invalid|incorrect|draft_\w+|first attempt|forbidden|prohibited|banned|disallowed|illegal|unusable|exclud(?:e|ed|ing)|duplicates?|skip(?:ped)?|defaults?|examples|descriptions?|none of|refuse|unable|(?<=^\W{0,4}(?:the )?)(?:known|measured|seen|repeat(?:s|ed)?))\b|[❌✗✘🚫⛔]|草稿|错误|不要/giu;
/** In the clause before the numbers; elsewhere it may give a reason ("I can't see a trend, so I explore:"). */
const NEGATION = /\b(?:cannot|can not|\w{2,8}n't)(?![\w'])/gi;
const IDEA =
  /\b(?:attempt|idea|candidates?|options?|maybe|perhaps|consider(?:ing)?|suppose|could|might|possib(?:le|ly|ility|ilities)|(?:an?|the|first|one|my) try|try(?= ?#?\d)|trying|tempting|guess|tentative|start(?:ing)?|what if|variants?|scenario|hmm+|first idea|candidate_\w+|option_\w+)\b|候选|选项|方案|备选/gi;
const DECISION =
  /\b(?:final(?:ly)?|correct(?:ed|ion)|revis(?:ed|ion)|decision|decid(?:e|ed)|choose|chosen|choice|pick(?:ed)?|select(?:ed|ion)?|go(?:ing)? with|settle|submit|recommend(?:ed|ation)?|conclusion|conclude|instead(?! of)|better(?! than)|improved|actually|best (?:of|choice|option|candidate|answer|guess|solution)|fix(?:ed)?|adjusted|therefore|thus|hence|final_\w+|corrected_\w+|revised_\w+|chosen_\w+|best_(?:choice|option))\b|最终|最后|选择|决定|更正|修正|最佳(?:选择|方案)/gi;
const PROPOSAL =
  /\b(?:propos(?:e|al|ed|ing)|suggest(?:ed|ion|ing)?|new|next|answer|new_\w+|next_\w+|proposed_\w+)\b|答案|建议|新/gi;
/** "that differs from the previous trials": words of the history that say what the numbers are not. */
const UNTRIED =
  /\b(?:(?:that|which) )?(?:(?:differs?|(?:(?:is|are) )?(?:different|distinct|far|away))(?: \w+)? from|(?<=(?:that|which) )avoids?|(?:(?:is|are|was|were|has|have) )?(?:not|never)(?: yet| been)* (?:in|on|among|tried|tested|measured|seen|known|evaluated|a repeat))\b[^,;:.!?\d]*(?=[,;:.!?)]|$)/gi;
const RELATIVE = /\b(?:relative to|to (?:be )?add(?:ed)?|added to|on top of)\b/gi;
const ALTERNATIVE = /\b(?:or|alternative(?:ly|s)?)\b|或者/gi;
/** A label that is nothing but the name of reasoning. */
const REASONING_LABEL = /^\W*(?:my |the |initial )?(?:thinking|reasoning|analysis|thoughts?)(?: process)?\W*$/i;
/** Behind the numbers, on their line. */
const REJECTED_BEHIND = new RegExp(
  `^[\\s"')\\]},;|:.#/<←—(-]{0,8}(?:(?:is|was|are|were|has been|have been|would be|will be|it is|it was|this is|this was|an?|already) ){0,3}(?:${[
    'rejected|discarded|forbidden|prohibited|banned|disallowed|excluded|ruled out|illegal|unusable|duplicate',
    'too \\w+|bad|wrong|no good|failed *[.;]?$|out(?: of (?:range|bounds)\\b| *[.;]?$)|repeat(?: of\\b| *[.;]?$)|no (?:proposal|answer)',
    "not (?:this|that|good|allowed|permitted|valid|usable|possible)|(?:not|isn't) (?:an?|the|my) (?:answer|proposal)",
    "(?:(?:must|should|can|could|may|do|shall|will|would) ?not|(?:must|should|could|would|do)n't|can't|won't) (?:be (?:used|tried|proposed|repeated|chosen|measured|played)|(?:use|try|propose|repeat) (?:this|that|it))\\b",
    "(?:will not|won't|does not|doesn't|would not|wouldn't) (?:work|do|help)\\b",
    '(?:(?:has|have) )?already (?:been )?(?:measured|tried|tested|used|known)\\b',
    '(?:old|previous|already \\w+|draft|tried|worse|invalid)\\b(?!:? ?[+-]?\\d)',
    '✗|✘|❌|🚫|⛔',
  ].join('|')})`,
  'iu',
);
const CHOSEN_BEHIND =
  /^[\s"')\]},;|:.#/<←—(-]{0,8}(?:✓|✔|✅|(?:this (?:is )?(?:the |my )?)?(?:chosen|my choice|best|final|selected|winner|this one)\b(?! so far))/i;
/** A question that yes or no answers, with the numbers in it or below it. */
const ASKING =
  /(?:^|[.!?;:,] +)(?:(?:so|but|or|and|now|then) )*(?:should|shall|could|can|would|do|does|did|is|are|may|might|will|what (?:about|if)|how about|why not)\b[^.!?]*(?:\? *)?$/i;
/** A proposal that waits for a word of ours. */
const PERMISSION =
  /\b(?:(?:let me|tell me|please) (?:know|say|tell)?,? ?(?:if|whether)|if you (?:agree|want|like|wish|prefer))\b/i;
const ASKED_BEHIND = /^[\s"')\]},(]{0,6}(?!why|reason|explanation|because)(?:[\p{L}\p{N}_']+ ?){0,3}\?/iu;
const QUESTION_BEHIND = /^[^.!?\n]{0,120}\?/;
/** Words that take back what was said before, at the beginning of a sentence. */
const CORRECTION =
  /(?:^|[\n.!?:;,—(-]\s*)(?:wait\b|hmm+\b|no\b[,.!:;— -]|actually\b|oops|sorry\b|apologies\b|my bad\b|nope\b|wrong[.!:]|not good\b|scratch that|(?:on|after) (?:second|further|more) (?:thought|reflection)|on reflection|hold on|change of plan|correction\b|(?:update|edit) ?[:,—–-]|(?:second|third|another|new) (?:try|attempt|guess)\b|(?:try|attempt|take) ?#?[2-9]\b|let me (?:re|correct|fix|adjust|change|try|revise|improve)|let's (?:revise|correct|change|adjust)|i(?:'ll| will| should)? (?:revise|correct|change)|never ?mind|instead[,:]|better[,:]|rather\b(?! than)|不对|等等|更正|修正)/i;

/** Words that take numbers back and give no others, at the beginning of a sentence behind them. */
export const RETRACTION =
  /(?:^|[\n.!?—(-]\s*)(?:(?:but|however|unfortunately|sadly|yet|although),? ?)?(?:wait\b ?[,.!:—-]|(?:hmm+|no|oops),? ?(?:wait|that|this)\b|hold on\b|scratch that|never ?mind|(?:ignore|disregard|forget|strike) (?:that|this|the above)|that(?:'s| is| was) (?:wrong|incorrect|a mistake|not right|not allowed|already)|this (?:point |set |one |vector )?(?:is (?:wrong|a mistake|not allowed)|was (?:already )?(?:measured|tried|tested)|has (?:already )?been (?:measured|tried|tested))|(?:do not|don't) use (?:this|that|these|it)\b|i (?:retract|withdraw)|(?:this|that|it|these|they|which|the (?:point|set|vector|answer|proposal))(?: point| set| one| vector| proposal)? (?:(?:is|was|are|were|would be) (?:only |just |merely |my |a |an )*(?:already (?:in|on|known|listed|there)|not (?:my|the|an?) (?:answer|proposal|choice)|example|placeholder|forbidden|prohibited|excluded|ruled out|invalid|illegal|disallowed|not (?:allowed|valid|permitted|usable)|duplicate|repeat (?:of|$)|copy of)|(?:(?:must|should|can|may|shall) ?not|(?:must|should)n't|can't) be (?:used|proposed|tried|measured|played|chosen|submitted|the answer)|(?:won't|will not|cannot|can't|does not|doesn't) (?:work|do)(?= *(?:[.,;!]|\n|$))|repeats (?:trial|point|the (?:best|last|trial|point)|an? (?:earlier|known|measured|old))\b)|i (?:can't|cannot|won't|will not|must not|should not|shouldn't|don't) (?:use|propose|try|submit|choose|want) (?:this|that|it|these|them)\b|on second thought|oops|不对)/i;

/** Reads the surroundings of every draft. Each stretch of text is looked at a bounded number of times. */
export function readContexts(text: string, drafts: readonly Draft[], count: number): Candidate[] {
  const candidates: Candidate[] = [];
  let behind = 0;
  let heading = '';
  let takesBack = false;
  for (const [i, draft] of drafts.entries()) {
    const inSameObject = i > 0 && drafts[i - 1]!.start === draft.start;
    const around = linePart(text, draft, inSameObject ? draft.start : behind, nextStart(text, drafts, i));
    const gap = inSameObject ? '' : text.slice(Math.max(behind, draft.start - 1000), draft.start);

    const call = /(?:([A-Za-z_][\w.]{0,30})\()+["'\s]*$/.exec(around.before);
    const operand = textBefore(text, draft.start);
    const before = (call === null ? around.before : around.before.slice(0, call.index)).replace(OPENING, '');
    const answerMark = before.includes(marks.answer);
    const isLabel =
      before === '' || answerMark || (LABEL.test(before) && before.length <= maxLabel && !REASON.test(before));
    // A heading goes for all drafts below it, until other text comes, or a blank line and no next bullet.
    const isBare = before === '' || NAME_LABEL.test(before);
    const above = isBare ? headingAbove(text, around.lineStart, behind) : '';
    if (above !== '') heading = above;
    else if (hasWords(gap) || (/\n *\n/.test(gap) && !BULLET.test(around.before))) heading = '';
    const lead = isBare ? heading : isLabel ? before : lastClause(before);
    const key = keyWords(draft.label ?? '');
    const alone = isLabel && CLOSING.test(around.after) && !isForeignCall(call?.[1]);
    const role = roleOf(text, draft, {
      lead,
      key,
      before: isBare ? `${heading} ${before}` : lead,
      operand,
      after: around.after,
      rest: around.rest,
      call: call?.[1],
      answerMark,
      alone,
    });
    const complete = namesAll(draft, count);
    const corrects = !inSameObject && (CORRECTION.test(gap) || RETRACTION.test(gap));
    const isNext = complete && !isUnfit(role);
    candidates.push({
      draft,
      complete,
      alone: alone && (draft.kind !== 'tuple' || before === '' || answerMark || announcesVector(before)),
      role,
      names: isLabel ? namedBy(lead) : null,
      // Numbers that are quoted in between are not what comes instead.
      corrects: corrects || (takesBack && isNext),
      option: optionOf(around.before, heading, key, role === 'final' ? '' : gap),
    });
    behind = draft.end;
    takesBack = !isNext && (takesBack || corrects);
  }
  return candidates;
}

/** A label that only names the thing, described in a heading above. */
const NAME_LABEL = /^(?:param(?:eter)?s?|line 1|vector|theta|weights)["']?\s{0,3}[:=]["'\s([{]{0,8}$/i;
const BULLET = /^[ >]*(?:[-•·]|\(?(?:[A-Za-z]|\d{1,3})[.)]) /;

/** "Background:"; not "Here it is:" */
const OTHER_NAME =
  /^[^\p{L}\n]{0,9}(?!.*\b(?:here|sure|ok|okay|so|this|these|i|we|you|let|use|try|go|be)\b)\p{L}[\p{L}\p{N} _-]{2,30}[^\p{L}\p{N}\n]*$/iu;

function namedBy(label: string): Candidate['names'] {
  if (announcesVector(label)) return 'vector';
  return OTHER_NAME.test(label) && label.search(PROPOSAL) < 0 ? 'other' : null;
}

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
  const rest = text.slice(end, end + maxLabelDistance);
  const after = rest.slice(0, Math.max(0, next - end)).split('\n', 1)[0]!;
  return { lineStart, before, after, rest };
}

/** The line before a position; where that is blank, with the line above. */
function textBefore(text: string, at: number): string {
  const before = text.slice(Math.max(0, at - maxOperand), at);
  const line = before.trimEnd().lastIndexOf('\n');
  return before.slice(line + 1);
}

/** The nearest non-blank line above if it can be a label; else ''. */
function headingAbove(text: string, lineStart: number, limit: number): string {
  const above = text
    .slice(Math.max(limit, lineStart - maxHeadingDistance), lineStart)
    .trimEnd()
    .replace(/\n(?:={3,}|-{3,})$/, '');
  const lineBreak = above.lastIndexOf('\n');
  // The rest of a line that begins with other numbers is no heading.
  if (lineBreak < 0 && limit > 0 && above !== '') return '';
  const line = above.slice(lineBreak + 1).trim();
  if (line.endsWith('?') && ASKING.test(line)) return line;
  if (line.length > maxLabelDistance || /[:=] ?[+-]?[\d.]+$/.test(line)) return '';
  if (/[:：]["']?$/.test(line) || /\b(?:was|were|is|are|be|as|used|had|with|tried)$/.test(line)) return line;
  return line.length <= 60 && !/[.!?;,)]$/.test(line) ? line : '';
}

function lastClause(before: string): string {
  const ends = [...before.matchAll(/(?<!\b[ei]\.[ge])[.!?;\n] /g)];
  return ends.length === 0 ? before : before.slice(ends.at(-1)!.index + 1);
}

const PROPOSING =
  /\b(?:try|use|choose|pick|select|take|submit|suggest|recommend|go with|going with|guess|settle on)\b/i;
/** Matches at the end of the text before the numbers. */
const NOT_THIS =
  /(?:(?:\b(?:not|never|cannot)|n't)(?: (?:be|use|try|propose|choose|pick|take|repeat|go with|submit|suggest))?|\b(?:instead of|rather than|than|unlike|from|avoid|over|against))[\s:]*$/i;
/** Keywords of a JSON Schema, which describe what an answer may be. */
const SCHEMA_KEY = /\b(?:default|examples?|enum|const)$/i;

interface Surroundings {
  readonly lead: string;
  readonly key: string;
  /** the label with the heading above it, or the clause before the numbers */
  readonly before: string;
  /** the line before the numbers, with other numbers in it */
  readonly operand: string;
  /** the line behind the numbers, up to the next ones */
  readonly after: string;
  /** the text behind the numbers */
  readonly rest: string;
  readonly call: string | undefined;
  readonly answerMark: boolean;
  readonly alone: boolean;
}

function isAsked({ lead, operand, after }: Surroundings): boolean {
  if (PERMISSION.test(operand) || ASKED_BEHIND.test(after)) return true;
  return ASKING.test(lead) && (lead.endsWith('?') || QUESTION_BEHIND.test(after));
}

function roleOf(text: string, draft: Draft, around: Surroundings): Role {
  const { lead, key, before, operand, after, rest, call, answerMark, alone } = around;
  if (draft.unfit != null) return draft.unfit;
  // Behind pairs of several lines, or pairs with remarks, a remark speaks of the last pair only.
  const written = draft.end - draft.start < 2000 ? text.slice(draft.start, draft.end) : '\n';
  const remarked = /[\n(#]/.test(written);
  if (MEASURED.test(rest.split('\n', 1)[0]!) || MEASURED_BELOW.test(rest) || MEASURED_BEFORE.test(operand))
    return 'old';
  if (call === 'f' || openCalls(operand).includes('f')) return 'old';
  if (draft.kind === 'pairs' && written.includes('\n') && MEASURED_IN_LIST.test(rest)) return 'old';
  if (isOperand(draft, operand, after)) return 'computed';
  if (!remarked && REJECTED_BEHIND.test(after)) return 'rejected';
  const name = key === '' ? variableWords(lead) : key;
  if (isQuantityKey(name) || namesQuantity(lead) || namesQuantity(call ?? '')) return 'other';
  if (!remarked && saysQuantity(after)) return 'other';
  if (isAsked(around)) return 'asked';
  if (draft.kind !== 'pairs') {
    if (announcesOther(`${key} ${lead}`.slice(-60))) return 'other';
    if (name !== '' && !isVectorKey(name) && roleOfLabel(name) === 'plain') return 'unclear';
    // A list in a sentence is a vector only where the sentence says so.
    if (!alone && key === '' && !announcesVector(before) && !PROPOSING.test(lead)) {
      // "Better would be [...]" comes into question; beside an answer on a line of its own it is a reason.
      return roleOfLabel(lead) === 'final' ? 'plain' : 'rejected';
    }
  }
  if (SCHEMA_KEY.test(key)) return 'rejected';
  const own = roleOfLabel(key);
  if (own !== 'plain') return own;
  if (!remarked && CHOSEN_BEHIND.test(after)) return 'final';
  if (NOT_THIS.test(lead)) return 'rejected';
  const said = roleOfLabel(lead.replace(BRACKETS, ' '));
  return said === 'plain' && answerMark ? 'final' : said;
}

/** Remarks in brackets, but for one that is nothing but the name of a state: "Params (old):" */
const BRACKETS =
  /\((?!(?:old|before|previous|prior|original|current|trial \d{1,6}|revised|final|corrected|adjusted|improved)\)\s*[:=])[^()]{0,100}\)/gi;

/** The role that the words of a label give; in each clause the first word decides, and a decision beats other clauses. */
function roleOfLabel(label: string): Role {
  if (label === '') return 'plain';
  if (REASONING_LABEL.test(label)) return 'rejected';
  let role: Role = 'plain';
  const clauses = label
    .replace(UNTRIED, 'new')
    .split(CLAUSE)
    .filter((clause) => clause.trim() !== '');
  for (const [i, clause] of clauses.entries()) {
    const first = firstRole(clause, i === clauses.length - 1);
    if (first === null) continue;
    if (first === 'final' || first === 'proposal') return first === 'final' ? 'final' : 'plain';
    role = first;
  }
  return role;
}

const roleWords = [
  ['rejected', NEVER],
  ['final', DECISION],
  ['old', OLD],
  ['idea', IDEA],
  ['alternative', ALTERNATIVE],
  ['proposal', PROPOSAL],
  ['other', RELATIVE],
] as const;

function firstRole(clause: string, isLast: boolean): Role | 'proposal' | null {
  let best: Role | 'proposal' | null = null;
  let at = Number.POSITIVE_INFINITY;
  for (const [role, words] of isLast ? ([...roleWords, ['rejected', NEGATION]] as const) : roleWords) {
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
