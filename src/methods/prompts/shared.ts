/**
 * The parts that every prompt is made of. All numbers come from the settings, the policy and the trials.
 *
 * The layout is a protocol: the offline model (src/llm/offline/read.ts) finds its facts by the `## ` headings and by the
 * names in front of the colons. Whoever changes one of them changes the reader too; a test reads real prompts.
 */
import { plainNumber, significant } from '../../base/plain-number.ts';
import type { PromptContext, Trial } from '../method.ts';

/** Digits of a measured value: enough to tell two close means apart. */
const rewardDigits = 6;

export const reward = (value: number) => significant(value, rewardDigits);

/** `1 episode`, `20 episodes` */
export const counted = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`;

export function section(heading: string, lines: readonly string[]): string {
  return [`## ${heading}`, ...lines].join('\n');
}

/** `params[0]: 1, params[1]: -0.5`: how parameters are written in replies and for a single candidate. */
export function indexedParameters(params: readonly number[]): string {
  return params.map((value, i) => `params[${i}]: ${plainNumber(value)}`).join(', ');
}

/** What one parameter may be, as the end of a sentence. */
function allowedValues({ policy, settings }: PromptContext): string {
  if (policy.values.kind === 'choice') return `one of ${policy.values.values.map(plainNumber).join(', ')}`;
  const { low, high, decimals } = settings.parameters;
  const places = decimals === null || decimals === 0 ? '' : ` with at most ${counted(decimals, 'decimal')}`;
  return `a ${decimals === 0 ? 'whole' : 'plain'} number from ${plainNumber(low)} to ${plainNumber(high)}${places}`;
}

export function parameterSection(context: PromptContext): string {
  const { policy, settings } = context;
  const { low, high, decimals } = settings.parameters;
  const lines = [`- count: ${policy.paramCount}`];
  if (policy.values.kind === 'choice') {
    lines.push(`- allowed values: ${policy.values.values.map(plainNumber).join(', ')}`);
  } else {
    lines.push(`- range: ${plainNumber(low)} to ${plainNumber(high)}`);
    lines.push(`- decimals: ${decimals === null ? 'any number' : `at most ${decimals}`}`);
    if (settings.stepSize !== null) lines.push(`- exploration step: ${plainNumber(settings.stepSize)}`);
  }
  if (settings.optimum !== null) lines.push(`- expected optimum: ${plainNumber(settings.optimum)}`);
  return section('Parameters', lines);
}

export function progressSection({ iteration, settings }: PromptContext): string {
  return section('Progress', [`Iteration ${iteration} of ${settings.iterations}.`]);
}

function trialLine(trial: Trial, i: number): string {
  const name = trial.kind === 'warmup' ? 'rollout_reward' : 'mean_reward';
  return `trial ${i + 1}: params = [${trial.params.map(plainNumber).join(', ')}]; ${name} = ${reward(trial.mean)}`;
}

/** What a history shows beside its trials. */
export interface HistoryAdditions {
  readonly notes: readonly string[];
  /** lines below trial i, null for none */
  readonly below: (i: number) => string | null;
}

export function historySection({ trials, settings }: PromptContext, additions?: HistoryAdditions): string {
  const heading = 'Measured so far';
  if (trials.length === 0) return section(heading, ['Nothing has been measured yet.']);
  const notes = ['Oldest first.'];
  if (trials.some((trial) => trial.kind === 'iteration')) {
    notes.push(`mean_reward is the mean of ${counted(settings.evaluationEpisodes, 'measurement')}.`);
  }
  if (trials.some((trial) => trial.kind === 'warmup')) {
    notes.push('rollout_reward is one single measurement of a randomly drawn point, so it may be mere luck.');
  }
  const lines = trials.flatMap((trial, i) => {
    const below = additions?.below(i) ?? null;
    return below === null ? [trialLine(trial, i)] : [trialLine(trial, i), below];
  });
  return section(heading, [[...notes, ...(additions?.notes ?? [])].join(' '), ...lines]);
}

/** The reply format; the repair turn repeats it word for word. */
export function replyFormat(context: PromptContext): string {
  const last = context.policy.paramCount - 1;
  if (context.replyText === 'json') {
    return [
      'One JSON object and nothing else, as',
      '{"params": [v, ..., v], "why": "one short sentence that says why"}',
      `with all ${counted(last + 1, 'parameter')} in order, where each v is ${allowedValues(context)}.`,
    ].join('\n');
  }
  const shown = last < 3 ? [...Array(last + 1).keys()] : [0, 1, last];
  const example = shown.map((i) => `params[${i}]: v`);
  if (last >= 3) example.splice(2, 0, '...');
  return [
    `Line 1: all ${counted(last + 1, 'parameter')} in order and nothing else, as`,
    example.join(', '),
    `where each v is ${allowedValues(context)}.`,
    'Line 2: one short sentence that says why.',
  ].join('\n');
}

export function formatSection(context: PromptContext): string {
  return section('Reply format', [replyFormat(context)]);
}
