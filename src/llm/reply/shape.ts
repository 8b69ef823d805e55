/** What a reply must look like: the parameters that it names, and the form in which it names them. */

/**
 * Means to hold a model to a reply, the strongest first.
 * - `grammar`: a GBNF grammar of the `lines` text
 * - `regex`: a regular expression of the `lines` text
 * - `json`: a JSON Schema; the prompt asks for a JSON object
 * - `begun`: the reply's first characters are written for the model, which goes on from there
 * - `lines`: nothing but the prompt, which asks for a line of parameters and a line of explanation
 */
export const replyForms = ['grammar', 'regex', 'json', 'begun', 'lines'] as const;
export type ReplyForm = (typeof replyForms)[number];

/** JSON, or the `params[0]: v, ...` line with an explanation below it */
export type ReplyText = 'lines' | 'json';

/** The text that a form asks for. */
export function textOf(form: ReplyForm): ReplyText {
  return form === 'json' ? 'json' : 'lines';
}

/** Everything that a grammar or a schema must know of the wanted reply. */
export interface ReplyShape {
  /** number of parameters */
  readonly count: number;
  readonly values:
    | {
        readonly kind: 'real';
        /** both ends included */
        readonly low: number;
        readonly high: number;
        /** most digits after the point; null: any number */
        readonly decimals: number | null;
      }
    | { readonly kind: 'choice'; readonly values: readonly number[] };
  /** most characters of the explanation */
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
