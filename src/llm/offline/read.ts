/**
 * Reads the facts of a prompt from its text, and knows nothing else. The layout that it relies on:
 *
 *   ## Parameters          - count: 10
 *                          - smallest allowed: -6.0 / - largest allowed: 6.0 / - decimals: at most 1 (or: any number)
 *                          - allowed values: 0, 1, 2 (in place of these three)
 *                          - exploration step: 1 / - expected optimum: 500 (both may be missing)
 *                          - parameter sets in the reply: 3 (missing: 1)
 *   ## Rules               - conservative threshold: 480 (may be missing)
 *   ## Measured so far     trial 3: params = [1, -0.5]; rollout_reward = 12 (one measurement) or mean_reward = 34.5
 *   ## Proposal            params[0]: 1, params[1]: -0.5 and mean_reward = 34.5 (only where a proposal is reviewed)
 *   ## Statistics ...      - successes: 3 of 20, failures: 17 (only where a proposal is reviewed)
 *   ## Progress            Iteration 7 of 100.
 */
import { ModelError } from '../../base/errors.ts';

export interface ReadTrial {
  readonly params: readonly number[];
  readonly value: number;
  /** false: one measurement only */
  readonly averaged: boolean;
}

export type ReadDomain =
  | { readonly kind: 'range'; readonly low: number; readonly high: number; readonly decimals: number | null }
  | { readonly kind: 'choice'; readonly values: readonly number[] };

/** A proposal that the prompt asks to revise. */
export interface ReadProposal {
  readonly params: readonly number[];
  readonly value: number;
  /** share of its episodes that succeeded, 0 to 1; null when the prompt does not say */
  readonly successRate: number | null;
  readonly conservativeThreshold: number | null;
}

export interface ReadPrompt {
  readonly count: number;
  readonly domain: ReadDomain;
  readonly step: number | null;
  readonly optimum: number | null;
  /** parameter sets that the reply shall hold; left out: one */
  readonly sets?: number;
  readonly iteration: number;
  readonly iterations: number;
  /** oldest first; trials whose value is no finite number are left out */
  readonly trials: readonly ReadTrial[];
  /** null: a search prompt */
  readonly proposal: ReadProposal | null;
}

const number = String.raw`[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?`;

/** The lines below the heading that starts with `heading`, up to the next heading; null without such a heading. */
function findSection(text: string, heading: string): string | null {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`## ${heading}`));
  if (start < 0) return null;
  const length = lines.slice(start + 1).findIndex((line) => line.startsWith('## '));
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join('\n');
}

function missing(what: string): ModelError {
  return new ModelError(
    'offline',
    `expected a prompt that states ${what}, found none; the offline model reads only this program's own prompts, use a language model for others`,
  );
}

/** The numbers that the groups of `pattern` match, or null. */
function readNumbers(text: string, pattern: string): number[] | null {
  const match = new RegExp(pattern, 'm').exec(text);
  return match ? match.slice(1).map(Number) : null;
}

const readNumber = (text: string, pattern: string) => readNumbers(text, pattern)?.[0] ?? null;

function readDomain(parameters: string): ReadDomain {
  const listed = /^- allowed values: (.+)$/m.exec(parameters);
  if (listed) {
    const values = listed[1]!.split(',').map(Number);
    if (values.some(Number.isNaN)) throw missing('allowed values as a list of numbers');
    return { kind: 'choice', values };
  }
  const low = readNumber(parameters, `^- smallest allowed: (${number})$`);
  const high = readNumber(parameters, `^- largest allowed: (${number})$`);
  if (low === null || high === null) throw missing('a range or the allowed values of the parameters');
  const decimals = readNumber(parameters, String.raw`^- decimals: at most (\d+)$`);
  return { kind: 'range', low, high, decimals };
}

function readTrials(history: string, count: number): ReadTrial[] {
  const trials: ReadTrial[] = [];
  const line = new RegExp(`^trial \\d+: params = \\[(.*)\\]; (rollout|mean)_reward = (${number})$`, 'gm');
  for (const [, list, kind, value] of history.matchAll(line)) {
    const params = list!.split(',').map(Number);
    if (params.length !== count || params.some(Number.isNaN)) throw missing(`${count} numbers in every trial`);
    trials.push({ params, value: Number(value), averaged: kind === 'mean' });
  }
  return trials;
}

function readProposal(prompt: string, section: string, count: number): ReadProposal {
  const pair = new RegExp(`params\\[\\d+\\]: (${number})`, 'g');
  const params = [...section.matchAll(pair)].map((match) => Number(match[1]));
  if (params.length !== count) throw missing(`a proposal of ${count} parameters`);
  const successes = readNumbers(prompt, String.raw`^- successes: (\d+) of (\d+)`);
  return {
    params,
    // A non-finite mean is worse than any number.
    value: readNumber(section, `^mean_reward = (${number})`) ?? -Infinity,
    successRate: successes ? successes[0]! / successes[1]! : null,
    conservativeThreshold: readNumber(prompt, `^- conservative threshold: (${number})`),
  };
}

/** Throws `ModelError` with what it could not find. */
export function readPrompt(prompt: string): ReadPrompt {
  const parameters = findSection(prompt, 'Parameters');
  if (parameters === null) throw missing('the section "## Parameters"');
  const count = readNumber(parameters, String.raw`^- count: (\d+)$`);
  if (count === null || count < 1) throw missing('the number of parameters ("- count: n")');
  const progress = readNumbers(prompt, String.raw`^Iteration (\d+) of (\d+)\.$`);
  if (!progress) throw missing('the iteration ("Iteration i of n.")');
  const history = findSection(prompt, 'Measured so far');
  if (history === null) throw missing('the section "## Measured so far"');
  const proposal = findSection(prompt, 'Proposal');
  const sets = readNumber(parameters, String.raw`^- parameter sets in the reply: (\d+)$`);
  return {
    count,
    domain: readDomain(parameters),
    step: readNumber(parameters, `^- exploration step: (${number})$`),
    optimum: readNumber(parameters, `^- expected optimum: (${number})$`),
    ...(sets !== null && { sets }),
    iteration: progress[0]!,
    iterations: progress[1]!,
    trials: readTrials(history, count),
    proposal: proposal === null ? null : readProposal(prompt, proposal, count),
  };
}
