/**
 * From the text of a reply to a parameter vector.
 *
 * The prompts ask for `params[0]: v, params[1]: v, ...` on line 1 and an explanation after it. Models also write
 * lists, JSON, one parameter a line, bold names, typographic minus signs and reasoning sections; all of that is read.
 *
 * Which numbers are the answer:
 * 1. Reasoning sections are removed (`withoutReasoning`); nothing in them can be the answer.
 * 2. A block is a run of pairs with only separators and remarks between them, or one list. It is complete when it
 *    names every index.
 * 3. The answer is the first complete block that stands alone, which means on lines of its own, and whose label does
 *    not call it old ("previous best: ..."). Nothing that follows can override it.
 * 4. When no block stands alone, a complete block inside a sentence counts, if all such blocks agree.
 * 5. Values are looked at only after the choice, so an answer with a bad number is refused; the parser never falls
 *    back to numbers that the model quotes elsewhere.
 */
import type { ParameterValues } from '../../policies/policy.ts';
import { type Block, findBlocks, namesAll, type Slot } from './blocks.ts';
import { withoutMarkup, withoutReasoning } from './visible-text.ts';

export interface ReplySpec {
  readonly count: number;
  readonly values: ParameterValues;
  /** range of a real parameter, both ends included */
  readonly low: number;
  readonly high: number;
  /** digits after the point that a real parameter is rounded to; null: as written */
  readonly decimals: number | null;
  readonly outOfRange: 'refuse' | 'clip';
}

export type ParsedReply =
  | {
      readonly ok: true;
      /** [count], finite, in range; -0 is written 0 */
      readonly params: number[];
      /** what the model wrote after the answer (before it when nothing follows), without markup */
      readonly explanation: string;
      /** what was changed, in words: "params[1] rounded from 1.234 to 1.2" */
      readonly adjustments: string[];
    }
  /** `problem`: one sentence that can be quoted to the model */
  | { readonly ok: false; readonly problem: string };

/** Never throws and never answers a number that is not finite, not in range or not allowed. */
export function parseReply(reply: string, spec: ReplySpec): ParsedReply {
  if (reply.trim() === '') return refuse('The reply is empty.');
  const visible = withoutReasoning(reply);
  const text = withoutMarkup(visible.text);
  const choice = chooseBlock(findBlocks(text, spec.count), spec.count);
  if (choice.block === null) {
    if (choice.problem !== null) return refuse(choice.problem);
    if (visible.unclosed !== null) {
      return refuse(
        `The reply opens ${visible.unclosed}, never closes it and gives no answer outside; ${formatHint(spec)}.`,
      );
    }
    const what = visible.text.trim() === '' ? 'nothing but a reasoning section' : 'no parameters';
    return refuse(`The reply holds ${what}; ${formatHint(spec)}.`);
  }
  const block = choice.block;
  const params: number[] = [];
  const adjustments: string[] = [];
  const contradiction = findContradiction(block.slots);
  if (contradiction !== null) return refuse(contradiction);
  const byIndex = new Map(block.slots.map((slot) => [slot.index, slot]));
  for (let index = 0; index < spec.count; index++) {
    const slot = byIndex.get(index)!;
    if (slot.problem !== null) return refuse(`params[${index}] ${slot.problem}.`);
    const fitted = intoRange(slot.value, spec);
    if (fitted.problem !== null) return refuse(`params[${index}] is ${slot.value}, ${fitted.problem}.`);
    for (const change of fitted.changes) adjustments.push(`params[${index}] ${change}`);
    params.push(fitted.value === 0 ? 0 : fitted.value);
  }
  return { ok: true, params, explanation: reasonInJson(visible.text) ?? explanationOf(text, block), adjustments };
}

/** The `why` of a reply that is one JSON object; null for any other reply. */
function reasonInJson(text: string): string | null {
  try {
    const { why } = JSON.parse(text) as { readonly why?: unknown };
    return typeof why === 'string' ? why : null;
  } catch {
    return null;
  }
}

function refuse(problem: string): ParsedReply {
  return { ok: false, problem };
}

function formatHint({ count }: ReplySpec): string {
  const example = count === 1 ? 'params[0]: v' : `params[0]: v, ..., params[${count - 1}]: v`;
  return `the first line must be "${example}" with ${count} number${count === 1 ? '' : 's'}`;
}

interface Choice {
  readonly block: Block | null;
  /** why there is none although the reply holds blocks; null when it holds none */
  readonly problem: string | null;
}

