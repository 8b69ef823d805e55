/** Chooses the group of numbers that is the answer, by its role in the text. */
import { counted } from '../../base/plain-number.ts';
import { type Candidate, isUnfit, KIND, RETRACTION } from './context.ts';
import type { Draft, Unfit } from './draft.ts';
import { recomputes, variableOf } from './operands.ts';

export interface Choice {
  readonly draft: Draft | null;
  /** why there is no answer despite numbers in the reply; null: there are no numbers */
  readonly problem: string | null;
}

/** `text` is what the candidates were found in, `said` what strings of JSON objects say. */
export function chooseDraft(candidates: readonly Candidate[], text: string, said: string, count: number): Choice {
  const listed = candidates.filter(({ complete, role }) => complete && !isUnfit(role));
  const decided = listed.length < 2 ? null : optionByName(listed, `${proseOf(text, candidates)}\n${said}`);
  if (decided === 'several') return refused('The reply chooses more than one of its options; give one parameter set.');

  const alone = listed.filter((candidate) => candidate.alone);
  const firstAlone = candidates.find(({ alone, role }) => alone && !isUnfit(role));
  // A sentence counts beside lines of their own only when it decides or takes back.
  const live =
    alone.length > 0 ? listed.filter(({ alone, role, corrects }) => alone || role === 'final' || corrects) : [];
  // An incomplete answer line is a wrong answer; numbers that a sentence quotes behind it are no better one.
  const inSentence =
    alone.length === 0 && listed.length > 0 && isBefore(listed[0]!, firstAlone, candidates) ? listed : [];
  const standing = afterCorrections(live.length > 0 ? live : inSentence);
  const winners = strongest(standing);

  const changed =
    changeBehind(text, candidates, winners.at(-1) ?? null, count) ?? takenBack(text, listed.at(-1), winners.at(-1));
  if (changed !== null) return refused(changed);
  if (decided !== null) {
    const later = winners.filter(({ role, option }) => role === 'final' && option === null);
    if (later.every(({ draft }) => sameValues(draft, decided.draft, count))) return accept(decided.draft, count);
    return refused('The reply chooses an option and then gives other numbers; give one parameter set.');
  }
  if (winners.length > 0) {
    const last = winners.at(-1)!;
    // What stands under a name that may be anything may be the answer too, unless another one is said to be it.
    const unclear = winners.some(({ role }) => role === 'final')
      ? []
      : candidates.filter(({ role, complete, alone }) => role === 'unclear' && complete && alone);
    const open = [...winners, ...unclear];
    if (open.every(({ draft }) => sameValues(draft, last.draft, count))) return accept(winners[0]!.draft, count);
    // "Background: ...", and then "New parameters: ..."
    const isOnlyAnswer = last.names === 'vector' && unclear.length === 0;
    if (isOnlyAnswer && winners.every(({ draft, names }) => names === 'other' || sameValues(draft, last.draft, count)))
      return accept(last.draft, count);
    return refused(
      `The reply names ${distinct(open, count)} different parameter sets and does not say which one counts; give one.`,
    );
  }
  return refused(problemWithout(candidates, count));
}

const refused = (problem: string | null): Choice => ({ draft: null, problem });

function isBefore(a: Candidate, b: Candidate | undefined, all: readonly Candidate[]): boolean {
  return b === undefined || all.indexOf(a) < all.indexOf(b);
}

/** The candidates that no later text retracts. */
function afterCorrections(candidates: readonly Candidate[]): readonly Candidate[] {
  const last = candidates.findLastIndex(({ corrects, role }) => corrects && role !== 'idea' && role !== 'alternative');
  return candidates.slice(Math.max(0, last));
}

/** Decisions beat plain candidates, which beat ideas. */
function strongest(candidates: readonly Candidate[]): readonly Candidate[] {
  const firstFinal = candidates.findIndex(({ role }) => role === 'final');
  if (firstFinal >= 0) {
    // Numbers on their own behind a decision may be another one.
    return candidates.filter(({ role, alone }, i) => role === 'final' || (role === 'plain' && alone && i > firstFinal));
  }
  const plain = candidates.filter(({ role }) => role === 'plain' || role === 'alternative');
  return plain.some(({ role }) => role === 'plain') ? plain : candidates;
}

