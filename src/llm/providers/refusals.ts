/** Refusals of optional parts of a request: a parameter, or the form that constrains the reply. */
import type { ReplyForm } from '../reply/shape.ts';
import { countsReply, isTooLong, type ServerError } from './failure.ts';

/** The endpoint refuses an optional parameter. */
export class RefusedParameter extends Error {
  readonly parameter: string;

  constructor(parameter: string, message: string) {
    super(message);
    this.name = 'RefusedParameter';
    this.parameter = parameter;
  }
}

/** The optional parameter sent that the error refuses; null: it is about something else, such as a prompt that is too long. */
export function refusedParameter(
  error: ServerError,
  optional: readonly string[],
  sent: readonly string[],
): string | null {
  if (isTooLong(error) && !countsReply(error)) return null;
  const isNamed = (about: string, name: string) => new RegExp(`(?<![A-Za-z_])${name}(?![A-Za-z_])`).test(about);
  const find = (about: string) => optional.find((name) => sent.includes(name) && isNamed(about, name)) ?? null;
  return (error.param === null ? null : find(error.param)) ?? (error.param === null ? find(error.message) : null);
}

/** Words in refusals of each form, across servers. */
const formWords: Readonly<Record<Exclude<ReplyForm, 'lines'>, RegExp>> = {
  json: /response_?format|response_?mime|response_?(?:json_?)?schema|json[_ ]?schema|json[_ ]?(?:mode|object)|structured[_ ]?outputs?|output_?(?:config|format)|\bschema\b|\bformat\b|text\.format|grammar|sampler|guided|constrained/i,
  grammar: /grammar|gbnf|sampler|structured[_ ]?outputs?|guided|constrained/i,
  regex: /reg(?:ular[_ ]?)?ex|grammar|structured[_ ]?outputs?|guided|constrained|pattern/i,
  begun:
    /prefill|prefix|continue_final_message|add_generation_prompt|(?:last|final) message|assistant|roles? must alternate|end with a user/i,
};

/** Refusals about the account, the model or the prompt length, which do not depend on the form. */
const otherReasons =
  /api[_ ]?key|unauthori[sz]ed|credit|quota|billing|model.{0,80}(?:not|doesn't|does not) (?:found|exist)|no such model|unknown model|context|too long|too many tokens|rate limit/i;

/**
 * Whether an error refuses the form. An unspecific "bad request" may also mean the form: the request is repeated
 * without it, and the next error is clearer.
 */
export function refusesForm(status: number, error: ServerError, form: ReplyForm): boolean {
  if (form === 'lines') return false;
  const about = [error.param, error.code, error.type, error.message].join(' ');
  if ([400, 404, 415, 422, 500, 501, 502].includes(status) && formWords[form].test(about) && !otherReasons.test(about))
    return true;
  return [400, 422].includes(status) && !otherReasons.test(about);
}
