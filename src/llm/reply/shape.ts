/** The required shape of a reply: its parameters and its form. */

/**
 * Ways to constrain a reply, strongest first.
 * - `grammar`: a GBNF grammar of the `lines` text
 * - `regex`: a regular expression of the `lines` text
 * - `json`: a JSON Schema; the prompt asks for a JSON object
 * - `begun`: prefill; the reply's first characters are written for the model, which continues from there
 * - `lines`: the prompt alone, which asks for a line of parameters and a line of explanation
 */
export const replyForms = ['grammar', 'regex', 'json', 'begun', 'lines'] as const;
export type ReplyForm = (typeof replyForms)[number];

/** JSON, or the `params[0]: v, ...` line with an explanation below it */
export type ReplyText = 'lines' | 'json';

/** The kind of text of a form. */
export function textOf(form: ReplyForm): ReplyText {
  return form === 'json' ? 'json' : 'lines';
}

/** All facts about the expected reply that a grammar or schema needs. */
export interface ReplyShape {
  /** number of parameters */
  readonly count: number;
  readonly values:
    | {
        readonly kind: 'real';
        /** both ends included */
        readonly low: number;
        readonly high: number;
        /** maximum digits after the point; null: unlimited */
        readonly decimals: number | null;
      }
    | { readonly kind: 'choice'; readonly values: readonly number[] };
  /** parameter sets in the reply; left out: 1 */
  readonly sets?: number;
  /** maximum characters of the explanation */
  readonly explanationLength: number;
  /**
   * Values that parameters must not take, at most one of each parameter. Grammars and regular expressions keep to them
   * unless a parameter has no other value; for the other forms only the prompt says so.
   */
  readonly forbidden?: readonly ForbiddenValue[];
}

export interface ForbiddenValue {
  readonly index: number;
  readonly value: number;
}
