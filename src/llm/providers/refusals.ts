/** What an endpoint refuses of a request and can do without: a parameter, or the form to which the reply is held. */
import type { ReplyForm } from '../reply/shape.ts';
import type { ServerError } from './failure.ts';

/** The endpoint does not take a parameter that it can do without. */
export class RefusedParameter extends Error {
  readonly parameter: string;

  constructor(parameter: string, message: string) {
    super(message);
    this.name = 'RefusedParameter';
    this.parameter = parameter;
  }
}

/** Which of the optional parameters that were sent the error complains about; null when it is about something else. */
export function refusedParameter(
  error: ServerError,
  optional: readonly string[],
  sent: readonly string[],
): string | null {
  const isNamed = (about: string, name: string) => new RegExp(`(?<![A-Za-z_])${name}(?![A-Za-z_])`).test(about);
  const find = (about: string) => optional.find((name) => sent.includes(name) && isNamed(about, name)) ?? null;
  return (error.param === null ? null : find(error.param)) ?? (error.param === null ? find(error.message) : null);
}

/** Words that a refusal of the form has, of whatever server. */
const formWords: Readonly<Record<Exclude<ReplyForm, 'lines'>, RegExp>> = {
  json: /response_?format|response_?mime|response_?(?:json_?)?schema|json[_ ]?schema|json[_ ]?(?:mode|object)|structured[_ ]?outputs?|output_?(?:config|format)|\bschema\b|\bformat\b|text\.format|grammar|sampler|guided|constrained/i,
  grammar: /grammar|gbnf|sampler|structured[_ ]?outputs?|guided|constrained/i,
  regex: /reg(?:ular[_ ]?)?ex|grammar|structured[_ ]?outputs?|guided|constrained|pattern/i,
  begun:
    /prefill|prefix|continue_final_message|add_generation_prompt|(?:last|final) message|assistant|roles? must alternate|end with a user/i,
};

/** Refusals that are about the account, the model or the length of the prompt, in whatever form it is asked. */
const otherReasons =
  /api[_ ]?key|unauthori[sz]ed|credit|quota|billing|model.{0,80}(?:not|doesn't|does not) (?:found|exist)|no such model|unknown model|context|too long|too many tokens|rate limit/i;

/**
 * Whether an error is about the form. A server that says "bad request" and no more may mean the form, too: it is asked
 * without it, and says what it means then.
 */
export function refusesForm(status: number, error: ServerError, form: ReplyForm): boolean {
  if (form === 'lines') return false;
  const about = [error.param, error.code, error.type, error.message].join(' ');
  if ([400, 404, 415, 422, 500, 501, 502].includes(status) && formWords[form].test(about) && !otherReasons.test(about))
    return true;
  return [400, 422].includes(status) && !otherReasons.test(about);
}
