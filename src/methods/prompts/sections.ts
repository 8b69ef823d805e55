/**
 * The parts that every prompt is made of. All numbers come from the settings, the policy and the trials.
 *
 * The layout is a protocol: the offline model (src/llm/offline/read.ts) finds its facts by the `## ` headings and by the
 * names in front of the colons. Whoever changes one of them changes the reader too; a test reads real prompts.
 */
import { plainNumber, significant } from '../../base/plain-number.ts';
import type { Measured, PromptContext } from '../method.ts';
import type { PromptSettings } from '../settings.ts';

/** Digits of a measured value where no number of decimals is set: enough to tell two close means apart. */
const rewardDigits = 6;

/** A return or a mean of returns. */
export function reward(value: number, { rewardDecimals }: PromptSettings): string {
  if (rewardDecimals === null || !Number.isFinite(value)) return significant(value, rewardDigits);
  return plainNumber(Number(value.toFixed(rewardDecimals)));
}

/** `1 episode`, `20 episodes` */
export const counted = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** A section of a prompt: heading and lines. */
export function section(heading: string, lines: readonly string[]): string {
  return [`## ${heading}`, ...lines].join('\n');
}

/** `params[0]: 1, params[1]: -0.5`: how parameters are written in replies and for a single candidate. */
export function indexedParameters(params: readonly number[]): string {
  return params.map((value, i) => `params[${i}]: ${plainNumber(value)}`).join(', ');
}

/** `params = [1, -0.5]; mean_reward = 34.5`: parameters that were played, in one line. */
export function measuredLine({ params, mean }: Measured, prompt: PromptSettings): string {
  return `params = [${params.map(plainNumber).join(', ')}]; mean_reward = ${reward(mean, prompt)}`;
}

/** `trial 3`, by the place of a trial in the history from 0 on. */
export function trialName(index: number, { countFrom }: PromptSettings): string {
  return `trial ${index + countFrom}`;
}

/** A bound with its decimal point, where there may be one: small models go on from "-6", to -6.1 and further. */
function bound(value: number, decimals: number | null): string {
  const text = plainNumber(value);
  return decimals === 0 || text.includes('.') ? text : `${text}.0`;
}

/** Where in the range the two examples of a parameter lie: neither in its middle nor at its ends. */
const exampleShares = [0.535, 0.275] as const;

/** Two values that a parameter may have, as patterns of how numbers are written. */
function examples({ low, high, decimals }: PromptContext['settings']['parameters']): string[] {
  const needed = Math.max(1, Math.ceil(-Math.log10(high - low)) + 2);
  const places = Math.min(decimals ?? needed, needed);
  const shown = exampleShares.map((share) => {
    const value = Number((low + share * (high - low)).toFixed(places));
    return plainNumber(value < low || value > high ? low : value);
  });
  return [...new Set(shown)];
}

/** What one parameter may be, as a sentence. */
function allowedValues({ policy, settings }: PromptContext): string {
  if (policy.values.kind === 'choice') return `Each v is one of ${policy.values.values.map(plainNumber).join(', ')}.`;
  const { low, high, decimals } = settings.parameters;
  const places = decimals === null || decimals === 0 ? '' : ` with at most ${counted(decimals, 'decimal')}`;
  return (
    `Each v is a ${decimals === 0 ? 'whole' : 'plain'} number${places}, such as ${examples(settings.parameters).join(' or ')}; ` +
    `smallest allowed: ${bound(low, decimals)}; largest allowed: ${bound(high, decimals)}.`
  );
}

/** The section "Parameters": their number, range and decimals. */
export function parameterSection({ policy, settings, sets }: PromptContext): string {
  const { low, high, decimals } = settings.parameters;
  const lines = [`- count: ${policy.paramCount}`];
  if (policy.values.kind === 'choice') {
    lines.push(`- allowed values: ${policy.values.values.map(plainNumber).join(', ')}`);
  } else {
    lines.push(`- smallest allowed: ${bound(low, decimals)}`);
    lines.push(`- largest allowed: ${bound(high, decimals)}`);
    lines.push(`- decimals: ${decimals === null ? 'any number' : `at most ${decimals}`}`);
    if (settings.stepSize !== null) lines.push(`- exploration step: ${plainNumber(settings.stepSize)}`);
  }
  if (sets > 1) lines.push(`- parameter sets in the reply: ${sets}`);
  if (settings.optimum !== null) lines.push(`- expected optimum: ${plainNumber(settings.optimum)}`);
  return section('Parameters', lines);
}

