/** Whether parameters are yet to be computed from the numbers of a reply, by an operator, a call, code or an order. */
import type { Draft } from './draft.ts';
import { TYPE } from './labels.ts';

const anyOf = (...patterns: readonly string[]) => patterns.join('|');

// ---- before the numbers ----

const BY = '(?<!given |defined |described |determined )by';
/** "best + [", "best plus [" */
const OPERATED = new RegExp(
  anyOf(
    '[\\p{L}\\d)\\]}²] ?[*/+@×·÷^∘⊙⊕]\\s{0,3}[-+]?$',
    `\\b(?:plus|minus|times|add(?:ing)?|subtract(?:ing)?|${BY}) ?$`,
  ),
  'iu',
);
/** The same before a list: "= -[", "+= [", "[1] - [", "= best - [", "= 2 [", "twice [", "x for x in [". */
const OPERATED_LIST = new RegExp(
  anyOf(
    '(?<![-<])-$',
    '[-+*/@%]= ?$',
    '[\\d.]\\]\\)* - $',
    '=[^\\n=]{0,60}[\\p{L}\\d)\\]] - $',
    '(?:^|[=:(]) ?[+-]?\\d+(?:\\.\\d+)? - $',
    '[=:] ?[+-]?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)? ?$',
    '\\b(?:twice|half(?: of)?|double|triple|negative(?: of)?|(?:opposite|inverse|reverse) of) ?$',
    '\\b(?:add(?:ing|ed)?|subtract(?:ing|ed)?|reversed?|inverted?|negated?) ?$',
    '\\b(?:sum|mean|average|difference|midpoint|product|half-?way) (?:of|between) [^\\n]{0,40}\\band ?$',
    '\\bfor\\b[^\\n]{0,60}\\bin ?$',
  ),
  'iu',
);
/** Brackets and calls between an operator and its numbers. */
const OPENED = /(?:(?:[A-Za-z_][\w.]{0,30})?[([{]["' ]{0,3}){1,4}$/;
const ARRAY_CALL = /(?:array|tensor|list|tuple|matrix|vector|float\w*|print|dict)$/i;
const PROPOSING_CALL = /param|propos|submit|answer|set|final|action|result|return|suggest|policy|theta|weights/i;

/** Whether a call of this name may do anything with its arguments. */
export function isForeignCall(call: string | undefined): boolean {
  const name = call?.split('.').at(-1);
  return name !== undefined && !ARRAY_CALL.test(name) && !PROPOSING_CALL.test(name);
}

/** The names of the calls that are open at the end of a line, innermost first; '' for one without a name. */
export function openCalls(line: string): string[] {
  const names: string[] = [];
  let depth = 0;
  for (let at = line.length - 1; at >= 0; at--) {
    if (line[at] === ')') depth++;
    else if (line[at] === '(') {
      if (depth > 0) depth--;
      else if (line[at - 1] === ')' || line[at - 1] === ']') names.push('');
      else names.push(...(/[A-Za-z_][\w.]*$/.exec(line.slice(0, at)) ?? []));
    }
  }
  return names;
}

// ---- behind the numbers ----

const EDGE = '^[\\s"\')\\]},;:(—-]{0,6}';
const ALL = '(?:all|each|every\\w*|both|everything|them|these)(?: \\w+){0,3}? ';
/** "all times 2", "with params[0] doubled", "in reverse order", "except params[2]", "but params[2] = 4" */
const COMPUTED_BEHIND = new RegExp(
  anyOf(
    `${EDGE}(?:${ALL})?(?:(?:times|plus|minus) [+-]?\\.?\\d|(?:multiplied|divided|scaled) by\\b)`,
    `${EDGE}plus (?:the )?(?:best|trial|previous|current|delta|gradient)`,
    `${EDGE}${ALL}(?:increased|decreased|raised|lowered|shifted|doubled|halved|negated|reversed|flipped)\\b`,
    '^[)\\]] ?[*/×·÷] ?\\.?\\d',
    `${EDGE}(?:(?:and|but|except|only) )*(?:with|in) (?!trial)[^\\n.;:]{0,40}\\b(?:swapped|reversed?|flipped|negated|doubled|halved|inverted|exchanged)\\b`,
    `${EDGE}except (?:for |that )?(?:param|the (?:first|last|second|third))`,
    `${EDGE}but (?:with |for |use )?param\\w*\\[\\d{1,9}\\] ?(?:[=:]|to\\b|is\\b|set\\b|at\\b)`,
  ),
  'i',
);

/** `before`, `after`: the line before and behind a draft. */
export function isOperand(draft: Draft, before: string, after: string): boolean {
  if (COMPUTED_BEHIND.test(after)) return true;
  const outside = before.replace(OPENED, '');
  if (OPERATED.test(outside)) return true;
  if (draft.kind === 'pairs') return false;
  return OPERATED_LIST.test(outside) || openCalls(before).some((name) => name === '' || isForeignCall(name));
}

// ---- below the answer ----

const START = '(?:^|[\\n.!?:] *)';
const LINE = '(?:^|\\n)[ >]*';
const NAME = 'param\\w{0,12}(?:\\[\\d{1,9}\\])?';
const PLACE = 'the (?:first|second|third|fourth|fifth|last) (?:value|param\\w{0,12}|number|one|entry|element|weight)';
const ORDER =
  '(?:double|halve|negate|flip|invert|swap|reverse|multiply|divide|scale|add|subtract|raise|lower|increase|decrease|reduce|shift)';
const PART =
  '[^\\n.]{0,30}?\\b(?:params?\\b|them\\b|all\\b|each\\b|everything\\b|the (?:first|second|third|fourth|fifth|last|result|vector|point|values?|numbers)\\b)';
const RECOMPUTED = new RegExp(
  anyOf(
    // params[0] += 1
    '(?:^|[\\n:;])[ >]*param\\w{0,12}(?:\\[[^\\]\\n]{1,12}\\])? ?(?:[-+*/@%^]|\\*\\*|//)=',
    // params = 2 * params; params[0], params[1] = params[1], params[0]; params = [2 * p for p in params]; params = np.clip(params)
    `${LINE}${NAME}(?:, ?${NAME}){0,3} ?= ?(?:[\\d.]+ ?\\*|- ?param|param\\w{0,12}(?:\\[| ?[-+*/%@])|\\[[^\\]\\n]{0,60}\\bfor\\b|(?:np|numpy|torch|math)\\.(?!array|asarray|tensor)\\w+\\(|\\w+ ?[-+*/] ?\\[|(?!(?:list|tuple|array|tensor)\\()\\w+\\(param)`,
    `${LINE}param\\w{0,12}\\.(?:reverse|sort|clip|fill|scale|mul_|add_)\\w*\\(`,
    `${START}(?:then|now|actually|finally|after that|afterwards|but),? ${ORDER} ${PART}`,
    `${START}(?:swap|reverse) ${PART}`,
    `${START}(?:multiply|divide|scale|negate|double|halve) (?:all|each|every|both|them|everything|the (?:vector|point|result|param\\w{0,12}|values?|numbers))\\b`,
    `${START}(?:(?:please|then|now|but),? )?(?:use|take|put) [+-]?\\.?\\d[\\d.]* (?:for|in|instead|at)\\b`,
    `${START}(?:(?:please|then|now|but),? )?(?:replace|change|set|make) ${PLACE}\\b[^\\n.]{0,20}?[ =:][+-]?\\.?\\d`,
    `${START}replace param\\w{0,12}\\[\\d{1,9}\\] (?:with|by)\\b`,
    `${PLACE} (?:should|must) be [+-]?\\.?\\d`,
    'param\\w{0,12}\\[\\d{1,9}\\] (?:needs? to be|is actually|ought to be|has to be|should have been) [+-]?\\.?\\d',
  ),
  'i',
);

/** Whether the text below an answer computes with it, or orders that. `variable`: its name in code; null: none. */
export function recomputes(text: string, variable: string | null): boolean {
  return RECOMPUTED.test(text) || (variable !== null && computesWith(text, variable));
}

const ASSIGNED = new RegExp(
  `(?:^|[\\n;])[ >]*(?:(?:const|let|var) )?([A-Za-z_]\\w{0,40}) ?${TYPE}= ?(?:[\\w.]{1,30}\\()?["' ([{]*$`,
);

/** The variable that numbers are assigned to, by the text before them; null: none. */
export const variableOf = (before: string): string | null => ASSIGNED.exec(before)?.[1] ?? null;

/** Variables that hold what is proposed. */
const PROPOSED =
  '\\w{0,20}(?:param|theta|weight|vector|point|new|next|candidate|propos|answer|final|revis|updated)\\w{0,20}';
const OF_RESULT = /reward|score|return|episode|state|obs|action|text|line|str/i;
const SAME_VALUES = /^(?:dumps|str|repr|len|copy|tolist|flatten|ravel|reshape)$/;

/** Whether code changes a variable, or computes another proposal from it. */
function computesWith(text: string, variable: string): boolean {
  const changed = new RegExp(
    anyOf(
      `(?:^|[\\n:;])[ >]*${variable}(?:\\[[^\\]\\n]{1,40}\\])? ?(?:[-+*/@%^]|\\*\\*|//)=`,
      `(?:^|[\\n:;])[ >]*${variable}\\[[^\\]\\n]{1,40}\\] ?=(?!=)`,
      `(?:^|[\\n:;])[ >]*${variable}\\.(?:append|extend|insert|pop|remove|reverse|sort|clear|fill|push|splice|\\w+_)\\(`,
    ),
  );
  if (changed.test(text)) return true;
  const assigned = new RegExp(
    `(?:^|[\\n;])[ >]*(?:(?:const|let|var) )?(${PROPOSED}) ?= ?([^\\n;]*\\b${variable}\\b[^\\n;]*)`,
    'gi',
  );
  return [...text.matchAll(assigned)].some(([, name, value]) => {
    if (OF_RESULT.test(name!)) return false;
    if (/[\w)\]] ?[-+*/@] ?[\w([]/.test(value!)) return true;
    const call = /^([A-Za-z_][\w.]{0,30})\(/.exec(value!)?.[1]?.split('.').at(-1);
    return call !== undefined && isForeignCall(call) && !SAME_VALUES.test(call);
  });
}