function chooseBlock(blocks: readonly Block[], count: number): Choice {
  const own = blocks.filter((block) => block.alone && !block.old);
  const best = own.find((block) => namesAll(block, count)) ?? null;
  if (best !== null) return accept(best, count);

  // An incomplete answer line is a wrong answer; a complete block quoted behind it is not a better one.
  const complete = blocks.filter((block) => namesAll(block, count));
  if (complete.length > 0 && (own.length === 0 || blocks.indexOf(complete[0]) < blocks.indexOf(own[0]))) {
    if (complete.every((block) => sameValues(block, complete[0], count))) return accept(complete[0], count);
    return {
      block: null,
      problem: `The reply names ${complete.length} different parameter sets and none on a line of its own; give one.`,
    };
  }
  const pairs = blocks.filter((block) => block.kind === 'pairs').flatMap((block) => block.slots);
  if (complete.length === 0 && namesAll({ kind: 'pairs', slots: pairs }, count)) {
    const problem = `The parameters have other text between them; write all ${count} on one line, with only commas between.`;
    return { block: null, problem };
  }
  const longest = (candidates: readonly Block[]) =>
    candidates.reduce<Block | null>((a, b) => (a === null || b.slots.length > a.slots.length ? b : a), null);
  const near = longest(own) ?? longest(blocks);
  return { block: null, problem: near === null ? null : shapeProblem(near, count) };
}

function accept(block: Block, count: number): Choice {
  const problem = shapeProblem(block, count);
  return problem === null ? { block, problem } : { block: null, problem };
}

/** What is wrong with the indices of a block; null when each of 0 ... count - 1 is named and no other. */
function shapeProblem(block: Block, count: number): string | null {
  if (block.kind === 'list') {
    const found = block.slots.length;
    return found === count ? null : `The list holds ${numbers(found)}, but ${numbers(count)} are needed.`;
  }
  const named = new Set(block.slots.map((slot) => slot.index));
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

function numbers(n: number): string {
  return `${n} number${n === 1 ? '' : 's'}`;
}

function names(indices: readonly number[]): string {
  const shown = indices.slice(0, 8).map((index) => `params[${index}]`);
  if (indices.length > shown.length) shown.push(`${indices.length - shown.length} more`);
  return shown.length === 1 ? shown[0] : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

/** The same index twice is harmless when both say the same. */
function findContradiction(slots: readonly Slot[]): string | null {
  const seen = new Map<number, Slot>();
  for (const slot of slots) {
    const first = seen.get(slot.index);
    if (first !== undefined && !Object.is(first.value, slot.value)) {
      return `params[${slot.index}] is given twice, as ${first.value} and as ${slot.value}.`;
    }
    seen.set(slot.index, first ?? slot);
  }
  return null;
}

function sameValues(a: Block, b: Block, count: number): boolean {
  const valuesOf = (block: Block) => new Map(block.slots.map((slot) => [slot.index, slot.value]));
  const [left, right] = [valuesOf(a), valuesOf(b)];
  for (let index = 0; index < count; index++) if (!Object.is(left.get(index), right.get(index))) return false;
  return true;
}

interface Fitted {
  readonly value: number;
  readonly changes: readonly string[];
  readonly problem: string | null;
}

/** Rounds and clips one finite number as the specification says. */
function intoRange(value: number, spec: ReplySpec): Fitted {
  if (spec.values.kind === 'choice') {
    const allowed = spec.values.values;
    const problem = allowed.includes(value) ? null : `which is not one of the allowed values ${allowed.join(', ')}`;
    return { value, changes: [], problem };
  }
  const { low, high, decimals } = spec;
  const changes: string[] = [];
  let fitted = value;
  if (decimals !== null) {
    fitted = Number(value.toFixed(decimals));
    // A range that ends between two rounded numbers must not push out a number that was inside.
    if (value >= low && value <= high) fitted = Math.min(high, Math.max(low, fitted));
    if (fitted !== value) changes.push(`rounded from ${value} to ${fitted}`);
  }
  if (fitted < low || fitted > high) {
    if (spec.outOfRange === 'refuse') return { value, changes, problem: `outside the range from ${low} to ${high}` };
    const clipped = fitted < low ? low : high;
    changes.push(`clipped from ${fitted} to ${clipped}`);
    fitted = clipped;
  }
  return { value: fitted, changes, problem: null };
}

function explanationOf(text: string, block: Block): string {
  const after = text
    .slice(block.end)
    .replace(/^[\s,;.!"')\]}|]+/, '')
    .trimEnd();
  return after === '' ? text.slice(0, block.start).trim() : after;
}