/** The explanation that a reply is asked for, as the end of a sentence. */
const explained = {
  sentence: { lines: 'The second line is one short sentence that says why.', json: 'one short sentence that says why' },
  reasoning: { lines: 'Below it, explain what you changed and why.', json: 'what you changed and why' },
} as const;

/** The reply format; the repair turn repeats it. No example number is a parameter of the history. */
export function replyFormat(context: PromptContext): string {
  const { paramCount } = context.policy;
  const { explanation } = context.settings.prompt;
  if (context.sets > 1) return formatOfSets(context);
  const all = paramCount === 1 ? 'the one parameter' : `all ${paramCount} parameters in order`;
  if (context.replyText === 'json') {
    const values = paramCount < 3 ? Array(paramCount).fill('v') : ['v', '...', 'v'];
    return [
      'Answer with one JSON object and nothing else:',
      `{"params": [${values.join(', ')}], "why": "${explained[explanation].json}"}`,
      `"params" holds ${all}. ${allowedValues(context)}`,
    ].join('\n');
  }
  const lines = explanation === 'sentence' ? 'Answer with two lines. The first line' : 'The first line of your answer';
  return [
    // Every name, however many there are: models copy an ellipsis.
    `${lines} begins with "params[0]:" and gives ${all}, with a number in place of each v:`,
    Array.from({ length: paramCount }, (_, i) => `params[${i}]: v`).join(', '),
    allowedValues(context),
    explained[explanation].lines,
  ].join('\n');
}

/** The same for several parameter sets. */
function formatOfSets(context: PromptContext): string {
  const { sets, policy, settings } = context;
  const { paramCount } = policy;
  const all = paramCount === 1 ? 'the one parameter' : `all ${paramCount} parameters in order`;
  const why = explained[settings.prompt.explanation];
  if (context.replyText === 'json') {
    const values = `[${(paramCount < 3 ? Array(paramCount).fill('v') : ['v', '...', 'v']).join(', ')}]`;
    return [
      'Answer with one JSON object and nothing else:',
      `{"sets": [${sets < 3 ? Array(sets).fill(values).join(', ') : `${values}, ..., ${values}`}], "why": "${why.json}"}`,
      `"sets" holds ${sets} different parameter sets, each with ${all}. ${allowedValues(context)}`,
    ].join('\n');
  }
  const line = Array.from({ length: paramCount }, (_, i) => `params[${i}]: v`).join(', ');
  return [
    `Answer with ${sets} different parameter sets, one a line: each of the first ${sets} lines begins with "params[0]:" and gives ` +
      `${all}, with a number in place of each v:`,
    ...Array.from({ length: Math.min(sets, 2) }, () => line),
    `and so on, ${sets} such lines in all. ${allowedValues(context)}`,
    settings.prompt.explanation === 'sentence' ? 'The last line is one short sentence that says why.' : why.lines,
  ].join('\n');
}

/** The section "Reply format", which the parser expects. */
export function formatSection(context: PromptContext): string {
  return section('Reply format', [replyFormat(context)]);
}

/**
 * Where the run stands: the last section of every prompt. Iteration, call and, in a repair turn, the number of replies
 * before it make each text of a run differ from all others: at temperature 0 the same text gets the same reply.
 */
export function progressSection(context: PromptContext, purpose: 'search' | 'critic'): string {
  const { iteration, settings, trials, callNumber, sets, sideBySide, remarks, replyText } = context;
  const remark = remarks[purpose];
  return section('Progress', [
    `Iteration ${iteration - 1 + settings.prompt.countFrom} of ${settings.iterations}.`,
    ...(callNumber === 1 && sideBySide === 1 ? [] : [`This is proposal ${callNumber} of this iteration.`]),
    ...(sideBySide === 1
      ? []
      : [
          `${sideBySide} proposals are asked for at the same time, and the best is kept; make this one unlike the others.`,
        ]),
    ...(trials.length === 0 ? ['There are no earlier trials.'] : []),
    ...(remark === null ? [] : [remark]),
    replyText === 'json'
      ? 'Answer now with the JSON object of the reply format.'
      : sets > 1
        ? `Answer now in the reply format: ${sets} lines that begin with "params[0]:", then one that says why.`
        : 'Answer now in the reply format: the first line begins with "params[0]:".',
  ]);
}
