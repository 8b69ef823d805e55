/**
 * From the text of a reply to a parameter vector.
 *
 * The prompts ask for `params[0]: v, params[1]: v, ...` on line 1 and an explanation after it. Models also write
 * lists, JSON, one parameter a line, bold names, typographic minus signs and reasoning sections; all of that is read.
 *
 * Which numbers are the answer:
 * 1. Reasoning sections are removed (`splitReasoning`); nothing in them can be the answer.
 * 2. A block is a run of pairs with only separators and remarks between them, or one list. It is complete when it
 *    names every index.
 * 3. A block is no answer where the text calls it old ("previous best: ..."), rejects it, asks about it, calls it another
 *    quantity ("gradient: ...") or computes with it ("2 * [...]").
 * 4. The answer is the complete block that stands alone, which means on lines of its own. Where several differ, the text
 *    has to choose one: by a decision ("final answer: ..."), by taking the earlier ones back, or by a label of parameters
 *    below names of something else ("Background: ...", "New parameters: ..."). Where the text below replaces the answer,
 *    takes it back or changes a part of it, or where other numbers stand under a name that may be anything, there is none.
 * 5. When no block stands alone, a complete block inside a sentence counts, if all such blocks agree.
 * 6. Values are looked at only after the choice, so an answer with a bad number is refused; the parser never falls
 *    back to numbers that the model quotes elsewhere.
 */
import type { ParameterValues } from '../../policies/policy.ts';
import { findDrafts } from './blocks.ts';
import { chooseDraft } from './choice.ts';
import { readContexts } from './context.ts';
import type { Draft } from './draft.ts';
import type { Slot } from './numbers.ts';
import { splitReasoning } from './reasoning.ts';

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
      /** what was changed, in words: "params[1] rounded from 1.234 to 1.2" */
      readonly adjustments: string[];
    }
  /** `problem`: one sentence that can be quoted to the model */
  | { readonly ok: false; readonly problem: string };

/** Never throws and never answers a number that is not finite, not in range or not allowed. Linear in the reply's length. */
export function parseReply(reply: string, spec: ReplySpec): ParsedReply {
  if (reply.trim() === '') return refuse('The reply is empty.');
  const split = splitReasoning(reply);
  if (split.overfull) return refuse(`The reply holds thousands of marks and tags; ${formatHint(spec)}.`);
  const { text, drafts, said, overfull } = findDrafts(split.text, spec.count);
  if (overfull !== null) return refuse(`The reply holds thousands of ${overfull}; ${formatHint(spec)}.`);
  const { draft, problem } = chooseDraft(readContexts(text, drafts, spec.count), text, said, spec.count);
  if (draft === null) {
    if (problem !== null) return refuse(problem);
    if (split.unclosed !== null) {
      return refuse(
        `The reply opens ${split.unclosed}, never closes it and gives no answer outside; ${formatHint(spec)}.`,
      );
    }
    const what = split.text.trim() === '' ? 'nothing but a reasoning section' : 'no parameters';
    return refuse(`The reply holds ${what}; ${formatHint(spec)}.`);
  }
  const contradiction = findContradiction(draft.slots);
  if (contradiction !== null) return refuse(contradiction);
  if (mayBeCut(text, draft, spec)) {
    return refuse(`params[${draft.slots.at(-1)!.index}] ends in a point with nothing behind it and may be cut off.`);
  }
  const params: number[] = [];
  const adjustments: string[] = [];
  const byIndex = new Map(draft.slots.map((slot) => [slot.index, slot]));
  for (let index = 0; index < spec.count; index++) {
    const slot = byIndex.get(index)!;
    if (slot.problem !== null) return refuse(`params[${index}] ${slot.problem}.`);
    const fitted = intoRange(slot.value, spec);
    if (fitted.problem !== null) return refuse(`params[${index}] is ${slot.value}, ${fitted.problem}.`);
    for (const change of fitted.changes) adjustments.push(`params[${index}] ${change}`);
    params.push(fitted.value === 0 ? 0 : fitted.value);
  }
  return { ok: true, params, adjustments };
}

/** "params[2]: 0." at the very end: a full stop behind a whole number, or the rest of 0.2. Digits are not guessed. */
function mayBeCut(text: string, draft: Draft, { values, decimals }: ReplySpec): boolean {
  if (values.kind === 'choice' || decimals === 0 || !/^\.\s*$/.test(text.slice(draft.end, draft.end + 20)))
    return false;
  return draft.end + 20 >= text.length && /(?:^|[^.\d])\d+$/.test(text.slice(Math.max(0, draft.end - 30), draft.end));
}

function refuse(problem: string): ParsedReply {
  return { ok: false, problem };
}

function formatHint({ count }: ReplySpec): string {
  if (count === 1) return 'the first line must be "params[0]: v" with one number';
  // No dots between the first and the last: models copy them.
  return `the first line must begin with "params[0]: v, params[1]: v" and go on to params[${count - 1}], ${count} numbers in all`;
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
