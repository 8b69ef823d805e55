/** The JSON Schema of a reply without the keywords that the endpoint refuses, which are learned. */
import { type SchemaKeywords, schemaOf } from '../reply/forms.ts';
import type { ReplyShape } from '../reply/shape.ts';
import type { ServerError } from './failure.ts';
import type { Body, PreparedRequest } from './protocol.ts';

/** Keyword groups that are dropped together. */
const groups: Readonly<Record<string, keyof SchemaKeywords>> = {
  multipleOf: 'steps',
  maxLength: 'lengths',
  minimum: 'bounds',
  maximum: 'bounds',
  minItems: 'counts',
  maxItems: 'counts',
};

const nameOf = (keyword: string) => `schema.${keyword}`;

/** `known`: keywords that the API documents. `dropped`: parameters refused by this endpoint. */
export function schemaFor(
  shape: ReplyShape,
  known: Required<SchemaKeywords>,
  dropped: ReadonlySet<string>,
): Readonly<Record<string, unknown>> {
  const left = { ...known };
  for (const [keyword, group] of Object.entries(groups)) if (dropped.has(nameOf(keyword))) left[group] = false;
  return schemaOf(shape, left);
}

/** The field of chat completions that demands the JSON Schema of the reply; none for other forms. */
export function schemaFormat({ form, shape, dropped }: PreparedRequest, known: Required<SchemaKeywords>): Body {
  if (form !== 'json' || shape === null) return {};
  const schema = schemaFor(shape, known, dropped);
  return { response_format: { type: 'json_schema', json_schema: { name: 'reply', strict: true, schema } } };
}

const aboutSchema = /schema|response_?format|text\.format|output_?(?:config|format)/i;
/** The schema is valid but too complex for the decoder. */
const tooMuch = /too (?:many states|complex|large|deep)|complexity/i;

/** The schema keyword in `body` that an error refuses, as a name for `dropped`; null: none. */
export function refusedKeyword(error: ServerError, body: Readonly<Record<string, unknown>>): string | null {
  const about = `${error.param ?? ''} ${error.message}`;
  if (!aboutSchema.test(about)) return null;
  const sent = JSON.stringify(body);
  const isSent = (keyword: string) => sent.includes(`"${keyword}":`);
  const sentKeywords = Object.keys(groups).filter(isSent);
  const named = sentKeywords.find((keyword) => new RegExp(`(?<![A-Za-z])${keyword}(?![A-Za-z])`).test(about));
  // Steps and lengths are the most costly and least important for a decoder.
  const found = named ?? (tooMuch.test(about) ? sentKeywords[0] : undefined);
  return found === undefined ? null : nameOf(found);
}