/** Before a parameter, behind the answer: an order to change it. */
const CHANGING =
  /(?:^|[.!?;:,(—-] *|\b(?:then|now|please|actually|will|let me|let's|rather|instead|must|should|to) +)(?:(?:then|now|please|but) )?(?:change|make|set|let|replace|use|put|raise|lower|increase|decrease|reduce|adjust|update|fix|correct|i meant) +(?:the value of )?$/i;
/** The same before a whole vector: "Use [...] instead.", "It should be [...]" */
const REPLACING =
  /(?:^|[.!?;:,(—-] *)(?:(?:on (?:second |further )?(?:thought|reflection)|but|then|now|please|actually|so|rather|instead|i|we|i'll|i'd|will|would|let's|let us|let me|it|this|they|(?:the|my) (?:answer|proposal|point|params?|parameters|values?|numbers)),? +){0,5}(?:change|make|set|let|replace|use|put|update|fix|correct|meant|go with|try|test|play|evaluate|measure|answer|propose|suggest|recommend|submit|choose|pick|take|(?<=(?:the|my) \w+ )(?:is|are)|should (?:be|have been)|must be|ought to be)(?: (?:it|this|that|them|these|params?|parameters|the (?:answer|point|params?|parameters|values?|numbers)))?(?: (?:to|with|by|as|be|into))? *$/i;
/** "Therefore, [...]" */
const CONCLUDING = /(?:^|[.!?;:] *)(?:so|thus|hence|therefore|instead|better(?: is| would be)?|better still)[,:]? *$/i;
/** A rule that the answer breaks, and then others. */
const BROKEN_RULE =
  /(?:^|[.!?:;\n] *)(?:(?:but|and|so) )?(?:this|that|these) (?:violates?|exceeds?|(?:is|are) (?:out of|outside))\b[^.\n]{0,60}(?:[.!]|, (?:so|thus|hence)[,:]?) *$/i;
/** Directly behind the answer. */
const EXCEPT = /^[\s"')\]},;:(—-]{0,8}(?:(?:and|but|except|with|only|however|use|for|that),? ?){1,4}$/i;
/** What is to be done later, or was considered. */
const CONDITIONAL = /\b(?:if|when|unless|could|may|might|later|next)\b/i;
const OBLIGED = /(?:should|must|will|needs? to)\b/i;
/** A part of the answer that is spoken of, not changed. */
const PAST = /^[^\n.;]{0,20}\b(?:was|were|gave|had|got|led|failed|did|would|worked|made)\b/i;

/** What is behind the answer changes it, or some of its parameters; what the others become is not said. */
function changeBehind(
  text: string,
  candidates: readonly Candidate[],
  answer: Candidate | null,
  count: number,
): string | null {
  if (answer === null) return null;
  const { draft } = answer;
  const at = candidates.indexOf(answer);
  const partial = candidates.find(
    (other, i) => (i > at || (i < at && other.draft.start === draft.start)) && changes(text, other, draft),
  );
  if (partial?.complete) return 'The reply replaces its answer by other parameters; give one parameter set.';
  const variable = variableOf(text.slice(Math.max(0, draft.start - maxAssignment), draft.start));
  if (partial === undefined && !recomputes(text.slice(draft.end, draft.end + maxTail), variable)) return null;
  const shape = partial?.role === 'final' ? shapeProblem(partial.draft, count) : null;
  return `The reply changes its answer in part; write all ${counted(count, 'number')} again. ${shape ?? ''}`.trim();
}

/** Whether other numbers say that the answer's parameters are others than given. */
function changes(text: string, { complete, alone, role, corrects, draft }: Candidate, answer: Draft): boolean {
  if (role === 'old' || role === 'asked') return false;
  // "Change" before a parameter is an order, and no name of what it holds.
  const isStated = role === 'plain' || role === 'other';
  // "Update:" and "Hmm, maybe" may speak of another answer.
  const mayReplace = complete && corrects && (role === 'idea' || role === 'other');
  if (alone && !complete && (role === 'final' || (corrects && isStated))) return true;
  // Complete ones on their own stand beside the answer; a short list is no vector.
  if (complete ? alone && !mayReplace : !(draft.kind === 'pairs' && (isStated || !isUnfit(role)))) return false;
  const values = valuesOf(answer);
  if (draft.slots.every(({ index, value, problem }) => problem !== null || values.get(index) === value)) return false;
  if (mayReplace) return true;
  // "+0.5" says how far a parameter moved.
  if (/[:=] ?\+/.test(text.slice(draft.start, draft.end))) return false;
  if (alone) return role === 'plain';
  if (PAST.test(text.slice(draft.end, draft.end + 40))) return false;
  const before = text.slice(Math.max(answer.end, draft.start - 60), draft.start);
  const line = before.slice(before.lastIndexOf('\n') + 1);
  if (CONDITIONAL.test(line)) return false;
  if (complete ? REPLACING.test(line) || CONCLUDING.test(line) || BROKEN_RULE.test(before) : CHANGING.test(line))
    return true;
  if (draft.kind !== 'pairs') return false;
  return (draft.start - answer.end < 60 && EXCEPT.test(before)) || OBLIGED.test(text.slice(draft.start, draft.end));
}

const ANNOUNCED =
  /(?:^|\n)[^\w\n]{0,8}(?:my |the )?(?:final|corrected|revised)\b[ \w]{0,30}[:=](?![^\n]{0,40}(?:same|above))/i;
const maxTail = 2000;
const maxAssignment = 120;

/** Why the answer does not count: the text after it retracts it or announces another one. */
function takenBack(text: string, last: Candidate | undefined, answer: Candidate | undefined): string | null {
  if (answer === undefined || last === undefined) return null;
  const tail = text.slice(last.draft.end, last.draft.end + maxTail);
  if (RETRACTION.test(tail)) return 'The reply takes its parameters back and gives no others; give one parameter set.';
  if (answer.role !== 'final' && ANNOUNCED.test(tail)) {
    return 'The reply announces a final answer and does not give it in numbers; give one parameter set.';
  }
  return null;
}

// ---- options by name ----

const maxProse = 20_000;

/** The text without the candidates. */
function proseOf(text: string, candidates: readonly Candidate[]): string {
  const parts: string[] = [];
  let from = 0;
  let length = 0;
  for (const { draft } of candidates) {
    if (length > maxProse) break;
    const part = text.slice(from, Math.max(from, Math.min(draft.start, from + maxProse)));
    parts.push(part);
    length += part.length;
    from = Math.max(from, draft.end);
  }
  parts.push(text.slice(from, from + maxProse));
  return parts.join(' ');
}

const CHOOSING = `(?:choos(?:e|ing)|chose|pick(?:ing|ed)?|select(?:ing|ed)?|go(?:ing)? (?:with|for)|prefer|take|taking|use|using|recommend|propose|submit|decid(?:e|ed|ing) (?:on|for)|settl(?:e|ing) (?:on|for)|opt(?:ing)? for|(?:best|final|better)(?: (?:choice|option|answer|candidate|one))?(?: is|:| =)|choice(?: is)?:?|chosen:?|decision:?|answer(?: is)?:?|winner(?: is)?:?|selected:?|选择?|采用|用)`;
const CHOSEN_NAME = new RegExp(
  `${CHOOSING}[\\s:]*(?:the |my |it is |it's |is )?((?:${KIND}[ _]?)?)#?["'(]?([A-Za-z]|\\d{1,2})(?![\\w'])(?!\\.\\d)`,
  'gi',
);
const PRAISED_NAME = new RegExp(
  `(${KIND})[ _]?#?["'(]?([A-Za-z]|\\d{1,2})["')]? (?:is|looks|seems|appears|was|wins)(?: to be)?(?: (?:the|my|a|clearly|most))* ?(?:best|better|chosen|preferred|preferable|superior|promising|winner|choice|right|it|\\.)`,
  'gi',
);
const CHOSEN_PLACE = new RegExp(
  `${CHOOSING}[\\s:]*(?:the |my )?(first|second|third|fourth|fifth|last|latter|former)(?: (?:one|of|set|line|proposal|${KIND})|[.,;!\\n]|$)`,
  'gi',
);
const NEGATED = /\b(?:not|never|cannot|rather than|instead of)\b|n't/i;
const PLACES = ['first', 'second', 'third', 'fourth', 'fifth'];

/** The candidate whose name the text chooses; null when it names none, 'several' when it names more than one. */
function optionByName(listed: readonly Candidate[], prose: string): Candidate | 'several' | null {
  const negated = (at: number) => {
    const before = prose.slice(Math.max(0, at - 24), at);
    return NEGATED.test(before.slice(before.search(/[^.!?;\n]*$/)));
  };
  const named = listed.filter(({ option }) => option !== null);
  const chosen = new Set<Candidate>();
  const choose = (option: string) => {
    const found = named.find((candidate) => candidate.option === option.toUpperCase());
    if (found !== undefined) chosen.add(found);
  };
  if (named.length > 0) {
    for (const { index, 1: kind, 2: name } of prose.matchAll(CHOSEN_NAME)) {
      // "I use a policy": without "option" before it only a capital or a number is a name.
      if (negated(index) || (kind === '' && /[a-z]/.test(name!))) continue;
      choose(name!);
    }
    for (const [, , name] of prose.matchAll(PRAISED_NAME)) choose(name!);
  }
  const several = listed.filter(({ role }) => role !== 'final');
  for (const { index: at, 1: place } of prose.matchAll(CHOSEN_PLACE)) {
    if (negated(at)) continue;
    const word = place!.toLowerCase();
    const index =
      word === 'former' ? 0 : word === 'last' || word === 'latter' ? several.length - 1 : PLACES.indexOf(word);
    if (several.length > 1 && index < several.length) chosen.add(several[index]!);
  }
  if (chosen.size > 1) return 'several';
  return chosen.size === 1 ? [...chosen][0]! : null;
}

// ---- what is wrong ----

/** In the order in which they are told. */
const unfitProblems: Readonly<Record<Unfit, string>> = {
  old: 'The reply only repeats points with what was measured there, or points that it calls old; give new parameters and nothing else.',
  computed: 'The reply leaves its parameters to be computed; write the resulting numbers.',
  other: 'The reply gives numbers that it calls something else than parameters; give the parameters themselves.',
  unclear: 'The reply gives numbers under a name that does not say what they are; give them as parameters.',
  asked: 'The reply only asks about parameters; give one parameter set as the answer.',
  rejected: 'The reply names parameters only as a draft or an example and gives no answer; give one parameter set.',
};

function problemWithout(candidates: readonly Candidate[], count: number): string | null {
  const complete = candidates.filter((candidate) => candidate.complete);
  const open = candidates.filter(({ role }) => !isUnfit(role));
  const near = longest(open.filter(({ alone }) => alone)) ?? longest(open);
  if (near !== null && (near.draft.slots.length * 2 > count || (near.alone && near.draft.kind === 'pairs')))
    return shapeProblem(near.draft, count);
  const roles = new Set(complete.map(({ role }) => role));
  for (const [role, problem] of Object.entries(unfitProblems)) if (roles.has(role as Unfit)) return problem;
  if (complete.length > 0) return unfitProblems.rejected;
  const pairs = open.filter(({ draft }) => draft.kind === 'pairs').flatMap(({ draft }) => draft.slots);
  const named = new Set(pairs.map(({ index }) => index).filter((index) => index < count));
  if (named.size === count) {
    return `The parameters have other text between them; write all ${count} on one line, with only commas between.`;
  }
  const any = near ?? longest(candidates);
  return any === null ? null : shapeProblem(any.draft, count);
}

function longest(candidates: readonly Candidate[]): Candidate | null {
  return candidates.reduce<Candidate | null>(
    (a, b) => (a === null || b.draft.slots.length > a.draft.slots.length ? b : a),
    null,
  );
}

function accept(draft: Draft, count: number): Choice {
  const problem = shapeProblem(draft, count);
  return problem === null ? { draft, problem } : refused(problem);
}

/** What is wrong with the indices of a draft; null when each of 0 ... count - 1 is named and no other. */
function shapeProblem(draft: Draft, count: number): string | null {
  if (draft.kind !== 'pairs') {
    if (draft.length === count) return null;
    return `The list holds ${counted(Math.max(0, draft.length), 'number')}, but ${counted(count, 'number')} ${count === 1 ? 'is' : 'are'} needed.`;
  }
  // The usual reply, seen thousands of times when a long record is read.
  if (draft.slots.length === count && draft.slots.every(({ index }, place) => index === place)) return null;
  const named = new Set(draft.slots.map((slot) => slot.index));
  const extra = [...named].filter((index) => index >= count).sort((a, b) => a - b);
  const missing = Array.from({ length: count }, (_, index) => index).filter((index) => !named.has(index));
  const parts: string[] = [];
  if (missing.length > 0) {
    parts.push(
      `${names(missing)} ${missing.length === 1 ? 'is' : 'are'} missing (${count - missing.length} of ${count} found)`,
    );
  }
  if (extra.length > 0) {
    parts.push(
      `${names(extra)} ${extra.length === 1 ? 'does' : 'do'} not exist (the indices run from 0 to ${count - 1})`,
    );
  }
  return parts.length === 0 ? null : `${parts.join(', and ')}.`;
}

function names(indices: readonly number[]): string {
  const shown = indices.slice(0, 8).map((index) => `params[${index}]`);
  if (indices.length > shown.length) shown.push(`${indices.length - shown.length} more`);
  return shown.length === 1 ? shown[0]! : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

function valuesOf(draft: Draft): Map<number, number> {
  return new Map(draft.slots.map((slot) => [slot.index, slot.value]));
}

function sameValues(a: Draft, b: Draft, count: number): boolean {
  if (a === b) return true;
  const [left, right] = [valuesOf(a), valuesOf(b)];
  for (let index = 0; index < count; index++) if (!Object.is(left.get(index), right.get(index))) return false;
  return true;
}

function distinct(candidates: readonly Candidate[], count: number): number {
  const seen = new Set<string>();
  for (const { draft } of candidates) {
    const values = valuesOf(draft);
    seen.add(Array.from({ length: count }, (_, index) => String(values.get(index))).join());
  }
  return seen.size;
}
