/** The JSON Schema of a reply without the keywords that an endpoint refuses: it is learned which ones those are. */
import { type SchemaKeywords, schemaOf } from '../reply/forms.ts';
import type { ReplyShape } from '../reply/shape.ts';
import type { ServerError } from './failure.ts';

/** What goes together with a keyword that is refused. */
const groups: Readonly<Record<string, keyof SchemaKeywords>> = {
  multipleOf: 'steps',
  maxLength: 'lengths',
  minimum: 'bounds',
  maximum: 'bounds',
  minItems: 'counts',
  maxItems: 'counts',
};

const nameOf = (keyword: string) => `schema.${keyword}`;

/** `known`: the keywords that the API documents. `dropped`: parameters that this endpoint has refused. */
export function schemaFor(
  shape: ReplyShape,
  known: Required<SchemaKeywords>,
  dropped: ReadonlySet<string>,
): Readonly<Record<string, unknown>> {
  const left = { ...known };
  for (const [keyword, group] of Object.entries(groups)) if (dropped.has(nameOf(keyword))) left[group] = false;
  return schemaOf(shape, left);
}

const aboutSchema = /schema|response_?format|text\.format|output_?(?:config|format)/i;
/** The schema is understood, and too much for the decoder. */
const tooMuch = /too (?:many states|complex|large|deep)|complexity/i;

/** The keyword of the schema in `body` that an error complains about, as a name to be dropped; null: none. */
export function refusedKeyword(error: ServerError, body: Readonly<Record<string, unknown>>): string | null {
  const about = `${error.param ?? ''} ${error.message}`;
  if (!aboutSchema.test(about)) return null;
  const sent = JSON.stringify(body);
  const isSent = (keyword: string) => sent.includes(`"${keyword}":`);
  const sentKeywords = Object.keys(groups).filter(isSent);
  const named = sentKeywords.find((keyword) => new RegExp(`(?<![A-Za-z])${keyword}(?![A-Za-z])`).test(about));
  // Steps and lengths cost a decoder most and are missed least.
  const found = named ?? (tooMuch.test(about) ? sentKeywords[0] : undefined);
  return found === undefined ? null : nameOf(found);
}
