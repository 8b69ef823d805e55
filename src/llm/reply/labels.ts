/** What labels, headings and keys say about the numbers behind them: a parameter vector, or something else. */

const VECTOR_LABEL =
  /\b(?:param(?:eter)?s?|line ?1|answer|values?|proposal|propose|vector|weights|theta|point|solution|output|result|final|choice|new|next|corrected|correction|revised|option|candidate|draft|attempt|alternative|numbers|line 1)\b|[答参案]/i;
const OTHER_QUANTITY =
  /reward|score|return|episode|range|bound|limit|count|seed|step|state|observation|mean|std|deviation|index|indices|allowed|choices|min\b|max\b|line 2|angle|velocity|position|\bf ?\(/i;

/** True when a label may precede a parameter vector; any other label may announce rewards or bounds. */
export function announcesVector(label: string): boolean {
  return !OTHER_QUANTITY.test(label) && VECTOR_LABEL.test(label) && !namesQuantity(label);
}

/** Numbers that come in pairs as vectors do, whatever else the label says. */
const LIMITS = /range|bound|limit|allowed|between|interval|\bmin\b|\bmax\b/i;
/** A label that states a target reward and announces parameters. */
const WISH = /param|value|answer|propos|new|next|final|to (?:get|reach|maximi[sz]e|increase|improve)/i;

/** True when a label says that the numbers are something else. */
export function announcesOther(label: string): boolean {
  return LIMITS.test(label) || (OTHER_QUANTITY.test(label) && !WISH.test(label)) || namesQuantity(label);
}

// ---- quantities that have one number for each parameter ----

/** How far, in which direction or how surely parameters move, and what they do. */
const RELATED =
  'changes?|deltas?|grads?|d ?param(?:eter)?s?|d ?theta|diffs?|differences?|gradients?|slopes?|derivatives?|sensitivit(?:y|ies)|adjustments?|increments?|decrements?|updates?|modifications?|corrections? (?:terms?|vectors?)|corr|correlations?|covariances?|variances?|variations?|(?:standard )?deviations?|std|stds|stdev|stddev|stderr|sd|sigmas?|errors?|loss|losses|costs?|penalt(?:y|ies)|importances?|influences?|impacts?|effects?|contributions?|perturbations?|mutations?|noises?|directions?|offsets?|shifts?|displacements?|improvements?|momentum|velocit(?:y|ies)|learning rates?|rates?|lr|steps?|step sizes?|scales?|factors?|multipliers?|ratios?|percent(?:ages?)?|confidences?|uncertaint(?:y|ies)|probabilit(?:y|ies)|evidence|ranks?|rankings?|tolerances?|spreads?|distances?|residuals?|signs?|masks?';
/** What is measured, and where parameters may lie. */
const MEASURED =
  'rewards?|returns?|scores?|fitness|averages?|means?|medians?|quantiles?|statistics|states?|observations?|positions?|angles?|counts?|visits?|obs';
const BOUNDS = 'bounds?|limits?|ranges?|intervals?|min|mins|minim(?:um|ums|a)|max|maxs|maxim(?:um|ums|a)|domain';
const SIDES = 'lower|upper|low|high';

/** At the end of the noun phrase that a label begins with. */
const HEAD_RELATED = new RegExp(
  `(?:^|[^\\w-])(?:${RELATED}|${BOUNDS})(?: (?:vectors?|values?|estimates?|amounts?|magnitudes?|lists?|arrays?|coefficients?|numbers))?$|^(?:the )?(?:${SIDES})$`,
  'i',
);
const HEAD_MEASURED = new RegExp(`^(?:[^\\s]+ ){0,2}(?:${MEASURED})$`, 'i');
const SOME_WEIGHTS =
  /\b(?:(?:evidence|importance|attention|sample|loss|confidence|prior|averag\w+|mixing)[ _-]weights?|weights? of (?:the )?evidence)\b/i;
/** What the words behind a noun phrase begin with. */
const COMPLEMENT =
  /\s(?:of|from|to|towards?|in|into|for|per|with|between|against|relative|compared|within|outside|inside|over|after|before|based|given|by|on|at|through|because|due|since|which|that|i|we|you|is|are|was|were|would|will|should|as|wrt|w\.r\.t\.?|versus|vs\.?)(?=[\s']|$).*$/is;
const PRESENTING = /^(?:(?:so|ok(?:ay)?|sure|now)[,!]? )?(?:here|these|this|below|following|there)(?:'s| is| are)? /i;
/** Such a clause gives a reason or an aim, and names nothing. */
const ADVERBIAL =
  /^(?:to|for|from|in|with|given|after|before|based|considering|because|since|as|by|due|while|when|if|so|and|relative|compared|following|within|outside|inside|all within)\b/i;
/** "Multiply the params by these factors:" */
const SHIFTING =
  /^(?:multiply|scale|divide|shift|move|increase|decrease|raise|lower|perturb|change)\b[^,;]* by(?: these| the following)?(?: factors?| amounts?)?$/i;
/** "change the values to": what follows is the outcome. */
const OUTCOME = /\b(?:to|into|gives?|giving|yields?|yielding|becomes?|results? in|leads? to|suggests?)$/i;
export const CLAUSE = /[,;.!?—](?:\s|$)|:(?=.)/;

const CHINESE =
  /(?:梯度|变化|增量|差|差值|步长|步|敏感[度性]|灵敏度|标准差|方差|噪声|方向|范围|界|上限|下限|学习率|相关|误差|奖励|得分)[量值性系数]*$/;

/** Whether a label is the name of another quantity, such as "Change from trial 3:" or "Here is the gradient:". */
export function namesQuantity(label: string): boolean {
  if (/[Δ∇∂]|\bminus\b/i.test(label)) return true;
  const text = label
    .replace(/\([^()]{0,100}\)/g, ' ')
    .replace(/^[^\p{L}]+|[^\p{L}\p{N})\]]+$/gu, '')
    .replaceAll('_', ' ');
  if (SOME_WEIGHTS.test(text) || CHINESE.test(text)) return true;
  if (text === '' || OUTCOME.test(text)) return false;
  const clauses = text.split(CLAUSE).map((clause) => clause.trim());
  const clause = clauses.findLast((part) => part !== '' && !ADVERBIAL.test(part));
  if (clause === undefined) return false;
  if (SHIFTING.test(clause)) return true;
  const name = clause.replace(PRESENTING, '').replace(COMPLEMENT, '').trim();
  if (/\bnext steps?$/i.test(name)) return false;
  return HEAD_RELATED.test(name) || (HEAD_MEASURED.test(name) && !/^(?:i|we|it|\w+ing)\b/i.test(name));
}

const BEHIND = new RegExp(
  [
    '^[\\s"\')\\]},;:(—-]{0,6}(?:(?:all|as|is|are|each|measured|given|the|these|changes?|deltas?|offsets?|should|must|to|be) ){0,5}(?:relative to|added to|on top of)\\b',
    '^ ?\\(?(?:compared (?:to|with)|(?:away )?from (?:the (?:best|current|previous)|trial)|(?:more|less|higher|lower) than|(?:above|below) the (?:best|current|previous))\\b',
    `^ ?(?:\\(|,? ?(?:are|is|as) )(?:(?:the|only|as|all|these|are|both) )*(?!no |without )(?:[a-z]+ )?(?:${RELATED}|${BOUNDS})(?=\\)| (?:from|of|relative|to|in)\\b| ?[.;]?$)`,
  ].join('|'),
  'i',
);

/** Whether the text behind numbers says so: "[0.5, 0] relative to the best point", "[0.5, 0] (changes)". */
export function saysQuantity(after: string): boolean {
  return BEHIND.test(after);
}

// ---- keys ----

/** As words: "newParams" and "new_params" become "new params". */
export const keyWords = (key: string): string => key.replace(/([a-z])([A-Z])/g, '$1 $2').replaceAll('_', ' ');

const KEY_QUANTITY = new RegExp(
  `(?:^|[^\\w-])(?!next steps?\\b)(?<!\\bnext )(?:${RELATED}|${MEASURED}|${BOUNDS}|${SIDES}|relative|adds?|added|addend|plus|subtract|minus|multiply|times|increase|decrease|by)(?![\\w-]| ?\\d)`,
  'i',
);
const VECTOR_KEY =
  /\b(?:polic(?:y|ies)|actions?|table|coefficients?|gains?|controller|list|array|data|sets?|results?|outputs?|points?|solutions?|options?|candidates?|choices|vec|guess|phi|pi|param\w*|proposals?|alternatives|vectors?|proposed|suggested|suggestion|chosen|best|improved|optimal|optimum|updated|args|arguments?|input|response|reply|message|content|text|linear|tabular|items|gen|generation|trial|previous|old|current)\b|(?:^| )(?:(?![dg]$)[A-Za-zθ]\d?|\d{1,3})$|[值策量]/i;

/** Behind the name of a variable, as `: list[float]`; "Reason: params = " is none. */
export const TYPE = '(?:: ?(?!param|theta|weights)[\\w.<>|[\\]]{1,30}(?:, ?[\\w.<>|[\\]]{1,30})? ?)?';
const VARIABLE = new RegExp(
  `^(?:const |let |var |self\\.)?([A-Za-z_]\\w{0,40}(?:\\.\\w{1,40})?) ?${TYPE}=["'\\s([{]*$`,
);

/** The words of the variable that a label assigns to; '' when it assigns to none. */
export const variableWords = (label: string): string => keyWords(VARIABLE.exec(label)?.[1] ?? '');

/** Whether the words of a key name another quantity. */
export function isQuantityKey(words: string): boolean {
  return KEY_QUANTITY.test(words) || namesQuantity(words);
}

/** Whether a list under a key can be a parameter vector; a key may be any word. */
export function isVectorKey(words: string): boolean {
  return VECTOR_LABEL.test(words) || VECTOR_KEY.test(words);
}
